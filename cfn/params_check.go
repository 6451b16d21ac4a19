package cfn

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"plumbline/internal/nearest"
)

// CheckParams says what CloudFormation would refuse of given parameter values:
// names that the template does not declare, and values that their declaration
// does not allow. Problems about an unknown name have no place in the template
// and a zero Pos. Who scans many templates with one set of values passes on to each
// only what it declares (see Parameter), and tells apart a name that none declares.
func (t *Template) CheckParams(given map[string]string) []*Problem {
	var problems []*Problem
	for _, name := range slices.Sorted(maps.Keys(given)) {
		p := t.Parameter(name)
		if p == nil {
			problems = append(problems, t.unknownParam(name))
			continue
		}
		if problem := t.checkParam(p, given[name]); problem != nil {
			problems = append(problems, problem)
		}
	}
	return problems
}

func (t *Template) unknownParam(name string) *Problem {
	names := make([]string, 0, len(t.Parameters))
	for _, p := range t.Parameters {
		names = append(names, p.Name)
	}
	switch near := nearest.Of(name, names); {
	case len(names) == 0:
		return problemf(t.Path, Pos{}, "parameter %q is not declared: the template has no parameters", name)
	case near != "":
		return problemf(t.Path, Pos{}, "parameter %q is not declared. did you mean %q?", name, near)
	}
	return problemf(t.Path, Pos{}, "parameter %q is not declared. declared are %s", name, strings.Join(names, ", "))
}

// checkParam checks one value against its declaration. A value of a type that
// Systems Manager resolves is a name there, so only AllowedValues speak of it.
func (t *Template) checkParam(p *Parameter, value string) *Problem {
	shown := strconv.Quote(value)
	if p.NoEcho {
		shown = "****"
	}
	items := []string{value}
	if isListType(p.Type) {
		items = strings.Split(value, ",")
		for i := range items {
			items[i] = strings.TrimSpace(items[i])
		}
	}
	if p.Body.Get("AllowedValues").IsKind(List) {
		for _, item := range items {
			if !slices.Contains(p.AllowedValues, item) {
				return problemf(t.Path, p.Body.Get("AllowedValues").Pos, "parameter %q cannot be %s. allowed are %s", p.Name, shown, strings.Join(p.AllowedValues, ", "))
			}
		}
	}
	if strings.HasPrefix(p.Type, "AWS::SSM::Parameter::") {
		return nil
	}
	if p.Type == "Number" || p.Type == "List<Number>" {
		for _, item := range items {
			n, err := strconv.ParseFloat(item, 64)
			if err != nil || !isNumberText(item) {
				return problemf(t.Path, p.Pos, "parameter %q has type %s and cannot be %s", p.Name, p.Type, shown)
			}
			if bound := p.Body.Get("MinValue"); below(n, bound) {
				return problemf(t.Path, bound.Pos, "parameter %q cannot be %s: the least allowed is %s", p.Name, shown, bound.Text)
			}
			if bound := p.Body.Get("MaxValue"); above(n, bound) {
				return problemf(t.Path, bound.Pos, "parameter %q cannot be %s: the most allowed is %s", p.Name, shown, bound.Text)
			}
		}
	}
	if p.Type != "String" {
		return nil
	}
	if n, bound := float64(utf8.RuneCountInString(value)), p.Body.Get("MinLength"); below(n, bound) {
		return problemf(t.Path, bound.Pos, "parameter %q has %d characters: the least allowed is %s", p.Name, int(n), bound.Text)
	}
	if n, bound := float64(utf8.RuneCountInString(value)), p.Body.Get("MaxLength"); above(n, bound) {
		return problemf(t.Path, bound.Pos, "parameter %q has %d characters: the most allowed is %s", p.Name, int(n), bound.Text)
	}
	if pattern := p.Body.Get("AllowedPattern"); pattern.IsKind(String) && pattern.Text != "" {
		// CloudFormation's expressions are Java's; one that Go cannot read is left to it.
		if re, err := regexp.Compile(`^(?:` + pattern.Text + `)$`); err == nil && !re.MatchString(value) {
			return problemf(t.Path, pattern.Pos, "parameter %q cannot be %s: it must match %s%s", p.Name, shown, pattern.Text, constraint(p))
		}
	}
	return nil
}

// constraint is what the template's author says of a value that does not match.
func constraint(p *Parameter) string {
	if c := p.Body.Get("ConstraintDescription"); c.IsKind(String) && c.Text != "" {
		return " (" + c.Text + ")"
	}
	return ""
}

func isListType(typ string) bool {
	return typ == "CommaDelimitedList" || strings.HasPrefix(typ, "List<")
}

func below(n float64, bound *Value) bool {
	b, ok := bound.Float()
	return ok && n < b
}

func above(n float64, bound *Value) bool {
	b, ok := bound.Float()
	return ok && n > b
}
