// Package jsonpath evaluates what the JSONPath query language of Step Functions
// lets a state say about its data: paths ($.a, $$.Execution.Id, $variable.b),
// the intrinsic functions (States.Format and the rest), and payload templates,
// whose keys ending in ".$" hold either.
//
// Everything is parsed once and evaluated often; parsed values are immutable
// and safe for concurrent use. Data are the values of package value. Paths
// behave as Step Functions' own: a definite path that finds nothing is an
// error, an indefinite one (a wildcard, slice, filter or ..) is then [].
package jsonpath

import (
	"strconv"
	"strings"

	"plumbline/asl/value"
)

// Root says what a path begins at.
type Root uint8

// The roots.
const (
	Input    Root = iota // $
	Context              // $$
	Variable             // $name
)

// Path is a parsed path.
type Path struct {
	src      string
	root     Root
	variable string // Variable only
	segments []segment
	definite bool
	plain    bool // only names and indexes: the fast way
	function *pathFunction
}

type segmentKind uint8

const (
	byName segmentKind = iota
	byNames
	byIndex
	byIndexes
	bySlice
	byWildcard
	byFilter
)

type segment struct {
	kind     segmentKind
	scan     bool // after ..: here and everywhere below
	name     string
	names    []string
	index    int
	indexes  []int
	from, to *int
	filter   *filter
}

// String is the path as written.
func (p *Path) String() string { return p.src }

// Root says what the path begins at.
func (p *Path) Root() Root { return p.root }

// VariableName is the name of the variable that the path begins at, "" where it begins at none.
func (p *Path) VariableName() string { return p.variable }

// Definite reports whether the path finds at most one value, so that its
// result is that value and not an array of those found.
func (p *Path) Definite() bool { return p.definite }

// Whole reports whether the path is its root alone: $, $$ or $name.
func (p *Path) Whole() bool { return len(p.segments) == 0 && p.function == nil }

// Reference reports whether the path is a reference path, which ResultPath
// wants: from $, only names and indexes from 0.
func (p *Path) Reference() bool {
	if p.root != Input || p.function != nil {
		return false
	}
	for _, s := range p.segments {
		if s.scan || s.kind != byName && (s.kind != byIndex || s.index < 0) {
			return false
		}
	}
	return true
}

// Rooted is the path as if it began at $, which is how some of AWS's messages print it.
func (p *Path) Rooted() string {
	switch p.root {
	case Context:
		return p.src[1:]
	case Variable:
		return "$" + p.src[1+len(p.variable):]
	}
	return p.src
}

// NotFoundError is a definite path that finds nothing in its data.
type NotFoundError struct {
	Path    string // as written
	Problem string // such as: No results for path: $['a']

	beyond bool // an index is beyond the end of an array that is there
	filter bool // an index is applied to what is no array
	rooted string
}

func (e *NotFoundError) Error() string { return "Invalid path '" + e.Path + "' : " + e.Problem }

// Eval returns what the path finds, beginning at data, the value of its root.
// The error is a *NotFoundError.
func (p *Path) Eval(data any) (any, error) {
	if p.plain {
		cur := data
		for i := range p.segments {
			s := &p.segments[i]
			if s.kind == byName {
				if o, ok := cur.(*value.Object); ok {
					if v, ok := o.Get(s.name); ok {
						cur = v
						continue
					}
				}
			} else if items, ok := cur.([]any); ok {
				j := s.index
				if j < 0 {
					j += len(items)
				}
				if j >= 0 && j < len(items) {
					cur = items[j]
					continue
				}
			}
			return nil, p.missing(cur, i)
		}
		return cur, nil
	}
	w := walker{root: data}
	w.walk(data, p.segments)
	if w.visits > maxVisits {
		return nil, &NotFoundError{Path: p.src, Problem: "it visits more than " + strconv.Itoa(maxVisits) + " places", rooted: p.Rooted()}
	}
	var got any
	if p.definite {
		if len(w.found) == 0 {
			return nil, p.missing(data, len(p.segments)-1)
		}
		got = w.found[0]
	} else {
		if w.found == nil {
			w.found = []any{}
		}
		got = w.found
	}
	if p.function != nil {
		return p.function.apply(p, got)
	}
	return got, nil
}

// missing words the error for segment i, which finds nothing in cur.
func (p *Path) missing(cur any, i int) error {
	s := &p.segments[i]
	at := p.normal(i)
	e := &NotFoundError{Path: p.src, rooted: p.Rooted()}
	_, isObject := cur.(*value.Object)
	_, isArray := cur.([]any)
	switch {
	case s.kind == byIndex && isArray:
		e.Problem = "No results for path: " + p.normal(len(p.segments))
		e.beyond = true
	case s.kind == byIndex:
		e.Problem = "Filter: " + p.normal(len(p.segments))[len(at):] + " can only be applied to arrays. Current context is: " + value.Text(cur)
		e.filter = true
	case !isObject && s.kind == byName:
		e.Problem = "Expected to find an object with property ['" + s.name + "'] in path " + at + " but found '" + javaType(cur) +
			"'. This is not a json object according to the JsonProvider: 'com.jayway.jsonpath.spi.json.JacksonJsonNodeJsonProvider'."
	case i == len(p.segments)-1:
		e.Problem = "No results for path: " + p.normal(i+1)
	default:
		e.Problem = "Missing property in path " + p.normal(i+1)
	}
	return e
}

func javaType(v any) string {
	const pkg = "com.fasterxml.jackson.databind.node."
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return pkg + "BooleanNode"
	case string:
		return pkg + "TextNode"
	case int64:
		return pkg + "IntNode"
	case float64:
		return pkg + "DoubleNode"
	case value.Big:
		return pkg + "BigIntegerNode"
	}
	return pkg + "ArrayNode"
}

// normal prints the first n segments as Jayway does: $['a'][0].
func (p *Path) normal(n int) string {
	var b strings.Builder
	b.WriteByte('$')
	for _, s := range p.segments[:min(n, len(p.segments))] {
		s.print(&b)
	}
	return b.String()
}
