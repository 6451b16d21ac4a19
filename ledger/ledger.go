// Package ledger is the record of what was asked, decided, done and proven
// about changes: an append-only chain in which each entry holds the hash of the
// one before, so that a change of any past entry shows.
package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"
)

// Kind says what an entry records.
type Kind string

// The kinds, in the order of a change's life.
const (
	Asked    Kind = "asked"    // a plan was made, and somebody must decide
	Decided  Kind = "decided"  // a person said yes or no
	Expired  Kind = "expired"  // nobody decided in time, which means no
	Started  Kind = "started"  // the change is about to be made
	Applied  Kind = "applied"  // it was made
	Verified Kind = "verified" // the rule says that it holds
	Undone   Kind = "undone"   // it was taken back
	Failed   Kind = "failed"   // it was not made, or could not be taken back
	Anchored Kind = "anchored" // the head was written where nobody can change it
)

// Entry is one record. Its hash covers every other field.
type Entry struct {
	Seq    int64           // from 1, without a gap
	Time   time.Time       // UTC
	Kind   Kind            //
	Plan   string          // hash of the plan that the entry is about; "" for an anchor
	Actor  string          // who: a person's verified identity, or the workflow
	Detail json.RawMessage // what the kind asks for: a plan, a decision with its reason, a proof
	Prev   string          // hash of the entry before; of the first ""
	Hash   string
}

// Sum is the hash that an entry must have: SHA-256 over its fields, hex.
func (e Entry) Sum() string {
	e.Hash = ""
	e.Time = e.Time.UTC()
	src, err := json.Marshal(e)
	if err != nil { // Detail is no JSON: it has no hash that verifies
		return ""
	}
	sum := sha256.Sum256(src)
	return hex.EncodeToString(sum[:])
}

// Read reads an entry as a store keeps it: what json.Marshal writes of one, and
// nothing else. A key more, or one that stands twice, is no part of the hash, and
// other readers may take it for what was recorded. Where it holds more than Sum
// covers, the error is a *Break.
func Read(src []byte) (Entry, error) {
	var e Entry
	if err := json.Unmarshal(src, &e); err != nil {
		return e, fmt.Errorf("decode an entry of the ledger: %w", err)
	}
	if again, err := json.Marshal(e); err != nil || !bytes.Equal(again, src) {
		return e, &Break{e.Seq, "it is not written as it was recorded: it has other keys, one of them twice, or another form"}
	}
	return e, nil
}

// ErrMoved says that another entry was appended meanwhile; append again.
var ErrMoved = errors.New("the ledger has moved on")

// Store keeps entries. Append stores an entry whose Seq follows the last one's,
// and reports ErrMoved where that number is taken. There is no way to change or
// delete one. Safe for concurrent use.
type Store interface {
	Append(ctx context.Context, e Entry) error
	// Last is the newest entry; the zero Entry where there is none.
	Last(ctx context.Context) (Entry, error)
	// Entries gives all, oldest first, from a number on.
	Entries(ctx context.Context, from int64) iter.Seq2[Entry, error]
	// OfPlan gives those about a plan, oldest first.
	OfPlan(ctx context.Context, plan string) iter.Seq2[Entry, error]
}

// Ledger appends to a store. Safe for concurrent use, also with others on the
// same store.
type Ledger struct {
	Store Store
	Now   func() time.Time // nil: time.Now
}

// attempts bounds how often Append tries again behind others.
const attempts = 20

// Append records an entry; detail is any value that encoding/json takes. It
// returns the entry as stored.
func (l *Ledger) Append(ctx context.Context, kind Kind, plan, actor string, detail any) (Entry, error) {
	src, err := json.Marshal(detail)
	if err != nil {
		return Entry{}, fmt.Errorf("record %s: %w", kind, err)
	}
	now := time.Now
	if l.Now != nil {
		now = l.Now
	}
	for range attempts {
		last, err := l.Store.Last(ctx)
		if err != nil {
			return Entry{}, fmt.Errorf("record %s: %w", kind, err)
		}
		// Seconds and below as every store keeps them.
		e := Entry{Seq: last.Seq + 1, Time: now().UTC().Truncate(time.Millisecond), Kind: kind, Plan: plan, Actor: actor, Detail: src, Prev: last.Hash}
		e.Hash = e.Sum()
		switch err := l.Store.Append(ctx, e); {
		case err == nil:
			return e, nil
		case !errors.Is(err, ErrMoved):
			return Entry{}, fmt.Errorf("record %s: %w", kind, err)
		}
	}
	return Entry{}, fmt.Errorf("record %s: %w, %d times", kind, ErrMoved, attempts)
}

// Break is the first entry that does not hold.
type Break struct {
	Seq    int64
	Reason string
}

func (b *Break) Error() string { return fmt.Sprintf("entry %d: %s", b.Seq, b.Reason) }

// Verify walks the whole chain. anchors are hashes by number that are kept
// elsewhere, out of reach of whoever can write the store; without them a chain
// that was computed anew from some entry on would hold. It returns how many
// entries it has seen, and a *Break for the first that does not hold.
func Verify(entries iter.Seq2[Entry, error], anchors map[int64]string) (int64, error) {
	return verify(entries, 1, anchors)
}

// verify is Verify from an entry on. Where that is not the first, the entry must
// be an anchored one: what lies before it is not looked at.
func verify(entries iter.Seq2[Entry, error], from int64, anchors map[int64]string) (int64, error) {
	last := Entry{Seq: from - 1}
	for e, err := range entries {
		switch {
		case err != nil:
			return last.Seq, err
		case e.Seq != last.Seq+1:
			return last.Seq, &Break{last.Seq + 1, fmt.Sprintf("it is missing: entry %d follows %d", e.Seq, last.Seq)}
		case e.Prev != last.Hash && (e.Seq == 1 || e.Seq != from):
			return last.Seq, &Break{e.Seq, "it does not follow the entry before, which was changed or replaced"}
		case e.Hash != e.Sum():
			return last.Seq, &Break{e.Seq, "its content is not what was recorded"}
		case anchors[e.Seq] != "" && anchors[e.Seq] != e.Hash:
			return last.Seq, &Break{e.Seq, "it is not the entry that was anchored: this entry or one before it was computed anew"}
		case e.Time.Before(last.Time.Add(-maxSkew)):
			return last.Seq, &Break{e.Seq, "its time lies before that of the entry before"}
		}
		last = e
	}
	for seq := range anchors {
		if seq > last.Seq {
			return last.Seq, &Break{last.Seq + 1, fmt.Sprintf("it is missing: entry %d was anchored", seq)}
		}
	}
	return last.Seq, nil
}

// maxSkew is how far the clocks of two writers may be apart.
const maxSkew = 5 * time.Minute
