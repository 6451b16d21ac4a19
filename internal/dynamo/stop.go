package dynamo

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"plumbline/remedy/live"
)

// StopID is the key of the row that stops all changes while it is there, in the
// table of changes. Its attribute request says who stopped them and why, as
// JSON; a row without it, put by hand in a hurry, stops them as well.
const StopID = "stop"

// Stopped is live.Switch's.
func (l *Leases) Stopped(ctx context.Context) (*live.Stop, error) {
	out, err := l.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &l.table, ConsistentRead: aws.Bool(true), Key: map[string]types.AttributeValue{attrID: text(StopID)},
	})
	switch {
	case err != nil:
		return nil, explainTable("read", l.table, err)
	case len(out.Item) == 0:
		return nil, nil
	}
	s := &live.Stop{}
	if src, ok := out.Item[attrRequest].(*types.AttributeValueMemberS); !ok || json.Unmarshal([]byte(src.Value), s) != nil {
		return &live.Stop{By: "somebody", Reason: "the table of changes has a row " + StopID, At: time.Unix(0, 0).UTC()}, nil
	}
	return s, nil
}

// Stop is live.Brake's.
func (l *Leases) Stop(ctx context.Context, s live.Stop) error {
	src, err := json.Marshal(s)
	if err != nil {
		return err
	}
	x := newExpression()
	check := "attribute_not_exists(" + x.name(attrID) + ")"
	_, err = l.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &l.table, Item: map[string]types.AttributeValue{attrID: text(StopID), attrRequest: text(string(src))},
		ConditionExpression: &check, ExpressionAttributeNames: x.names,
	})
	if errors.As(err, new(*types.ConditionalCheckFailedException)) {
		return nil // it is stopped already
	}
	return explainTable("write to", l.table, err)
}

// Resume is live.Brake's.
func (l *Leases) Resume(ctx context.Context) error {
	_, err := l.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &l.table, Key: map[string]types.AttributeValue{attrID: text(StopID)}})
	return explainTable("delete from", l.table, err)
}
