package dynamo_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

type item = map[string]types.AttributeValue

// table stands in for DynamoDB: one table with its indexes, which speaks the
// part of the expression language that the adapters use and refuses the rest.
// Its pages are small, so that every reader of more than a few rows turns them.
type table struct {
	hash, sort string               // "" sort: the key is hash alone
	indexes    map[string][2]string // hash and sort
	page       int

	mu    sync.Mutex
	items map[string]item
	fail  error // where set, every call ends with it
}

// reserved are words that DynamoDB refuses in an expression unless they are
// aliased. Source: DynamoDB Developer Guide, "Reserved words", those among our names.
var reserved = []string{"timestamp", "status", "position", "stack", "record", "at"}

func (t *table) id(key item) (string, error) {
	var parts []string
	for _, name := range []string{t.hash, t.sort} {
		if name == "" {
			continue
		}
		s, ok := key[name].(*types.AttributeValueMemberS)
		if !ok || s.Value == "" {
			return "", fmt.Errorf("ValidationException: key attribute %q is missing or empty", name)
		}
		parts = append(parts, s.Value)
	}
	return strings.Join(parts, "\x00"), nil
}

func (t *table) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return t.fail
}

// resolve replaces aliases, and refuses names that would have needed one.
func resolve(token string, names map[string]string) (string, error) {
	if name, ok := names[token]; ok {
		return name, nil
	}
	if strings.HasPrefix(token, "#") || slices.Contains(reserved, strings.ToLower(token)) {
		return "", fmt.Errorf("ValidationException: %q has no alias", token)
	}
	return token, nil
}

// holds evaluates conditions that are joined with AND.
func holds(expression string, names map[string]string, values, row item) (bool, error) {
	for _, term := range strings.Split(expression, " AND ") {
		if inner, ok := strings.CutPrefix(term, "attribute_not_exists("); ok {
			name, err := resolve(strings.TrimSuffix(inner, ")"), names)
			if err != nil {
				return false, err
			}
			if _, there := row[name]; there {
				return false, nil
			}
			continue
		}
		left, right, ok := strings.Cut(term, " = ")
		if !ok {
			return false, fmt.Errorf("ValidationException: condition %q", term)
		}
		name, err := resolve(left, names)
		if err != nil {
			return false, err
		}
		want, there := values[right]
		if !there {
			return false, fmt.Errorf("ValidationException: value %q is not given", right)
		}
		if !reflect.DeepEqual(row[name], want) {
			return false, nil
		}
	}
	return true, nil
}

func (t *table) check(condition *string, names map[string]string, values, row item, answer types.ReturnValuesOnConditionCheckFailure) error {
	if condition == nil {
		return nil
	}
	ok, err := holds(*condition, names, values, row)
	if err != nil || ok {
		return err
	}
	refused := &types.ConditionalCheckFailedException{}
	if answer == types.ReturnValuesOnConditionCheckFailureAllOld {
		refused.Item = maps.Clone(row)
	}
	return fmt.Errorf("operation error DynamoDB: %w", refused)
}

func (t *table) put(id string, row item) error {
	for index, k := range t.indexes {
		for _, name := range k {
			if s, ok := row[name].(*types.AttributeValueMemberS); ok && s.Value == "" {
				return fmt.Errorf("ValidationException: %q is empty, and a key of index %q", name, index)
			}
		}
	}
	if t.items == nil {
		t.items = map[string]item{}
	}
	t.items[id] = row
	return nil
}

func (t *table) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.begin(ctx); err != nil {
		return nil, err
	}
	id, err := t.id(in.Key)
	if err != nil {
		return nil, err
	}
	row := t.items[id]
	if err := t.check(in.ConditionExpression, in.ExpressionAttributeNames, in.ExpressionAttributeValues, row, in.ReturnValuesOnConditionCheckFailure); err != nil {
		return nil, err
	}
	next := maps.Clone(row)
	if next == nil {
		next = maps.Clone(in.Key)
	}
	sets, removes, _ := strings.Cut(strings.TrimPrefix(*in.UpdateExpression, "SET "), " REMOVE ")
	for _, s := range strings.Split(sets, ", ") {
		left, right, _ := strings.Cut(s, " = ")
		name, err := resolve(left, in.ExpressionAttributeNames)
		if err != nil {
			return nil, err
		}
		value, ok := in.ExpressionAttributeValues[right]
		if !ok || name == t.hash || name == t.sort {
			return nil, fmt.Errorf("ValidationException: SET %q", s)
		}
		next[name] = value
	}
	if removes != "" {
		for _, r := range strings.Split(removes, ", ") {
			name, err := resolve(r, in.ExpressionAttributeNames)
			if err != nil {
				return nil, err
			}
			delete(next, name)
		}
	}
	return &dynamodb.UpdateItemOutput{}, t.put(id, next)
}

func (t *table) PutItem(ctx context.Context, in *dynamodb.PutItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.begin(ctx); err != nil {
		return nil, err
	}
	id, err := t.id(in.Item)
	if err != nil {
		return nil, err
	}
	if err := t.check(in.ConditionExpression, in.ExpressionAttributeNames, in.ExpressionAttributeValues, t.items[id], in.ReturnValuesOnConditionCheckFailure); err != nil {
		return nil, err
	}
	return &dynamodb.PutItemOutput{}, t.put(id, in.Item)
}

func (t *table) DeleteItem(ctx context.Context, in *dynamodb.DeleteItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.begin(ctx); err != nil {
		return nil, err
	}
	id, err := t.id(in.Key)
	delete(t.items, id)
	return &dynamodb.DeleteItemOutput{}, err
}

func (t *table) Query(ctx context.Context, in *dynamodb.QueryInput, _ ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.begin(ctx); err != nil {
		return nil, err
	}
	key := [2]string{t.hash, t.sort}
	if in.IndexName != nil {
		var ok bool
		if key, ok = t.indexes[*in.IndexName]; !ok {
			return nil, fmt.Errorf("ValidationException: no index %q", *in.IndexName)
		}
	}
	left, _, _ := strings.Cut(*in.KeyConditionExpression, " = ")
	if name, err := resolve(left, in.ExpressionAttributeNames); err != nil || name != key[0] {
		return nil, fmt.Errorf("ValidationException: %q is not the partition key: %w", name, err)
	}
	text := func(row item, name string) string {
		s, _ := row[name].(*types.AttributeValueMemberS)
		if s == nil {
			return ""
		}
		return s.Value
	}
	var ids []string
	for id, row := range t.items {
		ok, err := holds(*in.KeyConditionExpression, in.ExpressionAttributeNames, in.ExpressionAttributeValues, row)
		if err != nil {
			return nil, err
		}
		if ok && text(row, key[1]) != "" { // an index is sparse
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b string) int {
		return cmp.Or(cmp.Compare(text(t.items[a], key[1]), text(t.items[b], key[1])), cmp.Compare(a, b))
	})
	if after := text(in.ExclusiveStartKey, "after"); after != "" {
		ids = ids[slices.Index(ids, after)+1:]
	}
	out := &dynamodb.QueryOutput{}
	for _, id := range ids {
		if len(out.Items) == t.page {
			break
		}
		out.Items = append(out.Items, maps.Clone(t.items[id]))
	}
	if n := len(out.Items); n < len(ids) {
		out.LastEvaluatedKey = item{"after": &types.AttributeValueMemberS{Value: ids[n-1]}}
	}
	out.Count = int32(len(out.Items))
	return out, nil
}

// text reads a string attribute of the only row.
func (t *table) text(name string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, row := range t.rows() {
		switch v := row[name].(type) {
		case *types.AttributeValueMemberS:
			return v.Value
		case *types.AttributeValueMemberN:
			return v.Value
		}
	}
	return ""
}

func (t *table) set(name, value string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, row := range t.rows() {
		row[name] = &types.AttributeValueMemberS{Value: *aws.String(value)}
	}
}

// rows are the items but for those that claim lives.
func (t *table) rows() []item {
	var out []item
	for _, row := range t.items {
		if _, claim := row["firstSeen"]; !claim {
			out = append(out, row)
		}
	}
	return out
}
