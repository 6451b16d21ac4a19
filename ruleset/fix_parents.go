package ruleset

import (
	"slices"
	"strings"

	"plumbline/cfn"
	"plumbline/cfn/schema"
)

// parentsNeed are the properties that an object needs which a fix would make
// on the way to what it sets, and that the fix does not set: a distribution
// without a configuration is not put right by one that has a single property.
func (f *Fix) parentsNeed(resource *cfn.Resource) []string {
	s := schema.Lookup(resource.Type)
	if s == nil {
		return nil
	}
	typ := s.Type
	var out []string
	need := func(t *schema.Type, at []string) {
		for k := range t.Properties {
			p := &t.Properties[k]
			path := append(slices.Clone(at), p.Name)
			name := "property " + strings.Join(path, ".")
			if p.Required && !f.sets(path) && !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	if (resource.Properties == nil || resource.Properties.Kind == cfn.Null) && len(f.Ops) > 0 {
		need(typ, nil)
	}
	for _, op := range f.Ops {
		if op.Do == cfn.OpRemove {
			continue
		}
		at, t := resource.Properties, typ
		for i, key := range op.Path[:len(op.Path)-1] {
			if t.Kind == schema.List {
				t = t.Elem
			} else {
				t = typeBelow(t, key)
			}
			if at != nil {
				at = at.Lookup(key)
			}
			if (at == nil || at.Kind == cfn.Null) && t.Kind == schema.Object {
				need(t, op.Path[:i+1])
			}
		}
	}
	return out
}

// sets reports whether one of the operations gives the property or a part of it.
func (f *Fix) sets(path []string) bool {
	return slices.ContainsFunc(f.Ops, func(op cfn.Op) bool {
		return op.Do != cfn.OpRemove && len(op.Path) >= len(path) && slices.Equal(op.Path[:len(path)], path)
	})
}
