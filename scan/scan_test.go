package scan_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/blob"
	"plumbline/cfn"
	"plumbline/scan"
)

const template = `Resources:
  Cards:
    Type: AWS::S3::Bucket
`

func TestASnapshotIsParsedOnce(t *testing.T) {
	var loads, resolves atomic.Int32
	s := &scan.Snapshot{Target: scan.Target{Path: "a.yaml"}, Source: []byte(template), Observe: func(p scan.Phase, _ time.Duration) {
		switch p {
		case scan.PhaseLoad:
			loads.Add(1)
		case scan.PhaseResolve:
			resolves.Add(1)
		}
	}}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if models, err := s.Models(); err != nil || models[0].Resource("Cards") == nil {
				t.Errorf("models = %v, %v", models, err)
			}
		})
	}
	wg.Wait()
	if loads.Load() != 1 || resolves.Load() != 1 {
		t.Errorf("parsed %d and resolved %d times, want once", loads.Load(), resolves.Load())
	}
}

func TestASnapshotThatCannotBeRead(t *testing.T) {
	for name, s := range map[string]*scan.Snapshot{
		"no permission": {Target: scan.Target{Path: "a.yaml"}, Failed: "permission denied"},
		"no template":   {Target: scan.Target{Path: "a.yaml"}, Source: []byte("Resources: [")},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.Template()
			var p *cfn.Problem
			if !errors.As(err, &p) || p.Pos.Line < 1 || p.Path != "a.yaml" || p.Message == "" {
				t.Errorf("error = %+v, want a problem with its place", err)
			}
			if models, err := s.Models(); err == nil {
				t.Errorf("models = %v and no error", models)
			}
		})
	}
}

func TestKeys(t *testing.T) {
	at := time.Date(2026, 3, 1, 7, 0, 0, 0, time.FixedZone("east", 3600))
	odd := scan.Target{Path: "../a b/ü.yaml"}
	keys := []string{
		scan.WorkFolder("s 1", odd), scan.AssessmentKey("s 1", odd), scan.TargetsKey("s 1"), scan.FailureKey("s 1", odd),
		scan.FailureKey("s 1", scan.Target{}), scan.ReportFolder("s 1", at, odd), scan.SummaryKey("s 1", at),
	}
	seen := map[string]bool{}
	for _, k := range keys {
		if err := blob.ValidKey(k); err != nil || seen[k] {
			t.Errorf("key %q is not valid or stands twice: %v", k, err)
		}
		seen[k] = true
	}
	regions := map[string]bool{}
	for _, region := range []string{"us-east-1", "eu-west-1"} { // of one cdk.out
		regions[scan.ReportFolder("s1", at, scan.Target{Path: "P.template.json", Stack: "Payments", Account: "111122223333", Region: region})] = true
	}
	if len(regions) != 2 {
		t.Errorf("the reports of one stack in two regions lie in %v", regions)
	}
	if got, want := scan.ReportFolder("s1", at, scan.Target{Stack: "Payments", Account: "111122223333", Region: "eu-west-1"}), "reports/Payments/20260301T060000Z-s1"; got != want {
		t.Errorf("ReportFolder = %q, want %q", got, want)
	}
	if strings.HasPrefix(scan.AssessmentKey("s1", odd), scan.WorkFolder("s1", odd)+"/") {
		t.Error("an assessment goes away with the working objects of its target")
	}
}

func TestTargets(t *testing.T) {
	for _, tc := range []struct {
		t           scan.Target
		where, text string
	}{
		{scan.Target{Path: "a.yaml"}, "a.yaml", "a.yaml"},
		{scan.Target{Path: "a.yaml", Stack: "S"}, "S", "a.yaml"},
		{scan.Target{Stack: "S"}, "S", "stack S"},
		{scan.Target{Stack: "S", Region: "eu-west-1"}, "S", "stack S in eu-west-1"},
	} {
		if tc.t.Where() != tc.where || tc.t.String() != tc.text {
			t.Errorf("%+v: %q, %q", tc.t, tc.t.Where(), tc.t.String())
		}
	}
	a, b := scan.Target{Stack: "S", Region: "eu-west-1"}, scan.Target{Stack: "S", Region: "us-east-1"}
	if a.ID() == b.ID() || scan.CompareTargets(a, b) >= 0 || scan.CompareTargets(a, a) != 0 {
		t.Error("two regions are not told apart")
	}
}

func TestFailure(t *testing.T) {
	now := time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)
	said := scan.FailureInput{Workflow: "scan-stack", ScanID: "s1", Target: scan.Target{Stack: "P"}}
	said.Error.Error, said.Error.Cause = "StoreFailed", `{"errorMessage":"disk full","errorType":"StoreFailed"}`
	change := func(d scan.StatusChange) scan.FailureInput {
		d.ExecutionArn, d.StateMachineArn = "arn:aws:states:eu-west-1:1:execution:ScanStack:run-7", "arn:aws:states:eu-west-1:1:stateMachine:ScanStack"
		return scan.FailureInput{Detail: &d}
	}
	for _, tc := range []struct {
		name string
		in   scan.FailureInput
		want scan.Failure
		err  string
	}{
		{"a workflow says so", said, scan.Failure{ScanID: "s1", Workflow: "scan-stack", Target: scan.Target{Stack: "P"}, Error: "StoreFailed", Cause: "disk full", Time: now}, ""},
		{
			"timed out", change(scan.StatusChange{Status: "TIMED_OUT", Error: "States.Timeout", Input: `{"scanId":"s1","target":{"stack":"P"}}`}),
			scan.Failure{ScanID: "s1", Workflow: "ScanStack", Target: scan.Target{Stack: "P"}, Error: "States.Timeout", Time: now}, "",
		},
		{
			"aborted, its input left out", change(scan.StatusChange{Status: "ABORTED"}),
			scan.Failure{ScanID: "run-7", Workflow: "ScanStack", Error: "ABORTED", Time: now}, "",
		},
		{"an input that is no JSON", change(scan.StatusChange{Status: "ABORTED", Input: "{"}), scan.Failure{}, "decode the input of execution"},
		{"no error", scan.FailureInput{ScanID: "s1"}, scan.Failure{}, "without an error name"},
		{"no scan", scan.FailureInput{Error: said.Error}, scan.Failure{}, "without scanId"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := tc.in.Failure(now)
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Errorf("error = %v, want …%s…", err, tc.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestCause(t *testing.T) {
	for text, want := range map[string]string{
		"plain":                     "plain",
		`{"errorMessage":"m"}`:      "m",
		`{"other":1}`:               `{"other":1}`,
		`{broken`:                   `{broken`,
		`{"errorMessage":["list"]}`: `{"errorMessage":["list"]}`,
	} {
		if got := scan.Cause(text); got != want {
			t.Errorf("Cause(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestStoreReport(t *testing.T) {
	store := new(blob.Memory)
	render := func(w io.Writer, format string, r *scan.Report) error {
		if format == "html" && len(r.Skipped) > 0 {
			return errors.New("no template")
		}
		_, err := fmt.Fprintf(w, "%s of %s", format, r.Provenance.Tool)
		return err
	}
	if err := scan.StoreReport(t.Context(), store, render, "reports/a", &scan.Report{Provenance: scan.Provenance{Tool: "plumbline"}}); err != nil {
		t.Fatal(err)
	}
	got, err := blob.Get[blob.Raw](t.Context(), store, blob.Ref{Key: "reports/a/report.html"})
	if err != nil || string(*got) != "html of plumbline" {
		t.Errorf("stored %q, %v", got, err)
	}
	var failed *scan.RenderError
	err = scan.StoreReport(t.Context(), store, render, "reports/b", &scan.Report{Skipped: make([]scan.Skipped, 1)})
	if !errors.As(err, &failed) || failed.Format != "html" {
		t.Errorf("error = %v, want a RenderError of html", err)
	}
}
