package alert_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/alert"
	"plumbline/finding"
	"plumbline/scan"
)

var (
	at     = time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)
	now    = at.Add(time.Minute)
	target = scan.Target{Stack: "Payments", Account: "111122223333", Region: "eu-west-1"}
)

func record(rule, id string, s finding.Severity, state finding.State, owner string) finding.Record {
	return finding.Record{
		Finding: finding.Finding{Rule: rule, Severity: s, Verdict: finding.Fail, Owner: owner, Message: "it is open", Place: finding.Place{Path: "t.yaml", Line: 3},
			Resource: finding.Resource{Account: target.Account, Region: target.Region, Stack: target.Stack, LogicalID: id, Type: "AWS::S3::Bucket"}},
		State: state, FirstSeen: at, LastSeen: at, Due: at.AddDate(0, 0, 7),
	}
}

func changes() *scan.Changes {
	moved := record("r6", "Keys", finding.Critical, finding.Open, "cards")
	moved.LastSeen = at.Add(-time.Hour)
	return &scan.Changes{
		Records: []finding.Record{
			record("r1", "Vault", finding.Critical, finding.New, ""),
			record("r2", "Vault", finding.Critical, finding.Reopened, ""),
			record("r3", "Logs", finding.Critical, finding.Open, ""),
			record("r4", "Logs", finding.Critical, finding.Resolved, ""),
			record("r1", "Queue", finding.High, finding.New, "cards"),
			record("r5", "Queue", finding.Low, finding.Resolved, "cards"),
			record("r6", "Keys", finding.Critical, finding.Suppressed, "cards"),
		},
		Left:       []finding.Record{record("r7", "Door", finding.Critical, finding.Acknowledged, "")},
		Settled:    []finding.Record{moved},
		Frameworks: map[string][]string{"r1": {"cis", "pci"}, "r2": {"pci"}},
	}
}

func TestOfTarget(t *testing.T) {
	all := finding.Severities
	for name, tc := range map[string]struct {
		tell, settle []finding.Severity
		want         []string
	}{
		"everything": {all, all, []string{
			"findings critical  new 2 ended 1 open 4 [AWS::S3::Bucket] [cis pci]",
			"update critical cards new 0 ended 1 open 0 [] []",
			"findings high cards new 1 ended 0 open 1 [AWS::S3::Bucket] [cis pci]",
			"update low cards new 0 ended 1 open 0 [] []",
		}},
		"the critical ones alone": {[]finding.Severity{finding.Critical}, nil, []string{"findings critical  new 2 ended 1 open 4 [AWS::S3::Bucket] [cis pci]"}},
		"all but what was told before": {[]finding.Severity{finding.High}, all, []string{
			"update critical cards new 0 ended 1 open 0 [] []",
			"findings high cards new 1 ended 0 open 1 [AWS::S3::Bucket] [cis pci]",
			"update low cards new 0 ended 1 open 0 [] []",
		}},
		"nothing is asked for": {nil, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			ids, tickets := map[string]bool{}, map[string]bool{}
			for _, n := range alert.OfTarget(alert.Scanned{ID: "s1", Target: target, Report: "reports/p", Changes: changes()}, tc.tell, tc.settle, now) {
				got = append(got, fmt.Sprintf("%s %s %s new %d ended %d open %d %v %v", n.Kind, n.Severity, n.Audience, n.Count, n.EndedAll, n.Remaining, n.ResourceTypes, n.Frameworks))
				ids[n.ID], tickets[n.Ticket] = true, true
				if !n.Seen.Equal(at) || !n.Time.Equal(now) || n.Subject == "" || n.Body == "" {
					t.Errorf("%+v is not complete", n)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if len(ids) != len(tc.want) || len(tickets) != len(tc.want) {
				t.Errorf("%d messages have %d ids and %d tickets", len(tc.want), len(ids), len(tickets))
			}
		})
	}
}

// TestMoved: a violation that changes its severity leaves one message and is in
// the other, so that it is on a ticket at any time.
func TestMoved(t *testing.T) {
	was, is := record("r1", "Vault", finding.High, finding.Open, ""), record("r1", "Vault", finding.Critical, finding.Open, "")
	c := &scan.Changes{Records: []finding.Record{is}, Settled: []finding.Record{was}}
	var got []string
	for _, n := range alert.OfTarget(alert.Scanned{ID: "s1", Target: target, Changes: c}, finding.Severities, finding.Severities, now) {
		got = append(got, fmt.Sprintf("%s %s new %d ended %d open %d", n.Kind, n.Severity, n.Count, n.EndedAll, n.Remaining))
	}
	if diff := cmp.Diff([]string{"findings critical new 1 ended 0 open 1", "update high new 0 ended 1 open 0"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestMail(t *testing.T) {
	all := alert.OfTarget(alert.Scanned{ID: "s1", Target: target, Report: "reports/p", Changes: changes()}, finding.Severities, finding.Severities, now)
	want := `Scan s1 found 2 new violations of severity critical in stack Payments in eu-west-1.

New:
- r1 on Vault (line 3): it is open [due 2026-03-08]
- r2 on Vault (line 3), back again: it is open [due 2026-03-08]

Ended:
- r4 on Logs (line 3), resolved

Open after this scan: 4 of severity critical.

Report: reports/p/report.html
`
	if diff := cmp.Diff(want, all[0].Body); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got, want := all[0].Subject, "critical: 2 new violations in stack Payments in eu-west-1"; got != want {
		t.Errorf("subject %q, want %q", got, want)
	}
	if got := all[1].Body; !strings.Contains(got, "r6 on Keys (line 3), suppressed") || !strings.Contains(got, "Owner: cards\n") {
		t.Errorf("body:\n%s", got)
	}
}

// TestManyViolations: a message counts what it cannot list, and stays small.
func TestManyViolations(t *testing.T) {
	c := &scan.Changes{}
	for i := range 5000 {
		r := record("r", fmt.Sprintf("Bucket%04d", i), finding.High, finding.New, "")
		r.Place.Line, r.Message = i+1, strings.Repeat("<&>", 1000)
		c.Records = append(c.Records, r)
	}
	ns := alert.OfTarget(alert.Scanned{ID: "s1", Target: target, Changes: c}, finding.Severities, nil, now)
	if len(ns) != 1 || ns[0].Count != 5000 || ns[0].Remaining != 5000 {
		t.Fatalf("%d messages, the first counts %d", len(ns), ns[0].Count)
	}
	listed := len(ns[0].Items)
	if listed == 0 || listed > alert.MaxItems {
		t.Errorf("%d violations are listed", listed)
	}
	if b, err := json.Marshal(ns[0]); err != nil || len(b) > 200*1024 {
		t.Errorf("the message has %d bytes, %v", len(b), err)
	}
	if want := fmt.Sprintf("- and %d more\n", 5000-10); !strings.Contains(ns[0].Body, want) {
		t.Errorf("the mail does not say %q:\n%.2000s", want, ns[0].Body)
	}
	if want := fmt.Sprintf("and %d more", 5000-listed); !strings.Contains(alert.WorkNotes(ns[0]), want) && !strings.Contains(alert.WorkNotes(ns[0]), "and more, from line") {
		t.Errorf("the work notes do not say that there are more")
	}
	if n := len([]rune(alert.WorkNotes(ns[0]))); n > 4000 {
		t.Errorf("work notes of %d characters", n)
	}
}

func TestTakes(t *testing.T) {
	ticket := strings.Repeat("a", 32)
	for _, tc := range []struct {
		n    scan.Notice
		want map[alert.Kind]bool
	}{
		{scan.Notice{Kind: scan.NoticeFindings, Ticket: ticket}, map[alert.Kind]bool{alert.KindSlack: true, alert.KindJira: true, alert.KindServiceNow: true, alert.KindWebhook: true}},
		{scan.Notice{Kind: scan.NoticeFindings, Ticket: ticket, Digested: true}, map[alert.Kind]bool{alert.KindJira: true, alert.KindServiceNow: true, alert.KindWebhook: true}},
		{scan.Notice{Kind: scan.NoticeUpdate, Ticket: ticket}, map[alert.Kind]bool{alert.KindJira: true, alert.KindServiceNow: true, alert.KindWebhook: true}},
		{scan.Notice{Kind: scan.NoticeDigest}, map[alert.Kind]bool{alert.KindSlack: true}},
		{scan.Notice{Kind: scan.NoticePartial}, map[alert.Kind]bool{alert.KindSlack: true, alert.KindWebhook: true}},
		{scan.Notice{Kind: scan.NoticeFailure}, map[alert.Kind]bool{alert.KindSlack: true, alert.KindWebhook: true}},
	} {
		got := map[alert.Kind]bool{}
		for _, k := range alert.Kinds {
			if (alert.Channel{Kind: k}).Takes(tc.n) {
				got[k] = true
			}
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", tc.n.Kind, diff)
		}
	}
	high := alert.Channel{Kind: alert.KindSlack, Severities: []finding.Severity{finding.High}}
	if high.Takes(scan.Notice{Kind: scan.NoticeFindings, Severity: finding.Low}) || !high.Takes(scan.Notice{Kind: scan.NoticeFindings, Severity: finding.High}) {
		t.Error("severities of the channel")
	}
}

// TestSign: the signature that another implementation of HMAC-SHA-256 makes
// (openssl dgst -sha256 -hmac key of "1772344860.{}").
func TestSign(t *testing.T) {
	a, b := alert.Sign([]byte("key"), now, []byte("{}")), alert.Sign([]byte("key"), now.Add(time.Second), []byte("{}"))
	if want := "v1=efcc8bcf28c49824366f9db924eebbabc1d5c4aa98eec22d17eb4c068ecb3ff6"; a != want {
		t.Errorf("%s, want %s", a, want)
	}
	if a == b || a == alert.Sign([]byte("other"), now, []byte("{}")) {
		t.Error("time and key make no difference")
	}
}
