package asl

import (
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// maxDepth bounds the nesting of a definition. AWS allows far less in
// practice; the bound is there so that a hostile text cannot use up the stack.
const maxDepth = 512

// kind is what a JSON value is.
type kind uint8

const (
	kindNull kind = iota
	kindBool
	kindNumber
	kindString
	kindArray
	kindObject
)

// article is the kind as a message says it.
func (k kind) article() string {
	return [...]string{"null", "a boolean", "a number", "a string", "an array", "an object"}[k]
}

// node is one JSON value with its place in the source.
type node struct {
	kind    kind
	pos     Pos
	raw     json.RawMessage // the value's text
	text    string          // kindString: decoded
	members []member        // kindObject: source order, duplicates included
	items   []*node         // kindArray
}

type member struct {
	key   string
	pos   Pos // of the key
	value *node
}

// get returns the last member of this name, as JSON readers do, or nil.
func (n *node) get(key string) *node {
	if n == nil {
		return nil
	}
	for i := len(n.members) - 1; i >= 0; i-- {
		if n.members[i].key == key {
			return n.members[i].value
		}
	}
	return nil
}

// keyPos is where the member's name stands, zero if there is none.
func (n *node) keyPos(key string) Pos {
	if n != nil {
		for i := len(n.members) - 1; i >= 0; i-- {
			if n.members[i].key == key {
				return n.members[i].pos
			}
		}
	}
	return Pos{}
}

// syntaxError is a text that is not JSON: once in our words, once in those of
// the reader that AWS uses, since ValidateStateMachineDefinition returns them.
type syntaxError struct {
	pos     Pos
	message string
	aws     string // without the "at [Source: …]" line
	awsPos  Pos    // the reader counts from the end of what it could not read
	open    Pos    // where the object or array begins that is not closed
}

// scanner reads JSON into nodes. It keeps a cursor for lines and columns which
// only moves forward, so that one line of a megabyte stays linear.
type scanner struct {
	src []byte
	off int

	lineOff int // cursor: everything before it is counted
	at      Pos

	depth int
	opens []Pos // where the objects and arrays still open begin
	kinds []byte
}

// parseJSON reads one JSON text. The nodes share src, which must not change.
func parseJSON(src []byte) (*node, *syntaxError) {
	s := &scanner{src: src, at: Pos{1, 1}}
	s.space()
	if s.off == len(src) {
		return nil, s.fail(s.off, "the text is empty. a definition is a JSON object with StartAt and States", "No content to map due to end-of-input")
	}
	n, err := s.value()
	if err != nil {
		return nil, err
	}
	s.space()
	if s.off < len(src) {
		return nil, s.fail(s.off, fmt.Sprintf("%s follows the end of the JSON value. remove everything after it", s.quoteHere()), "Trailing token found after value")
	}
	return n, nil
}

// pos moves the cursor to off and says where it is. A column counts characters.
func (s *scanner) pos(off int) Pos {
	for s.lineOff < off {
		c := s.src[s.lineOff]
		switch {
		case c == '\n':
			s.at = Pos{s.at.Line + 1, 1}
			s.lineOff++
		case c < utf8.RuneSelf:
			s.at.Column++
			s.lineOff++
		default:
			_, size := utf8.DecodeRune(s.src[s.lineOff:])
			s.at.Column++
			s.lineOff += size
		}
	}
	return s.at
}

func (s *scanner) fail(off int, message, aws string) *syntaxError {
	p := s.pos(off)
	return &syntaxError{pos: p, message: message, aws: aws, awsPos: Pos{p.Line, p.Column + 1}}
}

func (s *scanner) space() {
	for s.off < len(s.src) {
		switch s.src[s.off] {
		case ' ', '\t', '\r', '\n':
			s.off++
		default:
			return
		}
	}
}

// quoteHere is the character at the cursor, quoted for a message.
func (s *scanner) quoteHere() string {
	r, _ := utf8.DecodeRune(s.src[s.off:])
	return strconv.QuoteRune(r)
}

// awsChar is the character at the cursor as AWS's reader names it.
func (s *scanner) awsChar() string {
	r, _ := utf8.DecodeRune(s.src[s.off:])
	return fmt.Sprintf("('%c' (code %d))", r, r)
}

func (s *scanner) endOfInput() *syntaxError {
	aws := "Unexpected end-of-input"
	if n := len(s.opens); n > 0 {
		what, aws := "object", "Unexpected end-of-input: expected close marker for Object"
		if s.kinds[n-1] == '[' {
			what, aws = "array", "Unexpected end-of-input: expected close marker for Array"
		}
		open := s.opens[n-1]
		e := s.fail(len(s.src), fmt.Sprintf("the text ends inside the %s opened at %d:%d. close it", what, open.Line, open.Column), aws)
		e.open = open
		return e
	}
	return s.fail(len(s.src), "the text ends where a value is expected", aws)
}

func (s *scanner) value() (*node, *syntaxError) {
	s.space()
	if s.off >= len(s.src) {
		return nil, s.endOfInput()
	}
	start := s.off
	n := &node{pos: s.pos(start)}
	var err *syntaxError
	switch c := s.src[s.off]; {
	case c == '{':
		n.kind = kindObject
		err = s.object(n)
	case c == '[':
		n.kind = kindArray
		err = s.array(n)
	case c == '"':
		n.kind = kindString
		n.text, err = s.str()
	case c == '-' || '0' <= c && c <= '9':
		n.kind = kindNumber
		err = s.number()
	default:
		n.kind, err = s.word()
	}
	if err != nil {
		return nil, err
	}
	n.raw = s.src[start:s.off:s.off]
	return n, nil
}

func (s *scanner) open(p Pos, c byte) *syntaxError {
	s.depth++
	s.opens = append(s.opens, p)
	s.kinds = append(s.kinds, c)
	s.off++
	if s.depth > maxDepth {
		return s.fail(s.off-1, fmt.Sprintf("nested more than %d levels deep", maxDepth), fmt.Sprintf("Document nesting depth (%d) exceeds the maximum allowed", s.depth))
	}
	return nil
}

func (s *scanner) close() {
	s.off++
	s.depth--
	s.opens = s.opens[:len(s.opens)-1]
	s.kinds = s.kinds[:len(s.kinds)-1]
}

func (s *scanner) object(n *node) *syntaxError {
	if err := s.open(n.pos, '{'); err != nil {
		return err
	}
	for first := true; ; first = false {
		s.space()
		if s.off >= len(s.src) {
			return s.endOfInput()
		}
		if s.src[s.off] == '}' && first {
			s.close()
			return nil
		}
		if s.src[s.off] != '"' {
			msg := fmt.Sprintf("%s stands where a field name in double quotes is expected", s.quoteHere())
			if s.src[s.off] == '}' {
				msg = "a comma stands before the closing brace. remove it"
			}
			return s.fail(s.off, msg, "Unexpected character "+s.awsChar()+": was expecting double-quote to start field name")
		}
		m := member{pos: s.pos(s.off)}
		var err *syntaxError
		if m.key, err = s.str(); err != nil {
			return err
		}
		s.space()
		if s.off >= len(s.src) {
			return s.endOfInput()
		}
		if s.src[s.off] != ':' {
			return s.fail(s.off, fmt.Sprintf("%s stands where a colon after the field name %q is expected", s.quoteHere(), m.key), "Unexpected character "+s.awsChar()+": was expecting a colon to separate field name and value")
		}
		s.off++
		if m.value, err = s.value(); err != nil {
			return err
		}
		n.members = append(n.members, m)
		s.space()
		if s.off >= len(s.src) {
			return s.endOfInput()
		}
		switch s.src[s.off] {
		case ',':
			s.off++
		case '}':
			s.close()
			return nil
		default:
			return s.fail(s.off, fmt.Sprintf("%s stands where a comma or a closing brace is expected, after the value of %q", s.quoteHere(), m.key), "Unexpected character "+s.awsChar()+": was expecting comma to separate Object entries")
		}
	}
}

func (s *scanner) array(n *node) *syntaxError {
	if err := s.open(n.pos, '['); err != nil {
		return err
	}
	for first := true; ; first = false {
		s.space()
		if s.off >= len(s.src) {
			return s.endOfInput()
		}
		if s.src[s.off] == ']' {
			if !first {
				return s.fail(s.off, "a comma stands before the closing bracket. remove it", "Unexpected character "+s.awsChar()+": expected a value")
			}
			s.close()
			return nil
		}
		item, err := s.value()
		if err != nil {
			return err
		}
		n.items = append(n.items, item)
		s.space()
		if s.off >= len(s.src) {
			return s.endOfInput()
		}
		switch s.src[s.off] {
		case ',':
			s.off++
		case ']':
			s.close()
			return nil
		default:
			return s.fail(s.off, fmt.Sprintf("%s stands where a comma or a closing bracket is expected", s.quoteHere()), "Unexpected character "+s.awsChar()+": was expecting comma to separate Array entries")
		}
	}
}
