package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"plumbline/asl/value"
)

// Functions is an Invoker whose tasks are Go functions in the shape of a Lambda
// handler, JSON in and JSON out, by the FunctionName as the definition has it:
// a name, an ARN, or a placeholder "${FetchStackArn}". It serves lambda:invoke,
// with and without .waitForTaskToken, and functions named as the Resource.
//
// An error whose JSON form has an errorType, as those of aws-lambda-go's
// messages have, fails the task under that name; the cause is that JSON, as on
// AWS. A *Error anywhere in the chain is taken as it is.
type Functions map[string]func(ctx context.Context, payload []byte) ([]byte, error)

// Invoke calls the function.
func (fs Functions) Invoke(ctx context.Context, c Call) (json.RawMessage, error) {
	name, payload := c.Resource, c.Input
	_, service, isService := strings.Cut(c.Resource, ":states:::")
	if isService {
		if service != "lambda:invoke" && service != "lambda:invoke.waitForTaskToken" {
			return nil, &Error{Name: ErrRuntime, Cause: fmt.Sprintf("no task is registered for %s: these are functions, called by lambda:invoke", c.Resource)}
		}
		v, err := value.Decode(c.Input)
		if err != nil {
			return nil, fmt.Errorf("read the parameters of lambda:invoke: %w", err)
		}
		o, _ := v.(*value.Object)
		name = o.String("FunctionName")
		payload = payloadOf(o)
	}
	f := fs[name]
	if f == nil {
		return nil, &Error{Name: "Lambda.ResourceNotFoundException", Cause: fmt.Sprintf("Function not found: %s. registered are %s", name, fs.names())}
	}
	out, err := f(ctx, payload)
	if err != nil {
		return nil, functionError(err)
	}
	if !isService || c.Token != "" {
		return out, nil
	}
	if len(out) == 0 {
		out = []byte("null")
	}
	b := append(json.RawMessage(`{"ExecutedVersion":"$LATEST","Payload":`), out...)
	return append(b, `,"SdkHttpMetadata":{"HttpStatusCode":200},"StatusCode":200}`...), nil
}

// payloadOf is the Payload parameter. Text that is JSON goes as it is, as
// recorded; no Payload is an empty object.
func payloadOf(o *value.Object) json.RawMessage {
	p, ok := o.Get("Payload")
	if !ok {
		return json.RawMessage("{}")
	}
	if s, isText := p.(string); isText && json.Valid([]byte(s)) {
		return json.RawMessage(s)
	}
	return value.Encode(p)
}

func (fs Functions) names() string {
	var list []string
	for name := range fs {
		list = append(list, name)
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

// functionError is an error as Lambda reports it.
func functionError(err error) error {
	var named *Error
	if errors.As(err, &named) {
		return named
	}
	var later *Later
	if errors.As(err, &later) {
		return later
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		b, bad := json.Marshal(e)
		if bad != nil || len(b) == 0 || b[0] != '{' {
			continue
		}
		v, bad := value.Decode(b)
		if bad != nil {
			continue
		}
		if name := v.(*value.Object).String("errorType"); name != "" {
			return &Error{Name: name, Cause: string(b)}
		}
	}
	cause := value.Of("errorMessage", err.Error(), "errorType", "errorString")
	return &Error{Name: "errorString", Cause: value.Text(cause)}
}
