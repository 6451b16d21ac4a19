package dynamo_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"plumbline/finding"
	"plumbline/internal/dynamo"
)

// dying ends a writer's calls from a number on.
type dying struct {
	*table
	left int
}

func (d *dying) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	if d.left--; d.left < 0 {
		return nil, errors.New("the function died")
	}
	return d.table.UpdateItem(ctx, in, opts...)
}

// TestAClaimWithoutItsRow: a scan that died between claim and row holds up no
// other, which keeps the day on which the violation was first seen.
func TestAClaimWithoutItsRow(t *testing.T) {
	db := &dying{table: findings(), left: 1}
	s := dynamo.NewFindings(db, "findings")
	if err := s.Put(t.Context(), []finding.Record{record()}); err == nil {
		t.Fatal("no error")
	}
	db.left = 100
	later := record()
	later.FirstSeen, later.LastSeen, later.Due = start.Add(time.Hour), start.Add(time.Hour), start.Add(49*time.Hour)
	put(t, s, later)
	n := 0
	for r, err := range s.History(t.Context(), later.ResourceID()) {
		if n++; err != nil || !r.FirstSeen.Equal(start) || !r.Due.Equal(start.Add(48*time.Hour)) {
			t.Errorf("%v, due %v, %v", r.FirstSeen, r.Due, err)
		}
	}
	if n != 1 {
		t.Errorf("%d rows", n)
	}
}

// TestClaims: a claim is of no index and expires; what is no longer new costs none.
func TestClaims(t *testing.T) {
	db := findings()
	s := dynamo.NewFindings(db, "findings")
	seen := record()
	seen.LastSeen = start.Add(time.Hour)
	put(t, s, seen)
	if len(db.items) != 1 {
		t.Errorf("%d items of a violation that was known", len(db.items))
	}
	put(t, s, record())
	for id, row := range db.items {
		if !strings.HasPrefix(id, "first/") {
			continue
		}
		for _, name := range []string{"stack", "openSeverity", "age", "position", "record"} {
			if _, ok := row[name]; ok {
				t.Errorf("a claim has the attribute %s", name)
			}
		}
		if _, ok := row["expiresAt"]; !ok {
			t.Error("a claim never expires")
		}
	}
	if len(db.items) != 2 {
		t.Errorf("%d items", len(db.items))
	}
	n := 0
	for range dynamo.NewCensus(db, "findings").All(t.Context()) {
		n++
	}
	if n != 1 {
		t.Errorf("the census has %d rows", n)
	}
}
