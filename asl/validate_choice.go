package asl

import (
	"fmt"
	"strings"

	"plumbline/asl/jsonpath"
)

func choices(v *validator, f field) {
	if !v.array(f, true) {
		return
	}
	for i, item := range f.value.items {
		v.choice(item, entry(f.at, i), f, true)
	}
}

// choice checks a rule of a Choice state or, where top is false, one inside another.
func (v *validator) choice(n *node, at string, f field, top bool) {
	if n.kind != kindObject {
		v.wrongType(n, at, kindObject)
		return
	}
	rules := []rule{{"Comment", "", stringField}}
	var required []string
	if top {
		rules = append(rules,
			rule{"Next", "", stringField},
			rule{"Assign", "", assign},
			rule{"Output", JSONata, template},
			rule{"Condition", JSONata, condition})
		required = []string{"Next"}
	}
	rules = append(rules,
		rule{"And", JSONPath, inner}, rule{"Or", JSONPath, inner}, rule{"Not", JSONPath, inner},
		rule{"Variable", JSONPath, variable})
	var compared []string
	for _, m := range n.members {
		if want, ok := operandKind(m.key); ok {
			compared = append(compared, m.key)
			rules = append(rules, rule{m.key, JSONPath, operand(want)})
		}
	}
	if f.lang == JSONata {
		required = append(required, "Condition")
	}
	before := len(v.out)
	v.object(n, n.pos, at, nil, f.lang, rules, required...)
	if f.lang == JSONata || len(v.out) > before && len(compared) == 0 && v.unknownOperator(n, before) {
		return
	}
	v.comparison(n, at, compared)
}

// unknownOperator adds the nearest operator to a complaint about a field that
// is none, so that the misspelt name is the one thing said.
func (v *validator) unknownOperator(n *node, before int) bool {
	for i := range v.out[before:] {
		d := &v.out[before+i]
		for _, m := range n.members {
			if d.Pos == m.pos && strings.HasPrefix(d.Message, "Field '") && n.get("Variable") != nil {
				if hint := near(m.key, operators()); hint != "" {
					d.Hint = hint
				}
				return true
			}
		}
	}
	return false
}

// comparison checks that the rule says one thing.
func (v *validator) comparison(n *node, at string, compared []string) {
	var kinds []string
	for _, k := range []string{"And", "Or", "Not", "Variable"} {
		if n.get(k) != nil {
			kinds = append(kinds, k)
		}
	}
	switch {
	case len(kinds) != 1:
		v.schema(n.pos, at, "a rule has a Variable and a comparison, or one of And, Or, Not", "The object must have only one of the following fields, [And, Or, Not, Variable, Condition]")
	case kinds[0] == "Variable" && len(compared) == 0:
		v.schema(n.pos, at, "add a comparison such as \"StringEquals\"", "This object should have only one of the following fields: [%s]", strings.Join(operators(), ", "))
	case kinds[0] == "Variable" && len(compared) > 1:
		v.schema(n.pos, at, fmt.Sprintf("keep one of %s, or combine them with \"And\"", quoteList(compared, "and")), "There should only be one of the following fields: [%s]", strings.Join(compared, ", "))
	case kinds[0] != "Variable" && len(compared) > 0:
		v.schema(n.keyPos(compared[0]), at, fmt.Sprintf("remove it, or move it into %q", kinds[0]), "Field '%s' is not supported", compared[0])
	}
}

func inner(v *validator, f field) {
	if f.name == "Not" {
		v.choice(f.value, f.at, f, false)
		return
	}
	if !v.array(f, true) {
		return
	}
	for i, item := range f.value.items {
		v.choice(item, entry(f.at, i), f, false)
	}
}

func condition(v *validator, f field) {
	switch f.value.kind {
	case kindBool:
	case kindString:
		v.mustBeExpression(f)
	default:
		v.wrongType(f.value, f.at, kindBool)
	}
}

const notReference = "Value is not a Reference Path: Reference path didn't start with '$'"

// variable is a path to what is compared.
func variable(v *validator, f field) {
	if f.value.kind != kindString {
		v.wrongType(f.value, f.at, kindString)
		return
	}
	if !strings.HasPrefix(f.value.text, "$") {
		v.schema(f.value.pos, f.at, fmt.Sprintf("write a path, such as $.%s", strings.TrimLeft(f.value.text, ".")), notReference)
		return
	}
	if _, err := jsonpath.Parse(f.value.text); err != nil && !placeholder(f.value.text) {
		v.schema(f.value.pos, f.at, err.Error(), badPath)
	}
}

// operand checks what the variable is compared with.
func operand(want kind) func(*validator, field) {
	return func(v *validator, f field) {
		switch {
		case strings.HasSuffix(f.name, "Path"):
			variable(v, f)
		case f.value.kind != want:
			v.wrongType(f.value, f.at, want)
		case strings.HasPrefix(f.name, "Timestamp"):
			timestamp(v, f)
		case want == kindString && (strings.HasPrefix(f.value.text, "$.") || strings.HasPrefix(f.value.text, "$$.")):
			v.report(SeverityWarning, codeNoPath, f.pos, f.at, fmt.Sprintf("use %q to compare with the value there", f.name+"Path"), "The value of field '%s' looks like a path, but the name does not end with 'Path'", f.name)
		}
	}
}
