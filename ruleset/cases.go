package ruleset

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"plumbline/finding"
)

// caseSuffix ends the name of a rule's case file.
const caseSuffix = "_test.yaml"

// caseSubject is the logical id of the resource that a case is about.
const caseSubject = "Subject"

// Case is one entry of a rule's case file: a resource, what stands around it,
// and the verdict that the rule gives on it.
type Case struct {
	Name string `yaml:"name" need:"true" doc:"says what is special, unique in the file"`

	// What is judged: the resource Subject.
	Type       string            `yaml:"type" doc:"the subject's type; needed where the rule has several"`
	Properties yaml.Node         `yaml:"properties" doc:"the subject's properties, only those that matter"`
	Base       string            `yaml:"base" doc:"name of an earlier case whose type, properties and surroundings this one starts from"`
	Set        yamlFields        `yaml:"set" doc:"property path: value, put over the base's properties"`
	Unset      []string          `yaml:"unset" doc:"property paths taken away from the base's properties"`
	Attributes yamlFields        `yaml:"attributes" doc:"the subject's other attributes: DeletionPolicy, Metadata, Condition …"`
	With       yamlFields        `yaml:"with" doc:"logical id: {type, properties, attributes} of other resources"`
	Parameters yamlFields        `yaml:"parameters" doc:"name: declaration, or the default of a String parameter; a name that is only referred to is a String parameter without default"`
	Conditions yaml.Node         `yaml:"conditions" doc:"the template's conditions"`
	Mappings   yaml.Node         `yaml:"mappings" doc:"the template's mappings"`
	Transforms []string          `yaml:"transforms" doc:"names in the template's Transform"`
	Params     map[string]string `yaml:"params" doc:"values given to parameters"`
	Region     string            `yaml:"region" doc:"region it is deployed to; unset: not known"`
	Account    string            `yaml:"account" doc:"account it is deployed to; unset: not known"`
	Stack      string            `yaml:"stack" doc:"stack's name; unset: not known"`
	Policy     yaml.Node         `yaml:"policy" doc:"policy file; unset: the defaults"`

	// What the rule says.
	Want     finding.Verdict `yaml:"want" need:"true" check:"verdict" doc:"pass, fail, unknown, error or skip"`
	Message  string          `yaml:"message" doc:"the finding's message, exactly"`
	Needs    []string        `yaml:"needs" doc:"what would settle it, as reports say it (parameter X) or only the name (X)"`
	Assuming []string        `yaml:"assuming" doc:"the world it was judged in, such as Environment=dev"`
	At       string          `yaml:"at" doc:"property path on whose line the finding is"`
	Unfixed  bool            `yaml:"unfixed" doc:"the rule's fix does not settle this failure"`

	Line int `yaml:"-"`
}

// yamlFields is a mapping that keeps its nodes and their order.
type yamlFields []yamlField

type yamlField struct {
	key   *yaml.Node
	value *yaml.Node
}

func (f *yamlFields) readYAML(r *yamlReader, n *yaml.Node) {
	*f = readKeyed(r, n, "this", func(key, value *yaml.Node) yamlField {
		return yamlField{key, r.expand(value)}
	})
}

// expand copies a tree with its aliases resolved, so that it may be written
// into another document.
func (r *yamlReader) expand(n *yaml.Node) *yaml.Node {
	if r.nodes++; r.nodes > maxYAMLNodes {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}
	}
	if n.Kind == yaml.AliasNode {
		return r.expand(n.Alias)
	}
	out := *n
	out.Anchor, out.HeadComment, out.LineComment, out.FootComment = "", "", "", ""
	out.Content = nil
	for _, c := range n.Content {
		out.Content = append(out.Content, r.expand(c))
	}
	return &out
}

// ReadCases reads a case file strictly; the error joins a *PlaceError for each
// problem. Bases are applied.
func ReadCases(file string, src []byte) ([]Case, error) {
	r := &yamlReader{path: file}
	root := r.readDocument(src)
	if root == nil {
		r.bad(&yaml.Node{Line: 1, Column: 1}, "empty case file. it is a list of {name, properties, want}")
		return nil, r.err()
	}
	var cases []Case
	r.decode(root, reflect.ValueOf(&cases).Elem(), "cases", "")
	if len(r.errs) > 0 {
		return nil, r.err()
	}
	names := map[string]int{}
	for i := range cases {
		c := &cases[i]
		if line, twice := names[c.Name]; twice {
			r.bad(root.Content[i], "case %q is here twice, first in line %d. names are unique", c.Name, line)
		}
		names[c.Name] = c.Line
		if c.Base != "" {
			j := slices.IndexFunc(cases[:i], func(b Case) bool { return b.Name == c.Base })
			if j < 0 {
				r.bad(root.Content[i], "base %q is no earlier case of this file", c.Base)
				continue
			}
			c.inherit(&cases[j])
		}
		if err := c.applyPaths(); err != nil {
			r.bad(root.Content[i], "case %q: %v", c.Name, err)
		}
	}
	return cases, r.err()
}

// inherit takes from base what c does not say itself. What the rule says is
// not inherited.
func (c *Case) inherit(base *Case) {
	if c.Type == "" {
		c.Type = base.Type
	}
	if c.Properties.IsZero() {
		c.Properties = *new(yamlReader).expand(&base.Properties)
	}
	for _, x := range []struct{ own, from *yamlFields }{
		{&c.Attributes, &base.Attributes}, {&c.With, &base.With}, {&c.Parameters, &base.Parameters},
	} {
		if *x.own == nil {
			*x.own = *x.from
		}
	}
	for _, x := range []struct{ own, from *yaml.Node }{
		{&c.Conditions, &base.Conditions}, {&c.Mappings, &base.Mappings}, {&c.Policy, &base.Policy},
	} {
		if x.own.IsZero() {
			*x.own = *x.from
		}
	}
	if c.Params == nil {
		c.Params = base.Params
	}
	for _, x := range []struct{ own, from *string }{{&c.Region, &base.Region}, {&c.Account, &base.Account}, {&c.Stack, &base.Stack}} {
		if *x.own == "" {
			*x.own = *x.from
		}
	}
}

// applyPaths carries out set and unset.
func (c *Case) applyPaths() error {
	if len(c.Set)+len(c.Unset) == 0 {
		return nil
	}
	if c.Properties.IsZero() {
		c.Properties = yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	}
	for _, f := range c.Set {
		if err := setPath(&c.Properties, strings.Split(f.key.Value, "."), f.value); err != nil {
			return fmt.Errorf("set %s: %w", f.key.Value, err)
		}
	}
	for _, p := range c.Unset {
		if err := unsetPath(&c.Properties, strings.Split(p, ".")); err != nil {
			return fmt.Errorf("unset %s: %w", p, err)
		}
	}
	return nil
}

// setPath puts value at a path of keys and list indexes; it makes mappings on
// its way, and an index equal to a list's length appends.
func setPath(n *yaml.Node, path []string, value *yaml.Node) error {
	for i, step := range path {
		last := i == len(path)-1
		next := value
		if !last {
			next = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		}
		switch n.Kind {
		case yaml.MappingNode:
			j := keyIndex(n, step)
			switch {
			case j < 0:
				n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: step}, next)
				j = len(n.Content) - 2
			case last:
				n.Content[j+1] = value
			}
			n = n.Content[j+1]
		case yaml.SequenceNode:
			k, err := strconv.Atoi(step)
			switch {
			case err != nil || k < 0 || k > len(n.Content):
				return fmt.Errorf("%q is no index of a list of %d", step, len(n.Content))
			case k == len(n.Content):
				n.Content = append(n.Content, next)
			case last:
				n.Content[k] = value
			}
			n = n.Content[k]
		default:
			return fmt.Errorf("there is no place for %q: before it stands %s", step, describe(n))
		}
	}
	return nil
}

func unsetPath(n *yaml.Node, path []string) error {
	for i, step := range path {
		last := i == len(path)-1
		switch n.Kind {
		case yaml.MappingNode:
			j := keyIndex(n, step)
			if j < 0 {
				return fmt.Errorf("there is no %q", step)
			}
			if last {
				n.Content = slices.Delete(n.Content, j, j+2)
				return nil
			}
			n = n.Content[j+1]
		case yaml.SequenceNode:
			k, err := strconv.Atoi(step)
			if err != nil || k < 0 || k >= len(n.Content) {
				return fmt.Errorf("%q is no index of a list of %d", step, len(n.Content))
			}
			if last {
				n.Content = slices.Delete(n.Content, k, k+1)
				return nil
			}
			n = n.Content[k]
		default:
			return fmt.Errorf("there is no %q", step)
		}
	}
	return nil
}

func keyIndex(n *yaml.Node, key string) int {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return i
		}
	}
	return -1
}
