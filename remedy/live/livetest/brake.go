package livetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/remedy/live"
)

// Brake holds a brake to its contract. Leases of the same store, which open may
// return as well, are not touched by it.
func Brake(t *testing.T, open func(t *testing.T) live.Brake) {
	t.Helper()
	b, ctx := open(t), t.Context()
	want := func(step string, want *live.Stop) {
		t.Helper()
		got, err := b.Stopped(ctx)
		if err != nil {
			t.Fatalf("%s: %v", step, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", step, diff)
		}
	}
	first := live.Stop{By: "ann", Reason: "queues were lost, \"all\" of them", At: time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)}
	want("at first", nil)
	if err := b.Resume(ctx); err != nil {
		t.Fatalf("resume what is not stopped: %v", err)
	}
	if err := b.Stop(ctx, first); err != nil {
		t.Fatal(err)
	}
	want("stopped", &first)
	if err := b.Stop(ctx, live.Stop{By: "bob", Reason: "again", At: first.At.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	want("stopped twice", &first)
	if err := b.Resume(ctx); err != nil {
		t.Fatal(err)
	}
	want("resumed", nil)
	second := live.Stop{By: "bob", Reason: "again", At: first.At.Add(time.Hour)}
	if err := b.Stop(ctx, second); err != nil {
		t.Fatal(err)
	}
	want("stopped anew", &second)
}
