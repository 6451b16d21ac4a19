package asltest

import (
	"context"
	"encoding/json"
	"time"

	"plumbline/asl"
)

// Endpoint runs state machines. Each Create makes a machine of its own, which
// answers tasks from its script only.
type Endpoint interface {
	// Name is how expected-failures.yaml calls the endpoint.
	Name() string
	Create(ctx context.Context, m Machine) (machine string, err error)
	Start(ctx context.Context, machine, name string, input json.RawMessage) (execution string, err error)
	Describe(ctx context.Context, execution string) (Description, error)
	// History is the events of the execution so far, and those of its
	// Distributed Maps' children where the endpoint knows them.
	History(ctx context.Context, execution string) ([]Event, error)
}

// Machine is a state machine to create.
type Machine struct {
	Name       string
	Definition []byte
	Type       string // STANDARD or EXPRESS
	Seed       uint64
	Start      time.Time         // where virtual time begins
	Script     *Script           // what its tasks answer
	Objects    map[string][]byte // by BUCKET/KEY

	// Workflow and Case are how MockConfig calls the state machine and its test
	// case, for endpoints that answer tasks from that file.
	Workflow, Case string
}

// Limited is an Endpoint that cannot run or show everything.
type Limited interface {
	// Skips is why the machine cannot run there, "" where it can. Replies to
	// states that wait for a token are then the endpoint's to give.
	Skips(m Machine) string
	// Hides reports whether histories lack what happens inside of a Map state
	// whose iterations are executions of their own.
	Hides(m *asl.State) bool
}

// Description is how an execution stands.
type Description struct {
	Status string // RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED
	Output json.RawMessage
	Error  string
	Cause  string
}

// Event is one event of a history.
type Event struct {
	Execution    string
	ID, Previous int64
	Type         string // TaskStateEntered, TaskFailed, …
	State        string // of …StateEntered and …StateExited
	Error        string
	Index        int             // of MapIterationStarted and the like
	Text         json.RawMessage // the whole event as GetExecutionHistory shows it
}

// Timed is an Endpoint whose time can be moved.
type Timed interface {
	// Settle returns when the execution has ended or nothing is left to do at
	// the present time.
	Settle(ctx context.Context, execution string) error
	Now(execution string) time.Time
	// Next is when the next timer is due; false if there is none.
	Next(execution string) (time.Time, bool)
	// Advance moves time on to t, timer by timer.
	Advance(ctx context.Context, execution string, t time.Time) error
}

// Holder is an Endpoint that knows who waits for a task token, and answers.
type Holder interface {
	Waiting(execution string) []Waiting
	Answer(ctx context.Context, token string, r Reply) error
	Heartbeat(ctx context.Context, token string) error
	Stop(ctx context.Context, execution, name, cause string) error
}

// Waiting is one place where an execution waits.
type Waiting struct {
	State string
	For   string // what it waits for: token, timer, call …
	Token string // of a callback
}

// ParseEvent reads an event as GetExecutionHistory shows it.
func ParseEvent(execution string, text json.RawMessage) (Event, error) {
	var head struct {
		ID       int64  `json:"id"`
		Previous int64  `json:"previousEventId"`
		Type     string `json:"type"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return Event{}, err
	}
	e := Event{Execution: execution, ID: head.ID, Previous: head.Previous, Type: head.Type, Text: text}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return Event{}, err
	}
	for key, raw := range fields {
		if len(key) < 12 || key[len(key)-12:] != "EventDetails" {
			continue
		}
		var d struct {
			Name  string `json:"name"`
			Error string `json:"error"`
			Index int    `json:"index"`
		}
		if err := json.Unmarshal(raw, &d); err != nil {
			return Event{}, err
		}
		e.State, e.Error, e.Index = d.Name, d.Error, d.Index
	}
	return e, nil
}
