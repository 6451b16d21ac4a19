package ledgertest

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/ledger"
)

// Anchors runs the contract of ledger.Anchors on an empty store.
func Anchors(t *testing.T, a ledger.Anchors) {
	t.Helper()
	ctx := context.Background()
	all := func() []ledger.Anchor {
		t.Helper()
		var out []ledger.Anchor
		for x, err := range a.All(ctx) {
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, x)
		}
		slices.SortFunc(out, func(x, y ledger.Anchor) int { return strings.Compare(x.Name(), y.Name()) })
		return slices.Compact(out)
	}
	if got := all(); len(got) != 0 {
		t.Errorf("an empty store has %v", got)
	}
	want := []ledger.Anchor{{Seq: 2, Hash: strings.Repeat("b", 64)}, {Seq: 2, Hash: strings.Repeat("c", 64)}, {Seq: 11, Hash: strings.Repeat("a", 64)}}
	for _, x := range append(slices.Clone(want), want[0]) { // one again, which is no error
		if err := a.Keep(ctx, x); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want, all()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for range a.All(ctx) {
		break
	}
}
