package dynamo

import (
	"context"
	"fmt"
	"iter"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"plumbline/finding"
	"plumbline/internal/throttle"
)

// CensusClient is what Census calls of DynamoDB; *dynamodb.Client is one.
type CensusClient interface {
	Scan(ctx context.Context, in *dynamodb.ScanInput, opts ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error)
}

// Census reads the findings table as a whole, for reports that are about all of
// it and are made once a day. Safe for concurrent use.
type Census struct {
	client CensusClient
	table  string
}

// NewCensus returns the census of the table of this name.
func NewCensus(c CensusClient, table string) *Census { return &Census{client: c, table: table} }

// All yields every record, page by page, in no order.
func (c *Census) All(ctx context.Context) iter.Seq2[finding.Record, error] {
	return func(yield func(finding.Record, error) bool) {
		in := &dynamodb.ScanInput{TableName: &c.table}
		for {
			page, err := c.client.Scan(ctx, in)
			if err != nil {
				yield(finding.Record{}, fmt.Errorf("read table %q: %w", c.table, throttle.Wrap(err, finding.ErrThrottled)))
				return
			}
			for _, item := range page.Items {
				if claims(item) {
					continue
				}
				r, err := decode(item)
				if err != nil {
					yield(finding.Record{}, fmt.Errorf("read table %q: %w", c.table, err))
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
