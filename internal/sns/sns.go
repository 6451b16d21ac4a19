// Package sns tells people by two SNS topics, one of critical violations and
// one of all else: the channel of notify on AWS. Subscriptions choose further
// by the attributes.
package sns

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"plumbline/finding"
	"plumbline/internal/throttle"
	"plumbline/scan"
)

// Client is what Topics calls of SNS; *sns.Client is one.
type Client interface {
	Publish(ctx context.Context, in *sns.PublishInput, opts ...func(*sns.Options)) (*sns.PublishOutput, error)
}

// Attributes of a message, by which filter policies choose. Each is a string,
// but for the resource types, which are an array of strings.
const (
	AttributeID       = "id"           // the same each time that the message is sent
	AttributeKind     = "kind"         // findings, partial, failure
	AttributeSeverity = "severity"     // critical, high, medium, low
	AttributeStack    = "stack"        // absent where the message is about the whole estate
	AttributeTypes    = "resourceType" // types of the violating resources; absent where the message is not about violations
)

// Topics is a channel of messages. Safe for concurrent use.
type Topics struct {
	client            Client
	critical, warning string
}

// New returns the channel of the topics with these ARNs.
func New(c Client, critical, warning string) *Topics {
	return &Topics{client: c, critical: critical, warning: warning}
}

// Send publishes the message. A standard topic does not drop repetitions: a
// receiver tells them by the attribute id.
func (t *Topics) Send(ctx context.Context, n scan.Notice) error {
	topic := t.warning
	if n.Severity == finding.Critical {
		topic = t.critical
	}
	attributes := map[string]types.MessageAttributeValue{}
	for name, text := range map[string]string{
		AttributeID: n.ID, AttributeKind: n.Kind, AttributeSeverity: string(n.Severity), AttributeStack: n.Target.Where(),
	} {
		if text != "" { // SNS refuses an empty attribute
			attributes[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(text)}
		}
	}
	if len(n.ResourceTypes) > 0 {
		list, err := json.Marshal(n.ResourceTypes)
		if err != nil {
			return fmt.Errorf("encode the resource types of %q: %w", n.ID, err)
		}
		attributes[AttributeTypes] = types.MessageAttributeValue{DataType: aws.String("String.Array"), StringValue: aws.String(string(list))}
	}
	_, err := t.client.Publish(ctx, &sns.PublishInput{
		TopicArn: &topic, Subject: &n.Subject, Message: &n.Body, MessageAttributes: attributes,
	})
	if err != nil {
		return fmt.Errorf("publish to %s: %w", topic, throttle.Wrap(err, scan.ErrThrottled))
	}
	return nil
}
