package cfn

import (
	"bytes"
	"strings"
)

// Format is the notation a template is written in.
type Format uint8

// The formats. CloudFormation's YAML is YAML 1.1 with its own short-form tags.
const (
	YAML Format = iota
	JSON
)

// String is "YAML" or "JSON".
func (f Format) String() string {
	if f == JSON {
		return "JSON"
	}
	return "YAML"
}

// Parse reads one template. The path is used in problems only, save that a name
// ending in .json says that JSON was meant; any other name may hold either
// format, as CloudFormation itself never sees a name.
//
// A source that cannot be read at all gives an error, always a *Problem whose
// line is 1 or more; errors.Is tells ErrNotTemplate. Parts that are wrong while
// the rest can be read are the template's Problems. Parse keeps src (or a copy in
// UTF-8), so it must not be changed afterwards. It is safe for concurrent use and
// never panics.
func Parse(path string, src []byte) (*Template, error) {
	l := &loader{path: path}
	root, problem := l.read(src)
	if problem != nil {
		return nil, problem
	}
	t := &Template{Path: path, Source: l.src, Format: l.format, Encoding: l.encoding, Root: root}
	if problem := l.sections(t); problem != nil {
		return nil, problem
	}
	t.Problems = l.problems
	return t, nil
}

// loader turns one source into values. It keeps what both formats share: the
// text, storage for values, and the problems found on the way.
type loader struct {
	path     string
	src      []byte // UTF-8, no byte order mark
	format   Format
	encoding Encoding
	problems []*Problem

	store store
	lines []int // offsets of line starts, made when first asked for

	last       Pos // the last place whose offset was asked for
	lastOffset int
}

// read returns the tree of values in src.
func (l *loader) read(src []byte) (*Value, *Problem) {
	if len(src) > MaxSize {
		return nil, l.problem(Pos{1, 1}, "the file is %d MiB; up to %d MiB are read, and CloudFormation takes 1 MiB. split the template into nested stacks", (len(src)+1<<20-1)>>20, MaxSize>>20)
	}
	if problem := l.decode(src); problem != nil {
		return nil, problem
	}
	l.store.reserve(len(l.src))
	rest := bytes.TrimLeft(l.src, " \t\r\n")
	if len(rest) == 0 {
		return nil, l.notTemplate(Pos{1, 1}, "the file is empty; a template has at least a Resources section")
	}
	if rest[0] != '{' {
		if strings.HasSuffix(l.path, ".json") {
			return l.readJSON()
		}
		return l.readYAML()
	}
	// A brace opens JSON, which is quicker to read, or a YAML flow map.
	// CloudFormation takes either, so what is not quite JSON may still be deployed.
	root, problem := l.readJSON()
	if problem == nil {
		return root, nil
	}
	l.problems, l.store = nil, store{}
	asYAML, problemYAML := l.readYAML()
	meant := l.meantAsJSON(rest)
	switch {
	case problemYAML == nil && meant:
		problem.Message += ". CloudFormation may still take the file, as YAML, and so it was read here; other tools will not"
		l.problems = append(l.problems, problem)
		return asYAML, nil
	case problemYAML == nil:
		return asYAML, nil
	case meant:
		return nil, problem
	}
	return nil, problemYAML
}

// meantAsJSON reports whether a text that begins with a brace was meant to be
// JSON: by the file's name, or because it goes on as JSON does, with a key in
// double quotes or nothing.
func (l *loader) meantAsJSON(text []byte) bool {
	switch {
	case strings.HasSuffix(l.path, ".json"):
		return true
	case strings.HasSuffix(l.path, ".yaml"), strings.HasSuffix(l.path, ".yml"):
		return false
	}
	text = bytes.TrimLeft(text[1:], " \t\r\n")
	return len(text) == 0 || text[0] == '"' || text[0] == '}'
}

func (l *loader) problem(at Pos, format string, args ...any) *Problem {
	return problemf(l.path, at, format, args...)
}

func (l *loader) notTemplate(at Pos, format string, args ...any) *Problem {
	p := problemf(l.path, at, format, args...)
	p.notTemplate = true
	return p
}

// note keeps a problem that leaves the rest readable. What follows from a
// problem at the same place is not told again.
func (l *loader) note(at Pos, format string, args ...any) {
	for _, p := range l.problems {
		if p.Pos == at {
			return
		}
	}
	if len(l.problems) < MaxProblems {
		l.problems = append(l.problems, problemf(l.path, at, format, args...))
	}
}
