package asltest

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"plumbline/asl"
	"plumbline/asl/engine"
)

// Injector is an engine.Invoker that hands calls on to another and makes those
// of a plan go wrong. For one engine; safe for concurrent use. Where tasks start
// other machines inside the engine, its Disturb belongs into engine.Options too.
type Injector struct {
	tasks engine.Invoker
	clock engine.Clock
	main  string
	plan  Plan

	// Of an exploration: who has the tokens, and what answers them.
	worker func(engine.Call) Answer
	engine *engine.Engine

	mu      sync.Mutex
	entries map[string]int // by machine/state: entries so far
	known   map[string]int // by idempotency key: which entry
	calls   []calling      // all of them, in order
	struck  map[Site]bool  // of the plan
}

// calling is one call that was made.
type calling struct {
	site  Site
	call  engine.Call
	child bool // it starts a machine of the engine
}

// Inject wraps tasks. main is the name of the state machine that sites name no
// machine for; the clock is the engine's.
func Inject(tasks engine.Invoker, clock engine.Clock, main string, plan Plan) *Injector {
	return &Injector{tasks: tasks, clock: clock, main: main, plan: plan,
		entries: map[string]int{}, known: map[string]int{}, struck: map[Site]bool{}}
}

// Sites are the calls made so far, in order.
func (i *Injector) Sites() []Site {
	i.mu.Lock()
	defer i.mu.Unlock()
	sites := make([]Site, len(i.calls))
	for n := range i.calls {
		sites[n] = i.calls[n].site
	}
	return sites
}

func (i *Injector) made() []calling {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.calls)
}

// Unused are the plan's faults whose call was not made.
func (i *Injector) Unused() Plan {
	i.mu.Lock()
	defer i.mu.Unlock()
	var out Plan
	for _, f := range i.plan {
		if !i.struck[f.Site] {
			out = append(out, f)
		}
	}
	return out
}

// fault notes the call and finds what the plan has for it.
func (i *Injector) fault(c engine.Call, child bool) *Fault {
	i.mu.Lock()
	defer i.mu.Unlock()
	s := Site{Machine: machineOf(c.Execution), State: c.State, Attempt: c.Attempt}
	if s.Machine == i.main {
		s.Machine = ""
	}
	key := c.Execution + "\x00" + c.Key
	entry, ok := i.known[key]
	if !ok {
		where := s.Machine + "/" + s.State
		entry = i.entries[where]
		i.entries[where]++
		i.known[key] = entry
	}
	s.Entry = entry
	i.calls = append(i.calls, calling{s, c, child})
	at := slices.IndexFunc(i.plan, func(f Fault) bool { return f.Site == s })
	if at < 0 {
		return nil
	}
	i.struck[s] = true
	return &i.plan[at]
}

// machineOf is the name of the state machine in an execution's ARN; of a child
// of a Distributed Map, that of the machine which has the Map.
func machineOf(execution string) string {
	parts := strings.SplitN(execution, ":", 8)
	if len(parts) < 7 {
		return ""
	}
	name, _, _ := strings.Cut(parts[6], "/")
	return name
}

// failure is the error that a fault shows.
func (f *Fault) failure(resource string) *engine.Error {
	const cause = "made by a plan of faults"
	if f.Kind == Throttle {
		service, _, _, ok := asl.Integration(resource)
		return &engine.Error{Name: throttled(service, ok), Cause: cause}
	}
	return &engine.Error{Name: f.Error, Cause: cause}
}

// Invoke hands the call on, once, twice or not at all.
func (i *Injector) Invoke(ctx context.Context, c engine.Call) (json.RawMessage, error) {
	f := i.fault(c, false)
	if f == nil {
		return i.do(ctx, c, Answer{})
	}
	switch f.Kind {
	case Throttle, NamedError:
		return nil, f.failure(c.Resource)
	case TimeOut:
		return nil, &engine.Later{After: -1}
	case Crash:
		_, _ = i.do(ctx, c, Answer{}) // the answer is lost
		return nil, f.failure(c.Resource)
	case Duplicate:
		_, _ = i.do(ctx, c, Answer{})
		return i.do(ctx, c, Answer{})
	case Slow:
		if c.Token != "" {
			return i.do(ctx, c, Answer{After: f.After})
		}
		out, err := i.do(ctx, c, Answer{})
		return nil, &engine.Later{After: f.After, Output: out, Err: err}
	case Late:
		i.clock.At(i.clock.Now().Add(f.After), func() { _, _ = i.do(context.Background(), c, Answer{}) })
		return nil, &engine.Later{After: -1}
	case LostHeartbeat:
		return i.do(ctx, c, Answer{Heartbeat: -1})
	case LostCallback:
		return i.do(ctx, c, Answer{After: -1})
	}
	return i.do(ctx, c, Answer{})
}

// Disturb is what a plan makes go wrong with starts of machines inside the engine.
func (i *Injector) Disturb(c engine.Call) *engine.Disturbance {
	f := i.fault(c, true)
	if f == nil {
		return nil
	}
	switch f.Kind {
	case Throttle, NamedError:
		return &engine.Disturbance{Err: f.failure(c.Resource)}
	case Crash:
		return &engine.Disturbance{Strays: 1, Err: f.failure(c.Resource)}
	case Duplicate:
		return &engine.Disturbance{Strays: 1}
	case Slow, Late: // the child is there at once, and the answer comes too late
		return &engine.Disturbance{Strays: 1, Silent: true}
	}
	return &engine.Disturbance{Silent: true}
}

// Answer is how a worker deals with the token it was given.
type Answer struct {
	After     time.Duration   // from the call to the answer
	Heartbeat time.Duration   // between heartbeats until then; 0: none
	Output    json.RawMessage // the answer, where Err is nil
	Err       *engine.Error
}

// do has the task do its work. Of a task with a token it also lets the worker
// answer; change delays that (After), takes its heartbeats (Heartbeat < 0) or
// the answer itself (After < 0).
func (i *Injector) do(ctx context.Context, c engine.Call, change Answer) (json.RawMessage, error) {
	out, err := i.tasks.Invoke(ctx, c)
	if err != nil || c.Token == "" || i.worker == nil {
		return out, err
	}
	a := i.worker(c)
	due := a.After + max(change.After, 0)
	now := i.clock.Now()
	if a.Heartbeat > 0 && change.Heartbeat == 0 {
		i.beat(c.Token, now.Add(a.Heartbeat), now.Add(due), a.Heartbeat)
	}
	if change.After >= 0 {
		i.clock.At(now.Add(due), func() {
			if a.Err != nil {
				_ = i.engine.Fail(c.Token, a.Err.Name, a.Err.Cause) // nobody may wait for it any more
				return
			}
			_ = i.engine.Succeed(c.Token, a.Output)
		})
	}
	return out, nil
}

// beat sends heartbeats up to a time, one timer at a time.
func (i *Injector) beat(token string, at, until time.Time, every time.Duration) {
	if !at.Before(until) {
		return
	}
	i.clock.At(at, func() {
		if i.engine.Heartbeat(token) == nil {
			i.beat(token, at.Add(every), until, every)
		}
	})
}
