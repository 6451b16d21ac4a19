package sfn

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"plumbline/asl/engine"
)

// tasks answers the calls of all executions: those of a test case from the mock
// file, starts of state machines the server does not know with AWS's error, and
// the rest by what it was given.
type tasks struct {
	server *Server
	mocks  *Mocks
	base   engine.Invoker
}

// response is the mock for a call, nil where its test case leaves the state alone.
func (t *tasks) response(c *engine.Call) *response {
	if c.Variant == "" {
		return nil
	}
	_, rest, _ := arnParts(c.Root)
	machine, _, _ := strings.Cut(rest, ":")
	return t.mocks.response(machine, c.Variant, c.State)
}

// find is the machine that a task starts, nil where the mock file answers the
// task or there is no such machine.
func (t *tasks) find(c engine.Call, arn string) *engine.Machine {
	if t.response(&c) != nil {
		return nil
	}
	m, err := t.server.resolve(arn)
	if err != nil {
		return nil
	}
	return m
}

// Prompt answers from the mock file, at once and in the order of the calls.
func (t *tasks) Prompt(c engine.Call) (json.RawMessage, error, bool) { //nolint:revive,staticcheck // the interface's order
	r := t.response(&c)
	if r == nil {
		return nil, nil, false
	}
	a := r.answer(c.Number)
	if a == nil {
		return nil, noAnswer(&c, r, c.Number), true
	}
	out, err := t.give(&c, a)
	return out, err, true
}

// answer is for the call of this number, nil for none.
func (r *response) answer(n int) *answer {
	for i := range r.answers {
		if a := &r.answers[i]; a.first <= n && n <= a.last {
			return a
		}
	}
	return nil
}

func noAnswer(c *engine.Call, r *response, n int) error {
	return &engine.Error{Name: engine.ErrRuntime, Cause: fmt.Sprintf(
		"The mock file has no answer for call %d of state '%s' in test case '%s' (attempt %d): response '%s' answers calls %s. add %q to it.",
		n, c.State, c.Variant, c.Attempt, r.name, r.covers(), fmt.Sprint(n))}
}

// covers lists the calls that the response answers.
func (r *response) covers() string {
	parts := make([]string, 0, len(r.answers))
	for _, a := range r.answers {
		if a.first == a.last {
			parts = append(parts, fmt.Sprint(a.first))
		} else {
			parts = append(parts, fmt.Sprintf("%d-%d", a.first, a.last))
		}
	}
	return strings.Join(parts, ", ")
}

// empty is what a service answers at first whose result comes later.
var empty = json.RawMessage("{}")

// give makes the answer what the engine wants of the kind of task.
func (t *tasks) give(c *engine.Call, a *answer) (json.RawMessage, error) {
	out := a.reply
	if a.echo {
		out = c.Input
	}
	if c.Token != "" { // the answer is the callback's
		switch {
		case a.hang:
		case a.throw != nil:
			return empty, t.server.engine.Fail(c.Token, a.throw.Name, a.throw.Cause)
		default:
			return empty, t.server.engine.Succeed(c.Token, out)
		}
		return empty, nil
	}
	later := &engine.Later{Output: out}
	if a.throw != nil {
		later.Err = a.throw
	}
	if a.hang {
		later.After = -1
	}
	if strings.Contains(c.Resource, ".sync") {
		later.Submitted = empty
		return nil, later
	}
	switch {
	case a.hang:
		return nil, later
	case a.throw != nil:
		return nil, a.throw
	}
	return out, nil
}

// reacher is an Invoker that may know of another server for Step Functions.
type reacher interface {
	Reaches(resource string) bool
}

// Invoke makes a call that no mock answers.
func (t *tasks) Invoke(ctx context.Context, c engine.Call) (json.RawMessage, error) {
	if elsewhere, ok := t.base.(reacher); !ok || !elsewhere.Reaches(c.Resource) {
		if err := t.unknownMachine(&c); err != nil {
			return nil, err
		}
	}
	if t.base == nil {
		return nil, &engine.Error{Name: engine.ErrRuntime, Cause: fmt.Sprintf(
			"Nothing answers '%s' for state '%s': the execution has no test case that mocks it. start it with \"#TestCase\" on the ARN.",
			c.Resource, c.State)}
	}
	return t.base.Invoke(ctx, c)
}

// unknownMachine is AWS's error for the start of a state machine that there is not.
func (t *tasks) unknownMachine(c *engine.Call) error {
	sdk := false
	switch {
	case strings.Contains(c.Resource, ":states:startExecution"):
	case strings.Contains(c.Resource, ":aws-sdk:sfn:startExecution"), strings.Contains(c.Resource, ":aws-sdk:sfn:startSyncExecution"):
		sdk = true
	default:
		return nil
	}
	var in struct{ StateMachineARN string }
	if err := json.Unmarshal(c.Input, &in); err != nil {
		return nil //nolint:nilerr // who makes the call says what is wrong with it
	}
	_, err := t.server.resolve(in.StateMachineARN)
	f, ok := err.(*fault) //nolint:errorlint // resolve's own
	if !ok {
		return nil
	}
	if sdk {
		return &engine.Error{Name: "Sfn." + f.name + "Exception", Cause: fmt.Sprintf("%s (Service: Sfn, Status Code: 400, Request ID: %s)", f.message, requestID())}
	}
	return &engine.Error{Name: "StepFunctions." + f.name + "Exception",
		Cause: fmt.Sprintf("%s (Service: AWSStepFunctions; Status Code: 400; Error Code: %s; Request ID: %s; Proxy: null)", f.message, f.name, requestID())}
}
