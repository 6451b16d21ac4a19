package jsonpath

import (
	"fmt"
	"slices"
	"strings"

	"plumbline/asl/value"
)

// Call is a parsed call of an intrinsic function.
type Call struct {
	src  string
	name string // with "States."
	fn   *function
	args []argument
}

// argument is a literal or an expression.
type argument struct {
	expr    *Expr // nil: literal
	literal any
	raw     string // a string literal with its escapes, which States.Format reads itself
}

// IntrinsicError is an intrinsic function that cannot give a result.
type IntrinsicError struct {
	Call    string // as written, the outermost one
	Problem string
}

func (e *IntrinsicError) Error() string {
	return "The function '" + e.Call + "' had the following error: " + e.Problem
}

// maxResult is the most that an intrinsic function may give, in bytes of JSON,
// also where it is another's argument. The service names no figure; what is
// stored or passed on has lower quotas, and no execution holds more in variables.
const maxResult = 10 << 20

// SizeError is an intrinsic function whose result would be too large.
type SizeError struct {
	Call string // as written
}

func (e *SizeError) Error() string {
	return fmt.Sprintf("the result of %s is larger than %d bytes", e.Call, maxResult)
}

// function is one intrinsic function and how many arguments it takes.
type function struct {
	min, max int // max -1: any number
	eval     func(c *Call, s *Scope, args []any) (any, error)
}

// String is the call as written.
func (c *Call) String() string { return c.src }

// Name is the function's name, such as States.Format.
func (c *Call) Name() string { return c.name }

// ParseIntrinsic parses a call such as States.Format('{}', $.a). Names and
// numbers of arguments are checked. The error is a *SyntaxError.
func ParseIntrinsic(src string) (*Call, error) {
	p := &parser{src: src}
	c, err := p.call()
	if err != nil {
		return nil, err
	}
	p.space()
	if p.at < len(src) {
		return nil, p.fail("%q cannot follow the call", src[p.at:])
	}
	return c, nil
}

func (p *parser) call() (*Call, error) {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxNesting {
		return nil, p.fail("nested deeper than %d", maxNesting)
	}
	p.space()
	start := p.at
	for isNameStart(p.src[p.at:]) || p.peek() == '.' || p.peek() >= '0' && p.peek() <= '9' {
		p.at++
	}
	c := &Call{name: p.src[start:p.at]}
	f, ok := functions()[c.name]
	if !ok {
		problem := "an intrinsic function is wanted: one of " + strings.Join(IntrinsicNames(), ", ")
		if c.name != "" {
			problem = c.name + " is no intrinsic function; there are " + strings.Join(IntrinsicNames(), ", ")
		}
		p.at = start
		return nil, p.fail("%s", problem)
	}
	c.fn = f
	p.space()
	if !p.eat('(') {
		return nil, p.fail("a ( must follow %s", c.name)
	}
	for {
		p.space()
		if len(c.args) == 0 && p.eat(')') {
			break
		}
		a, err := p.argument()
		if err != nil {
			return nil, err
		}
		c.args = append(c.args, a)
		p.space()
		if p.eat(')') {
			break
		}
		if !p.eat(',') {
			return nil, p.fail("a comma or ) must follow an argument")
		}
	}
	if n := len(c.args); n < f.min || f.max >= 0 && n > f.max {
		p.at = start
		return nil, p.fail("%s takes %s, not %d", c.name, f.arity(), n)
	}
	c.src = p.src[start:p.at]
	return c, nil
}

func (f *function) arity() string {
	switch {
	case f.max < 0:
		return fmt.Sprintf("%d arguments or more", f.min)
	case f.min == f.max:
		return fmt.Sprintf("%d arguments", f.min)
	}
	return fmt.Sprintf("%d to %d arguments", f.min, f.max)
}

func (p *parser) argument() (argument, error) {
	switch c := p.peek(); {
	case c == '\'':
		return p.stringArgument()
	case c == '$':
		path, err := p.path('$')
		return argument{expr: &Expr{Path: path}}, err
	case c == 'S':
		call, err := p.call()
		return argument{expr: &Expr{Call: call}}, err
	}
	start := p.at
	for p.at < len(p.src) && !strings.ContainsRune(",) \t\n\r", rune(p.src[p.at])) {
		p.at++
	}
	v, err := value.DecodeString(p.src[start:p.at])
	if err != nil || value.Kind(v) == "string" || value.Kind(v) == "array" || value.Kind(v) == "object" {
		p.at = start
		return argument{}, p.fail("an argument is a path, a call, a 'quoted' string, a number, true, false or null")
	}
	return argument{literal: v}, nil
}

// stringArgument reads 'text', where \' \{ \} and \\ stand for the second character.
func (p *parser) stringArgument() (argument, error) {
	p.at++
	start := p.at
	for p.at < len(p.src) {
		switch p.src[p.at] {
		case '\\':
			p.at += 2
			continue
		case '\'':
			raw := p.src[start:p.at]
			p.at++
			return argument{literal: unescape(raw), raw: raw}, nil
		}
		p.at++
	}
	p.at = len(p.src)
	return argument{}, p.fail("the quote ' is not closed")
}

func unescape(raw string) string {
	if strings.IndexByte(raw, '\\') < 0 {
		return raw
	}
	var b strings.Builder
	for i := 0; i < len(raw); i++ {
		if raw[i] == '\\' && i+1 < len(raw) && strings.IndexByte(`'{}\`, raw[i+1]) >= 0 {
			i++
		}
		b.WriteByte(raw[i])
	}
	return b.String()
}

// Eval calls the function. The error is an *IntrinsicError or a *SizeError.
func (c *Call) Eval(s *Scope) (any, error) {
	var few [4]any
	args := few[:0]
	for _, a := range c.args {
		v := a.literal
		if a.expr != nil {
			var err error
			if v, err = a.expr.Eval(s); err != nil {
				return nil, c.argumentError(s, err)
			}
		}
		args = append(args, v)
	}
	v, err := c.fn.eval(c, s, args)
	if err == nil && value.Exceeds(v, maxResult) {
		return nil, &SizeError{c.src}
	}
	return v, err
}

// encoded is v as JSON text, which is made only where it is not too long.
func (c *Call) encoded(v any) (string, error) {
	if value.Exceeds(v, maxResult) {
		return "", &SizeError{c.src}
	}
	return value.Text(v), nil
}

// argumentError is an error in the call that its argument made: the outermost
// call is the one that is named.
func (c *Call) argumentError(s *Scope, err error) error {
	switch e := err.(type) {
	case *IntrinsicError:
		return &IntrinsicError{c.src, e.Problem}
	case *NotFoundError:
		if e.filter {
			return &IntrinsicError{c.src, e.Problem}
		}
		return &IntrinsicError{c.src, fmt.Sprintf("The JsonPath argument for the field '%s' could not be found in the input '%s'",
			e.rooted, value.Text(s.Input))}
	}
	return err
}

func (c *Call) fail(format string, args ...any) error {
	return &IntrinsicError{Call: c.src, Problem: fmt.Sprintf(format, args...)}
}

// IntrinsicNames lists the intrinsic functions, sorted.
func IntrinsicNames() []string {
	var names []string
	for name := range functions() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
