package engine

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"plumbline/asl"
	"plumbline/asl/value"
)

// Resume rebuilds the executions of a journal and lets those go on that had
// not ended: timers are set again, those that have become due go off at once, and
// calls that had not returned are made again, with the same Key and Attempt. It
// is for a new engine, and entries must be in the order of the journal.
//
// The machines are those of the entries. machine, which may be nil, gives the
// machine of an ARN for entries without a definition; nil where it knows none.
//
// The error joins what could not be followed. An execution whose start cannot
// be read is left out; one that lost its way later ends there, with States.Runtime
// and a cause that says where. All others go on.
func (e *Engine) Resume(entries []Entry, machine func(arn string) *Machine) ([]*Execution, error) {
	r := &replay{engine: e, machine: machine, compiled: map[string]*Machine{}, byARN: map[string]*Execution{}, lost: map[string]bool{}}
	e.ask(func() {
		e.resumed = map[tokenHolder]*Execution{}
		e.replaying = true
		for i := range entries {
			r.follow(&entries[i])
		}
		e.replaying = false
		e.mu.Lock()
		for _, x := range r.list {
			e.execs[x.ARN] = x
		}
		e.mu.Unlock()
		for _, x := range r.list {
			x.watch = e.options.Watch
			e.goOn(x)
		}
	})
	return r.list, errors.Join(r.problems...)
}

// replay is a journal being read.
type replay struct {
	engine   *Engine
	machine  func(arn string) *Machine
	compiled map[string]*Machine // by text
	byARN    map[string]*Execution
	lost     map[string]bool // ARNs of executions that could not be begun
	list     []*Execution
	problems []error
}

func (r *replay) follow(en *Entry) {
	x := r.byARN[en.Execution]
	if en.Kind == entryKinds[onStart] && x == nil {
		if err := r.begin(en); err != nil {
			r.lost[en.Execution] = true
			r.problems = append(r.problems, fmt.Errorf("resume %s: %w", en.Execution, err))
		}
		return
	}
	if x == nil {
		if !r.lost[en.Execution] {
			r.lost[en.Execution] = true
			r.problems = append(r.problems, fmt.Errorf("resume %s: the journal has an entry of it, but not its start", en.Execution))
		}
		return
	}
	if !x.live() {
		return
	}
	h, err := en.happening(x)
	if err != nil {
		r.problems = append(r.problems, fmt.Errorf("resume %s: %w", en.Execution, err))
		h = &happening{kind: onDamage, x: x, completion: completion{err: &Error{Name: ErrRuntime, Cause: err.Error()}}}
	}
	x.step(h, en.Time)
	x.effects = x.effects[:0]
}

// begin follows the start of an execution.
func (r *replay) begin(en *Entry) error {
	e := r.engine
	m, err := r.machineOf(en)
	if err != nil {
		return err
	}
	input, err := value.Decode(en.Value)
	if err != nil {
		return fmt.Errorf("read its input: %w", err)
	}
	x := e.newExecution(m, en.Name, en.Execution, input)
	x.Started, x.seed, x.shuffle = en.Time, en.Seed, en.Shuffle
	x.watch = nil // who watches has seen it
	x.lineage = newLineage(m.ARN)
	if p := r.byARN[en.Parent]; p != nil {
		x.lineage.starter, x.lineage.family = p.lineage, p.lineage.family
	}
	r.byARN[en.Execution] = x
	r.list = append(r.list, x)
	if p := r.byARN[en.Parent]; p != nil {
		if f := p.root.find(en.ParentFrame); f != nil {
			x.parent = &parent{frame: f, gen: en.ParentWait}
			e.resumed[tokenHolder{f, en.ParentWait}] = x
		}
	}
	x.step(&happening{kind: onStart, x: x}, en.Time)
	x.effects = x.effects[:0]
	return nil
}

func (r *replay) machineOf(en *Entry) (*Machine, error) {
	e := r.engine
	if en.Definition == "" {
		var m *Machine
		if r.machine != nil {
			m = r.machine(en.Machine)
		}
		if m == nil {
			return nil, fmt.Errorf("its machine %s is not known", en.Machine)
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		return e.identifyLocked(m), nil
	}
	// Executions of one machine share it.
	key := strings.Join([]string{en.Machine, en.MachineName, en.RoleARN, fmt.Sprint(en.Express), en.Definition}, "\x00")
	if m := r.compiled[key]; m != nil {
		return m, nil
	}
	d, err := asl.Parse([]byte(en.Definition))
	if err != nil {
		return nil, fmt.Errorf("read its machine %s: %w", en.Machine, err)
	}
	m, err := Compile(d)
	if err != nil {
		return nil, fmt.Errorf("read its machine %s: %w", en.Machine, err)
	}
	arn, variant, _ := strings.Cut(en.Machine, "#")
	m = m.As(Identity{Name: en.MachineName, ARN: arn, RoleARN: en.RoleARN, Express: en.Express, Variant: variant})
	r.compiled[key] = m
	return m, nil
}

// goOn does again what a rebuilt execution waits for.
func (e *Engine) goOn(x *Execution) {
	if !x.live() {
		x.publish()
		close(x.done)
		if x.parent != nil { // who may not have heard of it
			e.settle(x)
		}
		return
	}
	now := e.clock.Now()
	over := false
	if limit := x.machine.limit(); limit > 0 {
		at := x.Started.Add(limit)
		over = !at.After(now)
		x.effects = append(x.effects, effect{kind: armTimer, which: timerExecution, at: at})
	}
	if !over {
		x.root.waitAgain(now)
	}
	e.perform(x, x.effects)
	clear(x.effects)
	x.effects = x.effects[:0]
	if p := x.parent; p != nil {
		if p.frame.gen == p.gen && p.frame.wait != nil {
			p.frame.wait.child = x.ARN
		} else { // its parent has ended, and would have stopped it
			e.post(happening{kind: onStop, x: x, completion: completion{err: &Error{}}})
		}
	}
}

// waitAgain asks for all that the frame and those below it wait for.
func (f *frame) waitAgain(now time.Time) {
	w := f.wait
	if w == nil {
		return
	}
	x := f.x
	want := func(k effectKind) {
		x.effects = append(x.effects, effect{kind: k, frame: f, gen: f.gen, wait: w})
	}
	switch w.kind {
	case waitFork:
		for _, child := range w.fork.live {
			child.waitAgain(now)
		}
		return
	case waitTimer, waitRetry:
		x.effects = append(x.effects, effect{kind: armTimer, frame: f, gen: f.gen, wait: w, which: timerWait, at: w.until})
		return
	case waitCall:
		if f.state.nested != nil {
			f.startsChild(w.call, f.gen)
		}
		switch {
		case w.later != nil: // it has returned
			want(hold)
			f.armLater()
		case !w.isOver(now): // what times out at once is not called once more
			want(startCall)
		}
	case waitWorker:
		want(offerTask)
	case waitToken:
		want(hold)
	case waitChild:
		want(hold)
		if x.engine.childOf(&x.effects[len(x.effects)-1]) == nil {
			lost := &Error{Name: ErrTaskFailed, Cause: "the execution that it waits for is not in the journal"}
			x.engine.post(happening{kind: onChild, x: x, frame: f, gen: f.gen, completion: completion{err: lost}})
		}
	}
	f.armLimits()
}

// isOver reports whether the wait's time-out or heartbeat is due.
func (w *wait) isOver(now time.Time) bool {
	return !w.timeout.IsZero() && !w.timeout.After(now) || !w.beat.IsZero() && !w.beat.After(now)
}
