package value

import (
	"encoding/json"
	"strconv"
	"unicode/utf8"
)

// Append appends v as compact JSON text, fields in their order.
func Append(dst []byte, v any) []byte {
	switch x := v.(type) {
	case bool:
		return strconv.AppendBool(dst, x)
	case string:
		return AppendString(dst, x)
	case int64:
		return strconv.AppendInt(dst, x, 10)
	case float64:
		return AppendNumber(dst, x)
	case Big:
		return append(dst, x...)
	case []any:
		dst = append(dst, '[')
		for i, item := range x {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = Append(dst, item)
		}
		return append(dst, ']')
	case *Object:
		dst = append(dst, '{')
		for i, f := range x.Fields() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = AppendString(dst, f.Key)
			dst = append(dst, ':')
			dst = Append(dst, f.Value)
		}
		return append(dst, '}')
	}
	return append(dst, "null"...)
}

// Encode returns v as compact JSON text.
func Encode(v any) json.RawMessage { return Append(make([]byte, 0, 128), v) }

// Text returns v as compact JSON text.
func Text(v any) string { return string(Encode(v)) }

const hexDigits = "0123456789abcdef"

// AppendString appends s as a JSON string; text beyond ASCII stays as it is.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				dst = append(dst, s[start:i]...)
				dst = append(dst, "\uFFFD"...)
				start = i + 1
			}
			i += n
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		dst = append(dst, s[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

// Exceeds reports whether v as JSON text is longer than limit bytes. It stops
// as soon as it is sure, and makes no text.
func Exceeds(v any, limit int) bool { return Spend(v, limit) < 0 }

// Spend returns what is left of a budget of bytes after v as JSON text; below
// 0: it is not enough. It stops as soon as it is sure, so that a value which has
// one part many times over costs no more than the budget, and makes no text.
func Spend(v any, left int) int {
	switch x := v.(type) {
	case nil:
		return left - 4
	case bool:
		if x {
			return left - 4
		}
		return left - 5
	case string:
		return left - 2 - textLen(x)
	case int64:
		n := 1
		if x < 0 {
			n++
		}
		for x /= 10; x != 0; x /= 10 {
			n++
		}
		return left - n
	case float64:
		var buf [32]byte
		return left - len(AppendNumber(buf[:0], x))
	case Big:
		return left - len(x)
	case []any:
		left -= 1 + max(1, len(x))
		for _, item := range x {
			if left < 0 {
				return left
			}
			left = Spend(item, left)
		}
		return left
	case *Object:
		left -= 1 + max(1, x.Len())
		for _, f := range x.Fields() {
			if left < 0 {
				return left
			}
			left = Spend(f.Value, left-3-textLen(f.Key))
		}
		return left
	}
	return left
}

// textLen is the length of s inside a JSON string.
func textLen(s string) int {
	n := len(s)
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			n++
		case c < ' ':
			switch c {
			case '\n', '\r', '\t', '\b', '\f':
				n++
			default:
				n += 5
			}
		}
	}
	return n
}
