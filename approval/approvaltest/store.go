// Package approvaltest holds a store of requests for approval to its contract,
// whichever backend it has.
package approvaltest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/approval"
	"plumbline/finding"
)

// Store runs the contract of approval.Store; open gives an empty one.
func Store(t *testing.T, open func(t *testing.T) approval.Store) {
	ctx := context.Background()
	request := func(id, plan string) approval.Stored {
		return approval.Stored{Request: approval.Request{
			ID: id, Plan: plan, Rule: "r", Severity: finding.High, Resource: finding.Resource{LogicalID: "<R>"}, Execution: "x", Requester: "ann", Groups: []string{"g"},
			Asked: time.Unix(1, 0).UTC(), Expires: time.Unix(100, 0).UTC(), State: approval.Waiting, Token: "secret",
			Decisions: []approval.Decision{{By: "bob", Approve: true, Reason: "ä", At: time.Unix(2, 0).UTC()}},
		}}
	}
	t.Run("kept as it was", func(t *testing.T) {
		s := open(t)
		want := request("1", "p")
		if err := s.Add(ctx, want); err != nil {
			t.Fatal(err)
		}
		got, err := s.Find(ctx, "1")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		if _, err := s.Find(ctx, "2"); !errors.Is(err, approval.ErrUnknown) {
			t.Errorf("an unknown id: %v", err)
		}
	})
	t.Run("one of a plan waits", func(t *testing.T) {
		s := open(t)
		if err := s.Add(ctx, request("1", "p")); err != nil {
			t.Fatal(err)
		}
		for _, r := range []approval.Stored{request("1", "q"), request("2", "p")} {
			if err := s.Add(ctx, r); !errors.Is(err, approval.ErrConflict) {
				t.Errorf("%s of %s: %v", r.ID, r.Plan, err)
			}
		}
		r := request("1", "p")
		r.State = approval.Withdrawn
		if err := s.Save(ctx, r); err != nil {
			t.Fatal(err)
		}
		if err := s.Add(ctx, request("2", "p")); err != nil {
			t.Errorf("after the first was withdrawn: %v", err)
		}
	})
	t.Run("a version is saved once", func(t *testing.T) {
		s := open(t)
		if err := s.Add(ctx, request("1", "p")); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		saved := make(chan int, 8)
		for i := range 8 {
			wg.Go(func() {
				r := request("1", "p")
				r.State = approval.Approved
				switch err := s.Save(ctx, r); {
				case err == nil:
					saved <- i
				case !errors.Is(err, approval.ErrConflict):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if len(saved) != 1 {
			t.Errorf("%d of 8 saved one version", len(saved))
		}
		if got, err := s.Find(ctx, "1"); err != nil || got.Version != 1 {
			t.Errorf("version %d, %v", got.Version, err)
		}
	})
	t.Run("open are those that wait or were not told", func(t *testing.T) {
		s := open(t)
		for i, state := range []approval.State{approval.Waiting, approval.Approved, approval.Denied} {
			r := request(string(rune('1'+i)), string(rune('p'+i)))
			if err := s.Add(ctx, r); err != nil {
				t.Fatal(err)
			}
			if r.State = state; state != approval.Waiting {
				r.Told = state == approval.Denied
				if err := s.Save(ctx, r); err != nil {
					t.Fatal(err)
				}
			}
		}
		var got []string
		for r, err := range s.Open(ctx) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, r.ID)
		}
		if diff := cmp.Diff([]string{"1", "2"}, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}
