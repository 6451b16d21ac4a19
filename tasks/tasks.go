// Package tasks is the one edge between task handlers, which are plain Go
// functions on our types, and what calls them: AWS Lambda, the embedded
// engine, or a test.
package tasks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-lambda-go/lambda/messages"
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

// Of makes a Func of a handler. It decodes leniently, since an execution of an
// older version may still wait with an older payload. An *Error anywhere in
// the chain is reported under its Name: aws-lambda-go would otherwise report
// the Go type of the outermost error, which no ErrorEquals matches.
func Of[In, Out any](handle func(context.Context, In) (Out, error)) Func {
	return func(ctx context.Context, payload []byte) ([]byte, error) {
		var in In
		if err := json.Unmarshal(payload, &in); err != nil {
			return nil, messages.InvokeResponse_Error{Type: BadInput, Message: fmt.Sprintf("decode input: %v", err)}
		}
		out, err := handle(ctx, in)
		if err != nil {
			var named *Error
			if errors.As(err, &named) {
				return nil, messages.InvokeResponse_Error{Type: named.Name, Message: err.Error()}
			}
			return nil, messages.InvokeResponse_Error{Type: "Unexpected", Message: err.Error()}
		}
		b, err := json.Marshal(out)
		if err != nil {
			return nil, messages.InvokeResponse_Error{Type: "Unexpected", Message: fmt.Sprintf("encode output: %v", err)}
		}
		return b, nil
	}
}

// BadInput is the error name for a payload that does not decode.
const BadInput = "BadInput"
