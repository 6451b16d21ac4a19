package asl

import (
	"fmt"
	"slices"
	"unicode/utf8"
)

// names checks what must be unique in the whole text, and the length of names.
func (v *validator) names(d *Definition) {
	seen := map[string]*State{}
	labels := map[string]bool{}
	for _, s := range d.All() {
		if n := utf8.RuneCountInString(s.Name); n > maxStateName || n == 0 {
			v.report(SeverityError, codeStateName, s.Pos, s.pointer, fmt.Sprintf("a name has 1 to %d characters; this one has %d", maxStateName, n), "Invalid State name: %s", s.Name)
		}
		if first := seen[s.Name]; first != nil && first.machine != s.machine {
			v.report(SeverityError, codeDuplicate, s.Pos, s.pointer, fmt.Sprintf("it is used at %s too; names are unique in the whole state machine", first.Pos), "Duplicate State name: %s", s.Name)
		}
		seen[s.Name] = s
		if s.Label != "" {
			if labels[s.Label] {
				v.report(SeverityError, codeSameLabel, s.node.keyPos("Label"), child(s.pointer, "Label"), "", "Duplicate Label name: %s", s.Label)
			}
			labels[s.Label] = true
		}
	}
}

// transition is one way from a state to the next.
type transition struct {
	target string
	pos    Pos
	at     string
}

// transitionsOf are all the ways out of a state.
func transitionsOf(s *State) []transition {
	var out []transition
	add := func(n *node, key, at string) {
		if t := n.get(key); t != nil && t.kind == kindString {
			out = append(out, transition{t.text, t.pos, child(at, key)})
		}
	}
	switch s.Type {
	case "Choice", "Succeed", "Fail":
	default:
		add(s.node, "Next", s.pointer)
	}
	for _, list := range []string{"Choices", "Catch"} {
		if list == "Choices" && s.Type != "Choice" {
			continue
		}
		if n := s.node.get(list); n != nil {
			for i, item := range n.items {
				add(item, "Next", entry(child(s.pointer, list), i))
			}
		}
	}
	if s.Type == "Choice" {
		add(s.node, "Default", s.pointer)
	}
	return out
}

// transitions checks that every target exists, that the whole machine can end,
// and that every state of a machine can be reached.
func (v *validator) transitions(d *Definition) {
	if d.StartAt == "" || len(d.States) == 0 { // reported as missing
		return
	}
	names := make([]string, len(d.States))
	for i, s := range d.States {
		names[i] = s.Name
	}
	dangling := func(t transition) {
		if d.byName[t.target] == nil {
			hint := near(t.target, names)
			if hint == "" {
				hint = "a target is a state of the same machine: " + listed(names)
			}
			v.report(SeverityError, codeTarget, t.pos, t.at, hint, "Missing 'Next' target: %s", t.target)
		}
	}
	start := d.node.get("StartAt")
	dangling(transition{d.StartAt, start.pos, child(d.pointer, "StartAt")})
	ends := false
	for _, s := range d.States {
		for _, t := range transitionsOf(s) {
			dangling(t)
		}
		ends = ends || s.End || s.Type == "Succeed" || s.Type == "Fail"
	}
	if d.owner == nil && !ends { // asked of the whole machine only
		v.report(SeverityError, codeEnd, d.FieldPos("States"), "", `give one state "End": true, or add a Succeed or Fail state`, "Workflow has no terminal state")
		return
	}
	reached := d.reachable()
	for _, s := range d.States {
		if !reached[s] {
			v.report(SeverityError, codeTarget, s.Pos, s.pointer, "lead a transition to it or remove it", "State %q is not reachable.", s.Name)
		}
	}
}

// listed is some of the names, for a hint.
func listed(names []string) string {
	const some = 8
	if len(names) > some {
		return quoteList(append(slices.Clone(names[:some]), fmt.Sprintf("%d more", len(names)-some)), "and")
	}
	return quoteList(names, "or")
}

// reachable are the states of this machine that a run from StartAt can come to.
func (d *Definition) reachable() map[*State]bool {
	reached := make(map[*State]bool, len(d.States))
	queue := []*State{d.byName[d.StartAt]}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		if s == nil || reached[s] {
			continue
		}
		reached[s] = true
		for _, t := range transitionsOf(s) {
			queue = append(queue, d.byName[t.target])
		}
	}
	return reached
}
