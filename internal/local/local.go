// Package local runs the workflows in this process: the engine in place of Step
// Functions, functions in place of Lambda, memory in place of the bucket, and
// where a data folder is given, SQLite and files in place of table and bucket.
package local

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"plumbline/asl/engine"
	"plumbline/blob"
	"plumbline/cfn"
	"plumbline/cfn/source"
	"plumbline/internal/bundle"
	"plumbline/remedy/change"
	"plumbline/ruleset"
	"plumbline/scan"
	"plumbline/tasks"
	"plumbline/tasks/evaluate"
	"plumbline/tasks/fetchstack"
	"plumbline/tasks/listtargets"
	"plumbline/tasks/selectreviews"
	"plumbline/workflows"
)

// Rules is what a scan asks of a set of rules; *ruleset.Set is one. Safe for concurrent use.
type Rules interface {
	evaluate.Rules
	Index() *ruleset.Index
}

// Stacks lists and reads deployed stacks. Safe for concurrent use.
type Stacks interface {
	listtargets.Lister
	fetchstack.Source
}

// Options is what to scan, by what, and who wants to hear of it. Templates (or
// Stacks) and Rules are required; the rest has a meaning when zero.
type Options struct {
	Templates  []source.Template
	Skipped    []source.Skipped  // handed on to the report
	Stacks     Stacks            // deployed stacks, which are scanned in the place of Templates; nil: none
	Total      int               // how many Stacks there are, for Progress
	Parameters map[string]string // given values, for each template that declares them
	Account    string            // of templates that do not say; "" not known
	Region     string

	Rules          Rules
	Policy         *ruleset.Policy           // nil: none
	Frameworks     func() ruleset.Frameworks // of an organisation's own rules; nil: those of the built-in rules
	NoSuppressions bool                      // suppressed findings count
	// Keep says which statuses become findings rather than mere counts; nil
	// keeps what needs attention: all but pass and skip.
	Keep func(status string) bool

	// Data is the folder of the findings table and the reports. "": nothing is
	// written or remembered.
	Data       string
	Paths      []string        // what was asked for: of Data's findings below them, those whose template is gone are resolved
	Waiting    func()          // called once where another scan of Data has to end first; may be nil
	Render     scan.Render     // for the stored reports; nil: none are stored. Used with Data only.
	Provenance scan.Provenance // what reports say of the tool, the rules and the policy; times are filled in

	Workers  int                                        // templates at once; 0: GOMAXPROCS
	Progress func(done, total int)                      // after each template; from any goroutine
	Observe  func(phase scan.Phase, took time.Duration) // after each piece of work; from any goroutine. Adds nothing where nil.
	Notice   func(scan.Notice)                          // each message that people are told of; from any goroutine. Data keeps those to tickets as well
	Watch    func(engine.Event)                         // every event of every execution; must not block
	Now      func() time.Time                           // nil: time.Now
	ScanID   string                                     // "": a new one

	// Reviews is told, from any goroutine, which new violations of a target are to be
	// reviewed by the policy; nil: none is selected. They are not begun here: a
	// review may outlast the scan, and what it changes must not be kept with it.
	Reviews func([]change.Request)
	Locate  selectreviews.Locator // the live resources of templates; nil: those of Stacks alone are known

	// Tasks replaces task functions by the text that workflows call them by
	// ("${AssessArn}"), so that a test can make any of them fail.
	Tasks map[string]tasks.Func

	names *names // of templates
}

// Scan runs scan-estate over the templates and returns the report, whose
// findings have the same order each time. What fails for one template stands in
// its assessment; the error is about the scan as a whole: the data folder
// cannot be used, the workflow itself failed, or ctx ended. Data then holds what
// it held before. A report beside an error could not be kept in Data.
func Scan(ctx context.Context, o Options) (*scan.Report, error) {
	r, err := newRunner(ctx, o)
	if err != nil {
		return nil, err
	}
	report, err := r.scan(ctx)
	how := succeeded
	if err != nil {
		how = failed
	}
	if how, err = r.close(ctx, how, err); how != succeeded {
		report = nil
	}
	return report, err
}

// runner is one process's stand-in for the account that the suite runs in.
type runner struct {
	o         Options
	backends  *backends
	functions engine.Functions
	machines  map[string]*engine.Machine // by placeholder
	objects   objects
	pool      *pool
	calls     *inflight    // task calls under way, also those whose state has ended
	done      atomic.Int64 // templates
	matched   suppressions
	recorder  *recorder // of what is kept of executions; nil without a data folder
	began     time.Time
}

func newRunner(ctx context.Context, o Options) (*runner, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Keep == nil {
		o.Keep = evaluate.Attention
	}
	if o.ScanID == "" {
		o.ScanID = newScanID()
	}
	machines, err := compiled()
	if err != nil {
		return nil, err
	}
	o.names = newNames(o.Data)
	b, err := openBackends(ctx, o)
	if err != nil {
		return nil, err
	}
	r := &runner{calls: newInflight(), o: o, backends: b, machines: machines, objects: objects{b.blobs}, pool: newPool(o.Workers)}
	r.functions = r.register()
	if b.ledger != nil {
		r.recorder, r.began = new(recorder), o.Now()
	}
	return r, nil
}

// close waits for what is still at work, then closes the stores. It returns how
// the run ended, and all that went wrong.
func (r *runner) close(ctx context.Context, how ending, err error) (ending, error) {
	r.calls.close()
	r.pool.close()
	if ctx.Err() != nil {
		how, err = interrupted, ctx.Err()
	}
	if l := r.backends.ledger; l != nil && how != interrupted {
		err = errors.Join(err, r.recorder.keep(ctx, l, r.o.ScanID, r.began))
	}
	return how, errors.Join(err, r.backends.close(how))
}

func newScanID() string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return "scan-" + hex.EncodeToString(b[:])
}

// scanInput is the input of scan-estate and, with a target, of scan-stack.
type scanInput struct {
	ScanID  string       `json:"scanId"`
	Started time.Time    `json:"started"`
	Target  *scan.Target `json:"target,omitempty"`
}

func (r *runner) input(target *scan.Target) ([]byte, error) {
	b, err := json.Marshal(scanInput{r.o.ScanID, r.o.Now().UTC(), target})
	if err != nil {
		return nil, fmt.Errorf("encode the workflow's input: %w", err)
	}
	return b, nil
}

// Run runs one of plumbline's own workflows by name with the real tasks, for a
// person who wants to see it work. A nil input is made of the options:
// scan-estate takes all templates, scan-stack the first. That an execution
// fails is no error: see the result.
func Run(ctx context.Context, workflow string, input []byte, o Options) (engine.Result, error) {
	i := slices.IndexFunc(workflows.Machines, func(m workflows.Machine) bool { return m.File == workflow })
	if i < 0 {
		if _, err := workflows.Source(workflow); err != nil {
			return engine.Result{}, err
		}
		return engine.Result{}, fmt.Errorf("workflow %s works on live resources, not on templates. run it by plumbline remediate", workflow)
	}
	r, err := newRunner(ctx, o)
	if err != nil {
		return engine.Result{}, err
	}
	if input == nil {
		var target *scan.Target
		if workflow == "scan-stack" && len(o.Templates) > 0 {
			t := r.o.target(o.Templates[0])
			target = &t
		}
		if input, err = r.input(target); err != nil {
			_, err = r.close(ctx, failed, err)
			return engine.Result{}, err
		}
	}
	res, err := r.run(ctx, r.machines[workflows.Machines[i].Placeholder()], input, r.o.Workers)
	how := succeeded
	if err != nil || res.Status != engine.Succeeded {
		how = failed
	}
	_, err = r.close(ctx, how, err)
	return res, err
}

func (r *runner) scan(ctx context.Context) (*scan.Report, error) {
	input, err := r.input(nil)
	if err != nil {
		return nil, err
	}
	res, err := r.run(ctx, r.machines[estatePlaceholder], input, r.o.Workers)
	if err != nil {
		return nil, err
	}
	if res.Status != engine.Succeeded {
		return nil, fmt.Errorf("scan-estate ended as %s: %s: %s", res.Status, res.Error, scan.Cause(res.Cause))
	}
	var out struct {
		Report blob.Ref `json:"report"`
	}
	if err := json.Unmarshal(res.Output, &out); err != nil {
		return nil, fmt.Errorf("decode output of scan-estate: %w", err)
	}
	report, err := blob.Get[scan.Report](ctx, r.backends.blobs, out.Report)
	if err != nil {
		return nil, err
	}
	for _, s := range r.o.Skipped {
		report.Skipped = append(report.Skipped, scan.Skipped{Path: s.Path, Reason: s.Reason})
	}
	for _, a := range report.Assessments {
		report.Warnings = append(report.Warnings, a.Warnings...)
		for _, f := range a.Failures {
			report.Warnings = append(report.Warnings, incomplete(a.Target, f))
		}
	}
	if !r.o.NoSuppressions {
		for _, w := range r.o.Policy.SuppressionWarnings(r.matched.total(), report.Provenance.Started) {
			report.Warnings = append(report.Warnings, w.Error())
		}
	}
	return report, nil
}

// incomplete says in a line what a scan lacks.
func incomplete(t scan.Target, f scan.Failure) string {
	what := "its scan did not end well"
	if f.Domain != "" {
		what = fmt.Sprintf("the rules of domain %s were not judged", f.Domain)
	}
	cause, _, _ := strings.Cut(f.Cause, "\n") // a panic's stack is for the recorded failure
	return fmt.Sprintf("%s: %s: %s: %s", t, what, f.Error, cause)
}

// run runs one execution to its end.
func (r *runner) run(ctx context.Context, m *engine.Machine, input []byte, workers int) (engine.Result, error) {
	items, watch := r.recorder.watching(r.o.Watch)
	x, err := engine.Run(ctx, m, input, engine.Options{Tasks: r, Objects: r.objects, Workers: workers, Watch: watch, History: r.recorder != nil})
	if ctx.Err() != nil {
		return engine.Result{}, ctx.Err()
	}
	if err != nil {
		return engine.Result{}, err
	}
	r.recorder.add(x, items, input)
	return x.Result(), nil
}

// suppressions sums over templates how often each of the policy's suppressions matched.
type suppressions struct {
	mu      sync.Mutex
	matched []int
}

func (s *suppressions) add(matched []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.matched == nil {
		s.matched = make([]int, len(matched))
	}
	for i, n := range matched {
		s.matched[i] += n
	}
}

func (s *suppressions) total() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.matched
}

// inForce reports whether a rule is judged: it exists, and no policy turns it off.
func (r *runner) inForce(rule string) bool {
	if _, off := r.o.Policy.RuleOff(rule); off {
		return false
	}
	return r.o.Rules.Index().HasRule(rule)
}

// scopes is the scope of the target and its resources by the policy.
func (r *runner) scopes(t scan.Target, models []*cfn.Model) (whole string, of map[string]string) {
	return bundle.Scope(r.o.Policy, t, models)
}

// owners is who answers for resources by the policy.
func (r *runner) owners(models []*cfn.Model) (whole string, of map[string]string) {
	return bundle.Owners(r.o.Policy, models)
}

// frameworks lists the frameworks that ask for a rule.
func (r *runner) frameworks(rule string) []string {
	return bundle.FrameworksOf(r.o.Rules.Index(), r.o.Frameworks, rule)
}

// scope is the target's scope by its account and stack name alone.
func (r *runner) scope(t scan.Target) string {
	whole, _ := r.scopes(t, nil)
	return whole
}

// target is what a template is to the workflow.
func (o *Options) target(t source.Template) scan.Target {
	return scan.Target{Path: t.Path, Name: o.names.of(t.Path), Stack: t.Stack, Account: cmp.Or(t.Account, o.Account), Region: cmp.Or(t.Region, o.Region)}
}
