package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/asl/engine"
)

const approval = `{"StartAt":"Ask","States":{
	"Ask":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke.waitForTaskToken","TimeoutSeconds":259200,"HeartbeatSeconds":7200,
		"Parameters":{"FunctionName":"${AskArn}","Payload":{"token.$":"$$.Task.Token"}},
		"Catch":[{"ErrorEquals":["States.HeartbeatTimeout"],"ResultPath":"$.beat","Next":"Silent"},{"ErrorEquals":["States.ALL"],"Next":"Over"}],"End":true},
	"Silent":{"Type":"Pass","End":true},"Over":{"Type":"Pass","End":true}}}`

// asked starts an approval on a held clock and returns its token.
func asked(t *testing.T) (*engine.Engine, *engine.Execution, string) {
	t.Helper()
	var token string
	tasks := engine.Functions{"${AskArn}": func(_ context.Context, payload []byte) ([]byte, error) {
		var in struct{ Token string }
		err := json.Unmarshal(payload, &in)
		token = in.Token
		return []byte(`{"sent":true}`), err
	}}
	clock := engine.NewVirtualClock(start)
	clock.Hold()
	e := engine.New(engine.Options{Clock: clock, Tasks: tasks, History: true})
	x, err := e.Start(compile(t, approval), "", json.RawMessage(`{"in":1}`))
	if err != nil {
		t.Fatal(err)
	}
	e.Settle()
	w := e.Waiting()
	if len(w) != 1 || w[0].State != "Ask" || w[0].For != "token" || w[0].Token != token || token == "" {
		t.Fatalf("waiting: %+v, token %q", w, token)
	}
	return e, x, token
}

func TestCallback(t *testing.T) {
	fails := func(e *engine.Engine, token string) error { return e.Fail(token, "Rejected", "by the boss") }
	tests := []struct {
		name string
		do   func(e *engine.Engine, token string) error
		want engine.Result
		path []string
	}{
		{
			name: "success",
			do:   func(e *engine.Engine, token string) error { return e.Succeed(token, json.RawMessage(`{"ok":true}`)) },
			want: engine.Result{Status: engine.Succeeded, Output: json.RawMessage(`{"ok":true}`)},
			path: []string{"ExecutionStarted", "TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded", "TaskStateExited", "ExecutionSucceeded"},
		},
		{
			name: "failure",
			do:   fails,
			want: engine.Result{Status: engine.Succeeded, Output: json.RawMessage(`{"Error":"Rejected","Cause":"by the boss"}`)},
			path: []string{"ExecutionStarted", "TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskFailed", "TaskStateExited", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"},
		},
		{
			name: "no heartbeat",
			do:   func(e *engine.Engine, token string) error { e.Advance(2 * time.Hour); return nil },
			want: engine.Result{Status: engine.Succeeded, Output: json.RawMessage(`{"in":1,"beat":{"Error":"States.Timeout","Cause":""}}`)},
			path: []string{"ExecutionStarted", "TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskTimedOut", "TaskStateExited", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"},
		},
		{
			name: "heartbeats until the time-out",
			do: func(e *engine.Engine, token string) error {
				for range 72 {
					e.Advance(time.Hour)
					_ = e.Heartbeat(token)
				}
				return nil
			},
			want: engine.Result{Status: engine.Succeeded, Output: json.RawMessage(`{"Error":"States.Timeout","Cause":""}`)},
			path: []string{"ExecutionStarted", "TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskTimedOut", "TaskStateExited", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, x, token := asked(t)
			if err := tt.do(e, token); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, wait(t, x)); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(tt.path, types(x)); d != "" {
				t.Error(d)
			}
			for _, err := range []error{e.Succeed(token, json.RawMessage(`1`)), e.Fail(token, "", ""), e.Heartbeat(token)} {
				if !errors.Is(err, engine.ErrTaskTimedOut) {
					t.Errorf("the token is answered with %v", err)
				}
			}
		})
	}
}

func TestCallbackErrors(t *testing.T) {
	e, _, token := asked(t)
	if err := e.Succeed("nonsense", json.RawMessage(`1`)); !errors.Is(err, engine.ErrTaskDoesNotExist) {
		t.Errorf("an unknown token: %v", err)
	}
	if err := e.Succeed(token, json.RawMessage(`{`)); err == nil {
		t.Error("output that is not JSON was taken")
	}
	if err := e.Heartbeat(token); err != nil {
		t.Errorf("the token is gone: %v", err)
	}
}

// A task may be answered before the call that sent its token has returned.
func TestEarlyCallback(t *testing.T) {
	var e *engine.Engine
	tasks := engine.InvokerFunc(func(_ context.Context, c engine.Call) (json.RawMessage, error) {
		return json.RawMessage(`"sent"`), e.Succeed(c.Token, json.RawMessage(`"early"`))
	})
	e = engine.New(engine.Options{Tasks: tasks, Clock: engine.NewVirtualClock(start), History: true})
	x, _ := e.Start(compile(t, approval), "", nil)
	if r := wait(t, x); string(r.Output) != `"early"` {
		t.Error(r)
	}
	want := []string{"ExecutionStarted", "TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded", "TaskStateExited", "ExecutionSucceeded"}
	if d := cmp.Diff(want, types(x)); d != "" {
		t.Error(d)
	}
}

// The call that would send the token may itself fail.
func TestCallbackNotSent(t *testing.T) {
	x := run(t, approval, `{}`, engine.Options{Tasks: script{"Ask": {&engine.Error{Name: "Boom"}}}})
	if d := cmp.Diff(`{"Error":"Boom","Cause":null}`, string(x.Result().Output)); d != "" {
		t.Error(d)
	}
}

// Later: the outcome of a call comes after a time on the engine's clock.
func TestLater(t *testing.T) {
	src := `{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"arn:aws:states:::glue:startJobRun.sync","TimeoutSeconds":60,"End":true}}}`
	tests := []struct {
		name  string
		later *engine.Later
		want  engine.Result
		after time.Duration
		path  []string
	}{
		{
			name:  "slow",
			later: &engine.Later{After: 59 * time.Second, Output: json.RawMessage(`"done"`), Submitted: json.RawMessage(`"started"`)},
			want:  engine.Result{Status: engine.Succeeded, Output: json.RawMessage(`"done"`)},
			after: 59 * time.Second,
			path:  []string{"ExecutionStarted", "TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded", "TaskStateExited", "ExecutionSucceeded"},
		},
		{
			name:  "too slow",
			later: &engine.Later{After: 61 * time.Second, Output: json.RawMessage(`"done"`)},
			want:  engine.Result{Status: engine.Failed, Error: "States.Timeout"},
			after: 60 * time.Second,
			path:  []string{"ExecutionStarted", "TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskTimedOut", "ExecutionFailed"},
		},
		{
			name:  "fails",
			later: &engine.Later{After: time.Second, Err: &engine.Error{Name: "Boom"}},
			want:  engine.Result{Status: engine.Failed, Error: "Boom"},
			after: time.Second,
			path:  []string{"ExecutionStarted", "TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskFailed", "ExecutionFailed"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			clock := engine.NewVirtualClock(start)
			e := engine.New(engine.Options{Tasks: script{"A": {tt.later}}, Clock: clock, History: true})
			x, _ := e.Start(compile(t, src), "", nil)
			if d := cmp.Diff(tt.want, wait(t, x)); d != "" {
				t.Error(d)
			}
			if got := x.Stopped().Sub(x.Started); got != tt.after {
				t.Errorf("after %s", got)
			}
			if d := cmp.Diff(tt.path, types(x)); d != "" {
				t.Error(d)
			}
			e.Settle()
			if clock.Timers() != 0 {
				t.Error("a timer is left")
			}
		})
	}
	if tests[0].later.Error() != "the outcome comes after 59s" {
		t.Error(tests[0].later)
	}
}

func TestActivity(t *testing.T) {
	const arn = "arn:aws:states:us-east-1:123456789012:activity:work"
	src := `{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"` + arn + `","TimeoutSeconds":60,"HeartbeatSeconds":10,"End":true}}}`
	clock := engine.NewVirtualClock(start)
	clock.Hold()
	e := engine.New(engine.Options{Clock: clock, History: true})
	x, _ := e.Start(compile(t, src), "", json.RawMessage(`{"n":1}`))
	e.Advance(time.Hour) // the time begins when a worker takes the task
	if x.Result().Status != engine.Running {
		t.Fatal(x.Result())
	}
	task, err := e.Poll(context.Background(), arn, "me")
	if err != nil || string(task.Input) != `{"n":1}` {
		t.Fatal(task, err)
	}
	e.Advance(9 * time.Second)
	if err := e.Heartbeat(task.Token); err != nil {
		t.Fatal(err)
	}
	e.Advance(9 * time.Second)
	if err := e.Succeed(task.Token, json.RawMessage(`"done"`)); err != nil {
		t.Fatal(err)
	}
	if r := wait(t, x); string(r.Output) != `"done"` {
		t.Error(r)
	}
	want := []string{"ExecutionStarted", "TaskStateEntered", "ActivityScheduled", "ActivityStarted", "ActivitySucceeded", "TaskStateExited", "ExecutionSucceeded"}
	if d := cmp.Diff(want, types(x)); d != "" {
		t.Error(d)
	}

	// A worker that polls first gets the task when there is one; a task whose
	// execution has been stopped meanwhile is not handed out.
	gone, _ := e.Start(compile(t, src), "", json.RawMessage(`"gone"`))
	e.Settle()
	e.Stop(gone.ARN, "", "")
	e.Settle()
	got := make(chan engine.ActivityTask)
	go func() {
		task, _ := e.Poll(context.Background(), arn, "")
		got <- task
	}()
	time.Sleep(time.Millisecond)
	y, _ := e.Start(compile(t, src), "", json.RawMessage(`"here"`))
	task = <-got
	if string(task.Input) != `"here"` {
		t.Errorf("the worker got %s", task.Input)
	}
	e.Advance(11 * time.Second)
	if r := wait(t, y); r.Error != "States.Timeout" {
		t.Error(r)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	if _, err := e.Poll(ctx, arn, ""); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Poll says %v", err)
	}
}
