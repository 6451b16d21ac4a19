package dynamo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"plumbline/approval"
)

// ChangesClient is what Leases and Approvals call of DynamoDB; *dynamodb.Client is one.
type ChangesClient interface {
	LedgerClient
	GetItem(ctx context.Context, in *dynamodb.GetItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	PutItem(ctx context.Context, in *dynamodb.PutItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	DeleteItem(ctx context.Context, in *dynamodb.DeleteItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error)
}

// OpenRequests is the index of requests that wait or whose workflow has not been
// told, by open and id; no other row has the attribute open.
const OpenRequests = "open-requests"

// Attributes of the table of changes. The key is id alone: of a lease, of a
// request, and of the plan that a request waits for.
const (
	attrOwner   = "owner"
	attrUntil   = "until" // of a lease, Unix milliseconds
	attrOpen    = "open"
	attrVersion = "version"
	attrToken   = "token"
	attrRequest = "request" // JSON, or the id of the request that waits for the plan

	leaseID   = "lease#"
	requestID = "request#"
	waitingID = "waiting#"
	isOpen    = "yes"
)

// Leases are live.Leases in the table of changes. Safe for concurrent use.
type Leases struct {
	client ChangesClient
	table  string
}

// NewLeases returns the leases in the table of this name.
func NewLeases(c ChangesClient, table string) *Leases { return &Leases{c, table} }

// Take is live.Leases'.
func (l *Leases) Take(ctx context.Context, key, owner string, now, until time.Time) (string, error) {
	x := newExpression()
	check := "attribute_not_exists(" + x.name(attrID) + ") OR " + x.name(attrOwner) + " = " + x.value(text(owner)) + " OR " + x.name(attrUntil) + " <= " + x.value(number(now.UnixMilli()))
	_, err := l.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &l.table, Item: map[string]types.AttributeValue{
			attrID: text(leaseID + key), attrOwner: text(owner), attrUntil: number(until.UnixMilli()), attrExpires: seconds(until.Add(24 * time.Hour)),
		},
		ConditionExpression: &check, ExpressionAttributeNames: x.names, ExpressionAttributeValues: x.values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	var refused *types.ConditionalCheckFailedException
	if errors.As(err, &refused) {
		if s, ok := refused.Item[attrOwner].(*types.AttributeValueMemberS); ok {
			return s.Value, nil
		}
		return "", nil
	}
	return owner, explainTable("write to", l.table, err)
}

// Drop is live.Leases'.
func (l *Leases) Drop(ctx context.Context, key, owner string) error {
	x := newExpression()
	check := x.name(attrOwner) + " = " + x.value(text(owner))
	_, err := l.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &l.table, Key: map[string]types.AttributeValue{attrID: text(leaseID + key)},
		ConditionExpression: &check, ExpressionAttributeNames: x.names, ExpressionAttributeValues: x.values,
	})
	if errors.As(err, new(*types.ConditionalCheckFailedException)) {
		return nil // it is another's, or nobody's
	}
	return explainTable("delete from", l.table, err)
}

// Approvals is an approval.Store in the table of changes. Safe for concurrent use.
type Approvals struct {
	client ChangesClient
	table  string
}

// NewApprovals returns the requests in the table of this name.
func NewApprovals(c ChangesClient, table string) *Approvals { return &Approvals{c, table} }

func (a *Approvals) row(r approval.Stored) (map[string]types.AttributeValue, error) {
	src, err := json.Marshal(r.Request)
	if err != nil {
		return nil, fmt.Errorf("encode request: %w", err)
	}
	row := map[string]types.AttributeValue{attrID: text(requestID + r.ID), attrVersion: number(r.Version), attrRequest: text(string(src))}
	if r.Token != "" {
		row[attrToken] = text(r.Token)
	}
	if r.State == approval.Waiting || !r.Told {
		row[attrOpen] = text(isOpen)
	}
	return row, nil
}

// Add is approval.Store's.
func (a *Approvals) Add(ctx context.Context, r approval.Stored) error {
	row, err := a.row(r)
	if err != nil {
		return err
	}
	free := func(row map[string]types.AttributeValue) types.TransactWriteItem {
		x := newExpression()
		check := "attribute_not_exists(" + x.name(attrID) + ")"
		return types.TransactWriteItem{Put: &types.Put{TableName: &a.table, Item: row, ConditionExpression: &check, ExpressionAttributeNames: x.names}}
	}
	items := []types.TransactWriteItem{free(row)}
	if r.State == approval.Waiting {
		items = append(items, free(map[string]types.AttributeValue{attrID: text(waitingID + r.Plan), attrRequest: text(r.ID)}))
	}
	return a.transact(ctx, items)
}

func (a *Approvals) transact(ctx context.Context, items []types.TransactWriteItem) error {
	_, err := a.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: items})
	if collided(err) {
		return approval.ErrConflict
	}
	return explainTable("write to", a.table, err)
}

// Find is approval.Store's.
func (a *Approvals) Find(ctx context.Context, id string) (approval.Stored, error) {
	out, err := a.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &a.table, ConsistentRead: aws.Bool(true), Key: map[string]types.AttributeValue{attrID: text(requestID + id)},
	})
	switch {
	case err != nil:
		return approval.Stored{}, explainTable("read", a.table, err)
	case len(out.Item) == 0:
		return approval.Stored{}, &approval.Refusal{Kind: approval.ErrUnknown, Reason: "there is no such request"}
	}
	return requestOf(out.Item)
}

func requestOf(row map[string]types.AttributeValue) (r approval.Stored, err error) {
	src, _ := row[attrRequest].(*types.AttributeValueMemberS)
	version, _ := row[attrVersion].(*types.AttributeValueMemberN)
	if src == nil || version == nil {
		return r, errors.New("a row of a request has no request or no version")
	}
	if err := json.Unmarshal([]byte(src.Value), &r.Request); err != nil {
		return r, fmt.Errorf("decode a request: %w", err)
	}
	if token, ok := row[attrToken].(*types.AttributeValueMemberS); ok {
		r.Token = token.Value
	}
	r.Version, err = strconv.ParseInt(version.Value, 10, 64)
	return r, err
}

// Save is approval.Store's.
func (a *Approvals) Save(ctx context.Context, r approval.Stored) error {
	was := r.Version
	r.Version++
	row, err := a.row(r)
	if err != nil {
		return err
	}
	x := newExpression()
	check := x.name(attrVersion) + " = " + x.value(number(was))
	items := []types.TransactWriteItem{{Put: &types.Put{TableName: &a.table, Item: row, ConditionExpression: &check, ExpressionAttributeNames: x.names, ExpressionAttributeValues: x.values}}}
	if r.State != approval.Waiting {
		mine, err := a.waits(ctx, r)
		if err != nil {
			return err
		}
		if mine {
			y := newExpression()
			own := y.name(attrRequest) + " = " + y.value(text(r.ID))
			items = append(items, types.TransactWriteItem{Delete: &types.Delete{
				TableName: &a.table, Key: map[string]types.AttributeValue{attrID: text(waitingID + r.Plan)},
				ConditionExpression: &own, ExpressionAttributeNames: y.names, ExpressionAttributeValues: y.values,
			}})
		}
	}
	return a.transact(ctx, items)
}

// waits reports whether the request is the one that the plan waits for.
func (a *Approvals) waits(ctx context.Context, r approval.Stored) (bool, error) {
	out, err := a.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &a.table, ConsistentRead: aws.Bool(true), Key: map[string]types.AttributeValue{attrID: text(waitingID + r.Plan)},
	})
	if err != nil {
		return false, explainTable("read", a.table, err)
	}
	s, ok := out.Item[attrRequest].(*types.AttributeValueMemberS)
	return ok && s.Value == r.ID, nil
}

// Open is approval.Store's. The index may be a moment behind: who acts on what
// it gives does so by version.
func (a *Approvals) Open(ctx context.Context) iter.Seq2[approval.Stored, error] {
	return func(yield func(approval.Stored, error) bool) {
		x := newExpression()
		condition := x.name(attrOpen) + " = " + x.value(text(isOpen))
		in := &dynamodb.QueryInput{TableName: &a.table, IndexName: aws.String(OpenRequests), KeyConditionExpression: &condition, ExpressionAttributeNames: x.names, ExpressionAttributeValues: x.values}
		for {
			page, err := a.client.Query(ctx, in)
			if err != nil {
				yield(approval.Stored{}, explainTable("read", a.table, err))
				return
			}
			for _, row := range page.Items {
				if r, err := requestOf(row); !yield(r, err) || err != nil {
					return
				}
			}
			if in.ExclusiveStartKey = page.LastEvaluatedKey; len(in.ExclusiveStartKey) == 0 {
				return
			}
		}
	}
}
