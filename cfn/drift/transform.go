package drift

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"plumbline/cfn"
)

// transformed reports whether the live value may be what the service makes of
// the template's by an expression of the schema. The schemas write these in
// JSONata, with the alternatives joined by $OR; the forms that nine in ten of
// them have are worked out, and an expression of any other form may make
// anything, so that it never shows a difference.
//
// A result may be a regular expression for the live value. Source:
// CloudFormation CLI User Guide, "Resource type schema", propertyTransform.
func transformed(expression string, parent, want, have *cfn.Value) bool {
	if !scalar(want) || !scalar(have) {
		return true
	}
	for alternative := range strings.SplitSeq(expression, "$OR") {
		made, ok := evaluate(strings.TrimSpace(alternative), parent)
		if !ok || made == have.Text {
			return true
		}
		if strings.ContainsAny(made, `*+[\`) {
			re, err := regexp.Compile(`^(?:` + strings.ReplaceAll(made, `\/`, `/`) + `)$`)
			if err != nil || re.MatchString(have.Text) {
				return true
			}
		}
	}
	return false
}

// evaluate works out an expression whose value is a text.
func evaluate(e string, parent *cfn.Value) (string, bool) {
	e = strings.TrimSpace(e)
	if text, ok := quoted(e); ok {
		return text, true
	}
	name, rest, call := strings.Cut(e, "(")
	if !call {
		v := parent.Lookup(strings.Split(e, ".")...)
		if !scalar(v) {
			return "", false
		}
		return v.Text, true
	}
	index, last := 0, false
	if name == "$split" {
		if rest, last = strings.CutSuffix(rest, ")[-1]"); !last {
			at := strings.LastIndex(rest, ")[")
			if at < 0 || !strings.HasSuffix(rest, "]") {
				return "", false
			}
			n, err := strconv.Atoi(rest[at+2 : len(rest)-1])
			if err != nil {
				return "", false
			}
			index, rest = n, rest[:at]
		}
	} else if before, ok := strings.CutSuffix(rest, ")"); ok {
		rest = before
	} else {
		return "", false
	}
	if name == "$join" {
		inner, ok := strings.CutPrefix(strings.TrimSpace(rest), "[")
		inner, closed := strings.CutSuffix(inner, "]")
		if !ok || !closed {
			return "", false
		}
		rest = inner
	}
	parts, ok := arguments(rest)
	if !ok {
		return "", false
	}
	var args []string
	for _, p := range parts {
		v, ok := evaluate(p, parent)
		if !ok {
			return "", false
		}
		args = append(args, v)
	}
	return apply(name, args, index, last)
}

func apply(name string, args []string, index int, last bool) (string, bool) {
	switch {
	case name == "$join":
		return strings.Join(args, ""), true
	case name == "$lowercase" && len(args) == 1:
		return strings.ToLower(args[0]), true
	case name == "$uppercase" && len(args) == 1:
		return strings.ToUpper(args[0]), true
	case name == "$string" && len(args) == 1:
		return args[0], true
	case name == "$substringAfter" && len(args) == 2:
		if _, after, ok := strings.Cut(args[0], args[1]); ok {
			return after, true
		}
		return args[0], true
	case name == "$substringBefore" && len(args) == 2:
		before, _, _ := strings.Cut(args[0], args[1])
		return before, true
	case name == "$split" && len(args) == 2:
		parts := strings.Split(args[0], args[1])
		if last {
			index = len(parts) - 1
		}
		if index < 0 || index >= len(parts) {
			return "", false
		}
		return parts[index], true
	case name == "$replace" && len(args) == 3:
		return strings.ReplaceAll(args[0], args[1], args[2]), true
	}
	return "", false
}

// quoted is the text of a string literal.
func quoted(e string) (string, bool) {
	if len(e) < 2 || e[0] != '"' && e[0] != '\'' || e[len(e)-1] != e[0] || strings.Contains(e[1:len(e)-1], e[:1]) {
		return "", false
	}
	return strings.ReplaceAll(e[1:len(e)-1], `\\`, `\`), true
}

// arguments parts what stands between the parentheses of a call, at the commas
// outside of quotes and parentheses.
func arguments(s string) ([]string, bool) {
	var out []string
	depth, start := 0, 0
	var quote byte
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case slices.Contains([]byte("(["), c):
			depth++
		case slices.Contains([]byte(")]"), c):
			depth--
		case c == ',' && depth == 0:
			out, start = append(out, s[start:i]), i+1
		}
	}
	return append(out, s[start:]), depth == 0 && quote == 0
}
