package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// resolver turns one resource's JSON Schema into types.
type resolver struct {
	schema *node
	sam    bool // SAM's schemas allow an object wherever an intrinsic function may stand
	made   map[string]*typ
	notes  []string
}

func newResolver(schema *node) *resolver {
	return &resolver{schema: schema, sam: strings.HasPrefix(schema.TypeName, "AWS::Serverless::"), made: map[string]*typ{}}
}

// resolve returns the type that n describes, nil where n constrains nothing.
func (r *resolver) resolve(n *node) (*typ, error) {
	if n.Ref != "" {
		t, err := r.reference(n.Ref)
		if err != nil {
			return nil, err
		}
		return withDefault(t, n), nil
	}
	t, err := r.own(n)
	if err != nil {
		return nil, err
	}
	for i := range n.AllOf {
		part, err := r.resolve(&n.AllOf[i])
		if err != nil {
			return nil, err
		}
		t = r.refine(t, part)
	}
	for _, alternatives := range [][]node{n.OneOf, n.AnyOf} {
		if len(alternatives) == 0 {
			continue
		}
		var types []*typ
		for i := range alternatives {
			alt, err := r.resolve(&alternatives[i])
			if err != nil {
				return nil, err
			}
			types = append(types, alt)
		}
		t = r.refine(t, r.union(types))
	}
	return withDefault(t, n), nil
}

// withDefault is t with the default of n, where t is one to have a default.
func withDefault(t *typ, n *node) *typ {
	if t == nil || !t.scalar() || n.Default == nil || string(n.Default) == "null" {
		return t
	}
	out := *t
	out.def = text(n.Default)
	return &out
}

// reference returns the type of a definition, or of a property that another
// one points at. A definition in the making is returned unmade and filled later.
func (r *resolver) reference(ref string) (*typ, error) {
	if t, ok := r.made[ref]; ok {
		return t, nil
	}
	place, name, _ := strings.Cut(strings.TrimPrefix(ref, "#/"), "/")
	n, ok := r.schema.Definitions[name]
	if place == "properties" {
		n, ok = r.schema.Properties[name]
	}
	if !ok {
		return nil, fmt.Errorf("no %q", ref)
	}
	handle := &typ{unmade: true}
	r.made[ref] = handle
	t, err := r.resolve(&n)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if t == nil {
		t = &typ{kind: kAny}
	}
	if t.kind == kObject && t.name == "" {
		t.name = name
	}
	*handle = *t
	if t.kind == kObject && t.name != name { // another name for a definition: the same type
		r.made[ref] = t
		return t, nil
	}
	return handle, nil
}

// own is the type that n gives itself, its combinations left out.
func (r *resolver) own(n *node) (*typ, error) {
	var kinds []string
	for _, k := range n.Type {
		if k != "null" {
			kinds = append(kinds, k)
		}
	}
	if len(kinds) == 0 {
		switch {
		case len(n.Properties) > 0 || len(n.PatternProperties) > 0:
			kinds = []string{"object"}
		case n.Items != nil:
			kinds = []string{"array"}
		case len(n.Enum) > 0 || len(n.EnumFold) > 0:
			kinds = []string{"string"}
		default:
			return nil, nil
		}
	}
	var types []*typ
	for _, k := range kinds {
		t, err := r.ofKind(k, n)
		if err != nil {
			return nil, err
		}
		types = append(types, t)
	}
	if len(types) == 1 {
		return types[0], nil
	}
	for _, t := range types { // JSON that may also be written as text
		if k := t.kind; k == kAny || len(types) == 2 && slices.Contains(kinds, "string") && (k == kObject || k == kMap) {
			return t, nil
		}
	}
	return r.union(types), nil
}

func (r *resolver) ofKind(k string, n *node) (*typ, error) {
	switch k {
	case "string", "integer", "number", "boolean":
		t := &typ{kind: map[string]kind{"string": kString, "integer": kInteger, "number": kDouble, "boolean": kBool}[k]}
		if t.kind != kBool {
			t.enum = texts(n.Enum)
			if n.EnumFold != nil {
				t.enum, t.fold = texts(n.EnumFold), true
			}
		}
		return t, nil
	case "array":
		if n.Items == nil {
			return &typ{kind: kList, elem: &typ{kind: kAny}}, nil
		}
		elem, err := r.resolve(n.Items)
		return &typ{kind: kList, elem: anyIfNil(elem)}, err
	case "object":
		return r.ofObject(n)
	}
	return nil, fmt.Errorf("no type %q in JSON Schema", k)
}

func (r *resolver) ofObject(n *node) (*typ, error) {
	switch {
	case len(n.Properties) > 0:
		t := &typ{kind: kObject}
		for _, name := range slices.Sorted(maps.Keys(n.Properties)) {
			p := n.Properties[name]
			pt, err := r.resolve(&p)
			if err != nil {
				return nil, fmt.Errorf("property %s: %w", name, err)
			}
			t.set(prop{name, anyIfNil(pt), slices.Contains(n.Required, name)})
		}
		return t, nil
	case len(n.PatternProperties) > 0:
		var types []*typ
		for _, pattern := range slices.Sorted(maps.Keys(n.PatternProperties)) {
			p := n.PatternProperties[pattern]
			t, err := r.resolve(&p)
			if err != nil {
				return nil, fmt.Errorf("values of %s: %w", pattern, err)
			}
			types = append(types, t)
		}
		elem := types[0]
		if len(types) > 1 {
			elem = r.union(types)
		}
		return &typ{kind: kMap, elem: anyIfNil(elem)}, nil
	case n.Additional != nil && n.Additional.schema != nil:
		elem, err := r.resolve(n.Additional.schema)
		return &typ{kind: kMap, elem: anyIfNil(elem)}, err
	case n.Additional != nil && !n.Additional.allowed:
		return &typ{kind: kObject}, nil
	}
	return &typ{kind: kAny}, nil
}
