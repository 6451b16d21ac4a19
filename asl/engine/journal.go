package engine

import (
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"plumbline/asl/value"
)

// Journal keeps the inputs of the engine's loop, each before it is acted upon.
// Append is called on the loop, one entry at a time; where it fails, the
// execution fails. Engine.Resume reads the entries.
type Journal interface {
	Append(Entry) error
}

// Entry is one input of an execution: all that has happened to it from
// outside. It is plain data, for JSON or any other form.
type Entry struct {
	Execution string    `json:"execution"` // ARN
	Kind      string    `json:"kind"`      // start, call, submit, token, heartbeat, timer, child, worker, stop, submit, limits
	Time      time.Time `json:"time"`      // on the engine's clock

	// Where it happened, and at which of its waits.
	Frame uint32 `json:"frame,omitempty"`
	Wait  uint32 `json:"wait,omitempty"`
	Timer string `json:"timer,omitempty"` // wait, task, heartbeat, execution

	Value     json.RawMessage `json:"value,omitempty"`     // output; of a start the input
	Submitted json.RawMessage `json:"submitted,omitempty"` // the first answer of a call
	Failed    bool            `json:"failed,omitempty"`
	Error     string          `json:"error,omitempty"`
	Cause     string          `json:"cause,omitempty"`
	Worker    string          `json:"worker,omitempty"`

	// Of a start.
	Machine     string `json:"machine,omitempty"` // ARN, and "#" and the variant where there is one
	Name        string `json:"name,omitempty"`
	Seed        uint64 `json:"seed,omitempty"`
	Shuffle     bool   `json:"shuffle,omitempty"`
	Parent      string `json:"parent,omitempty"` // ARN of the execution that waits for this one
	ParentFrame uint32 `json:"parentFrame,omitempty"`
	ParentWait  uint32 `json:"parentWait,omitempty"`
}

var (
	entryKinds = [...]string{onStart: "start", onCall: "call", onToken: "token", onHeartbeat: "heartbeat",
		onTimer: "timer", onChild: "child", onWorker: "worker", onStop: "stop", onSubmit: "submit", onLimits: "limits"}
	timerNames = [...]string{timerWait: "wait", timerTask: "task", timerBeat: "heartbeat", timerExecution: "execution"}
)

// entry is a happening as the journal keeps it.
func (h *happening) entry(now time.Time) Entry {
	x := h.x
	e := Entry{Execution: x.ARN, Kind: entryKinds[h.kind], Time: now, Worker: h.worker}
	if h.frame != nil {
		e.Frame, e.Wait = h.frame.id, h.gen
	}
	switch h.kind {
	case onStart:
		e.Machine, e.Name, e.Seed, e.Shuffle = x.machine.qualifiedARN(), x.Name, x.seed, x.shuffle
		e.Value = value.Encode(x.run.input)
		if x.parent != nil {
			e.Parent, e.ParentFrame, e.ParentWait = x.parent.frame.x.ARN, x.parent.frame.id, x.parent.gen
		}
		return e
	case onTimer:
		e.Timer = timerNames[h.which]
		return e
	}
	if h.hasSubmit {
		e.Submitted = value.Encode(h.submitted)
	}
	if h.err != nil {
		e.Failed, e.Error, e.Cause = true, h.err.Name, h.err.Cause
	} else if h.kind == onCall || h.kind == onToken || h.kind == onChild || h.kind == onLimits {
		e.Value = value.Encode(h.output)
	}
	return e
}

// happening is the entry as an input of x again.
func (e *Entry) happening(x *Execution) (*happening, error) {
	h := &happening{x: x}
	found := false
	for k, name := range entryKinds {
		if name == e.Kind {
			h.kind, found = inputKind(k), true
		}
	}
	if !found {
		return nil, fmt.Errorf("the journal has an entry of the unknown kind %q", e.Kind)
	}
	if e.Frame != 0 {
		if h.frame = x.root.find(e.Frame); h.frame == nil {
			return nil, fmt.Errorf("the journal's entry %s of %s is about frame %d, which there is not: was the machine another one?", e.Kind, e.Execution, e.Frame)
		}
		h.gen = e.Wait
	}
	for k, name := range timerNames {
		if name == e.Timer {
			h.which = timerKind(k)
		}
	}
	h.worker = e.Worker
	var err error
	if len(e.Value) > 0 {
		if h.output, err = value.Decode(e.Value); err != nil {
			return nil, fmt.Errorf("read the journal's value: %w", err)
		}
	}
	if len(e.Submitted) > 0 {
		if h.submitted, err = value.Decode(e.Submitted); err != nil {
			return nil, fmt.Errorf("read the journal's answer: %w", err)
		}
		h.hasSubmit = true
	}
	if e.Failed {
		h.err = &Error{Name: e.Error, Cause: e.Cause}
	}
	return h, nil
}

// find is the frame of this id at or below f.
func (f *frame) find(id uint32) *frame {
	if f == nil || f.id == id {
		return f
	}
	if f.wait != nil && f.wait.kind == waitFork {
		for _, child := range f.wait.fork.live {
			if found := child.find(id); found != nil {
				return found
			}
		}
	}
	return nil
}

// Resume rebuilds the executions of a journal and lets those go on that had
// not ended: timers are set again, and calls that had not returned are made
// again, with the same Key and Attempt. It is for a new engine; entries must be
// in the order of the journal, and machine gives the machine of an ARN, nil
// for one it does not know. Nothing is resumed where there is an error.
func (e *Engine) Resume(entries []Entry, machine func(arn string) *Machine) ([]*Execution, error) {
	var list []*Execution
	var err error
	e.ask(func() { list, err = e.replay(entries, machine) })
	return list, err
}

func (e *Engine) replay(entries []Entry, machine func(arn string) *Machine) ([]*Execution, error) {
	e.resumed = true
	byARN := map[string]*Execution{}
	var list []*Execution
	for i := range entries {
		en := &entries[i]
		x := byARN[en.Execution]
		if en.Kind == entryKinds[onStart] {
			m := machine(en.Machine)
			if m == nil {
				return nil, fmt.Errorf("resume %s: its machine %s is not known", en.Execution, en.Machine)
			}
			input, err := value.Decode(en.Value)
			if err != nil {
				return nil, fmt.Errorf("resume %s: read its input: %w", en.Execution, err)
			}
			e.mu.Lock()
			m = e.identifyLocked(m)
			e.mu.Unlock()
			x = e.newExecution(m, en.Name, en.Execution, input)
			x.Started, x.seed, x.shuffle = en.Time, en.Seed, en.Shuffle
			x.watch = nil // who watches has seen it
			byARN[en.Execution] = x
			list = append(list, x)
			if p := byARN[en.Parent]; p != nil {
				if f := p.root.find(en.ParentFrame); f != nil {
					x.parent = &parent{frame: f, gen: en.ParentWait}
				}
			}
			x.apply(&happening{kind: onStart, x: x}, en.Time)
			x.effects = x.effects[:0]
			continue
		}
		if x == nil {
			return nil, fmt.Errorf("the journal has an entry of %s, but not its start", en.Execution)
		}
		if !x.live() {
			continue
		}
		h, err := en.happening(x)
		if err != nil {
			return nil, err
		}
		x.apply(h, en.Time)
		x.effects = x.effects[:0]
	}
	e.mu.Lock()
	for _, x := range list {
		e.execs[x.ARN] = x
	}
	e.mu.Unlock()
	for _, x := range list {
		x.watch = e.options.Watch
		e.goOn(x)
	}
	return list, nil
}

// goOn does again what a rebuilt execution waits for.
func (e *Engine) goOn(x *Execution) {
	if !x.live() {
		close(x.done)
		if x.parent != nil { // who may not have heard of it
			e.settle(x)
		}
		return
	}
	if x.machine.timeout > 0 {
		x.effects = append(x.effects, effect{kind: armTimer, which: timerExecution, at: x.Started.Add(x.machine.timeout)})
	}
	x.root.waitAgain()
	e.perform(x)
	if p := x.parent; p != nil {
		if p.frame.gen == p.gen && p.frame.wait != nil {
			p.frame.wait.child = x.ARN
		} else { // its parent has ended, and would have stopped it
			e.post(happening{kind: onStop, x: x, completion: completion{err: &Error{}}})
		}
	}
}

// waitAgain asks for all that the frame and those below it wait for.
func (f *frame) waitAgain() {
	w := f.wait
	if w == nil {
		return
	}
	x := f.x
	switch w.kind {
	case waitFork:
		for _, child := range w.fork.live {
			child.waitAgain()
		}
		return
	case waitTimer, waitRetry:
		x.effects = append(x.effects, effect{kind: armTimer, frame: f, gen: f.gen, wait: w, which: timerWait, at: w.until})
		return
	case waitCall:
		x.effects = append(x.effects, effect{kind: startCall, frame: f, gen: f.gen, wait: w})
	case waitWorker:
		x.effects = append(x.effects, effect{kind: offerTask, frame: f, gen: f.gen, wait: w})
	case waitToken, waitChild:
		x.effects = append(x.effects, effect{kind: hold, frame: f, gen: f.gen, wait: w})
	}
	f.armLimits()
}

// MemoryJournal is a Journal that keeps its entries in memory. The zero value
// is empty. It is safe for concurrent use.
type MemoryJournal struct {
	mu      sync.Mutex
	entries []Entry
}

// Append adds an entry.
func (j *MemoryJournal) Append(e Entry) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries = append(j.entries, e)
	return nil
}

// Entries returns what there is so far.
func (j *MemoryJournal) Entries() []Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]Entry(nil), j.entries...)
}
