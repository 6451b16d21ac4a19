package jsonpath

import (
	"strings"

	"plumbline/asl/value"
)

// Template is a payload template: a value in which each object key that ends
// in ".$" holds an expression. Evaluated, the key loses its ending and has the
// expression's value.
type Template struct {
	literal any // the value, where nothing in it is dynamic
	dynamic bool
	fields  []templateField
	items   []*Template // of an array; fields of an object
	array   bool
}

type templateField struct {
	key  string
	name string // as written, with ".$"
	expr *Expr  // nil: sub
	sub  *Template
}

// FieldError is an expression of a template that cannot be evaluated.
type FieldError struct {
	Field string // as written: "value.$"
	Expr  *Expr
	In    any   // the data that the expression was to be found in
	Err   error // *NotFoundError, *IntrinsicError or *SizeError
}

func (e *FieldError) Error() string { return "field " + e.Field + ": " + e.Err.Error() }

func (e *FieldError) Unwrap() error { return e.Err }

// ParseTemplate makes a template of a decoded value. The error is a *SyntaxError.
func ParseTemplate(v any) (*Template, error) {
	t := &Template{literal: v}
	switch x := v.(type) {
	case []any:
		for _, item := range x {
			sub, err := ParseTemplate(item)
			if err != nil {
				return nil, err
			}
			t.items = append(t.items, sub)
			t.dynamic = t.dynamic || sub.dynamic
		}
		t.array = true
	case *value.Object:
		for _, f := range x.Fields() {
			key, isExpr := strings.CutSuffix(f.Key, ".$")
			field := templateField{key: key, name: f.Key}
			if isExpr {
				src, ok := f.Value.(string)
				if !ok {
					return nil, &SyntaxError{f.Key, 0, "the value must be a string: a path or an intrinsic function"}
				}
				e, err := ParseExpr(src)
				if err != nil {
					return nil, err
				}
				field.expr, t.dynamic = e, true
			} else {
				sub, err := ParseTemplate(f.Value)
				if err != nil {
					return nil, err
				}
				field.sub = sub
				t.dynamic = t.dynamic || sub.dynamic
			}
			t.fields = append(t.fields, field)
		}
	}
	if !t.dynamic {
		t.fields, t.items = nil, nil
	}
	return t, nil
}

// Eval fills in the template. The error is a *FieldError.
func (t *Template) Eval(s *Scope) (any, error) {
	if !t.dynamic {
		return t.literal, nil
	}
	if t.array {
		items := make([]any, len(t.items))
		for i, sub := range t.items {
			v, err := sub.Eval(s)
			if err != nil {
				return nil, err
			}
			items[i] = v
		}
		return items, nil
	}
	fields := make([]value.Field, len(t.fields))
	for i := range t.fields {
		f := &t.fields[i]
		var v any
		var err error
		if f.expr != nil {
			if v, err = f.expr.evalField(s); err != nil {
				return nil, &FieldError{f.name, f.expr, s.searched(f.expr), err}
			}
		} else if v, err = f.sub.Eval(s); err != nil {
			return nil, err
		}
		fields[i] = value.Field{Key: f.key, Value: v}
	}
	return value.NewObject(fields...), nil
}

// searched is the data that an expression is evaluated on.
func (s *Scope) searched(e *Expr) any {
	if e.Path != nil && e.Path.root == Context && s.Context != nil {
		return s.Context("")
	}
	return s.Input
}

// Exprs calls yield with every expression of the template.
func (t *Template) Exprs(yield func(*Expr)) {
	for _, sub := range t.items {
		sub.Exprs(yield)
	}
	for _, f := range t.fields {
		if f.expr != nil {
			yield(f.expr)
		} else {
			f.sub.Exprs(yield)
		}
	}
}
