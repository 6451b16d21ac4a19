package cfn

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// ReadParams reads a file of parameter values, in JSON or YAML. It takes the
// forms that AWS's own tools take: a list of {ParameterKey, ParameterValue} or
// of "Name=Value" (the CLI), a map with a Parameters map in it (CodePipeline), and
// a plain map of names to values. A list as a value becomes comma-separated text; an
// entry with UsePreviousValue gives none. An error is a *Problem with its place.
func ReadParams(path string, src []byte) (map[string]string, error) {
	l := &loader{path: path}
	root, problem := l.read(src)
	if problem == nil && len(l.problems) > 0 {
		problem = l.problems[0]
	}
	if problem != nil {
		problem.notTemplate = false
		if len(strings.TrimSpace(string(l.src))) == 0 && len(l.src) == len(src) {
			problem.Message = "the parameter file is empty; write {} for no values"
		}
		return nil, problem
	}
	values := make(map[string]string)
	switch root.Kind {
	case Map:
		fields := root.Fields
		if inner := root.Get("Parameters"); inner.IsKind(Map) {
			fields = inner.Fields
		}
		for _, f := range fields {
			text, problem := l.paramText(f.Key, f.Pos, f.Value)
			if problem != nil {
				return nil, problem
			}
			values[f.Key] = text
		}
	case List:
		places := make(map[string]Pos, len(root.Items))
		for _, item := range root.Items {
			name, text, given, problem := l.paramItem(item)
			if problem != nil {
				return nil, problem
			}
			if first, twice := places[name]; twice {
				return nil, l.problem(item.Pos, "parameter %q has a value already, on line %d. keep one", name, first.Line)
			}
			if places[name] = item.Pos; given {
				values[name] = text
			}
		}
	default:
		return nil, l.problem(root.Pos, "a parameter file is a map of names to values or a list of {ParameterKey, ParameterValue}, not %s", aKind(root))
	}
	return values, nil
}

// paramItem reads one entry of the list form.
func (l *loader) paramItem(item *Value) (name, text string, given bool, problem *Problem) {
	if item.Kind == String {
		name, text, err := ParseParam(item.Text)
		if err != nil {
			return "", "", false, l.problem(item.Pos, "%s", err)
		}
		return name, text, true, nil
	}
	key := item.Get("ParameterKey")
	if !key.IsKind(String) || key.Text == "" {
		return "", "", false, l.problem(item.Pos, "an entry without a ParameterKey; each entry is {ParameterKey: name, ParameterValue: text} or \"name=value\"")
	}
	value := item.Get("ParameterValue")
	if value == nil {
		if previous := item.Get("UsePreviousValue"); previous != nil && strings.EqualFold(previous.Text, "true") {
			return key.Text, "", false, nil
		}
		return "", "", false, l.problem(item.Pos, "parameter %q has no ParameterValue", key.Text)
	}
	text, problem = l.paramText(key.Text, value.Pos, value)
	return key.Text, text, true, problem
}

// paramText is a value as CloudFormation takes it: text, a list as its items
// with commas between them.
func (l *loader) paramText(name string, at Pos, v *Value) (string, *Problem) {
	switch v.Kind {
	case String, Number, Bool:
		return v.Text, nil
	case List:
		texts := make([]string, 0, len(v.Items))
		for _, item := range v.Items {
			if item.Kind != String && item.Kind != Number && item.Kind != Bool {
				return "", l.problem(item.Pos, "parameter %q has %s in its list; a list of texts is allowed", name, aKind(item))
			}
			texts = append(texts, item.Text)
		}
		return strings.Join(texts, ","), nil
	}
	return "", l.problem(at, "the value of parameter %q is %s; text, a number, true, false or a list of these is allowed", name, aKind(v))
}

// ParseParam parts "Name=Value", as written on a command line. The value may
// be empty and may hold further equals signs; quotes belong to it.
func ParseParam(s string) (name, value string, err error) {
	name, value, ok := strings.Cut(s, "=")
	switch {
	case !ok:
		return "", "", fmt.Errorf("parameter %q has no value. write Name=Value", s)
	case name == "":
		return "", "", errors.New("a parameter without a name. write Name=Value")
	}
	for _, c := range name {
		if c >= utf8.RuneSelf || !isWordByte(byte(c)) {
			return "", "", fmt.Errorf("parameter name %q holds %q; names are letters and digits. write Name=Value", name, c)
		}
	}
	return name, value, nil
}
