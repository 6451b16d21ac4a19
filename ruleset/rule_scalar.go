package ruleset

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"plumbline/internal/nearest"
)

func resolveAlias(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// nodeKind names what a node is, for messages.
func nodeKind(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	if n.Tag == "!!null" {
		return "empty"
	}
	return "a single value"
}

func (d *ruleDecoder) text(n *yaml.Node, key string) string {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		d.bad(n, "%s is %s. a text is needed", key, nodeKind(n))
		return ""
	}
	if strings.TrimSpace(n.Value) == "" {
		d.bad(n, "%s is an empty text", key)
	}
	return n.Value
}

func (d *ruleDecoder) texts(n *yaml.Node, key string) []string {
	if n.Kind != yaml.SequenceNode {
		d.bad(n, "%s is %s. a list of texts is needed", key, nodeKind(n))
		return nil
	}
	out := make([]string, 0, len(n.Content))
	for _, item := range n.Content {
		item = resolveAlias(item)
		text := d.text(item, key)
		if slices.Contains(out, text) {
			d.bad(item, "%q stands twice in %s", text, key)
		}
		out = append(out, text)
	}
	return out
}

func (d *ruleDecoder) flag(n *yaml.Node, key string) bool {
	var b bool
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" || n.Decode(&b) != nil {
		d.bad(n, "%s is not true or false", key)
	}
	return b
}

func pick[T ~string](d *ruleDecoder, n *yaml.Node, key string, allowed []T) T {
	text := d.text(n, key)
	if text != "" && !slices.Contains(allowed, T(text)) {
		names := make([]string, len(allowed))
		for i, a := range allowed {
			names[i] = string(a)
		}
		d.bad(n, "%s %q is none of %s.%s", key, text, strings.Join(names, ", "), suggest(text, names))
		return ""
	}
	return T(text)
}

// expression keeps where the text begins: a block scalar begins on the line
// below its key, at that line's first character.
func (d *ruleDecoder) expression(n *yaml.Node, key string) Expression {
	n = resolveAlias(n)
	if n.Kind == yaml.ScalarNode && (n.Tag == "!!bool" || n.Tag == "!!int") {
		return Expression{Text: n.Value, Line: n.Line, Column: n.Column}
	}
	e := Expression{Text: strings.TrimRight(d.text(n, key), "\n"), Line: n.Line, Column: n.Column}
	switch n.Style {
	case yaml.LiteralStyle, yaml.FoldedStyle:
		e.block, e.folded = n.Style == yaml.LiteralStyle, n.Style == yaml.FoldedStyle
		e.Line++
		if e.Line <= len(d.lines) {
			line := d.lines[e.Line-1]
			e.Column = len(line) - len(strings.TrimLeft(line, " ")) + 1
		}
	case yaml.DoubleQuotedStyle, yaml.SingleQuotedStyle:
		e.Column++
	}
	return e
}

func (d *ruleDecoder) equivalents(r *Rule, n *yaml.Node) {
	r.Equivalents = map[string][]string{}
	d.mapping(n, "equivalents", EquivalentTools, func(key string, v *yaml.Node) {
		if ids := d.texts(v, "equivalents."+key); len(ids) > 0 {
			r.Equivalents[key] = ids
		}
	})
}

// suggest is " did you mean …?" for a near miss, else "".
func suggest(got string, allowed []string) string {
	if near := nearest.Of(got, allowed); near != "" {
		return " did you mean " + near + "?"
	}
	return ""
}
