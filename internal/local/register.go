package local

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"

	"plumbline/asl/engine"
	"plumbline/cfn"
	"plumbline/cfn/source"
	"plumbline/finding"
	"plumbline/remedy/change"
	"plumbline/ruleset"
	"plumbline/scan"
	"plumbline/tasks"
	"plumbline/tasks/assess"
	"plumbline/tasks/catalog"
	"plumbline/tasks/evaluate"
	"plumbline/tasks/fetchstack"
	"plumbline/tasks/listtargets"
	"plumbline/tasks/measuresla"
	"plumbline/tasks/notify"
	"plumbline/tasks/persistfindings"
	"plumbline/tasks/recordfailure"
	"plumbline/tasks/selectreviews"
	"plumbline/tasks/summarize"
	"plumbline/tasks/writereport"
)

// register makes the task functions under the text by which workflows call them.
func (r *runner) register() engine.Functions {
	o, b := &r.o, r.backends
	var t Stacks = newTemplates(o, b.ledger)
	breadth := min(o.Workers, max(1, len(o.Templates)))
	if o.Stacks != nil {
		t, breadth = o.Stacks, stacksAtOnce
	}
	fs := engine.Functions{
		placeholder("ListTargets"):     tasks.Of(listtargets.New(t, b.blobs, breadth, o.Now).Handle),
		placeholder("FetchStack"):      tasks.Of(fetchstack.New(t, b.blobs).Handle),
		placeholder("Assess"):          tasks.Of(assess.New(b.blobs, assess.Options{Known: b.known, Suppress: r.suppress(), InForce: r.inForce, Scope: r.scopes, Owners: r.owners, Due: o.Policy.Due, Frameworks: r.frameworks, Keep: o.Keep, Now: o.Now}).Handle),
		placeholder("PersistFindings"): tasks.Of(persistfindings.New(b.store, b.blobs).Handle),
		placeholder("WriteReport"):     tasks.Of(writereport.New(b.blobs, b.render, o.Provenance, o.Now).Handle),
		placeholder("Notify"):          tasks.Of(notify.New(b.channel, b.blobs, o.Now).Handle),
		placeholder("SelectReviews"):   tasks.Of(r.selectReviews(selectreviews.New(b.blobs, o.Policy, o.Locate, o.Reviews != nil))),
		placeholder("Summarize"):       tasks.Of(summarize.New(b.blobs, b.render, o.Provenance, r.scope, o.Now).Handle),
		placeholder("MeasureSLA"):      tasks.Of(measuresla.New(b.table(), b.blobs, measuresla.Options{Due: o.Policy.Due, Frameworks: r.frameworks, Now: o.Now}).Handle),
		placeholder("RecordFailure"):   tasks.Of(recordfailure.New(b.blobs, o.Now).Handle),
	}
	for _, d := range finding.Domains {
		fs[placeholder(catalog.Evaluate(d))] = tasks.Of(evaluate.New(o.Rules, b.blobs, evaluate.Config{Domain: d, Keep: o.Keep}, o.Observe).Handle)
	}
	for name, f := range o.Tasks {
		fs[name] = f
	}
	return fs
}

// selectReviews hands the reviews on to who is told of them, and leaves none to
// the workflow.
func (r *runner) selectReviews(task *selectreviews.Handler) func(context.Context, selectreviews.In) (selectreviews.Out, error) {
	return func(ctx context.Context, in selectreviews.In) (selectreviews.Out, error) {
		out, err := task.Handle(ctx, in)
		if err == nil && out.Count > 0 {
			r.o.Reviews(out.Reviews)
		}
		return selectreviews.Out{Reviews: []change.Request{}, Left: out.Left}, err
	}
}

// stacksAtOnce is how many deployed stacks are read at once: their reading is
// spent on waiting, and the account's limits bound it.
const stacksAtOnce = 4

// placeholder is the text by which workflows call the catalogue's task of that name.
func placeholder(name string) string { return catalog.Task{Name: name}.Placeholder() }

// suppress applies the policy's suppressions and those in the template; nil where none are to be applied.
func (r *runner) suppress() assess.Suppress {
	if r.o.NoSuppressions {
		return nil
	}
	same := r.o.Rules.Index().Equivalents()
	return func(models []*cfn.Model, findings []finding.Finding, now time.Time) ([]finding.Finding, []string) {
		s := ruleset.Suppress(r.o.Policy, same, models, findings, now)
		r.matched.add(s.Matched)
		var warnings []string
		for _, w := range s.Warnings {
			warnings = append(warnings, w.Error())
		}
		return s.Stale, warnings
	}
}

// templates lists and reads the templates of a scan.
type templates struct {
	o      *Options
	byID   map[scan.Target]int
	ledger *ledger // nil: nothing is remembered

	mu     sync.Mutex
	absent map[scan.Target]bool // of which findings are known and the template is gone
}

func newTemplates(o *Options, l *ledger) *templates {
	t := &templates{o: o, ledger: l, byID: make(map[scan.Target]int, len(o.Templates)), absent: map[scan.Target]bool{}}
	for i, x := range o.Templates {
		t.byID[o.target(x)] = i
	}
	return t
}

// Targets lists them, and those that are gone since an earlier scan.
func (t *templates) Targets(ctx context.Context) ([]scan.Target, error) {
	out := make([]scan.Target, len(t.o.Templates))
	for i, x := range t.o.Templates {
		out[i] = t.o.target(x)
	}
	if t.ledger == nil || len(t.o.Paths) == 0 {
		return out, nil
	}
	known, err := t.ledger.session.Targets(ctx)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, x := range t.gone(known) {
		t.absent[x] = true
		out = append(out, x)
	}
	return out, nil
}

// Fetch reads one. What stands in the way of reading it is the snapshot's
// outcome, at the template's place.
func (t *templates) Fetch(_ context.Context, target scan.Target) (*scan.Snapshot, error) {
	i, ok := t.byID[target]
	if !ok && t.isAbsent(target) {
		return &scan.Snapshot{Target: target, Gone: true}, nil
	}
	if !ok {
		return nil, errors.New("it is not a target of this scan")
	}
	x := &t.o.Templates[i]
	s := &scan.Snapshot{Target: target, Source: x.Source, Failed: x.Failed, Parameters: t.o.Parameters, Observe: t.o.Observe}
	if s.Failed != "" || s.Source != nil || x.Path == source.Stdin {
		return s, nil
	}
	if t.o.Observe != nil {
		took := scan.Measure()
		defer func() { t.o.Observe(scan.PhaseRead, took()) }()
	}
	var err error
	if s.Source, err = os.ReadFile(x.Path); err != nil {
		s.Failed = unreadable(err)
	}
	return s, nil
}

func (t *templates) isAbsent(x scan.Target) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.absent[x]
}

// unreadable says in words why a file cannot be read; the finding that carries
// it names the path already.
func unreadable(err error) string {
	var p *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "the file is gone: it was there when the scan began"
	case errors.Is(err, syscall.EISDIR):
		return "a folder stands here now: it was a file when the scan began"
	case errors.As(err, &p):
		return "the file cannot be read: " + p.Err.Error()
	}
	return "the file cannot be read: " + err.Error()
}
