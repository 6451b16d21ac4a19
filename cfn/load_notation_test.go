package cfn

import (
	"fmt"
	"strings"
	"testing"
)

// notation writes a tree of values in one line, for comparison: text in quotes,
// numbers and booleans bare with their kind (n, b), "*" where a function or dynamic
// reference is inside.
func notation(v *Value) string {
	if v == nil {
		return "absent"
	}
	mark := ""
	if v.dynamic {
		mark = "*"
	}
	switch v.Kind {
	case Null:
		return "null"
	case String:
		return fmt.Sprintf("%s%q", mark, v.Text)
	case Number:
		return "n" + v.Text
	case Bool:
		return "b" + v.Text
	case List:
		parts := make([]string, 0, len(v.Items))
		for _, item := range v.Items {
			parts = append(parts, notation(item))
		}
		return mark + "[" + strings.Join(parts, " ") + "]"
	case Map:
		parts := make([]string, 0, len(v.Fields))
		for _, f := range v.Fields {
			parts = append(parts, f.Key+":"+notation(f.Value))
		}
		return mark + "{" + strings.Join(parts, " ") + "}"
	}
	return "?"
}

// places writes the place of each key and scalar of a tree, in source order.
func places(v *Value) string {
	var b strings.Builder
	var walk func(v *Value)
	at := func(name string, p Pos) { fmt.Fprintf(&b, "%s@%d:%d ", name, p.Line, p.Column) }
	walk = func(v *Value) {
		switch v.Kind {
		case Map:
			at("{", v.Pos)
			for _, f := range v.Fields {
				at(f.Key, f.Pos)
				walk(f.Value)
			}
		case List:
			at("[", v.Pos)
			for _, item := range v.Items {
				walk(item)
			}
		case Null:
			at("null", v.Pos)
		default:
			at(v.Text, v.Pos)
		}
	}
	walk(v)
	return strings.TrimSuffix(b.String(), " ")
}

// messages are the problems of a template, a line each.
func messages(problems []*Problem) string {
	var lines []string
	for _, p := range problems {
		lines = append(lines, p.Error())
	}
	return strings.Join(lines, "\n")
}

// readValue returns the tree in src, which must be readable, and the problems found on the way.
func readValue(t *testing.T, path, src string) (*Value, string) {
	t.Helper()
	l := &loader{path: path}
	v, problem := l.read([]byte(src))
	if problem != nil {
		t.Fatalf("read: %v", problem)
	}
	return v, messages(l.problems)
}
