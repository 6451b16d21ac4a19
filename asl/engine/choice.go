package engine

import (
	"strings"
	"time"

	"plumbline/asl"
	"plumbline/asl/jsonpath"
	"plumbline/asl/value"
)

// performChoice goes where the state leads.
func (f *frame) performChoice(effective any) bool {
	next, out, vars, err := f.state.flow.choose(f, effective)
	if err != nil {
		return f.failed(err)
	}
	if next == nil {
		return f.fail(f.runtime("Failed to transition out of the state. The state does not point to a next state."))
	}
	return f.leave(out, vars, next)
}

// choice is a compiled rule of a Choice state.
type choice struct {
	next   *state
	assign *jsonpath.Template
	test   test
}

// test is the condition of a rule. The error is an *Error.
type test func(f *frame, data any) (bool, error)

func (c *compiler) choice(p *program, st *state, s *asl.State, d *asl.Definition) {
	if len(s.Choices) == 0 {
		c.problem(s.Pos, "state %q has no Choices. add one or more", s.Name)
	}
	for _, r := range s.Choices {
		st.choices = append(st.choices, choice{
			next:   c.target(p, d, r.Pos, s.Name, "a choice", r.Next),
			assign: c.template(s, "Assign of a choice", r.Assign),
			test:   c.test(s, r),
		})
	}
	if s.Default != "" {
		st.fallback = c.target(p, d, s.Pos, s.Name, "Default", s.Default)
	}
}

func (c *compiler) tests(s *asl.State, rules []*asl.Choice) []test {
	var list []test
	for _, r := range rules {
		list = append(list, c.test(s, r))
	}
	return list
}

func (c *compiler) test(s *asl.State, r *asl.Choice) test {
	switch {
	case r.Not != nil:
		inner := c.test(s, r.Not)
		return func(f *frame, data any) (bool, error) {
			ok, err := inner(f, data)
			return !ok, err
		}
	case r.And != nil:
		return all(c.tests(s, r.And), true)
	case r.Or != nil:
		return all(c.tests(s, r.Or), false)
	}
	if r.Variable == "" || r.Operator == "" {
		c.problem(r.Pos, "a choice of state %q has no condition. add Variable and a comparison, or And, Or, Not", s.Name)
		return nil
	}
	variable := c.path(s, "Variable", r.Variable)
	operand, err := value.Decode(r.Operand)
	if err != nil {
		c.problem(r.Pos, "%s of state %q: %v", r.Operator, s.Name, err)
		return nil
	}
	if variable == nil {
		return nil
	}
	return c.comparison(s, r, variable, operand)
}

// all is And (stop at false) or Or (stop at true).
func all(tests []test, and bool) test {
	return func(f *frame, data any) (bool, error) {
		for _, t := range tests {
			ok, err := t(f, data)
			if err != nil || ok != and {
				return ok, err
			}
		}
		return and, nil
	}
}

func (c *compiler) comparison(s *asl.State, r *asl.Choice, variable *jsonpath.Path, operand any) test {
	if strings.HasPrefix(r.Operator, "Is") {
		want, ok := operand.(bool)
		if !ok {
			c.problem(r.Pos, "%s of state %q must be true or false", r.Operator, s.Name)
			return nil
		}
		if r.Operator == "IsPresent" {
			return func(f *frame, data any) (bool, error) {
				_, err := f.scope(data).Find(variable)
				return (err == nil) == want, nil
			}
		}
		is, ok := kindTests[r.Operator]
		if !ok {
			c.problem(r.Pos, "state %q compares with %q, which is no operator", s.Name, r.Operator)
			return nil
		}
		return func(f *frame, data any) (bool, error) {
			v, err := f.tested(variable, data)
			return is(v) == want, err
		}
	}
	name, fromPath := strings.CutSuffix(r.Operator, "Path")
	compare, ok := comparisons(name)
	if !ok {
		c.problem(r.Pos, "state %q compares with %q, which is no operator", s.Name, r.Operator)
		return nil
	}
	if !fromPath {
		return func(f *frame, data any) (bool, error) {
			v, err := f.tested(variable, data)
			if err != nil {
				return false, err
			}
			return compare(v, operand), nil
		}
	}
	text, _ := operand.(string)
	other := c.path(s, r.Operator, text)
	return func(f *frame, data any) (bool, error) {
		v, err := f.tested(variable, data)
		if err != nil {
			return false, err
		}
		w, err := f.tested(other, data)
		if err != nil {
			return false, err
		}
		return compare(v, w), nil
	}
}

// choose takes the first rule that holds, else the Default.
func (fl *jsonpathFlow) choose(f *frame, effective any) (*state, any, *value.Object, error) {
	next, assign := f.state.fallback, fl.assign
	for i := range f.state.choices {
		c := &f.state.choices[i]
		ok, err := c.test(f, effective)
		if err != nil {
			return nil, nil, nil, err
		}
		if ok {
			next, assign = c.next, c.assign
			break
		}
	}
	if next == nil {
		return nil, nil, nil, nil
	}
	vars, err := f.assign(assign, effective)
	if err != nil {
		return nil, nil, nil, err
	}
	out, err := f.pick(fl.outputPath, effective)
	return next, out, vars, err
}

// tested finds the value that a rule is about.
func (f *frame) tested(p *jsonpath.Path, data any) (any, error) {
	v, err := f.scope(data).Find(p)
	if err != nil {
		return nil, f.runtime("Invalid path '%s': The choice state's condition path references an invalid value.", p)
	}
	return v, nil
}

var kindTests = map[string]func(any) bool{
	"IsNull":    func(v any) bool { return v == nil },
	"IsNumeric": func(v any) bool { return value.Kind(v) == "number" },
	"IsString":  func(v any) bool { return value.Kind(v) == "string" },
	"IsBoolean": func(v any) bool { return value.Kind(v) == "boolean" },
	"IsTimestamp": func(v any) bool {
		s, _ := v.(string)
		_, ok := parseTimestamp(s)
		return ok
	},
}

// comparisons returns what an operator does with the variable and the operand.
// Values of the wrong type are not equal, not less and not greater.
func comparisons(name string) (func(v, w any) bool, bool) {
	switch name {
	case "StringMatches":
		return func(v, w any) bool {
			s, okS := v.(string)
			pattern, okP := w.(string)
			return okS && okP && matches(pattern, s)
		}, true
	case "BooleanEquals":
		return func(v, w any) bool {
			a, okA := v.(bool)
			b, okB := w.(bool)
			return okA && okB && a == b
		}, true
	}
	for prefix, order := range map[string]func(v, w any) (int, bool){
		"String": stringOrder, "Numeric": value.Compare, "Timestamp": timestampOrder,
	} {
		op, ok := strings.CutPrefix(name, prefix)
		if !ok {
			continue
		}
		holds, ok := map[string]func(int) bool{
			"Equals":            func(c int) bool { return c == 0 },
			"LessThan":          func(c int) bool { return c < 0 },
			"GreaterThan":       func(c int) bool { return c > 0 },
			"LessThanEquals":    func(c int) bool { return c <= 0 },
			"GreaterThanEquals": func(c int) bool { return c >= 0 },
		}[op]
		if !ok {
			return nil, false
		}
		return func(v, w any) bool {
			c, ok := order(v, w)
			return ok && holds(c)
		}, true
	}
	return nil, false
}

func stringOrder(v, w any) (int, bool) {
	a, okA := v.(string)
	b, okB := w.(string)
	return strings.Compare(a, b), okA && okB
}

func timestampOrder(v, w any) (int, bool) {
	a, okA := timestamp(v)
	b, okB := timestamp(w)
	return a.Compare(b), okA && okB
}

func timestamp(v any) (time.Time, bool) {
	s, _ := v.(string)
	return parseTimestamp(s)
}

// matches is StringMatches: * stands for any text, \* for a star, \\ for a
// backslash. It takes time of the two lengths' product at most.
func matches(pattern, s string) bool {
	star, from := -1, 0 // the last star, and where in s the text after it is tried
	p, i := 0, 0
	for i < len(s) {
		if p < len(pattern) && pattern[p] == '*' {
			star, from = p, i
			p++
			continue
		}
		if p < len(pattern) {
			q := p
			if pattern[q] == '\\' && q+1 < len(pattern) && (pattern[q+1] == '*' || pattern[q+1] == '\\') {
				q++
			}
			if pattern[q] == s[i] {
				p, i = q+1, i+1
				continue
			}
		}
		if star < 0 {
			return false
		}
		from++
		p, i = star+1, from
	}
	return strings.Trim(pattern[p:], "*") == ""
}
