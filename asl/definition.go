// Package asl is the Amazon States Language as a model: parse, validate, lint
// and draw state machine definitions. It knows no AWS SDK, no HTTP, no SQL,
// and nothing of plumbline. The engine that runs a Definition is asl/engine.
package asl

import "encoding/json"

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

	byName map[string]*State
	fields map[string]Pos // where each field stands
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

	fields map[string]Pos // where each field stands
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

// State returns the state of this name in this machine itself, nil if there is none.
func (d *Definition) State(name string) *State { return d.byName[name] }

// Diagnostic is one problem of a definition: an AWS code from validation
// (SCHEMA_VALIDATION_FAILED, MISSING_TRANSITION_TARGET, …) or a lint rule's name.
type Diagnostic struct {
	Pos      Pos
	Severity string // ERROR or WARNING
	Code     string
	Message  string // what is wrong, what is allowed, what to do
	Location string // JSON pointer such as /States/Fetch/Next
	Rule     string // lint only: the rule's name, such as task-timeout
}
