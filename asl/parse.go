package asl

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// ParseError is why a text is no state machine: every problem that was found,
// in the order of the text.
type ParseError struct{ Diagnostics []Diagnostic }

// Error is one line for each problem, each beginning with line and column.
func (e *ParseError) Error() string {
	lines := make([]string, len(e.Diagnostics))
	for i, d := range e.Diagnostics {
		lines[i] = d.Pos.String() + ": " + d.Message
	}
	return strings.Join(lines, "\n")
}

// Parse reads a state machine definition. It asks only that the text is JSON,
// that no name stands twice in one object, and that each field of the language
// has a type the model can hold; Validate says whether the machine would be
// accepted. Fields that the language does not know are kept for Validate. Text
// such as ${FetchStackArn} inside a string stays as it is. The error is a
// *ParseError with all problems. Parse keeps no reference to src.
func Parse(src []byte) (*Definition, error) {
	root, syn := parseJSON(bytes.Clone(src))
	if syn != nil {
		return nil, &ParseError{[]Diagnostic{{Pos: syn.pos, Severity: SeverityError, Code: codeNotJSON, Message: syn.message}}}
	}
	b := &builder{}
	d := b.definition(root, "", nil)
	b.duplicates(root, "")
	if len(b.problems) > 0 {
		sortDiagnostics(b.problems)
		return nil, &ParseError{b.problems}
	}
	return d, nil
}

func sortDiagnostics(ds []Diagnostic) {
	slices.SortStableFunc(ds, func(a, b Diagnostic) int {
		switch {
		case a.Pos.Before(b.Pos):
			return -1
		case b.Pos.Before(a.Pos):
			return 1
		}
		return 0
	})
}

// builder turns nodes into the model and collects what does not fit.
type builder struct{ problems []Diagnostic }

func (b *builder) problem(p Pos, location, code, format string, args ...any) {
	b.problems = append(b.problems, Diagnostic{Pos: p, Severity: SeverityError, Code: code, Location: location, Message: fmt.Sprintf(format, args...)})
}

// expect reports a value of the wrong type. where is what the value is.
func (b *builder) expect(n *node, location, where string, want kind) bool {
	if n.kind == want {
		return true
	}
	b.problem(n.pos, location, codeSchema, "%s is %s. it must be %s", where, n.kind.article(), want.article())
	return false
}

// duplicates reports each name that stands twice in one object, since a reader
// of JSON would silently keep one of the two.
func (b *builder) duplicates(n *node, pointer string) {
	if len(n.members) > 1 {
		seen := make(map[string]Pos, len(n.members))
		for _, m := range n.members {
			first, twice := seen[m.key]
			switch {
			case !twice:
				seen[m.key] = m.pos
			case strings.HasSuffix(pointer, "/States"):
				b.problem(m.pos, child(pointer, m.key), codeSchema, "state %q is defined twice, first at %s. rename one of them", m.key, first)
			default:
				b.problem(m.pos, child(pointer, m.key), codeSchema, "field %q stands twice in the same object, first at %s. remove one of them", m.key, first)
			}
		}
	}
	for _, m := range n.members {
		b.duplicates(m.value, child(pointer, m.key))
	}
	for i, item := range n.items {
		b.duplicates(item, entry(pointer, i))
	}
}

// child is the place of a member, entry that of an array's entry, as AWS writes
// places: nothing is escaped.
func child(pointer, key string) string { return pointer + "/" + key }

func entry(pointer string, i int) string { return pointer + "[" + strconv.Itoa(i) + "]" }

// fields reads members of one object into the model.
type fields struct {
	b       *builder
	n       *node
	pointer string
	where   string // `state "Fetch"`
}

func (f fields) str(key string) string {
	v := f.n.get(key)
	if v == nil || !f.b.expect(v, child(f.pointer, key), fmt.Sprintf("field %q of %s", key, f.where), kindString) {
		return ""
	}
	return v.text
}

func (f fields) bool(key string) bool {
	v := f.n.get(key)
	return v != nil && f.b.expect(v, child(f.pointer, key), fmt.Sprintf("field %q of %s", key, f.where), kindBool) && string(v.raw) == "true"
}

func (f fields) number(key string) *float64 {
	v := f.n.get(key)
	if v == nil || !f.b.expect(v, child(f.pointer, key), fmt.Sprintf("field %q of %s", key, f.where), kindNumber) {
		return nil
	}
	x, err := strconv.ParseFloat(string(v.raw), 64)
	if err != nil {
		f.b.problem(v.pos, child(f.pointer, key), codeSchema, "field %q of %s is %s, which is too large", key, f.where, v.raw)
		return nil
	}
	return &x
}

func (f fields) raw(key string) json.RawMessage {
	if v := f.n.get(key); v != nil {
		return v.raw
	}
	return nil
}

// list hands over each entry of an array field.
func (f fields) list(key string, each func(i int, item *node, pointer, where string)) {
	v := f.n.get(key)
	if v == nil || !f.b.expect(v, child(f.pointer, key), fmt.Sprintf("field %q of %s", key, f.where), kindArray) {
		return
	}
	for i, item := range v.items {
		each(i, item, entry(child(f.pointer, key), i), fmt.Sprintf("entry %d of %q of %s", i, key, f.where))
	}
}

func (f fields) strings(key string) []string {
	var out []string
	f.list(key, func(_ int, item *node, pointer, where string) {
		if f.b.expect(item, pointer, where, kindString) {
			out = append(out, item.text)
		}
	})
	return out
}

func (b *builder) definition(n *node, pointer string, owner *State) *Definition {
	where := "the state machine"
	if owner != nil {
		where = fmt.Sprintf("the machine inside state %q", owner.Name)
	}
	if !b.expect(n, pointer, where, kindObject) {
		return nil
	}
	f := fields{b, n, pointer, where}
	d := &Definition{
		Comment:        f.str("Comment"),
		StartAt:        f.str("StartAt"),
		QueryLanguage:  f.str("QueryLanguage"),
		Version:        f.str("Version"),
		TimeoutSeconds: f.number("TimeoutSeconds"),
		Pos:            n.pos,
		node:           n, pointer: pointer, owner: owner,
	}
	if p := n.get("ProcessorConfig"); p != nil && b.expect(p, child(pointer, "ProcessorConfig"), `field "ProcessorConfig" of `+where, kindObject) {
		pf := fields{b, p, child(pointer, "ProcessorConfig"), "ProcessorConfig of " + where}
		d.Processor = &ProcessorConfig{Mode: pf.str("Mode"), ExecutionType: pf.str("ExecutionType")}
	}
	states := n.get("States")
	if states == nil || !b.expect(states, child(pointer, "States"), `field "States" of `+where, kindObject) {
		return d
	}
	d.byName = make(map[string]*State, len(states.members))
	for _, m := range states.members {
		p := child(child(pointer, "States"), m.key)
		if !b.expect(m.value, p, fmt.Sprintf("state %q", m.key), kindObject) {
			continue
		}
		s := &State{Name: m.key, Pos: m.pos, node: m.value, pointer: p, machine: d}
		b.state(s)
		d.States = append(d.States, s)
		d.byName[s.Name] = s
	}
	return d
}

func (b *builder) state(s *State) {
	f := fields{b, s.node, s.pointer, fmt.Sprintf("state %q", s.Name)}
	s.Type = f.str("Type")
	s.Comment = f.str("Comment")
	s.QueryLanguage = f.str("QueryLanguage")
	s.Next = f.str("Next")
	s.End = f.bool("End")
	s.InputPath, s.OutputPath, s.ResultPath = f.raw("InputPath"), f.raw("OutputPath"), f.raw("ResultPath")
	s.ResultSelector, s.Assign, s.Output, s.Args = f.raw("ResultSelector"), f.raw("Assign"), f.raw("Output"), f.raw("Arguments")
	if s.Type != "Map" {
		s.Parameters = f.raw("Parameters")
	}
	switch s.Type {
	case "Task":
		s.Resource = f.str("Resource")
		s.TimeoutSeconds, s.HeartbeatSeconds = f.raw("TimeoutSeconds"), f.raw("HeartbeatSeconds")
		s.TimeoutSecondsPath, s.HeartbeatSecondsPath = f.str("TimeoutSecondsPath"), f.str("HeartbeatSecondsPath")
		s.Credentials = f.raw("Credentials")
	case "Pass":
		s.Result = f.raw("Result")
	case "Choice":
		f.list("Choices", func(_ int, item *node, pointer, where string) {
			if c := b.choice(item, pointer, where); c != nil {
				s.Choices = append(s.Choices, c)
			}
		})
		s.Default = f.str("Default")
	case "Wait":
		s.Seconds, s.Timestamp = f.raw("Seconds"), f.raw("Timestamp")
		s.SecondsPath, s.TimestampPath = f.str("SecondsPath"), f.str("TimestampPath")
	case "Fail":
		s.Error, s.Cause = f.raw("Error"), f.raw("Cause")
		s.ErrorPath, s.CausePath = f.str("ErrorPath"), f.str("CausePath")
	case "Parallel":
		f.list("Branches", func(_ int, item *node, pointer, _ string) {
			if d := b.definition(item, pointer, s); d != nil {
				s.Branches = append(s.Branches, d)
			}
		})
	case "Map":
		b.mapState(s, f)
	}
	switch s.Type {
	case "Task", "Map", "Parallel":
		b.handlers(s, f)
	}
}

func (b *builder) mapState(s *State, f fields) {
	for _, key := range []string{"ItemProcessor", "Iterator"} { // Iterator is the older name
		if n := s.node.get(key); n != nil && s.ItemProcessor == nil {
			s.ItemProcessor = b.definition(n, child(s.pointer, key), s)
		}
	}
	s.ItemSelector = f.raw("ItemSelector")
	if s.ItemSelector == nil {
		s.ItemSelector = f.raw("Parameters") // its older name
	}
	s.ItemsPath, s.Items = f.raw("ItemsPath"), f.raw("Items")
	s.ItemReader, s.ResultWriter, s.ItemBatcher = f.raw("ItemReader"), f.raw("ResultWriter"), f.raw("ItemBatcher")
	s.MaxConcurrency, s.MaxConcurrencyPath = f.raw("MaxConcurrency"), f.str("MaxConcurrencyPath")
	s.ToleratedFailureCount, s.ToleratedFailureCountPath = f.raw("ToleratedFailureCount"), f.str("ToleratedFailureCountPath")
	s.ToleratedFailurePercentage = f.raw("ToleratedFailurePercentage")
	s.ToleratedFailurePercentagePath = f.str("ToleratedFailurePercentagePath")
	s.Label = f.str("Label")
}

func (b *builder) handlers(s *State, f fields) {
	f.list("Retry", func(_ int, item *node, pointer, where string) {
		if !b.expect(item, pointer, where, kindObject) {
			return
		}
		r := fields{b, item, pointer, where}
		s.Retry = append(s.Retry, &Retrier{
			ErrorEquals:     r.strings("ErrorEquals"),
			IntervalSeconds: r.number("IntervalSeconds"),
			MaxAttempts:     r.number("MaxAttempts"),
			BackoffRate:     r.number("BackoffRate"),
			MaxDelaySeconds: r.number("MaxDelaySeconds"),
			JitterStrategy:  r.str("JitterStrategy"),
			Comment:         r.str("Comment"),
			Pos:             item.pos,
		})
	})
	f.list("Catch", func(_ int, item *node, pointer, where string) {
		if !b.expect(item, pointer, where, kindObject) {
			return
		}
		c := fields{b, item, pointer, where}
		s.Catch = append(s.Catch, &Catcher{
			ErrorEquals: c.strings("ErrorEquals"),
			ResultPath:  c.raw("ResultPath"),
			Assign:      c.raw("Assign"),
			Output:      c.raw("Output"),
			Next:        c.str("Next"),
			Comment:     c.str("Comment"),
			Pos:         item.pos,
		})
	})
}

func (b *builder) choice(n *node, pointer, where string) *Choice {
	if !b.expect(n, pointer, where, kindObject) {
		return nil
	}
	f := fields{b, n, pointer, where}
	c := &Choice{
		Next:      f.str("Next"),
		Comment:   f.str("Comment"),
		Assign:    f.raw("Assign"),
		Output:    f.raw("Output"),
		Condition: f.raw("Condition"),
		Variable:  f.str("Variable"),
		Pos:       n.pos,
	}
	list := func(key string) (out []*Choice) {
		f.list(key, func(_ int, item *node, pointer, where string) {
			if sub := b.choice(item, pointer, where); sub != nil {
				out = append(out, sub)
			}
		})
		return out
	}
	c.And, c.Or = list("And"), list("Or")
	if not := n.get("Not"); not != nil {
		c.Not = b.choice(not, child(pointer, "Not"), `"Not" of `+where)
	}
	for _, m := range n.members {
		if c.Operator == "" && isOperator(m.key) {
			c.Operator, c.Operand = m.key, m.value.raw
		}
	}
	return c
}
