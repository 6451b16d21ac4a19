package asltest

import (
	"encoding/json"
	"slices"
	"strings"

	"plumbline/asl"
)

// history answers questions about the events of one execution.
type history struct {
	main   string // the execution; its Distributed Maps' children have other names
	events []Event
	at     map[eventKey]int
	states map[string]*asl.State
	d      *asl.Definition
	hides  func(*asl.State) bool // of a Map; nil: everything is shown
}

type eventKey struct {
	execution string
	id        int64
}

func newHistory(d *asl.Definition, main string, events []Event) *history {
	h := &history{main: main, events: events, at: make(map[eventKey]int, len(events)), states: map[string]*asl.State{}, d: d}
	for i, e := range events {
		h.at[eventKey{e.Execution, e.ID}] = i
	}
	for _, s := range d.All() {
		h.states[s.Name] = s
	}
	return h
}

// before is the event that e follows, nil at the beginning.
func (h *history) before(e *Event) *Event {
	if e.Previous == 0 || e.Previous >= e.ID { // the latter only in a broken history
		return nil
	}
	if i, ok := h.at[eventKey{e.Execution, e.Previous}]; ok {
		return &h.events[i]
	}
	return nil
}

func entered(e *Event) bool { return strings.HasSuffix(e.Type, "StateEntered") }

// stateOf is the state in which the event happened, "" where it happened in none.
func (h *history) stateOf(e *Event) string {
	for p := e; p != nil; p = h.before(p) {
		if entered(p) || strings.HasSuffix(p.Type, "StateExited") {
			return p.State
		}
	}
	return ""
}

// hidden reports whether the endpoint shows nothing of what happens in the
// state, nor inside of the Map or Parallel state owner.
func (h *history) hidden(state, owner string) bool {
	if h.hides == nil {
		return false
	}
	s := h.states[owner]
	if s == nil && h.states[state] != nil {
		s = h.states[state].Machine().Owner()
	}
	for ; s != nil; s = s.Machine().Owner() {
		p := s.ItemProcessor
		if p != nil && p.Processor != nil && p.Processor.Mode == "DISTRIBUTED" && h.hides(s) {
			return true
		}
	}
	return false
}

// path is the states of the machine itself in the order they were entered.
func (h *history) path() []string {
	var out []string
	for i := range h.events {
		e := &h.events[i]
		if s := h.states[e.State]; entered(e) && e.Execution == h.main && s != nil && s.Machine() == h.d {
			out = append(out, e.State)
		}
	}
	return out
}

// inner is the states that branch index of a Parallel or iteration index of a
// Map entered; false where the history has no such branch or iteration.
func (h *history) inner(owner string, index int) ([]string, bool) {
	s := h.states[owner]
	machines := s.Machines()
	if s.Type == "Parallel" {
		if index >= len(machines) {
			return nil, false
		}
		return h.enteredIn(machines[index], func(*Event) bool { return true }), true
	}
	if len(machines) == 0 {
		return nil, false
	}
	var children []string // of a Distributed Map, in order of their first events
	for i := range h.events {
		e := &h.events[i]
		if in := h.states[e.State]; entered(e) && e.Execution != h.main && in != nil && in.Machine() == machines[0] && !slices.Contains(children, e.Execution) {
			children = append(children, e.Execution)
		}
	}
	if len(children) > 0 {
		if index >= len(children) {
			return nil, false
		}
		return h.enteredIn(machines[0], func(e *Event) bool { return e.Execution == children[index] }), true
	}
	found := false
	states := h.enteredIn(machines[0], func(e *Event) bool {
		at, ok := h.iteration(e, owner)
		found = found || ok && at == index
		return ok && at == index
	})
	return states, found
}

func (h *history) enteredIn(m *asl.Definition, want func(*Event) bool) []string {
	var out []string
	for i := range h.events {
		e := &h.events[i]
		if s := h.states[e.State]; entered(e) && s != nil && s.Machine() == m && want(e) {
			out = append(out, e.State)
		}
	}
	return out
}

// iteration is the index of the Map's iteration that the event belongs to.
func (h *history) iteration(e *Event, owner string) (int, bool) {
	for p := e; p != nil; p = h.before(p) {
		if p.Type == "MapIterationStarted" && p.State == owner {
			return p.Index, true
		}
	}
	return 0, false
}

// scheduled reports whether the event is a call that a task makes.
func scheduled(e *Event) bool {
	switch e.Type {
	case "TaskScheduled", "LambdaFunctionScheduled", "ActivityScheduled":
		return true
	}
	return false
}

// calls are the parameters of the calls that a state made, in order.
func (h *history) calls(state string) []any {
	var out []any
	for i := range h.events {
		e := &h.events[i]
		if !scheduled(e) || h.stateOf(e) != state {
			continue
		}
		var fields map[string]json.RawMessage
		_ = json.Unmarshal(e.Text, &fields)
		for key, raw := range fields {
			if !strings.HasSuffix(key, "EventDetails") {
				continue
			}
			var d struct{ Parameters, Input string }
			_ = json.Unmarshal(raw, &d)
			v, _ := decode([]byte(d.Parameters + d.Input)) // one of them is there
			out = append(out, v)
		}
	}
	return out
}

// failure reports whether a state exits after such an event because an error was caught.
func failure(typ string) bool {
	return strings.HasSuffix(typ, "Failed") || strings.HasSuffix(typ, "TimedOut")
}

// step is one way taken from a state to another.
type way struct {
	from, to string
	caught   bool
	error    string
}

// ways are the transitions that the execution took.
func (h *history) ways() []way {
	var out []way
	for i := range h.events {
		e := &h.events[i]
		if !entered(e) {
			continue
		}
		exit := h.before(e)
		if exit == nil || !strings.HasSuffix(exit.Type, "StateExited") {
			continue
		}
		w := way{from: exit.State, to: e.State}
		if why := h.before(exit); why != nil {
			s := h.states[exit.State]
			early := s != nil && s.Type == "Task" && entered(why) // the error came before the call
			w.caught, w.error = failure(why.Type) || early, why.Error
		}
		out = append(out, w)
	}
	return out
}
