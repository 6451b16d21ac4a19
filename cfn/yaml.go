package cfn

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// yamlReader turns the nodes of yaml.v3 into values as CloudFormation reads
// them. yaml.v3 finds the structure and the places; what a scalar, a tag, an
// alias or a merge means is decided here, since CloudFormation follows YAML 1.1.
type yamlReader struct {
	*loader
	count    int // values made, those behind aliases counted each time
	written  int // values made from nodes
	problem  *Problem
	anchored map[*yaml.Node]*anchor

	fields []Field // scratch: the open maps' fields, innermost last
	items  []*Value
}

// anchor is a node that aliases may point to.
type anchor struct {
	value *Value // nil while the node is being read
	size  int    // values it stands for
}

// readYAML returns the value in the source's only document.
func (l *loader) readYAML() (*Value, *Problem) {
	l.format = YAML
	l.lines, l.last = nil, Pos{}
	if problem := l.tooMany(); problem != nil {
		return nil, problem
	}
	doc, err := parseYAML(l.src)
	if err != nil {
		return nil, l.yamlProblem(err)
	}
	if doc == nil || len(doc.Content) == 0 {
		return nil, l.notTemplate(Pos{1, 1}, "the file holds nothing but comments; a template has at least a Resources section")
	}
	r := yamlReader{loader: l}
	v := r.node(doc.Content[0], 1)
	if v == nil {
		return nil, r.problem
	}
	l.tabs(doc)
	return v, nil
}

// errDocuments is a second document in a source.
type errDocuments struct {
	line     int  // of the second document's first value
	template bool // one of the two is a template
}

func (e *errDocuments) Error() string { return fmt.Sprintf("line %d: a second document", e.line) }

// parseYAML returns the document node, nil for a source without one. It reads
// to the end of the source, since yaml.v3 looks at what follows the document only
// when it is asked for another. A panic of yaml.v3 is an error.
func parseYAML(src []byte) (doc *yaml.Node, err error) {
	defer func() {
		if p := recover(); p != nil {
			doc, err = nil, fmt.Errorf("yaml: %v", p)
		}
	}()
	d := yaml.NewDecoder(bytes.NewReader(src))
	for {
		next := new(yaml.Node)
		switch err := d.Decode(next); {
		case errors.Is(err, io.EOF):
			return doc, nil
		case err != nil:
			return nil, err
		case isEmpty(next): // an end mark with nothing after it
		case doc != nil:
			return nil, &errDocuments{line: next.Line, template: showsTemplate(doc) || showsTemplate(next)}
		default:
			doc = next
		}
	}
}

// isEmpty reports whether a document holds no text at all.
func isEmpty(doc *yaml.Node) bool {
	if len(doc.Content) != 1 {
		return len(doc.Content) == 0
	}
	n := doc.Content[0]
	return n.Kind == yaml.ScalarNode && n.Value == "" && n.Style == 0 && n.Anchor == ""
}

// tooMany refuses a large source that would make more values than allowed
// before yaml.v3, whose nodes take far more memory than the text, is asked.
func (l *loader) tooMany() *Problem {
	const small = 4 << 20
	if len(l.src) < small {
		return nil
	}
	n := 0
	for _, c := range l.src {
		if c == '\n' || c == ',' || c == '[' || c == '{' {
			n++
		}
	}
	if n <= MaxValues {
		return nil
	}
	return l.problem(Pos{1, 1}, "some %d values; up to %d are read. split the template into nested stacks", n, MaxValues)
}

// fail sets the problem that ends the reading.
func (r *yamlReader) fail(n *yaml.Node, format string, args ...any) *Value {
	r.problem = r.loader.problem(Pos{n.Line, n.Column}, format, args...)
	return nil
}

// node returns the value of n, nil where reading must end.
func (r *yamlReader) node(n *yaml.Node, depth int) *Value {
	if n.Kind == yaml.AliasNode {
		return r.alias(n)
	}
	if depth > MaxDepth {
		return r.fail(n, "more than %d levels of maps and lists inside each other", MaxDepth)
	}
	r.count++
	if r.written++; r.written > MaxValues {
		return r.fail(n, "more than %d values. split the template into nested stacks", MaxValues)
	}
	if n.Anchor == "" {
		return r.tagged(n, depth)
	}
	if r.anchored == nil {
		r.anchored = make(map[*yaml.Node]*anchor)
	}
	a := &anchor{}
	r.anchored[n] = a
	before := r.count
	v := r.tagged(n, depth)
	a.value, a.size = v, 1+r.count-before
	return v
}

// alias returns the value of the node that n points to; all aliases share it.
func (r *yamlReader) alias(n *yaml.Node) *Value {
	a := r.anchored[n.Alias]
	if a == nil || a.value == nil {
		return r.fail(n, "alias *%s stands inside the value that it names, which would never end", n.Value)
	}
	r.count += a.size
	if r.count-r.written > MaxAliased {
		return r.fail(n, "aliases stand for more than %d values, as in a decompression bomb. write the values out, or use fewer aliases of aliases", MaxAliased)
	}
	return a.value
}

// tagged returns the value of n, with the function that its tag names around it.
func (r *yamlReader) tagged(n *yaml.Node, depth int) *Value {
	if n.Style&yaml.TaggedStyle == 0 {
		at := Pos{n.Line, n.Column}
		if n.Anchor != "" {
			at = r.content(n)
		}
		return r.plain(n, at, depth)
	}
	at := r.content(n)
	if strings.HasPrefix(n.Tag, "!!") {
		return r.standard(n, at, depth)
	}
	key, ok := function(n.Tag)
	if !ok && !strings.HasPrefix(n.Tag, rainPrefix) {
		r.note(Pos{n.Line, n.Column}, "%s", unknownTag(n.Tag))
	}
	var v *Value
	if n.Kind == yaml.ScalarNode {
		v = r.argument(key, n.Value, at)
	} else if v = r.plain(n, at, depth+1); v == nil {
		return nil
	}
	r.count++
	return r.store.mapOf(Pos{n.Line, n.Column}, []Field{{Key: key, Pos: Pos{n.Line, n.Column}, Value: v}})
}

// argument is a short-form function's argument that is written as a scalar.
// The dot of !GetAtt parts the logical id from the attribute.
func (r *yamlReader) argument(key, text string, at Pos) *Value {
	if id, attribute, ok := strings.Cut(text, "."); ok && key == "Fn::GetAtt" {
		r.count += 2
		return r.store.listOf(at, []*Value{r.store.text(at, id), r.store.text(Pos{at.Line, at.Column + len(id) + 1}, attribute)})
	}
	return r.store.text(at, text)
}

// plain returns the value of n without regard to its tag.
func (r *yamlReader) plain(n *yaml.Node, at Pos, depth int) *Value {
	switch n.Kind {
	case yaml.ScalarNode:
		return r.scalar(n, at)
	case yaml.SequenceNode:
		base := len(r.items)
		for _, c := range n.Content {
			v := r.node(c, depth+1)
			if v == nil {
				return nil
			}
			r.items = append(r.items, v)
		}
		v := r.store.listOf(at, r.items[base:])
		r.items = r.items[:base]
		return v
	case yaml.MappingNode:
		return r.mapping(n, at, depth)
	}
	return r.fail(n, "a YAML node of an unknown kind")
}

func (r *yamlReader) mapping(n *yaml.Node, at Pos, depth int) *Value {
	base := len(r.fields)
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, value := n.Content[i], n.Content[i+1]
		if k.Tag == mergeTag && k.Kind == yaml.ScalarNode {
			merged = append(merged, value)
			continue
		}
		key, ok := r.key(k)
		v := r.node(value, depth+1)
		if v == nil {
			return nil
		}
		if ok {
			r.fields = append(r.fields, Field{Key: key, Pos: Pos{k.Line, k.Column}, Value: v})
		}
	}
	fields := r.store.unique(r.fields[base:], r.repeated)
	if len(merged) > 0 {
		fields = slices.Clone(fields) // what is merged may use the scratch
	}
	for _, m := range merged {
		var ok bool
		if fields, ok = r.merge(fields, m, depth); !ok {
			return nil
		}
	}
	v := r.store.mapOf(at, fields)
	r.fields = r.fields[:base]
	return v
}

// mergeTag is the tag that yaml.v3 gives to a bare << key.
const mergeTag = "!!merge"

// merge adds what a << key brings: the fields of a map, or of each map of a
// list, whose keys are not there yet.
func (r *yamlReader) merge(fields []Field, n *yaml.Node, depth int) ([]Field, bool) {
	v := r.node(n, depth+1)
	if v == nil {
		return nil, false
	}
	sources := []*Value{v}
	if v.Kind == List {
		sources = v.Items
	}
	have := make(map[string]bool, len(fields))
	for _, f := range fields {
		have[f.Key] = true
	}
	for _, s := range sources {
		if s.Kind != Map {
			r.note(Pos{n.Line, n.Column}, "<< takes a map or a list of maps, here it has %s", aKind(s))
			continue
		}
		for _, f := range s.Fields {
			if !have[f.Key] {
				have[f.Key] = true
				fields = append(fields, f)
			}
		}
	}
	return fields, true
}

// key returns the text of a map's key; false where it is no key that a template can have.
func (r *yamlReader) key(k *yaml.Node) (string, bool) {
	at := Pos{k.Line, k.Column}
	if k.Kind == yaml.AliasNode {
		k = k.Alias
	}
	switch {
	case k.Kind != yaml.ScalarNode:
		r.note(at, "a %s as a key. keys are text", map[yaml.Kind]string{yaml.SequenceNode: "list", yaml.MappingNode: "map"}[k.Kind])
		return "", false
	case k.Style&yaml.TaggedStyle != 0 && !strings.HasPrefix(k.Tag, "!!"):
		r.note(at, "tag %s on a key. keys are text; functions stand in values", k.Tag)
		return "", false
	case k.Value == "" && k.Style == 0:
		r.note(at, "an empty key. is a name missing before the colon?")
		return "", false
	}
	return k.Value, true
}
