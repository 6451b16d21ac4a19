package asl

import (
	"slices"
	"strings"
)

// TraceEvent is one event of an execution's history, as far as a Trace reads it.
type TraceEvent struct {
	Execution    string // ARN; "" where there is but one
	ID, Previous int64
	Type         string // TaskStateEntered, MapRunStarted, … of GetExecutionHistory
	State        string // the name in …StateEntered, …StateExited and MapIteration…
	Length       int    // of MapStateStarted: its items, where they are known
}

// Outcome is what an execution did in a state.
type Outcome string

// The outcomes. Of a state that was entered several times it is the first of
// this order: what runs, then what went worst.
const (
	NotEntered Outcome = ""
	Running    Outcome = "running"
	Failed     Outcome = "failed"    // an error left the state that no catch of it took
	Stopped    Outcome = "stopped"   // ended from outside: another branch failed, a time-out, a stop
	Caught     Outcome = "caught"    // left by a catch
	Succeeded  Outcome = "succeeded" // left as it should
)

// Tally counts what happened in one state.
type Tally struct {
	Entered, Succeeded, Caught, Failed, Stopped int
	Retries                                     int // attempts but the first
	// Of a Map: its items so far, where known how many there are, and how many
	// of them ended well and not.
	Items, ItemsSucceeded, ItemsFailed int
}

// Running is how often the execution is in the state now.
func (n Tally) Running() int { return n.Entered - n.Succeeded - n.Caught - n.Failed - n.Stopped }

// Outcome sums up.
func (n Tally) Outcome() Outcome {
	switch {
	case n.Running() > 0:
		return Running
	case n.Failed > 0:
		return Failed
	case n.Stopped > 0:
		return Stopped
	case n.Caught > 0:
		return Caught
	case n.Succeeded > 0:
		return Succeeded
	}
	return NotEntered
}

// Trace is what an execution did, state by state, learned from its history. It
// takes the events in their order, as many as there are yet, and those of the
// children of its Distributed Maps; events of other executions it passes over.
// It is not safe for concurrent use.
type Trace struct {
	states map[string]*State
	tally  map[string]*Tally
	walked map[walk]bool

	main   string // the first event's execution
	family string // what the ARNs of Distributed Maps' children have in common
	at     map[traceKey]tracePoint
}

// walk is a way from a state to another of its machine; from "" is the start.
type walk struct {
	from, to string
	caught   bool
}

type traceKey struct {
	execution string
	id        int64
}

// tracePoint is an event that others may follow.
type tracePoint struct {
	typ    string
	state  string // it happened in
	caught bool   // of …StateExited: by a catch
}

// NewTrace returns a trace in which nothing has happened.
func NewTrace(d *Definition) *Trace {
	t := &Trace{states: map[string]*State{}, tally: map[string]*Tally{}, walked: map[walk]bool{}, at: map[traceKey]tracePoint{}}
	for _, s := range d.All() {
		t.states[s.Name] = s
	}
	return t
}

// State is what happened in the state of this name.
func (t *Trace) State(name string) Tally {
	if n := t.tally[name]; n != nil {
		return *n
	}
	return Tally{}
}

// Empty reports whether no state has been entered.
func (t *Trace) Empty() bool { return len(t.tally) == 0 }

// machineIn is the part of an execution's ARN that names the state machine, and
// of a Distributed Map's child also the Map; "" where the text is no ARN.
func machineIn(execution string) string {
	parts := strings.SplitN(execution, ":", 8)
	if len(parts) < 8 {
		return ""
	}
	return parts[6]
}

// ours reports whether the event is of the execution or one of its Maps' children.
func (t *Trace) ours(execution string) bool {
	if len(t.at) == 0 {
		t.main = execution
		if m := machineIn(execution); m != "" {
			t.family = m + "/"
		}
	}
	return execution == t.main || t.family != "" && strings.HasPrefix(machineIn(execution), t.family)
}

// Add learns from the next event.
func (t *Trace) Add(e TraceEvent) {
	if !t.ours(e.Execution) {
		return
	}
	before := t.at[traceKey{e.Execution, e.Previous}]
	here := tracePoint{typ: e.Type}
	if strings.HasSuffix(e.Type, "StateExited") {
		here.caught = t.caughtBy(t.states[e.State], before)
	}
	here.state = t.learn(e, before)
	t.at[traceKey{e.Execution, e.ID}] = here
}

// of is the tally of a state, a spare one where the definition has no such state.
func (t *Trace) of(name string) *Tally {
	n := t.tally[name]
	if n == nil {
		n = &Tally{}
		if t.states[name] != nil {
			t.tally[name] = n
		}
	}
	return n
}

// learn counts the event and says in which state it happened.
func (t *Trace) learn(e TraceEvent, before tracePoint) string {
	switch {
	case strings.HasSuffix(e.Type, "StateEntered"):
		t.of(e.State).Entered++
		t.enter(e.State, before)
		return e.State
	case strings.HasSuffix(e.Type, "StateExited"):
		t.exit(e.State, before)
		return e.State
	}
	switch e.Type {
	case "TaskScheduled", "LambdaFunctionScheduled", "ActivityScheduled", "ParallelStateStarted", "MapStateStarted":
		return t.attempt(e, before)
	case "MapIterationSucceeded":
		t.of(e.State).ItemsSucceeded++
	case "MapIterationFailed":
		t.of(e.State).ItemsFailed++
		t.fail(before.state, e.State)
		return e.State
	case "ParallelStateSucceeded", "MapStateSucceeded", "MapRunSucceeded":
		return t.owner(before, e.Type)
	case "ParallelStateFailed", "MapStateFailed", "MapRunFailed":
		owner := t.owner(before, e.Type)
		t.fail(before.state, owner)
		return owner
	case "ExecutionSucceeded", "ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted":
		t.end(e, before)
	}
	if e.State != "" && t.states[e.State] != nil { // MapIterationStarted
		return e.State
	}
	return before.state
}

// enter notes the way by which a state was entered.
func (t *Trace) enter(name string, before tracePoint) {
	s := t.states[name]
	if s == nil {
		return
	}
	w := walk{to: name}
	if from := t.states[before.state]; strings.HasSuffix(before.typ, "Exited") && from != nil && from.machine == s.machine {
		w.from, w.caught = before.state, before.caught
	}
	t.walked[w] = true
}

// attempt is the beginning of a state's work, a retry where it has been at work
// before. It says which state that is.
func (t *Trace) attempt(e TraceEvent, before tracePoint) string {
	name, first := before.state, strings.HasSuffix(before.typ, "StateEntered")
	if !first && strings.HasSuffix(e.Type, "StateStarted") { // it follows what the attempt before came to
		name = t.owner(before, e.Type)
	}
	n := t.of(name)
	if s := t.states[name]; s != nil && !first {
		n.Retries++
		n.Items, n.ItemsSucceeded, n.ItemsFailed = 0, 0, 0
		for _, in := range t.inside(s) { // what the attempt before left there is made up for
			again := in.Entered - in.Succeeded - in.Caught
			in.Retries += again
			in.Entered -= again
			in.Failed, in.Stopped = 0, 0
		}
	}
	n.Items += e.Length
	return name
}

// inside are the tallies of the states inside a Map or Parallel.
func (t *Trace) inside(s *State) []*Tally {
	var out []*Tally
	for _, m := range s.Machines() {
		for _, in := range m.All() {
			if n := t.tally[in.Name]; n != nil {
				out = append(out, n)
			}
		}
	}
	return out
}

// exit counts how the state was left.
func (t *Trace) exit(name string, before tracePoint) {
	s, n := t.states[name], t.of(name)
	if t.caughtBy(s, before) {
		n.Caught++
		t.stopInside(s)
		return
	}
	n.Succeeded++
}

// caughtBy reports whether the state is left because of an error.
func (t *Trace) caughtBy(s *State, before tracePoint) bool {
	if strings.HasSuffix(before.typ, "Failed") || strings.HasSuffix(before.typ, "TimedOut") {
		return true
	}
	// The error came before a call was made, or before the branches were begun.
	early := s != nil && (s.Type == "Task" || s.Type == "Parallel" || s.Type == "Map")
	return early && strings.HasSuffix(before.typ, "StateEntered")
}

// owner climbs from an event to the Map or Parallel that the next one is of: the
// state itself, or where that has ended, the one around it.
func (t *Trace) owner(before tracePoint, event string) string {
	kind := "Map"
	if strings.HasPrefix(event, "Parallel") {
		kind = "Parallel"
	}
	s := t.states[before.state]
	if ended := before.typ == "ParallelStateFailed" || before.typ == "MapStateFailed" || strings.HasSuffix(before.typ, "StateExited"); ended && s != nil {
		s = s.machine.Owner()
	}
	for ; s != nil; s = s.machine.Owner() {
		if s.Type == kind {
			return s.Name
		}
	}
	return before.state
}

// fail marks the states from the one where an error arose up to, but without,
// the one that it has come to.
func (t *Trace) fail(from, upTo string) {
	for s := t.states[from]; s != nil && s.Name != upTo; s = s.machine.Owner() {
		if n := t.of(s.Name); n.Running() > 0 {
			n.Failed++
		}
	}
	if s := t.states[upTo]; s != nil && s.Type == "Parallel" {
		t.stopInside(s)
	}
}

// stopInside ends what is still at work inside a Map or Parallel that has ended.
func (t *Trace) stopInside(s *State) {
	if s == nil {
		return
	}
	for _, n := range t.inside(s) {
		n.Stopped += n.Running()
	}
}

// end closes what an execution leaves open.
func (t *Trace) end(e TraceEvent, before tracePoint) {
	well := e.Type == "ExecutionSucceeded"
	if e.Execution != t.main {
		s := t.states[before.state]
		if s == nil || s.machine.Owner() == nil {
			return
		}
		owner := t.of(s.machine.Owner().Name)
		if well {
			owner.ItemsSucceeded++
			return
		}
		if e.Type == "ExecutionAborted" {
			if n := t.of(before.state); n.Running() > 0 {
				n.Stopped++
			}
			return
		}
		owner.ItemsFailed++
		t.fail(before.state, s.machine.Owner().Name)
		return
	}
	if e.Type == "ExecutionFailed" {
		t.fail(before.state, "")
	}
	for _, n := range t.tally {
		n.Stopped += n.Running()
	}
}

// Missed lists the states that the execution did not enter, sorted.
func (t *Trace) Missed() []string {
	var out []string
	for name := range t.states {
		if t.State(name).Entered == 0 {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}
