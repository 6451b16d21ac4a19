package engine_test

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/asl/engine"
	"plumbline/asl/value"
)

func nested(resource, params string) string {
	return `{"StartAt":"S","States":{"S":{"Type":"Task","Resource":"arn:aws:states:::` + resource + `","Parameters":{"StateMachineArn":"${ChildArn}"` + params + `},
		"Catch":[{"ErrorEquals":["States.ALL"],"Next":"C"}],"End":true},"C":{"Type":"Pass","End":true}}}`
}

const child = `{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":60,"Next":"C"},
	"C":{"Type":"Choice","Choices":[{"Variable":"$.fail","IsPresent":true,"Next":"F"}],"Default":"E"},"F":{"Type":"Fail","Error":"E","Cause":"C"},"E":{"Type":"Pass","End":true}}}`

var requestID = regexp.MustCompile(`Request ID: [0-9a-f-]{36}`)

func TestNested(t *testing.T) {
	const (
		exec  = "arn:aws:states:us-east-1:123456789012:execution:Child:n"
		exprs = "arn:aws:states:us-east-1:123456789012:express:Child:n:"
		m     = "arn:aws:states:us-east-1:123456789012:stateMachine:Child"
		from  = int64(1767323045000)
	)
	tests := []struct {
		name, resource, params string
		express                bool
		after                  time.Duration
		want                   map[string]any
	}{
		{"request", "states:startExecution", `,"Name":"n","Input":{"x":1}`, false, 0,
			map[string]any{"ExecutionArn": exec, "StartDate": from}},
		{"sync", "states:startExecution.sync", `,"Name":"n","Input":{"x":1}`, false, time.Minute,
			map[string]any{"ExecutionArn": exec, "StateMachineArn": m, "Input": `{"x":1}`, "Output": `{"x":1}`, "Name": "n", "Status": "SUCCEEDED", "StartDate": from, "StopDate": from + 60000}},
		{"sync:2", "states:startExecution.sync:2", `,"Name":"n","Input":"{\"x\":1}"`, false, time.Minute,
			map[string]any{"Output": value.Of("x", int64(1)), "Input": `{"x":1}`, "Status": "SUCCEEDED"}},
		{"sync fails", "states:startExecution.sync", `,"Name":"n","Input":{"fail":1}`, false, time.Minute,
			map[string]any{"Error": "States.TaskFailed", "Cause": `{"Cause":"C","Error":"E","ExecutionArn":"` + exec + `","Input":"{\"fail\":1}","InputDetails":{"Included":true},"Name":"n","StartDate":1767323045000,"StateMachineArn":"` + m + `","Status":"FAILED","StopDate":1767323105000}`}},
		{"sdk request", "aws-sdk:sfn:startExecution", `,"Name":"n","Input":"{}"`, false, 0,
			map[string]any{"ExecutionArn": exec, "StartDate": "2026-01-02T03:04:05.000Z"}},
		{"express", "aws-sdk:sfn:startSyncExecution", `,"Name":"n","Input":"{\"x\":1}"`, true, time.Minute,
			map[string]any{"ExecutionArn": exprs, "Status": "SUCCEEDED", "Output": `{"x":1}`, "StartDate": "2026-01-02T03:04:05.000Z", "StopDate": "2026-01-02T03:05:05.000Z",
				"BillingDetails": value.Of("BilledDurationInMilliseconds", int64(60100), "BilledMemoryUsedInMB", int64(64))}},
		{"express that fails is no failure", "aws-sdk:sfn:startSyncExecution", `,"Name":"n","Input":"{\"fail\":1}"`, true, time.Minute,
			map[string]any{"Status": "FAILED", "Error": "E", "Cause": "C"}},
		{"input that is not JSON", "states:startExecution.sync", `,"Input":"{"`, false, 0,
			map[string]any{"Error": "StepFunctions.InvalidExecutionInputException"}},
		{"name that is taken", "states:startExecution", `,"Name":"taken","Input":{"x":2}`, false, 0,
			map[string]any{"Error": "StepFunctions.ExecutionAlreadyExistsException",
				"Cause": "Execution Already Exists: 'arn:aws:states:us-east-1:123456789012:execution:Child:taken' (Service: AWSStepFunctions; Status Code: 400; Error Code: ExecutionAlreadyExists; Request ID: ID; Proxy: null)"}},
		{"sdk name that is taken", "aws-sdk:sfn:startExecution", `,"Name":"taken","Input":null`, false, 0,
			map[string]any{"Error": "Sfn.ExecutionAlreadyExistsException",
				"Cause": "Execution Already Exists: 'arn:aws:states:us-east-1:123456789012:execution:Child:taken' (Service: Sfn, Status Code: 400, Request ID: ID)"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := compile(t, child).As(engine.Identity{Name: "Child", Express: tt.express})
			e := engine.New(engine.Options{Clock: engine.NewVirtualClock(start), Machines: map[string]*engine.Machine{"${ChildArn}": c}})
			if strings.Contains(tt.name, "taken") {
				taken, _ := e.Start(c, "taken", json.RawMessage(`{"x":1}`))
				wait(t, taken)
			}
			x, err := e.Start(compile(t, nested(tt.resource, tt.params)), "", nil)
			if err != nil {
				t.Fatal(err)
			}
			out := decode(wait(t, x).Output).(*value.Object)
			for k, want := range tt.want {
				got, _ := out.Get(k)
				if s, ok := got.(string); ok {
					got = requestID.ReplaceAllString(s, "Request ID: ID")
				}
				if k == "ExecutionArn" && tt.express {
					if !strings.HasPrefix(got.(string), want.(string)) {
						t.Errorf("%s is %s", k, got)
					}
					continue
				}
				if !value.Equal(want, got) {
					t.Errorf("%s is %s, want %s", k, value.Text(got), value.Text(want))
				}
			}
			if got := x.Stopped().Sub(x.Started); got != tt.after {
				t.Errorf("it took %s, want %s", got, tt.after)
			}
		})
	}
}

// A child may be given the task's token; a parent that ends stops its child.
func TestNestedTokenAndStop(t *testing.T) {
	asks := `{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"f","End":true}}}`
	var e *engine.Engine
	tasks := engine.InvokerFunc(func(_ context.Context, c engine.Call) (json.RawMessage, error) {
		return nil, e.Succeed(decode(c.Input).(*value.Object).String("token"), json.RawMessage(`"from the child"`))
	})
	for _, resource := range []string{"states:startExecution.waitForTaskToken", "states:startExecution.sync"} {
		e = engine.New(engine.Options{Clock: engine.NewVirtualClock(start), Tasks: tasks, Machines: map[string]*engine.Machine{"${ChildArn}": compile(t, asks)}})
		x, _ := e.Start(compile(t, nested(resource, `,"Input":{"token.$":"$$.Task.Token"}`)), "", nil)
		if r := wait(t, x); string(r.Output) != `"from the child"` {
			t.Error(r)
		}
	}

	clock := engine.NewVirtualClock(start)
	clock.Hold()
	e = engine.New(engine.Options{Clock: clock, Machines: map[string]*engine.Machine{"${ChildArn}": compile(t, child)}})
	x, _ := e.Start(compile(t, nested("states:startExecution.sync", `,"Name":"n"`)), "parent", nil)
	e.Settle()
	w := e.Waiting()
	if len(w) != 2 || w[0].For != "timer" || w[1].For != "child" {
		t.Fatalf("%+v", w)
	}
	e.Stop(x.ARN, "", "")
	e.Settle()
	if c := e.Execution(w[0].Execution); c.Result().Status != engine.Aborted {
		t.Error(c.Result())
	}
}

// A machine that the engine does not have is the invoker's business.
func TestNestedElsewhere(t *testing.T) {
	x := run(t, nested("states:startExecution", ``), `{}`, engine.Options{Tasks: script{"S": {`"elsewhere"`}}})
	if d := cmp.Diff(`"elsewhere"`, string(x.Result().Output)); d != "" {
		t.Error(d)
	}
}
