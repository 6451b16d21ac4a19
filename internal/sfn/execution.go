package sfn

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumbline/asl/engine"
	"plumbline/asl/value"
)

type startInput struct {
	StateMachineARN, Name string
	Input                 *string
	TraceHeader           string
	IncludedData          string
}

// start begins an execution, of a Standard or an Express machine.
func (s *Server) start(in *startInput, sync bool) (*engine.Execution, error) {
	var l limits
	l.required("stateMachineArn", in.StateMachineARN, maxARN)
	l.atMost("name", in.Name, maxName)
	l.atMost("traceHeader", in.TraceHeader, maxARN)
	l.among("includedData", in.IncludedData, "ALL_DATA", "METADATA_ONLY")
	if err := l.err(); err != nil {
		return nil, err
	}
	m, err := s.resolve(in.StateMachineARN)
	if err != nil {
		return nil, err
	}
	if sync && !m.Express {
		return nil, wrongType()
	}
	if in.Name != "" {
		if err := checkName(in.Name); err != nil {
			return nil, err
		}
	}
	input := "{}"
	if in.Input != nil {
		input = *in.Input
	}
	if len(input) > maxPayload {
		return nil, faultf("InvalidExecutionInput", "Invalid State Machine Execution Input: 'the input has %d bytes, and the limit is %d'", len(input), maxPayload)
	}
	if in.Name != "" && !m.Express {
		// The same request again is answered as the first was only while that runs.
		arn := s.arn(kindExecution, m.Name+":"+in.Name)
		if old := s.engine.Execution(arn); old != nil && old.Result().Status != engine.Running {
			return nil, alreadyExists(arn)
		}
	}
	x, err := s.engine.Start(m, in.Name, json.RawMessage(input))
	if errors.Is(err, engine.ErrExecutionExists) {
		return nil, alreadyExists(s.arn(kindExecution, m.Name+":"+in.Name))
	}
	if err != nil {
		return nil, faultf("InvalidExecutionInput", "Invalid State Machine Execution Input: '%v'", err)
	}
	s.admit(x)
	return x, nil
}

func alreadyExists(arn string) error {
	return faultf("ExecutionAlreadyExists", "Execution Already Exists: '%s'", arn)
}

// keep is how many executions are kept for those who ask for them; beyond, the
// oldest that have ended go, each so many starts.
const keep, pruneEvery = 50_000, 1_000

// prune forgets the oldest executions, now and then.
func (s *Server) prune() {
	if s.starts.Add(1)%pruneEvery != 0 {
		return
	}
	list := s.engine.Executions()
	over := len(list) - keep
	if over <= 0 {
		return
	}
	slices.SortFunc(list, func(a, b *engine.Execution) int { return cmp.Compare(a.Number, b.Number) })
	for _, x := range list {
		if over > 0 && x.Result().Status != engine.Running {
			s.forget(x.ARN)
			over--
		}
	}
}

func (s *Server) startExecution(_ context.Context, in *startInput) ([]byte, error) {
	x, err := s.start(in, false)
	if err != nil {
		return nil, err
	}
	o := newObject()
	o.text("executionArn", x.ARN)
	o.time("startDate", x.Started)
	return o.close(), nil
}

func (s *Server) startSyncExecution(ctx context.Context, in *startInput) ([]byte, error) {
	x, err := s.start(in, true)
	if err != nil {
		return nil, err
	}
	select {
	case <-x.Done():
	case <-ctx.Done(): // nobody waits for the answer any more
		s.engine.Stop(x.ARN, "", "")
		return nil, ctx.Err()
	}
	e := viewOf(x)
	o := newObject()
	e.describe(o, in.IncludedData)
	ms := e.stopped.Sub(e.started).Milliseconds()
	o.raw("billingDetails", fmt.Appendf(nil, `{"billedMemoryUsedInMB":64,"billedDurationInMilliseconds":%d}`, (ms/100+1)*100))
	o.optional("traceHeader", in.TraceHeader)
	return o.close(), nil
}

// view is an execution as the API shows it, whether it was started or is a
// distributed Map's child.
type view struct {
	arn, name string
	machine   *engine.Machine
	mapRun    string // ARN; "" unless it is a child
	started   time.Time
	stopped   time.Time // zero: it runs
	result    engine.Result
	input     func() json.RawMessage
	events    func(from int64, n int) []engine.Event
	last      func() int64
	number    uint64
}

func viewOf(x *engine.Execution) view {
	r := x.Result()
	return view{x.ARN, x.Name, x.Machine(), "", x.Started, x.Stopped(), r, x.Input, x.Events, x.Last, x.Number}
}

func viewOfChild(c *engine.Child) view {
	r, stopped := c.Result()
	return view{c.ARN(), c.Name(), c.MapRun.Execution.Machine(), c.MapRun.ARN, c.Started(), stopped, r, c.Input, c.Events, c.Last, c.MapRun.Execution.Number}
}

type executionInput struct {
	ExecutionARN, IncludedData string
	Error, Cause               string
}

// execution finds what a request names.
func (s *Server) execution(in *executionInput) (view, error) {
	var l limits
	l.required("executionArn", in.ExecutionARN, maxARN)
	l.among("includedData", in.IncludedData, "ALL_DATA", "METADATA_ONLY")
	l.atMost("error", in.Error, maxError)
	l.atMost("cause", in.Cause, maxCause)
	if err := l.err(); err != nil {
		return view{}, err
	}
	return s.executionByARN(in.ExecutionARN)
}

func (s *Server) executionByARN(arn string) (view, error) {
	if err := arnOf(arn, kindExecution); err != nil {
		return view{}, err
	}
	if x := s.engine.Execution(arn); x != nil {
		return viewOf(x), nil
	}
	if c := s.engine.Child(arn); c != nil {
		return viewOfChild(c), nil
	}
	return view{}, noExecution(arn)
}

func (s *Server) describeExecution(_ context.Context, in *executionInput) ([]byte, error) {
	e, err := s.execution(in)
	if err != nil {
		return nil, err
	}
	o := newObject()
	e.describe(o, in.IncludedData)
	o.int("redriveCount", 0)
	o.text("redriveStatus", "NOT_REDRIVABLE")
	switch e.result.Status {
	case engine.Running, engine.Succeeded:
		o.text("redriveStatusReason", "Execution is "+string(e.result.Status)+" and cannot be redriven")
	default:
		o.text("redriveStatusReason", "plumbline sfn does not redrive executions")
	}
	return o.close(), nil
}

// describe writes what all descriptions of an execution have.
func (e *view) describe(o *object, included string) {
	o.text("executionArn", e.arn)
	o.text("stateMachineArn", e.machine.ARN)
	o.text("name", e.name)
	o.text("status", string(e.result.Status))
	o.time("startDate", e.started)
	o.time("stopDate", e.stopped)
	if included != "METADATA_ONLY" {
		o.payload("input", e.input())
		if e.result.Status == engine.Succeeded {
			o.payload("output", e.result.Output)
		}
	}
	o.optional("error", e.result.Error)
	o.optional("cause", e.result.Cause)
	o.optional("mapRunArn", e.mapRun)
}

// stopExecution aborts what runs; of what has ended it tells when.
func (s *Server) stopExecution(_ context.Context, in *executionInput) ([]byte, error) {
	e, err := s.execution(in)
	if err != nil {
		return nil, err
	}
	if e.mapRun != "" {
		return nil, faultf("ValidationException", "plumbline sfn stops the execution of a map run's child with its parent. stop '%s'", s.engine.MapRun(e.mapRun).Execution.ARN)
	}
	x := s.engine.Execution(e.arn)
	s.engine.Stop(e.arn, in.Error, in.Cause)
	<-x.Done()
	o := newObject()
	o.time("stopDate", x.Stopped())
	return o.close(), nil
}

type listExecutionsInput struct {
	StateMachineARN, MapRunARN, StatusFilter, RedriveFilter string
	pageInput
}

func (s *Server) listExecutions(_ context.Context, in *listExecutionsInput) ([]byte, error) {
	var l limits
	l.atMost("stateMachineArn", in.StateMachineARN, maxARN)
	l.atMost("mapRunArn", in.MapRunARN, maxLongARN)
	l.among("statusFilter", in.StatusFilter, "RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE")
	l.among("redriveFilter", in.RedriveFilter, "REDRIVEN", "NOT_REDRIVEN")
	if err := l.err(); err != nil {
		return nil, err
	}
	p, err := in.page("executions")
	if err != nil {
		return nil, err
	}
	if (in.StateMachineARN == "") == (in.MapRunARN == "") {
		return nil, faultf("ValidationException", "Must provide a state machine ARN or map run ARN")
	}
	list, err := s.executionsOf(in)
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(e view) bool {
		return in.StatusFilter != "" && string(e.result.Status) != in.StatusFilter || in.RedriveFilter == "REDRIVEN"
	})
	if in.MapRunARN != "" {
		for i := range list { // children have the one number; they began in the list's order
			list[i].number = uint64(i)
		}
	}
	slices.SortFunc(list, func(a, b view) int { return cmp.Compare(b.number, a.number) })
	key := func(i int) string { return strconv.FormatUint(list[i].number, 10) }
	newestFirst := func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), strings.Compare(b, a)) }
	return p.listBy("executions", len(list), key, newestFirst, func(o *object, i int) {
		e := &list[i]
		o.text("executionArn", e.arn)
		o.text("stateMachineArn", e.machine.ARN)
		o.text("name", e.name)
		o.text("status", string(e.result.Status))
		o.time("startDate", e.started)
		o.time("stopDate", e.stopped)
		o.optional("mapRunArn", e.mapRun)
		o.int("redriveCount", 0)
	}), nil
}

// executionsOf finds the executions of a machine, or of a map run in their order.
func (s *Server) executionsOf(in *listExecutionsInput) ([]view, error) {
	var list []view
	if in.MapRunARN != "" {
		r, err := s.mapRun(in.MapRunARN)
		if err != nil {
			return nil, err
		}
		for _, c := range r.Children() {
			list = append(list, viewOfChild(c))
		}
		return list, nil
	}
	m, err := s.resolve(in.StateMachineARN)
	if err != nil {
		return nil, err
	}
	if m.Express {
		return nil, wrongType()
	}
	for _, x := range s.engine.Executions() {
		if x.Machine().ARN == m.ARN {
			list = append(list, viewOf(x))
		}
	}
	return list, nil
}

// checkOutput refuses an output that is no JSON or too large.
func checkOutput(output string) error {
	if len(output) > maxPayload {
		return faultf("InvalidOutput", "Invalid Output: 'the output has %d bytes, and the limit is %d'", len(output), maxPayload)
	}
	if _, err := value.DecodeString(output); err != nil {
		return faultf("InvalidOutput", "Invalid Output: '%v'", err)
	}
	return nil
}
