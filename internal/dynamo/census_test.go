package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"plumbline/finding"
	"plumbline/internal/dynamo"
)

// Scan hands out the rows in pages, in the order of their keys.
func (t *table) Scan(ctx context.Context, in *dynamodb.ScanInput, _ ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.begin(ctx); err != nil {
		return nil, err
	}
	ids := slices.Sorted(maps.Keys(t.items))
	if in.ExclusiveStartKey != nil {
		from, err := t.id(in.ExclusiveStartKey)
		if err != nil {
			return nil, err
		}
		at, _ := slices.BinarySearch(ids, from)
		ids = ids[at+1:]
	}
	out := &dynamodb.ScanOutput{}
	for _, id := range ids[:min(len(ids), t.page)] {
		out.Items = append(out.Items, maps.Clone(t.items[id]))
	}
	if len(ids) > t.page {
		last := out.Items[len(out.Items)-1]
		out.LastEvaluatedKey = item{t.hash: last[t.hash], t.sort: last[t.sort]}
	}
	return out, nil
}

func TestCensus(t *testing.T) {
	db := findings()
	db.page = 3
	s := dynamo.NewFindings(db, "findings")
	for i := range 10 {
		r := record()
		r.Resource.LogicalID = fmt.Sprint("R", i)
		put(t, s, r)
	}
	c := dynamo.NewCensus(db, "findings")
	seen := map[string]bool{}
	for r, err := range c.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		seen[r.Resource.LogicalID] = true
	}
	if len(seen) != 10 {
		t.Errorf("%d of 10 rows", len(seen))
	}
	db.fail = &types.ProvisionedThroughputExceededException{}
	for _, err := range c.All(t.Context()) {
		if !errors.Is(err, finding.ErrThrottled) {
			t.Errorf("error = %v", err)
		}
	}
}
