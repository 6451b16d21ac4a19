package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/asl/engine"
	"plumbline/asl/value"
	"plumbline/blob"
	"plumbline/cfn/source"
	"plumbline/finding"
	"plumbline/ruleset"
	"plumbline/scan"
	"plumbline/tasks"
	"plumbline/tasks/catalog"
)

// ruleFiles are two small rules in two domains.
var ruleFiles = fstest.MapFS{
	"s3/versioned.yaml": {Data: []byte(`id: s3-versioned
title: Bucket keeps old versions
severity: critical
domain: protection
types: [AWS::S3::Bucket]
pass: resource.VersioningConfiguration.Status == "Enabled"
message: '"versioning is off"'
remediation: Turn versioning on.
`)},
	"sqs/encrypted.yaml": {Data: []byte(`id: sqs-encrypted
title: Queue is encrypted
severity: low
domain: encryption
types: [AWS::SQS::Queue]
pass: resource.KmsMasterKeyId != ""
message: '"no key"'
remediation: Give a key.
`)},
}

const (
	bad = `Resources:
  Cards:
    Type: AWS::S3::Bucket
  Jobs:
    Type: AWS::SQS::Queue
`
	good = `Resources:
  Cards:
    Type: AWS::S3::Bucket
    Properties: {VersioningConfiguration: {Status: Enabled}}
  Jobs:
    Type: AWS::SQS::Queue
    Properties: {KmsMasterKeyId: alias/jobs}
`
)

func open(t testing.TB) *ruleset.Set {
	t.Helper()
	set, err := ruleset.Open(ruleFiles, nil)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// folder writes templates by name and lists them.
func folder(t testing.TB, files map[string]string) []source.Template {
	t.Helper()
	dir := t.TempDir()
	var out []source.Template
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		out = append(out, source.Template{Path: path})
	}
	return out
}

// clock is a time that moves a minute with each question.
func clock() func() time.Time {
	var n atomic.Int64
	return func() time.Time {
		return time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC).Add(time.Duration(n.Add(1)) * time.Minute)
	}
}

func mustScan(t testing.TB, o Options) *scan.Report {
	t.Helper()
	if o.Rules == nil {
		o.Rules = open(t)
	}
	if o.Now == nil {
		o.Now = clock()
	}
	r, err := Scan(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// lines lists a report's findings as "file rule resource status".
func lines(r *scan.Report) []string {
	var out []string
	for _, a := range r.Assessments {
		for _, f := range a.Findings {
			out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", filepath.Base(f.Place.Path), f.Rule, f.Resource.LogicalID, f.Status())))
		}
	}
	return out
}

func failTask(name string) tasks.Func {
	return tasks.Of(func(context.Context, any) (any, error) {
		return nil, tasks.Named(name, errors.New("so the test wants it"))
	})
}

func TestScan(t *testing.T) {
	files := map[string]string{"a.yaml": bad, "b.yaml": good, "c.yaml": bad}
	var phases sync.Map
	var progress atomic.Int32
	r := mustScan(t, Options{
		Templates: folder(t, files), Skipped: []source.Skipped{{Path: "notes.txt", Reason: "no template"}},
		Observe: func(p scan.Phase, _ time.Duration) {
			n, _ := phases.LoadOrStore(p, new(atomic.Int32))
			n.(*atomic.Int32).Add(1)
		},
		Progress: func(done, total int) {
			if total != 3 || done < 1 || done > 3 {
				t.Errorf("progress %d of %d", done, total)
			}
			progress.Add(1)
		},
	})
	want := []string{
		"a.yaml s3-versioned Cards fail", "a.yaml sqs-encrypted Jobs fail",
		"c.yaml s3-versioned Cards fail", "c.yaml sqs-encrypted Jobs fail",
	}
	if diff := cmp.Diff(want, lines(r)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(finding.Counts{"fail": 4, "pass": 5}, r.Counts); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if progress.Load() != 3 || len(r.Skipped) != 1 {
		t.Errorf("progress called %d times, %d files skipped", progress.Load(), len(r.Skipped))
	}
	for phase, want := range map[scan.Phase]int32{scan.PhaseRead: 3, scan.PhaseLoad: 3, scan.PhaseResolve: 3, scan.PhaseJudge: 21} {
		n, ok := phases.Load(phase)
		if !ok || n.(*atomic.Int32).Load() != want {
			t.Errorf("phase %s was gone through %v times, want %d: one parse a template, seven judgements", phase, n, want)
		}
	}
	for _, a := range r.Assessments {
		if a.Open != 0 || a.New != nil {
			t.Errorf("without a data folder something is new: %+v", a)
		}
	}
}

func TestTheSameOrderEachTime(t *testing.T) {
	files := map[string]string{}
	for i := range 30 {
		files[fmt.Sprintf("t%02d.yaml", i)] = bad
	}
	list := folder(t, files)
	first := lines(mustScan(t, Options{Templates: list, Workers: 8}))
	slices.Reverse(list)
	if diff := cmp.Diff(first, lines(mustScan(t, Options{Templates: list, Workers: 1}))); diff != "" {
		t.Errorf("(-first +second):\n%s", diff)
	}
}

func TestKeepAll(t *testing.T) {
	r := mustScan(t, Options{Templates: folder(t, map[string]string{"b.yaml": good}), Keep: func(string) bool { return true }})
	want := []string{"b.yaml template-readable pass", "b.yaml s3-versioned Cards pass", "b.yaml sqs-encrypted Jobs pass"}
	got := lines(r)
	for i := range got {
		got[i] = strings.Join(strings.Fields(got[i]), " ")
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhatCannotBeReadIsOneOutcome(t *testing.T) {
	list := folder(t, map[string]string{"a.yaml": bad, "b.yaml": "Resources: ["})
	gone := filepath.Join(t.TempDir(), "gone.yaml")
	list = append(list, source.Template{Path: gone}, source.Template{Path: "shut.yaml", Failed: "permission denied"}, source.Template{Path: source.Stdin, Source: []byte(bad)})
	r := mustScan(t, Options{Templates: list})
	want := []string{
		"- s3-versioned Cards fail", "- sqs-encrypted Jobs fail",
		"a.yaml s3-versioned Cards fail", "a.yaml sqs-encrypted Jobs fail",
		"b.yaml template-readable  error", "gone.yaml template-readable  error", "shut.yaml template-readable  error",
	}
	got := lines(r)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestALostDomainIsPartial(t *testing.T) {
	for name, f := range map[string]tasks.Func{
		"an error": failTask(catalog.RulesBroken),
		"a panic":  tasks.Of(func(context.Context, any) (any, error) { panic("index out of range") }),
	} {
		t.Run(name, func(t *testing.T) {
			var told []scan.Notice
			r := mustScan(t, Options{
				Templates: folder(t, map[string]string{"a.yaml": bad}),
				Tasks:     map[string]tasks.Func{"${EvaluateProtectionArn}": f},
				Notice:    func(n scan.Notice) { told = append(told, n) },
			})
			a := r.Assessments[0]
			if diff := cmp.Diff([]finding.Domain{finding.Protection}, a.Partial); diff != "" {
				t.Errorf("Partial (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{"a.yaml sqs-encrypted Jobs fail"}, lines(r)); diff != "" {
				t.Errorf("the other domains (-want +got):\n%s", diff)
			}
			if len(a.Failures) != 1 || a.Failures[0].Error == "" || strings.HasPrefix(a.Failures[0].Cause, "{") {
				t.Errorf("why: %+v", a.Failures)
			}
			if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "a.yaml: the rules of domain protection were not judged: ") || strings.Contains(r.Warnings[0], "\n") {
				t.Errorf("warnings: %q", r.Warnings)
			}
			if len(told) != 1 || told[0].Kind != scan.NoticePartial {
				t.Errorf("told: %+v", told)
			}
		})
	}
}

func TestALostTargetIsToldAndCostsTheOthersNothing(t *testing.T) {
	list := folder(t, map[string]string{"a.yaml": bad, "b.yaml": bad})
	lost := list[0].Path
	real := tasks.Of(func(_ context.Context, in struct {
		Target   scan.Target
		Snapshot blob.Ref
	}) (any, error) {
		return nil, tasks.Named(catalog.StoreFailed, errors.New("disk full"))
	})
	var told []scan.Notice
	var mu sync.Mutex
	o := Options{Templates: list, Rules: open(t), Now: clock(), Notice: func(n scan.Notice) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, n)
	}}
	r, err := newRunner(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	fetch := r.functions["${FetchStackArn}"]
	r.functions["${FetchStackArn}"] = func(ctx context.Context, b []byte) ([]byte, error) {
		if strings.Contains(string(b), filepath.Base(lost)) {
			return real(ctx, b)
		}
		return fetch(ctx, b)
	}
	report, err := r.scan(t.Context())
	if _, err := r.close(t.Context(), succeeded, err); err != nil {
		t.Fatal(err)
	}
	for _, a := range report.Assessments {
		if a.Target.Path != lost {
			if len(a.Findings) != 2 || len(a.Partial) != 0 {
				t.Errorf("the other template: %+v", a)
			}
			continue
		}
		if len(a.Partial) != len(finding.Domains) || len(a.Failures) != 1 || a.Failures[0].Error != catalog.StoreFailed || !strings.Contains(a.Failures[0].Cause, "disk full") {
			t.Errorf("the lost template: %+v", a)
		}
	}
	if len(told) != 1 || told[0].Kind != scan.NoticeFailure || told[0].Target.Path != lost {
		t.Errorf("told: %+v", told)
	}
}

func TestAFailedWorkflowIsAnError(t *testing.T) {
	_, err := Scan(t.Context(), Options{
		Templates: folder(t, map[string]string{"a.yaml": bad}), Rules: open(t),
		Tasks: map[string]tasks.Func{"${SummarizeArn}": failTask(catalog.StoreFailed)},
	})
	if err == nil || !strings.Contains(err.Error(), "StoreFailed: so the test wants it") {
		t.Errorf("error = %v", err)
	}
}

func TestCancelled(t *testing.T) {
	data := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	files := map[string]string{}
	for i := range 20 {
		files[fmt.Sprintf("t%02d.yaml", i)] = bad
	}
	_, err := Scan(ctx, Options{
		Templates: folder(t, files), Rules: open(t), Data: data, Render: render,
		Progress: func(done, _ int) {
			if done == 3 {
				cancel()
			}
		},
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want context.Canceled", err)
	}
	err = filepath.WalkDir(data, func(path string, _ os.DirEntry, err error) error {
		if strings.Contains(filepath.Base(path), ".writing-") || strings.Contains(path, "estate") {
			t.Errorf("half-written: %s", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// render writes a report in a few words.
func render(w io.Writer, format string, r *scan.Report) error {
	_, err := fmt.Fprintf(w, "%s: %d failing", format, r.Counts["fail"])
	return err
}

// TestNoPayloadIsTooLarge scans a template of 1 MB with 500 resources and looks
// at everything that goes in or out of a state.
func TestNoPayloadIsTooLarge(t *testing.T) {
	var b strings.Builder
	b.WriteString("Resources:\n")
	for i := range 500 {
		fmt.Fprintf(&b, "  Cards%d:\n    Type: AWS::S3::Bucket\n    Metadata: {note: %q}\n", i, strings.Repeat("x", 2100))
	}
	largest, states := 0, 0
	r := mustScan(t, Options{
		Templates: []source.Template{{Path: "large.yaml", Source: []byte(b.String())}}, Keep: func(string) bool { return true }, Workers: 1,
		Watch: func(e engine.Event) {
			states++
			for _, v := range []any{e.Details.Input, e.Details.Output, e.Details.Parameters} {
				if v != nil {
					largest = max(largest, len(value.Encode(v)))
				}
			}
		},
	})
	if len(r.Assessments[0].Findings) < 500 || b.Len() < 1<<20 {
		t.Fatalf("%d findings in %d bytes", len(r.Assessments[0].Findings), b.Len())
	}
	if states < 40 || largest == 0 || largest > 16<<10 {
		t.Errorf("the largest of %d events' payloads has %d bytes; AWS allows %d, and references need but a few thousand", states, largest, blob.MaxPayload)
	}
}

func TestWhatIsAssessedIsLetGo(t *testing.T) {
	r, err := newRunner(t.Context(), Options{Templates: folder(t, map[string]string{"a.yaml": bad, "b.yaml": bad}), Rules: open(t)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := r.backends.memory.Len(); n != 6 { // two assessments, targets, summary, report, digest
		t.Errorf("%d objects are still held, want 6", n)
	}
}

func TestRun(t *testing.T) {
	list := folder(t, map[string]string{"a.yaml": bad})
	var path []string
	o := Options{Templates: list, Rules: open(t), Now: clock(), Workers: 1, Watch: func(e engine.Event) {
		if strings.HasSuffix(e.Type, "StateEntered") {
			path = append(path, e.Details.Name)
		}
	}}
	res, err := Run(t.Context(), "scan-stack", nil, o)
	if err != nil || res.Status != engine.Succeeded {
		t.Fatalf("%+v, %v", res, err)
	}
	if path[0] != "FetchStack" || path[len(path)-1] != "ScanDone" {
		t.Errorf("path = %v", path)
	}
	o.Watch = nil
	for workflow, want := range map[string]engine.Status{"scan-estate": engine.Succeeded, "report-failure": engine.Failed} {
		if res, err := Run(t.Context(), workflow, nil, o); err != nil || res.Status != want {
			t.Errorf("%s: %+v, %v", workflow, res, err)
		}
	}
	if _, err := Run(t.Context(), "scan-stock", nil, o); err == nil || !strings.Contains(err.Error(), "there are") {
		t.Errorf("an unknown workflow: %v", err)
	}
	res, err = Run(t.Context(), "scan-stack", []byte(`{"scanId":"s1"}`), o)
	if err != nil || res.Status != engine.Failed {
		t.Errorf("an input without a target: %+v, %v", res, err)
	}
}

func TestInvoke(t *testing.T) {
	r, err := newRunner(t.Context(), Options{Rules: open(t), Tasks: map[string]tasks.Func{
		"${EchoArn}": func(_ context.Context, b []byte) ([]byte, error) { return b, nil },
	}})
	if err != nil {
		t.Fatal(err)
	}
	const invoke = "arn:aws:states:::lambda:invoke"
	for _, tc := range []struct {
		name, resource, arguments string
		want                      string // output
		errName                   string
	}{
		{"as the engine writes it", invoke, `{"FunctionName":"${EchoArn}","Payload":{"a":"}"}}`, `{"StatusCode":200,"Payload":{"a":"}"}}`, ""},
		{"in another order", invoke, `{ "Payload": {"a": 1}, "FunctionName": "${EchoArn}" }`, `{"StatusCode":200,"Payload":{"a": 1}}`, ""},
		{"a payload that is no object", invoke, `{"FunctionName":"${EchoArn}","Payload":[1]}`, `{"StatusCode":200,"Payload":[1]}`, ""},
		{"a name with an escape", invoke, `{"FunctionName":"${\u0045choArn}","Payload":{}}`, `{"StatusCode":200,"Payload":{}}`, ""},
		{"no such function", invoke, `{"FunctionName":"${NobodyArn}","Payload":{}}`, "", "Lambda.ResourceNotFoundException"},
		{"no such machine to wait for", "arn:aws:states:::aws-sdk:sfn:startSyncExecution", `{"StateMachineArn":"x","Input":"{}"}`, "", "Sfn.StateMachineDoesNotExistException"},
		{"no such machine to start", "arn:aws:states:::states:startExecution", `{"StateMachineArn":"x","Input":{}}`, "", "StepFunctions.StateMachineDoesNotExistException"},
		{"another integration", "arn:aws:states:::sqs:sendMessage", `{}`, "", "States.Runtime"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			out, err := r.Invoke(t.Context(), engine.Call{Resource: tc.resource, Input: []byte(tc.arguments)})
			var failed *engine.Error
			if errors.As(err, &failed); (failed == nil) != (tc.errName == "") || failed != nil && failed.Name != tc.errName {
				t.Errorf("error = %v, want %q", err, tc.errName)
			}
			if diff := cmp.Diff(tc.want, string(out)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	for _, resource := range []string{invoke, "arn:aws:states:::aws-sdk:sfn:startSyncExecution", "arn:aws:states:::states:startExecution"} {
		if _, err := r.Invoke(t.Context(), engine.Call{Resource: resource, Input: []byte(`[`)}); err == nil {
			t.Errorf("%s: arguments that are no JSON are taken", resource)
		}
	}
	if _, err := r.close(t.Context(), succeeded, nil); err != nil {
		t.Error(err)
	}
}
