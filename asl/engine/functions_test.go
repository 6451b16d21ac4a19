package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/asl/engine"
)

// reported is an error in the JSON form that Lambda functions report.
type reported struct {
	Message string `json:"errorMessage"`
	Type    string `json:"errorType"`
}

func (r reported) Error() string { return r.Message }

func TestFunctions(t *testing.T) {
	fs := engine.Functions{
		"${EchoArn}":  func(_ context.Context, p []byte) ([]byte, error) { return p, nil },
		"${NoneArn}":  func(context.Context, []byte) ([]byte, error) { return nil, nil },
		"${BadArn}":   func(context.Context, []byte) ([]byte, error) { return []byte(`{`), nil },
		"${NamedArn}": func(context.Context, []byte) ([]byte, error) { return nil, reported{"too many", "Throttled"} },
		"${WrapArn}": func(context.Context, []byte) ([]byte, error) {
			return nil, fmt.Errorf("page 2: %w", reported{"too many", "Throttled"})
		},
		"${PlainArn}": func(context.Context, []byte) ([]byte, error) { return nil, errors.New("oops") },
		"${OurArn}": func(context.Context, []byte) ([]byte, error) {
			return nil, fmt.Errorf("deep: %w", &engine.Error{Name: "Ours", Cause: "c"})
		},
		"${LaterArn}": func(context.Context, []byte) ([]byte, error) { return nil, &engine.Later{Output: json.RawMessage(`1`)} },
	}
	invoke := func(name, payload string) string {
		return `{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"` + name + `"` + payload + `},"ResultSelector":{"p.$":"$.Payload","s.$":"$.StatusCode"},"End":true}}}`
	}
	direct := func(name string) string {
		return `{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"` + name + `","End":true}}}`
	}
	tests := []struct{ name, src, want string }{
		{"invoke", invoke("${EchoArn}", `,"Payload":{"x.$":"$.n"}`), `{"p":{"x":7},"s":200}`},
		{"no payload", invoke("${EchoArn}", ``), `{"p":{},"s":200}`},
		{"payload that is text of JSON", invoke("${EchoArn}", `,"Payload":"{\"a\":1}"`), `{"p":{"a":1},"s":200}`},
		{"payload that is other text", invoke("${EchoArn}", `,"Payload":"plain"`), `{"p":"plain","s":200}`},
		{"nothing returned", invoke("${NoneArn}", ``), `{"p":null,"s":200}`},
		{"bad answer", invoke("${BadArn}", ``), `States.Runtime: the task's output is not JSON`},
		{"direct", direct("${EchoArn}"), `{"n":7}`},
		{"direct, nothing returned", direct("${NoneArn}"), `null`},
		{"named error", invoke("${NamedArn}", ``), `Throttled: {"errorMessage":"too many","errorType":"Throttled"}`},
		{"wrapped", direct("${WrapArn}"), `Throttled: {"errorMessage":"too many","errorType":"Throttled"}`},
		{"plain error", direct("${PlainArn}"), `errorString: {"errorMessage":"oops","errorType":"errorString"}`},
		{"engine error", direct("${OurArn}"), `Ours: c`},
		{"later", direct("${LaterArn}"), `1`},
		{"unknown", direct("${NoArn}"), `Lambda.ResourceNotFoundException: Function not found: ${NoArn}. registered are ${BadArn}, ${EchoArn}, `},
		{"another service", direct("arn:aws:states:::sqs:sendMessage"), `States.Runtime: no task is registered for arn:aws:states:::sqs:sendMessage`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := run(t, tt.src, `{"n":7}`, engine.Options{Tasks: fs}).Result()
			got := string(r.Output)
			if r.Status != engine.Succeeded {
				got = r.Error + ": " + r.Cause
			}
			if !strings.HasPrefix(got, tt.want) {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	if _, err := fs.Invoke(context.Background(), engine.Call{Resource: "arn:aws:states:::lambda:invoke", Input: json.RawMessage(`{`)}); err == nil {
		t.Error("parameters that are not JSON were taken")
	}
}

// The key of a call is the same for every attempt of one state entry, and
// another for the next entry.
func TestCallKey(t *testing.T) {
	var calls []engine.Call
	tasks := engine.InvokerFunc(func(_ context.Context, c engine.Call) (json.RawMessage, error) {
		calls = append(calls, c)
		if c.Attempt == 0 {
			return nil, &engine.Error{Name: "Boom"}
		}
		return json.RawMessage(fmt.Sprint(len(calls))), nil
	})
	src := `{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"r","Credentials":{"RoleArn":"role"},"Parameters":{"a":1},"Retry":[{"ErrorEquals":["States.ALL"]}],"Next":"B"},
		"B":{"Type":"Choice","Choices":[{"Variable":"$","NumericEquals":2,"Next":"A"}],"Default":"C"},"C":{"Type":"Succeed"}}}`
	x := run(t, src, `{}`, engine.Options{Tasks: tasks})
	if string(x.Result().Output) != "4" || len(calls) != 4 {
		t.Fatal(x.Result(), calls)
	}
	if calls[0].Key != calls[1].Key || calls[2].Key != calls[3].Key || calls[0].Key == calls[2].Key {
		t.Errorf("keys %s, %s, %s, %s", calls[0].Key, calls[1].Key, calls[2].Key, calls[3].Key)
	}
	want := engine.Call{Resource: "r", Input: json.RawMessage(`{"a":1}`), Execution: x.ARN, Root: x.ARN, State: "A", Key: calls[1].Key, Attempt: 1, RoleARN: "role"}
	if d := cmp.Diff(want, calls[1]); d != "" {
		t.Error(d)
	}
}

func TestStates(t *testing.T) {
	one := func(state string) string { return `{"StartAt":"A","States":{"A":` + state + `}}` }
	choice := func(rule string) string {
		return `{"StartAt":"A","States":{"A":{"Type":"Choice","Choices":[{` + rule + `,"Assign":{"which":"rule"},"Next":"B"}],"Assign":{"which":"default"},"Default":"B"},"B":{"Type":"Pass","Parameters":{"w.$":"$which"},"End":true}}}`
	}
	const yes, no = `{"w":"rule"}`, `{"w":"default"}`
	const data = `{"s":"b","n":2,"b":true,"t":"2026-01-02T00:00:00Z","z":null,"o":{"s":"c","n":3,"t":"2026-01-02T00:00:00.5+00:00"}}`
	prefix := "An error occurred while executing the state 'A' (entered at the event id #2). "
	tests := []struct{ name, src, want string }{
		{"input path", one(`{"Type":"Pass","InputPath":"$.o","End":true}`), `{"s":"c","n":3,"t":"2026-01-02T00:00:00.5+00:00"}`},
		{"null input path", one(`{"Type":"Pass","InputPath":null,"End":true}`), `{}`},
		{"null output path", one(`{"Type":"Pass","OutputPath":null,"End":true}`), `{}`},
		{"null result path", one(`{"Type":"Pass","Result":1,"ResultPath":null,"OutputPath":"$.n","End":true}`), `2`},
		{"result path into text", one(`{"Type":"Pass","Result":1,"ResultPath":"$.s.x","End":true}`), `States.ReferencePathConflict: Unable to apply step "x" to input ` + data},
		{"succeed", one(`{"Type":"Succeed","InputPath":"$.o","OutputPath":"$.n"}`), `3`},
		{"succeed, no path", one(`{"Type":"Succeed","OutputPath":"$.nope"}`), "States.Runtime: " + prefix + "Invalid path '$.nope' : No results for path: $['nope']"},
		{"missing parameter", one(`{"Type":"Pass","Parameters":{"a":{"b.$":"$.nope"}},"End":true}`), "States.Runtime: " + prefix + "The JSONPath '$.nope' specified for the field 'b.$' could not be found in the input '" + data + "'"},
		{"intrinsic", one(`{"Type":"Pass","Parameters":{"a.$":"States.ArrayLength($.n)"},"End":true}`), "States.Runtime: " + prefix + "The function 'States.ArrayLength($.n)' had the following error: Invalid arguments in States.ArrayLength"},
		{"result selector", one(`{"Type":"Pass","Parameters":{"a.$":"$.nope"},"End":true}`), "States.Runtime"},
		{"fail by path", one(`{"Type":"Fail","ErrorPath":"$.s","CausePath":"States.Format('n is {}', $.n)"}`), `b: n is 2`},
		{"fail by a path to no text", one(`{"Type":"Fail","ErrorPath":"$.n"}`), "States.Runtime: " + prefix + "The ErrorPath parameter does not reference a string: $.n == 2"},
		{"fail by a path to nothing", one(`{"Type":"Fail","ErrorPath":"$.nope"}`), "States.Runtime: " + prefix + "Invalid path '$.nope'"},
		{"fail, input path", one(`{"Type":"Fail","Error":"E"}`), "E: "},
		{"wait by path", one(`{"Type":"Wait","SecondsPath":"$.n","OutputPath":"$.n","End":true}`), `2`},
		{"wait by timestamp", one(`{"Type":"Wait","TimestampPath":"$.t","OutputPath":"$.n","End":true}`), `2`},
		{"wait for nothing", one(`{"Type":"Wait","SecondsPath":"$.nope","End":true}`), "States.Runtime: " + prefix + "The SecondsPath parameter does not reference an input value: $.nope"},
		{"wait by text", one(`{"Type":"Wait","SecondsPath":"$.s","End":true}`), "States.Runtime: " + prefix + "The SecondsPath parameter cannot be parsed as a long value: $.s == b"},
		{"wait until nothing", one(`{"Type":"Wait","TimestampPath":"$.nope","End":true}`), "States.Runtime: " + prefix + "The TimestampPath parameter does not reference an input value: $.nope"},
		{"wait until no time", one(`{"Type":"Wait","TimestampPath":"$.n","End":true}`), "States.Runtime: " + prefix + "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format string: $.n == 2"},
		{"wait, output path", one(`{"Type":"Wait","Seconds":1,"OutputPath":"$.nope","End":true}`), "States.Runtime: " + prefix + "Invalid path '$.nope'"},
		{"time-out by path to text", one(`{"Type":"Task","Resource":"f","TimeoutSecondsPath":"$.s","End":true}`), "States.Runtime: " + prefix + `The TimeoutSecondsPath field refers to value "b" which is not a valid integer: $.s`},
		{"heartbeat out of range", one(`{"Type":"Task","Resource":"f","HeartbeatSecondsPath":"$.zero","End":true}`), "States.Runtime"},
		{"credentials", one(`{"Type":"Task","Resource":"f","Credentials":{"RoleArn.$":"$.nope"},"End":true}`), "States.Runtime"},
		{"no choice", `{"StartAt":"A","States":{"A":{"Type":"Choice","Choices":[{"Variable":"$.n","NumericEquals":9,"Next":"B"}]},"B":{"Type":"Succeed"}}}`, "States.Runtime: " + prefix + "Failed to transition out of the state. The state does not point to a next state."},
		{"choice, missing variable", choice(`"Variable":"$.nope","StringEquals":"x"`), "States.Runtime: " + prefix + "Invalid path '$.nope': The choice state's condition path references an invalid value."},
		{"choice, missing variable of Is", choice(`"Variable":"$.nope","IsNull":true`), "States.Runtime"},
		{"choice, missing other", choice(`"Variable":"$.s","StringEqualsPath":"$.nope"`), "States.Runtime"},
		{"choice, bad assign", `{"StartAt":"A","States":{"A":{"Type":"Choice","Choices":[{"Variable":"$.n","NumericEquals":2,"Assign":{"x.$":"$.nope"},"Next":"B"}]},"B":{"Type":"Succeed"}}}`, "States.Runtime"},
		{"choice, bad output", `{"StartAt":"A","States":{"A":{"Type":"Choice","OutputPath":"$.nope","Choices":[{"Variable":"$.n","NumericEquals":2,"Next":"B"}]},"B":{"Type":"Succeed"}}}`, "States.Runtime"},
		{"present", choice(`"Variable":"$.nope","IsPresent":false`), yes},
		{"string", choice(`"Variable":"$.s","StringLessThanPath":"$.o.s"`), yes},
		{"string against a number", choice(`"Variable":"$.n","StringEquals":"2"`), no},
		{"matches", choice(`"Variable":"$.t","StringMatches":"2026-*T*Z"`), yes},
		{"does not match", choice(`"Variable":"$.s","StringMatches":"b*c"`), no},
		{"star", choice(`"Variable":"$.s","StringMatches":"\\*"`), no},
		{"number", choice(`"Variable":"$.n","NumericGreaterThanEquals":2.0`), yes},
		{"number by path", choice(`"Variable":"$.n","NumericGreaterThanPath":"$.o.n"`), no},
		{"boolean", choice(`"Variable":"$.b","BooleanEquals":true`), yes},
		{"boolean by path", choice(`"Variable":"$.b","BooleanEqualsPath":"$.n"`), no},
		{"time", choice(`"Variable":"$.t","TimestampLessThanPath":"$.o.t"`), yes},
		{"time against no time", choice(`"Variable":"$.s","TimestampEquals":"2026-01-02T00:00:00Z"`), no},
		{"is timestamp", choice(`"Variable":"$.t","IsTimestamp":true`), yes},
		{"is null", choice(`"Variable":"$.z","IsNull":true`), yes},
		{"is numeric", choice(`"Variable":"$.s","IsNumeric":true`), no},
		{"is string", choice(`"Variable":"$.s","IsString":true`), yes},
		{"is boolean", choice(`"Variable":"$.b","IsBoolean":false`), no},
		{"and", choice(`"And":[{"Variable":"$.n","NumericEquals":2},{"Not":{"Variable":"$.s","StringEquals":"x"}}]`), yes},
		{"and stops at false", choice(`"And":[{"Variable":"$.nope","IsPresent":true},{"Variable":"$.nope","StringEquals":"x"}]`), no},
		{"or stops at true", choice(`"Or":[{"Variable":"$.n","NumericEquals":2},{"Variable":"$.nope","StringEquals":"x"}]`), yes},
		{"or", choice(`"Or":[{"Variable":"$.n","NumericEquals":3},{"Variable":"$.s","StringEquals":"x"}]`), no},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := data
			if tt.name == "heartbeat out of range" {
				in = `{"zero":0}`
			}
			r := run(t, tt.src, in, engine.Options{Tasks: script{"A": {nil}}}).Result()
			got := string(r.Output)
			if r.Status != engine.Succeeded {
				got = r.Error + ": " + r.Cause
			}
			if !strings.HasPrefix(got, tt.want) {
				t.Errorf("\ngot  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// TestSurvival holds that a panic in the loop ends the execution that met it,
// and that others go on.
func TestSurvival(t *testing.T) {
	for _, at := range []string{"PassStateEntered", "ExecutionStarted", "ExecutionSucceeded"} {
		e := engine.New(engine.Options{History: true, Watch: func(ev engine.Event) {
			if ev.Type == at && strings.HasSuffix(ev.Execution, ":bad") {
				panic("broken")
			}
		}})
		m := compile(t, `{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}`)
		var got []string
		for _, name := range []string{"bad", "good"} {
			x, err := e.Start(m, name, nil)
			if err != nil {
				t.Fatal(err)
			}
			r, err := x.Wait(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprint(r.Status, " ", r.Error, " ", strings.Contains(r.Cause, "broken")))
		}
		if d := cmp.Diff([]string{"FAILED States.Runtime true", "SUCCEEDED  false"}, got); d != "" {
			t.Errorf("%s: %s", at, d)
		}
	}
}
