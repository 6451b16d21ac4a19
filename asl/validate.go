package asl

import (
	"fmt"
	"slices"
	"strings"

	"plumbline/internal/nearest"
)

// The types of a state machine.
const (
	Standard = "STANDARD"
	Express  = "EXPRESS"
)

// Codes of the diagnostics that AWS's validation returns.
const (
	codeNotJSON       = "INVALID_JSON_DESCRIPTION"
	codeMissing       = "MISSING_DESCRIPTION"
	codeSchema        = "SCHEMA_VALIDATION_FAILED"
	codeTarget        = "MISSING_TRANSITION_TARGET"
	codeEnd           = "MISSING_END_STATE"
	codeDuplicate     = "DUPLICATE_STATE_NAME"
	codeStateName     = "INVALID_STATE_NAME"
	codeLabel         = "INVALID_LABEL_NAME"
	codeSameLabel     = "DUPLICATE_LABEL_NAME"
	codeVariable      = "INVALID_VARIABLE_NAME"
	codeReserved      = "RESERVED_VARIABLE_NAME"
	codeNoDollar      = "NO_DOLLAR"
	codeNoPath        = "NO_PATH"
	codeStaticResult  = "PASS_RESULT_IS_STATIC"
	maxStateName      = 80       // characters
	maxSeconds        = 99999999 // of every time-out, wait and interval
	maxDelay          = 31622400 // MaxDelaySeconds: below this, a year
	maxDefinitionSize = 1 << 20  // bytes
)

// Validate says whether AWS would accept the definition for a Standard state
// machine: the diagnostics of ValidateStateMachineDefinition with its codes,
// words and places, errors and warnings. No error among them means that it
// would. JSONata expressions are not parsed, and whether ARNs exist is not known.
func (d *Definition) Validate() []Diagnostic { return d.ValidateAs(Standard) }

// ValidateAs is Validate for a state machine of this type, Standard or Express.
func (d *Definition) ValidateAs(machineType string) []Diagnostic {
	v := &validator{machineType: machineType}
	v.machine(d, d.node, "")
	v.names(d)
	v.transitions(d)
	for _, s := range d.All() {
		for _, m := range s.Machines() {
			v.transitions(m)
		}
	}
	return v.out
}

// Check validates a text as ValidateStateMachineDefinition does: what Parse
// refuses is a diagnostic too. "" for machineType means Standard.
func Check(src []byte, machineType string) []Diagnostic {
	if len(src) > maxDefinitionSize {
		return []Diagnostic{{Pos: Pos{1, 1}, Severity: SeverityError, Code: codeSchema, Message: "The definition is longer than the maximum of 1048576 bytes"}}
	}
	if strings.TrimSpace(string(src)) == "" {
		return []Diagnostic{{Pos: Pos{1, 1}, Severity: SeverityError, Code: codeMissing, Message: "No description provided"}}
	}
	root, syn := parseJSON(src)
	if syn != nil {
		return []Diagnostic{syn.diagnostic(src)}
	}
	if root.kind != kindObject {
		return []Diagnostic{{Pos: root.pos, Severity: SeverityError, Code: codeSchema, Message: "Expected value of type [OBJECT]", Location: "/"}}
	}
	types := &builder{} // what it reports of types the validator reports in AWS's words
	d := types.definition(root, "", nil)
	twice := &builder{}
	twice.duplicates(root, "")
	return append(twice.problems, d.ValidateAs(machineType)...)
}

// HasErrors reports whether a diagnostic among these refuses the definition.
func HasErrors(ds []Diagnostic) bool {
	return slices.ContainsFunc(ds, func(d Diagnostic) bool { return d.Severity == SeverityError })
}

// diagnostic is the error in AWS's words, which quote the text's beginning.
func (e *syntaxError) diagnostic(src []byte) Diagnostic {
	const shown = 500
	text, cut := src, ""
	if len(src) > shown {
		text, cut = src[:shown], fmt.Sprintf("[truncated %d chars]", len(src)-shown)
	}
	source := func(p Pos) string {
		return fmt.Sprintf("[Source: (String)\"%s\"%s; line: %d, column: %d]", text, cut, p.Line, p.Column)
	}
	message := e.aws
	if e.open != (Pos{}) {
		message += " (start marker at " + source(e.open) + ")"
	}
	place := source(e.awsPos)
	return Diagnostic{Pos: e.pos, Severity: SeverityError, Code: codeNotJSON, Message: message + "\n at " + place, Location: place, Hint: e.message}
}

// validator collects diagnostics.
type validator struct {
	machineType string
	out         []Diagnostic
}

func (v *validator) report(severity, code string, p Pos, location, hint, format string, args ...any) {
	if location == "" && code == codeSchema {
		location = "/"
	}
	v.out = append(v.out, Diagnostic{Pos: p, Severity: severity, Code: code, Location: location, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// schema reports an error of the most common code.
func (v *validator) schema(p Pos, location, hint, format string, args ...any) {
	v.report(SeverityError, codeSchema, p, location, hint, format, args...)
}

// field is a member of an object under validation.
type field struct {
	name  string
	pos   Pos // of the name
	value *node
	at    string // location of the field
	lang  string
	state *State // nil outside states
}

// rule is what an object may hold under one name.
type rule struct {
	name  string
	lang  string // "" in both query languages
	check func(*validator, field)
}

// object checks one JSON object: its fields against the rules, and those that
// must be there. It reports whether n is an object at all.
func (v *validator) object(n *node, pos Pos, at string, s *State, lang string, rules []rule, required ...string) bool {
	if n.kind != kindObject {
		v.wrongType(n, at, kindObject)
		return false
	}
	var missing []string
	for _, name := range required {
		if n.get(name) == nil {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		v.schema(pos, at, fmt.Sprintf("add %s", quoteList(missing, "and")), "These fields are required: [%s]", strings.Join(missing, ", "))
	}
	mixed := s != nil && v.downgraded(s)
	for i, m := range n.members {
		if slices.ContainsFunc(n.members[i+1:], func(o member) bool { return o.key == m.key }) {
			continue // a duplicate: Parse reports it, the last one counts
		}
		k := slices.IndexFunc(rules, func(r rule) bool { return r.name == m.key })
		if k < 0 {
			v.schema(m.pos, at, unknownHint(m.key, rules, lang), "Field '%s' is not supported", m.key)
			continue
		}
		r := rules[k]
		if r.lang != "" && r.lang != lang {
			if !mixed {
				v.schema(m.pos, at, otherLanguageHint(m.key, lang), "The QueryLanguage is set to '%s', but field '%s' is only supported for the '%s' QueryLanguage", lang, m.key, r.lang)
			}
			continue
		}
		if r.check != nil {
			r.check(v, field{m.key, m.pos, m.value, child(at, m.key), lang, s})
		}
	}
	return true
}

// downgraded reports whether the state asks for JSONPath in a JSONata machine,
// which is one error and hides those about its fields' language.
func (v *validator) downgraded(s *State) bool {
	return s.QueryLanguage == JSONPath && s.machine.Language() == JSONata
}

// only reports where more than one of the names is there; with need also where none is.
func (v *validator) only(n *node, pos Pos, at string, need bool, names ...string) {
	var got []string
	p := pos
	for _, name := range names {
		if n.get(name) != nil {
			got = append(got, name)
			p = n.keyPos(name)
		}
	}
	list := strings.Join(names, ", ")
	switch {
	case len(got) > 1:
		v.schema(p, at, fmt.Sprintf("keep one of %s", quoteList(got, "and")), "There should only be one of the following fields: [%s]", list)
	case len(got) == 0 && need:
		v.schema(pos, at, fmt.Sprintf("add %s", quoteList(names, "or")), "This object should have only one of the following fields: [%s]", list)
	}
}

// machine checks a whole state machine or one inside a state.
func (v *validator) machine(d *Definition, n *node, at string) {
	rules := []rule{
		{"Comment", "", stringField},
		{"StartAt", "", stringField},
		{"States", "", func(v *validator, f field) { v.states(d, f) }},
	}
	pos := n.pos
	switch {
	case d.owner == nil:
		rules = append(rules,
			rule{"QueryLanguage", "", oneOf(JSONPath, JSONata)},
			rule{"Version", "", oneOf("1.0")},
			rule{"TimeoutSeconds", "", integer(1, maxSeconds)})
	case d.owner.Type == "Map":
		rules = append(rules, rule{"ProcessorConfig", "", processorConfig})
		pos = d.Pos
	}
	v.object(n, pos, at, nil, d.Language(), rules, "States", "StartAt")
}

func (v *validator) states(d *Definition, f field) {
	if f.value.kind != kindObject {
		v.wrongType(f.value, f.at, kindObject)
		return
	}
	if len(f.value.members) == 0 {
		v.empty(f, "define at least one state")
	}
	next := 0
	for _, m := range f.value.members {
		if m.value.kind != kindObject {
			v.wrongType(m.value, child(f.at, m.key), kindObject)
			continue
		}
		v.state(d.States[next])
		next++
	}
}

// quoteList is the names as "a", "b" and "c".
func quoteList(names []string, last string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = fmt.Sprintf("%q", n)
	}
	if len(quoted) == 1 {
		return quoted[0]
	}
	return strings.Join(quoted[:len(quoted)-1], ", ") + " " + last + " " + quoted[len(quoted)-1]
}

// unknownHint says which name was probably meant, else which there are.
func unknownHint(name string, rules []rule, lang string) string {
	var known []string
	for _, r := range rules {
		if r.lang == "" || r.lang == lang {
			known = append(known, r.name)
		}
	}
	if near := nearest.Of(name, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return "remove it. allowed are " + strings.Join(known, ", ")
}

func otherLanguageHint(name, lang string) string {
	counterpart := map[string]string{
		"Parameters": "Arguments", "ItemsPath": "Items", "ResultSelector": "Output", "ResultPath": "Output", "OutputPath": "Output",
		"Arguments": "Parameters", "Items": "ItemsPath", "Condition": "Variable and a comparison", "Variable": "Condition",
	}[name]
	if counterpart == "" || lang == JSONPath && name == "Output" {
		return "remove it, or set \"QueryLanguage\""
	}
	return fmt.Sprintf("in %s use %s", lang, counterpart)
}
