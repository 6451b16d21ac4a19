package cfn

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

const quoted = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle

// scalar returns the value of an untagged scalar.
func (r *yamlReader) scalar(n *yaml.Node, at Pos) *Value {
	if n.Style&quoted != 0 || n.Style&yaml.TaggedStyle != 0 {
		return r.store.text(at, n.Value)
	}
	switch k := scalarKind(n.Value); k {
	case Null:
		return r.store.value(Null, at)
	case Bool:
		v := r.store.value(Bool, at)
		v.Text = boolText(n.Value)
		return v
	case Number:
		v := r.store.value(Number, at)
		v.Text = n.Value
		return v
	default:
		return r.store.text(at, n.Value)
	}
}

// scalarKind says what a bare scalar is in YAML 1.1, as CloudFormation reads
// it: yes, no, on and off are booleans, 022 and 0x16 numbers. Dates stay text,
// as everything in a template that could be one is (AWSTemplateFormatVersion,
// the Version of a policy), and so do sexagesimals such as 22:22.
func scalarKind(s string) Kind {
	if s == "" {
		return Null
	}
	switch c := s[0]; c {
	case '~':
		if len(s) == 1 {
			return Null
		}
	case 'n', 'N':
		switch s {
		case "null", "Null", "NULL":
			return Null
		case "no", "No", "NO":
			return Bool
		}
	case 'y', 'Y', 't', 'T', 'f', 'F', 'o', 'O':
		switch s {
		case "yes", "Yes", "YES", "true", "True", "TRUE", "false", "False", "FALSE", "on", "On", "ON", "off", "Off", "OFF":
			return Bool
		}
	case '+', '-', '.', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		if isNumber(s) {
			return Number
		}
	}
	return String
}

// boolText is "true" or "false" for a scalar of kind Bool.
func boolText(s string) string {
	switch s[0] {
	case 'y', 'Y', 't', 'T':
		return "true"
	case 'o', 'O':
		if len(s) == 2 {
			return "true"
		}
	}
	return "false"
}

// isNumber reports whether s is an integer or a decimal of YAML 1.1, or an
// octal of YAML 1.2. Digits with a leading zero that are no octal number, such
// as the account id 012345678901, are text.
func isNumber(s string) bool {
	if s[0] == '+' || s[0] == '-' {
		s = s[1:]
	}
	if len(s) == 0 {
		return false
	}
	if s[0] == '0' && len(s) > 1 {
		switch s[1] {
		case 'x':
			return allOf(s[2:], func(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f' })
		case 'o':
			return allOf(s[2:], isOctal)
		case 'b':
			return allOf(s[2:], func(c byte) bool { return c == '0' || c == '1' })
		}
	}
	i, digits, octal := 0, 0, true
	for ; i < len(s) && (isDigit(s[i]) || s[i] == '_'); i++ {
		if s[i] == '_' {
			continue
		}
		digits++
		octal = octal && isOctal(s[i])
	}
	if i == len(s) {
		return digits > 0 && s[0] != '_' && (s[0] != '0' || digits == 1 || octal)
	}
	if s[i] == '.' {
		for i++; i < len(s) && (isDigit(s[i]) || s[i] == '_'); i++ {
			if s[i] != '_' {
				digits++
			}
		}
	}
	if digits == 0 || s[0] == '_' {
		return false
	}
	if i < len(s) && s[i]|0x20 == 'e' {
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		return i < len(s) && allOf(s[i:], isDigit)
	}
	return i == len(s)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isOctal(c byte) bool { return '0' <= c && c <= '7' }

// allOf reports whether s holds at least one byte that is what is asked for,
// and beside such bytes nothing but the underscores that YAML 1.1 allows in numbers.
func allOf(s string, is func(byte) bool) bool {
	found := false
	for i := range len(s) {
		if is(s[i]) {
			found = true
		} else if s[i] != '_' {
			return false
		}
	}
	return found
}

// Int returns the whole number that v stands for: a Number in any notation of
// YAML 1.1 (022 is eighteen, 0x16 twenty-two, 1_000 a thousand, 5.0 five), or a String
// of decimal digits, as CloudFormation converts it. It is false for anything else.
func (v *Value) Int() (int64, bool) {
	if v == nil || v.Kind != Number && v.Kind != String {
		return 0, false
	}
	text := v.Text
	if v.Kind == Number {
		if i, ok := integer(text); ok {
			return i, true
		}
	} else if i, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64); err == nil {
		return i, true
	}
	f, ok := v.Float()
	if !ok || f != float64(int64(f)) || f >= 1<<63 || f < -1<<63 {
		return 0, false
	}
	return int64(f), true
}

// Float returns the number that v stands for, as Int does.
func (v *Value) Float() (float64, bool) {
	if v == nil || v.Kind != Number && v.Kind != String {
		return 0, false
	}
	text := v.Text
	if v.Kind == Number {
		if i, ok := integer(text); ok {
			return float64(i), true
		}
		text = strings.ReplaceAll(text, "_", "")
	} else if text = strings.TrimSpace(text); !isNumberText(text) {
		return 0, false
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil
}

// isNumberText keeps the words that strconv takes for numbers (Inf, NaN, hexadecimal floats) out.
func isNumberText(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isDigit(c) && c != '+' && c != '-' && c != '.' && c|0x20 != 'e' {
			return false
		}
	}
	return s != ""
}

// integer reads the integers of YAML 1.1, in which a leading zero means octal.
func integer(s string) (int64, bool) {
	if strings.Contains(s, "_") {
		s = strings.ReplaceAll(s, "_", "")
	}
	digits, negative := s, false
	if s != "" && (s[0] == '-' || s[0] == '+') {
		digits, negative = s[1:], s[0] == '-'
	}
	base := 10
	if len(digits) > 1 && digits[0] == '0' {
		switch digits[1] {
		case 'x':
			digits, base = digits[2:], 16
		case 'o':
			digits, base = digits[2:], 8
		case 'b':
			digits, base = digits[2:], 2
		default:
			digits, base = digits[1:], 8
		}
	}
	if digits == "" || digits[0] == '-' || digits[0] == '+' {
		return 0, false
	}
	if negative {
		digits = "-" + digits
	}
	i, err := strconv.ParseInt(digits, base, 64)
	return i, err == nil
}
