package report

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/finding"
	"plumbline/scan"
)

// jsonFinding is a finding in the shape that the JSON Schema publishes.
func (d *Document) jsonFinding(a *scan.Assessment, f *finding.Finding) *jsonFinding {
	j := &jsonFinding{
		Rule: f.Rule, Status: f.Status(), Severity: f.Severity, Domain: f.Domain,
		Template: f.Place.Path, Line: f.Place.Line, Column: f.Place.Column,
		Message: f.Message, Needs: f.Needs, Assuming: f.Assuming, Scope: f.Scope,
		Controls: d.Rules[f.Rule].Controls,
	}
	if j.Template == "" {
		j.Template = a.Target.Path
	}
	if f.Resource.LogicalID != "" {
		j.Resource = &jsonResource{f.Resource.LogicalID, f.Resource.Type, f.Resource.ConstructPath, f.Resource.Stack, f.Resource.Account, f.Resource.Region}
	}
	if f.Verdict != finding.Pass && f.Verdict != finding.Skip {
		j.Remediation, j.Fix, j.Fingerprint = f.Remediation, f.Fix, f.Fingerprint()
	}
	if s := f.Suppressed; s != nil {
		j.Suppression = &jsonSuppression{s.Reason, s.Approver, s.Until, s.Control, s.Source}
	}
	return j
}

func TestFindingsAreWrittenAsEncodingJSONWritesThem(t *testing.T) {
	odd := "\x00\x1f\x7f\b\f\n\r\t\"\\/<a href='x'>&amp;ü\u2028\u2029\u202e😀\xff\xc3"
	d := &Document{Rules: map[string]Rule{"r": {Controls: []Control{{"pci-dss-4.0.1", "1.2.3", "direct"}, {odd, odd, odd}}}}}
	a := &scan.Assessment{Target: scan.Target{Path: "a&b.yaml"}}
	full := finding.Finding{
		Rule: "r", Severity: finding.High, Domain: finding.Network, Verdict: finding.Fail, Message: odd, Remediation: odd, Fix: finding.FixAvailable,
		Resource: finding.Resource{LogicalID: odd, Type: odd, ConstructPath: odd, Stack: odd, Account: odd, Region: odd},
		Place:    finding.Place{Path: odd, Line: 12, Column: 3}, Needs: []string{odd, "b"}, Assuming: []string{odd}, Scope: "cde",
		Suppressed: &finding.Suppression{Reason: odd, Approver: odd, Until: odd, Control: odd, Source: odd},
	}
	passed := full
	passed.Verdict, passed.Suppressed = finding.Pass, nil
	for name, f := range map[string]finding.Finding{
		"all": full, "pass": passed, "nothing": {}, "unknown rule": {Rule: "other", Verdict: finding.Unknown, Needs: []string{}},
		"bare suppression": {Verdict: finding.Fail, Suppressed: &finding.Suppression{}, Resource: finding.Resource{LogicalID: "A"}},
	} {
		t.Run(name, func(t *testing.T) {
			want, err := json.Marshal(d.jsonFinding(a, &f))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(d.appendFinding(nil, a, &f))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func FuzzAppendText(f *testing.F) {
	for _, s := range []string{"", "plain", "\x00<>&\u2028", "\xf0\x9f"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if got := appendText(nil, s); string(got) != string(want) {
			t.Errorf("%q becomes %s, want %s", s, got, want)
		}
	})
}
