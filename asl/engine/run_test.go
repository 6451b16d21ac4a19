package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/asl"
	"plumbline/asl/engine"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func compile(t testing.TB, src string) *engine.Machine {
	t.Helper()
	d, err := asl.Parse([]byte(src))
	if err != nil {
		t.Fatalf("parse: %v", err)
	}
	m, err := engine.Compile(d)
	if err != nil {
		t.Fatalf("compile: %v", err)
	}
	return m
}

// script is an Invoker that answers by state, one entry an attempt.
type script map[string][]any

func (s script) Invoke(ctx context.Context, c engine.Call) (json.RawMessage, error) {
	answers := s[c.State]
	if len(answers) == 0 {
		return nil, errors.New("no answer for " + c.State)
	}
	a := answers[min(c.Attempt, len(answers)-1)]
	switch a := a.(type) {
	case error:
		return nil, a
	case string:
		return json.RawMessage(a), nil
	}
	return c.Input, nil
}

func run(t testing.TB, src, input string, o engine.Options) *engine.Execution {
	t.Helper()
	if o.Clock == nil {
		o.Clock = engine.NewVirtualClock(start)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	x, err := engine.Run(ctx, compile(t, src), json.RawMessage(input), o)
	if err != nil {
		t.Fatalf("run: %v", err)
	}
	return x
}

func TestRun(t *testing.T) {
	boom := &engine.Error{Name: "Boom", Cause: "it broke"}
	tests := []struct {
		name, src, input string
		tasks            script
		want             engine.Result
	}{
		{
			name:  "pass with result path",
			src:   `{"StartAt":"A","States":{"A":{"Type":"Pass","Result":{"n":1},"ResultPath":"$.r","Next":"B"},"B":{"Type":"Succeed"}}}`,
			input: `{"x":true}`,
			want:  engine.Result{Status: engine.Succeeded, Output: json.RawMessage(`{"x":true,"r":{"n":1}}`)},
		},
		{
			name:  "choice",
			src:   `{"StartAt":"A","States":{"A":{"Type":"Choice","Choices":[{"Variable":"$.n","NumericGreaterThan":3,"Next":"Big"}],"Default":"Small"},"Big":{"Type":"Pass","Result":"big","End":true},"Small":{"Type":"Pass","Result":"small","End":true}}}`,
			input: `{"n":4}`,
			want:  engine.Result{Status: engine.Succeeded, Output: json.RawMessage(`"big"`)},
		},
		{
			name:  "task retried, then well",
			src:   `{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"f","Retry":[{"ErrorEquals":["Boom"],"IntervalSeconds":600}],"End":true}}}`,
			tasks: script{"A": {boom, boom, `"ok"`}},
			want:  engine.Result{Status: engine.Succeeded, Output: json.RawMessage(`"ok"`)},
		},
		{
			name:  "task caught",
			src:   `{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"f","Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.e","Next":"B"}],"End":true},"B":{"Type":"Pass","End":true}}}`,
			input: `{"x":1}`,
			tasks: script{"A": {boom}},
			want:  engine.Result{Status: engine.Succeeded, Output: json.RawMessage(`{"x":1,"e":{"Error":"Boom","Cause":"it broke"}}`)},
		},
		{
			name:  "parallel",
			src:   `{"StartAt":"P","States":{"P":{"Type":"Parallel","Branches":[{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"f","End":true}}},{"StartAt":"B","States":{"B":{"Type":"Wait","Seconds":5,"End":true}}}],"End":true}}}`,
			input: `{"x":1}`,
			tasks: script{"A": {`"a"`}},
			want:  engine.Result{Status: engine.Succeeded, Output: json.RawMessage(`["a",{"x":1}]`)},
		},
		{
			name:  "parallel fails, caught by it",
			src:   `{"StartAt":"P","States":{"P":{"Type":"Parallel","Branches":[{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"f","End":true}}},{"StartAt":"B","States":{"B":{"Type":"Wait","Seconds":5,"End":true}}}],"Catch":[{"ErrorEquals":["Boom"],"Next":"C"}],"End":true},"C":{"Type":"Pass","End":true}}}`,
			tasks: script{"A": {boom}},
			want:  engine.Result{Status: engine.Succeeded, Output: json.RawMessage(`{"Error":"Boom","Cause":"it broke"}`)},
		},
		{
			name:  "map",
			src:   `{"StartAt":"M","States":{"M":{"Type":"Map","MaxConcurrency":2,"ItemSelector":{"i.$":"$$.Map.Item.Index","v.$":"$$.Map.Item.Value"},"ItemProcessor":{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"f","End":true}}},"End":true}}}`,
			input: `["a","b","c"]`,
			tasks: script{"A": {nil}},
			want:  engine.Result{Status: engine.Succeeded, Output: json.RawMessage(`[{"i":0,"v":"a"},{"i":1,"v":"b"},{"i":2,"v":"c"}]`)},
		},
		{
			name: "fail",
			src:  `{"StartAt":"F","States":{"F":{"Type":"Fail","Error":"E","Cause":"C"}}}`,
			want: engine.Result{Status: engine.Failed, Error: "E", Cause: "C"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := run(t, tt.src, tt.input, engine.Options{Tasks: tt.tasks})
			if d := cmp.Diff(tt.want, x.Result()); d != "" {
				t.Errorf("result (-want +got):\n%s", d)
			}
		})
	}
}
