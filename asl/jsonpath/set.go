package jsonpath

import (
	"slices"

	"plumbline/asl/value"
)

// Set returns data with v at the place that the reference path p names, as
// ResultPath does it: what is there is replaced, missing objects are made.
// False: data has something else on the way (a string that would have to be an
// object, an index beyond an array). It is for paths where Reference is true.
func (p *Path) Set(data, v any) (any, bool) {
	return set(data, p.segments, v)
}

func set(cur any, rest []segment, v any) (any, bool) {
	if len(rest) == 0 {
		return v, true
	}
	s := &rest[0]
	if s.kind == byIndex {
		items, ok := cur.([]any)
		if !ok || s.index < 0 || s.index >= len(items) {
			return nil, false
		}
		next, ok := set(items[s.index], rest[1:], v)
		if !ok {
			return nil, false
		}
		items = slices.Clone(items)
		items[s.index] = next
		return items, true
	}
	o, ok := cur.(*value.Object)
	if !ok {
		return nil, false
	}
	child, has := o.Get(s.name)
	if !has || child == nil {
		child = &value.Object{}
	}
	next, ok := set(child, rest[1:], v)
	if !ok {
		return nil, false
	}
	return o.With(s.name, next), true
}
