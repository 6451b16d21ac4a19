// Package sqs keeps what is to be delivered to ticketing systems and webhooks
// in a FIFO queue of SQS: messages of one ticket stay in their order, one that
// is put twice within five minutes is there once.
package sqs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"plumbline/alert"
	"plumbline/internal/throttle"
	"plumbline/scan"
)

// Client is what this package calls of SQS; *sqs.Client is one.
type Client interface {
	SendMessage(ctx context.Context, in *sqs.SendMessageInput, opts ...func(*sqs.Options)) (*sqs.SendMessageOutput, error)
	ChangeMessageVisibility(ctx context.Context, in *sqs.ChangeMessageVisibilityInput, opts ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityOutput, error)
}

// Queue is the queue of deliveries. Safe for concurrent use.
type Queue struct {
	client   Client
	url      string
	channels []alert.Channel
}

// New returns the queue at a URL; a message is put there once for each of the
// channels that takes it, so that one which is down holds up no other.
func New(c Client, url string, channels []alert.Channel) *Queue {
	return &Queue{client: c, url: url, channels: channels}
}

// Send puts a message into the queue for each channel that takes it.
func (q *Queue) Send(ctx context.Context, n scan.Notice) error {
	for _, c := range q.channels {
		if !c.Takes(n) {
			continue
		}
		if err := q.put(ctx, alert.Delivery{Channel: c.Name, Notice: n}); err != nil {
			return err
		}
	}
	return nil
}

func (q *Queue) put(ctx context.Context, d alert.Delivery) error {
	body, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("encode message %q: %w", d.Notice.ID, err)
	}
	_, err = q.client.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl: &q.url, MessageBody: aws.String(string(body)),
		MessageGroupId: aws.String(hash(d.Order())), MessageDeduplicationId: aws.String(hash(d.Channel + "\x00" + d.Notice.ID)),
	})
	if err != nil {
		return fmt.Errorf("put %q into the queue for channel %q: %w", d.Notice.ID, d.Channel, throttle.Wrap(err, scan.ErrThrottled))
	}
	return nil
}

// Park puts what was refused for good into the queue, which then is that of dead letters.
func (q *Queue) Park(ctx context.Context, d alert.Delivery) error { return q.put(ctx, d) }

// maxVisibility is the longest that SQS hides a message.
// Source: Amazon SQS API Reference, ChangeMessageVisibility.
const maxVisibility = 12 * time.Hour

// Postpone hides a message that was received for a while, and with it those
// behind it in its order.
func (q *Queue) Postpone(ctx context.Context, receipt string, wait time.Duration) error {
	seconds := int32((min(max(wait, 0), maxVisibility) + time.Second - 1) / time.Second)
	_, err := q.client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: &q.url, ReceiptHandle: &receipt, VisibilityTimeout: seconds})
	if err != nil {
		return fmt.Errorf("postpone a delivery: %w", throttle.Wrap(err, scan.ErrThrottled))
	}
	return nil
}

// hash makes an identifier of a text: SQS takes 128 characters of few kinds.
func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
