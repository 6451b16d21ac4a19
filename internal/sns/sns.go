// Package sns tells people by an SNS topic: the channel of notify on AWS. All
// messages go to one topic; subscriptions choose by the attributes.
package sns

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"plumbline/internal/throttle"
	"plumbline/scan"
)

// Client is what a Topic calls of SNS; *sns.Client is one.
type Client interface {
	Publish(ctx context.Context, in *sns.PublishInput, opts ...func(*sns.Options)) (*sns.PublishOutput, error)
}

// Attributes of a message, by which filter policies choose. Each is a string.
const (
	AttributeID       = "id"       // the same each time that the message is sent
	AttributeKind     = "kind"     // findings, partial, failure
	AttributeSeverity = "severity" // critical, high, medium, low
	AttributeStack    = "stack"    // absent where the message is about the whole estate
)

// Topic is a channel of messages. Safe for concurrent use.
type Topic struct {
	client Client
	arn    string
}

// New returns the channel of the topic with this ARN.
func New(c Client, arn string) *Topic { return &Topic{client: c, arn: arn} }

// Send publishes the message. A standard topic does not drop repetitions: a
// receiver tells them by the attribute id.
func (t *Topic) Send(ctx context.Context, n scan.Notice) error {
	attributes := map[string]types.MessageAttributeValue{}
	for name, text := range map[string]string{
		AttributeID: n.ID, AttributeKind: n.Kind, AttributeSeverity: string(n.Severity), AttributeStack: n.Target.Where(),
	} {
		if text != "" { // SNS refuses an empty attribute
			attributes[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(text)}
		}
	}
	_, err := t.client.Publish(ctx, &sns.PublishInput{
		TopicArn: &t.arn, Subject: &n.Subject, Message: &n.Body, MessageAttributes: attributes,
	})
	if err != nil {
		return fmt.Errorf("publish to %s: %w", t.arn, throttle.Wrap(err, scan.ErrThrottled))
	}
	return nil
}
