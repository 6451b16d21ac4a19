package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/asl/asltest"
	"plumbline/asl/engine"
	"plumbline/blob"
	"plumbline/cfn/source"
	"plumbline/finding"
	"plumbline/internal/memory"
	"plumbline/scan"
	"plumbline/tasks"
	"plumbline/tasks/assess"
	"plumbline/tasks/evaluate"
	"plumbline/workflows"
)

// What the faults below strike: a template with a new violation, one that was
// open before, and one that is mended; and templates beside it.
const (
	before = `Resources:
  Jobs:
    Type: AWS::SQS::Queue
  Old:
    Type: AWS::S3::Bucket
`
	after = `Resources:
  Jobs:
    Type: AWS::SQS::Queue
  Old:
    Type: AWS::S3::Bucket
    Properties: {VersioningConfiguration: {Status: Enabled}}
  Cards:
    Type: AWS::S3::Bucket
  More:
    Type: AWS::SQS::Queue
`
)

// suite is the account of one run: the real tasks over stores in memory.
type suite struct {
	*runner
	table memory.Findings
	box   mailbox
	known map[string]string // rows before the run
}

// mailbox keeps every message by its ID, and what does not fit together.
type mailbox struct {
	mu   sync.Mutex
	sent map[string]scan.Notice
	odd  []string
}

func (b *mailbox) Send(_ context.Context, n scan.Notice) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sent == nil {
		b.sent = map[string]scan.Notice{}
	}
	// A target may be lost for two reasons in one scan, of which one is told.
	if old, ok := b.sent[n.ID]; ok && n.Kind != scan.NoticeFailure && (old.Subject != n.Subject || old.Body != n.Body) {
		b.odd = append(b.odd, fmt.Sprintf("%s says first %q, then %q", n.ID, old.Body, n.Body))
	}
	b.sent[n.ID] = n
	return nil
}

// newSuite makes an account in which the rows of an earlier scan are known.
func newSuite(t *testing.T, rules Rules, list []source.Template, clock engine.Clock, known []finding.Record) *suite {
	s := &suite{}
	machines, err := compiled()
	if err != nil {
		t.Fatal(err)
	}
	b := &backends{memory: new(blob.Memory), known: &s.table, store: &s.table, channel: &s.box, render: render}
	b.blobs = b.memory
	s.runner = &runner{
		o:        Options{Templates: list, Rules: rules, Now: clock.Now, Workers: 1, Keep: evaluate.Attention, ScanID: "scan-1"},
		backends: b, machines: machines, objects: objects{b.blobs},
	}
	s.functions = s.register()
	if err := s.table.Put(t.Context(), known); err != nil {
		t.Fatal(err)
	}
	s.known = s.rows()
	return s
}

// effects are what a run has left behind, as text that can be compared.
type effects struct {
	rows        map[string]string // by key
	assessments map[scan.Target]string
	failures    map[scan.Target]bool
	partial     map[scan.Target][]finding.Domain
	notices     map[string]bool
	summary     *scan.Summary
}

func (s *suite) effects() any {
	ctx := context.Background()
	e := effects{rows: s.rows(), assessments: map[scan.Target]string{}, failures: map[scan.Target]bool{}, partial: map[scan.Target][]finding.Domain{}, notices: map[string]bool{}}
	for _, at := range s.targets() {
		if a, err := blob.Get[scan.Assessment](ctx, s.backends.blobs, blob.Ref{Key: scan.AssessmentKey("scan-1", at)}); err == nil {
			e.assessments[at], e.partial[at] = text(a), a.Partial
		}
		if _, err := blob.Get[scan.Failure](ctx, s.backends.blobs, blob.Ref{Key: scan.FailureKey("scan-1", at)}); err == nil {
			e.failures[at] = true
		}
	}
	for id := range s.box.sent {
		e.notices[id] = true
	}
	if sum, err := blob.Get[scan.Summary](ctx, s.backends.blobs, blob.Ref{Key: scan.SummaryKey("scan-1", begin)}); err == nil {
		e.summary = sum
	}
	return e
}

// targets are those of the scan, and the estate as a whole.
func (s *suite) targets() []scan.Target {
	out := []scan.Target{{}}
	for _, x := range s.o.Templates {
		out = append(out, s.o.target(x))
	}
	return out
}

// rows is the findings table.
func (s *suite) rows() map[string]string {
	out := map[string]string{}
	for _, at := range s.targets() {
		for r, err := range s.table.OfStack(context.Background(), at.Where()) {
			if err != nil {
				out["unreadable"] = err.Error()
			}
			out[r.ResourceID()+" "+r.SortKey()] = text(r)
		}
	}
	return out
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

var begin = time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)

// world is the run of one of the workflows in a new suite.
func (s *suite) world(file string, input any, check func(*suite, *asltest.Trial) error) asltest.World {
	i := slices.IndexFunc(workflows.Machines, func(m workflows.Machine) bool { return m.File == file })
	return asltest.World{
		Machine: s.machines[workflows.Machines[i].Placeholder()], Input: []byte(text(input)),
		Tasks: s.functions, Objects: s.objects, Machines: s.machines,
		Ended: s.ended, Effects: s.effects,
		Check: func(t *asltest.Trial) error {
			return errors.Join(check(s, t), s.always(t))
		},
	}
}

// ended is the rule of EventBridge for executions that could not speak
// themselves. Express executions have no such event.
func (s *suite) ended(x *engine.Execution) (*engine.Machine, json.RawMessage) {
	m, r := x.Machine(), x.Result()
	if m.Express || m.Name == "ReportFailure" || r.Status != engine.TimedOut && r.Status != engine.Aborted {
		return nil, nil
	}
	return s.machines["${ReportFailureArn}"], []byte(text(map[string]any{"detail": scan.StatusChange{
		ExecutionArn: x.ARN, StateMachineArn: "arn:aws:states:us-east-1:123456789012:stateMachine:" + m.Name,
		Status: string(r.Status), Input: string(x.Input()), Error: r.Error, Cause: r.Cause,
	}}))
}

// always holds for every run of every workflow: each row is as it was before or
// as one application of the scan leaves it, and a message that came again said
// the same.
func (s *suite) always(t *asltest.Trial) error {
	var errs []error
	got, clean := t.Effects.(effects), t.Clean.(effects)
	for key, row := range got.rows {
		if row != clean.rows[key] && row != s.known[key] {
			errs = append(errs, fmt.Errorf("row %s is neither as before nor as after one scan:\n%s", key, cmp.Diff(clean.rows[key], row)))
		}
	}
	for key := range s.known {
		if got.rows[key] == "" {
			errs = append(errs, fmt.Errorf("row %s is lost", key))
		}
	}
	for _, odd := range s.box.odd {
		errs = append(errs, errors.New("two messages of one ID: "+odd))
	}
	for id := range got.notices {
		if !clean.notices[id] && !strings.Contains(id, "/"+scan.NoticePartial+"/") && !strings.Contains(id, "/"+scan.NoticeFailure+"/") {
			errs = append(errs, fmt.Errorf("message %s is about what is not there", id))
		}
	}
	return errors.Join(errs...)
}

// lost are the domains whose branch ended in its Pass, by execution.
func lost(x *engine.Execution) []finding.Domain {
	var out []finding.Domain
	for _, ev := range x.History() {
		if name, ok := strings.CutSuffix(ev.Details.Name, "Failed"); ok && ev.Type == "PassStateEntered" {
			out = append(out, finding.Domain(strings.ToLower(strings.TrimPrefix(name, "Set"))))
		}
	}
	slices.Sort(out)
	return out
}

// reporting reports whether a fault of the plan keeps failures from being
// reported, so that a second one may be silent but for the execution's status.
func reporting(p asltest.Plan) bool {
	return slices.ContainsFunc(p, func(f asltest.Fault) bool {
		return f.State == "RecordFailure" || f.State == "NotifyFailure" || f.State == "ReportLostTarget" || f.State == "ReportUnreviewed"
	})
}

// allPairs reports whether every pair is wanted, as "make faults" asks for. Tests
// otherwise leave out pairs that others stand for.
func allPairs() bool { return os.Getenv("FAULTS") == "all" }

// lazily collects rarely: a run leaves little behind, and there are thousands.
func lazily(t *testing.T) {
	old := debug.SetGCPercent(800)
	t.Cleanup(func() { debug.SetGCPercent(old) })
}

// TestFaultsOfAScan: scan-stack by the real tasks, through every fault and pair.
func TestFaultsOfAScan(t *testing.T) {
	lazily(t)
	rules, list, known := open(t), []source.Template{{Path: "t.yaml", Source: []byte(after)}}, seen(t, before)
	target := scan.Target{Path: "t.yaml"}
	asltest.Explore(t, asltest.Exploration{
		New: func(clock engine.Clock) asltest.World {
			return newSuite(t, rules, list, clock, known).world("scan-stack", scanInput{"scan-1", begin, &target}, truthOfScan)
		},
		// Two domains stand for the seven, whose branches differ in their names alone.
		Skip: func(p asltest.Plan) bool {
			return len(p) > 1 && !allPairs() && slices.ContainsFunc(p, func(f asltest.Fault) bool {
				return strings.HasPrefix(f.State, "Evaluate") && f.State != "EvaluateEncryption" && f.State != "EvaluateProtection"
			})
		},
	})
}

// TestBrokenPromisesAreFound: the invariants bite. Each case breaks what one
// task promises, which no run without faults shows.
func TestBrokenPromisesAreFound(t *testing.T) {
	rules, list, known := open(t), []source.Template{{Path: "t.yaml", Source: []byte(after)}}, seen(t, before)
	target := scan.Target{Path: "t.yaml"}
	for name, tc := range map[string]struct {
		task  string
		wrong func(s *suite, right tasks.Func) tasks.Func
		want  string
	}{
		"rows under a new date each time": {"${PersistFindingsArn}", func(s *suite, right tasks.Func) tasks.Func {
			calls := 0
			return func(ctx context.Context, p []byte) ([]byte, error) {
				out, err := right(ctx, p)
				if calls++; calls > 1 {
					err = errors.Join(err, s.table.Put(ctx, []finding.Record{{Finding: finding.Finding{Rule: "again", Place: finding.Place{Path: "t.yaml"}}, FirstSeen: s.o.Now()}}))
				}
				return out, err
			}
		}, "neither as before nor as after"},
		"a message that counts": {"${NotifyArn}", func(s *suite, right tasks.Func) tasks.Func {
			calls := map[string]int{}
			return func(ctx context.Context, p []byte) ([]byte, error) {
				calls[string(p)]++
				out, err := right(ctx, p)
				return out, errors.Join(err, s.box.Send(ctx, scan.Notice{ID: string(p), Body: strconv.Itoa(calls[string(p)])}))
			}
		}, "two messages of one ID"},
		"a report that goes nowhere": {"${RecordFailureArn}", func(s *suite, _ tasks.Func) tasks.Func {
			dropped := func(context.Context, []byte) ([]byte, error) { return []byte(`{"key":"failures/none"}`), nil }
			s.functions["${NotifyArn}"] = dropped
			return dropped
		}, "nobody knows"},
		"a lost domain that is passed over": {"${AssessArn}", func(_ *suite, right tasks.Func) tasks.Func {
			return func(ctx context.Context, p []byte) ([]byte, error) {
				out, err := right(ctx, p)
				var o assess.Out
				if json.Unmarshal(out, &o) != nil || o.Lost == 0 {
					return out, err
				}
				o.Lost, o.Partial = 0, nil
				return []byte(text(o)), err
			}
		}, "nobody was told of the lost domains"},
	} {
		t.Run(name, func(t *testing.T) {
			r := asltest.Exploration{Depth: 1, New: func(clock engine.Clock) asltest.World {
				s := newSuite(t, rules, list, clock, known)
				s.functions[tc.task] = tc.wrong(s, s.functions[tc.task])
				return s.world("scan-stack", scanInput{"scan-1", begin, &target}, truthOfScan)
			}}.Walk(t.Context())
			for _, f := range r.Failures {
				if len(f.Plan) > 0 && strings.Contains(f.Error(), tc.want) {
					return
				}
			}
			t.Errorf("%d schedules, and none shows it: %v", r.Schedules, r.Failures)
		})
	}
}

// seen are the rows that a scan of the template leaves in an empty table.
func seen(t *testing.T, template string) []finding.Record {
	clock := engine.NewVirtualClock(begin.Add(-24 * time.Hour))
	s := newSuite(t, open(t), []source.Template{{Path: "t.yaml", Source: []byte(template)}}, clock, nil)
	w := s.world("scan-stack", scanInput{"scan-0", clock.Now(), &scan.Target{Path: "t.yaml"}}, nil)
	x, err := engine.Run(t.Context(), w.Machine, w.Input, engine.Options{Tasks: w.Tasks, Clock: clock})
	if err != nil || x.Result().Status != engine.Succeeded {
		t.Fatal(err, x.Result())
	}
	var out []finding.Record
	for r, err := range s.table.OfStack(t.Context(), "t.yaml") {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

// truthOfScan: the status says what the stores say.
func truthOfScan(s *suite, t *asltest.Trial) error {
	got, clean := t.Effects.(effects), t.Clean.(effects)
	target := s.o.target(s.o.Templates[0])
	r := t.Execution.Result()
	switch r.Status {
	case engine.Succeeded:
		if got.failures[target] {
			return errors.New("a scan that succeeded is recorded as failed")
		}
		return s.truthOfTarget(target, lost(t.Execution), got, clean)
	case engine.Failed, engine.TimedOut:
		told := got.notices["scan-1/"+target.ID()+"/"+scan.NoticeFailure+"/"+string(finding.High)]
		if !got.failures[target] && !told && !reporting(t.Plan) {
			return fmt.Errorf("the scan ended as %s %s and nobody knows", r.Status, r.Error)
		}
		if r.Error == "" {
			return errors.New("the scan failed without an error")
		}
		return nil
	}
	return fmt.Errorf("the scan ended as %s", r.Status)
}

// truthOfTarget holds what a scan without some domains left of a target to what
// a scan by all leaves.
func (s *suite) truthOfTarget(at scan.Target, lost []finding.Domain, got, clean effects) error {
	var errs []error
	partial := slices.Sorted(slices.Values(got.partial[at]))
	if !slices.Equal(partial, lost) {
		errs = append(errs, fmt.Errorf("domains %v are lost, the assessment says %v", lost, partial))
	}
	if len(lost) == 0 {
		if diff := cmp.Diff(clean.assessments[at], got.assessments[at]); diff != "" {
			errs = append(errs, fmt.Errorf("the assessment differs from that of one application:\n%s", diff))
		}
	} else if id := "scan-1/" + at.ID() + "/" + scan.NoticePartial + "/" + string(finding.High); !got.notices[id] {
		errs = append(errs, errors.New("nobody was told of the lost domains"))
	}
	for key, row := range clean.rows {
		if got.rows[key] == row || !strings.Contains(key, at.Where()) {
			continue
		}
		var r finding.Record
		if err := json.Unmarshal([]byte(row), &r); err != nil || !slices.Contains(lost, r.Domain) {
			errs = append(errs, fmt.Errorf("row %s is not as one application leaves it, and its domain %q is not lost", key, r.Domain))
		}
	}
	if len(lost) == 0 {
		for id := range clean.notices {
			if strings.Contains(id, at.ID()) && !got.notices[id] {
				errs = append(errs, fmt.Errorf("message %s was not sent", id))
			}
		}
	}
	return errors.Join(errs...)
}

// TestFaultsOfAnEstate: scan-estate with its children, through every fault of
// any of them. Of pairs, the children's own are TestFaultsOfAScan's; here are
// those of the estate itself, also with a child that fails early or half done.
func TestFaultsOfAnEstate(t *testing.T) {
	lazily(t)
	rules, known := open(t), seen(t, before)
	list := []source.Template{{Path: "t.yaml", Source: []byte(after)}, {Path: "u.yaml", Source: []byte(good)}}
	asltest.Explore(t, asltest.Exploration{
		New: func(clock engine.Clock) asltest.World {
			return newSuite(t, rules, list, clock, known).world("scan-estate", scanInput{"scan-1", begin, nil}, truthOfEstate)
		},
		Skip: func(p asltest.Plan) bool {
			return len(p) > 1 && slices.ContainsFunc(p, func(f asltest.Fault) bool {
				if f.Machine != "ScanStackSweep" {
					return false
				}
				fails := f.Kind == asltest.TimeOut || f.Error == "Runtime.ExitError"
				ends := (f.State == "FetchStack" || f.State == "PersistFindings") && (fails || allPairs())
				return !ends || p[1].Machine == p[0].Machine
			})
		},
	})
}

// truthOfEstate: the summary counts each target that has no full result, and
// what it says of the others is what one application leaves.
func truthOfEstate(s *suite, t *asltest.Trial) error {
	got, clean := t.Effects.(effects), t.Clean.(effects)
	r := t.Execution.Result()
	if r.Status != engine.Succeeded {
		told := got.notices["scan-1/estate/"+scan.NoticeFailure+"/"+string(finding.High)]
		if r.Error == "" || !got.failures[scan.Target{}] && !told && !reporting(t.Plan) {
			return fmt.Errorf("the estate ended as %s %q and nobody knows", r.Status, r.Error)
		}
		return nil
	}
	var out struct{ Targets, Failed, Partial int }
	if err := json.Unmarshal(r.Output, &out); err != nil {
		return err
	}
	if got.summary == nil || got.summary.Targets != len(s.o.Templates) || out.Targets != len(s.o.Templates) || len(got.summary.Failures) != out.Failed {
		return fmt.Errorf("output %s, summary %s", r.Output, text(got.summary))
	}
	failed := map[scan.Target]bool{}
	for _, f := range got.summary.Failures {
		failed[f.Target] = true
	}
	var errs []error
	for _, x := range s.o.Templates {
		at := s.o.target(x)
		well := false // some scan of the target came to a good end
		var without []finding.Domain
		for _, c := range t.Executions {
			if c.Machine().Definition() == s.machines[sweepPlaceholder].Definition() && strings.Contains(string(c.Input()), at.Path) && c.Result().Status == engine.Succeeded {
				well, without = true, lost(c)
			}
		}
		switch {
		case !well && !failed[at]:
			errs = append(errs, fmt.Errorf("no scan of %s came to a good end, and the summary does not say so", at))
		case failed[at]: // said, and what was found stands
		default:
			errs = append(errs, s.truthOfTarget(at, without, got, clean))
		}
	}
	return errors.Join(errs...)
}

// TestFaultsOfAReport: report-failure through every fault and pair.
func TestFaultsOfAReport(t *testing.T) {
	target := scan.Target{Path: "t.yaml"}
	list := []source.Template{{Path: "t.yaml"}}
	rules := open(t)
	input := map[string]any{"workflow": "scan-stack", "scanId": "scan-1", "target": target, "error": map[string]string{"Error": "States.Timeout", "Cause": ""}}
	asltest.Explore(t, asltest.Exploration{New: func(clock engine.Clock) asltest.World {
		return newSuite(t, rules, list, clock, nil).world("report-failure", input, func(s *suite, t *asltest.Trial) error {
			got := t.Effects.(effects)
			kept, told := got.failures[target], len(got.notices) > 0
			switch status := t.Execution.Result().Status; {
			case status == engine.Succeeded && !(kept && told):
				return fmt.Errorf("kept %v, told %v, and the execution succeeded", kept, told)
			case len(t.Plan) < 2 && !kept && !told:
				return errors.New("one fault and the failure is forgotten")
			}
			return nil
		})
	}})
}

// TestFaultsOfTerms: sla-report by the real tasks, through every fault and pair.
func TestFaultsOfTerms(t *testing.T) {
	rules := open(t)
	list := []source.Template{{Path: "t.yaml"}}
	input := map[string]any{"scanId": "sla-1", "started": begin, "always": true}
	asltest.Explore(t, asltest.Exploration{New: func(clock engine.Clock) asltest.World {
		return newSuite(t, rules, list, clock, nil).world("sla-report", input, func(_ *suite, t *asltest.Trial) error {
			told := len(t.Effects.(effects).notices) > 0
			switch status := t.Execution.Result().Status; {
			case status == engine.Succeeded && !told:
				return errors.New("nobody was told, and the execution succeeded")
			case status != engine.Succeeded && len(t.Plan) < 2 && !told:
				return errors.New("one fault, and nobody was told of the report or of its failure")
			}
			return nil
		})
	}})
}
