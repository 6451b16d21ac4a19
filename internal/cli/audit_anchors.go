package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"plumbline/internal/files"
	"plumbline/ledger"
)

// anchorFlags say what a ledger is held to.
type anchorFlags struct {
	given  []string
	folder string
}

// unheld is said of a ledger that was held to nothing.
const unheld = "it was held to no anchor: nobody can tell whether its last entries, or all of them, were removed or computed anew. see --anchor and --anchors"

func (f *anchorFlags) register(c *cobra.Command) {
	c.Flags().StringArrayVar(&f.given, "anchor", nil, "the number and hash of an entry, as `NUMBER:HASH`, that was kept elsewhere; may be given again")
	c.Flags().StringVar(&f.folder, "anchors", "", "the `FOLDER` of the anchors that were kept elsewhere")
}

// all are the anchors that are given, and those that the books keep unless a
// folder is given. Two of one entry that differ are a *ledger.Break.
func (f *anchorFlags) all(ctx context.Context, kept ledger.Anchors) (map[int64]string, error) {
	out := map[int64]string{}
	add := func(a ledger.Anchor) error {
		if out[a.Seq] != "" && out[a.Seq] != a.Hash {
			return &ledger.Break{Seq: a.Seq, Reason: "it was anchored with two hashes: one of them is of a ledger that was computed anew"}
		}
		out[a.Seq] = a.Hash
		return nil
	}
	for _, text := range f.given {
		number, hash, ok := strings.Cut(text, ":")
		n, err := strconv.ParseInt(number, 10, 64)
		if !ok || err != nil || n < 1 || len(hash) != 64 {
			return nil, usagef("--anchor %q is no NUMBER:HASH, as \"plumbline audit verify\" prints it", text)
		}
		if err := add(ledger.Anchor{Seq: n, Hash: hash}); err != nil {
			return nil, err
		}
	}
	if f.folder != "" {
		kept = files.Anchors(f.folder)
	}
	if kept == nil {
		return out, nil
	}
	for a, err := range kept.All(ctx) {
		if err == nil {
			err = add(a)
		}
		if err != nil {
			return nil, err
		}
	}
	if f.folder != "" && len(out) == 0 {
		return nil, usagef("--anchors %q has no anchor. \"plumbline audit anchor --data DIR --to FOLDER\" keeps one", f.folder)
	}
	return out, nil
}

// holds refuses a ledger that does not hold: nothing is read from it or done by it.
func holds(ctx context.Context, s ledger.Store, anchors map[int64]string) error {
	if _, err := ledger.Verify(s.Entries(ctx, 1), anchors); err != nil {
		return fmt.Errorf("the ledger does not hold: %w. see \"plumbline audit verify\"", err)
	}
	return nil
}
