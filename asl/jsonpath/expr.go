package jsonpath

import (
	"strings"

	"plumbline/asl/value"
)

// Scope is what expressions see while a state runs.
type Scope struct {
	Input    any                           // $
	Context  func(field string) any        // $$, or an object that has of it at least this field; "" : all. nil: an empty object
	Variable func(name string) (any, bool) // $name; nil: there are none
	Random   func() uint64                 // for States.UUID and States.MathRandom; nil: always 0
}

// Expr is what the value of a key ending in ".$" may be: a path or a call of
// an intrinsic function.
type Expr struct {
	Path *Path // nil: Call is set
	Call *Call
}

// ParseExpr parses a path, which begins with $, or an intrinsic function. The
// error is a *SyntaxError.
func ParseExpr(src string) (*Expr, error) {
	if strings.HasPrefix(src, "$") {
		p, err := Parse(src)
		return &Expr{Path: p}, err
	}
	c, err := ParseIntrinsic(src)
	return &Expr{Call: c}, err
}

// String is the expression as written.
func (e *Expr) String() string {
	if e.Path != nil {
		return e.Path.src
	}
	return e.Call.src
}

// Eval evaluates the expression. The error is a *NotFoundError,
// an *IntrinsicError or a *SizeError.
func (e *Expr) Eval(s *Scope) (any, error) {
	if e.Path != nil {
		return s.Find(e.Path)
	}
	return e.Call.Eval(s)
}

// evalField is Eval for a field of a template, where an index beyond the end
// of an array is null, as recorded; an argument of an intrinsic is not so lucky.
func (e *Expr) evalField(s *Scope) (any, error) {
	v, err := e.Eval(s)
	if missing, ok := err.(*NotFoundError); ok && missing.beyond {
		return nil, nil
	}
	return v, err
}

// Find evaluates a path at its root. The error is a *NotFoundError.
func (s *Scope) Find(p *Path) (any, error) {
	switch p.root {
	case Context:
		if s.Context == nil {
			return p.Eval(&value.Object{})
		}
		return p.Eval(s.Context(p.first()))
	case Variable:
		var data any
		ok := false
		if s.Variable != nil {
			data, ok = s.Variable(p.variable)
		}
		if !ok {
			return nil, &NotFoundError{Path: p.src, Problem: "no variable " + p.variable + " has been assigned", rooted: p.src}
		}
		return p.Eval(data)
	}
	return p.Eval(s.Input)
}

// first is the name that the path begins with, "" where it begins otherwise.
func (p *Path) first() string {
	if len(p.segments) > 0 && p.segments[0].kind == byName && !p.segments[0].scan {
		return p.segments[0].name
	}
	return ""
}

// Variables calls yield with the name of each variable that the expression reads.
func (e *Expr) Variables(yield func(name string)) {
	if e.Path != nil {
		if e.Path.root == Variable {
			yield(e.Path.variable)
		}
		return
	}
	for _, a := range e.Call.args {
		if a.expr != nil {
			a.expr.Variables(yield)
		}
	}
}
