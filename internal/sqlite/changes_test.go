package sqlite_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"plumbline/approval"
	"plumbline/approval/approvaltest"
	"plumbline/internal/sqlite"
	"plumbline/ledger"
	"plumbline/ledger/ledgertest"
)

func openChanges(t *testing.T) *sqlite.Changes {
	t.Helper()
	c, err := sqlite.OpenChanges(context.Background(), filepath.Join(t.TempDir(), "changes.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func TestLedger(t *testing.T) {
	ledgertest.Store(t, func(t *testing.T) ledger.Store { return openChanges(t) })
}

func TestApprovals(t *testing.T) {
	approvaltest.Store(t, func(t *testing.T) approval.Store { return openChanges(t).Approvals() })
}

func TestLeases(t *testing.T) {
	c, ctx := openChanges(t), context.Background()
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	for _, step := range []struct {
		owner      string
		now, until int
		want       string
	}{{"a", 0, 10, "a"}, {"b", 5, 15, "a"}, {"a", 6, 20, "a"}, {"b", 19, 30, "a"}, {"b", 20, 30, "b"}} {
		if got, err := c.Take(ctx, "k", step.owner, at(step.now), at(step.until)); err != nil || got != step.want {
			t.Errorf("%s at %d: %q %v, want %q", step.owner, step.now, got, err, step.want)
		}
	}
	for _, owner := range []string{"a", "b"} {
		if err := c.Drop(ctx, "k", owner); err != nil {
			t.Fatal(err)
		}
		got, err := c.Take(ctx, "k", "c", at(21), at(22))
		if want := map[string]string{"a": "b", "b": "c"}[owner]; err != nil || got != want {
			t.Errorf("after %s gave it back: %q %v, want %q", owner, got, err, want)
		}
	}
}
