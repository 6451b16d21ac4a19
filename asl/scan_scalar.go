package asl

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

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
