package value

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxDepth is how deep arrays and objects may nest, the limit of the JSON
// library that AWS uses (Jackson's StreamReadConstraints, 1,000).
const MaxDepth = 1000

// SyntaxError is text that is not JSON.
type SyntaxError struct {
	Offset  int // bytes from the start
	Problem string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("byte %d: %s", e.Offset, e.Problem)
}

// Decode reads one JSON text. The strings of the result share one copy of src.
// The error is a *SyntaxError.
func Decode(src []byte) (any, error) { return DecodeString(string(src)) }

// DecodeString is Decode of a string; the strings of the result are parts of src.
func DecodeString(src string) (any, error) {
	if !utf8.ValidString(src) {
		src = strings.ToValidUTF8(src, "\uFFFD")
	}
	d := decoder{src: src}
	v, err := d.value(0)
	if err != nil {
		return nil, err
	}
	d.space()
	if d.at < len(src) {
		return nil, d.fail("text after the value")
	}
	return v, nil
}

type decoder struct {
	src    string
	at     int
	fields []Field // stack for the objects that are open
	items  []any   // stack for the arrays that are open
}

func (d *decoder) fail(format string, args ...any) error {
	return &SyntaxError{d.at, fmt.Sprintf(format, args...)}
}

func (d *decoder) space() {
	for d.at < len(d.src) {
		switch d.src[d.at] {
		case ' ', '\t', '\n', '\r':
			d.at++
		default:
			return
		}
	}
}

func (d *decoder) value(depth int) (any, error) {
	d.space()
	if d.at >= len(d.src) {
		return nil, d.fail("the text ends where a value is wanted")
	}
	switch c := d.src[d.at]; c {
	case '{':
		return d.object(depth)
	case '[':
		return d.array(depth)
	case '"':
		return d.string()
	case 't':
		return true, d.word("true")
	case 'f':
		return false, d.word("false")
	case 'n':
		return nil, d.word("null")
	default:
		if c == '-' || c >= '0' && c <= '9' {
			return d.number()
		}
		return nil, d.fail("%q begins no value", c)
	}
}

func (d *decoder) word(w string) error {
	if !strings.HasPrefix(d.src[d.at:], w) {
		return d.fail("not a value; %q is", w)
	}
	d.at += len(w)
	return nil
}

func (d *decoder) object(depth int) (any, error) {
	if depth >= MaxDepth {
		return nil, d.fail("nested deeper than %d", MaxDepth)
	}
	d.at++
	base := len(d.fields)
	d.space()
	if d.at < len(d.src) && d.src[d.at] == '}' {
		d.at++
		return &Object{}, nil
	}
	for {
		d.space()
		if d.at >= len(d.src) || d.src[d.at] != '"' {
			return nil, d.fail("an object's key must be a string")
		}
		key, err := d.string()
		if err != nil {
			return nil, err
		}
		d.space()
		if d.at >= len(d.src) || d.src[d.at] != ':' {
			return nil, d.fail("a colon must follow the key %q", key)
		}
		d.at++
		v, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		d.fields = append(d.fields, Field{key, v})
		d.space()
		if d.at < len(d.src) && d.src[d.at] == ',' {
			d.at++
			continue
		}
		if d.at < len(d.src) && d.src[d.at] == '}' {
			d.at++
			fields := make([]Field, len(d.fields)-base)
			copy(fields, d.fields[base:])
			d.fields = d.fields[:base]
			return NewObject(fields...), nil
		}
		return nil, d.fail("a comma or } must follow a field")
	}
}

func (d *decoder) array(depth int) (any, error) {
	if depth >= MaxDepth {
		return nil, d.fail("nested deeper than %d", MaxDepth)
	}
	d.at++
	base := len(d.items)
	d.space()
	if d.at < len(d.src) && d.src[d.at] == ']' {
		d.at++
		return []any{}, nil
	}
	for {
		v, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		d.items = append(d.items, v)
		d.space()
		if d.at < len(d.src) && d.src[d.at] == ',' {
			d.at++
			continue
		}
		if d.at < len(d.src) && d.src[d.at] == ']' {
			d.at++
			items := make([]any, len(d.items)-base)
			copy(items, d.items[base:])
			d.items = d.items[:base]
			return items, nil
		}
		return nil, d.fail("a comma or ] must follow an item")
	}
}

func (d *decoder) string() (string, error) {
	d.at++
	start := d.at
	for d.at < len(d.src) {
		switch c := d.src[d.at]; {
		case c == '"':
			s := d.src[start:d.at]
			d.at++
			return s, nil
		case c == '\\':
			return d.escaped(start)
		case c < ' ':
			return "", d.fail("a control character must be written as an escape")
		}
		d.at++
	}
	return "", d.fail("the string has no end")
}

func (d *decoder) escaped(start int) (string, error) {
	var b strings.Builder
	b.WriteString(d.src[start:d.at])
	for d.at < len(d.src) {
		c := d.src[d.at]
		switch {
		case c == '"':
			d.at++
			return b.String(), nil
		case c < ' ':
			return "", d.fail("a control character must be written as an escape")
		case c != '\\':
			b.WriteByte(c)
			d.at++
			continue
		}
		if d.at+1 >= len(d.src) {
			return "", d.fail("the string has no end")
		}
		switch e := d.src[d.at+1]; e {
		case '"', '\\', '/':
			b.WriteByte(e)
		case 'b':
			b.WriteByte('\b')
		case 'f':
			b.WriteByte('\f')
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 't':
			b.WriteByte('\t')
		case 'u':
			r, ok := d.hex(d.at)
			if !ok {
				return "", d.fail(`\u wants four hexadecimal digits`)
			}
			d.at += 6
			if utf16.IsSurrogate(r) {
				if low, ok := d.hex(d.at); ok {
					if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
						b.WriteRune(pair)
						d.at += 6
						continue
					}
				}
				r = utf8.RuneError
			}
			b.WriteRune(r)
			continue
		default:
			return "", d.fail("%q is no escape", d.src[d.at:d.at+2])
		}
		d.at += 2
	}
	return "", d.fail("the string has no end")
}

// hex reads \u and its four digits at i.
func (d *decoder) hex(i int) (rune, bool) {
	if i+6 > len(d.src) || d.src[i] != '\\' || d.src[i+1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(d.src[i+2:i+6], 16, 32)
	return rune(n), err == nil
}

func (d *decoder) number() (any, error) {
	start := d.at
	if d.src[d.at] == '-' {
		d.at++
	}
	digits := d.digits()
	switch {
	case digits == 0:
		return nil, d.fail("a number wants a digit here")
	case digits > 1 && d.src[d.at-digits] == '0':
		return nil, d.fail("a number must not begin with 0")
	}
	whole := true
	if d.at < len(d.src) && d.src[d.at] == '.' {
		whole = false
		d.at++
		if d.digits() == 0 {
			return nil, d.fail("a number wants a digit here")
		}
	}
	if d.at < len(d.src) && (d.src[d.at] == 'e' || d.src[d.at] == 'E') {
		whole = false
		d.at++
		if d.at < len(d.src) && (d.src[d.at] == '+' || d.src[d.at] == '-') {
			d.at++
		}
		if d.digits() == 0 {
			return nil, d.fail("a number wants a digit here")
		}
	}
	text := d.src[start:d.at]
	if whole {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return Big(text), nil
		}
		return n, nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil, d.fail("the number %s is out of range", text)
	}
	return f, nil
}

func (d *decoder) digits() int {
	start := d.at
	for d.at < len(d.src) && d.src[d.at] >= '0' && d.src[d.at] <= '9' {
		d.at++
	}
	return d.at - start
}
