package settlefinding_test

import (
	"context"
	"iter"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/approval"
	"plumbline/blob"
	"plumbline/finding"
	"plumbline/internal/memory"
	"plumbline/ledger"
	"plumbline/remedy"
	"plumbline/remedy/change"
	"plumbline/tasks/settlefinding"
)

var (
	seen = time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)
	done = seen.Add(30 * time.Hour)
	jobs = finding.Resource{Account: "111122223333", Region: "eu-west-1", Stack: "Shop", LogicalID: "Jobs", Type: "AWS::SQS::Queue"}
)

func row(s finding.State) finding.Record {
	return finding.Record{Finding: finding.Finding{Rule: "r", Severity: finding.High, Verdict: finding.Fail, Resource: jobs, Message: "m"}, State: s, FirstSeen: seen, LastSeen: seen}
}

// racing is a table into which a scan writes while it is written to.
type racing struct {
	memory.Findings
	scans int
}

func (r *racing) Put(ctx context.Context, list []finding.Record) error {
	if r.scans > 0 {
		r.scans--
		later := row(finding.Open)
		later.LastSeen = seen.Add(time.Duration(10-r.scans) * time.Hour)
		if err := r.Findings.Put(ctx, []finding.Record{later}); err != nil {
			return err
		}
	}
	return r.Findings.Put(ctx, list)
}

func (r *racing) OfStack(ctx context.Context, stack string) iter.Seq2[finding.Record, error] {
	return r.Findings.OfStack(ctx, stack)
}

func TestSettleFinding(t *testing.T) {
	accept := approval.Decision{By: "bob", Accept: true, Until: "2026-09-01", Reason: "an empty queue"}
	accepted := &finding.Suppression{Reason: "an empty queue", Approver: "bob", Until: "2026-09-01", Source: finding.SourceAcceptance}
	followBy := done.Add(14 * 24 * time.Hour)
	for name, tc := range map[string]struct {
		before  []finding.Record
		outcome change.Outcome
		stack   string
		ledger  bool // the acceptance stands there
		scans   int
		want    func(r *finding.Record) // nil: nothing is known of it
	}{
		"accepted": {[]finding.Record{row(finding.Open)}, change.Accepted, "Shop", true, 0, func(r *finding.Record) {
			r.State, r.Suppressed = finding.Suppressed, accepted
		}},
		"accepted by word of the workflow alone": {[]finding.Record{row(finding.Open)}, change.Accepted, "Shop", false, 0, func(r *finding.Record) { r.State = finding.Open }},
		"accepted while scans write": {[]finding.Record{row(finding.Open)}, change.Accepted, "Shop", true, 2, func(r *finding.Record) {
			r.State, r.Suppressed, r.LastSeen = finding.Suppressed, accepted, seen.Add(10*time.Hour)
		}},
		"accepted, seen by no scan": {nil, change.Accepted, "Shop", true, 0, func(r *finding.Record) {
			r.State, r.Suppressed, r.FirstSeen, r.LastSeen = finding.Suppressed, accepted, done, done
		}},
		"applied": {[]finding.Record{row(finding.New)}, change.Applied, "Shop", false, 0, func(r *finding.Record) {
			r.State, r.FollowBy, r.Changed = finding.InRemediation, followBy, done
		}},
		"applied, and a scan was faster":   {[]finding.Record{row(finding.Resolved)}, change.Applied, "Shop", false, 0, func(r *finding.Record) { r.State = finding.Resolved }},
		"applied, and no stack to follow":  {[]finding.Record{row(finding.New)}, change.Applied, "", false, 0, func(r *finding.Record) { r.State = finding.New }},
		"applied, seen by no scan":         {nil, change.Applied, "Shop", false, 0, nil},
		"taken back":                       {[]finding.Record{row(finding.InRemediation)}, change.Undone, "Shop", false, 0, func(r *finding.Record) { r.State = finding.Reopened }},
		"taken back, decided on otherwise": {[]finding.Record{row(finding.Acknowledged)}, change.Undone, "Shop", false, 0, func(r *finding.Record) { r.State = finding.Acknowledged }},
		"denied":                           {[]finding.Record{row(finding.Open)}, change.Denied, "Shop", false, 0, func(r *finding.Record) { r.State = finding.Open }},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			var blobs blob.Memory
			l := &ledger.Ledger{Store: new(ledger.Memory), Now: func() time.Time { return done }}
			res := jobs
			res.Stack = tc.stack
			hash, err := change.Keep(ctx, &blobs, &change.Planned{
				Change: "c", Requester: "ann", FollowIn: 14 * 24 * 3600, Where: "Shop",
				Plan: remedy.Plan{Rule: "r", Severity: finding.High, Resource: res, Message: "m"},
			})
			if err != nil {
				t.Fatal(err)
			}
			if tc.ledger {
				if _, err := l.Append(ctx, ledger.Decided, hash, "bob", accept); err != nil {
					t.Fatal(err)
				}
			}
			if tc.outcome == change.Applied {
				if _, err := l.Append(ctx, ledger.Applied, hash, "c", change.Note{Change: "c"}); err != nil {
					t.Fatal(err)
				}
			}
			table := &racing{scans: tc.scans}
			if err := table.Findings.Put(ctx, tc.before); err != nil {
				t.Fatal(err)
			}
			for range 2 { // called twice, it writes the same
				h := settlefinding.New(table, l.Store, &blobs, func() time.Time { return done })
				if _, err := h.Handle(ctx, settlefinding.In{Plan: hash, Result: change.Result{Outcome: tc.outcome}}); err != nil {
					t.Fatal(err)
				}
			}
			var got []finding.Record
			for r, err := range table.OfStack(ctx, "Shop") {
				if err != nil {
					t.Fatal(err)
				}
				r.Place = finding.Place{}
				got = append(got, r)
			}
			var want []finding.Record
			if tc.want != nil {
				r := row("")
				tc.want(&r)
				want = []finding.Record{r}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
