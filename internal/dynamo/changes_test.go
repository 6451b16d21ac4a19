package dynamo_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"plumbline/approval"
	"plumbline/approval/approvaltest"
	"plumbline/internal/dynamo"
	"plumbline/ledger"
	"plumbline/ledger/ledgertest"
)

// rows stands in for a table with transactions, keyed by one or two attributes.
// It speaks the conditions that the adapters write and refuses the rest.
type rows struct {
	key  []string
	page int

	mu    sync.Mutex
	items map[string]item
}

func newRows(key ...string) *rows { return &rows{key: key, page: 2, items: map[string]item{}} }

// scalar is an attribute as text that sorts as DynamoDB sorts it.
func scalar(v types.AttributeValue) string {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return v.Value
	case *types.AttributeValueMemberN:
		n, err := strconv.ParseInt(v.Value, 10, 64)
		if err != nil {
			return v.Value
		}
		return fmt.Sprintf("%020d", n)
	}
	return ""
}

func (r *rows) id(row item) string {
	var parts []string
	for _, name := range r.key {
		parts = append(parts, scalar(row[name]))
	}
	return strings.Join(parts, "\x00")
}

// meets evaluates a condition: terms with AND or OR between, not both.
func meets(condition *string, names map[string]string, values, row item) (bool, error) {
	if condition == nil {
		return true, nil
	}
	or, and := strings.Contains(*condition, " OR "), strings.Contains(*condition, " AND ")
	if or && and {
		return false, fmt.Errorf("ValidationException: %q", *condition)
	}
	result := !or
	for _, term := range strings.Split(strings.ReplaceAll(*condition, " OR ", " AND "), " AND ") {
		ok, err := meetsOne(term, names, values, row)
		if err != nil {
			return false, err
		}
		if or {
			result = result || ok
		} else {
			result = result && ok
		}
	}
	return result, nil
}

func meetsOne(term string, names map[string]string, values, row item) (bool, error) {
	for _, f := range []string{"attribute_not_exists(", "attribute_exists("} {
		if inner, ok := strings.CutPrefix(term, f); ok {
			name, err := resolve(strings.TrimSuffix(inner, ")"), names)
			_, there := row[name]
			return there == (f == "attribute_exists("), err
		}
	}
	part := strings.Fields(term)
	if len(part) != 3 || values[part[2]] == nil {
		return false, fmt.Errorf("ValidationException: condition %q", term)
	}
	name, err := resolve(part[0], names)
	if err != nil || row[name] == nil {
		return false, err
	}
	have, want := scalar(row[name]), scalar(values[part[2]])
	switch part[1] {
	case "=":
		return have == want, nil
	case "<=":
		return have <= want, nil
	case ">=":
		return have >= want, nil
	}
	return false, fmt.Errorf("ValidationException: operator %q", part[1])
}

func (r *rows) GetItem(ctx context.Context, in *dynamodb.GetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return &dynamodb.GetItemOutput{Item: maps.Clone(r.items[r.id(in.Key)])}, ctx.Err()
}

func refuse(row item, answer types.ReturnValuesOnConditionCheckFailure) error {
	refused := &types.ConditionalCheckFailedException{}
	if answer == types.ReturnValuesOnConditionCheckFailureAllOld {
		refused.Item = maps.Clone(row)
	}
	return fmt.Errorf("operation error DynamoDB: %w", refused)
}

func (r *rows) PutItem(_ context.Context, in *dynamodb.PutItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	id := r.id(in.Item)
	ok, err := meets(in.ConditionExpression, in.ExpressionAttributeNames, in.ExpressionAttributeValues, r.items[id])
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, refuse(r.items[id], in.ReturnValuesOnConditionCheckFailure)
	}
	r.items[id] = maps.Clone(in.Item)
	return &dynamodb.PutItemOutput{}, nil
}

func (r *rows) DeleteItem(_ context.Context, in *dynamodb.DeleteItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	id := r.id(in.Key)
	ok, err := meets(in.ConditionExpression, in.ExpressionAttributeNames, in.ExpressionAttributeValues, r.items[id])
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, refuse(r.items[id], in.ReturnValuesOnConditionCheckFailure)
	}
	delete(r.items, id)
	return &dynamodb.DeleteItemOutput{}, nil
}

// TransactWriteItems writes all, or nothing and says of each why.
func (r *rows) TransactWriteItems(_ context.Context, in *dynamodb.TransactWriteItemsInput, _ ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	cancelled := &types.TransactionCanceledException{}
	failed := false
	var do []func()
	seen := map[string]bool{}
	for _, x := range in.TransactItems {
		var id string
		var ok bool
		var err error
		switch {
		case x.Put != nil:
			id = r.id(x.Put.Item)
			ok, err = meets(x.Put.ConditionExpression, x.Put.ExpressionAttributeNames, x.Put.ExpressionAttributeValues, r.items[id])
			do = append(do, func() { r.items[id] = maps.Clone(x.Put.Item) })
		case x.Delete != nil:
			id = r.id(x.Delete.Key)
			ok, err = meets(x.Delete.ConditionExpression, x.Delete.ExpressionAttributeNames, x.Delete.ExpressionAttributeValues, r.items[id])
			do = append(do, func() { delete(r.items, id) })
		case x.ConditionCheck != nil:
			id = r.id(x.ConditionCheck.Key)
			ok, err = meets(x.ConditionCheck.ConditionExpression, x.ConditionCheck.ExpressionAttributeNames, x.ConditionCheck.ExpressionAttributeValues, r.items[id])
		}
		if err == nil && seen[id] {
			err = fmt.Errorf("ValidationException: two operations on one item")
		}
		if err != nil {
			return nil, err
		}
		seen[id] = true
		code := "None"
		if !ok {
			code, failed = "ConditionalCheckFailed", true
		}
		cancelled.CancellationReasons = append(cancelled.CancellationReasons, types.CancellationReason{Code: &code})
	}
	if failed {
		return nil, fmt.Errorf("operation error DynamoDB: %w", cancelled)
	}
	for _, f := range do {
		f()
	}
	return &dynamodb.TransactWriteItemsOutput{}, nil
}

func (r *rows) Query(_ context.Context, in *dynamodb.QueryInput, _ ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if in.IndexName != nil && aws.ToBool(in.ConsistentRead) {
		return nil, fmt.Errorf("ValidationException: an index is not read consistently")
	}
	var ids []string
	for id, row := range r.items {
		ok, err := meets(in.KeyConditionExpression, in.ExpressionAttributeNames, in.ExpressionAttributeValues, row)
		if err != nil {
			return nil, err
		}
		if ok {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	if in.ScanIndexForward != nil && !*in.ScanIndexForward {
		slices.Reverse(ids)
	}
	if in.ExclusiveStartKey != nil {
		ids = ids[slices.Index(ids, scalar(in.ExclusiveStartKey["after"]))+1:]
	}
	size := r.page
	if in.Limit != nil {
		size = min(size, int(*in.Limit))
	}
	out := &dynamodb.QueryOutput{}
	for _, id := range ids[:min(size, len(ids))] {
		out.Items = append(out.Items, maps.Clone(r.items[id]))
	}
	if n := len(out.Items); n < len(ids) {
		out.LastEvaluatedKey = item{"after": &types.AttributeValueMemberS{Value: ids[n-1]}}
	}
	return out, nil
}

func TestLedger(t *testing.T) {
	ledgertest.Store(t, func(*testing.T) ledger.Store { return dynamo.NewLedger(newRows("chain", "number"), "ledger") })
}

func TestApprovals(t *testing.T) {
	approvaltest.Store(t, func(*testing.T) approval.Store { return dynamo.NewApprovals(newRows("id"), "changes") })
}

func TestLeases(t *testing.T) {
	l, ctx := dynamo.NewLeases(newRows("id"), "changes"), context.Background()
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	take := func(owner string, now, until int, want string) {
		t.Helper()
		if got, err := l.Take(ctx, "k", owner, at(now), at(until)); err != nil || got != want {
			t.Errorf("%s at %d: %q %v, want %q", owner, now, got, err, want)
		}
	}
	take("a", 0, 10, "a")
	take("b", 5, 15, "a")
	take("a", 6, 20, "a")
	take("b", 19, 30, "a")
	take("b", 20, 30, "b")
	for _, owner := range []string{"a", "b"} {
		if err := l.Drop(ctx, "k", owner); err != nil {
			t.Fatal(err)
		}
		take("c", 21, 22, cmp.Or(map[string]string{"a": "b"}[owner], "c"))
	}
}
