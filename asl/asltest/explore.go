package asltest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"plumbline/asl"
	"plumbline/asl/engine"
)

// World is all that one run of a workflow touches. An Exploration makes a new
// one for each run, so that no run sees what another left behind.
type World struct {
	Machine  *engine.Machine
	Input    json.RawMessage
	Tasks    engine.Invoker             // the real tasks, over stores of this world
	Objects  engine.Objects             // nil: none
	Machines map[string]*engine.Machine // that tasks start, as in engine.Options

	// Worker says how a task with a token is answered once its call has been
	// made; nil: not at all.
	Worker func(engine.Call) Answer
	// Ended is told of each execution that has ended, once, and may name another
	// to start, as a rule of EventBridge does; a nil Machine starts none.
	Ended func(*engine.Execution) (*engine.Machine, json.RawMessage)

	Effects func() any           // what the run has left behind; nil: nothing is kept of it
	Check   func(t *Trial) error // the invariants: what must hold whatever went wrong
}

// Trial is one run, as its world's Check sees it. Everything has come to rest:
// children, late effects and what Ended started too.
type Trial struct {
	Plan       Plan
	Seed       uint64
	Execution  *engine.Execution   // of the world's machine
	Executions []*engine.Execution // all of them, by ARN
	Sites      []Site              // the calls that were made, in order
	Effects    any                 // what World.Effects gave at the end
	Clean      any                 // what it gave in the run in which all went well; in that run, Effects

	calls []calling
}

// Exploration runs a workflow in virtual time through every single fault and
// every pair of faults. Where a fault can strike is found by running: the second
// of a pair also strikes calls that only the first brings about, such as second
// attempts and those behind a Catch. Of two faults the one that strikes first
// comes first, so no pair is run twice. The same exploration gives the same report.
//
// Activities are not calls of an Invoker, so no fault strikes them.
type Exploration struct {
	New   func(clock engine.Clock) World // its clock is the run's virtual time
	Seed  uint64                         // of jitter and of the order of branches; 0: 1
	Depth int                            // how many faults a plan has at most; 0: 2
	// Menu is what may go wrong with a call, without its site; nil: Menu.
	Menu func(s *asl.State, child bool) []Fault
	// Skip says which plans are not run, nor any that begin with them, such as
	// those whose faults strike branches that differ in nothing but their names.
	// nil: none.
	Skip func(Plan) bool
	// Workers is how many runs are made at once; 0: GOMAXPROCS.
	Workers int
}

// Report is what an exploration found.
type Report struct {
	Schedules int // plans that were run, the empty one too
	Sites     int // calls of the run in which all went well
	Failures  []Failure
}

// Failure is a plan under which an invariant does not hold. Plans that begin
// with it are not run, so it is as short as can be.
type Failure struct {
	Plan Plan
	Seed uint64
	Err  error
}

func (f Failure) Error() string {
	plan := "nothing goes wrong"
	if len(f.Plan) > 0 {
		plan = strings.ReplaceAll(f.Plan.String(), "\n", "\n\t")
	}
	return fmt.Sprintf("%v\nseed %d, plan:\n\t%s", f.Err, f.Seed, plan)
}

// Variables of the environment by which Explore runs one plan again.
const (
	PlanVariable = "ASLTEST_PLAN" // faults between semicolons, or on lines of their own
	SeedVariable = "ASLTEST_SEED"
)

// mostFailures is how many failures Explore prints.
const mostFailures = 10

// Explore runs the exploration in a test, which fails for each plan under which
// an invariant does not hold, and says how to run that plan alone. It logs the
// number of schedules.
func Explore(t *testing.T, e Exploration) Report {
	t.Helper()
	if text := os.Getenv(SeedVariable); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil || seed == 0 {
			t.Fatalf("%s is %q: it must be a number from 1 on", SeedVariable, text)
		}
		e.Seed = seed
	}
	if text, ok := os.LookupEnv(PlanVariable); ok {
		plan, err := ParsePlan(text)
		if err != nil {
			t.Fatalf("%s: %v", PlanVariable, err)
		}
		trial, err := e.Try(t.Context(), plan)
		if err != nil {
			t.Error(err)
		}
		if trial != nil {
			t.Log(trial.story())
		}
		return Report{Schedules: 1}
	}
	r := e.Walk(t.Context())
	for _, f := range r.Failures[:min(len(r.Failures), mostFailures)] {
		t.Errorf("%v\nrun it alone: %s=%d %s='%s' go test -v -run '^%s$'", f, SeedVariable, f.Seed,
			PlanVariable, strings.ReplaceAll(f.Plan.String(), "\n", "; "), strings.ReplaceAll(t.Name(), "/", "$/^"))
	}
	if more := len(r.Failures) - mostFailures; more > 0 {
		t.Errorf("and %d plans more", more)
	}
	t.Logf("%d schedules over %d calls, seed %d: %d failed", r.Schedules, r.Sites, e.seed(), len(r.Failures))
	return r
}

func (e *Exploration) seed() uint64 { return max(e.Seed, 1) }

// Walk runs the exploration. Where ctx ends it stops, with a failure that says so.
func (e Exploration) Walk(ctx context.Context) Report {
	depth, workers := e.Depth, e.Workers
	if depth == 0 {
		depth = 2
	}
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	clean, err := e.run(ctx, nil, nil)
	r := Report{Schedules: 1}
	if err != nil {
		r.Failures = []Failure{{nil, e.seed(), err}}
		return r
	}
	r.Sites = len(clean.Sites)
	level := e.extend(clean)
	for n := 1; n <= depth && len(level) > 0; n++ {
		found := make([][]Plan, len(level))
		failed := make([]error, len(level))
		var next atomic.Int64
		var work sync.WaitGroup
		for range workers {
			work.Go(func() {
				for i := int(next.Add(1)) - 1; i < len(level); i = int(next.Add(1)) - 1 {
					trial, err := e.run(ctx, level[i], clean.Effects)
					failed[i] = err
					if err == nil && n < depth {
						found[i] = e.extend(trial)
					}
				}
			})
		}
		work.Wait()
		r.Schedules += len(level)
		for i, err := range failed {
			if err != nil {
				r.Failures = append(r.Failures, Failure{level[i], e.seed(), err})
			}
		}
		level = slices.Concat(found...)
	}
	return r
}

// extend lists the plans that have one fault more than the trial's, at a call
// after those that its faults struck.
func (e *Exploration) extend(t *Trial) []Plan {
	menu := e.Menu
	if menu == nil {
		menu = Menu
	}
	from := 0
	if n := len(t.Plan); n > 0 {
		from = slices.Index(t.Sites, t.Plan[n-1].Site) + 1
	}
	var out []Plan
	for _, c := range t.calls[from:] {
		for _, f := range menu(t.stateOf(c), c.child) {
			f.Site = c.site
			if p := append(slices.Clone(t.Plan), f); e.Skip == nil || !e.Skip(p) {
				out = append(out, p)
			}
		}
	}
	return out
}

// stateOf is the definition's state of a call.
func (t *Trial) stateOf(c calling) *asl.State {
	for _, x := range t.Executions {
		if name := machineOf(x.ARN); name != machineOf(c.call.Execution) {
			continue
		}
		for _, s := range x.Machine().Definition().All() {
			if s.Name == c.site.State {
				return s
			}
		}
	}
	return &asl.State{Type: "Task", Resource: c.call.Resource}
}

// Try runs one plan, and the run without faults that it is compared with. The
// error is that of Check, that an execution never ends, or that a fault of the
// plan had no call to strike.
func (e Exploration) Try(ctx context.Context, plan Plan) (*Trial, error) {
	clean, err := e.run(ctx, nil, nil)
	if err != nil || len(plan) == 0 {
		return clean, err
	}
	trial, err := e.run(ctx, plan, clean.Effects)
	return trial, err
}

// start is where the virtual time of a run begins.
var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// rest is how long the clock goes on after an execution has ended: longer than
// any wait of the language but one that has no end.
const rest = 400 * 24 * time.Hour

func (e *Exploration) run(ctx context.Context, plan Plan, clean any) (*Trial, error) {
	clock := engine.NewVirtualClock(start)
	w := e.New(clock)
	in := Inject(w.Tasks, clock, w.Machine.Name, plan)
	in.worker = w.Worker
	if w.Machine.Name == "" {
		in.main = "StateMachine"
	}
	in.engine = engine.New(engine.Options{
		Tasks: in, Disturb: in.Disturb, Objects: w.Objects, Machines: w.Machines, Clock: clock, Seed: e.seed(), Workers: 1, History: true,
	})
	t := &Trial{Plan: plan, Seed: e.seed()}
	x, err := in.engine.Start(w.Machine, "", w.Input)
	if err != nil {
		return t, err
	}
	t.Execution = x
	if _, err = x.Wait(ctx); err == nil {
		err = t.settle(ctx, in.engine, w.Ended)
	}
	t.Executions = in.engine.Executions()
	t.calls, t.Sites = in.made(), in.Sites()
	if w.Effects != nil {
		t.Effects = w.Effects()
	}
	if t.Clean = clean; len(plan) == 0 {
		t.Clean = t.Effects
	}
	if err != nil {
		return t, err
	}
	if n := clock.Timers(); n > 0 {
		return t, fmt.Errorf("%d timers are left though every execution has ended", n)
	}
	if unused := in.Unused(); len(unused) > 0 {
		return t, fmt.Errorf("the run made no call that this fault can strike: %s. its calls are:\n\t%s", unused[0], strings.Join(siteNames(t.Sites), "\n\t"))
	}
	if w.Check == nil {
		return t, nil
	}
	return t, w.Check(t)
}

// settle lets everything come to rest, and starts what is to follow.
func (t *Trial) settle(ctx context.Context, en *engine.Engine, ended func(*engine.Execution) (*engine.Machine, json.RawMessage)) error {
	told := map[string]bool{}
	for again := true; again; {
		again = false
		if err := ctx.Err(); err != nil {
			return err
		}
		en.Advance(rest)
		if waiting := en.Waiting(); len(waiting) > 0 {
			return &engine.DeadlockError{Waiting: waiting}
		}
		for _, x := range en.Executions() {
			if ended == nil || told[x.ARN] {
				continue
			}
			told[x.ARN] = true
			m, input := ended(x)
			if m == nil {
				continue
			}
			if _, err := en.Start(m, "", input); err != nil {
				return fmt.Errorf("start what follows %s: %w", x.ARN, err)
			}
			again = true
		}
	}
	return nil
}

func siteNames(sites []Site) []string {
	out := make([]string, len(sites))
	for i, s := range sites {
		out[i] = s.String()
	}
	return out
}

// story tells a run for a person who looks for what went wrong.
func (t *Trial) story() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d, calls:\n\t%s\n", t.Seed, strings.Join(siteNames(t.Sites), "\n\t"))
	for _, x := range t.Executions {
		r := x.Result()
		fmt.Fprintf(&b, "%s ended as %s %s %s\n", x.ARN, r.Status, r.Error, clip(r.Cause))
		for _, ev := range x.History() {
			fmt.Fprintf(&b, "\t%s %s %s %s\n", ev.Time.Format("15:04:05.000"), ev.Type, ev.Details.Name, ev.Details.Error)
		}
	}
	return b.String()
}
