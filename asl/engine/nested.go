package engine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"plumbline/asl/value"
)

// nestedSpec is a Task that starts an execution of another state machine.
type nestedSpec struct {
	sdk   bool // aws-sdk:sfn
	wait  bool // .sync, .sync:2, startSyncExecution
	parse bool // .sync:2: Output as a value
}

func newNestedSpec(resource string) *nestedSpec {
	_, action, ok := strings.Cut(resource, ":states:::")
	if !ok {
		return nil
	}
	switch action {
	case "states:startExecution", "states:startExecution.waitForTaskToken":
		return &nestedSpec{}
	case "states:startExecution.sync":
		return &nestedSpec{wait: true}
	case "states:startExecution.sync:2":
		return &nestedSpec{wait: true, parse: true}
	case "aws-sdk:sfn:startExecution":
		return &nestedSpec{sdk: true}
	case "aws-sdk:sfn:startSyncExecution":
		return &nestedSpec{sdk: true, wait: true}
	}
	return nil
}

// machine finds the machine that a task's arguments name, nil where the
// engine does not know it.
func (f *frame) machine(c *pendingCall) *Machine {
	if f.x.engine.replaying {
		return nil
	}
	o, _ := c.input.(*value.Object)
	arn := o.String("StateMachineArn")
	options := &f.x.engine.options
	if m := options.Machines[arn]; m != nil || options.Find == nil || arn == "" {
		return m
	}
	return options.Find(f.call(c), arn)
}

// startsChild prepares a call that starts an execution inside the engine, where
// the engine knows the machine. A replay leaves that open: it
// has the answers. gen is the frame's while it waits for the call.
func (f *frame) startsChild(c *pendingCall, gen uint32) {
	if c.machine = f.machine(c); c.machine != nil {
		c.kind = callChild
		c.name = f.childName(c.input, gen)
	}
}

func (f *frame) childName(args any, gen uint32) string {
	if name := args.(*value.Object).String("Name"); name != "" {
		return name
	}
	// Not the next random number: whether the engine or Tasks starts the child
	// may have changed when the execution is rebuilt.
	b := f.x.secret(fmt.Sprintf("child %d %d", f.id, gen))
	return uuidOf(binary.LittleEndian.Uint64(b[:]), binary.LittleEndian.Uint64(b[8:]))
}

// childInput is the input that a task gives its child: the value, or where it
// is text the JSON in it.
func childInput(args any) (any, error) {
	v, ok := args.(*value.Object).Get("Input")
	if !ok {
		return &value.Object{}, nil
	}
	if s, ok := v.(string); ok {
		return value.DecodeString(s)
	}
	if v == nil {
		return &value.Object{}, nil
	}
	return v, nil
}

// startNested starts the child that a frame asks for and tells it so.
func (e *Engine) startNested(ef *effect) {
	x, call := ef.frame.x, ef.wait.call
	spec := ef.frame.state.nested
	tell := func(c completion) {
		e.post(happening{kind: onCall, x: x, frame: ef.frame, gen: ef.gen, completion: c})
	}
	m := call.machine
	input, err := childInput(call.input)
	if err != nil {
		tell(completion{err: ef.frame.refused("InvalidExecutionInput", "Invalid State Machine Execution Input: '"+err.Error()+"'", ef.gen)})
		return
	}
	if old := e.childOf(ef); old != nil { // the call is made again after a restart
		ef.wait.child = old.ARN
		tell(spec.started(call, old))
		if spec.wait && old.Result().Status != Running {
			e.settle(old)
		}
		return
	}
	if e.options.Disturb != nil {
		c := ef.call()
		c.Input = value.Encode(call.input)
		if d := e.options.Disturb(c); d != nil {
			e.startStray(ef.frame.x, call, input, d.Strays)
			switch {
			case d.Err != nil:
				tell(completion{err: d.Err})
				return
			case d.Silent:
				return
			}
		}
	}
	var p *parent
	if spec.wait {
		p = &parent{frame: ef.frame, gen: ef.gen}
	}
	child, err := e.start(m, call.name, input, p, x)
	if errors.Is(err, errTooManyExecutions) {
		tell(completion{err: ef.frame.refused("ExecutionLimitExceeded", fmt.Sprintf(
			"The state machine '%s' starts itself without end: no more than %d executions may be started by each other like this, and no more than %d may wait for each other", m.Name, maxRecursion, maxDepth), ef.gen)})
		return
	}
	if err != nil {
		tell(completion{err: ef.frame.refused("ExecutionAlreadyExists", "Execution Already Exists: '"+e.arnOf(m, call.name)+"'", ef.gen)})
		return
	}
	ef.wait.child = child.ARN
	tell(spec.started(call, child))
}

// Disturbance is what goes wrong with the start of a child.
type Disturbance struct {
	Strays int    // executions that are started although the task will not hear of them
	Err    *Error // the answer; nil: the start goes on as it should
	Silent bool   // no answer ever, and no start but the strays
}

// startStray starts executions that nobody waits for. One that is named as
// the task says is the same as the next of that name, as the service promises.
func (e *Engine) startStray(by *Execution, call *pendingCall, input any, n int) {
	name := call.input.(*value.Object).String("Name")
	for range n {
		_, _ = e.start(call.machine, name, input, nil, by) // taken with another input: then that one is what there is
	}
}

// started is the answer to the start of a child.
func (s *nestedSpec) started(call *pendingCall, child *Execution) completion {
	answer := value.Of("ExecutionArn", child.ARN, "SdkHttpMetadata", value.Of("HttpStatusCode", int64(200)), "StartDate", s.date(child.Started))
	if s.wait || call.spec.token {
		return completion{submitted: answer, hasSubmit: true}
	}
	return completion{output: answer}
}

// childOf is the execution that the frame's call has started already.
func (e *Engine) childOf(ef *effect) *Execution {
	return e.resumed[tokenHolder{ef.frame, ef.gen}]
}

// refused is an error of the service's as the integration gives it. gen is the
// frame's while it waits for the call.
func (f *frame) refused(code, message string, gen uint32) *Error {
	b := f.x.secret(fmt.Sprintf("request %d %d", f.id, gen))
	id := uuidOf(binary.LittleEndian.Uint64(b[:]), binary.LittleEndian.Uint64(b[8:]))
	if f.state.nested.sdk {
		return &Error{Name: "Sfn." + code + "Exception", Cause: fmt.Sprintf("%s (Service: Sfn, Status Code: 400, Request ID: %s)", message, id)}
	}
	return &Error{Name: "StepFunctions." + code + "Exception",
		Cause: fmt.Sprintf("%s (Service: AWSStepFunctions; Status Code: 400; Error Code: %s; Request ID: %s; Proxy: null)", message, code, id)}
}

// arnOf is the ARN of m's execution of this name.
func (e *Engine) arnOf(m *Machine, name string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.identifyLocked(m).executionARN(name)
}

// settle tells the frame that waits for a child how the child has ended.
func (e *Engine) settle(child *Execution) {
	p := child.parent
	if p.frame.gen != p.gen || p.frame.wait == nil {
		return // it no longer waits
	}
	spec := p.frame.state.nested
	d := spec.describe(child)
	c := completion{output: d}
	if !spec.sdk && child.result.Status != Succeeded {
		c = completion{err: &Error{Name: ErrTaskFailed, Cause: cut(value.Text(d))}}
	}
	e.post(happening{kind: onChild, x: p.frame.x, frame: p.frame, gen: p.gen, completion: c})
}

// describe is the answer of DescribeExecution as the integration gives it.
func (s *nestedSpec) describe(x *Execution) *value.Object {
	r := x.result
	fields := []value.Field{}
	add := func(key string, v any) { fields = append(fields, value.Field{Key: key, Value: v}) }
	text := func(key, s string) {
		if s != "" {
			add(key, s)
		}
	}
	included := value.Of("Included", true)
	if s.sdk {
		ms := x.stopped.Sub(x.run.start).Milliseconds()
		add("BillingDetails", value.Of("BilledDurationInMilliseconds", (ms/100+1)*100, "BilledMemoryUsedInMB", int64(64)))
	}
	text("Cause", r.Cause)
	text("Error", r.Error)
	add("ExecutionArn", x.ARN)
	add("Input", value.Text(x.run.input))
	add("InputDetails", included)
	add("Name", x.Name)
	if r.Status == Succeeded {
		if s.parse {
			add("Output", x.output)
		} else {
			add("Output", string(r.Output))
		}
		add("OutputDetails", included)
	}
	add("StartDate", s.date(x.run.start))
	add("StateMachineArn", x.machine.ARN)
	add("Status", string(r.Status))
	add("StopDate", s.date(x.stopped))
	return value.NewObject(fields...)
}

// date is a time as the integration gives it: text from the SDK's, else
// milliseconds since 1970.
func (s *nestedSpec) date(t time.Time) any {
	if s.sdk {
		return timeText(t)
	}
	return t.UnixMilli()
}
