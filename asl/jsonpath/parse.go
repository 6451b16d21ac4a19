package jsonpath

import (
	"fmt"
	"strconv"
	"strings"
)

// SyntaxError is text that is not a path, intrinsic or template.
type SyntaxError struct {
	Source  string
	Offset  int // bytes into Source
	Problem string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%q at character %d: %s", e.Source, e.Offset+1, e.Problem)
}

// maxNesting bounds filters and calls inside each other.
const maxNesting = 50

type parser struct {
	src   string
	at    int
	depth int
}

func (p *parser) fail(format string, args ...any) error {
	return &SyntaxError{p.src, p.at, fmt.Sprintf(format, args...)}
}

func (p *parser) peek() byte {
	if p.at < len(p.src) {
		return p.src[p.at]
	}
	return 0
}

func (p *parser) eat(c byte) bool {
	if p.peek() == c && p.at < len(p.src) {
		p.at++
		return true
	}
	return false
}

func (p *parser) space() {
	for p.peek() == ' ' || p.peek() == '\t' || p.peek() == '\n' || p.peek() == '\r' {
		p.at++
	}
}

// Parse parses a path. The error is a *SyntaxError.
func Parse(src string) (*Path, error) {
	p := &parser{src: src}
	path, err := p.path('$')
	if err != nil {
		return nil, err
	}
	if p.at < len(src) {
		return nil, p.fail("%q cannot stand in a path here", src[p.at:])
	}
	return path, nil
}

// path parses a path that begins with sigil, $ or (in filters) @.
func (p *parser) path(sigil byte) (*Path, error) {
	start := p.at
	if !p.eat(sigil) {
		return nil, p.fail("a path begins with %c", sigil)
	}
	path := &Path{definite: true}
	if sigil == '$' {
		if p.eat('$') {
			path.root = Context
		} else if isNameStart(p.src[p.at:]) {
			path.root = Variable
			path.variable = p.identifier()
		}
	}
	for p.at < len(p.src) {
		s, ok, err := p.segment(path)
		if err != nil {
			return nil, err
		}
		if path.function != nil || !ok {
			break
		}
		path.segments = append(path.segments, s)
	}
	path.src = p.src[start:p.at]
	path.plain = path.function == nil
	for i, s := range path.segments {
		if s.scan || s.kind != byName && s.kind != byIndex {
			path.plain = false
		}
		merges := s.kind == byNames && i == len(path.segments)-1
		if s.scan || s.kind != byName && s.kind != byIndex && !merges {
			path.definite = false
		}
	}
	return path, nil
}

// segment parses one step; false where the path ends here.
func (p *parser) segment(path *Path) (segment, bool, error) {
	var s segment
	switch p.peek() {
	case '.':
		p.at++
		if p.eat('.') {
			s.scan = true
			if p.peek() == '[' {
				return s, true, p.bracket(&s)
			}
		}
		if p.eat('*') {
			s.kind = byWildcard
			return s, true, nil
		}
		if p.peek() == '[' {
			return s, true, p.bracket(&s)
		}
		name := p.dotName()
		if name == "" {
			return s, false, p.fail("a name must follow the dot")
		}
		if p.peek() == '(' {
			f, err := p.pathCall(name)
			path.function = f
			return s, false, err
		}
		s.name = name
		return s, true, nil
	case '[':
		return s, true, p.bracket(&s)
	}
	return s, false, nil
}

// dotName reads the name after a dot: all up to what can begin or end something else.
func (p *parser) dotName() string {
	start := p.at
	for p.at < len(p.src) && !strings.ContainsRune(".[]()*,;'\"=<>!&|~?@ \t\n\r", rune(p.src[p.at])) {
		p.at++
	}
	return p.src[start:p.at]
}

func isNameStart(s string) bool {
	if s == "" {
		return false
	}
	c := s[0]
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

func (p *parser) identifier() string {
	start := p.at
	for p.at < len(p.src) && (isNameStart(p.src[p.at:]) || p.src[p.at] >= '0' && p.src[p.at] <= '9') {
		p.at++
	}
	return p.src[start:p.at]
}

func (p *parser) bracket(s *segment) error {
	p.at++
	p.space()
	var err error
	switch c := p.peek(); {
	case c == '\'' || c == '"':
		err = p.bracketNames(s)
	case c == '*':
		p.at++
		s.kind = byWildcard
	case c == '?':
		p.at++
		s.kind = byFilter
		s.filter, err = p.filter()
	default:
		err = p.bracketIndexes(s)
	}
	if err != nil {
		return err
	}
	p.space()
	if !p.eat(']') {
		return p.fail("a ] is missing")
	}
	return nil
}

func (p *parser) bracketNames(s *segment) error {
	for {
		p.space()
		name, err := p.quoted()
		if err != nil {
			return err
		}
		s.names = append(s.names, name)
		p.space()
		if !p.eat(',') {
			break
		}
	}
	s.kind = byNames
	if len(s.names) == 1 {
		s.kind, s.name, s.names = byName, s.names[0], nil
	}
	return nil
}

// quoted reads 'text' or "text". A backslash escapes the quote only; Step
// Functions takes any other backslash for itself.
func (p *parser) quoted() (string, error) {
	q := p.peek()
	if q != '\'' && q != '"' {
		return "", p.fail("a quoted name is wanted")
	}
	p.at++
	var b strings.Builder
	for p.at < len(p.src) {
		c := p.src[p.at]
		switch {
		case c == '\\' && p.at+1 < len(p.src) && p.src[p.at+1] == q:
			b.WriteByte(q)
			p.at += 2
		case c == q:
			p.at++
			return b.String(), nil
		default:
			b.WriteByte(c)
			p.at++
		}
	}
	return "", p.fail("the quote %c is not closed", q)
}

func (p *parser) bracketIndexes(s *segment) error {
	first, has, err := p.integer()
	if err != nil {
		return err
	}
	p.space()
	if p.eat(':') {
		s.kind = bySlice
		if has {
			s.from = &first
		}
		p.space()
		last, has, err := p.integer()
		if has {
			s.to = &last
		}
		if err == nil && p.peek() == ':' {
			return p.fail("a slice has no step")
		}
		return err
	}
	if !has {
		return p.fail("inside [ ] stands an index, a slice, a quoted name, * or ?(…)")
	}
	s.kind, s.index = byIndex, first
	for p.eat(',') {
		p.space()
		next, has, err := p.integer()
		if err != nil {
			return err
		}
		if !has {
			return p.fail("an index must follow the comma")
		}
		if s.kind == byIndex {
			s.kind, s.indexes = byIndexes, []int{first}
		}
		s.indexes = append(s.indexes, next)
		p.space()
	}
	return nil
}

func (p *parser) integer() (int, bool, error) {
	start := p.at
	if p.peek() == '-' {
		p.at++
	}
	for c := p.peek(); c >= '0' && c <= '9'; c = p.peek() {
		p.at++
	}
	if p.at == start {
		return 0, false, nil
	}
	n, err := strconv.ParseInt(p.src[start:p.at], 10, 32)
	if err != nil {
		return 0, false, p.fail("%q is no index", p.src[start:p.at])
	}
	return int(n), true, nil
}

// print writes the segment as Jayway prints paths.
func (s *segment) print(b *strings.Builder) {
	if s.scan {
		b.WriteString("..")
	}
	switch s.kind {
	case byName:
		b.WriteString("['" + s.name + "']")
	case byNames:
		b.WriteString("['" + strings.Join(s.names, "','") + "']")
	case byIndex:
		b.WriteString("[" + strconv.Itoa(s.index) + "]")
	case byIndexes:
		b.WriteByte('[')
		for i, n := range s.indexes {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(strconv.Itoa(n))
		}
		b.WriteByte(']')
	case bySlice:
		b.WriteByte('[')
		if s.from != nil {
			b.WriteString(strconv.Itoa(*s.from))
		}
		b.WriteByte(':')
		if s.to != nil {
			b.WriteString(strconv.Itoa(*s.to))
		}
		b.WriteByte(']')
	case byWildcard:
		b.WriteString("[*]")
	case byFilter:
		b.WriteString("[?]")
	}
}
