// Package ledgertest holds a ledger's store to its contract, whichever backend
// it has.
package ledgertest

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"plumbline/ledger"
)

// Store runs the contract of ledger.Store; open gives an empty one.
func Store(t *testing.T, open func(t *testing.T) ledger.Store) {
	ctx := context.Background()
	t.Run("empty", func(t *testing.T) {
		s := open(t)
		if last, err := s.Last(ctx); err != nil || last.Seq != 0 {
			t.Errorf("the last of none: %+v, %v", last, err)
		}
		if n, err := ledger.Verify(s.Entries(ctx, 1), nil); n != 0 || err != nil {
			t.Errorf("verify: %d, %v", n, err)
		}
	})
	t.Run("kept as they were", func(t *testing.T) {
		s := open(t)
		l := &ledger.Ledger{Store: s, Now: func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 678_900_000, time.FixedZone("", 3600)) }}
		var want []ledger.Entry
		for i, kind := range []ledger.Kind{ledger.Asked, ledger.Decided, ledger.Applied} {
			e, err := l.Append(ctx, kind, "plan-"+strconv.Itoa(i%2), "ann@example.com", map[string]any{"reason": "<ä>", "n": i})
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, e)
		}
		i := 0
		for e, err := range s.Entries(ctx, 1) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Hash != want[i].Hash || e.Sum() != e.Hash || !e.Time.Equal(want[i].Time) {
				t.Errorf("entry %d came back as %+v, not %+v", i+1, e, want[i])
			}
			i++
		}
		if i != 3 {
			t.Errorf("%d entries", i)
		}
		var seqs []int64
		for e, err := range s.OfPlan(ctx, "plan-0") {
			if err != nil {
				t.Fatal(err)
			}
			seqs = append(seqs, e.Seq)
		}
		if len(seqs) != 2 || seqs[0] != 1 || seqs[1] != 3 {
			t.Errorf("entries of a plan: %v", seqs)
		}
		if n, err := ledger.Verify(s.Entries(ctx, 1), map[int64]string{2: want[1].Hash}); n != 3 || err != nil {
			t.Errorf("verify: %d, %v", n, err)
		}
	})
	t.Run("a number is given once", func(t *testing.T) {
		s := open(t)
		e := ledger.Entry{Seq: 1, Time: time.Unix(0, 0).UTC(), Kind: ledger.Asked, Detail: []byte("{}")}
		if err := s.Append(ctx, e); err != nil {
			t.Fatal(err)
		}
		for _, seq := range []int64{1, 3} {
			if e.Seq = seq; !errors.Is(s.Append(ctx, e), ledger.ErrMoved) {
				t.Errorf("entry %d was taken after entry 1", seq)
			}
		}
	})
	t.Run("many writers", func(t *testing.T) {
		s := open(t)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				l := &ledger.Ledger{Store: s}
				for range 5 {
					if _, err := l.Append(ctx, ledger.Started, "p", "workflow", nil); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if n, err := ledger.Verify(s.Entries(ctx, 1), nil); n != 20 || err != nil {
			t.Errorf("verify: %d, %v", n, err)
		}
	})
}
