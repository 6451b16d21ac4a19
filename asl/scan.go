package asl

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
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
	what, aws := "value", "Unexpected end-of-input"
	if n := len(s.opens); n > 0 {
		what, aws = "object", "Unexpected end-of-input: expected close marker for Object"
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

// word reads true, false or null.
func (s *scanner) word() (kind, *syntaxError) {
	start := s.off
	end := start
	for end < len(s.src) {
		r, size := utf8.DecodeRune(s.src[end:])
		if !wordRune(r) {
			break
		}
		end += size
	}
	switch string(s.src[start:end]) {
	case "true", "false":
		s.off = end
		return kindBool, nil
	case "null":
		s.off = end
		return kindNull, nil
	}
	if end == start {
		msg := fmt.Sprintf("%s stands where a value is expected", s.quoteHere())
		if s.src[s.off] == 0xEF {
			msg = "the text begins with a byte order mark. save it as UTF-8 without one"
		}
		return 0, s.fail(start, msg, "Unexpected character "+s.awsChar()+": expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')")
	}
	w := string(s.src[start:end])
	if len(w) > 60 {
		w = strings.ToValidUTF8(w[:60], "") + "…"
	}
	e := s.fail(start, fmt.Sprintf("%q is no JSON value. strings stand in double quotes; the words are true, false and null", w),
		fmt.Sprintf("Unrecognized token '%s': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')", w))
	e.awsPos = s.pos(end)
	return 0, e
}

func wordRune(r rune) bool {
	return r == '_' || r == '$' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r > utf8.RuneSelf && r != utf8.RuneError && r != 0xFEFF
}

func (s *scanner) number() *syntaxError {
	start := s.off
	bad := func(msg, aws string) *syntaxError { return s.fail(start, msg, aws) }
	digits := func() int {
		n := 0
		for s.off < len(s.src) && '0' <= s.src[s.off] && s.src[s.off] <= '9' {
			s.off++
			n++
		}
		return n
	}
	if s.src[s.off] == '-' {
		s.off++
	}
	intStart := s.off
	switch n := digits(); {
	case n == 0:
		return bad("a minus sign without digits is no number", "Unexpected character in numeric value: No digit following minus sign")
	case n > 1 && s.src[intStart] == '0':
		return bad("a number must not begin with 0. remove the leading zeroes", "Invalid numeric value: Leading zeroes not allowed")
	}
	if s.off < len(s.src) && s.src[s.off] == '.' {
		s.off++
		if digits() == 0 {
			return bad("a decimal point without digits is no number", "Unexpected character in numeric value: Decimal point not followed by a digit")
		}
	}
	if s.off < len(s.src) && (s.src[s.off] == 'e' || s.src[s.off] == 'E') {
		s.off++
		if s.off < len(s.src) && (s.src[s.off] == '+' || s.src[s.off] == '-') {
			s.off++
		}
		if digits() == 0 {
			return bad("an exponent without digits is no number", "Unexpected character in numeric value: Exponent indicator not followed by a digit")
		}
	}
	return nil
}

// str reads a string; the cursor stands on its opening quote.
func (s *scanner) str() (string, *syntaxError) {
	start := s.off
	s.off++
	plain := s.off
	for s.off < len(s.src) { // the common case: nothing to decode
		c := s.src[s.off]
		if c == '"' {
			t := string(s.src[plain:s.off])
			s.off++
			if !utf8.ValidString(t) {
				t = strings.ToValidUTF8(t, "\uFFFD")
			}
			return t, nil
		}
		if c == '\\' || c < ' ' {
			break
		}
		s.off++
	}
	var b strings.Builder
	b.Write(s.src[plain:s.off])
	for s.off < len(s.src) {
		switch c := s.src[s.off]; {
		case c == '"':
			s.off++
			return strings.ToValidUTF8(b.String(), "\uFFFD"), nil
		case c == '\\':
			if err := s.escape(&b); err != nil {
				return "", err
			}
		case c < ' ':
			msg := fmt.Sprintf("a string holds the control character 0x%02x. write it as an escape", c)
			if c == '\n' || c == '\r' {
				msg = "the line ends inside a string. close it with a double quote, or write \\n"
			}
			return "", s.fail(s.off, msg, fmt.Sprintf("Illegal unquoted character ((CTRL-CHAR, code %d)): has to be escaped using backslash to be included in string value", c))
		default:
			b.WriteByte(c)
			s.off++
		}
	}
	p := s.pos(start)
	e := s.fail(len(s.src), fmt.Sprintf("the text ends inside the string opened at %d:%d", p.Line, p.Column), "Unexpected end-of-input: was expecting closing quote for a string value")
	return "", e
}

func (s *scanner) escape(b *strings.Builder) *syntaxError {
	at := s.off
	s.off++
	if s.off >= len(s.src) {
		return s.fail(s.off, "the text ends inside an escape", "Unexpected end-of-input in character escape sequence")
	}
	c := s.src[s.off]
	s.off++
	if i := strings.IndexByte(`"\/bfnrt`, c); i >= 0 {
		b.WriteByte("\"\\/\b\f\n\r\t"[i])
		return nil
	}
	if c != 'u' {
		r, _ := utf8.DecodeRune(s.src[s.off-1:])
		return s.fail(at, fmt.Sprintf("\\%c is no escape. a backslash itself is written \\\\", r), fmt.Sprintf("Unrecognized character escape '%c' (code %d)", r, r))
	}
	r, ok := s.hex4()
	if !ok {
		return s.fail(at, "\\u must be followed by four hexadecimal digits", "Unexpected character: expected a hex-digit for character escape sequence")
	}
	if utf16.IsSurrogate(r) && s.off+1 < len(s.src) && s.src[s.off] == '\\' && s.src[s.off+1] == 'u' {
		back := s.off
		s.off += 2
		if low, ok := s.hex4(); ok {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				b.WriteRune(pair)
				return nil
			}
		}
		s.off = back
	}
	b.WriteRune(r) // half a pair becomes U+FFFD, as in encoding/json
	return nil
}

func (s *scanner) hex4() (rune, bool) {
	if s.off+4 > len(s.src) {
		return 0, false
	}
	v, err := strconv.ParseUint(string(s.src[s.off:s.off+4]), 16, 16)
	if err != nil {
		return 0, false
	}
	s.off += 4
	return rune(v), true
}
