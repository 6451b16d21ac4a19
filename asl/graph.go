package asl

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// edgeKind is why a state follows another.
type edgeKind uint8

const (
	edgeNext edgeKind = iota
	edgeChoice
	edgeDefault
	edgeCatch
)

// edge is one way from a state to another of the same machine, as diagrams
// show it: ways of the same kind and label to the same target are one.
type edge struct {
	from, to *State
	kind     edgeKind
	label    string
}

// edgesOf are the ways out of a state, in the order of the source; targets
// that do not exist are left out.
func edgesOf(s *State) []edge {
	var out []edge
	add := func(target string, kind edgeKind, label string) {
		to := s.machine.byName[target]
		if to == nil {
			return
		}
		for i := range out {
			if e := &out[i]; e.to == to && e.kind == kind {
				if kind == edgeChoice && e.label != label {
					e.label += "\nor " + label
				}
				if kind == edgeCatch && e.label != label {
					e.label = joinErrors(e.label, label)
				}
				return
			}
		}
		out = append(out, edge{s, to, kind, label})
	}
	switch s.Type {
	case "Choice":
		for _, c := range s.Choices {
			add(c.Next, edgeChoice, c.label())
		}
		add(s.Default, edgeDefault, "otherwise")
	case "Succeed", "Fail":
	default:
		if !s.End {
			add(s.Next, edgeNext, "")
		}
	}
	for _, c := range s.Catch {
		add(c.Next, edgeCatch, strings.Join(c.ErrorEquals, ", "))
	}
	return out
}

func joinErrors(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + ", " + b
}

// label is what a diagram writes beside the rule's arrow: the condition, or
// the comment of one that is too long to be read there.
func (c *Choice) label() string {
	const readable = 60
	text := c.text()
	if c.Comment != "" && len(text) > readable {
		return c.Comment
	}
	return text
}

// text is the rule's condition as people write it: $.n < 5 and not $.done = true.
func (c *Choice) text() string {
	switch {
	case c.Condition != nil:
		return strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(scalar(c.Condition), "{%"), "%}"))
	case len(c.And) > 0:
		return joinRules(c.And, " and ")
	case len(c.Or) > 0:
		return joinRules(c.Or, " or ")
	case c.Not != nil:
		return "not " + c.Not.inner()
	}
	is, holds := "is ", string(c.Operand) == "true"
	if !holds {
		is = "is not "
	}
	switch c.Operator {
	case "":
		return c.Variable
	case "IsPresent":
		if holds {
			return c.Variable + " is present"
		}
		return c.Variable + " is absent"
	case "IsNull":
		return c.Variable + " " + is + "null"
	case "IsNumeric":
		return c.Variable + " " + is + "a number"
	case "IsString":
		return c.Variable + " " + is + "a string"
	case "IsBoolean":
		return c.Variable + " " + is + "a boolean"
	case "IsTimestamp":
		return c.Variable + " " + is + "a timestamp"
	}
	sign := "="
	switch op := strings.TrimSuffix(c.Operator, "Path"); {
	case op == "StringMatches":
		sign = "matches"
	case strings.HasSuffix(op, "LessThanEquals"):
		sign = "≤"
	case strings.HasSuffix(op, "GreaterThanEquals"):
		sign = "≥"
	case strings.HasSuffix(op, "LessThan"):
		sign = "<"
	case strings.HasSuffix(op, "GreaterThan"):
		sign = ">"
	}
	operand := string(c.Operand)
	if strings.HasSuffix(c.Operator, "Path") {
		operand = scalar(c.Operand)
	}
	return c.Variable + " " + sign + " " + operand
}

// inner is the text in parentheses where it is more than one comparison.
func (c *Choice) inner() string {
	if len(c.And) > 1 || len(c.Or) > 1 {
		return "(" + c.text() + ")"
	}
	return c.text()
}

func joinRules(rules []*Choice, with string) string {
	parts := make([]string, len(rules))
	for i, r := range rules {
		parts[i] = r.inner()
	}
	return strings.Join(parts, with)
}

// scalar is a JSON string without its quotes, anything else as written.
func scalar(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

// about is what a diagram says of the state below its name: type and what
// matters most of it; ↻ where it is tried again after an error.
func (s *State) about() string {
	parts := []string{s.Type}
	add := func(text string) {
		if text != "" {
			parts = append(parts, text)
		}
	}
	switch s.Type {
	case "Task":
		if service, action, pattern, ok := Integration(s.Resource); ok {
			text := service + ":" + action
			if pattern != "" {
				text += "." + pattern
			}
			add(text)
		} else {
			add(s.Resource[strings.LastIndexByte(s.Resource, ':')+1:])
		}
	case "Wait":
		switch {
		case s.Seconds != nil:
			add(scalar(s.Seconds) + " s")
		case s.SecondsPath != "":
			add(s.SecondsPath + " s")
		case s.Timestamp != nil:
			add("until " + scalar(s.Timestamp))
		case s.TimestampPath != "":
			add("until " + s.TimestampPath)
		}
	case "Map":
		if s.ItemProcessor != nil && s.ItemProcessor.Processor != nil && s.ItemProcessor.Processor.Mode == "DISTRIBUTED" {
			add("distributed")
		}
		switch at := scalar(s.MaxConcurrency); at {
		case "", "0", "null":
		case "1":
			add("one at a time")
		default:
			add(at + " at a time")
		}
	case "Parallel":
		add(strconv.Itoa(len(s.Branches)) + " branches")
	case "Fail":
		add(scalar(s.Error) + s.ErrorPath)
	}
	text := strings.Join(parts, " · ")
	if slices.ContainsFunc(s.Retry, func(r *Retrier) bool { return !r.never() }) {
		text += " ↻"
	}
	return text
}
