package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"plumbline/asl/value"
)

// Invoker does the work of Task states.
type Invoker interface {
	// Invoke blocks while the task works; a virtual clock stands still meanwhile.
	// A *Error is what Retry and Catch see; any other error is States.TaskFailed.
	// With a Token, the returned value is what TaskSubmitted shows, and Succeed or
	// Fail ends the state. ctx ends when the state does, by a time-out or because
	// another branch failed. Calls of one engine run at the same time. A panic is
	// the error ErrPanic.
	Invoke(ctx context.Context, c Call) (json.RawMessage, error)
}

// Prompter is an Invoker that can answer some calls at once. The engine asks
// it first, on its loop and in the order in which calls are made, so that
// scripted answers meet the calls they are meant for.
type Prompter interface {
	Invoker
	// Prompt must not block; it may call Succeed or Fail of the engine, and nothing
	// else of it. ok false leaves the call to Invoke.
	Prompt(c Call) (out json.RawMessage, err error, ok bool)
}

// prompt answers a call at once, where the invoker can.
func (e *Engine) prompt(p Prompter, ef *effect) (done completion, ok bool) {
	defer func() {
		if r := recover(); r != nil {
			done, ok = completion{err: panicError(r)}, true
		}
	}()
	c := ef.call()
	c.Input = value.Encode(ef.wait.call.input)
	e.turn.prompting.Store(true)
	defer e.turn.prompting.Store(false)
	out, err, ok := p.Prompt(c)
	if !ok {
		return completion{}, false
	}
	return outcomeOf(ef.wait.call.spec.token, out, err), true
}

// InvokerFunc is a function as an Invoker.
type InvokerFunc func(ctx context.Context, c Call) (json.RawMessage, error)

// Invoke calls f.
func (f InvokerFunc) Invoke(ctx context.Context, c Call) (json.RawMessage, error) { return f(ctx, c) }

// Later is what an Invoker returns as its error to say that the call's outcome comes
// later on the engine's clock. No goroutine waits for it and a virtual clock
// may jump. It is for invokers that stand in for slow or silent services.
type Later struct {
	After     time.Duration   // negative: never, so that only a time-out ends the state
	Output    json.RawMessage // the outcome, where Err is nil
	Err       error
	Submitted json.RawMessage // what .sync answers at first: TaskSubmitted; nil: no such event
}

func (l *Later) Error() string { return "the outcome comes after " + l.After.String() }

// job is what a call does on its goroutine.
func (e *Engine) job(ef *effect) func(context.Context) completion {
	call := ef.wait.call
	switch call.kind {
	case callRead, callWrite:
		return e.objectJob(call)
	}
	c := ef.call()
	return func(ctx context.Context) (done completion) {
		defer func() {
			if p := recover(); p != nil {
				done = completion{err: panicError(p)}
			}
		}()
		if e.options.Tasks == nil {
			return completion{err: &Error{Name: ErrRuntime, Cause: "the engine has no Tasks to call " + c.Resource}}
		}
		c.Input = value.Encode(call.input)
		out, err := e.options.Tasks.Invoke(ctx, c)
		return outcomeOf(call.spec.token, out, err)
	}
}

// call is the call as invokers get it, without the input.
func (ef *effect) call() Call {
	c := ef.frame.call(ef.wait.call)
	if ef.wait.call.spec.token {
		c.Token = ef.wait.token
	}
	return c
}

// call is a call without the input and the token.
func (f *frame) call(call *pendingCall) Call {
	return Call{
		Resource: call.spec.resource, Execution: f.run.arn, Root: f.x.ARN, Variant: f.x.machine.Variant, State: f.state.name, Attempt: call.attempt, Number: call.number, RoleARN: call.role,
		Key: f.run.arn + "/" + f.state.name + "/" + strconv.FormatUint(uint64(f.id), 10) + "/" + strconv.FormatInt(f.entered, 10),
	}
}

// panicError is a panic as the state's error: one task that is broken must not
// take the other executions of the process with it.
func panicError(p any) *Error {
	stack := []any{}
	for _, line := range strings.Split(string(debug.Stack()), "\n") {
		stack = append(stack, strings.TrimSpace(line))
	}
	cause := value.Of("errorMessage", fmt.Sprint(p), "errorType", ErrPanic, "stackTrace", stack)
	return &Error{Name: ErrPanic, Cause: value.Text(cause)}
}

// outcomeOf makes a completion of what an invoker returned.
func outcomeOf(token bool, out json.RawMessage, err error) completion {
	var later *Later
	if errors.As(err, &later) {
		return completion{later: later}
	}
	if err != nil {
		return completion{err: asError(err)}
	}
	var v any
	if len(out) > 0 {
		if v, err = value.Decode(out); err != nil {
			return completion{err: &Error{Name: ErrRuntime, Cause: fmt.Sprintf("the task's output is not JSON: %v", err)}}
		}
	}
	if token {
		return completion{submitted: v, hasSubmit: true}
	}
	return completion{output: v}
}

// asError finds the *Error in a chain; any other error is States.TaskFailed.
func asError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return &Error{Name: e.Name, Cause: e.Cause}
	}
	return &Error{Name: ErrTaskFailed, Cause: err.Error()}
}
