package bundle

import (
	"slices"
	"time"

	"plumbline/cfn"
	"plumbline/cfn/schema"
	"plumbline/finding"
	"plumbline/ruleset"
	"plumbline/scan"
)

// Scope sorts a target and its resources into the scope of PCI DSS by a policy:
// by account and stack name, and where the policy asks for tags, by those of
// each resource. The target as a whole is as strict as the strictest of its
// resources that can carry tags; without models, or without such a resource,
// account and stack name decide. of is nil where no tag is asked for: every
// resource is as the target. All is empty where the policy, which may be nil,
// says nothing of scope.
func Scope(p *ruleset.Policy, t scan.Target, models []*cfn.Model) (whole string, of map[string]string) {
	if p == nil {
		return "", nil
	}
	s := &p.Scope
	if len(s.CDE)+len(s.Connected)+len(s.Out) == 0 && (s.Default == "" || s.Default == ruleset.ScopeCDE) {
		return "", nil // what holds without a word of it
	}
	named := p.ScopeOf(t.Account, t.Stack, nil)
	if !asksTags(s.CDE) && !asksTags(s.Connected) && !asksTags(s.Out) {
		return string(named), nil
	}
	of = map[string]string{}
	strictest := len(ruleset.Scopes)
	for _, m := range models {
		for _, r := range m.Resources {
			at := named
			if typ := schema.Lookup(r.Type); typ != nil && typ.TagProperty != "" {
				at = p.ScopeOf(t.Account, t.Stack, tagsOf(r.Properties.Get(typ.TagProperty)))
				strictest = min(strictest, slices.Index(ruleset.Scopes, at))
			}
			if before, seen := of[r.LogicalID]; !seen || slices.Index(ruleset.Scopes, at) < slices.Index(ruleset.Scopes, ruleset.Scope(before)) {
				of[r.LogicalID] = string(at)
			}
		}
	}
	if strictest < len(ruleset.Scopes) {
		named = ruleset.Scopes[strictest]
	}
	return string(named), of
}

// Scope is what Scope says by the bundle's policy.
func (b *Bundle) Scope(t scan.Target, models []*cfn.Model) (whole string, of map[string]string) {
	return Scope(b.Policy, t, models)
}

// ScopeOf is a target's scope by its account and stack name alone.
func (b *Bundle) ScopeOf(t scan.Target) string {
	whole, _ := Scope(b.Policy, t, nil)
	return whole
}

// Owners names who answers for the resources by a policy, which may be nil:
// whole for the target and for resources that are not in of, such as those of a
// type without tags. Where worlds differ, the first that names an owner by a tag decides.
func Owners(p *ruleset.Policy, models []*cfn.Model) (whole string, of map[string]string) {
	if p == nil {
		return "", nil
	}
	if len(p.Owner.Tags) == 0 {
		return p.Owner.Default, nil
	}
	of = map[string]string{}
	for _, m := range models {
		for _, r := range m.Resources {
			if of[r.LogicalID] != "" {
				continue
			}
			typ := schema.Lookup(r.Type)
			if typ == nil || typ.TagProperty == "" {
				continue
			}
			if owner := p.OwnerOf(tagsOf(r.Properties.Get(typ.TagProperty))); owner != p.Owner.Default {
				of[r.LogicalID] = owner
			}
		}
	}
	return p.Owner.Default, of
}

// Owners is what Owners says by the bundle's policy.
func (b *Bundle) Owners(models []*cfn.Model) (whole string, of map[string]string) {
	return Owners(b.Policy, models)
}

// Due is when a violation that was first seen at a time is due by the bundle's policy.
func (b *Bundle) Due(s finding.Severity, firstSeen time.Time) time.Time {
	return b.Policy.Due(s, firstSeen)
}

func asksTags(entries []ruleset.ScopeMatch) bool {
	return slices.ContainsFunc(entries, func(m ruleset.ScopeMatch) bool { return len(m.Tags) > 0 })
}

// tagsOf reads tags from a list of keys and values or a mapping. A tag whose
// value is not known has none, so that only an entry which asks for the key
// alone matches it.
func tagsOf(v *cfn.Value) map[string]string {
	tags := map[string]string{}
	switch {
	case v.IsKind(cfn.Map):
		for _, f := range v.Fields {
			tags[f.Key] = f.Value.Text
		}
	case v.IsKind(cfn.List):
		for _, item := range v.Items {
			for _, names := range [][2]string{{"Key", "Value"}, {"TagKey", "TagValue"}} {
				if key := item.Get(names[0]); key != nil && key.Text != "" {
					tags[key.Text] = ""
					if value := item.Get(names[1]); value != nil {
						tags[key.Text] = value.Text
					}
				}
			}
		}
	}
	return tags
}
