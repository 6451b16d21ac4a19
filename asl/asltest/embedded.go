package asltest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"plumbline/asl"
	"plumbline/asl/engine"
)

// Embedded is the engine of asl/engine in this process, on virtual time. Each
// machine has an engine and a clock of its own; calls are made one at a time,
// so that the same scenario gives the same history.
func Embedded() Endpoint { return &embedded{machines: map[string]*instance{}} }

type embedded struct {
	mu       sync.Mutex
	machines map[string]*instance
	running  map[string]*instance // by execution
}

// instance is one machine with its engine.
type instance struct {
	machine *engine.Machine
	engine  *engine.Engine
	clock   *stepClock

	mu     sync.Mutex
	events []Event
	broken error
	x      *engine.Execution
}

func (e *embedded) Name() string { return "embedded" }

func (e *embedded) Create(ctx context.Context, m Machine) (string, error) {
	d, err := asl.Parse(m.Definition)
	if err != nil {
		return "", err
	}
	compiled, err := engine.Compile(d)
	if err != nil {
		return "", err
	}
	objects := &engine.MemoryObjects{}
	for path, text := range m.Objects {
		bucket, key, _ := strings.Cut(path, "/")
		if err := objects.Put(ctx, bucket, key, text); err != nil {
			return "", err
		}
	}
	arn := "arn:aws:states:us-east-1:123456789012:stateMachine:" + m.Name
	in := &instance{
		machine: compiled.As(engine.Identity{Name: m.Name, ARN: arn, Express: m.Type == asl.Express}),
		clock:   &stepClock{now: m.Start},
	}
	in.engine = engine.New(engine.Options{
		Tasks: invoker{m.Script}, Objects: objects, Clock: in.clock, Seed: m.Seed, Ordered: true,
		Watch: in.watch, Workers: 1,
	})
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.running == nil {
		e.running = map[string]*instance{}
	}
	id := fmt.Sprintf("%s#%d", arn, len(e.machines)+1)
	e.machines[id] = in
	return id, nil
}

func (in *instance) watch(ev engine.Event) {
	text, err := json.Marshal(ev)
	var e Event
	if err == nil {
		e, err = ParseEvent(ev.Execution, text)
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.broken = errors.Join(in.broken, err)
	in.events = append(in.events, e)
}

func (e *embedded) Start(_ context.Context, machine, name string, input json.RawMessage) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	in := e.machines[machine]
	if in == nil {
		return "", fmt.Errorf("no state machine %s", machine)
	}
	x, err := in.engine.Start(in.machine, name, input)
	if err != nil {
		return "", err
	}
	in.x = x
	e.running[machine+"/"+x.ARN] = in
	return machine + "/" + x.ARN, nil
}

func (e *embedded) of(execution string) *instance {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.running[execution]
}

func (e *embedded) Describe(_ context.Context, execution string) (Description, error) {
	r := e.of(execution).x.Result()
	return Description{Status: string(r.Status), Output: r.Output, Error: r.Error, Cause: r.Cause}, nil
}

func (e *embedded) History(_ context.Context, execution string) ([]Event, error) {
	in := e.of(execution)
	in.mu.Lock()
	defer in.mu.Unlock()
	events := slices.Clone(in.events)
	for i := range events { // the handle stands for the execution's own ARN
		if events[i].Execution == in.x.ARN {
			events[i].Execution = execution
		}
	}
	return events, in.broken
}

func (e *embedded) Settle(ctx context.Context, execution string) error {
	_, err := e.of(execution).x.Wait(ctx)
	if stuck := (*engine.DeadlockError)(nil); errors.As(err, &stuck) {
		return nil // nothing left to do at this time
	}
	return err
}

func (e *embedded) Now(execution string) time.Time { return e.of(execution).clock.Now() }

func (e *embedded) Next(execution string) (time.Time, bool) { return e.of(execution).clock.next() }

func (e *embedded) Advance(ctx context.Context, execution string, t time.Time) error {
	clock := e.of(execution).clock
	for {
		if at, ok := clock.next(); !ok || at.After(t) {
			break
		}
		clock.fire()
		if err := e.Settle(ctx, execution); err != nil {
			return err
		}
	}
	clock.move(t)
	return nil
}

func (e *embedded) Waiting(execution string) []Waiting {
	var out []Waiting
	for _, w := range e.of(execution).engine.Waiting() {
		out = append(out, Waiting{State: w.State, For: w.For, Token: w.Token})
	}
	return out
}

// holder finds the engine that a token came from.
func (e *embedded) holder(token string, use func(*engine.Engine) error) error {
	e.mu.Lock()
	var engines []*engine.Engine
	for _, in := range e.running {
		engines = append(engines, in.engine)
	}
	e.mu.Unlock()
	for _, en := range engines {
		for _, w := range en.Waiting() {
			if w.Token == token {
				return use(en)
			}
		}
	}
	return engine.ErrTaskDoesNotExist
}

func (e *embedded) Answer(_ context.Context, token string, r Reply) error {
	return e.holder(token, func(en *engine.Engine) error {
		if r.Error != "" {
			return en.Fail(token, r.Error, r.Cause)
		}
		return en.Succeed(token, r.Output)
	})
}

func (e *embedded) Heartbeat(_ context.Context, token string) error {
	return e.holder(token, func(en *engine.Engine) error { return en.Heartbeat(token) })
}

func (e *embedded) Stop(_ context.Context, execution, name, cause string) error {
	in := e.of(execution)
	if !in.engine.Stop(in.x.ARN, name, cause) {
		return errors.New("the execution had ended")
	}
	return nil
}

// invoker answers the engine's calls from a script.
type invoker struct{ script *Script }

func (i invoker) Invoke(_ context.Context, c engine.Call) (json.RawMessage, error) {
	if c.Token != "" { // the answer comes through the token
		return json.RawMessage("{}"), nil
	}
	r, ok := i.script.Next(c.State, c.Input)
	if !ok {
		return nil, &engine.Error{Name: "States.Runtime", Cause: "the scenario has no reply for this call"}
	}
	var failed error
	if r.Error != "" {
		failed = &engine.Error{Name: r.Error, Cause: r.Cause}
	}
	out := r.Output
	if r.Echo {
		out = c.Input
	}
	switch {
	case r.Silent:
		return nil, &engine.Later{After: -1}
	case r.After > 0:
		return nil, &engine.Later{After: r.After, Output: out, Err: failed}
	}
	return out, failed
}

// stepClock is a clock that only its owner moves, one timer at a time.
type stepClock struct {
	mu     sync.Mutex
	now    time.Time
	timers []*stepTimer // by time, then by age
}

type stepTimer struct {
	at time.Time
	f  func()
}

func (c *stepClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *stepClock) At(t time.Time, f func()) func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	timer := &stepTimer{t, f}
	i := len(c.timers)
	for i > 0 && c.timers[i-1].at.After(t) {
		i--
	}
	c.timers = slices.Insert(c.timers, i, timer)
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.timers = slices.DeleteFunc(c.timers, func(x *stepTimer) bool { return x == timer })
	}
}

// Jump never moves: the engine is to rest, and the scenario says what comes.
func (c *stepClock) Jump() bool { return false }

func (c *stepClock) next() (time.Time, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.timers) == 0 {
		return time.Time{}, false
	}
	return c.timers[0].at, true
}

// fire moves to the next timer and calls it.
func (c *stepClock) fire() {
	c.mu.Lock()
	if len(c.timers) == 0 {
		c.mu.Unlock()
		return
	}
	timer := c.timers[0]
	c.timers = c.timers[1:]
	if timer.at.After(c.now) {
		c.now = timer.at
	}
	c.mu.Unlock()
	timer.f()
}

func (c *stepClock) move(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.After(c.now) {
		c.now = t
	}
}
