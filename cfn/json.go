package cfn

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonReader reads JSON (ECMA-404, as CloudFormation does) into values with
// places. Strings share the memory of the source wherever they hold no escape,
// so that reading costs little more than looking at each byte once.
type jsonReader struct {
	*loader
	s         string
	i         int
	line      int
	lineStart int // offset of the line's first byte
	wide      int // bytes of this line that begin no character
	count     int // values made
	problem   *Problem

	fields []Field // scratch: the open maps' fields, innermost last
	items  []*Value
}

// readJSON returns the value in the source.
func (l *loader) readJSON() (*Value, *Problem) {
	l.format = JSON
	l.lines, l.last = nil, Pos{}
	r := jsonReader{loader: l, s: string(l.src), line: 1}
	r.space()
	v := r.value(1)
	if v == nil {
		return nil, r.problem
	}
	r.space()
	if r.i < len(r.s) {
		r.failTrailing()
		return nil, r.problem
	}
	return v, nil
}

func (r *jsonReader) pos() Pos { return Pos{r.line, r.i - r.lineStart - r.wide + 1} }

// space skips white space and keeps count of lines.
func (r *jsonReader) space() {
	s, i := r.s, r.i
	for i < len(s) {
		switch s[i] {
		case ' ', '\t':
			i++
			continue
		case '\r':
			if i+1 < len(s) && s[i+1] == '\n' {
				i++
			}
		case '\n':
		default:
			r.i = i
			return
		}
		i++
		r.line, r.lineStart, r.wide = r.line+1, i, 0
	}
	r.i = i
}

// value reads the value at r.i. It returns nil where there is none, with r.problem set.
func (r *jsonReader) value(depth int) *Value {
	if r.i >= len(r.s) {
		return r.fail("the file ends where a value is due")
	}
	if r.count++; r.count > MaxValues {
		return r.fail("more than %d values. split the template into nested stacks", MaxValues)
	}
	at := r.pos()
	switch c := r.s[r.i]; c {
	case '{':
		return r.object(at, depth)
	case '[':
		return r.array(at, depth)
	case '"':
		text, ok := r.str()
		if !ok {
			return nil
		}
		return r.store.text(at, text)
	case 't':
		return r.word(at, Bool, "true")
	case 'f':
		return r.word(at, Bool, "false")
	case 'n':
		return r.word(at, Null, "null")
	default:
		if c == '-' || '0' <= c && c <= '9' {
			return r.number(at)
		}
		return r.failValue()
	}
}

func (r *jsonReader) word(at Pos, k Kind, word string) *Value {
	if !strings.HasPrefix(r.s[r.i:], word) || r.i+len(word) < len(r.s) && isWordByte(r.s[r.i+len(word)]) {
		return r.failValue()
	}
	r.i += len(word)
	v := r.store.value(k, at)
	if k == Bool {
		v.Text = word
	}
	return v
}

func isWordByte(c byte) bool {
	return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

func (r *jsonReader) digits() bool {
	start := r.i
	for r.i < len(r.s) && '0' <= r.s[r.i] && r.s[r.i] <= '9' {
		r.i++
	}
	return r.i > start
}

func (r *jsonReader) number(at Pos) *Value {
	start := r.i
	if r.s[r.i] == '-' {
		r.i++
	}
	zero := r.i < len(r.s) && r.s[r.i] == '0'
	first := r.i
	if !r.digits() {
		r.i = start
		return r.failValue()
	}
	if zero && r.i-first > 1 {
		r.i = start
		return r.fail("a number with a leading zero, which JSON has not. put it in quotes where it is text, such as an account id")
	}
	if r.i < len(r.s) && r.s[r.i] == '.' {
		r.i++
		if !r.digits() {
			return r.fail("a digit is due after the decimal point")
		}
	}
	if r.i < len(r.s) && (r.s[r.i] == 'e' || r.s[r.i] == 'E') {
		r.i++
		if r.i < len(r.s) && (r.s[r.i] == '+' || r.s[r.i] == '-') {
			r.i++
		}
		if !r.digits() {
			return r.fail("a digit is due in the exponent")
		}
	}
	if r.i < len(r.s) && isWordByte(r.s[r.i]) {
		r.i = start
		return r.failValue()
	}
	v := r.store.value(Number, at)
	v.Text = r.s[start:r.i]
	return v
}

func (r *jsonReader) array(at Pos, depth int) *Value {
	if depth > MaxDepth {
		return r.failDepth()
	}
	base := len(r.items)
	r.i++
	r.space()
	if r.i < len(r.s) && r.s[r.i] == ']' {
		r.i++
		return r.store.listOf(at, nil)
	}
	for {
		v := r.value(depth + 1)
		if v == nil {
			return nil
		}
		r.items = append(r.items, v)
		r.space()
		if r.i >= len(r.s) {
			return r.failEnd("list", at)
		}
		switch r.s[r.i] {
		case ',':
			comma := r.i
			r.i++
			r.space()
			if r.i < len(r.s) && r.s[r.i] == ']' {
				return r.failComma(comma, "item", "list")
			}
		case ']':
			r.i++
			v := r.store.listOf(at, r.items[base:])
			r.items = r.items[:base]
			return v
		default:
			return r.failNext("item", "list", ']')
		}
	}
}

func (r *jsonReader) object(at Pos, depth int) *Value {
	if depth > MaxDepth {
		return r.failDepth()
	}
	base := len(r.fields)
	r.i++
	r.space()
	if r.i < len(r.s) && r.s[r.i] == '}' {
		r.i++
		return r.store.mapOf(at, nil)
	}
	for {
		if r.i >= len(r.s) {
			return r.failEnd("object", at)
		}
		if r.s[r.i] != '"' {
			return r.failKey()
		}
		f := Field{Pos: r.pos()}
		var ok bool
		if f.Key, ok = r.str(); !ok {
			return nil
		}
		r.space()
		if r.i >= len(r.s) {
			return r.failEnd("object", at)
		}
		if r.s[r.i] != ':' {
			return r.fail("a colon is due between the key %q and its value", f.Key)
		}
		r.i++
		r.space()
		if r.i >= len(r.s) {
			return r.failEnd("object", at)
		}
		if f.Value = r.value(depth + 1); f.Value == nil {
			return nil
		}
		r.fields = append(r.fields, f)
		r.space()
		if r.i >= len(r.s) {
			return r.failEnd("object", at)
		}
		switch r.s[r.i] {
		case ',':
			comma := r.i
			r.i++
			r.space()
			if r.i < len(r.s) && r.s[r.i] == '}' {
				return r.failComma(comma, "member", "object")
			}
		case '}':
			r.i++
			v := r.store.mapOf(at, r.store.unique(r.fields[base:], r.repeated))
			r.fields = r.fields[:base]
			return v
		default:
			return r.failNext("member", "object", '}')
		}
	}
}

// str reads the string at r.i, which is a quote.
func (r *jsonReader) str() (string, bool) {
	s, start := r.s, r.i+1
	for i := start; i < len(s); i++ {
		c := s[i]
		if c >= utf8.RuneSelf {
			if c&0xc0 == 0x80 { // goes on a character
				r.wide++
			}
			continue
		}
		switch {
		case c == '"':
			r.i = i + 1
			return s[start:i], true
		case c == '\\':
			return r.escaped(start, i)
		case c < ' ':
			return "", r.failControl(start-1, i)
		}
	}
	return "", r.failOpen(start - 1)
}

// escaped is str from the first backslash on.
func (r *jsonReader) escaped(start, i int) (string, bool) {
	s := r.s
	b := make([]byte, 0, 2*(i-start)+32)
	b = append(b, s[start:i]...)
	for i < len(s) {
		c := s[i]
		switch {
		case c == '"':
			r.i = i + 1
			return string(b), true
		case c < ' ':
			return "", r.failControl(start-1, i)
		case c != '\\':
			if c&0xc0 == 0x80 {
				r.wide++
			}
			b = append(b, c)
			i++
			continue
		}
		if i+1 >= len(s) {
			return "", r.failOpen(start - 1)
		}
		switch c = s[i+1]; c {
		case '"', '\\', '/':
			b = append(b, c)
		case 'b':
			b = append(b, '\b')
		case 'f':
			b = append(b, '\f')
		case 'n':
			b = append(b, '\n')
		case 'r':
			b = append(b, '\r')
		case 't':
			b = append(b, '\t')
		case 'u':
			u, ok := hex4(s, i+2)
			if !ok {
				return "", r.failEscape(i)
			}
			i += 4
			if utf16.IsSurrogate(u) {
				low, ok := rune(0), false
				if strings.HasPrefix(s[i+2:], `\u`) {
					low, ok = hex4(s, i+4)
				}
				if pair := utf16.DecodeRune(u, low); ok && pair != utf8.RuneError {
					u, i = pair, i+6
				} else {
					u = utf8.RuneError
				}
			}
			b = utf8.AppendRune(b, u)
		default:
			return "", r.failEscape(i)
		}
		i += 2
	}
	return "", r.failOpen(start - 1)
}

func hex4(s string, i int) (rune, bool) {
	if i+4 > len(s) {
		return 0, false
	}
	var u rune
	for _, c := range []byte(s[i : i+4]) {
		switch {
		case '0' <= c && c <= '9':
			u = u<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			u = u<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return u, true
}
