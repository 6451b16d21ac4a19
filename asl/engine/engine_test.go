package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/asl"
	"plumbline/asl/engine"
)

const waitMachine = `{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":3600,"End":true}}}`

// types are the event types of an execution's history.
func types(x *engine.Execution) []string {
	var list []string
	for _, e := range x.History() {
		list = append(list, e.Type)
	}
	return list
}

func wait(t testing.TB, x *engine.Execution) engine.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	r, err := x.Wait(ctx)
	if err != nil {
		t.Fatalf("wait for %s: %v", x.ARN, err)
	}
	return r
}

func TestStartIsIdempotent(t *testing.T) {
	m := compile(t, waitMachine)
	e := engine.New(engine.Options{Clock: engine.NewVirtualClock(start)})
	a, err := e.Start(m, "one", json.RawMessage(`{"a":1,"b":2}`))
	if err != nil {
		t.Fatal(err)
	}
	b, err := e.Start(m, "one", json.RawMessage(`{"b":2, "a":1}`))
	if err != nil || a != b {
		t.Errorf("the same name and input gave another execution: %v", err)
	}
	if _, err := e.Start(m, "one", json.RawMessage(`{"a":2}`)); !errors.Is(err, engine.ErrExecutionExists) {
		t.Errorf("another input: %v", err)
	}
	if _, err := e.Start(m, "two", json.RawMessage(`{`)); err == nil || !strings.Contains(err.Error(), "read the input") {
		t.Errorf("bad input: %v", err)
	}
	wait(t, a)
	if e.Execution(a.ARN) != a || len(e.Executions()) != 1 {
		t.Error("the engine does not know its execution")
	}
	if got := a.Stopped().Sub(a.Started); got != time.Hour {
		t.Errorf("it took %s", got)
	}
	e.Forget(a.ARN)
	if e.Execution(a.ARN) != nil {
		t.Error("it is not forgotten")
	}
	if a.Machine().Name != "StateMachine" || string(a.Input()) != `{"a":1,"b":2}` {
		t.Errorf("machine %q, input %s", a.Machine().Name, a.Input())
	}
	if want := "arn:aws:states:us-east-1:123456789012:execution:StateMachine:one"; a.ARN != want {
		t.Errorf("ARN is %s", a.ARN)
	}
}

func TestExpressNamesAreNotUnique(t *testing.T) {
	m := compile(t, waitMachine).As(engine.Identity{Name: "X", Express: true})
	e := engine.New(engine.Options{Clock: engine.NewVirtualClock(start)})
	a, _ := e.Start(m, "one", nil)
	b, err := e.Start(m, "one", json.RawMessage(`1`))
	if err != nil || a == b {
		t.Errorf("an express name was refused: %v", err)
	}
}

func TestStop(t *testing.T) {
	clock := engine.NewVirtualClock(start)
	clock.Hold()
	e := engine.New(engine.Options{Clock: clock, History: true})
	x, _ := e.Start(compile(t, waitMachine), "", nil)
	e.Settle()
	if !e.Stop(x.ARN, "Enough", "no more") {
		t.Fatal("Stop found nothing")
	}
	want := engine.Result{Status: engine.Aborted, Error: "Enough", Cause: "no more"}
	if d := cmp.Diff(want, wait(t, x)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"ExecutionStarted", "WaitStateEntered", "ExecutionAborted"}, types(x)); d != "" {
		t.Error(d)
	}
	if e.Stop(x.ARN, "", "") || e.Stop("arn:nothing", "", "") {
		t.Error("Stop found something to stop")
	}
	e.Settle()
	if n := clock.Timers(); n != 0 {
		t.Errorf("%d timers are left", n)
	}
}

// A context that ends aborts the execution, and the call that is in flight.
func TestRunContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	var cause atomic.Value
	tasks := engine.InvokerFunc(func(ctx context.Context, c engine.Call) (json.RawMessage, error) {
		cancel()
		<-ctx.Done()
		cause.Store(ctx.Err())
		return nil, ctx.Err()
	})
	m := compile(t, `{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"f","End":true}}}`)
	x, err := engine.Run(ctx, m, nil, engine.Options{Tasks: tasks})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Run says %v", err)
	}
	if s := x.Result().Status; s != engine.Aborted {
		t.Errorf("status %s", s)
	}
	for i := 0; cause.Load() == nil && i < 1000; i++ {
		time.Sleep(time.Millisecond)
	}
	if err, _ := cause.Load().(error); !errors.Is(err, context.Canceled) {
		t.Errorf("the call ended with %v", cause.Load())
	}
}

func TestRealClock(t *testing.T) {
	m := compile(t, `{"StartAt":"A","States":{"A":{"Type":"Wait","Timestamp":"2020-01-01T00:00:00Z","Next":"B"},"B":{"Type":"Task","Resource":"f","Retry":[{"ErrorEquals":["Boom"],"IntervalSeconds":0.01}],"End":true}}}`)
	x, err := engine.Run(context.Background(), m, nil, engine.Options{Tasks: script{"B": {&engine.Error{Name: "Boom"}, `"ok"`}}})
	if err != nil || string(x.Result().Output) != `"ok"` {
		t.Errorf("%v %v", x.Result(), err)
	}
}

func TestDeadlock(t *testing.T) {
	m := compile(t, `{"StartAt":"P","States":{"P":{"Type":"Parallel","Branches":[
		{"StartAt":"Ask","States":{"Ask":{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken","End":true}}},
		{"StartAt":"Work","States":{"Work":{"Type":"Task","Resource":"arn:aws:states:us-east-1:123456789012:activity:a","End":true}}}],"End":true}}}`)
	x, err := engine.Run(context.Background(), m, nil, engine.Options{Clock: engine.NewVirtualClock(start), Tasks: script{"Ask": {`{}`}}})
	var stuck *engine.DeadlockError
	if !errors.As(err, &stuck) || len(stuck.Waiting) != 2 {
		t.Fatalf("Run says %v", err)
	}
	for _, want := range []string{`state "Ask" of ` + x.ARN + ` waits for its token`, `state "Work" of ` + x.ARN + ` waits for its activity`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %s", err, want)
		}
	}
	if x.Result().Status != engine.Aborted {
		t.Error("it was not aborted")
	}
}

func TestExecutionTimeout(t *testing.T) {
	m := compile(t, `{"TimeoutSeconds":60,"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":61,"End":true}}}`)
	e := engine.New(engine.Options{Clock: engine.NewVirtualClock(start), History: true})
	x, _ := e.Start(m, "", nil)
	if d := cmp.Diff(engine.Result{Status: engine.TimedOut, Error: "States.Timeout"}, wait(t, x)); d != "" {
		t.Error(d)
	}
	h := x.History()
	if last := h[len(h)-1]; last.Type != "ExecutionTimedOut" || last.PreviousID != 0 || last.Time.Sub(start) != time.Minute {
		t.Errorf("last event %+v", last)
	}
}

func TestNoTasks(t *testing.T) {
	x := run(t, `{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"f","Catch":[{"ErrorEquals":["States.ALL"],"Next":"B"}],"End":true},"B":{"Type":"Pass","End":true}}}`, `{}`, engine.Options{})
	want := engine.Result{Status: engine.Failed, Error: "States.Runtime", Cause: "the engine has no Tasks to call f"}
	if d := cmp.Diff(want, x.Result()); d != "" {
		t.Error(d)
	}
}

// Two engines of one seed and the same calls give the same histories; another
// seed gives another order among branches.
func TestSeed(t *testing.T) {
	src := `{"StartAt":"M","States":{"M":{"Type":"Map","ItemProcessor":{"StartAt":"A","States":{
		"A":{"Type":"Pass","Parameters":{"id.$":"States.UUID()","n.$":"States.MathRandom(0, 1000000)"},"Next":"B"},
		"B":{"Type":"Task","Resource":"f","Retry":[{"ErrorEquals":["Boom"],"IntervalSeconds":10,"JitterStrategy":"FULL"}],"End":true}}},"End":true}}}`
	history := func(seed uint64) string {
		tasks := engine.InvokerFunc(func(_ context.Context, c engine.Call) (json.RawMessage, error) {
			if c.Attempt == 0 {
				return nil, &engine.Error{Name: "Boom"}
			}
			return c.Input, nil
		})
		e := engine.New(engine.Options{Clock: engine.NewVirtualClock(start), Tasks: tasks, Seed: seed, History: true})
		x, err := e.Start(compile(t, src), "", json.RawMessage(`[1,2,3,4,5,6,7,8]`))
		if err != nil {
			t.Fatal(err)
		}
		if r := wait(t, x); r.Status != engine.Succeeded {
			t.Fatal(r)
		}
		b, err := json.Marshal(x.History())
		if err != nil {
			t.Fatal(err)
		}
		return x.ARN + string(b)
	}
	first := history(7)
	for range 5 {
		if d := cmp.Diff(first, history(7)); d != "" {
			t.Fatalf("one seed, two histories: %s", d)
		}
	}
	if first == history(8) {
		t.Error("another seed gives the same history")
	}
	if history(0) == history(0) {
		t.Error("without a seed two histories are the same")
	}
}

func TestWorkers(t *testing.T) {
	var now, most atomic.Int32
	tasks := engine.InvokerFunc(func(_ context.Context, c engine.Call) (json.RawMessage, error) {
		most.Store(max(most.Load(), now.Add(1)))
		time.Sleep(time.Millisecond)
		now.Add(-1)
		return c.Input, nil
	})
	src := `{"StartAt":"M","States":{"M":{"Type":"Map","ItemProcessor":{"StartAt":"B","States":{"B":{"Type":"Task","Resource":"f","End":true}}},"End":true}}}`
	for _, o := range []engine.Options{{Workers: 3}, {Workers: 3, Clock: engine.NewVirtualClock(start)}} {
		o.Tasks = tasks
		most.Store(0)
		x, err := engine.Run(context.Background(), compile(t, src), json.RawMessage(`[1,2,3,4,5,6,7,8,9,10]`), o)
		if err != nil || string(x.Result().Output) != `[1,2,3,4,5,6,7,8,9,10]` {
			t.Fatal(x.Result(), err)
		}
		if most.Load() > 3 {
			t.Errorf("%d calls ran at once", most.Load())
		}
	}
}

// A branch that fails cancels the backlog's calls of its siblings as well.
func TestWorkersBacklogCancelled(t *testing.T) {
	var calls atomic.Int32
	tasks := engine.InvokerFunc(func(ctx context.Context, c engine.Call) (json.RawMessage, error) {
		if calls.Add(1) > 1 {
			<-ctx.Done() // a call that began before the loop heard of the failure
		}
		return nil, &engine.Error{Name: "Boom"}
	})
	src := `{"StartAt":"M","States":{"M":{"Type":"Map","ItemProcessor":{"StartAt":"B","States":{"B":{"Type":"Task","Resource":"f","End":true}}},"End":true}}}`
	x, err := engine.Run(context.Background(), compile(t, src), json.RawMessage(`[1,2,3,4,5,6,7,8,9,10]`), engine.Options{Tasks: tasks, Workers: 1})
	if err != nil || x.Result().Error != "Boom" {
		t.Fatal(x.Result(), err)
	}
	time.Sleep(5 * time.Millisecond)
	if n := calls.Load(); n > 3 {
		t.Errorf("%d calls were made", n)
	}
}

func TestLimits(t *testing.T) {
	big := strings.Repeat("x", 256*1024)
	tests := []struct {
		name, src, input string
		tasks            engine.Invoker
		express          bool
		want             engine.Result
		events           int
	}{
		{
			name:   "history",
			src:    `{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Pass","Next":"A"}}}`,
			want:   engine.Result{Status: engine.Failed, Error: "States.Runtime", Cause: "The execution reached the maximum number of history events (25000)."},
			events: 25_000,
		},
		{
			name:    "express has no such limit, but may not loop for ever",
			src:     `{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Pass","Next":"A"}}}`,
			express: true,
			want:    engine.Result{Status: engine.Failed, Error: "States.Runtime"},
		},
		{
			name: "task result",
			src:  `{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"f","Catch":[{"ErrorEquals":["States.ALL"],"Next":"B"}],"End":true},"B":{"Type":"Pass","End":true}}}`,
			tasks: engine.InvokerFunc(func(context.Context, engine.Call) (json.RawMessage, error) {
				return json.RawMessage(`"` + big + `"`), nil
			}),
			want:   engine.Result{Status: engine.Failed, Error: "States.DataLimitExceeded", Cause: "The state/task 'A' returned a result with a size exceeding the maximum number of bytes service limit."},
			events: 6,
		},
		{
			name: "caught by its own name",
			src:  `{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"f","Catch":[{"ErrorEquals":["States.DataLimitExceeded"],"Next":"B"}],"End":true},"B":{"Type":"Pass","Result":1,"End":true}}}`,
			tasks: engine.InvokerFunc(func(context.Context, engine.Call) (json.RawMessage, error) {
				return json.RawMessage(`"` + big + `"`), nil
			}),
			want:   engine.Result{Status: engine.Succeeded, Output: json.RawMessage(`1`)},
			events: 9,
		},
		{
			name:   "task input",
			src:    `{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"f","Parameters":{"a.$":"$","b.$":"$"},"End":true}}}`,
			input:  `"` + big[:200_000] + `"`,
			want:   engine.Result{Status: engine.Failed, Error: "States.DataLimitExceeded", Cause: "The state/task 'A' returned a result with a size exceeding the maximum number of bytes service limit."},
			events: 3,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := engine.New(engine.Options{Tasks: tt.tasks, History: !tt.express, Clock: engine.NewVirtualClock(start)})
			x, err := e.Start(compile(t, tt.src).As(engine.Identity{Express: tt.express}), "", json.RawMessage(tt.input))
			if err != nil {
				t.Fatal(err)
			}
			got := wait(t, x)
			if tt.express {
				got.Cause = ""
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
			if n := len(x.History()); n != tt.events {
				t.Errorf("%d events, want %d", n, tt.events)
			}
		})
	}
}

func TestWatch(t *testing.T) {
	var seen []engine.Event
	e := engine.New(engine.Options{Clock: engine.NewVirtualClock(start), Watch: func(ev engine.Event) { seen = append(seen, ev) }})
	x, _ := e.Start(compile(t, waitMachine), "", json.RawMessage(`{"a":1}`))
	wait(t, x)
	if len(x.History()) != 0 {
		t.Error("the history was kept")
	}
	b, err := json.Marshal(seen)
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"timestamp":1767323045,"type":"ExecutionStarted","id":1,"previousEventId":0,"executionStartedEventDetails":{"input":"{\"a\":1}","inputDetails":{"truncated":false},"roleArn":"arn:aws:iam::123456789012:role/StateMachine"}},` +
		`{"timestamp":1767323045,"type":"WaitStateEntered","id":2,"previousEventId":0,"stateEnteredEventDetails":{"name":"W","input":"{\"a\":1}","inputDetails":{"truncated":false}}},` +
		`{"timestamp":1767326645,"type":"WaitStateExited","id":3,"previousEventId":2,"stateExitedEventDetails":{"name":"W","output":"{\"a\":1}","outputDetails":{"truncated":false}}},` +
		`{"timestamp":1767326645,"type":"ExecutionSucceeded","id":4,"previousEventId":3,"executionSucceededEventDetails":{"output":"{\"a\":1}","outputDetails":{"truncated":false}}}]`
	if d := cmp.Diff(want, string(b)); d != "" {
		t.Error(d)
	}
}

func TestCompileErrors(t *testing.T) {
	tests := []struct{ name, src, want string }{
		{"JSONata", `{"QueryLanguage":"JSONata","StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}`, "query language JSONata: this engine runs JSONPath"},
		{"StartAt", `{"StartAt":"X","States":{"A":{"Type":"Pass","End":true}}}`, `StartAt names "X", which is no state here. name one of A`},
		{"Next", `{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"X"}}}`, `Next of state "A" names "X", which is no state here`},
		{"no Next", `{"StartAt":"A","States":{"A":{"Type":"Pass"}}}`, `state "A" has neither Next nor End`},
		{"type", `{"StartAt":"A","States":{"A":{"Type":"Pss","End":true}}}`, `state "A" has the type "Pss"`},
		{"path", `{"StartAt":"A","States":{"A":{"Type":"Pass","InputPath":"$[","End":true}}}`, `InputPath of state "A" is no path`},
		{"result path", `{"StartAt":"A","States":{"A":{"Type":"Pass","ResultPath":"$.a[*]","End":true}}}`, `it must be a reference path`},
		{"template", `{"StartAt":"A","States":{"A":{"Type":"Pass","Parameters":{"a.$":"x"},"End":true}}}`, `Parameters of state "A"`},
		{"choice target", `{"StartAt":"A","States":{"A":{"Type":"Choice","Choices":[{"Variable":"$.a","IsNull":true,"Next":"X"}]}}}`, `a choice of state "A" names "X"`},
		{"choice without a condition", `{"StartAt":"A","States":{"A":{"Type":"Choice","Choices":[{"Next":"A"}]}}}`, `a choice of state "A" has no condition`},
		{"no choices", `{"StartAt":"A","States":{"A":{"Type":"Choice","Default":"A"}}}`, `state "A" has no Choices`},
		{"choice path", `{"StartAt":"A","States":{"A":{"Type":"Choice","Choices":[{"Variable":"a","IsNull":true,"Next":"A"}]}}}`, `Variable of state "A" is no path`},
		{"is operand", `{"StartAt":"A","States":{"A":{"Type":"Choice","Choices":[{"Variable":"$.a","IsNull":1,"Next":"A"}]}}}`, `IsNull of state "A" must be true or false`},
		{"wait", `{"StartAt":"A","States":{"A":{"Type":"Wait","End":true}}}`, `does not say how long it waits`},
		{"wait seconds", `{"StartAt":"A","States":{"A":{"Type":"Wait","Seconds":-1,"End":true}}}`, `it must be a number of seconds`},
		{"wait timestamp", `{"StartAt":"A","States":{"A":{"Type":"Wait","Timestamp":"noon","End":true}}}`, `it must be like 2026-01-31T09:00:00Z`},
		{"resource", `{"StartAt":"A","States":{"A":{"Type":"Task","End":true}}}`, `state "A" has no Resource`},
		{"branches", `{"StartAt":"A","States":{"A":{"Type":"Parallel","End":true}}}`, `state "A" has no Branches`},
		{"processor", `{"StartAt":"A","States":{"A":{"Type":"Map","End":true}}}`, `state "A" has no ItemProcessor`},
		{"catch", `{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"f","Catch":[{"ErrorEquals":["States.ALL"],"Next":"X"}],"End":true}}}`, `Catch of state "A" names "X"`},
		{"fail path", `{"StartAt":"A","States":{"A":{"Type":"Fail","ErrorPath":"x"}}}`, `ErrorPath of state "A"`},
		{"reader", mapWith(`"ItemReader":{"Resource":"arn:aws:states:::s3:get"}`), `reads by "arn:aws:states:::s3:get"`},
		{"reader type", mapWith(`"ItemReader":{"Resource":"arn:aws:states:::s3:getObject","ReaderConfig":{"InputType":"XML"}}`), `has the InputType "XML"`},
		{"reader delimiter", mapWith(`"ItemReader":{"Resource":"arn:aws:states:::s3:getObject","ReaderConfig":{"InputType":"CSV","CSVDelimiter":"X"}}`), `has the CSVDelimiter "X"`},
		{"reader shape", mapWith(`"ItemReader":{"Resource":1}`), `ItemReader of state "M"`},
		{"batcher shape", mapWith(`"ItemBatcher":{"MaxItemsPerBatchPath":1}`), `ItemBatcher of state "M"`},
		{"writer shape", mapWith(`"ResultWriter":{"Resource":1}`), `ResultWriter of state "M"`},
		{"items path", mapWith(`"ItemsPath":"x"`), `ItemsPath of state "M" is no path`},
		{"several", `{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"X"},"B":{"Type":"Pass"}}}`, "names \"X\", which is no state here. name one of A, B\n1:"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := asl.Parse([]byte(tt.src))
			if err != nil {
				t.Fatal(err)
			}
			_, err = engine.Compile(d)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func mapWith(fields string) string {
	return fmt.Sprintf(`{"StartAt":"M","States":{"M":{"Type":"Map",%s,"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}},"End":true}}}`, fields)
}
