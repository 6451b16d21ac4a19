package dynamo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"plumbline/finding"
)

// A life is claimed by an item of its own before its first row is written: two
// scans that see a violation for the first time, and of which neither could
// know of the other, would write two rows, whose keys differ by their time. The
// item's partition key is livesPrefix and the resource, its sort key the rule;
// it is in no index, has no record, and expires.
const (
	livesPrefix   = "first/"
	attrFirstSeen = "firstSeen" // RFC 3339 with nanoseconds
)

// life claims the life that r begins, and returns when it began: when r says,
// or what another scan claimed first.
func (f *Findings) life(ctx context.Context, r finding.Record) (time.Time, error) {
	condition := expectNothing()
	for range attempts {
		if err := ctx.Err(); err != nil {
			return time.Time{}, err
		}
		err := f.claim(ctx, r, condition)
		var taken *types.ConditionalCheckFailedException
		if !errors.As(err, &taken) {
			return r.FirstSeen, err
		}
		was, ok := taken.Item[attrFirstSeen].(*types.AttributeValueMemberS)
		if !ok { // it expired between the two
			condition = expectNothing()
			continue
		}
		first, err := time.Parse(time.RFC3339Nano, was.Value)
		if err != nil {
			return time.Time{}, fmt.Errorf("the item %q of %q: %w", r.Rule, livesPrefix+r.ResourceID(), err)
		}
		if r.Joins(first) {
			return first, nil
		}
		// What is there is of an earlier life, and was to expire by now.
		condition = func(e *expression) string { return e.name(attrFirstSeen) + " = " + e.value(was) }
	}
	return time.Time{}, fmt.Errorf("the item %q of %q changed %d times meanwhile: %w", r.Rule, livesPrefix+r.ResourceID(), attempts, finding.ErrThrottled)
}

func (f *Findings) claim(ctx context.Context, r finding.Record, c condition) error {
	e := newExpression()
	set := "SET " + e.name(attrFirstSeen) + " = " + e.value(text(r.FirstSeen.UTC().Format(time.RFC3339Nano))) +
		", " + e.name(attrExpires) + " = " + e.value(seconds(r.FirstSeen.Add(finding.SameLife)))
	check := c(e)
	_, err := f.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                           &f.table,
		Key:                                 map[string]types.AttributeValue{attrResource: text(livesPrefix + r.ResourceID()), attrTimestamp: text(r.Rule)},
		UpdateExpression:                    &set,
		ConditionExpression:                 &check,
		ExpressionAttributeNames:            e.names,
		ExpressionAttributeValues:           e.values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	return err
}

// claims reports whether an item claims a life, and is no row.
func claims(item map[string]types.AttributeValue) bool {
	_, row := item[attrRecord]
	_, first := item[attrFirstSeen]
	return first && !row
}
