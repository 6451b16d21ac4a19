package ledger_test

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/ledger"
)

type anchors struct {
	list []ledger.Anchor
	fail error
}

func (a *anchors) Keep(_ context.Context, x ledger.Anchor) error {
	if a.fail == nil {
		a.list = append(a.list, x)
	}
	return a.fail
}

func (a *anchors) All(context.Context) iter.Seq2[ledger.Anchor, error] {
	return func(yield func(ledger.Anchor, error) bool) {
		for _, x := range a.list {
			if !yield(x, nil) {
				return
			}
		}
	}
}

// TestAnchor: each day the newest entry, once; a ledger that was computed anew
// is found by what was anchored, and not anchored.
func TestAnchor(t *testing.T) {
	clock := time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)
	l, kept, ctx := &ledger.Ledger{Store: &ledger.Memory{}, Now: func() time.Time { return clock }}, &anchors{}, context.Background()
	day := func(want bool) {
		t.Helper()
		clock = clock.Add(24 * time.Hour)
		if _, done, err := l.Anchor(ctx, kept, "schedule"); done != want || err != nil {
			t.Fatalf("anchored %v, want %v: %v", done, want, err)
		}
	}
	record := func() {
		t.Helper()
		if _, err := l.Append(ctx, ledger.Decided, "p", "bob", nil); err != nil {
			t.Fatal(err)
		}
	}
	day(false) // empty
	record()
	record()
	day(true)
	day(false) // nothing new
	record()
	kept.fail = errors.New("access denied")
	if _, _, err := l.Anchor(ctx, kept, "schedule"); err == nil || !strings.Contains(err.Error(), "entry 4") {
		t.Errorf("an anchor that is not kept: %v", err)
	}
	kept.fail = nil
	day(true)
	clock = clock.Add(ledger.AnchorEvery)
	day(true) // so that one is always locked
	var seqs []int64
	for _, a := range kept.list {
		seqs = append(seqs, a.Seq)
	}
	if diff := cmp.Diff([]int64{2, 4, 5}, seqs); diff != "" {
		t.Errorf("anchored (-want +got)\n%s", diff)
	}
	if n, err := l.Check(ctx, kept); n != 6 || err != nil {
		t.Errorf("%d entries, %v", n, err)
	}

	forged := &ledger.Ledger{Store: &ledger.Memory{}, Now: l.Now}
	for range 6 {
		if _, err := forged.Append(ctx, ledger.Decided, "p", "eve", nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := forged.Anchor(ctx, kept, "schedule"); !ledger.Broken(err) || len(kept.list) != 3 {
		t.Errorf("a ledger that was computed anew: %v", err)
	}
	shorter := &ledger.Ledger{Store: &ledger.Memory{}}
	if _, err := shorter.Check(ctx, kept); !ledger.Broken(err) {
		t.Errorf("a ledger that lost its end: %v", err)
	}
	kept.list = append(kept.list, ledger.Anchor{Seq: 2, Hash: strings.Repeat("0", 64)})
	if _, err := l.Check(ctx, kept); !ledger.Broken(err) {
		t.Errorf("two anchors of one entry: %v", err)
	}
}

func TestAnchorNames(t *testing.T) {
	a := ledger.Anchor{Seq: 41, Hash: strings.Repeat("ab", 32)}
	if got, ok := ledger.ParseAnchor(a.Name()); !ok || got != a {
		t.Errorf("%q reads as %v", a.Name(), got)
	}
	for _, name := range []string{"", "x", a.Name() + ".json", strings.ToUpper(a.Name()), ledger.Anchor{Hash: a.Hash}.Name()} {
		if got, ok := ledger.ParseAnchor(name); ok {
			t.Errorf("%q reads as %v", name, got)
		}
	}
}

// TestAnchorOfMany: a long ledger is verified from an anchor on, which must
// still be what it was, and no entry after it is taken on trust.
func TestAnchorOfMany(t *testing.T) {
	ctx := context.Background()
	long := func() *counting {
		c := &counting{}
		l := &ledger.Ledger{Store: &c.Memory}
		for range ledger.AllOf + 60 {
			if _, err := l.Append(ctx, ledger.Decided, "p", "bob", nil); err != nil {
				t.Fatal(err)
			}
		}
		return c
	}
	c := long()
	hash := func(seq int64) string {
		for e, err := range c.Memory.Entries(ctx, seq) {
			if err != nil {
				t.Fatal(err)
			}
			return e.Hash
		}
		return ""
	}
	kept := &anchors{list: []ledger.Anchor{{Seq: 20, Hash: hash(20)}, {Seq: 50, Hash: hash(50)}, {Seq: 1000, Hash: hash(1000)}}}
	if _, done, err := (&ledger.Ledger{Store: c}).Anchor(ctx, kept, "schedule"); !done || err != nil || c.from != 50 {
		t.Errorf("anchored %v, verified from %d: %v", done, c.from, err)
	}
	kept.list[1].Hash = hash(51) // the entry is no longer the one that was anchored
	if _, _, err := (&ledger.Ledger{Store: c}).Anchor(ctx, kept, "schedule"); !ledger.Broken(err) {
		t.Errorf("another entry under an anchor: %v", err)
	}
	kept.list[1].Hash = hash(50)
	kept.list[2].Hash = hash(999)
	if _, _, err := (&ledger.Ledger{Store: c}).Anchor(ctx, kept, "schedule"); !ledger.Broken(err) {
		t.Errorf("another entry under a later anchor: %v", err)
	}
	if _, err := (&ledger.Ledger{Store: c}).Check(ctx, kept); c.from != 1 || !ledger.Broken(err) {
		t.Errorf("Check begins at %d: %v", c.from, err)
	}
}

// counting is a store that notes from where it was read.
type counting struct {
	ledger.Memory
	from int64
}

func (c *counting) Entries(ctx context.Context, from int64) iter.Seq2[ledger.Entry, error] {
	c.from = from
	return c.Memory.Entries(ctx, from)
}
