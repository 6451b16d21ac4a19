package report_test

import (
	"encoding/csv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/finding"
	"plumbline/internal/report"
	"plumbline/scan"
)

func TestCSV(t *testing.T) {
	d := &report.Document{
		Rules: map[string]report.Rule{"r": {Title: "A title", Controls: []report.Control{{Framework: "pci-dss-4.0.1", ID: "1.2.1"}, {Framework: "own", ID: "2"}}}},
		Report: &scan.Report{Assessments: []scan.Assessment{{Target: scan.Target{Path: "t.yaml"}, Findings: []finding.Finding{
			{Rule: "r", Severity: finding.High, Verdict: finding.Fail, Message: "says \"no\",\nthen stops", Resource: finding.Resource{LogicalID: "=HYPERLINK(1)"}, Place: finding.Place{Path: "t.yaml", Line: 3}},
			{Rule: "r", Severity: finding.Low, Verdict: finding.Fail, Suppressed: &finding.Suppression{Reason: "+1", Approver: "ann", Until: "2027-01-01"}},
		}}}},
	}
	var out strings.Builder
	if err := report.Write(&out, "csv", d); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(out.String())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	type row map[string]string
	var got []row
	for _, r := range rows[1:] {
		x := row{}
		for i, v := range r {
			if v != "" && rows[0][i] != "fingerprint" {
				x[rows[0][i]] = v
			}
		}
		got = append(got, x)
	}
	want := []row{
		{"template": "t.yaml", "line": "3", "logicalId": "'=HYPERLINK(1)", "rule": "r", "title": "A title", "severity": "high", "status": "fail", "message": "says \"no\",\nthen stops", "controls": "pci-dss-4.0.1:1.2.1; own:2"},
		{"template": "t.yaml", "rule": "r", "title": "A title", "severity": "low", "status": "suppressed", "controls": "pci-dss-4.0.1:1.2.1; own:2", "reason": "'+1", "approver": "ann", "until": "2027-01-01"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
