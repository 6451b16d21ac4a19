// Package tasks is the one edge between task handlers, which are plain Go
// functions on our types, and what calls them: AWS Lambda, the embedded
// engine, or a test.
package tasks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"plumbline/blob"
	"plumbline/finding"
	"plumbline/ledger"
	"plumbline/remedy/live"
	"plumbline/scan"
	"plumbline/tasks/catalog"
)

// Func is a task as its caller sees it: JSON in, JSON out. It is a
// lambda.Handler's shape, so lambda.Start takes it.
type Func func(ctx context.Context, payload []byte) ([]byte, error)

// Invoke makes Func a lambda.Handler.
func (f Func) Invoke(ctx context.Context, payload []byte) ([]byte, error) { return f(ctx, payload) }

// Error is an error with a name that workflows may catch. Name is a constant
// of tasks/catalog. It may stand anywhere in a chain of wrapped errors.
type Error struct {
	Name string
	Err  error
}

func (e *Error) Error() string { return e.Name + ": " + e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// Named gives err a name, unless it has one already. A nil err stays nil.
func Named(name string, err error) error {
	if err == nil {
		return nil
	}
	if named := (*Error)(nil); errors.As(err, &named) {
		return err
	}
	return &Error{Name: name, Err: err}
}

// StoreError names an error of a store of objects or findings, or of live resources: ObjectLost,
// Throttled or StoreFailed; RenderFailed where a report could not be rendered for it. An error that ends the context keeps its nature,
// so that a cancelled scan is not told as a broken store. A nil err stays nil.
func StoreError(err error) error {
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, blob.ErrNotFound), errors.Is(err, blob.ErrChanged):
		return Named(catalog.ObjectLost, err)
	case errors.Is(err, blob.ErrThrottled), errors.Is(err, finding.ErrThrottled), errors.Is(err, scan.ErrThrottled),
		errors.Is(err, live.ErrThrottled), errors.Is(err, live.ErrBusy), errors.Is(err, ledger.ErrMoved):
		return Named(catalog.Throttled, err)
	case errors.As(err, new(*scan.RenderError)):
		return Named(catalog.RenderFailed, err)
	}
	return Named(catalog.StoreFailed, err)
}

// Margin is how long before its deadline a task is told to stop, so that it
// can still answer. Lambda kills a function at its time-out without a word.
const Margin = 500 * time.Millisecond

// Of makes a Func of a handler. It decodes leniently, since an execution of an
// older version may still wait with an older payload. An *Error anywhere in
// the chain is reported under its Name: aws-lambda-go would otherwise report
// the Go type of the outermost error, which no ErrorEquals matches. A panic
// becomes an Unexpected error, so that it costs one task, not the process.
func Of[In, Out any](handle func(context.Context, In) (Out, error)) Func {
	return func(ctx context.Context, payload []byte) (answer []byte, err error) {
		defer func() {
			if p := recover(); p != nil {
				answer, err = nil, failed(catalog.Unexpected, fmt.Sprintf("panic: %v\n%s", p, debug.Stack()))
			}
		}()
		var in In
		if err := json.Unmarshal(payload, &in); err != nil {
			return nil, failed(catalog.BadInput, fmt.Sprintf("decode input: %v", err))
		}
		if end, ok := ctx.Deadline(); ok {
			var cancel context.CancelFunc
			ctx, cancel = context.WithDeadline(ctx, end.Add(-Margin))
			defer cancel()
		}
		out, err := handle(ctx, in)
		if err != nil {
			name := catalog.Unexpected
			if named := (*Error)(nil); errors.As(err, &named) {
				name = named.Name
			}
			return nil, failed(name, err.Error())
		}
		b, err := json.Marshal(out)
		if err != nil {
			return nil, failed(catalog.Unexpected, fmt.Sprintf("encode output: %v", err))
		}
		return b, nil
	}
}

// longest is how many bytes of an error's message are told. What an event or a
// template brought may stand in it whole: a header of the runtime API, a state's
// cause (32,768 characters) and a log line would not take that.
// Source: Step Functions API Reference, TaskFailedEventDetails.
const longest = 8192

func failed(name, message string) error {
	if len(message) > longest {
		message = strings.ToValidUTF8(message[:longest], "") + fmt.Sprintf("… (%d bytes in all)", len(message))
	}
	return messages.InvokeResponse_Error{Type: name, Message: message}
}
