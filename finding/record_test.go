package finding_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/finding"
)

func TestMerge(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 3, n, 6, 0, 0, 0, time.UTC) }
	at := func(s finding.State, d int) finding.Record {
		return finding.Record{State: s, FirstSeen: day(1), LastSeen: day(d)}
	}
	for _, tc := range []struct {
		name            string
		old, next, want finding.Record
	}{
		{"seen again", at(finding.New, 1), at(finding.Open, 2), at(finding.Open, 2)},
		{"an older scan finishes late", at(finding.Open, 5), at(finding.New, 2), at(finding.Open, 5)},
		{"the same again", at(finding.Open, 2), at(finding.Open, 2), at(finding.Open, 2)},
		{"the same scan retried after its own write", at(finding.New, 2), at(finding.Open, 2), at(finding.New, 2)},
		{"a decision stays", at(finding.Acknowledged, 2), at(finding.Open, 3), at(finding.Acknowledged, 3)},
		{"an acceptance stays", at(finding.Suppressed, 2), at(finding.New, 3), at(finding.Suppressed, 3)},
		{"a decision ends with the finding", at(finding.InRemediation, 2), at(finding.Resolved, 3), at(finding.Resolved, 3)},
		{"an acceptance ends", at(finding.Suppressed, 2), at(finding.Reopened, 3), at(finding.Reopened, 3)},
		{"it returns", at(finding.Resolved, 2), at(finding.Reopened, 3), at(finding.Reopened, 3)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, finding.Merge(tc.old, tc.next)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestOnlyAResolvedRecordExpires(t *testing.T) {
	at := time.Date(2027, 1, 1, 0, 0, 0, 0, time.FixedZone("east", 3600))
	for _, s := range []finding.State{finding.New, finding.Open, finding.Acknowledged, finding.InRemediation, finding.Reopened, finding.Suppressed} {
		if got := (finding.Record{State: s, ExpiresAt: at}).Clean(); !got.ExpiresAt.IsZero() {
			t.Errorf("state %s expires at %v", s, got.ExpiresAt)
		}
	}
	if got := (finding.Record{State: finding.Resolved, ExpiresAt: at}).Clean(); !got.ExpiresAt.Equal(at) {
		t.Errorf("resolved: ExpiresAt = %v, want %v", got.ExpiresAt, at)
	}
}

func TestKeys(t *testing.T) {
	r := finding.Record{
		Finding: finding.Finding{
			Rule:     "s3-bucket-versioning",
			Resource: finding.Resource{Account: "111122223333", Region: "eu-west-1", Stack: "Payments", LogicalID: "Cards"},
			Place:    finding.Place{Path: "cdk.out/Payments.template.json", Line: 3},
		},
		FirstSeen: time.Date(2026, 3, 1, 7, 0, 0, 5, time.FixedZone("east", 3600)),
	}
	if got, want := r.ResourceID(), "111122223333/eu-west-1/Payments/Cards"; got != want {
		t.Errorf("ResourceID = %q, want %q", got, want)
	}
	if got, want := r.SortKey(), "2026-03-01T06:00:00.000000005Z#s3-bucket-versioning"; got != want {
		t.Errorf("SortKey = %q, want %q", got, want)
	}
	moved := r.Finding
	moved.Place.Line = 90
	if moved.Fingerprint() != r.Fingerprint() {
		t.Error("moving a resource in its file changes its fingerprint")
	}
	other := r.Finding
	other.Resource.Region = "us-east-1"
	if other.Fingerprint() == r.Fingerprint() {
		t.Error("the same stack in another region has the same fingerprint")
	}
	path := finding.Record{Finding: finding.Finding{Place: finding.Place{Path: "a.yaml"}, Resource: finding.Resource{LogicalID: "B"}}}
	if got, want := path.ResourceID(), "//a.yaml/B"; got != want {
		t.Errorf("without a stack: ResourceID = %q, want %q", got, want)
	}
}

func TestSeverityOrder(t *testing.T) {
	for _, tc := range []struct {
		s, floor finding.Severity
		want     bool
	}{
		{finding.Critical, finding.Low, true},
		{finding.Medium, finding.Medium, true},
		{finding.Low, finding.Medium, false},
		{"bogus", finding.Low, false},
		{"bogus", "bogus", false},
	} {
		if got := tc.s.AtLeast(tc.floor); got != tc.want {
			t.Errorf("%s.AtLeast(%s) = %v", tc.s, tc.floor, got)
		}
	}
}

func TestStatusAndCounts(t *testing.T) {
	f := finding.Finding{Verdict: finding.Fail}
	if f.Status() != "fail" {
		t.Errorf("Status = %q", f.Status())
	}
	f.Suppressed = &finding.Suppression{Reason: "known"}
	if f.Status() != finding.StatusSuppressed {
		t.Errorf("Status = %q", f.Status())
	}
	c := finding.Counts{"fail": 1}
	c.Add(finding.Counts{"fail": 2, "pass": 3})
	if diff := cmp.Diff(finding.Counts{"fail": 3, "pass": 3}, c); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestActiveStates(t *testing.T) {
	for s, want := range map[finding.State]bool{
		finding.New: true, finding.Open: true, finding.Acknowledged: true, finding.InRemediation: true,
		finding.Reopened: true, finding.Resolved: false, finding.Suppressed: false,
	} {
		if s.Active() != want {
			t.Errorf("%s.Active() = %v", s, s.Active())
		}
	}
}
