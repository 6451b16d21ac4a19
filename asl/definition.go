package asl

import (
	"encoding/json"
	"fmt"
	"iter"
	"strings"
)

// Query languages.
const (
	JSONPath = "JSONPath"
	JSONata  = "JSONata"
)

// Definition is a parsed state machine, or the sub-machine of a Map's
// ItemProcessor or a Parallel's branch. It is immutable after Parse.
type Definition struct {
	Comment        string
	StartAt        string
	QueryLanguage  string // "" at the top means JSONPath; in a sub-machine: inherited
	Version        string
	TimeoutSeconds *float64
	States         []*State         // source order
	Processor      *ProcessorConfig // ItemProcessor only
	Pos            Pos

	byName  map[string]*State
	node    *node
	pointer string // where it stands, "" at the top
	owner   *State // nil at the top
}

// ProcessorConfig is a Map state's mode.
type ProcessorConfig struct {
	Mode          string // INLINE (default) or DISTRIBUTED
	ExecutionType string // STANDARD or EXPRESS; DISTRIBUTED only
}

// State is one state. Only the fields of its Type are set; a field that may be
// null in the language keeps the JSON text, and nil means it is not there.
type State struct {
	Name          string
	Type          string // Task, Pass, Choice, Wait, Succeed, Fail, Parallel, Map
	Comment       string
	QueryLanguage string // "" : the machine's
	Next          string
	End           bool
	Pos           Pos // of the state's name

	// Data flow, as written. Paths keep `null` as the text "null".
	InputPath, OutputPath, ResultPath                json.RawMessage
	Parameters, ResultSelector, Assign, Output, Args json.RawMessage // Args: Arguments

	// Task
	Resource                                 string
	TimeoutSeconds, HeartbeatSeconds         json.RawMessage // number, or a JSONata expression
	TimeoutSecondsPath, HeartbeatSecondsPath string
	Credentials                              json.RawMessage

	// Task, Map, Parallel
	Retry []*Retrier
	Catch []*Catcher

	Result json.RawMessage // Pass

	// Choice
	Choices []*Choice
	Default string

	// Wait
	Seconds, Timestamp         json.RawMessage
	SecondsPath, TimestampPath string

	// Fail
	Error, Cause         json.RawMessage
	ErrorPath, CausePath string

	Branches []*Definition // Parallel

	// Map
	ItemProcessor                  *Definition // Iterator is read as its older name
	ItemsPath                      json.RawMessage
	Items                          json.RawMessage // JSONata
	ItemSelector                   json.RawMessage // Parameters of a Map is its older name
	ItemReader, ResultWriter       json.RawMessage
	ItemBatcher                    json.RawMessage
	MaxConcurrency                 json.RawMessage
	MaxConcurrencyPath             string
	ToleratedFailureCount          json.RawMessage
	ToleratedFailureCountPath      string
	ToleratedFailurePercentage     json.RawMessage
	ToleratedFailurePercentagePath string
	Label                          string

	node    *node
	pointer string
	machine *Definition
}

// Retrier is one entry of Retry.
type Retrier struct {
	ErrorEquals     []string
	IntervalSeconds *float64 // nil: 1
	MaxAttempts     *float64 // nil: 3
	BackoffRate     *float64 // nil: 2.0
	MaxDelaySeconds *float64
	JitterStrategy  string // FULL or NONE (default)
	Comment         string
	Pos             Pos
}

// Catcher is one entry of Catch.
type Catcher struct {
	ErrorEquals []string
	ResultPath  json.RawMessage
	Assign      json.RawMessage
	Output      json.RawMessage // JSONata
	Next        string
	Comment     string
	Pos         Pos
}

// Choice is one rule of a Choice state: a comparison with And, Or, Not or a
// comparison operator, or in JSONata a Condition.
type Choice struct {
	Next      string // top level only
	Comment   string
	Assign    json.RawMessage
	Output    json.RawMessage // JSONata
	Condition json.RawMessage // JSONata
	And, Or   []*Choice
	Not       *Choice
	Variable  string
	Operator  string // StringEquals, NumericLessThanPath, IsPresent, …
	Operand   json.RawMessage
	Pos       Pos
}

// Pos is a place in the source, 1-based.
type Pos struct{ Line, Column int }

// String is the position as "line:column".
func (p Pos) String() string { return fmt.Sprintf("%d:%d", p.Line, p.Column) }

// Before reports whether p stands before q in the text.
func (p Pos) Before(q Pos) bool {
	return p.Line < q.Line || p.Line == q.Line && p.Column < q.Column
}

// State returns the state of this name in this machine itself, nil if there is none.
func (d *Definition) State(name string) *State { return d.byName[name] }

// All walks every state of the machine and of the machines inside it, each
// with the machine it belongs to: a state first, then what is inside it, in
// the order of the source.
func (d *Definition) All() iter.Seq2[*Definition, *State] {
	return func(yield func(*Definition, *State) bool) { d.walk(yield) }
}

func (d *Definition) walk(yield func(*Definition, *State) bool) bool {
	for _, s := range d.States {
		if !yield(d, s) {
			return false
		}
		for _, m := range s.Machines() {
			if !m.walk(yield) {
				return false
			}
		}
	}
	return true
}

// Machines are the machines inside the state: the branches of a Parallel, the
// item processor of a Map; none for any other type.
func (s *State) Machines() []*Definition {
	if s.ItemProcessor != nil {
		return []*Definition{s.ItemProcessor}
	}
	return s.Branches
}

// Owner is the Map or Parallel state this machine stands in, nil at the top.
func (d *Definition) Owner() *State { return d.owner }

// Source is the definition's JSON as it was written, or of a sub-machine its
// part; nil where it was not made by Parse. It must not be changed.
func (d *Definition) Source() json.RawMessage {
	if d.node == nil {
		return nil
	}
	return d.node.raw
}

// Machine is the machine the state belongs to.
func (s *State) Machine() *Definition { return s.machine }

// Language is the query language in force for the state: its own, else the one
// of the whole state machine. The language of a Map or Parallel is not handed
// on to the states inside it.
func (s *State) Language() string {
	if s.Has("QueryLanguage") {
		return language(s.QueryLanguage)
	}
	return s.machine.Language()
}

// Language is the query language of the machine's states that name none:
// JSONPath, unless the whole state machine says otherwise.
func (d *Definition) Language() string {
	for d.owner != nil {
		d = d.owner.machine
	}
	if d.node.get("QueryLanguage") == nil {
		return JSONPath
	}
	return language(d.QueryLanguage)
}

// language is what AWS takes a value for, also one that validation refuses.
func language(value string) string {
	if value == JSONPath {
		return JSONPath
	}
	return JSONata
}

// Location says where the machine stands in the whole text, as AWS writes
// places: /States/Each/ItemProcessor, "" at the top.
func (d *Definition) Location() string { return d.pointer }

// Location says where the state stands, such as /States/All/Branches[0]/States/Fetch.
func (s *State) Location() string { return s.pointer }

// FieldPos is where the machine's field of this name stands, or the machine
// itself where it has none.
func (d *Definition) FieldPos(name string) Pos {
	if p := d.node.keyPos(name); p != (Pos{}) {
		return p
	}
	return d.Pos
}

// FieldPos is where the state's field of this name stands, or the state's name
// where it has none.
func (s *State) FieldPos(name string) Pos {
	if p := s.node.keyPos(name); p != (Pos{}) {
		return p
	}
	return s.Pos
}

// Has reports whether the state is written with a field of this name, null or
// empty included.
func (s *State) Has(name string) bool { return s.node.get(name) != nil }

// Diagnostic is one problem of a definition: an AWS code from validation
// (SCHEMA_VALIDATION_FAILED, MISSING_TRANSITION_TARGET, …) or a lint rule's name.
type Diagnostic struct {
	Pos      Pos
	Severity string // ERROR or WARNING
	Code     string
	Message  string // what is wrong, what is allowed, what to do
	Location string // as AWS writes places: /States/Fetch/Catch[0]/Next; "" for the whole
	Hint     string // what is allowed and what to do, where Message keeps AWS's words
	Rule     string // lint only: the rule's name, such as task-timeout
}

// Severities of a Diagnostic.
const (
	SeverityError   = "ERROR"
	SeverityWarning = "WARNING"
)

// String is the diagnostic as a line for people, without the file's name:
// "14:9: state "Fetch" has no TimeoutSeconds. … [task-timeout]".
func (d Diagnostic) String() string {
	name := d.Rule
	if name == "" {
		name = d.Code
	}
	text := d.Message
	switch {
	case d.Hint == "":
	case d.Code == codeNotJSON: // AWS's words quote the whole text
		text = d.Hint
	default:
		text = strings.TrimSuffix(text, ".") + ". " + d.Hint
	}
	return fmt.Sprintf("%s: %s [%s]", d.Pos, text, name)
}
