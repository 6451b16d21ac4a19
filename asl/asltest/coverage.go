package asltest

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"plumbline/asl"
)

// Coverage is what scenarios have seen of each workflow. The zero value is
// empty; it is safe for concurrent use.
type Coverage struct {
	mu   sync.Mutex
	seen map[string]*seenOf
}

type seenOf struct {
	d       *asl.Definition
	states  map[string]bool
	catches map[string]bool // state/index
	choices map[string]bool // state/target
}

// add learns from one execution.
func (c *Coverage) add(workflow string, h *history) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.of(workflow, h.d)
	for i := range h.events {
		if e := &h.events[i]; entered(e) {
			s.states[e.State] = true
		}
	}
	for _, w := range h.ways() {
		from := h.states[w.from]
		if from == nil {
			continue
		}
		if from.Type == "Choice" {
			s.choices[w.from+"/"+w.to] = true
		}
		if w.caught {
			if i := catcherOf(from, w); i >= 0 {
				s.catches[fmt.Sprintf("%s/%d", w.from, i)] = true
			}
		}
	}
}

// Know makes Missing speak of a workflow that no scenario has run.
func (c *Coverage) Know(workflow string, d *asl.Definition) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.of(workflow, d)
}

func (c *Coverage) of(workflow string, d *asl.Definition) *seenOf {
	if c.seen == nil {
		c.seen = map[string]*seenOf{}
	}
	s := c.seen[workflow]
	if s == nil {
		s = &seenOf{d: d, states: map[string]bool{}, catches: map[string]bool{}, choices: map[string]bool{}}
		c.seen[workflow] = s
	}
	return s
}

// catcherOf is the first catcher that leads where the error went, of those
// that name it if some do; -1 if there is none.
func catcherOf(s *asl.State, w way) int {
	fits := func(c *asl.Catcher) bool {
		return c.Next == w.to && (w.error == "" || slices.Contains(c.ErrorEquals, w.error) ||
			slices.Contains(c.ErrorEquals, "States.ALL") || slices.Contains(c.ErrorEquals, "States.TaskFailed"))
	}
	if i := slices.IndexFunc(s.Catch, fits); i >= 0 {
		return i
	}
	return slices.IndexFunc(s.Catch, func(c *asl.Catcher) bool { return c.Next == w.to })
}

// Missing lists, by workflow, the states that were never entered, the catchers
// that never caught and the targets that no choice went to. A catcher or
// choice of a state never entered is not listed beside it. It is in the order
// of workflows' names and of their text.
func (c *Coverage) Missing() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var names []string
	for name := range c.seen {
		names = append(names, name)
	}
	slices.Sort(names)
	var out []string
	for _, name := range names {
		s := c.seen[name]
		for _, st := range s.d.All() {
			if !s.states[st.Name] {
				out = append(out, fmt.Sprintf("%s: state %s is never entered", name, st.Name))
				continue
			}
			for i, ca := range st.Catch {
				if !s.catches[fmt.Sprintf("%s/%d", st.Name, i)] {
					out = append(out, fmt.Sprintf("%s: the catch of %s in %s is never taken", name, strings.Join(ca.ErrorEquals, ", "), st.Name))
				}
			}
			for _, target := range targets(st) {
				if !s.choices[st.Name+"/"+target] {
					out = append(out, fmt.Sprintf("%s: choice %s never goes to %s", name, st.Name, target))
				}
			}
		}
	}
	return out
}

// targets are the states that a Choice may lead to, each once.
func targets(s *asl.State) []string {
	if s.Type != "Choice" {
		return nil
	}
	var out []string
	add := func(name string) {
		if name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	for _, c := range s.Choices {
		add(c.Next)
	}
	add(s.Default)
	return out
}
