package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// useKeyFor is what a service does with a key for data that it keeps.
var useKeyFor = []string{"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo"}

// newKey makes a key of ours that is turned once a year. By its policy the
// account's administrators manage it, and roles use it where their own policies
// say so.
func newKey(scope constructs.Construct, id, description string) awskms.Key {
	return awskms.NewKey(scope, jsii.String(id), &awskms.KeyProps{
		Description: jsii.String(description), EnableKeyRotation: jsii.Bool(true), RemovalPolicy: awscdk.RemovalPolicy_RETAIN,
	})
}

// newSuiteKey makes the key of topics, queues, logs and environments, and
// admits the services that write there without a role.
func newSuiteKey(scope constructs.Construct) awskms.Key {
	key := newKey(scope, "Key", "plumbline: topics, queues, logs and environments of functions")
	stack := awscdk.Stack_Of(scope)
	mine := map[string]any{"aws:SourceAccount": *stack.Account()}
	for _, s := range []struct{ id, service string }{{"EventBridge", "events.amazonaws.com"}, {"CloudWatch", "cloudwatch.amazonaws.com"}} {
		key.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Sid: jsii.String(s.id), Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String(s.service), nil)},
			Actions: jsii.Strings("kms:Decrypt", "kms:GenerateDataKey"), Resources: jsii.Strings("*"),
			Conditions: &map[string]any{"StringEquals": mine},
		}), nil)
	}
	logs := "arn:" + *stack.Partition() + ":logs:" + *stack.Region() + ":" + *stack.Account() + ":log-group:*"
	key.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid: jsii.String("Logs"), Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String("logs."+*stack.Region()+".amazonaws.com"), nil)},
		Actions: jsii.Strings(useKeyFor...), Resources: jsii.Strings("*"),
		Conditions: &map[string]any{"ArnLike": map[string]any{"kms:EncryptionContext:aws:logs:arn": logs}},
	}), nil)
	return key
}
