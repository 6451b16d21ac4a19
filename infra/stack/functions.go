package stack

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3assets"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"plumbline/infra/permission"
	"plumbline/tasks/catalog"
)

// function is a deployed task.
type function struct {
	resource awslambda.CfnFunction
	arn      string
}

// newFunctions makes the functions that workflows call: all but Intake, which
// calls workflows.
func (s *suite) newFunctions(scope constructs.Construct) error {
	s.functions = map[string]function{}
	code := map[string]awss3assets.Asset{}
	for _, t := range s.scope.Tasks() {
		if t.Name == intakeName { // it calls workflows, which call the others
			continue
		}
		if code[t.Folder] == nil {
			code[t.Folder] = s.newCode(scope, t.Folder)
		}
		if err := s.newFunction(group(scope, t.Name), t, code[t.Folder]); err != nil {
			return err
		}
	}
	return nil
}

// newCode is what `make functions` built of a folder; functions that share a
// folder share it.
func (s *suite) newCode(scope constructs.Construct, folder string) awss3assets.Asset {
	return awss3assets.NewAsset(scope, jsii.String("Code-"+folder), &awss3assets.AssetProps{Path: jsii.String(filepath.Join(s.o.Functions, folder))})
}

// newFunction makes the function of a task with its log and role, as the
// catalogue says, and enters it under its placeholder.
func (s *suite) newFunction(scope constructs.Construct, t catalog.Task, code awss3assets.Asset) error {
	statements, err := permission.OfTask(t, s.scope)
	if err != nil {
		return err
	}
	if err := fits(statements); err != nil {
		return fmt.Errorf("function %s: %w. name fewer types in remediationTypes", t.Name, err)
	}
	log := s.newLog(scope, "Log", nil)
	role := newRole(scope, "Role", "lambda.amazonaws.com", "plumbline: function "+t.Name)
	if t.ReadsLive {
		role.SetManagedPolicyArns(&[]*string{jsii.String(s.values.fill(permission.SecurityAudit))})
	}
	policy := attach(scope, "Policy", role, statements, s.values.with(values{"LogGroupName": *log.Ref()}))
	suppressOpen(policy, t, statements)
	environment, err := s.environment(t)
	if err != nil {
		return err
	}
	props := &awslambda.CfnFunctionProps{
		FunctionName: jsii.String("Plumbline" + t.Name), Description: jsii.String("plumbline: " + t.Name),
		Architectures: jsii.Strings("arm64"), Runtime: jsii.String("provided.al2023"), Handler: jsii.String("bootstrap"),
		Code:             &awslambda.CfnFunction_CodeProperty{S3Bucket: code.S3BucketName(), S3Key: code.S3ObjectKey()},
		Role:             role.AttrArn(),
		Timeout:          jsii.Number(t.Timeout.Seconds()),
		MemorySize:       jsii.Number(t.MemoryMB),
		Environment:      &awslambda.CfnFunction_EnvironmentProperty{Variables: environment},
		KmsKeyArn:        s.key.KeyArn(),
		DeadLetterConfig: &awslambda.CfnFunction_DeadLetterConfigProperty{TargetArn: s.queues.calls.QueueArn()},
		TracingConfig:    &awslambda.CfnFunction_TracingConfigProperty{Mode: jsii.String("Active")},
		LoggingConfig:    &awslambda.CfnFunction_LoggingConfigProperty{LogGroup: log.Ref()},
	}
	if !permission.Outside(t) {
		props.VpcConfig = map[string]any{"subnetIds": s.network.subnets, "securityGroupIds": s.network.groups}
	}
	f := awslambda.NewCfnFunction(scope, jsii.String("Function"), props)
	f.AddResourceDependency(policy, jsii.String(untilAllowed))
	reasons := [][2]string{{"lambda-function-concurrency", "a reservation is taken from what all functions of the account share; the sweep's breadth is bounded where it starts, by ListTargets"}}
	if permission.Outside(t) {
		why := "it calls ticketing systems, chats and webhooks on the Internet, which the VPC has no way to; its role reads the secrets of its channels and no data"
		if t.Name == "SignIn" {
			why = "the organisation's issuer is on the Internet, which the VPC has no way to; its role writes sessions of the approval page and reads no data"
		}
		reasons = append(reasons, [2]string{"lambda-function-vpc", why})
	}
	suppress(f, reasons...)
	s.functions[t.Name] = function{f, *f.AttrArn()}
	s.values[t.Name+"Arn"] = *f.AttrArn()
	return nil
}

// policyLimit is how many characters a role's inline policies may have, white
// space not counted. Source: IAM User Guide, "IAM and AWS STS quotas".
const policyLimit = 10240

// fits reports statements that are too long for a role. What placeholders stand
// for is longer by a little than they are, and room is left for it.
func fits(statements []permission.Statement) error {
	src, err := json.Marshal(documents(statements, nil))
	if err != nil {
		return err
	}
	if n := len(src) + len(src)/20; n > policyLimit {
		return fmt.Errorf("its role would need some %d characters of policy, and IAM takes %d", n, policyLimit)
	}
	return nil
}

// suppressOpen writes into a function's policy why it is for every resource,
// where our own rules ask: of what its own code calls, not of what Lambda does
// in its name. Lists are no question: they name nothing.
func suppressOpen(policy awsiam.CfnPolicy, t catalog.Task, statements []permission.Statement) {
	var why []string
	writes := false
	for _, st := range statements {
		if st.Open() && slices.ContainsFunc(st.Actions, func(a string) bool { return slices.Contains(t.Actions, a) && a != "cloudformation:ListStacks" }) {
			why = append(why, st.Why)
			writes = writes || slices.Contains(st.Actions, "config:PutEvaluations") || slices.Contains(st.Actions, "cloudformation:UpdateResource")
		}
	}
	if len(why) == 0 {
		return
	}
	reasons := [][2]string{{"iam-policy-any-resource", strings.Join(why, "; ")}}
	if writes {
		reasons = append(reasons, [2]string{"iam-policy-write-anywhere", strings.Join(why, "; ")})
	}
	suppress(policy, reasons...)
}

// byCommand stands in messages before the id of a request where there is no
// page on which people decide.
const byCommand = "plumbline approvals show "

// environment answers the variables that the catalogue names. One that it may
// set and that has no value is left out.
func (s *suite) environment(t catalog.Task) (map[string]any, error) {
	channels, secrets, err := s.d.Channels()
	if err != nil {
		return nil, err
	}
	known := map[string]string{
		catalog.ChangesVar: *s.data.changes.TableName(), catalog.LedgerVar: *s.data.ledger.TableName(), catalog.CheckVar: s.values["CheckResourceArn"],
		catalog.ConsoleVar: cmp.Or(s.values["ApprovalURL"], byCommand),
		catalog.InboxVar:   s.values["ApprovalInbox"], catalog.SiteVar: s.values["Site"], catalog.SessionsVar: *s.data.changes.TableName(), catalog.AnchorVar: *s.data.anchor.BucketName(),
		catalog.IssuerVar: s.d.OIDC.Issuer, catalog.ClientVar: s.d.OIDC.ClientID, catalog.NameClaimVar: s.d.OIDC.NameClaim, catalog.GroupsClaimVar: s.d.OIDC.GroupsClaim,
		catalog.QueueVar: s.values["DeliveriesURL"], catalog.LettersVar: s.values["LettersURL"], catalog.ChannelsVar: channels, catalog.SecretsVar: secrets,
		catalog.BucketVar: s.values["ReportBucket"], catalog.FindingsVar: *s.data.findings.TableName(), catalog.EventsVar: *s.data.events.TableName(),
		catalog.ScanVar: s.values["ScanStackArn"], catalog.EstateVar: s.values["ScanEstateArn"],
		catalog.CriticalVar: s.values["CriticalTopicArn"], catalog.WarningVar: s.values["WarningTopicArn"], catalog.BundleVar: s.o.BundleKey,
	}
	if !s.absent("ReviewViolation") {
		known[catalog.ReviewVar] = s.machineARN("ReviewViolation") // which is made after the functions
	}
	out := map[string]any{}
	for name, value := range t.Env {
		out[name] = value
	}
	for _, name := range t.Vars {
		if known[name] == "" {
			return nil, fmt.Errorf("function %s: nothing is known of the environment variable %s. add it to package stack", t.Name, name)
		}
		out[name] = known[name]
	}
	for _, name := range t.MaySet {
		if known[name] != "" {
			out[name] = known[name]
		}
	}
	return out, nil
}
