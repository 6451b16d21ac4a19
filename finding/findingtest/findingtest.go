// Package findingtest is the conformance test of the findings table: what the
// tasks rely on, run on each backend in the same words.
package findingtest

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/finding"
)

// Store is the whole of what backends offer. Each task declares the one or two
// methods that it calls.
type Store interface {
	// Put writes each record under its key, as finding.Merge says where the key
	// is taken. A record of the scan that saw its finding first joins the row that
	// another such scan has written within finding.SameLife. A batch is written as a whole or not at all where the backend
	// can; a repeated Put changes nothing, so a caller may always try again.
	Put(ctx context.Context, records []finding.Record) error
	// OfStack yields the records of a stack, or of a template path without a
	// stack, by resource and first seen. An error ends the sequence.
	OfStack(ctx context.Context, stack string) iter.Seq2[finding.Record, error]
	// Open yields the active records of a severity, "" for all, oldest first.
	Open(ctx context.Context, severity finding.Severity) iter.Seq2[finding.Record, error]
	// History yields every record of a resource, oldest first.
	History(ctx context.Context, resourceID string) iter.Seq2[finding.Record, error]
}

var start = time.Date(2026, 3, 1, 6, 0, 0, 123456789, time.UTC)

// record makes a record of a rule on a resource, first and last seen that many hours after the start.
func record(rule, id string, first, last int) finding.Record {
	return finding.Record{
		Finding: finding.Finding{
			Rule: rule, Severity: finding.High, Domain: finding.Protection, Verdict: finding.Fail,
			Resource: finding.Resource{Account: "111122223333", Region: "eu-west-1", Stack: "Payments", LogicalID: id, Type: "AWS::S3::Bucket"},
			Place:    finding.Place{Path: "Payments.template.json", Line: 7, Column: 3},
			Message:  "versioning is Suspended",
		},
		State:     finding.New,
		FirstSeen: start.Add(time.Duration(first) * time.Hour),
		LastSeen:  start.Add(time.Duration(last) * time.Hour),
	}
}

// Run holds the stores that open returns to the interface's promises. open is
// called once for each part and returns an empty store.
func Run(t *testing.T, open func(t *testing.T) Store) {
	t.Helper()
	ctx := t.Context()

	t.Run("a record comes back equal", func(t *testing.T) {
		s := open(t)
		want := record("s3-bucket-versioning", "Cards", 0, 5)
		want.Needs, want.Assuming = []string{"parameter Mode"}, []string{"Environment=dev"}
		want.Suppressed = &finding.Suppression{Reason: "archive", Approver: "kim", Until: "2027-01-01", Control: "copies elsewhere", Source: "plumbline.yaml:12"}
		want.State, want.Due, want.Remediation, want.Fix = finding.Suppressed, start.Add(72*time.Hour), "Turn versioning on.", finding.FixAvailable
		put(t, s, want)
		equal(t, "History", s.History(ctx, want.ResourceID()), want)
		equal(t, "OfStack", s.OfStack(ctx, "Payments"), want)
	})

	t.Run("put twice is put once", func(t *testing.T) {
		s := open(t)
		r := record("r1", "Cards", 0, 0)
		put(t, s, r, r)
		put(t, s, r)
		equal(t, "OfStack", s.OfStack(ctx, "Payments"), r)
	})

	t.Run("last seen moves forward and never back", func(t *testing.T) {
		s := open(t)
		put(t, s, record("r1", "Cards", 0, 0))
		later := record("r1", "Cards", 0, 9)
		later.State, later.Place.Line = finding.Open, 40
		put(t, s, later)
		put(t, s, record("r1", "Cards", 0, 4)) // an older scan that finishes late
		equal(t, "OfStack", s.OfStack(ctx, "Payments"), later)
	})

	t.Run("a scan does not take back what a person decided", func(t *testing.T) {
		s := open(t)
		decided := record("r1", "Cards", 0, 1)
		decided.State = finding.Acknowledged
		put(t, s, decided)
		seen := record("r1", "Cards", 0, 2)
		seen.State = finding.Open
		put(t, s, seen)
		seen.State = finding.Acknowledged
		equal(t, "OfStack", s.OfStack(ctx, "Payments"), seen)
	})

	t.Run("resolved, expiring, and back", func(t *testing.T) {
		s := open(t)
		put(t, s, record("r1", "Cards", 0, 0))
		gone := record("r1", "Cards", 0, 1)
		gone.State, gone.ExpiresAt = finding.Resolved, start.Add(finding.Retention)
		put(t, s, gone)
		equal(t, "OfStack", s.OfStack(ctx, "Payments"), gone)
		equal(t, "Open", s.Open(ctx, ""))
		back := gone
		back.State, back.LastSeen = finding.Reopened, start.Add(2*time.Hour)
		put(t, s, back)
		back.ExpiresAt = time.Time{}
		equal(t, "Open", s.Open(ctx, finding.High), back)
	})

	t.Run("two violations found at one instant are two rows", func(t *testing.T) {
		s := open(t)
		a, b := record("r1", "Cards", 0, 0), record("r2", "Cards", 0, 0)
		put(t, s, b, a)
		equal(t, "History", s.History(ctx, a.ResourceID()), a, b)
	})

	t.Run("each reader sees its own", func(t *testing.T) {
		s := open(t)
		cards, logs := record("r1", "Cards", 2, 2), record("r1", "Logs", 1, 1)
		logs.Severity = finding.Low
		accepted := record("r2", "Logs", 0, 0)
		accepted.State = finding.Suppressed
		other := record("r1", "Cards", 3, 3)
		other.Resource.Stack = "Shop"
		path := record("r1", "Cards", 4, 4)
		path.Resource.Stack, path.Resource.Account, path.Resource.Region = "", "", ""
		path.Place.Path = "templates/a b.yaml"
		put(t, s, path, other, logs, accepted, cards)
		equal(t, "OfStack", s.OfStack(ctx, "Payments"), cards, accepted, logs)
		equal(t, "OfStack by path", s.OfStack(ctx, "templates/a b.yaml"), path)
		equal(t, "OfStack of none", s.OfStack(ctx, "Pay%"))
		equal(t, "Open high", s.Open(ctx, finding.High), cards, other, path)
		equal(t, "Open low", s.Open(ctx, finding.Low), logs)
		equal(t, "Open", s.Open(ctx, ""), logs, cards, other, path)
		equal(t, "Open bogus", s.Open(ctx, "bogus"))
		equal(t, "History", s.History(ctx, path.ResourceID()), path)
		equal(t, "History of none", s.History(ctx, "nobody"))
	})

	t.Run("a reader may stop early and write meanwhile", func(t *testing.T) {
		s := open(t)
		put(t, s, record("r1", "A", 0, 0), record("r1", "B", 0, 0), record("r1", "C", 0, 0))
		n := 0
		for r, err := range s.OfStack(ctx, "Payments") {
			if err != nil {
				t.Fatal(err)
			}
			r.LastSeen, r.State = r.LastSeen.Add(time.Hour), finding.Open
			put(t, s, r)
			if n++; n == 2 {
				break
			}
		}
		put(t, s, record("r1", "D", 0, 0))
		if got := len(all(t, s.OfStack(ctx, "Payments"))); got != 4 {
			t.Errorf("%d records, want 4", got)
		}
	})

	t.Run("nothing to put is fine", func(t *testing.T) {
		put(t, open(t))
	})

	t.Run("a large batch", func(t *testing.T) {
		s := open(t)
		batch := make([]finding.Record, 1200)
		for i := range batch {
			batch[i] = record("r1", fmt.Sprintf("Resource%04d", i), 0, 0)
		}
		put(t, s, batch...)
		equal(t, "OfStack", s.OfStack(ctx, "Payments"), batch...)
	})

	t.Run("many writers", func(t *testing.T) {
		s := open(t)
		var wg sync.WaitGroup
		for w := range 8 {
			wg.Go(func() {
				for i := range 5 {
					own, shared := record("own", fmt.Sprintf("R%d", w), 0, i), record("shared", "Cards", 0, w*5+i)
					if err := s.Put(ctx, []finding.Record{own, shared}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		equal(t, "the shared row", s.History(ctx, record("", "Cards", 0, 0).ResourceID()), record("shared", "Cards", 0, 39))
	})

	t.Run("first scans at once leave one row", func(t *testing.T) {
		s := open(t)
		due := func(r finding.Record) finding.Record { r.Due = r.FirstSeen.Add(72 * time.Hour); return r }
		early, late := due(record("r1", "Cards", 0, 0)), due(record("r1", "Cards", 1, 1))
		put(t, s, late)
		put(t, s, early) // began before, and finished later
		equal(t, "History", s.History(ctx, late.ResourceID()), late)
		other := due(record("r2", "Cards", 2, 2)) // another rule
		put(t, s, other)
		equal(t, "Open", s.Open(ctx, ""), late, other)

		s = open(t)
		put(t, s, early)
		put(t, s, late)
		want := early
		want.LastSeen = late.LastSeen
		equal(t, "History", s.History(ctx, late.ResourceID()), want)
		equal(t, "OfStack", s.OfStack(ctx, "Payments"), want)
		put(t, s, late) // again
		equal(t, "Open", s.Open(ctx, ""), want)
	})

	t.Run("a first scan that comes late does not take back the end", func(t *testing.T) {
		s := open(t)
		put(t, s, record("r1", "Cards", 0, 0))
		gone := record("r1", "Cards", 0, 3)
		gone.State = finding.Resolved
		put(t, s, gone)
		put(t, s, record("r1", "Cards", 1, 1))
		equal(t, "History", s.History(ctx, gone.ResourceID()), gone)
	})

	t.Run("lives that are far apart are two rows", func(t *testing.T) {
		s := open(t)
		year := int(finding.Retention/time.Hour) + 24
		first, second := record("r1", "Cards", 0, 0), record("r1", "Cards", year, year)
		first.State = finding.Resolved
		put(t, s, first)
		put(t, s, second)
		put(t, s, second)
		equal(t, "History", s.History(ctx, first.ResourceID()), first, second)
	})

	t.Run("many first scans", func(t *testing.T) {
		s := open(t)
		var wg sync.WaitGroup
		for w := range 8 {
			wg.Go(func() {
				batch := make([]finding.Record, 20)
				for i := range batch {
					batch[i] = record("r1", fmt.Sprintf("R%02d", i), w, w)
				}
				if err := s.Put(ctx, batch); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		rows := all(t, s.OfStack(ctx, "Payments"))
		if len(rows) != 20 {
			t.Errorf("%d rows of 20 violations", len(rows))
		}
		for _, r := range rows {
			if want := start.Add(7 * time.Hour); !r.LastSeen.Equal(want) {
				t.Errorf("%s was last seen at %v, want %v", r.Resource.LogicalID, r.LastSeen, want)
			}
		}
	})

	t.Run("a cancelled context is an error", func(t *testing.T) {
		s := open(t)
		put(t, s, record("r1", "Cards", 0, 0))
		dead, cancel := context.WithCancel(ctx)
		cancel()
		if err := s.Put(dead, []finding.Record{record("r1", "Logs", 0, 0)}); err == nil {
			t.Error("Put: no error")
		}
		failed := false
		for _, err := range s.OfStack(dead, "Payments") {
			failed = failed || err != nil
		}
		if !failed {
			t.Error("OfStack: no error")
		}
		equal(t, "OfStack", s.OfStack(ctx, "Payments"), record("r1", "Cards", 0, 0))
	})
}

func put(t *testing.T, s Store, records ...finding.Record) {
	t.Helper()
	if err := s.Put(context.Background(), records); err != nil {
		t.Fatal(err)
	}
}

func all(t *testing.T, seq iter.Seq2[finding.Record, error]) []finding.Record {
	t.Helper()
	var out []finding.Record
	for r, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

func equal(t *testing.T, what string, seq iter.Seq2[finding.Record, error], want ...finding.Record) {
	t.Helper()
	if diff := cmp.Diff(want, all(t, seq)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
