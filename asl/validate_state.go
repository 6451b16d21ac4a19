package asl

import (
	"fmt"
	"strings"

	"plumbline/internal/nearest"
)

var stateTypes = []string{"Task", "Parallel", "Map", "Pass", "Wait", "Choice", "Succeed", "Fail"}

// state checks one state.
func (v *validator) state(s *State) {
	typ := s.node.get("Type")
	if typ == nil {
		v.schema(s.Pos, s.pointer, "add \"Type\": one of "+strings.Join(stateTypes, ", "), "These fields are required: [Type]")
		return
	}
	if v.downgraded(s) {
		v.schema(s.node.keyPos("QueryLanguage"), s.pointer, "remove it, or set it state by state instead", "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine")
	}
	rules, required := stateRules(s)
	if rules == nil {
		f := field{"Type", s.node.keyPos("Type"), typ, child(s.pointer, "Type"), "", s}
		oneOf(stateTypes...)(v, f)
		return
	}
	v.object(s.node, s.Pos, s.pointer, s, s.Language(), rules, required...)
	v.exclusive(s)
}

// stateRules are the fields of the state's type and those it must have; nil
// for a type that does not exist.
func stateRules(s *State) (rules []rule, required []string) {
	rules = []rule{
		{"Type", "", stringField},
		{"Comment", "", stringField},
		{"QueryLanguage", "", oneOf(JSONPath, JSONata)},
	}
	if s.Type != "Fail" {
		rules = append(rules,
			rule{"InputPath", JSONPath, ioPath},
			rule{"OutputPath", JSONPath, ioPath},
			rule{"Output", JSONata, template})
	}
	switch s.Type {
	case "Task", "Parallel", "Map", "Pass", "Wait":
		rules = append(rules, rule{"Next", "", stringField}, rule{"End", "", boolField}, rule{"Assign", "", assign})
	case "Choice":
		rules = append(rules, rule{"Assign", "", assign})
	}
	switch s.Type {
	case "Task", "Parallel", "Map":
		rules = append(rules,
			rule{"ResultPath", JSONPath, resultPath},
			rule{"ResultSelector", JSONPath, template},
			rule{"Parameters", JSONPath, template},
			rule{"Retry", "", retry},
			rule{"Catch", "", catch})
	}
	switch s.Type {
	case "Task":
		rules = append(rules,
			rule{"Resource", "", resource},
			rule{"Arguments", JSONata, template},
			rule{"Credentials", "", credentials},
			rule{"TimeoutSeconds", "", integer(1, maxSeconds)},
			rule{"TimeoutSecondsPath", JSONPath, numberPath(true)},
			rule{"HeartbeatSeconds", "", integer(1, maxSeconds)},
			rule{"HeartbeatSecondsPath", JSONPath, numberPath(true)})
		required = []string{"Resource"}
	case "Parallel":
		rules = append(rules,
			rule{"Arguments", JSONata, template},
			rule{"Branches", "", branches})
		required = []string{"Branches"}
	case "Map":
		rules = append(rules, mapRules()...)
	case "Pass":
		rules = append(rules,
			rule{"Result", JSONPath, staticResult},
			rule{"ResultPath", JSONPath, resultPath},
			rule{"Parameters", JSONPath, template})
	case "Wait":
		rules = append(rules,
			rule{"Seconds", "", integer(0, maxSeconds)},
			rule{"SecondsPath", JSONPath, numberPath(true)},
			rule{"Timestamp", "", timestamp},
			rule{"TimestampPath", JSONPath, numberPath(true)})
	case "Choice":
		rules = append(rules, rule{"Choices", "", choices}, rule{"Default", "", stringField})
		required = []string{"Choices"}
	case "Fail":
		rules = append(rules,
			rule{"Error", "", stringField}, rule{"ErrorPath", JSONPath, pathOrCall},
			rule{"Cause", "", stringField}, rule{"CausePath", JSONPath, pathOrCall})
	case "Succeed":
	default:
		return nil, nil
	}
	return rules, required
}

// exclusive checks the fields of which only one may be there.
func (v *validator) exclusive(s *State) {
	only := func(need bool, names ...string) { v.only(s.node, s.Pos, s.pointer, need, names...) }
	switch s.Type {
	case "Task", "Parallel", "Map", "Pass", "Wait":
		v.nextOrEnd(s)
	}
	switch s.Type {
	case "Task":
		only(false, "TimeoutSeconds", "TimeoutSecondsPath")
		only(false, "HeartbeatSeconds", "HeartbeatSecondsPath")
		v.heartbeat(s)
	case "Wait":
		only(true, "SecondsPath", "Seconds", "TimestampPath", "Timestamp")
	case "Fail":
		only(false, "Error", "ErrorPath")
		only(false, "Cause", "CausePath")
	case "Map":
		only(true, "ItemProcessor", "Iterator")
		only(false, "ItemSelector", "Parameters")
		only(false, "MaxConcurrency", "MaxConcurrencyPath")
		only(false, "ToleratedFailureCount", "ToleratedFailureCountPath")
		only(false, "ToleratedFailurePercentage", "ToleratedFailurePercentagePath")
	}
}

// nextOrEnd: a state goes on or ends, and "End": false does neither.
func (v *validator) nextOrEnd(s *State) {
	end := s.node.get("End")
	switch ends := end != nil && string(end.raw) != "false"; {
	case s.Has("Next") && ends:
		v.schema(s.node.keyPos("End"), s.pointer, `keep "Next" or "End", not both`, "There should only be one of the following fields: [Next, End]")
	case !s.Has("Next") && !ends:
		v.schema(s.Pos, s.pointer, `add "Next" with a state's name, or "End": true`, "This object should have only one of the following fields: [Next, End]")
	}
}

// heartbeat: a heartbeat that comes after the time-out never does anything.
func (v *validator) heartbeat(s *State) {
	beat, limit := numberOf(s.node.get("HeartbeatSeconds")), numberOf(s.node.get("TimeoutSeconds"))
	if beat != nil && limit != nil && *beat >= *limit {
		v.schema(s.node.keyPos("HeartbeatSeconds"), child(s.pointer, "HeartbeatSeconds"), fmt.Sprintf("choose less than the time-out of %g", *limit), "HeartbeatSeconds cannot be greater than or equal to TimeoutSeconds")
	}
}

func branches(v *validator, f field) {
	if !v.array(f, true) {
		return
	}
	next := 0
	for i, item := range f.value.items {
		at := entry(f.at, i)
		if item.kind != kindObject {
			v.wrongType(item, at, kindObject)
			continue
		}
		v.machine(f.state.Branches[next], item, at)
		next++
	}
}

func retry(v *validator, f field) {
	if !v.array(f, false) {
		return
	}
	for i, item := range f.value.items {
		at := entry(f.at, i)
		v.object(item, item.pos, at, nil, f.lang, []rule{
			{"Comment", "", stringField},
			{"ErrorEquals", "", errorEquals(i == len(f.value.items)-1)},
			{"IntervalSeconds", "", integer(1, maxSeconds)},
			{"MaxAttempts", "", integer(0, maxSeconds)},
			{"BackoffRate", "", number(1, 0)},
			{"MaxDelaySeconds", "", integer(1, maxDelay)},
			{"JitterStrategy", "", oneOf("NONE", "FULL")},
		}, "ErrorEquals")
	}
}

func catch(v *validator, f field) {
	if !v.array(f, false) {
		return
	}
	for i, item := range f.value.items {
		at := entry(f.at, i)
		v.object(item, item.pos, at, nil, f.lang, []rule{
			{"Comment", "", stringField},
			{"ErrorEquals", "", errorEquals(i == len(f.value.items)-1)},
			{"Next", "", stringField},
			{"ResultPath", JSONPath, resultPath},
			{"Assign", "", assign},
			{"Output", JSONata, template},
		}, "ErrorEquals", "Next")
	}
}

// errorEquals checks the names of errors; States.ALL stands alone in the last entry.
func errorEquals(last bool) func(*validator, field) {
	return func(v *validator, f field) {
		if !v.array(f, true) {
			return
		}
		for i, item := range f.value.items {
			if item.kind != kindString {
				v.wrongType(item, entry(f.at, i), kindString)
				continue
			}
			if item.text == "States.ALL" && (!last || len(f.value.items) > 1) {
				v.schema(item.pos, f.at, "move it into an entry of its own at the end", "States.ALL must appear alone and at end of list")
			}
		}
	}
}

// assign checks a map of variables to templates.
func assign(v *validator, f field) {
	if f.value.kind != kindObject {
		v.wrongType(f.value, f.at, kindObject)
		return
	}
	for _, m := range f.value.members {
		name := strings.TrimSuffix(m.key, ".$")
		switch {
		case name == "states":
			v.report(SeverityError, codeReserved, m.pos, f.at, "choose another name", "Cannot assign to reserved variable '$states'.")
		case !variableName(name):
			v.report(SeverityError, codeVariable, m.pos, f.at, "a name begins with a letter and goes on with letters, digits and _, 80 characters at most", "Invalid variable name '%s': the variable name contains invalid characters.", name)
		}
	}
	template(v, f)
}

func variableName(s string) bool {
	for i, r := range s {
		letter := r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || r > 0x7F
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != "" && len(s) <= maxStateName
}

func credentials(v *validator, f field) {
	if f.lang == JSONata && f.value.kind == kindString {
		template(v, f)
		return
	}
	if f.value.kind != kindObject {
		v.wrongType(f.value, f.at, kindObject)
		return
	}
	role := false
	for _, m := range f.value.members {
		switch name := strings.TrimSuffix(m.key, ".$"); {
		case name == "RoleArn":
			role = true
		case strings.EqualFold(name, "RoleArn"): // the language's specification leaves the field's case open
			role = true
		}
	}
	if !role {
		v.schema(f.pos, f.at, "", "The field 'RoleArn' is required but was missing")
	}
	if activity(f.state.Resource) {
		v.schema(f.pos, f.at, "remove it", "The field 'Credentials' is not supported for activities")
	}
	template(v, f)
}

// near is a suggestion for a misspelt word, or the list of those there are.
func near(got string, words []string) string {
	if n := nearest.Of(got, words); n != "" {
		return fmt.Sprintf("did you mean %q?", n)
	}
	return ""
}
