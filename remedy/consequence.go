package remedy

import (
	"maps"
	"slices"
	"strings"

	"plumbline/cfn"
	"plumbline/cfn/schema"
	"plumbline/ruleset"
)

// Consequences is what operations on a resource do beyond the property.
type Consequences struct {
	Destructive  []string // reasons, such as what is replaced or cut off; empty: not destructive
	Irreversible []string // why the undo cannot restore all; empty: it does
	TemplateOnly []string // why it cannot be made live; empty: it can
}

// ConsequencesOf says what operations do to a resource of a type, by what is
// known of the type alone: "*" may stand for an item in a path. What a live
// resource's values settle is taken for the worse.
func ConsequencesOf(typ string, ops []cfn.Op) Consequences {
	var c Consequences
	s := c.applicable(typ, ops)
	if s == nil {
		return c
	}
	for _, op := range ops {
		path := op.Path
		if i := slices.Index(path, "*"); i >= 0 {
			path = path[:i] // a list is replaced whole
		}
		for _, w := range s.WriteOnly {
			if touches([]string{w}, path) && !readBack(typ, w) {
				c.hidden(strings.ReplaceAll(w, "/", "."))
			}
		}
	}
	return c
}

// consequencesFor says what a plan does: of what cannot be undone only what its
// patch touches in the live model counts.
func consequencesFor(typ string, ops []cfn.Op, before any, patch []PatchOp) Consequences {
	var c Consequences
	s := c.applicable(typ, ops)
	if s == nil {
		return c
	}
	for _, op := range patch {
		if op.Op == "test" {
			continue
		}
		path := strings.Split(dotted(op.Path), ".")
		for _, w := range s.WriteOnly {
			rest, ok := below(strings.Split(w, "/"), path)
			if !ok {
				continue
			}
			value, there := at(before, op.Path)
			if len(rest) == 0 || there && hides(value, rest, told[typ+" "+w]) || !there && onlyWritten(s, path) {
				c.hidden(strings.ReplaceAll(w, "/", "."))
			}
		}
	}
	return c
}

// applicable says what is destructive and what cannot be made live; nil where
// nothing is known of the type.
func (c *Consequences) applicable(typ string, ops []cfn.Op) *schema.Resource {
	s := schema.Lookup(typ)
	if s == nil {
		c.TemplateOnly = append(c.TemplateOnly, "nothing is known of type "+typ)
		return nil
	}
	for _, need := range []string{"read", "update"} {
		if !slices.Contains(s.Handlers, need) {
			c.TemplateOnly = append(c.TemplateOnly, "Cloud Control cannot "+need+" "+typ)
		}
	}
	for _, op := range ops {
		path := strings.Join(op.Path, ".")
		switch {
		case touches(s.CreateOnly, op.Path):
			c.TemplateOnly = append(c.TemplateOnly, path+" can be set only when the resource is made")
			reason := "a change of " + path + " replaces the resource"
			if s.Stateful {
				reason += ", which holds data"
			}
			c.Destructive = append(c.Destructive, reason)
		case touches(s.ConditionalCreateOnly, op.Path):
			c.Destructive = append(c.Destructive, "a change of "+path+" may replace the resource")
		}
		if cut := cuts(op); cut != "" && !slices.Contains(c.Destructive, cut) {
			c.Destructive = append(c.Destructive, cut)
		}
	}
	return s
}

// OfRule adds what a rule itself says that its fix does: no schema tells who
// is cut off by a change, or what a service never takes back.
func (c *Consequences) OfRule(r *ruleset.Rule) {
	if r.CutsOff {
		c.Destructive = append(c.Destructive, "somebody may be cut off: "+strings.TrimSuffix(r.Breaks, "."))
	}
	if r.Permanent != "" {
		c.Irreversible = append(c.Irreversible, r.Permanent)
	}
}

func (c *Consequences) hidden(path string) {
	reason := path + " cannot be read back, so its earlier value is not known"
	if !slices.Contains(c.Irreversible, reason) {
		c.Irreversible = append(c.Irreversible, reason)
	}
}

// told are write-only properties that say in another way what a read of the
// resource gives: where one of these stands beside it, nothing is hidden. A
// rule of a security group has one source, and a read names the group by its id.
var told = map[string][]string{
	"AWS::EC2::SecurityGroup SecurityGroupIngress/*/SourceSecurityGroupName": {"CidrIp", "CidrIpv6", "SourcePrefixListId", "SourceSecurityGroupId"},
}

func readBack(typ, writeOnly string) bool { return told[typ+" "+writeOnly] != nil }

// below is what of a write-only path lies below a path that a patch touches:
// nothing where the patch touches the property itself or a part of it. false:
// the patch does not touch it.
func below(writeOnly, path []string) ([]string, bool) {
	for i := range min(len(writeOnly), len(path)) {
		if writeOnly[i] != path[i] && writeOnly[i] != "*" {
			return nil, false
		}
	}
	return writeOnly[min(len(writeOnly), len(path)):], true
}

// hides reports whether a value that was read may have had a write-only
// property at a path below it: something stands there that could have it, and
// none of what would tell its value.
func hides(value any, rest, told []string) bool {
	if len(rest) == 1 && rest[0] != "*" {
		m, ok := value.(map[string]any)
		return ok && !slices.ContainsFunc(told, func(key string) bool { return m[key] != nil })
	}
	switch v := value.(type) {
	case []any:
		return rest[0] == "*" && slices.ContainsFunc(v, func(x any) bool { return len(rest) == 1 || hides(x, rest[1:], told) })
	case map[string]any:
		if rest[0] == "*" {
			return slices.ContainsFunc(slices.Collect(maps.Values(v)), func(x any) bool { return len(rest) == 1 || hides(x, rest[1:], told) })
		}
		x, ok := v[rest[0]]
		return ok && hides(x, rest[1:], told)
	}
	return false
}

// onlyWritten reports whether nothing of a property is ever read, so that it
// may be set though a read does not show it.
func onlyWritten(s *schema.Resource, path []string) bool {
	t := s.Type
	for _, key := range path {
		p := t.Property(key)
		if t.Kind != schema.Object || p == nil {
			return false
		}
		t = p.Type
	}
	if t.Kind != schema.Object || len(t.Properties) == 0 {
		return false
	}
	for i := range t.Properties {
		if !touches(s.WriteOnly, append(slices.Clone(path), t.Properties[i].Name)) {
			return false
		}
	}
	return true
}

// cutting are the properties whose change may end somebody's access or traffic.
var cutting = map[string]string{
	"SecurityGroupIngress":           "traffic that the rule admits is cut off",
	"SecurityGroupEgress":            "traffic that the rule admits is cut off",
	"PublicAccessBlockConfiguration": "public readers and writers lose access",
	"PubliclyAccessible":             "clients outside the network lose access",
	"AssociatePublicIpAddress":       "new instances get no public address",
	"MapPublicIpOnLaunch":            "new instances get no public address",
	"PolicyDocument":                 "principals that the statement admits lose access",
	"AssumeRolePolicyDocument":       "principals that may assume the role lose access",
	"RepositoryPolicyText":           "principals that the statement admits lose access",
	"ManagedPolicyArns":              "principals with the policy lose permissions",
	"PubliclyAccessibleVpcEndpoint":  "clients outside the network lose access",
}

func cuts(op cfn.Op) string {
	switch reason := cutting[op.Path[0]]; {
	case reason == "":
		return ""
	case strings.HasPrefix(op.Path[0], "SecurityGroup") && op.Do == cfn.OpAdd:
		return "" // it admits more
	default:
		return reason
	}
}

// touches reports whether an operation changes what one of the schema's paths names.
func touches(paths []string, at []string) bool {
	for _, p := range paths {
		parts := strings.Split(p, "/")
		n := min(len(parts), len(at))
		hit := true
		for i := range n {
			hit = hit && (parts[i] == at[i] || parts[i] == "*")
		}
		if hit {
			return true
		}
	}
	return false
}
