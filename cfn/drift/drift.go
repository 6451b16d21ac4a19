// Package drift compares what a template says of a resource with what is
// deployed. It says only what is certain: a value that the template leaves to
// something unknown, a property that cannot be read back, and a form that the
// service is known to rewrite are no difference.
package drift

import (
	"slices"
	"strings"

	"plumbline/cfn"
	"plumbline/cfn/schema"
)

// Difference is one property that is otherwise than the template has it.
type Difference struct {
	Path []string // from Properties on; a list is compared whole
	Want *cfn.Value
	Have *cfn.Value // nil: it is not there
	// Unset is set where the template says nothing of the property, so that the
	// service's default should stand: Want is that default, nil for nothing.
	Unset bool
}

// Name is the property as people write it: "VersioningConfiguration.Status".
func (d *Difference) Name() string { return strings.Join(d.Path, ".") }

// Compare lists the differences of a resource, in the order of the schema's
// names. physical answers the physical id of a resource of the same stack, ""
// where it is not known. A type without a schema has no differences.
//
// Lists are compared without their order, since the service keeps most of them
// so, and of tags those of the prefix aws: and those of the stack are left out.
func Compare(want, have *cfn.Resource, stackTags map[string]string, physical func(logicalID string) string) []Difference {
	s := schema.Lookup(want.Type)
	if s == nil || !have.Properties.IsKind(cfn.Map) {
		return nil
	}
	c := &comparison{schema: s, tags: stackTags, physical: physical, defaults: defaults[want.Type]}
	c.object(nil, s.Type, orEmpty(want.Properties), have.Properties, false)
	return c.out
}

type comparison struct {
	schema   *schema.Resource
	tags     map[string]string
	physical func(string) string
	defaults map[string]string
	out      []Difference
}

var empty = &cfn.Value{Kind: cfn.Map}

func orEmpty(v *cfn.Value) *cfn.Value {
	if v == nil {
		return empty
	}
	return v
}

// object compares the properties of an object. unset says that the template has
// none of it.
func (c *comparison) object(at []string, t *schema.Type, want, have *cfn.Value, unset bool) {
	for i := range t.Properties {
		p := &t.Properties[i]
		path := append(slices.Clip(at), p.Name)
		name := strings.Join(path, "/")
		if listed(c.schema.ReadOnly, name) || listed(c.schema.WriteOnly, name) || listed(c.schema.Deprecated, name) {
			continue
		}
		w, h := want.Get(p.Name), have.Get(p.Name)
		switch {
		case w == nil && h == nil:
		case w.IsKind(cfn.Unknown) && !c.decides(w):
		case w == nil && name == c.schema.TagProperty:
			c.setTags(path, w, h)
		case w == nil:
			c.left(path, p.Type, h, unset)
		case name == c.schema.TagProperty:
			c.setTags(path, w, h)
		case p.Type.Kind == schema.Object && w.Kind == cfn.Map:
			c.object(path, p.Type, w, orEmpty(h), unset)
		case h == nil && nothing(w):
		case !c.same(p.Type, name, want, w, h):
			c.out = append(c.out, Difference{Path: path, Want: w, Have: h, Unset: unset})
		}
	}
}

// left is a property that the template leaves at its default. What the default
// is must be known to call another value a difference; only of lists it is
// taken to be none, as what is in one was put there by somebody.
func (c *comparison) left(path []string, t *schema.Type, have *cfn.Value, unset bool) {
	name := strings.Join(path, "/")
	standard, known := c.defaults[name]
	switch {
	case nothing(have):
		return
	case known && standard == anything:
		return
	case known:
	case t.Default != "":
		standard, known = t.Default, true
	case t.Kind == schema.Object && have.Kind == cfn.Map:
		c.object(path, t, empty, have, true)
		return
	case t.Kind == schema.List && !unset:
		c.out = append(c.out, Difference{Path: path, Have: have, Unset: true})
		return
	}
	if !known || !scalar(have) || equalText(t, standard, have.Text) {
		return
	}
	c.out = append(c.out, Difference{Path: path, Want: &cfn.Value{Kind: cfn.String, Text: standard}, Have: have, Unset: true})
}

// nothing reports whether a value says no more than its absence.
func nothing(v *cfn.Value) bool {
	switch {
	case v == nil:
		return true
	case v.Kind == cfn.Null:
		return true
	case v.Kind == cfn.List:
		return len(v.Items) == 0
	case v.Kind == cfn.Map:
		return !slices.ContainsFunc(v.Fields, func(f cfn.Field) bool { return !nothing(f.Value) })
	case v.Kind == cfn.Bool:
		return v.Text == "false"
	}
	return v.Kind != cfn.Unknown && (v.Text == "" || v.Text == "0")
}

func scalar(v *cfn.Value) bool {
	return v.IsKind(cfn.String) || v.IsKind(cfn.Number) || v.IsKind(cfn.Bool)
}

// listed reports whether a path of the schema is one of these, or below one.
func listed(paths []string, name string) bool {
	return slices.ContainsFunc(paths, func(p string) bool { return p == name || strings.HasPrefix(name, p+"/") })
}
