package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// queues keep what could not be done, for two weeks.
type queues struct {
	events awssqs.Queue // that EventBridge could not deliver
	calls  awssqs.Queue // asynchronous calls of functions that failed three times
}

func (s *suite) newQueues(scope constructs.Construct) queues {
	newQueue := func(id string) awssqs.Queue {
		return awssqs.NewQueue(scope, jsii.String(id), &awssqs.QueueProps{
			Encryption: awssqs.QueueEncryption_KMS, EncryptionMasterKey: s.key, EnforceSSL: jsii.Bool(true), RetentionPeriod: awscdk.Duration_Days(jsii.Number(14)),
		})
	}
	q := queues{newQueue("LostEvents"), newQueue("LostCalls")}
	s.values["DeadLettersArn"] = *q.calls.QueueArn()
	return q
}

// admit lets a rule of EventBridge leave in the queue what it could not deliver.
func (q queues) admit(rule *string) {
	q.events.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String("events.amazonaws.com"), nil)},
		Actions:    jsii.Strings("sqs:SendMessage"), Resources: &[]*string{q.events.QueueArn()},
		Conditions: &map[string]any{"ArnEquals": map[string]any{"aws:SourceArn": *rule}},
	}))
}
