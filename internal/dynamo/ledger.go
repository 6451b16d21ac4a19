package dynamo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"plumbline/internal/throttle"
	"plumbline/ledger"
	"plumbline/remedy/live"
)

// LedgerClient is what a Ledger calls of DynamoDB; *dynamodb.Client is one.
type LedgerClient interface {
	Query(ctx context.Context, in *dynamodb.QueryInput, opts ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, opts ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error)
}

// Attributes of the ledger's table. The key is chain and number: one chain has
// every entry, and each plan a copy of its own.
const (
	attrChain  = "chain"
	attrNumber = "number"
	attrEntry  = "entry" // JSON

	everyEntry = "changes"
	planChain  = "plan#"
)

// Ledger keeps the ledger of changes in a table that nobody may change or
// delete a row of. Safe for concurrent use.
type Ledger struct {
	client LedgerClient
	table  string
}

// NewLedger returns the ledger in the table of this name.
func NewLedger(c LedgerClient, table string) *Ledger { return &Ledger{c, table} }

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

// Append is ledger.Store's: the number must be free, and the one before taken.
func (l *Ledger) Append(ctx context.Context, e ledger.Entry) error {
	src, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode entry %d: %w", e.Seq, err)
	}
	free := func(chain string) types.TransactWriteItem {
		x := newExpression()
		check := "attribute_not_exists(" + x.name(attrChain) + ")"
		return types.TransactWriteItem{Put: &types.Put{
			TableName: &l.table, Item: map[string]types.AttributeValue{attrChain: text(chain), attrNumber: number(e.Seq), attrEntry: text(string(src))},
			ConditionExpression: &check, ExpressionAttributeNames: x.names,
		}}
	}
	in := &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{free(everyEntry)}}
	if e.Plan != "" {
		in.TransactItems = append(in.TransactItems, free(planChain+e.Plan))
	}
	if e.Seq > 1 {
		x := newExpression()
		check := "attribute_exists(" + x.name(attrChain) + ")"
		in.TransactItems = append(in.TransactItems, types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
			TableName: &l.table, Key: map[string]types.AttributeValue{attrChain: text(everyEntry), attrNumber: number(e.Seq - 1)},
			ConditionExpression: &check, ExpressionAttributeNames: x.names,
		}})
	}
	_, err = l.client.TransactWriteItems(ctx, in)
	if collided(err) {
		return ledger.ErrMoved
	}
	return l.explain("write to", err)
}

// collided reports whether a transaction was refused since a condition does not
// hold, or another transaction was at the same rows.
func collided(err error) bool {
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &cancelled) {
		return errors.As(err, new(*types.TransactionConflictException))
	}
	for _, r := range cancelled.CancellationReasons {
		if code := aws.ToString(r.Code); code == "ConditionalCheckFailed" || code == "TransactionConflict" {
			return true
		}
	}
	return false
}

// Last is ledger.Store's.
func (l *Ledger) Last(ctx context.Context) (ledger.Entry, error) {
	in := l.query(everyEntry, 0)
	in.ScanIndexForward, in.Limit = aws.Bool(false), aws.Int32(1)
	page, err := l.client.Query(ctx, in)
	if err != nil || len(page.Items) == 0 {
		return ledger.Entry{}, l.explain("read", err)
	}
	return entryOf(page.Items[0])
}

// Entries is ledger.Store's.
func (l *Ledger) Entries(ctx context.Context, from int64) iter.Seq2[ledger.Entry, error] {
	return l.entries(ctx, everyEntry, from)
}

// OfPlan is ledger.Store's.
func (l *Ledger) OfPlan(ctx context.Context, plan string) iter.Seq2[ledger.Entry, error] {
	return l.entries(ctx, planChain+plan, 0)
}

func (l *Ledger) query(chain string, from int64) *dynamodb.QueryInput {
	x := newExpression()
	condition := x.name(attrChain) + " = " + x.value(text(chain)) + " AND " + x.name(attrNumber) + " >= " + x.value(number(from))
	return &dynamodb.QueryInput{
		TableName: &l.table, ConsistentRead: aws.Bool(true), KeyConditionExpression: &condition, ExpressionAttributeNames: x.names, ExpressionAttributeValues: x.values,
	}
}

func (l *Ledger) entries(ctx context.Context, chain string, from int64) iter.Seq2[ledger.Entry, error] {
	return func(yield func(ledger.Entry, error) bool) {
		in := l.query(chain, from)
		for {
			page, err := l.client.Query(ctx, in)
			if err != nil {
				yield(ledger.Entry{}, l.explain("read", err))
				return
			}
			for _, row := range page.Items {
				if e, err := entryOf(row); !yield(e, err) || err != nil {
					return
				}
			}
			if in.ExclusiveStartKey = page.LastEvaluatedKey; len(in.ExclusiveStartKey) == 0 {
				return
			}
		}
	}
}

// entryOf reads a row: the hash covers the entry, and the row's key must agree with it.
func entryOf(row map[string]types.AttributeValue) (e ledger.Entry, err error) {
	s, ok := row[attrEntry].(*types.AttributeValueMemberS)
	if !ok {
		return e, errors.New("a row of the ledger has no entry")
	}
	if e, err = ledger.Read([]byte(s.Value)); err != nil {
		return e, err
	}
	chain, _ := row[attrChain].(*types.AttributeValueMemberS)
	n, _ := row[attrNumber].(*types.AttributeValueMemberN)
	if chain == nil || n == nil || n.Value != strconv.FormatInt(e.Seq, 10) || chain.Value != everyEntry && chain.Value != planChain+e.Plan {
		return e, &ledger.Break{Seq: e.Seq, Reason: "its row names another number or plan than the entry"}
	}
	return e, nil
}

func (l *Ledger) explain(doing string, err error) error { return explainTable(doing, l.table, err) }

// explainTable adds to an error of DynamoDB which table it is about.
func explainTable(doing, table string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s table %q: %w", doing, table, throttle.Wrap(err, live.ErrThrottled))
}
