package ruleset

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"plumbline/cfn/schema"
	"plumbline/finding"
	"plumbline/internal/nearest"
)

// PolicyFile is the name under which a policy is looked for.
const PolicyFile = "plumbline.yaml"

// ReadPolicy reads a policy file. path is used in messages only. An empty file
// is an empty policy. Every problem is found in one pass; the error joins one
// *PlaceError for each, in the order of the file, and what could be read of the
// policy is returned beside it, so that Check can tell its problems too: such a
// policy is not to be judged by. Unset fields stay unset: see WithDefaults.
func ReadPolicy(path string, src []byte) (*Policy, error) {
	p := &Policy{Path: path}
	r := &yamlReader{path: path}
	root := r.readDocument(src)
	if root != nil {
		r.decode(root, reflect.ValueOf(p).Elem(), "", "")
		p.checkContents(r, root)
	}
	return p, r.err()
}

// decodePolicyNode reads a policy that stands inside another file, at n.
func decodePolicyNode(file string, n *yaml.Node) (*Policy, error) {
	p := &Policy{Path: file}
	if n.IsZero() || n.Tag == "!!null" {
		return p, nil
	}
	r := &yamlReader{path: file}
	r.decode(n, reflect.ValueOf(p).Elem(), "policy", "")
	p.checkContents(r, n)
	if err := r.err(); err != nil {
		return nil, err
	}
	return p, nil
}

// checkContents finds what a field on its own cannot show.
func (p *Policy) checkContents(r *yamlReader, root *yaml.Node) {
	if p.Version != 0 && p.Version != 1 {
		r.bad(root, "version %d is not known. this plumbline reads version 1", p.Version)
	}
	tags := map[string]bool{}
	for i, t := range p.RequiredTags {
		if t.Key != "" && tags[t.Key] {
			r.bad(at(root, "requiredTags", i), "tag %q is required twice. keep one entry", t.Key)
		}
		tags[t.Key] = true
		if problem := t.defaultProblem(); problem != "" {
			r.bad(at(root, "requiredTags", i, "default"), "requiredTags[%d].default %q %s. give one that the rule lets pass", i, t.Default, problem)
		}
	}
	for i := range p.Suppressions {
		s := &p.Suppressions[i]
		if len(s.Resource)+len(s.Path)+len(s.Stack)+len(s.Template)+len(s.Account)+len(s.Region) == 0 {
			r.bad(at(root, "suppressions", i), "a suppression of every finding of a rule. say which: resource, path, stack, template, account or region; to turn the rule off, write it under rules with off: and the reason")
		}
	}
	for i := range p.Naming {
		p.Naming[i].checkProperty(r, root, i)
	}
	for _, scope := range Scopes {
		for i, m := range p.Scope.entries(scope) {
			if len(m.Accounts)+len(m.Stacks)+len(m.Tags) == 0 {
				r.bad(at(root, "scope", string(scope), i), "scope.%s[%d] selects nothing. give accounts, stacks or tags", scope, i)
			}
		}
	}
}

// maxGlobTypes bounds the types whose schemas are looked into for one glob of
// naming.types: of AWS::* the property is some type's, and not looked for.
const maxGlobTypes = 60

// checkProperty finds a property that a named type lacks, and one that no type
// of a glob has.
func (n *Naming) checkProperty(r *yamlReader, root *yaml.Node, i int) {
	if n.Property == "" {
		return
	}
	first, _, _ := strings.Cut(n.Property, ".")
	for _, t := range n.Types {
		types := []string{t}
		if isGlob(t) {
			types = slices.DeleteFunc(slices.Collect(schema.Types()), func(x string) bool { return !Glob(t, x) })
		}
		if len(types) > maxGlobTypes {
			continue
		}
		known, has, near := false, false, ""
		for _, x := range types {
			if s := schema.Lookup(x); s != nil {
				known, has = true, has || s.Type.Property(first) != nil
				near = cmp.Or(near, s.Type.Nearest(first))
			}
		}
		switch {
		case !known || has:
		case near != "":
			r.bad(at(root, "naming", i, "property"), "naming[%d].property: %s has no property %q. did you mean %q?", i, t, first, near)
		default:
			r.bad(at(root, "naming", i, "property"), "naming[%d].property: %s has no property %q", i, t, first)
		}
	}
}

func (s *ScopePolicy) entries(scope Scope) []ScopeMatch {
	switch scope {
	case ScopeCDE:
		return s.CDE
	case ScopeConnected:
		return s.Connected
	default:
		return s.Out
	}
}

// at follows keys and indexes as far as they lead.
func at(n *yaml.Node, path ...any) *yaml.Node {
	for _, step := range path {
		next := n
		switch step := step.(type) {
		case string:
			for i := 0; i+1 < len(n.Content); i += 2 {
				if n.Kind == yaml.MappingNode && n.Content[i].Value == step {
					next = n.Content[i+1]
				}
			}
		case int:
			if n.Kind == yaml.SequenceNode && step < len(n.Content) {
				next = n.Content[step]
			}
		}
		if next.Kind == yaml.AliasNode {
			next = next.Alias
		}
		n = next
	}
	return n
}

func (s *RuleSettings) readYAML(r *yamlReader, n *yaml.Node) {
	*s = readKeyed(r, n, "rules", func(key, value *yaml.Node) (s RuleSetting) {
		what := "rules." + key.Value
		r.decode(value, reflect.ValueOf(&s).Elem(), what, "")
		s.Rule, s.Line = key.Value, key.Line
		if value.Kind == yaml.MappingNode && s.Severity == "" && strings.TrimSpace(s.Off) == "" {
			r.bad(key, "%s says nothing. give severity: critical, high, medium or low; or off: and the reason", what)
		}
		return s
	})
}

func (s *Values) readYAML(r *yamlReader, n *yaml.Node) {
	*s = readKeyed(r, n, "values", func(key, value *yaml.Node) Value {
		v := Value{Name: key.Value, Line: key.Line}
		what := "values." + key.Value
		if value.Kind != yaml.MappingNode {
			v.Text, _ = r.text(value, what)
			return v
		}
		v.ByRegion = map[string]string{}
		r.eachPair(value, what, func(region, text *yaml.Node) {
			t, ok := r.text(text, join(what, region.Value))
			switch {
			case !ok:
			case region.Value == "default":
				v.Text = t
			case isGlob(region.Value) || regionProblem(region.Value) != "":
				r.bad(region, "%s: want a region such as eu-west-1, or default, got %q", what, region.Value)
			default:
				v.ByRegion[region.Value] = t
			}
		})
		return v
	})
}

func readKeyed[T any](r *yamlReader, n *yaml.Node, what string, read func(key, value *yaml.Node) T) []T {
	if n.Kind != yaml.MappingNode {
		r.bad(n, "%s: want keys and values, got %s", what, describe(n))
		return nil
	}
	out := make([]T, 0, len(n.Content)/2)
	r.eachPair(n, what, func(key, value *yaml.Node) {
		if value.Kind == yaml.AliasNode {
			value = value.Alias
		}
		out = append(out, read(key, value))
	})
	return out
}

// Hash is the SHA-256, hex, of what the policy says, defaults included: it
// does not change with comments, order of keys or the file's place.
func (p *Policy) Hash() string {
	all := *p.WithDefaults()
	all.Path = ""
	all.Rules, all.Suppressions, all.Values = slices.Clone(all.Rules), slices.Clone(all.Suppressions), slices.Clone(all.Values)
	for i := range all.Rules {
		all.Rules[i].Line = 0
	}
	for i := range all.Suppressions {
		all.Suppressions[i].Line = 0
	}
	for i := range all.Values {
		all.Values[i].Line = 0
	}
	all.Remediation.Modes = slices.Clone(all.Remediation.Modes)
	for i := range all.Remediation.Modes {
		all.Remediation.Modes[i].Line = 0
	}
	slices.SortFunc(all.Values, func(a, b Value) int { return strings.Compare(a.Name, b.Name) })
	// Marshal sorts the keys of maps and cannot fail on texts, numbers and lists.
	text, _ := json.Marshal(all)
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// RuleNames is what Policy.Check asks of a set of rules.
type RuleNames interface {
	HasRule(id string) bool
	RuleIDs() []string
	FixValues() []string // what the fixes ask of the policy's values
}

// Check finds what in the policy names something that does not exist: rule
// ids and globs without a rule, values that no fix asks for. The policy would still work, and not do
// what was meant: plumbline scan refuses it.
func (p *Policy) Check(rules RuleNames) []*PlaceError {
	if p == nil {
		return nil
	}
	var out []*PlaceError
	warn := func(line int, format string, args ...any) {
		out = append(out, &PlaceError{finding.Place{Path: p.Path, Line: line, Column: 1}, fmt.Sprintf(format, args...)})
	}
	ids := rules.RuleIDs()
	known := func(line int, id string) {
		switch {
		case rules.HasRule(id):
		case isGlob(id):
			if !slices.ContainsFunc(ids, func(x string) bool { return Glob(id, x) }) {
				warn(line, "no rule matches %q", id)
			}
		default:
			if near := nearest.Of(id, ids); near != "" {
				warn(line, "no rule %q. did you mean %q?", id, near)
				return
			}
			warn(line, "no rule %q. plumbline rules list names them", id)
		}
	}
	for _, s := range p.Rules {
		known(s.Line, s.Rule)
	}
	for _, s := range p.Suppressions {
		for _, id := range s.Rule {
			known(s.Line, id)
		}
	}
	for _, e := range p.Remediation.Modes {
		for _, id := range e.Rule {
			known(e.Line, id)
		}
	}
	if len(p.Values) > 0 {
		asked := rules.FixValues()
		for _, v := range p.Values {
			if slices.Contains(asked, v.Name) {
				continue
			}
			if near := nearest.Of(v.Name, asked); near != "" {
				warn(v.Line, "no fix asks for a value %q. did you mean %q?", v.Name, near)
				continue
			}
			warn(v.Line, "no fix asks for a value %q. asked for: %s", v.Name, strings.Join(slices.Sorted(slices.Values(asked)), ", "))
		}
	}
	return out
}
