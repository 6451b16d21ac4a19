package cfn

import (
	"strings"
	"unicode/utf8"
)

// What can be wrong with JSON, in words for who wrote it. Each sets r.problem
// and returns what its caller returns.

func (r *jsonReader) fail(format string, args ...any) *Value {
	r.problem = r.loader.problem(r.pos(), format, args...)
	return nil
}

func (r *jsonReader) failAt(offset int, format string, args ...any) {
	r.problem = r.loader.problem(r.posOf(offset), format, args...)
}

// next names the character at r.i.
func (r *jsonReader) next() string {
	c, _ := utf8.DecodeRuneInString(r.s[r.i:])
	switch c {
	case '\'':
		return "a single quote"
	case '"':
		return "a double quote"
	}
	return "'" + string(c) + "'"
}

// comment reports whether a comment begins at r.i, and says so.
func (r *jsonReader) comment() bool {
	rest := r.s[r.i:]
	if !strings.HasPrefix(rest, "//") && !strings.HasPrefix(rest, "/*") && !strings.HasPrefix(rest, "#") {
		return false
	}
	r.fail("a comment, which JSON has not. remove it, or write the template as YAML")
	return true
}

func (r *jsonReader) failValue() *Value {
	if r.comment() {
		return nil
	}
	rest := r.s[r.i:]
	for _, w := range []string{"NaN", "Infinity", "-Infinity", "True", "False", "None", "undefined"} {
		if strings.HasPrefix(rest, w) {
			return r.fail("%s is not a value of JSON. allowed are strings in double quotes, numbers, true, false, null, objects and lists", w)
		}
	}
	switch rest[0] {
	case '\'':
		return r.fail("a string in single quotes. JSON's strings stand in double quotes")
	case '}', ']', ',', ':':
		return r.fail("%s where a value is due", r.next())
	}
	return r.fail("%s begins no value of JSON. text stands in double quotes", r.next())
}

func (r *jsonReader) failKey() *Value {
	switch {
	case r.comment():
		return nil
	case r.s[r.i] == '\'':
		return r.fail("a key in single quotes. JSON's keys stand in double quotes")
	case r.s[r.i] == ',' || r.s[r.i] == '}':
		return r.fail("%s where a key is due", r.next())
	}
	return r.fail("%s where a key is due. keys stand in double quotes", r.next())
}

func (r *jsonReader) failNext(part, whole string, closing rune) *Value {
	if r.comment() {
		return nil
	}
	return r.fail("%s after the %s of the %s; a comma or '%c' is due. is a comma missing before it?", r.next(), part, whole, closing)
}

func (r *jsonReader) failComma(comma int, part, whole string) *Value {
	r.failAt(comma, "a comma after the last %s of the %s, which JSON does not allow. remove the comma", part, whole)
	return nil
}

func (r *jsonReader) failEnd(whole string, open Pos) *Value {
	return r.fail("the file ends inside the %s that opens at %d:%d. is it cut off?", whole, open.Line, open.Column)
}

func (r *jsonReader) failDepth() *Value {
	return r.fail("more than %d levels of objects and lists inside each other", MaxDepth)
}

func (r *jsonReader) failTrailing() {
	if !r.comment() {
		r.fail("%s after the end of the template; nothing may follow its last brace", r.next())
	}
}

func (r *jsonReader) failOpen(quote int) bool {
	r.failAt(quote, "a string without its closing quote. is the file cut off?")
	return false
}

func (r *jsonReader) failControl(quote, i int) bool {
	switch r.s[i] {
	case '\n', '\r':
		r.failAt(quote, `a string that goes over the end of its line. is the closing quote missing? a line break inside a string is written \n`)
	case '\t':
		r.failAt(i, `a tab inside a string. write \t`)
	default:
		r.failAt(i, `control character 0x%02x inside a string. write \u%04x, or remove it`, r.s[i], r.s[i])
	}
	return false
}

func (r *jsonReader) failEscape(i int) bool {
	r.failAt(i, `a backslash that begins no escape of JSON. allowed are \" \\ \/ \b \f \n \r \t and \u with four hexadecimal digits; a backslash itself is \\`)
	return false
}

// repeated notes a key that stands twice in one map.
func (l *loader) repeated(first, later Field) {
	l.note(later.Pos, "key %q stands a second time, after line %d. CloudFormation takes the last and drops the others without a word; keep one", later.Key, first.Pos.Line)
}
