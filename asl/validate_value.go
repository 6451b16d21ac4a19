package asl

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumbline/asl/jsonpath"
)

// typeNames are the JSON types as AWS prints them.
var typeNames = [...]string{"NULL", "BOOLEAN", "NUMBER", "STRING", "ARRAY", "OBJECT"}

func (v *validator) wrongType(n *node, at string, want kind) {
	v.schema(n.pos, at, "this is "+n.kind.article(), "Expected value of type [%s]", typeNames[want])
}

func (v *validator) empty(f field, hint string) {
	v.schema(f.pos, f.at, hint, "Value cannot be empty")
}

// array reports whether the field is an array, and complains where it is empty and must not be.
func (v *validator) array(f field, filled bool) bool {
	if f.value.kind != kindArray {
		v.wrongType(f.value, f.at, kindArray)
		return false
	}
	if filled && len(f.value.items) == 0 {
		v.empty(f, "")
	}
	return true
}

func stringField(v *validator, f field) {
	if f.value.kind != kindString {
		v.wrongType(f.value, f.at, kindString)
		return
	}
	if f.lang == JSONata && (f.name == "Error" || f.name == "Cause") {
		v.expression(f.value, f.at)
	}
}

func boolField(v *validator, f field) {
	if f.value.kind != kindBool {
		v.wrongType(f.value, f.at, kindBool)
	}
}

// oneOf allows one of the words.
func oneOf(words ...string) func(*validator, field) {
	return func(v *validator, f field) {
		if f.value.kind != kindString {
			v.wrongType(f.value, f.at, kindString)
			return
		}
		for _, w := range words {
			if f.value.text == w {
				return
			}
		}
		v.schema(f.value.pos, f.at, near(f.value.text, words), "Value should be one of the following: [%s]", strings.Join(words, ", "))
	}
}

// isExpression reports whether the field is text between {% and %} where
// JSONata is spoken, so that its value is not known yet.
func isExpression(f field) bool {
	return f.lang == JSONata && f.value.kind == kindString
}

// integer allows whole numbers from low to high.
func integer(low, high float64) func(*validator, field) {
	return func(v *validator, f field) {
		if isExpression(f) && f.state != nil {
			v.mustBeExpression(f)
			return
		}
		x := numberOf(f.value)
		if x == nil || *x != float64(int64(*x)) && *x < 1<<53 {
			v.schema(f.value.pos, f.at, fmt.Sprintf("a whole number of %.0f to %.0f is allowed", low, high), "Expected value of type [INTEGER]")
			return
		}
		v.bounds(f, *x, low, high, "%.0f")
	}
}

// number allows numbers from low to high; high 0 means no bound.
func number(low, high float64) func(*validator, field) {
	return func(v *validator, f field) {
		if isExpression(f) && f.state != nil {
			v.mustBeExpression(f)
			return
		}
		x := numberOf(f.value)
		if x == nil {
			v.wrongType(f.value, f.at, kindNumber)
			return
		}
		v.bounds(f, *x, low, high, "%.1f")
	}
}

func (v *validator) bounds(f field, x, low, high float64, format string) {
	if x < low {
		v.schema(f.value.pos, f.at, fmt.Sprintf("this is %s", f.value.raw), "Minimum value is "+format, low)
	}
	if high != 0 && x > high {
		v.schema(f.value.pos, f.at, fmt.Sprintf("this is %s", f.value.raw), "Maximum value is "+format, high)
	}
}

// numberOf is the number's value, nil for anything else.
func numberOf(n *node) *float64 {
	if n == nil || n.kind != kindNumber {
		return nil
	}
	x, err := strconv.ParseFloat(string(n.raw), 64)
	if err != nil { // out of range: still above or below every bound
		if strings.HasPrefix(string(n.raw), "-") {
			x = -1 << 62
		} else {
			x = 1 << 62
		}
	}
	return &x
}

// mustBeExpression: a string where a number belongs is an expression or nothing.
func (v *validator) mustBeExpression(f field) {
	if s := f.value.text; !strings.HasPrefix(s, "{%") || !strings.HasSuffix(s, "%}") {
		v.schema(f.value.pos, f.at, "write a number, or an expression such as {% $states.input.n %}", "JSONata string must start with {%% and end with %%}")
	}
}

// expression checks the marks around a JSONata expression.
func (v *validator) expression(n *node, at string) {
	s := n.text
	opened, closed := strings.HasPrefix(s, "{%"), strings.HasSuffix(s, "%}")
	if opened != closed || opened && len(s) < 4 {
		v.schema(n.pos, at, "", "JSONata string must start with {%% and end with %%}")
	}
}

func timestamp(v *validator, f field) {
	if f.value.kind != kindString {
		v.wrongType(f.value, f.at, kindString)
		return
	}
	if f.lang == JSONata && strings.HasPrefix(f.value.text, "{%") {
		v.expression(f.value, f.at)
		return
	}
	if !isTimestamp(f.value.text) {
		v.schema(f.value.pos, f.at, "write it as 2030-01-31T08:00:00Z", "String does not match RFC3339 timestamp")
	}
}

// isTimestamp reports whether the text is RFC 3339 with an upper case T and Z.
func isTimestamp(s string) bool {
	_, err := time.Parse(time.RFC3339, s)
	return err == nil && !strings.ContainsAny(s, "tz ")
}

// placeholder reports whether a CloudFormation substitution such as
// ${FetchStackArn} is in the text, so that its final form is not known here.
func placeholder(s string) bool {
	i := strings.Index(s, "${")
	return i >= 0 && strings.Contains(s[i:], "}")
}

const badPath = "Value must be a valid JSONPath."

// path checks a path field and returns the path, nil where it is none.
func (v *validator) path(f field, nullable bool) *jsonpath.Path {
	if f.value.kind == kindNull && nullable {
		return nil
	}
	if f.value.kind != kindString {
		v.wrongType(f.value, f.at, kindString)
		return nil
	}
	if placeholder(f.value.text) {
		return nil
	}
	p, err := jsonpath.Parse(f.value.text)
	if err != nil {
		v.schema(f.value.pos, f.at, err.Error(), badPath)
		return nil
	}
	return p
}

func ioPath(v *validator, f field) { v.path(f, true) }

// resultPath is where a result is put: names and indexes below $, or null.
func resultPath(v *validator, f field) {
	if p := v.path(f, true); p != nil && !p.Reference() {
		v.schema(f.value.pos, f.at, "write names and indexes only, such as $.result.items", "Value is not a Reference Path")
	}
}

// numberPath is a path to one value; AWS allows $$ for some of them only.
func numberPath(context bool) func(*validator, field) {
	return func(v *validator, f field) {
		p := v.path(f, false)
		if p == nil {
			return
		}
		if !p.Definite() || p.Root() == jsonpath.Context && !context {
			v.schema(f.value.pos, f.at, "write a path to one value of the input or of a variable", "Value is not a Reference Path")
		}
	}
}

// pathOrCall is a path, or a call of an intrinsic function.
func pathOrCall(v *validator, f field) {
	if f.value.kind != kindString {
		v.wrongType(f.value, f.at, kindString)
		return
	}
	if err := parseExpr(f.value.text); err != nil && !placeholder(f.value.text) {
		v.schema(f.value.pos, f.at, err.Error(), badPath)
	}
}

// template checks a payload template, or in JSONata a value with expressions.
func template(v *validator, f field) {
	if f.lang == JSONata {
		v.expressions(f.value, f.at)
		return
	}
	v.payload(f.value, f.at)
}

func (v *validator) expressions(n *node, at string) {
	if n.kind == kindString {
		v.expression(n, at)
	}
	for _, m := range n.members {
		v.expressions(m.value, at)
	}
	for _, item := range n.items {
		v.expressions(item, at)
	}
}

// payload checks every key that ends in ".$"; AWS names the template, not the key, as the place.
func (v *validator) payload(n *node, at string) {
	for _, m := range n.members {
		if !strings.HasSuffix(m.key, ".$") {
			if m.value.kind == kindString && looksDynamic(m.value.text) {
				v.report(SeverityWarning, codeNoDollar, m.pos, at, fmt.Sprintf("write the key as %q to have it evaluated", m.key+".$"), "The value of field '%s' looks like a path or an intrinsic function, but the name does not end with '.$'", m.key)
			}
			v.payload(m.value, at)
			continue
		}
		if m.value.kind == kindString {
			err := parseExpr(m.value.text)
			if err == nil || placeholder(m.value.text) {
				continue
			}
			v.schema(m.value.pos, at, err.Error(), "The value for the field '%s' must be a valid JSONPath or a valid intrinsic function call", m.key)
			continue
		}
		v.schema(m.value.pos, at, "this is "+m.value.kind.article()+"; remove the .$ to pass it on as it is", "The value for the field '%s' must be a STRING that contains a JSONPath or a valid intrinsic function call", m.key)
	}
	for _, item := range n.items {
		v.payload(item, at)
	}
}

// parseExpr is jsonpath.ParseExpr with what AWS refuses when a machine is
// created, though its evaluator would read it: a space before a call, and in
// its strings escapes other than \' \{ \} \\.
func parseExpr(s string) error {
	_, err := jsonpath.ParseExpr(s)
	if strings.HasPrefix(s, "$") {
		return err
	}
	if err != nil {
		name, _, _ := strings.Cut(s, "(")
		names := jsonpath.IntrinsicNames()
		if hint := near(name, names); hint != "" && !slices.Contains(names, name) {
			return fmt.Errorf("%s is no intrinsic function. %s", name, hint)
		}
		return err
	}
	if strings.TrimLeft(s, " \t\r\n") != s {
		return fmt.Errorf("%q begins with a space", s)
	}
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\'':
			quoted = !quoted
		case s[i] == '\\' && quoted:
			i++
			if i < len(s) && !strings.ContainsRune(`'{}\`, rune(s[i])) {
				return fmt.Errorf(`\%c is no escape in a string of an intrinsic function; there are \' \{ \} and \\`, s[i])
			}
		}
	}
	return nil
}

func looksDynamic(s string) bool {
	if strings.HasPrefix(s, "$.") || strings.HasPrefix(s, "$$.") {
		return true
	}
	if strings.HasPrefix(s, "States.") && strings.HasSuffix(s, ")") {
		_, err := jsonpath.ParseIntrinsic(s)
		return err == nil
	}
	return false
}

// staticResult warns of a path in a Result, which is passed on as text.
func staticResult(v *validator, f field) {
	var dynamic func(n *node) *node
	dynamic = func(n *node) *node {
		for _, m := range n.members {
			if m.value.kind == kindString && (strings.HasSuffix(m.key, ".$") || looksDynamic(m.value.text)) {
				return m.value
			}
			if d := dynamic(m.value); d != nil {
				return d
			}
		}
		for _, item := range n.items {
			if d := dynamic(item); d != nil {
				return d
			}
		}
		return nil
	}
	if n := dynamic(f.value); n != nil {
		v.report(SeverityWarning, codeStaticResult, n.pos, f.at, `use "Parameters" for values from the input`, "The field 'Result' is static: a path in it is passed on as text")
	}
}
