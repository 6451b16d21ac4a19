package ruleset

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// template is the case as a CloudFormation template's text: its subject of
// type typ, the resources around it, and a String parameter for each name that
// is referred to and declared nowhere.
func (c *Case) template(typ string) ([]byte, error) {
	subject, err := resourceNode(typ, &c.Properties, c.Attributes)
	if err != nil {
		return nil, err
	}
	resources := mapping(caseSubject, subject)
	for _, w := range c.With {
		n, err := c.neighbour(w)
		if err != nil {
			return nil, err
		}
		resources.Content = append(resources.Content, word(w.key.Value), n)
	}
	root := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	section := func(name string, n *yaml.Node) {
		if n != nil && len(n.Content) > 0 {
			root.Content = append(root.Content, word(name), n)
		}
	}
	parameters := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	known := map[string]bool{}
	for _, p := range c.Parameters {
		known[p.key.Value] = true
		declaration := p.value
		if declaration.Kind != yaml.MappingNode {
			declaration = mapping("Type", word("String"), "Default", p.value)
		}
		parameters.Content = append(parameters.Content, word(p.key.Value), declaration)
	}
	for i := 0; i < len(resources.Content); i += 2 {
		known[resources.Content[i].Value] = true
	}
	var undeclared []string
	for _, n := range []*yaml.Node{resources, &c.Conditions} {
		collectReferences(n, func(name string) {
			if !known[name] && !strings.HasPrefix(name, "AWS::") {
				known[name] = true
				undeclared = append(undeclared, name)
			}
		})
	}
	for _, name := range undeclared {
		parameters.Content = append(parameters.Content, word(name), mapping("Type", word("String")))
	}
	if len(c.Transforms) > 0 {
		names := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for _, name := range c.Transforms {
			names.Content = append(names.Content, word(name))
		}
		section("Transform", names)
	}
	section("Parameters", parameters)
	section("Mappings", &c.Mappings)
	section("Conditions", &c.Conditions)
	section("Resources", resources)
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(root); err != nil {
		return nil, fmt.Errorf("write template: %w", err)
	}
	return b.Bytes(), nil
}

// neighbour is an entry of `with` as a resource.
func (c *Case) neighbour(w yamlField) (*yaml.Node, error) {
	id := w.key.Value
	if id == caseSubject {
		return nil, errors.New("with: Subject is the judged resource's own id. use another")
	}
	if w.value.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("with.%s: want {type, properties}, got %s", id, describe(w.value))
	}
	var typ string
	var properties *yaml.Node
	var attributes yamlFields
	for i := 0; i+1 < len(w.value.Content); i += 2 {
		value := w.value.Content[i+1]
		switch key := w.value.Content[i].Value; key {
		case "type":
			typ = value.Value
		case "properties":
			properties = value
		case "attributes":
			for j := 0; j+1 < len(value.Content); j += 2 {
				attributes = append(attributes, yamlField{value.Content[j], value.Content[j+1]})
			}
		default:
			return nil, fmt.Errorf("with.%s: unknown key %q. allowed: type, properties, attributes", id, key)
		}
	}
	if typ == "" {
		return nil, fmt.Errorf("with.%s has no type", id)
	}
	return resourceNode(typ, properties, attributes)
}

func resourceNode(typ string, properties *yaml.Node, attributes yamlFields) (*yaml.Node, error) {
	n := mapping("Type", word(typ))
	for _, a := range attributes {
		if a.key.Value == "Type" || a.key.Value == "Properties" {
			return nil, fmt.Errorf("attributes: %s stands in the case itself", a.key.Value)
		}
		n.Content = append(n.Content, word(a.key.Value), a.value)
	}
	if properties != nil && !properties.IsZero() && properties.Tag != "!!null" {
		n.Content = append(n.Content, word("Properties"), properties)
	}
	return n, nil
}

func word(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
}

// mapping makes a mapping of pairs: a key's text, then its value's node.
func mapping(pairs ...any) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for i := 0; i+1 < len(pairs); i += 2 {
		key, _ := pairs[i].(string)
		value, _ := pairs[i+1].(*yaml.Node)
		n.Content = append(n.Content, word(key), value)
	}
	return n
}

// collectReferences calls found with each name that a Ref or a Sub names in
// either form; GetAtt and Condition name no parameters.
func collectReferences(n *yaml.Node, found func(name string)) {
	switch {
	case n.Kind == yaml.ScalarNode && n.Tag == "!Ref":
		found(n.Value)
	case n.Tag == "!Sub":
		subReferences(n, found)
	case n.Kind == yaml.MappingNode && len(n.Content) == 2 && n.Content[0].Value == "Ref" && n.Content[1].Kind == yaml.ScalarNode:
		found(n.Content[1].Value)
	case n.Kind == yaml.MappingNode && len(n.Content) == 2 && n.Content[0].Value == "Fn::Sub":
		subReferences(n.Content[1], found)
	}
	for _, c := range n.Content {
		collectReferences(c, found)
	}
}

// subReferences finds ${Name} in a Sub's text, but not ${!Literal}, ${A.B} and
// the names that the Sub itself gives.
func subReferences(n *yaml.Node, found func(name string)) {
	text := n
	var given []string
	if n.Kind == yaml.SequenceNode && len(n.Content) == 2 {
		text = n.Content[0]
		for i := 0; i < len(n.Content[1].Content); i += 2 {
			given = append(given, n.Content[1].Content[i].Value)
		}
	}
	rest := text.Value
	for {
		_, after, ok := strings.Cut(rest, "${")
		if !ok {
			return
		}
		name, tail, ok := strings.Cut(after, "}")
		if !ok {
			return
		}
		rest, name = tail, strings.TrimSpace(name)
		if name != "" && !strings.ContainsAny(name, ".!") && !slices.Contains(given, name) {
			found(name)
		}
	}
}
