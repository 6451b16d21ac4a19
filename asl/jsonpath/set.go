package jsonpath

import (
	"slices"
	"strconv"

	"plumbline/asl/value"
)

// StepError is a step of a reference path that cannot be taken.
type StepError struct {
	Step string // a name, or an index
	Data any    // the whole of it
}

func (e *StepError) Error() string {
	return "Unable to apply step \"" + e.Step + "\" to input " + value.Text(e.Data)
}

// Set returns data with v at the place that the reference path p names, as
// ResultPath does it: what is there is replaced, missing objects are made. The
// error is a *StepError: data has something else on the way (a string that
// would have to be an object, an index beyond an array). It is for paths where
// Reference is true.
func (p *Path) Set(data, v any) (any, error) {
	out, bad := set(data, p.segments, v)
	if bad != nil {
		return nil, &StepError{bad.step(), data}
	}
	return out, nil
}

// Step evaluates p as ItemsPath does, step by step: the error is a *StepError
// where p is a reference path, and else a *NotFoundError.
func (p *Path) Step(s *Scope) (any, error) {
	v, err := s.Find(p)
	if err == nil || !p.Reference() {
		return v, err
	}
	cur := s.Input
	for i := range p.segments {
		one := &Path{segments: p.segments[i : i+1], plain: true, definite: true}
		next, err := one.Eval(cur)
		if err != nil {
			return nil, &StepError{p.segments[i].step(), s.Input}
		}
		cur = next
	}
	return nil, err
}

func (s *segment) step() string {
	if s.kind == byIndex {
		return strconv.Itoa(s.index)
	}
	return s.name
}

func set(cur any, rest []segment, v any) (any, *segment) {
	if len(rest) == 0 {
		return v, nil
	}
	s := &rest[0]
	if s.kind == byIndex {
		items, ok := cur.([]any)
		if !ok || s.index < 0 || s.index >= len(items) {
			return nil, s
		}
		next, bad := set(items[s.index], rest[1:], v)
		if bad != nil {
			return nil, bad
		}
		items = slices.Clone(items)
		items[s.index] = next
		return items, nil
	}
	o, ok := cur.(*value.Object)
	if !ok {
		return nil, s
	}
	child, has := o.Get(s.name)
	if !has || child == nil {
		child = &value.Object{}
	}
	next, bad := set(child, rest[1:], v)
	if bad != nil {
		return nil, bad
	}
	return o.With(s.name, next), nil
}
