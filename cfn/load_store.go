package cfn

import "strings"

// store hands out values and their parts from slabs, so that a template costs a
// few large allocations and not one for each value. The zero store is ready.
type store struct {
	values []Value
	fields []Field
	items  []*Value
	chunk  int // size of the next slab

	keys map[string]int // scratch for large maps
}

// Slab sizes, in values. A small template must not pay for a large one.
const (
	minSlab = 16
	maxSlab = 1024
	// bytesPerValue is what a value of a usual template takes in its source.
	bytesPerValue = 32
)

// reserve sizes the first slab for a source of n bytes.
func (s *store) reserve(n int) { s.chunk = min(max(n/bytesPerValue, minSlab), maxSlab) }

func (s *store) slab(atLeast int) int { return max(s.chunk, minSlab, atLeast) }

func (s *store) value(k Kind, at Pos) *Value {
	if len(s.values) == cap(s.values) {
		s.values = make([]Value, 0, s.slab(1))
	}
	s.values = s.values[:len(s.values)+1]
	v := &s.values[len(s.values)-1]
	v.Kind, v.Pos = k, at
	return v
}

// fieldsOf returns a copy of scratch that nothing appends to.
func (s *store) fieldsOf(scratch []Field) []Field {
	n := len(scratch)
	if n == 0 {
		return nil
	}
	if cap(s.fields)-len(s.fields) < n {
		s.fields = make([]Field, 0, s.slab(n))
	}
	at := len(s.fields)
	s.fields = append(s.fields, scratch...)
	return s.fields[at : at+n : at+n]
}

// itemsOf is fieldsOf for the items of a list.
func (s *store) itemsOf(scratch []*Value) []*Value {
	n := len(scratch)
	if n == 0 {
		return nil
	}
	if cap(s.items)-len(s.items) < n {
		s.items = make([]*Value, 0, s.slab(n))
	}
	at := len(s.items)
	s.items = append(s.items, scratch...)
	return s.items[at : at+n : at+n]
}

// smallMap is the number of keys up to which comparing each with each is
// quicker than hashing them.
const smallMap = 12

// unique leaves one field a key in fields, which it may change: where a key is
// repeated, the first field takes the last one's value and place, since that is
// what CloudFormation deploys. It calls repeated with the first and the later field.
func (s *store) unique(fields []Field, repeated func(first, later Field)) []Field {
	if len(fields) <= smallMap {
		for i := 1; i < len(fields); i++ {
			for j := range i {
				if fields[i].Key == fields[j].Key {
					return s.dedupe(fields, repeated)
				}
			}
		}
		return fields
	}
	if s.keys == nil {
		s.keys = make(map[string]int, len(fields))
	}
	clear(s.keys)
	for i := range fields {
		s.keys[fields[i].Key] = i
	}
	if len(s.keys) == len(fields) {
		return fields
	}
	return s.dedupe(fields, repeated)
}

func (s *store) dedupe(fields []Field, repeated func(first, later Field)) []Field {
	at := make(map[string]int, len(fields))
	kept := fields[:0]
	for _, f := range fields {
		if i, ok := at[f.Key]; ok {
			repeated(kept[i], f)
			kept[i] = f
			continue
		}
		at[f.Key] = len(kept)
		kept = append(kept, f)
	}
	return kept
}

// mapOf makes a Map of fields, whose keys must be unique.
func (s *store) mapOf(at Pos, fields []Field) *Value {
	v := s.value(Map, at)
	v.Fields = s.fieldsOf(fields)
	for i := range fields {
		f := &fields[i]
		if f.Value.dynamic || isFunction(f.Key, len(fields), f.Value) {
			v.dynamic = true
			break
		}
	}
	return v
}

// listOf makes a List of items.
func (s *store) listOf(at Pos, items []*Value) *Value {
	v := s.value(List, at)
	v.Items = s.itemsOf(items)
	for _, x := range items {
		if x.dynamic {
			v.dynamic = true
			break
		}
	}
	return v
}

// text makes a String.
func (s *store) text(at Pos, text string) *Value {
	v := s.value(String, at)
	v.Text = text
	v.dynamic = len(text) > len(dynamicReference) && strings.Contains(text, dynamicReference)
	return v
}

// dynamicReference opens a reference to a value in Systems Manager or Secrets
// Manager that CloudFormation resolves when it deploys.
const dynamicReference = "{{resolve:"

// isFunction reports whether a key in a map of n keys makes the map a function.
// Fn::Transform and Fn::ForEach may stand beside other keys; Ref and Condition
// are functions only where they are alone and name something.
func isFunction(key string, n int, value *Value) bool {
	switch {
	case len(key) > 4 && key[:4] == "Fn::":
		return true
	case n != 1:
		return false
	case key == "Ref":
		return true
	case key == "Condition":
		return value.Kind == String
	}
	return false
}
