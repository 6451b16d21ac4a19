package engine_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"plumbline/asl/engine"
)

// A machine that starts itself, directly or through another, comes to an end.
func TestRecursion(t *testing.T) {
	starts := func(resource string) string {
		return `{"StartAt":"S","States":{"S":{"Type":"Task","Resource":"arn:aws:states:::` + resource + `","Parameters":{"StateMachineArn":"OTHER"},"End":true}}}`
	}
	const twice = `{"StartAt":"M","States":{"M":{"Type":"Map","ItemsPath":"$.items","ItemProcessor":%s,"End":true}}}`
	tests := []struct {
		name, a, b string
		last       string // the error of the last one
		most       int    // executions
	}{
		{"waits", starts("states:startExecution.sync:2"), "", "StepFunctions.ExecutionLimitExceededException", 1000},
		{"does not wait", starts("states:startExecution"), "", "StepFunctions.ExecutionLimitExceededException", 10_000},
		{"of the SDK", starts("aws-sdk:sfn:startExecution"), "", "Sfn.ExecutionLimitExceededException", 10_000},
		{"two by turns", starts("states:startExecution"), starts("states:startExecution.sync"), "StepFunctions.ExecutionLimitExceededException", 10_000},
		{"ever more", fmt.Sprintf(strings.Replace(twice, `"$.items"`, `"$$.Execution.Input.items"`, 1),
			strings.Replace(starts("states:startExecution"), `"OTHER"`, `"OTHER","Input":{"items":[1,2,3]}`, 1)), "", "StepFunctions.ExecutionLimitExceededException", 10_000},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			machines := map[string]*engine.Machine{}
			e := engine.New(engine.Options{Clock: engine.NewVirtualClock(start), Machines: machines})
			a := compile(t, tt.a).As(engine.Identity{Name: "A"})
			machines["OTHER"] = a
			if tt.b != "" {
				a = compile(t, strings.Replace(tt.a, "OTHER", "B", 1)).As(engine.Identity{Name: "A"})
				machines["B"], machines["OTHER"] = compile(t, tt.b).As(engine.Identity{Name: "B"}), a
			}
			x, err := e.Start(a, "", json.RawMessage(`{"items":[1,2,3]}`))
			if err != nil {
				t.Fatal(err)
			}
			wait(t, x)
			e.Settle()
			refused, longest := 0, 0
			list := e.Executions()
			for _, x := range list {
				r := x.Result()
				if r.Error == tt.last {
					refused++
				}
				longest = max(longest, len(r.Cause))
			}
			if n := len(list); n < tt.most || n > tt.most+2 || refused == 0 {
				t.Errorf("%d executions, %d of them refused", n, refused)
			}
			if longest > 32_768 {
				t.Errorf("a cause of %d bytes", longest)
			}
		})
	}
}

// What starts others than itself has no such bound.
func TestManyChildren(t *testing.T) {
	const n = 10_050
	items := strings.Repeat("1,", n-1) + "1"
	src := `{"StartAt":"M","States":{"M":{"Type":"Map","ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"EXPRESS"},"StartAt":"S","States":{
		"S":{"Type":"Task","Resource":"arn:aws:states:::states:startExecution","Parameters":{"StateMachineArn":"OTHER"},"ResultPath":null,"OutputPath":null,"End":true}}},"OutputPath":null,"End":true}}}`
	e := engine.New(engine.Options{Clock: engine.NewVirtualClock(start), Machines: map[string]*engine.Machine{
		"OTHER": compile(t, `{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":60,"End":true}}}`).As(engine.Identity{Name: "Other"})}})
	x, err := e.Start(compile(t, src), "", json.RawMessage("["+items+"]"))
	if err != nil {
		t.Fatal(err)
	}
	if r := wait(t, x); r.Status != engine.Succeeded {
		t.Error(r)
	}
	if got := len(e.Executions()); got != n+1 {
		t.Errorf("%d executions", got)
	}
}
