package local

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"plumbline/asl"
	"plumbline/asl/engine"
	"plumbline/blob"
	"plumbline/scan"
	"plumbline/workflows"
)

// Placeholders of the machines that are started from here.
const (
	estatePlaceholder = "${ScanEstateArn}"
	sweepPlaceholder  = "${ScanStackSweepArn}"
)

// compiled returns the machines by placeholder, compiled when first asked for.
var compiled = sync.OnceValues(func() (map[string]*engine.Machine, error) {
	files := map[string]*engine.Machine{}
	out := map[string]*engine.Machine{}
	for _, m := range workflows.All() {
		c := files[m.File]
		if c == nil {
			src, err := workflows.Source(m.File)
			if err != nil {
				return nil, err
			}
			d, err := asl.Parse(src)
			if err != nil {
				return nil, fmt.Errorf("workflow %s: %w", m.File, err)
			}
			if c, err = engine.Compile(d); err != nil {
				return nil, fmt.Errorf("workflow %s: %w", m.File, err)
			}
			files[m.File] = c
		}
		out[m.Placeholder()] = c.As(engine.Identity{Name: m.Name, Express: m.Express})
	}
	return out, nil
})

// Invoke does the work of a Task state: it calls a function, or runs another
// machine to its end. What is started without being waited for on AWS is run to
// its end as well, so nothing is left running when a scan returns.
func (r *runner) Invoke(ctx context.Context, c engine.Call) (json.RawMessage, error) {
	if !r.calls.begin() {
		return nil, context.Canceled
	}
	defer r.calls.end()
	switch c.Resource {
	case "arn:aws:states:::aws-sdk:sfn:startSyncExecution":
		return r.startSync(ctx, c.Input)
	case "arn:aws:states:::states:startExecution":
		return r.start(ctx, c.Input)
	}
	if c.Resource == "arn:aws:states:::lambda:invoke" {
		return r.call(ctx, c.Input)
	}
	return r.functions.Invoke(ctx, c)
}

// call calls a function and answers as Lambda's Invoke does. It takes the
// function by its bare name, as the engine's Functions allow, since that spares
// the payload two trips through a decoder.
func (r *runner) call(ctx context.Context, arguments []byte) (answer json.RawMessage, err error) {
	r.pool.run(func() {
		name, payload, bad := splitArguments(arguments)
		if bad != nil {
			err = bad
			return
		}
		var out json.RawMessage
		if out, err = r.functions.Invoke(ctx, engine.Call{Resource: name, Input: payload}); err != nil {
			return
		}
		const before, after = `{"StatusCode":200,"Payload":`, `}`
		answer = make(json.RawMessage, 0, len(before)+len(out)+len(after))
		answer = append(append(append(answer, before...), out...), after...)
	})
	return answer, err
}

// splitArguments takes the arguments of lambda:invoke apart. The engine writes
// them compactly and in the order of the workflow's Parameters, which in our
// workflows are FunctionName and Payload and nothing else; others are decoded.
func splitArguments(arguments []byte) (name string, payload []byte, err error) {
	if rest, ok := bytes.CutPrefix(arguments, []byte(`{"FunctionName":"`)); ok {
		if i := bytes.IndexAny(rest, `"\`); i >= 0 && bytes.HasPrefix(rest[i:], []byte(`","Payload":{`)) {
			return string(rest[:i]), rest[i+len(`","Payload":`) : len(rest)-1], nil
		}
	}
	var in struct {
		FunctionName string
		Payload      json.RawMessage
	}
	if err := json.Unmarshal(arguments, &in); err != nil {
		return "", nil, fmt.Errorf("read the arguments of lambda:invoke: %w", err)
	}
	return in.FunctionName, in.Payload, nil
}

// startSync runs a machine and answers as StartSyncExecution does: how the
// execution ended is an answer, not an error.
func (r *runner) startSync(ctx context.Context, arguments []byte) (json.RawMessage, error) {
	var in struct {
		StateMachineArn string
		Input           string
	}
	if err := json.Unmarshal(arguments, &in); err != nil {
		return nil, fmt.Errorf("read the arguments of startSyncExecution: %w", err)
	}
	m := r.machines[in.StateMachineArn]
	if m == nil {
		return nil, &engine.Error{Name: "Sfn.StateMachineDoesNotExistException", Cause: "no state machine " + in.StateMachineArn}
	}
	// The templates are spread over the workers; what is left of them goes to one template's domains.
	spread := max(1, r.o.Workers/max(1, min(r.o.Workers, len(r.o.Templates))))
	res, err := r.run(ctx, m, []byte(in.Input), spread)
	if in.StateMachineArn == sweepPlaceholder {
		r.scanned([]byte(in.Input))
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(struct {
		Status engine.Status
		Error  string `json:",omitempty"`
		Cause  string `json:",omitempty"`
		Output string `json:",omitempty"`
	}{res.Status, res.Error, res.Cause, string(res.Output)})
}

// scanned lets go of what the states of a template's scan handed on, and says
// that it is done.
func (r *runner) scanned(input []byte) {
	var in struct {
		ScanID string      `json:"scanId"`
		Target scan.Target `json:"target"`
	}
	if json.Unmarshal(input, &in) == nil {
		r.backends.memory.Drop(scan.WorkFolder(in.ScanID, in.Target))
	}
	if n := r.done.Add(1); r.o.Progress != nil {
		total := len(r.o.Templates) + r.o.Total
		r.o.Progress(min(int(n), total), total) // what is gone is done as well
	}
}

// start runs a machine and answers as StartExecution does.
func (r *runner) start(ctx context.Context, arguments []byte) (json.RawMessage, error) {
	var in struct {
		StateMachineArn string
		Input           json.RawMessage
	}
	if err := json.Unmarshal(arguments, &in); err != nil {
		return nil, fmt.Errorf("read the arguments of startExecution: %w", err)
	}
	m := r.machines[in.StateMachineArn]
	if m == nil {
		return nil, &engine.Error{Name: "StepFunctions.StateMachineDoesNotExistException", Cause: "no state machine " + in.StateMachineArn}
	}
	if _, err := r.run(ctx, m, in.Input, 1); err != nil {
		return nil, err
	}
	return json.Marshal(struct {
		ExecutionArn string
		StartDate    time.Time
	}{in.StateMachineArn, r.o.Now()})
}

// objects lets the engine's Map read the list of targets from the store.
type objects struct{ store blob.Store }

// Get reads an object as JSON.
func (o objects) Get(ctx context.Context, _, key string) (io.ReadCloser, error) {
	v, err := blob.Get[scan.Targets](ctx, o.store, blob.Ref{Key: key})
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}

// errListOnly says what the workflows do not do with objects.
var errListOnly = errors.New("on this machine a Map reads the list of targets and nothing else")

// List is not used by the workflows.
func (objects) List(context.Context, string, string) ([]engine.ObjectInfo, error) {
	return nil, errListOnly
}

// Put is not used by the workflows.
func (objects) Put(context.Context, string, string, []byte) error { return errListOnly }
