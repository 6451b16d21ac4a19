// Package dynamo keeps the findings table and the ids of events in DynamoDB:
// the backends of both on AWS. What is written is written by condition, so that
// neither a repeated nor a late scan moves anything back.
package dynamo

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"plumbline/finding"
	"plumbline/internal/throttle"
)

// FindingsClient is what Findings calls of DynamoDB; *dynamodb.Client is one.
type FindingsClient interface {
	Query(ctx context.Context, in *dynamodb.QueryInput, opts ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
}

// Findings is the findings table. Safe for concurrent use.
type Findings struct {
	client FindingsClient
	table  string
}

// NewFindings returns the findings table of this name.
func NewFindings(c FindingsClient, table string) *Findings { return &Findings{client: c, table: table} }

const (
	// writers is how many rows are written at once: enough for a stack's changes
	// within seconds, few enough for a table on demand that was idle.
	writers = 8
	// attempts is how often a row is written again because another scan wrote it
	// in between. More than a few means that something writes it without end.
	attempts = 100
)

// Put writes the records as finding.Merge says. DynamoDB's transactions take
// 100 rows, a scan's changes may be more: a batch that fails is written in
// part, and whole once it is put again.
func (f *Findings) Put(ctx context.Context, records []finding.Record) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		wg     sync.WaitGroup
		once   sync.Once
		failed error
	)
	queue := make(chan finding.Record)
	for range min(writers, len(records)) {
		wg.Go(func() {
			for r := range queue {
				if err := f.put(ctx, r); err != nil {
					once.Do(func() { failed = err; cancel() })
				}
			}
		})
	}
	for _, r := range records {
		if ctx.Err() != nil {
			break
		}
		queue <- r
	}
	close(queue)
	wg.Wait()
	if failed != nil {
		return failed
	}
	return ctx.Err()
}

// put writes one row, under the key of its life. Most are new, so it is written
// on the condition that there is none; else DynamoDB answers with the row that is there, and what
// both come to is written on the condition that it still is.
func (f *Findings) put(ctx context.Context, r finding.Record) error {
	if r.First() {
		first, err := f.life(ctx, r)
		if err != nil {
			return f.explain("write to", err)
		}
		r = r.Since(first)
	}
	next, condition := r.Clean(), expectNothing()
	for range attempts {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := f.update(ctx, next, condition)
		var taken *types.ConditionalCheckFailedException
		if !errors.As(err, &taken) {
			return f.explain("write to", err)
		}
		if len(taken.Item) == 0 { // it expired between the two
			next, condition = r.Clean(), expectNothing()
			continue
		}
		old, err := decode(taken.Item)
		if err != nil {
			return f.explain("write to", err)
		}
		next = finding.Merge(old, r)
		if same, err := equal(old, next); same || err != nil {
			return err
		}
		condition = expect(taken.Item)
	}
	return fmt.Errorf("write to table %q: row %q of %q changed %d times meanwhile: %w", f.table, r.SortKey(), r.ResourceID(), attempts, finding.ErrThrottled)
}

func (f *Findings) update(ctx context.Context, r finding.Record, c condition) error {
	set, remove, err := encode(r)
	if err != nil {
		return err
	}
	e := newExpression()
	var sets, removes []string
	for _, a := range set {
		sets = append(sets, e.name(a.name)+" = "+e.value(a.value))
	}
	for _, name := range remove {
		removes = append(removes, e.name(name))
	}
	text := "SET " + strings.Join(sets, ", ")
	if len(removes) > 0 {
		text += " REMOVE " + strings.Join(removes, ", ")
	}
	check := c(e)
	_, err = f.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                           &f.table,
		Key:                                 key(r),
		UpdateExpression:                    &text,
		ConditionExpression:                 &check,
		ExpressionAttributeNames:            e.names,
		ExpressionAttributeValues:           e.values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	return err
}

// OfStack yields the records of a stack, or of a template path without one, by
// resource and first seen. It reads an index, which follows the table within a
// second: what a scan of the same stack wrote just now may be missing.
func (f *Findings) OfStack(ctx context.Context, stack string) iter.Seq2[finding.Record, error] {
	return f.query(ctx, ByStack, attrStack, stack)
}

// Open yields the active records of a severity, "" for all, oldest first.
func (f *Findings) Open(ctx context.Context, severity finding.Severity) iter.Seq2[finding.Record, error] {
	if severity != "" {
		return f.query(ctx, OpenBySeverity, attrOpenSeverity, string(severity))
	}
	return func(yield func(finding.Record, error) bool) {
		var all []finding.Record
		for _, s := range finding.Severities {
			for r, err := range f.Open(ctx, s) {
				if err != nil {
					yield(finding.Record{}, err)
					return
				}
				all = append(all, r)
			}
		}
		slices.SortFunc(all, func(a, b finding.Record) int { return strings.Compare(age(a), age(b)) })
		for _, r := range all {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// History yields every record of a resource, oldest first.
func (f *Findings) History(ctx context.Context, resourceID string) iter.Seq2[finding.Record, error] {
	return f.query(ctx, "", attrResource, resourceID)
}

// query yields the items of one partition of the table, or of an index, page by page.
func (f *Findings) query(ctx context.Context, index, attribute, value string) iter.Seq2[finding.Record, error] {
	return func(yield func(finding.Record, error) bool) {
		e := newExpression()
		in := &dynamodb.QueryInput{
			TableName:              &f.table,
			KeyConditionExpression: aws.String(e.name(attribute) + " = " + e.value(text(value))),
		}
		in.ExpressionAttributeNames, in.ExpressionAttributeValues = e.names, e.values
		if index != "" {
			in.IndexName = &index
		}
		for {
			page, err := f.client.Query(ctx, in)
			if err != nil {
				yield(finding.Record{}, f.explain("read", err))
				return
			}
			for _, item := range page.Items {
				r, err := decode(item)
				if err != nil {
					yield(finding.Record{}, f.explain("read", err))
					return
				}
				if !yield(r, nil) {
					return
				}
			}
			if len(page.LastEvaluatedKey) == 0 {
				return
			}
			in.ExclusiveStartKey = page.LastEvaluatedKey
		}
	}
}

func (f *Findings) explain(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s table %q: %w", doing, f.table, throttle.Wrap(err, finding.ErrThrottled))
}
