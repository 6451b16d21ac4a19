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
// execution fails. A Committer gathers entries. Engine.Resume reads the entries.
type Journal interface {
	Append(Entry) error
}

// Entry is one input of an execution: all that has happened to it from
// outside. It is plain data, for JSON or any other form.
type Entry struct {
	Execution string    `json:"execution"` // ARN
	Kind      string    `json:"kind"`      // start, call, submit, later, token, heartbeat, timer, child, worker, stop, limits, damage
	Time      time.Time `json:"time"`      // on the engine's clock

	// Where it happened, and at which of its waits.
	Frame uint32 `json:"frame,omitempty"`
	Wait  uint32 `json:"wait,omitempty"`
	Timer string `json:"timer,omitempty"` // wait, task, heartbeat, execution, later

	Due time.Time `json:"due,omitzero"` // of a later: when its outcome comes; zero: never

	Value     json.RawMessage `json:"value,omitempty"`     // output; of a start the input
	Submitted json.RawMessage `json:"submitted,omitempty"` // the first answer of a call
	Failed    bool            `json:"failed,omitempty"`
	Error     string          `json:"error,omitempty"`
	Cause     string          `json:"cause,omitempty"`
	Worker    string          `json:"worker,omitempty"`

	// Of a start.
	Machine     string `json:"machine,omitempty"`    // ARN, and "#" and the variant where there is one
	Definition  string `json:"definition,omitempty"` // of the machine: its text; "" where it was not made of a text
	MachineName string `json:"machineName,omitempty"`
	RoleARN     string `json:"roleArn,omitempty"`
	Express     bool   `json:"express,omitempty"`
	Name        string `json:"name,omitempty"`
	Seed        uint64 `json:"seed,omitempty"`
	Shuffle     bool   `json:"shuffle,omitempty"`
	Parent      string `json:"parent,omitempty"` // ARN of the execution that waits for this one
	ParentFrame uint32 `json:"parentFrame,omitempty"`
	ParentWait  uint32 `json:"parentWait,omitempty"`
}

// EntryDamage is the Kind of an entry that a Journal puts in the place of those
// it has lost: the execution fails there, with the entry's Error and Cause.
const EntryDamage = "damage"

var (
	entryKinds = [...]string{onStart: "start", onCall: "call", onToken: "token", onHeartbeat: "heartbeat",
		onTimer: "timer", onChild: "child", onWorker: "worker", onStop: "stop", onSubmit: "submit", onLimits: "limits", onLater: "later", onDamage: EntryDamage}
	timerNames = [...]string{timerWait: "wait", timerTask: "task", timerBeat: "heartbeat", timerExecution: "execution", timerLater: "later"}
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
		e.Definition, e.MachineName, e.RoleARN, e.Express = x.machine.root.text, x.machine.Name, x.machine.RoleARN, x.machine.Express
		e.Value = value.Encode(x.run.input)
		if x.parent != nil {
			e.Parent, e.ParentFrame, e.ParentWait = x.parent.frame.x.ARN, x.parent.frame.id, x.parent.gen
		}
		return e
	case onTimer:
		e.Timer = timerNames[h.which]
		return e
	}
	e.Due = h.at
	if h.hasSubmit {
		e.Submitted = value.Encode(h.submitted)
	}
	if h.err != nil {
		e.Failed, e.Error, e.Cause = true, h.err.Name, h.err.Cause
	} else if h.kind == onCall || h.kind == onToken || h.kind == onChild || h.kind == onLimits || h.kind == onLater {
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
	h.worker, h.at = e.Worker, e.Due
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
