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

	"plumbline/alert"
	"plumbline/finding"
	"plumbline/internal/throttle"
	"plumbline/scan"
)

// Client is what Topics calls of SNS; *sns.Client is one.
type Client interface {
	Publish(ctx context.Context, in *sns.PublishInput, opts ...func(*sns.Options)) (*sns.PublishOutput, error)
}

// Attributes of a message, by which filter policies choose. Each is a string,
// but for the resource types and the frameworks, which are arrays of strings.
const (
	AttributeID       = "id"           // the same each time that the message is sent
	AttributeKind     = "kind"         // findings, digest, partial, failure, approval, change
	AttributeSeverity = "severity"     // critical, high, medium, low
	AttributeStack    = "stack"        // absent where the message is about the whole estate
	AttributeAccount  = "account"      // of the stack; absent where it is not known
	AttributeRegion   = "region"       // of the stack; absent where it is not known
	AttributeAudience = "audience"     // owner of the resources; absent where they are of nobody in particular
	AttributeWork     = "framework"    // frameworks that ask for what is violated; absent where none does
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
// receiver tells them by the attribute id. What people are not told of is
// passed over.
func (t *Topics) Send(ctx context.Context, n scan.Notice) error {
	if !alert.Told(n) {
		return nil
	}
	topic := t.warning
	if n.Severity == finding.Critical {
		topic = t.critical
	}
	attributes := map[string]types.MessageAttributeValue{}
	for name, text := range map[string]string{
		AttributeID: n.ID, AttributeKind: n.Kind, AttributeSeverity: string(n.Severity), AttributeStack: n.Target.Where(),
		AttributeAccount: n.Target.Account, AttributeRegion: n.Target.Region, AttributeAudience: n.Audience,
	} {
		if text != "" { // SNS refuses an empty attribute
			attributes[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(text)}
		}
	}
	for name, list := range map[string][]string{AttributeTypes: n.ResourceTypes, AttributeWork: n.Frameworks} {
		if len(list) == 0 {
			continue
		}
		b, err := json.Marshal(list)
		if err != nil {
			return fmt.Errorf("encode the attribute %s of %q: %w", name, n.ID, err)
		}
		attributes[name] = types.MessageAttributeValue{DataType: aws.String("String.Array"), StringValue: aws.String(string(b))}
	}
	_, err := t.client.Publish(ctx, &sns.PublishInput{
		TopicArn: &topic, Subject: &n.Subject, Message: &n.Body, MessageAttributes: attributes,
	})
	if err != nil {
		return fmt.Errorf("publish to %s: %w", topic, throttle.Wrap(err, scan.ErrThrottled))
	}
	return nil
}
