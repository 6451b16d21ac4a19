package summarize_test

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/blob"
	"plumbline/finding"
	"plumbline/scan"
	"plumbline/tasks"
	"plumbline/tasks/catalog"
	"plumbline/tasks/summarize"
)

var (
	started = time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)
	ended   = started.Add(time.Minute)
	clean   = scan.Target{Path: "a.yaml"}
	partly  = scan.Target{Path: "b.yaml"}
	unkept  = scan.Target{Path: "c.yaml"} // assessed, but a later state failed
	failed  = scan.Target{Path: "d.yaml"}
	silent  = scan.Target{Path: "e.yaml"}
)

func put(t *testing.T, s blob.Store, key string, v any) {
	t.Helper()
	if _, err := s.Put(t.Context(), key, v); err != nil {
		t.Fatal(err)
	}
}

// estate stores what five targets' scans left behind.
func estate(t *testing.T) *blob.Memory {
	s := new(blob.Memory)
	put(t, s, scan.TargetsKey("s1"), &scan.Targets{clean, partly, unkept, failed, silent})
	put(t, s, scan.AssessmentKey("s1", clean), &scan.Assessment{Target: clean, Counts: finding.Counts{"pass": 3}, Open: 1, Resolved: make([]finding.Record, 1)})
	put(t, s, scan.AssessmentKey("s1", partly), &scan.Assessment{
		Target: partly, Counts: finding.Counts{"fail": 1, "suppressed": 1}, Partial: []finding.Domain{finding.Network}, New: []string{"f1"}, Open: 1,
		Findings: []finding.Finding{
			{Rule: "r1", Severity: finding.High, Verdict: finding.Fail},
			{Rule: "r2", Severity: finding.Low, Verdict: finding.Fail, Suppressed: &finding.Suppression{Reason: "x"}},
			{Rule: "r3", Severity: finding.Low, Verdict: finding.Unknown},
		},
	})
	put(t, s, scan.AssessmentKey("s1", unkept), &scan.Assessment{Target: unkept, Counts: finding.Counts{"pass": 1}})
	put(t, s, scan.FailureKey("s1", unkept), &scan.Failure{ScanID: "s1", Target: unkept, Error: catalog.StoreFailed, Time: started})
	put(t, s, scan.FailureKey("s1", failed), &scan.Failure{ScanID: "s1", Target: failed, Error: "States.Timeout", Time: started})
	return s
}

func TestHandle(t *testing.T) {
	store := estate(t)
	render := func(w io.Writer, format string, r *scan.Report) error {
		_, err := fmt.Fprintf(w, "%s of %d targets", format, len(r.Assessments))
		return err
	}
	h := summarize.New(store, render, scan.Provenance{Tool: "plumbline"}, nil, func() time.Time { return ended })
	out, err := h.Handle(t.Context(), summarize.In{ScanID: "s1", Started: started, Targets: scan.TargetsKey("s1")})
	if err != nil {
		t.Fatal(err)
	}
	folder := "reports/estate/20260301T060000Z-s1"
	want := summarize.Out{Report: out.Report, Targets: 5, Failing: 1, Failed: 3, Partial: 3, Stored: folder, Digest: out.Digest, Tell: out.Tell}
	if diff := cmp.Diff(want, out); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	r, err := blob.Get[scan.Report](t.Context(), store, out.Report)
	if err != nil {
		t.Fatal(err)
	}
	for i, target := range []scan.Target{clean, partly, unkept, failed, silent} {
		if r.Assessments[i].Target != target {
			t.Errorf("assessment %d is of %v, want %v", i, r.Assessments[i].Target, target)
		}
	}
	if got := r.Assessments[3]; len(got.Partial) != len(finding.Domains) || got.Failures[0].Error != "States.Timeout" {
		t.Errorf("a failed target: %+v", got)
	}
	if got := r.Assessments[2]; got.Counts["pass"] != 1 || got.Failures[0].Error != catalog.StoreFailed {
		t.Errorf("a target that was assessed but not stored: %+v", got)
	}
	if got := r.Assessments[4].Failures[0]; got.Error != catalog.ObjectLost {
		t.Errorf("a target of which nothing is known: %+v", got)
	}
	if !r.Provenance.Started.Equal(started) || !r.Provenance.Finished.Equal(ended) {
		t.Errorf("times of the report: %+v", r.Provenance)
	}

	sum, err := blob.Get[scan.Summary](t.Context(), store, blob.Ref{Key: scan.SummaryKey("s1", started)})
	if err != nil {
		t.Fatal(err)
	}
	if len(sum.Failures) != 3 {
		t.Errorf("failures = %+v, want 3", sum.Failures)
	}
	sum.Failures = nil
	wantSum := &scan.Summary{
		ScanID: "s1", Started: started, Finished: ended, Targets: 5,
		Counts:  finding.Counts{"pass": 4, "fail": 1, "suppressed": 1},
		Failing: map[string]int{"high": 1}, Types: map[string]int{"Other": 1}, New: 1, Open: 2, Resolved: 1,
		Partial: finding.Domains, Report: folder,
	}
	if diff := cmp.Diff(wantSum, sum); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
}

func TestALostTargetHasAScope(t *testing.T) {
	store := estate(t)
	scope := func(t scan.Target) string { return "scope of " + t.String() }
	out, err := summarize.New(store, nil, scan.Provenance{}, scope, func() time.Time { return ended }).Handle(t.Context(), summarize.In{ScanID: "s1", Started: started, Targets: scan.TargetsKey("s1")})
	if err != nil {
		t.Fatal(err)
	}
	r, err := blob.Get[scan.Report](t.Context(), store, out.Report)
	if err != nil {
		t.Fatal(err)
	}
	lost := 0
	for _, a := range r.Assessments {
		if len(a.Findings) == 0 && len(a.Failures) > 0 && len(a.Partial) == len(finding.Domains) {
			if lost++; a.Scope != scope(a.Target) {
				t.Errorf("%s has scope %q", a.Target, a.Scope)
			}
		}
	}
	if lost == 0 {
		t.Error("no target was lost")
	}
}

func TestNoReportIsStoredWithoutARenderer(t *testing.T) {
	store := estate(t)
	before := store.Len()
	h := summarize.New(store, nil, scan.Provenance{}, nil, func() time.Time { return ended })
	out, err := h.Handle(t.Context(), summarize.In{ScanID: "s1", Started: started, Targets: scan.TargetsKey("s1")})
	if err != nil || out.Stored != "" {
		t.Errorf("got %+v, %v", out, err)
	}
	if n := store.Len() - before; n != 3 {
		t.Errorf("%d objects were stored, want the summary, and the report and the digest that are handed over", n)
	}
}

func TestErrors(t *testing.T) {
	broken := func(io.Writer, string, *scan.Report) error { return errors.New("no") }
	for want, in := range map[string]summarize.In{
		catalog.BadInput:     {},
		catalog.ObjectLost:   {ScanID: "s1", Targets: "nothing"},
		catalog.RenderFailed: {ScanID: "s1", Targets: scan.TargetsKey("s1")},
	} {
		_, err := summarize.New(estate(t), broken, scan.Provenance{}, nil, func() time.Time { return ended }).Handle(t.Context(), in)
		var named *tasks.Error
		if !errors.As(err, &named) || named.Name != want {
			t.Errorf("error = %v, want %s", err, want)
		}
	}
}
