package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"plumbline/tasks/catalog"
)

// deliverName is the function that calls ticketing systems, chats and webhooks:
// the only one outside of the VPC.
const deliverName = "Deliver"

// deliveries are the queues of what is told outside: in order for each ticket.
type deliveries struct {
	queue   awssqs.Queue
	letters awssqs.Queue // that nobody takes
}

// Pauses between attempts of the queue, and their number: a receiver may be away
// for a day. Lambda asks for a pause of six times a function's time-out.
// Source: AWS Lambda Developer Guide, "Using Lambda with Amazon SQS".
const (
	deliveryTimeouts = 6
	deliveryAttempts = 240
)

// newDeliveries makes the queues, before the functions that write to them.
func (s *suite) newDeliveries(scope constructs.Construct) {
	newQueue := func(id string, props awssqs.QueueProps) awssqs.Queue {
		props.Encryption, props.EncryptionMasterKey, props.EnforceSSL = awssqs.QueueEncryption_KMS, s.key, jsii.Bool(true)
		props.Fifo, props.RetentionPeriod = jsii.Bool(true), awscdk.Duration_Days(jsii.Number(14))
		return awssqs.NewQueue(scope, jsii.String(id), &props)
	}
	task, _ := catalog.Find(deliverName)
	s.deliveries.letters = newQueue("Letters", awssqs.QueueProps{})
	s.deliveries.queue = newQueue("Deliveries", awssqs.QueueProps{
		VisibilityTimeout: awscdk.Duration_Seconds(jsii.Number(deliveryTimeouts * task.Timeout.Seconds())),
		DeadLetterQueue:   &awssqs.DeadLetterQueue{Queue: s.deliveries.letters, MaxReceiveCount: jsii.Number(deliveryAttempts)},
	})
	s.values["DeliveriesArn"], s.values["DeliveriesURL"] = *s.deliveries.queue.QueueArn(), *s.deliveries.queue.QueueUrl()
	s.values["LettersArn"], s.values["LettersURL"] = *s.deliveries.letters.QueueArn(), *s.deliveries.letters.QueueUrl()
}

// deliver has the queue call its function, which names the messages that it did
// not get rid of: the others are not sent again.
func (s *suite) deliver(scope constructs.Construct) {
	awslambda.NewCfnEventSourceMapping(scope, jsii.String("Source"), &awslambda.CfnEventSourceMappingProps{
		EventSourceArn: s.deliveries.queue.QueueArn(), FunctionName: jsii.String(s.functions[deliverName].arn),
		BatchSize: jsii.Number(10), FunctionResponseTypes: jsii.Strings("ReportBatchItemFailures"),
	})
}
