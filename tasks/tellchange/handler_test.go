package tellchange_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"plumbline/blob"
	"plumbline/finding"
	"plumbline/remedy"
	"plumbline/remedy/change"
	"plumbline/scan"
	"plumbline/tasks/tellchange"
)

type box struct{ sent []scan.Notice }

func (b *box) Send(_ context.Context, n scan.Notice) error {
	b.sent = append(b.sent, n)
	return nil
}

func TestMessages(t *testing.T) {
	at := time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)
	source := &change.Source{ConstructPath: "Shop/Jobs/Resource", Diff: "diff a b\n--- a\n+++ b\n+ SqsManagedSseEnabled: true\n"}
	for outcome, tc := range map[change.Outcome]struct {
		subject  string
		severity finding.Severity
		says     []string
		not      string
	}{
		"":               {"to be changed in the template: r of Jobs", finding.Medium, []string{"In the template of stack Shop:", "Construct: Shop/Jobs/Resource", "+ SqsManagedSseEnabled: true"}, "diff a b"},
		change.Applied:   {"change made: r of Jobs", finding.Medium, []string{"In the template of stack Shop, until 2026-03-15, else the next deployment may take this back and the finding is opened again"}, ""},
		change.Expired:   {"change not made: nobody has decided in time: r of Jobs", finding.Critical, []string{"ended as expired. why"}, "In the template"},
		change.Partly:    {"change half done: r of Jobs", finding.High, []string{"why"}, ""},
		change.Accepted:  {"change not made: the violation is accepted: r of Jobs", finding.Medium, nil, ""},
		change.Stopped:   {"change not made: all changes are stopped: r of Jobs", finding.Medium, nil, ""},
		change.Postponed: {"change not made: too many changes at once: r of Jobs", finding.Medium, nil, ""},
		change.Excluded:  {"change not made: the policy leaves the resource alone: r of Jobs", finding.Medium, nil, ""},
		"new-word":       {"change new-word: r of Jobs", finding.Medium, nil, ""},
	} {
		t.Run(string(outcome), func(t *testing.T) {
			var blobs blob.Memory
			hash, err := change.Keep(t.Context(), &blobs, &change.Planned{
				Change: "c", Alias: "payments-prod", FollowIn: 14 * 24 * 3600, Template: source,
				Plan: remedy.Plan{Rule: "r", Title: "it is encrypted", Severity: finding.Medium, Identifier: "jobs", Diff: []string{"+ A: 1"},
					Resource: finding.Resource{Account: "111122223333", Region: "eu-west-1", Stack: "Shop", LogicalID: "Jobs", Type: "AWS::SQS::Queue"}},
			})
			if err != nil {
				t.Fatal(err)
			}
			b := &box{}
			h := tellchange.New(b, &blobs, func() time.Time { return at })
			in := tellchange.In{Plan: hash, Result: change.Result{Outcome: outcome, Reason: "why"}}
			for range 2 { // told again, it is the same message
				if _, err := h.Handle(t.Context(), in); err != nil {
					t.Fatal(err)
				}
			}
			n := b.sent[0]
			if n.ID != b.sent[1].ID || n.Body != b.sent[1].Body {
				t.Errorf("told again: %+v", b.sent[1])
			}
			if n.Subject != tc.subject || n.Severity != tc.severity {
				t.Errorf("%q of %s, want %q of %s", n.Subject, n.Severity, tc.subject, tc.severity)
			}
			for _, want := range append(tc.says, "Account: payments-prod (111122223333), eu-west-1, stack Shop", "Plan "+hash, "+ A: 1") {
				if !strings.Contains(n.Body, want) {
					t.Errorf("it does not say %q:\n%s", want, n.Body)
				}
			}
			if tc.not != "" && strings.Contains(n.Body, tc.not) {
				t.Errorf("it says %q:\n%s", tc.not, n.Body)
			}
		})
	}
}
