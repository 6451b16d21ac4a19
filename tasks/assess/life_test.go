package assess_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/cfn"
	"plumbline/finding"
	"plumbline/ruleset"
)

// TestDueAndOwner: the due date counts from the first day by the severity and
// the terms of today, and the owner is who the resource names.
func TestDueAndOwner(t *testing.T) {
	b := newBench(t)
	owner := "cards"
	policy := ruleset.DefaultPolicy()
	b.o.Due = policy.Due
	b.o.Owners = func([]*cfn.Model) (string, map[string]string) { return "platform", map[string]string{"Cards": owner} }
	b.o.Frameworks = func(string) []string { return []string{"pci"} }
	check := func(what string, due time.Time, cards string) {
		t.Helper()
		for r, err := range b.table.OfStack(t.Context(), target.Where()) {
			want := "platform"
			if r.Resource.LogicalID == "Cards" {
				want = cards
			}
			if err != nil || !r.Due.Equal(due) || !r.FirstSeen.Equal(day1) || r.Owner != want {
				t.Errorf("%s: %s is due %s, of %q, %v; want %s, %q", what, r.Resource.LogicalID, r.Due, r.Owner, err, due, want)
			}
		}
	}
	high := []finding.Finding{violation("r1", "Cards", finding.High, 3), violation("r1", "Logs", finding.High, 4)}
	b.scan(nil, high...)
	check("the first scan", day1.AddDate(0, 0, 30), "cards")
	if diff := cmp.Diff(map[string][]string{"r1": {"pci"}}, b.a.Frameworks); diff != "" {
		t.Errorf("frameworks (-want +got)\n%s", diff)
	}
	if out := b.scan(nil, high...); out.Settled != 0 {
		t.Errorf("nothing changed, and %d are settled", out.Settled)
	}
	check("the second scan", day1.AddDate(0, 0, 30), "cards")

	policy.SLA.High = 5
	owner = "vault"
	if out := b.scan(nil, high...); out.Settled != 1 || out.Alerts.High != 1 || len(b.a.Moved) != 1 {
		t.Errorf("one has another owner: %+v", out)
	}
	check("other terms and another owner", day1.AddDate(0, 0, 5), "vault")

	critical := []finding.Finding{violation("r1", "Cards", finding.Critical, 3), violation("r1", "Logs", finding.Critical, 4)}
	if out := b.scan(nil, critical...); out.Settled != 2 || out.Alerts.Critical != 2 {
		t.Errorf("both have another severity: %+v", out)
	}
	check("another severity", day1.AddDate(0, 0, 7), "vault")
}

// TestSettledInSilence: what stops to count without being mended closes tickets.
func TestSettledInSilence(t *testing.T) {
	b := newBench(t)
	suppressed := false
	b.o.Suppress = func(_ []*cfn.Model, fs []finding.Finding, _ time.Time) ([]finding.Finding, []string) {
		for i := range fs {
			if suppressed {
				fs[i].Suppressed = &finding.Suppression{Reason: "accepted"}
			}
		}
		return nil, nil
	}
	v := violation("r1", "Cards", finding.High, 3)
	for _, step := range []struct {
		what       string
		suppressed bool
		settled    int
	}{{"new", false, 0}, {"accepted", true, 1}, {"still accepted", true, 0}, {"back again", false, 0}} {
		suppressed = step.suppressed
		if out := b.scan(nil, v); out.Settled != step.settled {
			t.Errorf("%s: %d settled, want %d", step.what, out.Settled, step.settled)
		}
	}
}
