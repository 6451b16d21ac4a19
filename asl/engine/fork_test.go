package engine_test

import (
	"context"
	"encoding/json"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/asl/engine"
)

// When a branch fails, the calls of its siblings are cancelled and their
// states aborted.
func TestBranchFailureCancelsSiblings(t *testing.T) {
	var cancelled atomic.Int32
	slow := make(chan struct{}, 2)
	tasks := engine.InvokerFunc(func(ctx context.Context, c engine.Call) (json.RawMessage, error) {
		if c.State == "Fails" {
			<-slow
			<-slow
			return nil, &engine.Error{Name: "Boom"}
		}
		slow <- struct{}{}
		<-ctx.Done()
		cancelled.Add(1)
		return nil, ctx.Err()
	})
	src := `{"StartAt":"P","States":{"P":{"Type":"Parallel","Branches":[
		{"StartAt":"Fails","States":{"Fails":{"Type":"Task","Resource":"f","End":true}}},
		{"StartAt":"Slow","States":{"Slow":{"Type":"Task","Resource":"f","End":true}}},
		{"StartAt":"Inner","States":{"Inner":{"Type":"Map","ItemsPath":"$.items","ItemProcessor":{"StartAt":"Deep","States":{"Deep":{"Type":"Task","Resource":"f","End":true}}},"End":true}}},
		{"StartAt":"Waits","States":{"Waits":{"Type":"Wait","Seconds":99,"End":true}}}],"End":true}}}`
	e := engine.New(engine.Options{Tasks: tasks, History: true})
	x, _ := e.Start(compile(t, src), "", json.RawMessage(`{"items":[1]}`))
	if r := wait(t, x); r.Error != "Boom" {
		t.Fatal(r)
	}
	for i := 0; cancelled.Load() < 2 && i < 1000; i++ {
		time.Sleep(time.Millisecond)
	}
	if cancelled.Load() != 2 {
		t.Errorf("%d calls were cancelled", cancelled.Load())
	}
	got := strings.Join(types(x), " ")
	want := "LambdaFunctionFailed TaskStateAborted TaskStateAborted MapIterationAborted TaskStateAborted MapStateAborted WaitStateAborted ParallelStateFailed ExecutionFailed"
	if !strings.HasSuffix(got, want) {
		t.Errorf("the history ends with\n%s", got)
	}
}

func TestMapConcurrency(t *testing.T) {
	var now, most atomic.Int32
	tasks := engine.InvokerFunc(func(_ context.Context, c engine.Call) (json.RawMessage, error) {
		most.Store(max(most.Load(), now.Add(1)))
		time.Sleep(200 * time.Microsecond)
		now.Add(-1)
		return c.Input, nil
	})
	items := "[" + strings.TrimSuffix(strings.Repeat("1,", 100), ",") + "]"
	for _, tt := range []struct {
		field string
		most  int32
	}{{`"MaxConcurrency":7,`, 7}, {`"MaxConcurrencyPath":"$.n",`, 3}, {``, 40}} {
		most.Store(0)
		src := `{"StartAt":"M","States":{"M":{"Type":"Map",` + tt.field + `"ItemsPath":"$.items","ItemProcessor":{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"f","End":true}}},"End":true}}}`
		x := run(t, src, `{"n":3,"items":`+items+`}`, engine.Options{Tasks: tasks})
		if string(x.Result().Output) != items {
			t.Fatal(x.Result())
		}
		if most.Load() > tt.most || most.Load() < tt.most/2 {
			t.Errorf("%s: %d at once", tt.field, most.Load())
		}
	}
}

// A branch sees the variables around it, its own stay its own, and an
// iteration does not see those of another.
func TestVariableScopes(t *testing.T) {
	src := `{"StartAt":"A","States":{
		"A":{"Type":"Pass","Assign":{"outer":"o","n":1},"Next":"P"},
		"P":{"Type":"Parallel","Branches":[
			{"StartAt":"B","States":{"B":{"Type":"Pass","Assign":{"n":2,"inner":"i"},"Next":"C"},"C":{"Type":"Pass","Parameters":{"o.$":"$outer","n.$":"$n","i.$":"$inner"},"End":true}}},
			{"StartAt":"D","States":{"D":{"Type":"Pass","Parameters":{"n.$":"$n"},"End":true}}}],
			"Assign":{"first.$":"$[0].n"},"Next":"E"},
		"E":{"Type":"Pass","Parameters":{"n.$":"$n","first.$":"$first","branches.$":"$"},"Next":"F"},
		"F":{"Type":"Pass","Parameters":{"all.$":"$","inner.$":"$inner"},"End":true}}}`
	x := run(t, src, `{}`, engine.Options{})
	r := x.Result()
	if r.Error != "States.Runtime" || !strings.Contains(r.Cause, "'$inner' specified for the field 'inner.$'") {
		t.Errorf("a branch's variable is seen outside: %v", r)
	}
	x = run(t, strings.Replace(src, `,"inner.$":"$inner"},"End"`, `},"End"`, 1), `{}`, engine.Options{})
	want := `{"all":{"n":1,"first":2,"branches":[{"o":"o","n":2,"i":"i"},{"n":1}]}}`
	if d := cmp.Diff(want, string(x.Result().Output)); d != "" {
		t.Error(d)
	}
}

func TestMapErrors(t *testing.T) {
	m := func(fields string) string {
		return `{"StartAt":"M","States":{"M":{"Type":"Map",` + fields + `"ItemProcessor":{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}},"End":true}}}`
	}
	prefix := "An error occurred while executing the state 'M' (entered at the event id #2). "
	tests := []struct{ fields, input, name, cause string }{
		{``, `5`, "States.Runtime", prefix + `Reference path "$" must point to array.`},
		{`"ItemsPath":"$.x",`, `{"x":{}}`, "States.Runtime", prefix + `Reference path "$.x" must point to array.`},
		{`"ItemsPath":"$.x.y",`, `{"x":{}}`, "States.ReferencePathConflict", `Unable to apply step "y" to input {"x":{}}`},
		{`"ItemsPath":"$$.No",`, `[]`, "States.Runtime", prefix + `Invalid path '$$.No' : No results for path: $['No']`},
		{`"MaxConcurrencyPath":"$[0]",`, `[-1]`, "States.Runtime", prefix + `MaxConcurrency cannot be negative.`},
		{`"MaxConcurrencyPath":"$[7]",`, `[]`, "States.Runtime", prefix + `Invalid path '$[7]' : No results for path: $[7]`},
		{`"ItemSelector":{"a.$":"$$.Map.Item.Value.x"},`, `[{"x":1},{}]`, "States.Runtime", "An error"},
		{`"InputPath":"$.no",`, `[]`, "States.Runtime", prefix + `Invalid path '$.no' : Expected to find an object`},
		{`"ToleratedFailureCountPath":"$[9]",`, `[]`, "States.Runtime", prefix + `Invalid path`},
		{`"ToleratedFailurePercentagePath":"$[9]",`, `[]`, "States.Runtime", prefix + `Invalid path`},
	}
	for _, tt := range tests {
		t.Run(tt.fields+tt.input, func(t *testing.T) {
			r := run(t, m(tt.fields), tt.input, engine.Options{}).Result()
			if r.Error != tt.name || !strings.HasPrefix(r.Cause, tt.cause) {
				t.Errorf("%v", r)
			}
		})
	}
	x := run(t, m(``), `[]`, engine.Options{})
	if string(x.Result().Output) != `[]` {
		t.Errorf("no items: %v", x.Result())
	}
}

func TestContextObject(t *testing.T) {
	src := `{"StartAt":"M","States":{"M":{"Type":"Map","ItemProcessor":{"StartAt":"P","States":{"P":{"Type":"Parallel","Branches":[{"StartAt":"A","States":{"A":{"Type":"Pass","Parameters":{"c.$":"$$"},"OutputPath":"$.c","End":true}}}],"OutputPath":"$[0]","End":true}}},"OutputPath":"$[0]","End":true}}}`
	m := compile(t, src).As(engine.Identity{Name: "N", ARN: "arn:aws:states:eu-west-1:111111111111:stateMachine:N", RoleARN: "r"})
	e := engine.New(engine.Options{Clock: engine.NewVirtualClock(start)})
	x, _ := e.Start(m, "x", json.RawMessage(`["i"]`))
	want := `{"Execution":{"Id":"arn:aws:states:eu-west-1:111111111111:execution:N:x","Input":["i"],"StartTime":"2026-01-02T03:04:05.000Z","Name":"x","RoleArn":"r","RedriveCount":0},` +
		`"StateMachine":{"Id":"arn:aws:states:eu-west-1:111111111111:stateMachine:N","Name":"N"},` +
		`"State":{"Name":"A","EnteredTime":"2026-01-02T03:04:05.000Z"},"Map":{"Item":{"Index":0,"Value":"i"}}}`
	if d := cmp.Diff(want, string(wait(t, x).Output)); d != "" {
		t.Error(d)
	}
}
