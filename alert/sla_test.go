package alert_test

import (
	"strings"
	"testing"

	"plumbline/alert"
	"plumbline/finding"
	"plumbline/scan"
	"plumbline/sla"
)

func TestOfSLA(t *testing.T) {
	due := at.AddDate(0, 0, -1)
	r := &sla.Report{
		At: at, From: at.AddDate(0, 0, -90),
		Severities: []sla.BySeverity{{Severity: finding.Critical}, {Severity: finding.High, Open: 3, Overdue: 2, OldestDays: 31, Remediated: 1, MeanDays: 2.5}, {Severity: finding.Medium}, {Severity: finding.Low, Open: 1, Overdue: 1}},
		Frameworks: []sla.ByFramework{{Framework: "pci", Violations: 4, Within: 1}}, Owners: map[string]int{"": 1, "cards": 2}, Overdue: 3,
		Breaches: []sla.Breach{{Rule: "r1", Severity: finding.High, Resource: "1/eu/Pay/Vault", Owner: "cards", FirstSeen: at.AddDate(0, 0, -31), Due: due}, {Rule: "r2", Severity: finding.High, Resource: "//t.yaml/Logs", FirstSeen: due, Due: due}, {Rule: "r3", Severity: finding.Low, Resource: "1/eu/Pay/Keys", Owner: "cards", FirstSeen: due, Due: due}},
	}
	got := alert.OfSLA("w1", "sla/w1.json", r)
	if len(got) != 2 || got[0].Severity != finding.High || got[0].Audience != "" || got[1].Audience != "cards" || got[0].ID == got[1].ID || got[0].Kind != scan.NoticeSLA {
		t.Fatalf("%+v", got)
	}
	for _, want := range []string{"high: 3 open, 2 overdue, the oldest 31 days old; 1 remediated, 0 of them late, in 2.5 days on average", "pci: 1 of 4 (25 %)", "r2 on t.yaml/Logs, due 2026-02-28", "Report: sla/w1.json"} {
		if !strings.Contains(got[0].Body, want) {
			t.Errorf("the whole does not say %q:\n%s", want, got[0].Body)
		}
	}
	if strings.Contains(got[1].Body, "r2") || !strings.Contains(got[1].Body, "r3 on 1/eu/Pay/Keys") || got[1].Subject != "terms: 2 overdue violations of cards" {
		t.Errorf("%s\n%s", got[1].Subject, got[1].Body)
	}
	for _, k := range []alert.Kind{alert.KindJira, alert.KindServiceNow} {
		if (alert.Channel{Kind: k}).Takes(got[0]) {
			t.Errorf("%s makes a ticket of a report", k)
		}
	}
}
