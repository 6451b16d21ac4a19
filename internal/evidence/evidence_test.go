package evidence_test

import (
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/finding"
	"plumbline/internal/evidence"
	"plumbline/internal/report"
	"plumbline/scan"
)

func day(d int) time.Time { return time.Date(2026, 7, d, 12, 0, 0, 0, time.UTC) }

var framework = report.Framework{ID: "own", Title: "Ours", Requirements: []report.Requirement{
	{ID: "1", Title: "one", Rules: []string{"a", "b"}},
	{ID: "2", Title: "two", Rules: []string{"b"}},
	{ID: "3", Title: "three", Rules: []string{"c"}},
	{ID: "4", Title: "four", Rules: []string{"d"}},
	{ID: "5", Title: "five", NotCovered: "all of it"},
}}

// kept is the report of one target as a scan keeps it, read back.
func kept(t *testing.T, target scan.Target, at time.Time, gone bool, findings ...finding.Finding) evidence.Kept {
	t.Helper()
	var b strings.Builder
	err := report.Write(&b, "json", &report.Document{
		Frameworks: []report.Framework{framework}, ByRequirement: true, Show: report.StoredShow(),
		Report: &scan.Report{
			Provenance:  scan.Provenance{Tool: "plumbline", Version: "1", RulesHash: "h", Finished: at},
			Assessments: []scan.Assessment{{Target: target, Findings: findings, Gone: gone, Hash: "sum"}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	var k evidence.Kept
	if err := json.Unmarshal([]byte(b.String()), &k); err != nil {
		t.Fatal(err)
	}
	k.Folder = scan.ReportFolder("s", at, target)
	return k
}

func judged(rule string, v finding.Verdict, resource string) finding.Finding {
	return finding.Finding{Rule: rule, Verdict: v, Severity: finding.High, Resource: finding.Resource{LogicalID: resource}, Message: rule + " of " + resource}
}

func TestNew(t *testing.T) {
	accepted := judged("a", finding.Fail, "Y")
	accepted.Suppressed = &finding.Suppression{Reason: "moved next year", Approver: "ann", Until: "2027-01-01"}
	data, api := scan.Target{Path: "d.yaml", Stack: "Data"}, scan.Target{Path: "./api.yaml", Name: "api.yaml"}
	in := evidence.Input{
		Framework: framework,
		Period:    evidence.Period{Since: day(10), Until: day(20)},
		Scans:     []scan.Summary{{Finished: day(9)}, {Finished: day(11)}, {Finished: day(15), Partial: []finding.Domain{finding.Network}}, {Finished: day(21)}},
		Failures:  []scan.Failure{{Time: day(2)}, {Time: day(20)}},
		Reports: []evidence.Kept{
			kept(t, data, day(15), false, judged("a", finding.Pass, "X"), judged("b", finding.Fail, "X"), accepted, judged("c", finding.Unknown, "X")),
			kept(t, data, day(11), false, judged("a", finding.Fail, "X"), judged("d", finding.Fail, "X")), // an older one of the period
			kept(t, data, day(21), false, judged("c", finding.Fail, "X")),                                 // after it
			kept(t, api, day(11), false, judged("b", finding.Pass, "X"), judged("b", finding.Pass, "Z")),
			kept(t, scan.Target{Stack: "Old"}, day(11), false, judged("d", finding.Fail, "X")),
			kept(t, scan.Target{Stack: "Old"}, day(12), true),
		},
	}
	got := evidence.New(in)

	type result struct {
		ID, Result, Words string
		Checks            []string
		Violations        int
	}
	var results []result
	for _, r := range got.Requirements {
		results = append(results, result{r.ID, r.Result, r.Words, r.Checks, len(r.Violations)})
	}
	want := []result{
		{"1", "violations", "1 violation found by 2 checks over 4 resources, 1 violation accepted", []string{"a", "b"}, 1},
		{"2", "violations", "1 violation found by 1 check over 3 resources", []string{"b"}, 1},
		{"3", "open", "no violation found by 1 check over 1 resource, 1 verdict open", []string{"c"}, 0},
		{"4", "nothing-checked", "nothing to check was found by 1 rule", []string{}, 0},
		{"5", "by-hand", "no rule looks at this; it must be checked by hand", []string{}, 0},
	}
	if d := cmp.Diff(want, results); d != "" {
		t.Errorf("requirements (-want +got)\n%s", d)
	}
	if d := cmp.Diff(evidence.Scans{Ended: 2, Partial: 1, Failures: 1, First: day(11), Last: day(15)}, got.Scans); d != "" {
		t.Errorf("scans (-want +got)\n%s", d)
	}
	targets := []evidence.Target{
		{Name: "./api.yaml", SHA256: "sum", Scanned: day(11), Scans: 1, Report: scan.ReportFolder("s", day(11), api)},
		{Name: "d.yaml", Stack: "Data", SHA256: "sum", Scanned: day(15), Scans: 2, Report: scan.ReportFolder("s", day(15), data)},
	}
	if d := cmp.Diff(targets, got.Targets); d != "" {
		t.Errorf("targets (-want +got)\n%s", d)
	}
	exceptions := []evidence.Exception{{
		Violation:    evidence.Violation{Rule: "a", Severity: "high", Target: "Data", Resource: "Y", Message: "a of Y"},
		Requirements: []string{"1"}, Reason: "moved next year", Approver: "ann", Until: "2027-01-01",
	}}
	if d := cmp.Diff(exceptions, got.Exceptions); d != "" {
		t.Errorf("exceptions (-want +got)\n%s", d)
	}
}

func TestWrite(t *testing.T) {
	hostile := judged("a", finding.Fail, "<script>alert(1)</script>")
	hostile.Message = "=cmd()"
	e := evidence.New(evidence.Input{Framework: framework, Period: evidence.Period{Until: day(20)}, Reports: []evidence.Kept{
		kept(t, scan.Target{Stack: "Data"}, day(1), false, hostile),
	}})
	written := map[string]string{}
	for _, format := range evidence.Formats {
		var b strings.Builder
		if err := evidence.Write(&b, format, e); err != nil {
			t.Fatal(format, err)
		}
		written[format] = b.String()
	}
	if page := written["html"]; strings.Contains(page, "<script>alert") || !strings.Contains(page, "&lt;script&gt;alert(1)") {
		t.Error("the page shows a name as markup, or not at all")
	}
	var back evidence.Evidence
	if err := json.Unmarshal([]byte(written["json"]), &back); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(e, &back); d != "" {
		t.Errorf("JSON does not read back (-want +got)\n%s", d)
	}
	rows, err := csv.NewReader(strings.NewReader(written["csv"])).ReadAll()
	if err != nil || len(rows) != 1+len(framework.Requirements) {
		t.Errorf("CSV has %d lines, %v", len(rows), err)
	}
	if err := evidence.Write(&strings.Builder{}, "pdf", e); err == nil || !strings.Contains(err.Error(), "html, json, csv") {
		t.Errorf("format pdf: %v", err)
	}
}
