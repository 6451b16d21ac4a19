package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// handlerNames are the operations of a provider, in the order of the output.
var handlerNames = []string{"create", "read", "update", "delete", "list"}

// resource is one type of the output.
type resource struct {
	name        string
	stateful    bool
	tagProperty string
	tagsAsMap   bool
	// primary identifier, create only, create only on condition, read only, write only, deprecated
	paths       [6][]string
	transforms  []transform
	handlers    [5]*handler // by handlerNames, nil where there is none
	tagging     []string    // permissions
	types       []*typ      // the resource itself first; scalars without more are not listed
	definitions int         // objects among types
}

type transform struct{ path, expression string }

func newResource(s *node, stateful bool) (*resource, []string, error) {
	rv := newResolver(s)
	root, err := rv.resolve(&node{Type: names{"object"}, Properties: s.Properties, Required: s.Required, AllOf: s.AllOf, AnyOf: s.AnyOf, OneOf: s.OneOf})
	if err != nil {
		return nil, nil, err
	}
	if root == nil || root.kind != kObject {
		root = &typ{kind: kObject}
	}
	root.name = ""
	r := &resource{name: s.TypeName, stateful: stateful}
	for i, list := range [...][]string{s.PrimaryIdentifier, s.CreateOnly, s.ConditionalCreateOnly, s.ReadOnly, s.WriteOnly, s.Deprecated} {
		for _, p := range list {
			r.paths[i] = append(r.paths[i], strings.TrimPrefix(p, "/properties/"))
		}
	}
	for _, p := range slices.Sorted(maps.Keys(s.PropertyTransform)) {
		r.transforms = append(r.transforms, transform{strings.TrimPrefix(p, "/properties/"), text(s.PropertyTransform[p])})
	}
	for i, name := range handlerNames {
		if h, ok := s.Handlers[name]; ok {
			r.handlers[i] = &h
		}
	}
	if s.Tagging != nil {
		r.tagging = s.Tagging.Permissions
	}
	correct(s.TypeName, root)
	r.findTags(s, root)
	nameObjects(root)
	r.collect(root)
	return r, rv.notes, nil
}

// correct repairs what the schemas leave more open than the service does.
func correct(name string, root *typ) {
	if name == "AWS::Lambda::Function" { // the service takes text only; the schema lets CloudFormation turn anything into it
		if p := root.prop("Environment"); p != nil && p.typ.kind == kObject {
			if vars := p.typ.prop("Variables"); vars != nil {
				vars.typ = &typ{kind: kMap, elem: &typ{kind: kString}}
			}
		}
	}
}

// findTags sets the tag property where the resource has one that can be
// written and whose shape is known: a list of objects with Key and Value, or a map.
func (r *resource) findTags(s *node, root *typ) {
	path := "/properties/Tags"
	if s.Tagging != nil && s.Tagging.TagProperty != "" {
		path = s.Tagging.TagProperty
	}
	p := root.prop(strings.TrimPrefix(path, "/properties/"))
	if p == nil || slices.Contains(s.ReadOnly, path) {
		return
	}
	switch t := p.typ; {
	case t.kind == kAny: // tags are text by key, whatever the schema leaves open
		p.typ = &typ{kind: kMap, elem: &typ{kind: kString}}
		r.tagProperty, r.tagsAsMap = p.name, true
	case t.kind == kMap:
		r.tagProperty, r.tagsAsMap = p.name, true
	case t.kind == kList && t.elem.kind == kObject && t.elem.prop("Key") != nil && t.elem.prop("Value") != nil:
		r.tagProperty = p.name
	}
}

// nameObjects gives every object a name that is unique in the resource:
// definitions their own, the others the path that leads to them first.
func nameObjects(root *typ) {
	taken := map[string]bool{"": true}
	seen := map[*typ]bool{root: true}
	type inline struct {
		t    *typ
		path string
		from *typ
	}
	var unnamed []inline
	queue := []*typ{root}
	var visit func(t *typ, path string, from *typ)
	visit = func(t *typ, path string, from *typ) {
		if t.elem != nil {
			if !seen[t] {
				seen[t] = true
				visit(t.elem, path, from)
			}
			return
		}
		if t.kind != kObject || seen[t] {
			return
		}
		seen[t] = true
		queue = append(queue, t)
		if t.name == "" {
			unnamed = append(unnamed, inline{t, path, from})
			return
		}
		t.name = unique(taken, t.name[strings.LastIndex(t.name, ".")+1:])
	}
	for len(queue) > 0 {
		t := queue[0]
		queue = queue[1:]
		for _, p := range t.props {
			visit(p.typ, p.name, t)
		}
	}
	for _, u := range unnamed { // in the order met, so the object that holds one has its name by now
		path := u.path
		if u.from.name != "" {
			path = u.from.name + "." + path
		}
		u.t.name = unique(taken, path)
	}
}

func unique(taken map[string]bool, want string) string {
	name := want
	for i := 2; taken[name]; i++ {
		name = fmt.Sprintf("%s%d", want, i)
	}
	taken[name] = true
	return name
}

// collect lists the types in the order met, each once; equal types without a
// name are one.
func (r *resource) collect(root *typ) {
	index := map[string]*typ{}
	seen, canonical := map[*typ]bool{}, map[*typ]bool{}
	var canon func(t *typ) *typ
	canon = func(t *typ) *typ {
		if t.kind == kObject || t.plain() || canonical[t] { // a list may hold itself
			return t
		}
		canonical[t] = true
		if t.elem != nil {
			t.elem = canon(t.elem)
		}
		key := fmt.Sprintf("%d %v %q %q", t.kind, t.fold, t.enum, t.def)
		if t.elem != nil {
			key += fmt.Sprintf(" %d %p", t.elem.kind, t.elem)
			if t.elem.plain() {
				key = fmt.Sprintf("%d of %d", t.kind, t.elem.kind)
			}
		}
		if first, ok := index[key]; ok {
			return first
		}
		index[key] = t
		return t
	}
	var add func(t *typ)
	add = func(t *typ) {
		if t.plain() || seen[t] {
			return
		}
		seen[t] = true
		r.types = append(r.types, t)
		if t.kind == kObject {
			r.definitions++
		}
		if t.elem != nil {
			add(t.elem)
		}
		for i := range t.props {
			t.props[i].typ = canon(t.props[i].typ)
			add(t.props[i].typ)
		}
	}
	add(root)
}

// plain reports that the type is its kind and nothing else.
func (t *typ) plain() bool {
	return (t.kind == kAny || t.scalar()) && t.enum == nil && t.def == ""
}
