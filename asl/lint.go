package asl

import (
	"fmt"
	"slices"
)

// LintRule is one rule of good practice.
type LintRule struct {
	Name string // as diagnostics and documentation name it
	Doc  string // what is asked for and why, in a sentence or two

	check func(*linter)
}

// LintRules are all rules, in the order of the documentation.
var LintRules = []LintRule{
	{"machine-comment", "The state machine's comment says what starts it, what it takes and gives, and whether it is safe to run again.", lintMachineComment},
	{"state-comment", "Every state has a comment which says why it is there or what it guarantees, and does not repeat its name.", lintStateComment},
	{"query-language", "The query language is named once, at the top, so that nobody has to look at each state to read a path.", lintQueryLanguage},
	{"state-name-case", "Names are PascalCase letters and digits, 80 at most: they stand in test paths, metrics and documents.", lintNameCase},
	{"state-name-type", "A name tells the state's type: Choice Is…, Has… or Needs…; Wait and callbacks WaitFor…; Map ForEach…; Parallel All…; Pass Set…; Fail …Failed; Succeed …Done; Task a verb and a noun.", lintNameType},
	{"state-name-unique", "A name is used once in the whole file, branches and item processors included, so that a history names one state.", lintNameUnique},
	{"unreachable-state", "Every state can be reached from StartAt of its machine.", lintUnreachable},
	{"no-way-out", "From every state some way leads to an end: a loop without exit runs until the quota of 25,000 events kills it.", lintNoWayOut},
	{"end-state", "At the top level a run ends in a Succeed or Fail state, so that each outcome has a name.", lintEndState},
	{"choice-default", "Every Choice has a Default: without one, data that nobody thought of fails with States.NoChoiceMatched.", lintChoiceDefault},
	{"task-timeout", "Every Task has a time-out: the default is a year.", lintTaskTimeout},
	{"callback-timeout", "A Task that waits for a token or an activity has a heartbeat or a time-out, since nobody may ever answer.", lintCallbackTimeout},
	{"retry-shape", "A retrier writes IntervalSeconds, BackoffRate and MaxAttempts, so that its schedule can be read where it stands.", lintRetryShape},
	{"retry-jitter", "A retrier has JitterStrategy FULL, or parallel branches that fail together retry together.", lintRetryJitter},
	{"lambda-retry", "A Task that invokes a function retries the Lambda service's own passing errors.", lintLambdaRetry},
	{"catch-keeps-error", "A catcher puts the error beside the input with ResultPath, so that neither is lost to the states that follow.", lintCatch},
}

// Lint checks good practice: the diagnostics have a Rule, severity WARNING,
// and the order of the text. The definition need not be valid, but only a
// valid one is judged well.
func (d *Definition) Lint() []Diagnostic {
	l := &linter{d: d}
	for i := range LintRules {
		l.rule = LintRules[i].Name
		LintRules[i].check(l)
	}
	sortDiagnostics(l.out)
	return l.out
}

type linter struct {
	d    *Definition
	rule string
	out  []Diagnostic
}

func (l *linter) report(p Pos, location, format string, args ...any) {
	l.out = append(l.out, Diagnostic{Pos: p, Severity: SeverityWarning, Code: l.rule, Rule: l.rule, Location: location, Message: fmt.Sprintf(format, args...)})
}

// states calls each for every state of these types; of all types where none are given.
func (l *linter) states(each func(*State), types ...string) {
	for _, s := range l.d.All() {
		if len(types) == 0 || slices.Contains(types, s.Type) {
			each(s)
		}
	}
}

// machines calls each for the machine itself and those inside its states.
func (l *linter) machines(each func(*Definition)) {
	each(l.d)
	for _, s := range l.d.All() {
		for _, m := range s.Machines() {
			each(m)
		}
	}
}
