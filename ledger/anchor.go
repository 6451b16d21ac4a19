package ledger

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"regexp"
	"strconv"
	"time"
)

// Anchor is an entry as it is kept where nobody who can write the ledger can
// change it.
type Anchor struct {
	Seq  int64  `json:"seq"`
	Hash string `json:"hash"`
}

// Name is the anchor as the name of an object or a file, whose content is of no
// matter: what can be listed need not be read.
func (a Anchor) Name() string { return fmt.Sprintf("%012d-%s", a.Seq, a.Hash) }

// String is the anchor as `plumbline audit verify --anchor` takes it.
func (a Anchor) String() string { return strconv.FormatInt(a.Seq, 10) + ":" + a.Hash }

var anchorName = regexp.MustCompile(`^([0-9]{12})-([0-9a-f]{64})$`)

// ParseAnchor reads a Name.
func ParseAnchor(name string) (Anchor, bool) {
	m := anchorName.FindStringSubmatch(name)
	if m == nil {
		return Anchor{}, false
	}
	seq, err := strconv.ParseInt(m[1], 10, 64)
	return Anchor{seq, m[2]}, err == nil && seq > 0
}

// Anchors keeps anchors, and gives every one that it ever got. Safe for
// concurrent use.
type Anchors interface {
	// Keep keeps one. One that it has already is no error.
	Keep(ctx context.Context, a Anchor) error
	All(ctx context.Context) iter.Seq2[Anchor, error]
}

// AnchorEvery is how long an anchor serves where nothing was recorded since: a
// locked object is kept for a time, and there must always be one.
const AnchorEvery = 30 * 24 * time.Hour

// Check verifies the whole chain against all anchors. It returns how many
// entries there are; a *Break is the first that does not hold.
func (l *Ledger) Check(ctx context.Context, kept Anchors) (int64, error) {
	return l.check(ctx, kept, 0)
}

// AllOf is up to how many entries Anchor verifies all of them. Of more it
// verifies those since the newest anchor but AllOf, so that a night's work does
// not grow with the years; Check verifies all.
const AllOf = 20_000

func (l *Ledger) check(ctx context.Context, kept Anchors, latest int64) (int64, error) {
	anchors, from := map[int64]string{}, int64(1)
	for a, err := range kept.All(ctx) {
		switch {
		case err != nil:
			return 0, fmt.Errorf("read the anchors: %w", err)
		case anchors[a.Seq] != "" && anchors[a.Seq] != a.Hash:
			return 0, &Break{a.Seq, "it was anchored twice, with different hashes: one of them is of a ledger that was computed anew"}
		}
		anchors[a.Seq] = a.Hash
		if a.Seq > from && a.Seq <= latest-AllOf {
			from = a.Seq
		}
	}
	return verify(l.Store.Entries(ctx, from), from, anchors)
}

// Anchor verifies the ledger against what was anchored before (see AllOf), anchors its
// newest entry, and records that it did. Where nothing was recorded since the
// last anchor it anchors nothing, unless that is AnchorEvery ago: done is false
// then, as with an empty ledger. A ledger that does not hold is not anchored:
// the error is a *Break. Called twice, it anchors once.
func (l *Ledger) Anchor(ctx context.Context, kept Anchors, actor string) (a Anchor, done bool, err error) {
	last, err := l.Store.Last(ctx)
	if err == nil {
		_, err = l.check(ctx, kept, last.Seq)
	}
	if err != nil {
		return Anchor{}, false, err
	}
	now := time.Now
	if l.Now != nil {
		now = l.Now
	}
	if last.Seq == 0 || last.Kind == Anchored && now().Sub(last.Time) < AnchorEvery {
		return Anchor{last.Seq, last.Hash}, false, nil
	}
	a = Anchor{last.Seq, last.Hash}
	if err := kept.Keep(ctx, a); err != nil {
		return Anchor{}, false, fmt.Errorf("keep the anchor of entry %d: %w", a.Seq, err)
	}
	_, err = l.Append(ctx, Anchored, "", actor, a)
	return a, err == nil, err
}

// Broken reports whether an error says that a ledger does not hold, rather than
// that it could not be read.
func Broken(err error) bool { return errors.As(err, new(*Break)) }
