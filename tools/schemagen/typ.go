package main

import (
	"cmp"
	"fmt"
	"slices"
)

// kind is the kind of a type; its numbers are those of cfn/schema.Kind.
type kind uint8

const (
	kAny kind = iota
	kString
	kInteger
	kDouble
	kBool
	kList
	kMap
	kObject
)

// typ is a type of the output. A nil *typ is no constraint: it gives way to
// any other type that a combination brings, and ends as Any.
type typ struct {
	kind   kind
	name   string // Object: the definition's name, later the unique name within its resource
	elem   *typ
	props  []prop // sorted by name
	enum   []string
	fold   bool // enum values match whatever their case
	def    string
	unmade bool // a definition that is being resolved: a recursive reference
}

type prop struct {
	name     string
	typ      *typ
	required bool
}

func (t *typ) scalar() bool { return t.kind >= kString && t.kind <= kBool }

func (t *typ) prop(name string) *prop {
	i, ok := slices.BinarySearchFunc(t.props, name, func(p prop, n string) int { return cmp.Compare(p.name, n) })
	if !ok {
		return nil
	}
	return &t.props[i]
}

// union is the type of a value that has one of the types. Free JSON beside a
// structure is the structure written as JSON text or an intrinsic function, so
// the structure stands.
func (r *resolver) union(types []*typ) *typ {
	var objects, lists, maps, scalars []*typ
	open, free := false, false // a type without constraint; free JSON
	for _, t := range types {
		switch {
		case t == nil:
			open = true
		case t.unmade:
			r.note("a recursive alternative reads as anything")
			return &typ{kind: kAny}
		case t.kind == kAny:
			free = true
		case t.kind == kObject:
			objects = append(objects, t)
		case t.kind == kList:
			lists = append(lists, t)
		case t.kind == kMap:
			maps = append(maps, t)
		default:
			scalars = append(scalars, t)
		}
	}
	structures := len(objects) + len(lists) + len(maps)
	switch {
	case structures+len(scalars) == 0 && free:
		return &typ{kind: kAny}
	case open && len(objects) > 0 && structures == len(objects) && len(scalars) == 0:
		return r.unionObjects(objects, false)
	case open || structures+len(scalars) == 0:
		return nil
	case len(scalars) > 0 && (structures > 0 || free && !r.sam):
		return &typ{kind: kAny}
	case len(scalars) > 0:
		return unionScalars(scalars)
	case structures == len(objects):
		return r.unionObjects(objects, true)
	case structures == len(lists):
		return &typ{kind: kList, elem: r.unionElems(lists)}
	case structures == len(maps):
		return &typ{kind: kMap, elem: r.unionElems(maps)}
	}
	return &typ{kind: kAny}
}

func (r *resolver) unionElems(types []*typ) *typ {
	var elems []*typ
	for _, t := range types {
		if !slices.Contains(elems, t.elem) {
			elems = append(elems, t.elem)
		}
	}
	return anyIfNil(r.union(elems))
}

// unionScalars is one kind where all agree; whole and broken numbers are
// Double, and what else differs can be written as a String.
func unionScalars(types []*typ) *typ {
	out := *types[0]
	for _, t := range types[1:] {
		switch {
		case t.kind == out.kind:
		case t.kind == kDouble && out.kind == kInteger, t.kind == kInteger && out.kind == kDouble:
			out.kind = kDouble
		default:
			out.kind = kString
		}
		if out.enum == nil || t.enum == nil {
			out.enum = nil
		} else {
			out.enum = slices.Concat(out.enum, t.enum)
			slices.Sort(out.enum)
			out.enum = slices.Compact(out.enum)
		}
		out.fold = out.fold || t.fold
		if t.def != out.def {
			out.def = ""
		}
	}
	return &out
}

// unionObjects has every property of each; required is what all require, and
// nothing where complete is false.
func (r *resolver) unionObjects(objects []*typ, complete bool) *typ {
	if same(objects) && complete {
		return objects[0]
	}
	out := &typ{kind: kObject}
	for _, o := range objects {
		for _, p := range o.props {
			if out.prop(p.name) != nil {
				continue
			}
			var types []*typ
			required := complete
			for _, other := range objects {
				if q := other.prop(p.name); q != nil {
					types = append(types, q.typ)
					required = required && q.required
				} else {
					required = false
				}
			}
			merged := types[0]
			if !same(types) {
				merged = anyIfNil(r.union(types))
			}
			out.set(prop{p.name, merged, required})
		}
	}
	return out
}

func same(types []*typ) bool {
	for _, t := range types {
		if t != types[0] {
			return false
		}
	}
	return true
}

// set adds or replaces a property.
func (t *typ) set(p prop) {
	i, ok := slices.BinarySearchFunc(t.props, p.name, func(q prop, n string) int { return cmp.Compare(q.name, n) })
	if ok {
		t.props[i] = p
		return
	}
	t.props = slices.Insert(t.props, i, p)
}

// refine is the type of a value that has both types: what a schema says itself,
// and what one of its combinations adds.
func (r *resolver) refine(a, b *typ) *typ {
	switch {
	case a == nil:
		return b
	case b == nil || a == b || b.kind == kAny:
		return a
	case a.kind == kAny && !a.unmade:
		return b
	case a.unmade || b.unmade:
		r.note("a recursive part is left out")
		return a
	case a.kind == kObject && b.kind == kObject:
		out := &typ{kind: kObject, name: a.name, props: slices.Clone(a.props)}
		for _, p := range b.props {
			if own := out.prop(p.name); own != nil {
				p.typ = anyIfNil(r.refine(own.typ, p.typ))
				p.required = p.required || own.required
			}
			out.set(p)
		}
		return out
	case a.kind == kList && b.kind == kList, a.kind == kMap && b.kind == kMap:
		return &typ{kind: a.kind, elem: anyIfNil(r.refine(a.elem, b.elem))}
	case a.kind == b.kind && a.enum == nil && b.enum != nil:
		out := *a
		out.enum, out.fold = b.enum, b.fold
		return &out
	}
	return a
}

func anyIfNil(t *typ) *typ {
	if t == nil {
		return &typ{kind: kAny}
	}
	return t
}

func (r *resolver) note(format string, args ...any) {
	n := fmt.Sprintf(format, args...)
	if !slices.Contains(r.notes, n) {
		r.notes = append(r.notes, n)
	}
}
