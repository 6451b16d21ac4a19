package stack

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudformation"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsconfig"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"plumbline/infra/permission"
)

// ruleType is the start of the name of a custom rule of AWS Config; the type of
// resource follows.
const ruleType = "plumbline-"

// newCompliance makes custom rules of AWS Config: one a type of resource, all
// answered by the function CheckCompliance when a resource has changed. A type
// that Config does not record has no changes and costs nothing.
func (s *suite) newCompliance(scope constructs.Construct) {
	if len(s.d.ConfigTypes) == 0 {
		return
	}
	arn := s.functions["CheckCompliance"].arn
	permitted := awslambda.NewCfnPermission(scope, jsii.String("Permission"), &awslambda.CfnPermissionProps{
		Action: jsii.String("lambda:InvokeFunction"), FunctionName: jsii.String(arn),
		Principal: jsii.String("config.amazonaws.com"), SourceAccount: s.stack.Account(),
	})
	for _, typ := range s.d.ConfigTypes {
		name := ruleType + strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(typ, "AWS::"), "::", "-"))
		rule := awsconfig.NewCfnConfigRule(scope, jsii.String("Rule"+strings.ReplaceAll(typ, "::", "")), &awsconfig.CfnConfigRuleProps{
			ConfigRuleName: jsii.String(name), Description: jsii.String("plumbline: all rules for " + typ),
			Scope: map[string]any{"complianceResourceTypes": list(typ)},
			Source: map[string]any{
				"owner": "CUSTOM_LAMBDA", "sourceIdentifier": arn,
				"sourceDetails": list(
					map[string]any{"eventSource": "aws.config", "messageType": "ConfigurationItemChangeNotification"},
					map[string]any{"eventSource": "aws.config", "messageType": "OversizedConfigurationItemChangeNotification"},
				),
			},
		})
		rule.AddResourceDependency(permitted, jsii.String("AWS Config calls the function once when the rule is made"))
	}
}

// newHook makes the hook that CloudFormation and Cloud Control ask before they
// make or change a resource. Our own stacks are left out here as well as in the
// function: a rule that refused them could not be taken back.
func (s *suite) newHook(scope constructs.Construct) {
	if s.d.Hook == "" || s.d.Hook == "off" {
		return
	}
	arn := s.functions["CheckHook"].arn
	role := newRole(scope, "Role", "hooks.cloudformation.amazonaws.com", "plumbline: calls CheckHook")
	policy := attach(scope, "Policy", role, []permission.Statement{{Actions: []string{"lambda:InvokeFunction"}, Resources: []string{"${CheckHookArn}"}}}, s.values)
	hook := awscloudformation.NewCfnLambdaHook(scope, jsii.String("Hook"), &awscloudformation.CfnLambdaHookProps{
		Alias: jsii.String("Plumbline::Rules::Hook"), ExecutionRole: role.AttrArn(), LambdaFunction: jsii.String(arn),
		FailureMode: jsii.String(strings.ToUpper(s.d.Hook)), HookStatus: jsii.String("ENABLED"),
		TargetOperations: jsii.Strings("RESOURCE", "CLOUD_CONTROL"),
		StackFilters: map[string]any{
			"filteringCriteria": "ALL",
			"stackNames":        map[string]any{"exclude": list(DataName, SuiteName)},
		},
	})
	// CDK knows one of the two forms of this property: that of a list of targets.
	hook.AddPropertyOverride(jsii.String("TargetFilters"), map[string]any{"Actions": list("CREATE", "UPDATE")})
	hook.AddResourceDependency(policy, jsii.String(untilAllowed))
}
