package assess_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"plumbline/cfn"
	"plumbline/finding"
)

// nothing is a policy without suppressions.
func nothing([]*cfn.Model, []finding.Finding, time.Time) ([]finding.Finding, []string) {
	return nil, nil
}

// settle puts the one row into another state, as SettleFinding does.
func (b *bench) settle(change func(*finding.Record)) {
	b.t.Helper()
	for r, err := range b.table.OfStack(context.Background(), target.Where()) {
		if err != nil {
			b.t.Fatal(err)
		}
		change(&r)
		if err := b.table.Put(context.Background(), []finding.Record{r}); err != nil {
			b.t.Fatal(err)
		}
	}
}

// TestAnAcceptanceHoldsUntilItsDay: what people accepted does not count, says
// who accepted it, and is open again the day after.
func TestAnAcceptanceHoldsUntilItsDay(t *testing.T) {
	b := newBench(t)
	b.o.Suppress = nothing
	v := violation("r1", "Cards", finding.High, 3)
	b.scanAt(day1, nil, v)
	b.settle(func(r *finding.Record) {
		r.State = finding.Suppressed
		r.Suppressed = &finding.Suppression{Reason: "an empty queue", Approver: "bob", Until: day1.AddDate(0, 0, 5).Format(time.DateOnly), Source: finding.SourceAcceptance}
	})
	for day := 1; day <= 5; day++ {
		out := b.scanAt(day1.AddDate(0, 0, day), nil, v)
		b.wantStates("r1 Cards suppressed")
		if out.New != 0 || out.Open != 0 || out.Alerts.High != 0 || out.Settled != 0 {
			t.Errorf("day %d: %+v", day, out)
		}
		f := b.a.Findings[0]
		if f.Suppressed == nil || f.Suppressed.Approver != "bob" || b.a.Counts[finding.StatusSuppressed] != 1 || b.a.Counts["fail"] != 0 {
			t.Errorf("day %d: %+v, counts %v", day, f.Suppressed, b.a.Counts)
		}
	}
	out := b.scanAt(day1.AddDate(0, 0, 6), nil, v)
	b.wantStates("r1 Cards reopened")
	if out.Alerts.High != 1 || len(b.a.Reopened) != 1 || b.a.Findings[0].Suppressed != nil {
		t.Errorf("the day after: %+v", out)
	}
}

// TestAnAcceptanceOutlastsWhoWantsToSeeIt: a scan that suppresses nothing shows
// the violation, and takes back no decision.
func TestAnAcceptanceOutlastsWhoWantsToSeeIt(t *testing.T) {
	b := newBench(t)
	v := violation("r1", "Cards", finding.High, 3)
	b.scanAt(day1, nil, v)
	b.settle(func(r *finding.Record) {
		r.State, r.Suppressed = finding.Suppressed, &finding.Suppression{Reason: "x", Approver: "bob", Until: "2099-01-01", Source: finding.SourceAcceptance}
	})
	b.scanAt(day1.AddDate(0, 0, 1), nil, v)
	if b.a.Findings[0].Suppressed != nil || b.a.Counts["fail"] != 1 {
		t.Errorf("%+v %v", b.a.Findings[0], b.a.Counts)
	}
	b.wantStates("r1 Cards suppressed")
	b.o.Suppress = nothing
	b.scanAt(day1.AddDate(0, 0, 2), nil, v)
	if s := b.a.Findings[0].Suppressed; s == nil || s.Approver != "bob" {
		t.Errorf("afterwards: %+v", s)
	}
}

// TestATemplateFollowsOrIsToldOf: what was changed on the live resource is in
// remediation until the template follows, and open again after its term.
func TestATemplateFollowsOrIsToldOf(t *testing.T) {
	for name, follows := range map[string]bool{"it follows": true, "it does not": false} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			v := violation("r1", "Cards", finding.High, 3)
			b.scanAt(day1, nil, v)
			b.settle(func(r *finding.Record) {
				r.State, r.FollowBy = finding.InRemediation, day1.AddDate(0, 0, 14)
			})
			for day := 1; day <= 14; day++ { // the template says otherwise still
				out := b.scanAt(day1.AddDate(0, 0, day), nil, v)
				b.wantStates("r1 Cards in-remediation")
				if out.Alerts.High != 0 {
					t.Fatalf("day %d: %+v", day, out)
				}
			}
			if follows {
				b.scanAt(day1.AddDate(0, 0, 15), nil)
				b.wantStates("r1 Cards resolved")
				return
			}
			at := day1.AddDate(0, 0, 15)
			for range 2 { // met again, it says the same
				out := b.scanAt(at, nil, v)
				b.wantStates("r1 Cards reopened")
				message := b.a.Findings[0].Message
				if out.Alerts.High != 1 || strings.Count(message, "the template was to follow until") != 1 {
					t.Errorf("%+v %q", out, message)
				}
			}
			out := b.scanAt(at.AddDate(0, 0, 1), nil, v)
			b.wantStates("r1 Cards open")
			if out.Alerts.High != 0 {
				t.Errorf("told of every day: %+v", out)
			}
		})
	}
}

// TestAChangeThatIsTakenBackIsOpenAgain: the live resource is wrong again before
// the term is over, and a scan that began before the change does not know better.
func TestAChangeThatIsTakenBackIsOpenAgain(t *testing.T) {
	b := newBench(t)
	v := violation("r1", "Cards", finding.High, 3)
	v.Deployed = finding.Fail
	b.scanAt(day1, nil, v)
	b.settle(func(r *finding.Record) {
		r.State, r.Changed, r.FollowBy = finding.InRemediation, day1.Add(2*time.Hour), day1.AddDate(0, 0, 14)
	})
	b.scanAt(day1.Add(time.Hour), nil, v) // it has read the resource before the change
	b.wantStates("r1 Cards in-remediation")
	v.Deployed = finding.Pass
	b.scanAt(day1.AddDate(0, 0, 1), nil, v)
	b.wantStates("r1 Cards in-remediation")
	v.Deployed = finding.Fail
	out := b.scanAt(day1.AddDate(0, 0, 2), nil, v)
	b.wantStates("r1 Cards reopened")
	if out.Alerts.High != 1 {
		t.Errorf("%+v", out)
	}
	b.scanAt(day1.AddDate(0, 0, 15), nil, v)
	b.wantStates("r1 Cards open")
	if m := b.a.Findings[0].Message; strings.Contains(m, "was to follow") {
		t.Errorf("its template is still waited for: %s", m)
	}
}
