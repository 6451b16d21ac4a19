package remedy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"plumbline/cfn"
	"plumbline/cfn/schema"
	"plumbline/ruleset"
)

// inCDK is a fix as statements of the CDK app that made the template, on the
// construct that a resource's metadata names; nil where no construct is named.
// A change of the template itself would be undone by the next synth.
func inCDK(m *cfn.Model, resource *cfn.Resource, fix ruleset.Fix) []string {
	if resource.ConstructPath == "" {
		return nil
	}
	if fix.Delete {
		return []string{"take out " + construct(resource)}
	}
	out := overrides(resource, fix.Ops)
	for _, o := range fix.Others {
		if other := m.Resource(o.LogicalID); other != nil && other.ConstructPath != "" {
			out = append(out, overrides(other, o.Ops)...)
		}
	}
	if c := fix.Companion; c != nil {
		out = append(out, fmt.Sprintf("beside %s: new %s(…) with %s", construct(resource), l1(c.Type), value(c.Properties.Plain())))
	}
	return out
}

// overrides are operations as property overrides of the L1 construct. Source:
// AWS CDK API Reference, CfnResource.
func overrides(resource *cfn.Resource, ops []cfn.Op) []string {
	on := construct(resource)
	var out []string
	added := map[string]int{}
	for _, op := range ops {
		path := overridePath(op.Path)
		switch {
		case isTag(resource.Type, op):
			tag, _ := op.Value.(map[string]any)
			out = append(out, fmt.Sprintf("%s: Tags.of(it).add(%s, %s)", on, value(tag["Key"]), value(tag["Value"])))
		case op.Do == cfn.OpRemove:
			out = append(out, fmt.Sprintf("%s: addPropertyDeletionOverride(%q)", on, path))
		case op.Do == cfn.OpAdd:
			n := added[path]
			added[path]++
			if list := resource.Properties.Lookup(op.Path...); list.IsKind(cfn.List) {
				n += len(list.Items)
			}
			out = append(out, fmt.Sprintf("%s: addPropertyOverride(%q, %s)", on, path+"."+strconv.Itoa(n), value(op.Value)))
		default:
			out = append(out, fmt.Sprintf("%s: addPropertyOverride(%q, %s)", on, path, value(op.Value)))
		}
	}
	return out
}

// overridePath is a path as addPropertyOverride takes it, where a dot in a key is escaped.
func overridePath(path []string) string {
	keys := make([]string, len(path))
	for i, key := range path {
		keys[i] = strings.ReplaceAll(key, ".", `\.`)
	}
	return strings.Join(keys, ".")
}

// isTag reports whether an operation adds a tag in the shape that CDK's Tags adds.
func isTag(typ string, op cfn.Op) bool {
	s := schema.Lookup(typ)
	tag, _ := op.Value.(map[string]any)
	return s != nil && op.Do == cfn.OpAdd && slices.Equal(op.Path, []string{s.TagProperty}) && tag["Key"] != nil && tag["Value"] != nil
}

// construct names a resource's L1 construct: the default child of the construct
// that the path leads to, where CDK made it for that one.
func construct(resource *cfn.Resource) string {
	path, isDefault := strings.CutSuffix(resource.ConstructPath, "/Resource")
	if !isDefault {
		if path, isDefault = strings.CutSuffix(resource.ConstructPath, "/Default"); !isDefault {
			return path + " (" + l1(resource.Type) + ")"
		}
	}
	return path + ", node.defaultChild (" + l1(resource.Type) + ")"
}

// l1 is the class of a type's L1 construct.
func l1(typ string) string {
	return "Cfn" + typ[strings.LastIndex(typ, ":")+1:]
}
