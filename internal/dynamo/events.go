package dynamo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"plumbline/finding"
	"plumbline/internal/throttle"
)

// EventsClient is what Events calls of DynamoDB; *dynamodb.Client is one.
type EventsClient interface {
	PutItem(ctx context.Context, in *dynamodb.PutItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	DeleteItem(ctx context.Context, in *dynamodb.DeleteItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error)
}

// Remembered is how long the id of an event is kept: EventBridge tries a
// delivery for 24 hours at most, and a queue that it was left in keeps it for
// up to 14 days. Sources: EventBridge User Guide, "How EventBridge retries
// delivering events"; SQS API Reference, MessageRetentionPeriod.
const Remembered = 15 * 24 * time.Hour

// Attributes of the table of events. The key is id alone.
const (
	attrID = "id"
	attrAt = "at"
)

// Events remembers the ids of events. Safe for concurrent use.
type Events struct {
	client EventsClient
	table  string
}

// NewEvents returns the table of event ids of this name.
func NewEvents(c EventsClient, table string) *Events { return &Events{client: c, table: table} }

// Claim records id and reports whether it was new. Of several that claim one
// id at once, DynamoDB lets exactly one write it.
func (e *Events) Claim(ctx context.Context, id string, at time.Time) (bool, error) {
	x := newExpression()
	check := "attribute_not_exists(" + x.name(attrID) + ")"
	_, err := e.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &e.table,
		Item: map[string]types.AttributeValue{
			attrID:      text(id),
			attrAt:      text(at.UTC().Format(time.RFC3339Nano)),
			attrExpires: seconds(at.Add(Remembered)),
		},
		ConditionExpression:      aws.String(check),
		ExpressionAttributeNames: x.names,
	})
	if errors.As(err, new(*types.ConditionalCheckFailedException)) {
		return false, nil
	}
	return err == nil, e.explain("write to", err)
}

// Release forgets id, since what it asked for could not be started. An id that
// is not there is no error.
func (e *Events) Release(ctx context.Context, id string) error {
	_, err := e.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &e.table, Key: map[string]types.AttributeValue{attrID: text(id)},
	})
	return e.explain("delete from", err)
}

func (e *Events) explain(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s table %q: %w", doing, e.table, throttle.Wrap(err, finding.ErrThrottled))
}
