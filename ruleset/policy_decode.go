package ruleset

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"plumbline/finding"
	"plumbline/internal/nearest"
)

// PlaceError is something wrong in a file of ours (policy, framework, cases,
// rule) at a place: "plumbline.yaml:7:3: unknown key …".
type PlaceError struct {
	Place   finding.Place
	Message string // what is wrong, what is allowed, what to do next
}

func (e *PlaceError) Error() string {
	if e.Place.Line == 0 {
		return e.Place.Path + ": " + e.Message
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.Place.Path, e.Place.Line, e.Place.Column, e.Message)
}

// yamlReader decodes one YAML document strictly into structs and keeps every
// problem with its place. Fields are named by the tag yaml; the tag check
// names the validation of a text or number (see checks), need:"true" makes a
// key compulsory. A field of kind int named Line with the tag yaml:"-"
// receives the line where its mapping starts. A list of texts may be written
// as one text. A type with its own form implements yamlForm.
type yamlReader struct {
	path  string
	errs  []error
	nodes int // visited; bounds what aliases can multiply
}

// yamlForm is a type that reads itself from a node.
type yamlForm interface {
	readYAML(r *yamlReader, n *yaml.Node)
}

// maxYAMLNodes bounds the nodes that one of our files may have, aliases
// expanded: far above any policy, far below what a bomb of aliases makes.
const maxYAMLNodes = 200_000

// readDocument parses src and returns its one document's content; nil and no
// error for an empty file.
func (r *yamlReader) readDocument(src []byte) *yaml.Node {
	dec := yaml.NewDecoder(strings.NewReader(string(src)))
	var doc yaml.Node
	if err := dec.Decode(&doc); err != nil {
		if !errors.Is(err, io.EOF) {
			r.syntax(err)
		}
		return nil
	}
	var second yaml.Node
	if err := dec.Decode(&second); err == nil {
		r.bad(&second, "a second document. this file holds one: remove the line ---")
	} else if !errors.Is(err, io.EOF) {
		r.syntax(err)
	}
	if len(doc.Content) == 0 || doc.Content[0].Tag == "!!null" {
		return nil
	}
	return doc.Content[0]
}

// syntax keeps yaml's own error, with its line taken to the front.
func (r *yamlReader) syntax(err error) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	fault := &PlaceError{Place: finding.Place{Path: r.path, Line: 1, Column: 1}}
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		if number, message, ok := strings.Cut(rest, ": "); ok {
			if line, err := strconv.Atoi(number); err == nil {
				fault.Place.Line, text = line, message
			}
		}
	}
	fault.Message = "not valid YAML: " + text
	r.errs = append(r.errs, fault)
}

func (r *yamlReader) bad(n *yaml.Node, format string, args ...any) {
	r.errs = append(r.errs, &PlaceError{finding.Place{Path: r.path, Line: n.Line, Column: n.Column}, fmt.Sprintf(format, args...)})
}

// err joins what was found.
func (r *yamlReader) err() error { return errors.Join(r.errs...) }

// decode reads n into v. what names the value in messages: "ports.admin[0]".
func (r *yamlReader) decode(n *yaml.Node, v reflect.Value, what, check string) {
	if r.nodes++; r.nodes > maxYAMLNodes {
		if r.nodes == maxYAMLNodes+1 {
			r.bad(n, "more than %d values. aliases multiply them: write less", maxYAMLNodes)
		}
		return
	}
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if v.CanAddr() {
		switch to := v.Addr().Interface().(type) {
		case *yaml.Node: // kept as written
			*to = *r.expand(n)
			return
		case yamlForm:
			to.readYAML(r, n)
			return
		}
	}
	switch v.Kind() {
	case reflect.Struct:
		r.decodeStruct(n, v, what)
	case reflect.Slice:
		r.decodeSlice(n, v, what, check)
	case reflect.Map:
		r.decodeMap(n, v, what, check)
	case reflect.String:
		if text, ok := r.text(n, what); ok {
			if problem := checkText(check, text); problem != "" {
				r.bad(n, "%s: %s", what, problem)
			}
			v.SetString(text)
		}
	case reflect.Int:
		number, err := strconv.Atoi(n.Value)
		if n.Kind != yaml.ScalarNode || err != nil {
			r.bad(n, "%s: want a whole number, got %s", what, describe(n))
			return
		}
		if problem := checkNumber(check, number); problem != "" {
			r.bad(n, "%s: %s", what, problem)
		}
		v.SetInt(int64(number))
	case reflect.Bool:
		switch {
		case n.Kind == yaml.ScalarNode && n.Tag == "!!bool" && strings.EqualFold(n.Value, "true"):
			v.SetBool(true)
		case n.Kind == yaml.ScalarNode && n.Tag == "!!bool" && strings.EqualFold(n.Value, "false"):
			v.SetBool(false)
		default:
			r.bad(n, "%s: want true or false, got %s", what, describe(n))
		}
	}
}

// text is a scalar's text as written; null is not a text.
func (r *yamlReader) text(n *yaml.Node, what string) (string, bool) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		r.bad(n, "%s: want a text, got %s", what, describe(n))
		return "", false
	}
	return n.Value, true
}

func (r *yamlReader) decodeStruct(n *yaml.Node, v reflect.Value, what string) {
	if n.Kind != yaml.MappingNode {
		r.bad(n, "%s: want keys and values, got %s", cmp.Or(what, "the file"), describe(n))
		return
	}
	t := v.Type()
	if f := v.FieldByName("Line"); f.IsValid() && f.Kind() == reflect.Int {
		f.SetInt(int64(n.Line))
	}
	var names []string
	for i := range t.NumField() {
		if name := t.Field(i).Tag.Get("yaml"); name != "-" && name != "" {
			names = append(names, name)
		}
	}
	seen := map[string]bool{}
	r.eachPair(n, what, func(key, value *yaml.Node) {
		seen[key.Value] = true
		for i := range t.NumField() {
			if f := t.Field(i); f.Tag.Get("yaml") == key.Value && slices.Contains(names, key.Value) {
				r.decode(value, v.Field(i), join(what, key.Value), f.Tag.Get("check"))
				return
			}
		}
		r.unknownKey(key, what, names)
	})
	for i := range t.NumField() {
		f := t.Field(i)
		if name := f.Tag.Get("yaml"); f.Tag.Get("need") == "true" && (!seen[name] || isBlank(v.Field(i))) {
			r.bad(n, "%s has no %s. add it: %s", cmp.Or(what, "the file"), name, f.Tag.Get("doc"))
		}
	}
}

// isBlank reports a compulsory value that says nothing.
func isBlank(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.String:
		return strings.TrimSpace(v.String()) == ""
	case reflect.Slice, reflect.Map:
		return v.Len() == 0
	}
	return false
}

// eachPair calls f for each key of a mapping and refuses keys that are no
// text, keys written twice and merge keys.
func (r *yamlReader) eachPair(n *yaml.Node, what string, f func(key, value *yaml.Node)) {
	first := make(map[string]int, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode {
			r.bad(key, "%s: a key is a text, not %s", cmp.Or(what, "the file"), describe(key))
			continue
		}
		if line, twice := first[key.Value]; twice {
			r.bad(key, "key %q is here twice, first in line %d. keep one", key.Value, line)
			continue
		}
		first[key.Value] = key.Line
		f(key, value)
	}
}

func (r *yamlReader) unknownKey(key *yaml.Node, what string, names []string) {
	where := ""
	if what != "" {
		where = " in " + what
	}
	if near := nearest.Of(key.Value, names); near != "" {
		r.bad(key, "unknown key %q%s. did you mean %q?", key.Value, where, near)
		return
	}
	r.bad(key, "unknown key %q%s. allowed: %s", key.Value, where, strings.Join(names, ", "))
}

func (r *yamlReader) decodeSlice(n *yaml.Node, v reflect.Value, what, check string) {
	items := []*yaml.Node{n}
	switch {
	case n.Kind == yaml.SequenceNode:
		items = n.Content
	case n.Kind == yaml.ScalarNode && n.Tag != "!!null" && v.Type().Elem().Kind() != reflect.Struct:
	default:
		r.bad(n, "%s: want a list, got %s", what, describe(n))
		return
	}
	out := reflect.MakeSlice(v.Type(), len(items), len(items))
	for i, item := range items {
		name := what
		if n.Kind == yaml.SequenceNode {
			name = fmt.Sprintf("%s[%d]", what, i)
		}
		r.decode(item, out.Index(i), name, check)
	}
	v.Set(out)
}

func (r *yamlReader) decodeMap(n *yaml.Node, v reflect.Value, what, check string) {
	if n.Kind != yaml.MappingNode {
		r.bad(n, "%s: want keys and values, got %s", what, describe(n))
		return
	}
	out := reflect.MakeMapWithSize(v.Type(), len(n.Content)/2)
	r.eachPair(n, what, func(key, value *yaml.Node) {
		item := reflect.New(v.Type().Elem()).Elem()
		r.decode(value, item, join(what, key.Value), check)
		out.SetMapIndex(reflect.ValueOf(key.Value).Convert(v.Type().Key()), item)
	})
	v.Set(out)
}

// describe names a node as a person sees it.
func describe(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "keys and values"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Kind == yaml.AliasNode:
		return "an alias"
	case n.Tag == "!!null":
		return "nothing"
	}
	return strconv.Quote(n.Value)
}

func join(what, key string) string {
	if what == "" {
		return key
	}
	return what + "." + key
}
