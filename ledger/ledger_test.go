package ledger_test

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"testing"
	"time"

	"plumbline/ledger"
	"plumbline/ledger/ledgertest"
)

func TestMemory(t *testing.T) {
	ledgertest.Store(t, func(*testing.T) ledger.Store { return &ledger.Memory{} })
}

func seq(entries []ledger.Entry) iter.Seq2[ledger.Entry, error] {
	return func(yield func(ledger.Entry, error) bool) {
		for _, e := range entries {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// TestVerifyNamesTheFirstBreak: whatever is done to the entries, the first that
// does not hold is named; a chain that was computed anew needs an anchor.
func TestVerifyNamesTheFirstBreak(t *testing.T) {
	m := &ledger.Memory{}
	l := &ledger.Ledger{Store: m}
	for range 5 {
		if _, err := l.Append(context.Background(), ledger.Decided, "p", "ann", map[string]string{"decision": "no"}); err != nil {
			t.Fatal(err)
		}
	}
	var good []ledger.Entry
	for e := range m.Entries(context.Background(), 1) {
		good = append(good, e)
	}
	anchors := map[int64]string{4: good[3].Hash}
	anew := func(list []ledger.Entry) []ledger.Entry {
		for i := range list {
			if i > 0 {
				list[i].Prev = list[i-1].Hash
			}
			list[i].Hash = list[i].Sum()
		}
		return list
	}
	for _, row := range []struct {
		name    string
		change  func([]ledger.Entry) []ledger.Entry
		anchors map[int64]string
		breaks  int64 // 0: it holds
	}{
		{"nothing", func(l []ledger.Entry) []ledger.Entry { return l }, anchors, 0},
		{"a decision", func(l []ledger.Entry) []ledger.Entry { l[2].Detail = json.RawMessage(`{"decision":"yes"}`); return l }, nil, 3},
		{"who", func(l []ledger.Entry) []ledger.Entry { l[0].Actor = "bob"; return l }, nil, 1},
		{"when", func(l []ledger.Entry) []ledger.Entry { l[1].Time = l[1].Time.Add(time.Millisecond); return l }, nil, 2},
		{"one entry with its hash", func(l []ledger.Entry) []ledger.Entry { l[2].Actor = "bob"; l[2].Hash = l[2].Sum(); return l }, nil, 4},
		{"one taken out", func(l []ledger.Entry) []ledger.Entry { return slices.Delete(l, 1, 2) }, nil, 2},
		{"the end cut off", func(l []ledger.Entry) []ledger.Entry { return l[:3] }, anchors, 4},
		{"all computed anew, without an anchor", func(l []ledger.Entry) []ledger.Entry { l[1].Actor = "bob"; return anew(l) }, nil, 0},
		{"all computed anew", func(l []ledger.Entry) []ledger.Entry { l[1].Actor = "bob"; return anew(l) }, anchors, 4},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := ledger.Verify(seq(row.change(slices.Clone(good))), row.anchors)
			var b *ledger.Break
			switch {
			case row.breaks == 0 && err != nil:
				t.Errorf("error %v", err)
			case row.breaks != 0 && (!errors.As(err, &b) || b.Seq != row.breaks):
				t.Errorf("error %v, want a break at entry %d", err, row.breaks)
			}
		})
	}
}
