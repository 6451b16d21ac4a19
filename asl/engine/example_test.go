package engine_test

import (
	"context"
	"fmt"
	"time"

	"plumbline/asl"
	"plumbline/asl/engine"
)

// A workflow runs in process on plain functions; on a virtual clock its waits
// take no time.
func Example() {
	d, err := asl.Parse([]byte(`{"StartAt": "Greet", "States": {
		"Greet": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
			"Parameters": {"FunctionName": "${GreetArn}", "Payload": {"name.$": "$.name"}},
			"ResultSelector": {"greeting.$": "$.Payload"}, "Next": "Rest"},
		"Rest": {"Type": "Wait", "Seconds": 86400, "End": true}}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	machine, err := engine.Compile(d)
	if err != nil {
		fmt.Println(err)
		return
	}
	clock := engine.NewVirtualClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	x, err := engine.Run(context.Background(), machine, []byte(`{"name": "Ada"}`), engine.Options{
		Clock: clock,
		Tasks: engine.Functions{"${GreetArn}": func(_ context.Context, payload []byte) ([]byte, error) {
			return fmt.Appendf(nil, `"hello %s"`, payload[9:12]), nil
		}},
		History: true,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(x.Result().Status, string(x.Result().Output))
	for _, e := range x.History() {
		fmt.Println(e.Time.Format(time.DateOnly), e.Type)
	}
	// Output:
	// SUCCEEDED {"greeting":"hello Ada"}
	// 2026-01-01 ExecutionStarted
	// 2026-01-01 TaskStateEntered
	// 2026-01-01 TaskScheduled
	// 2026-01-01 TaskStarted
	// 2026-01-01 TaskSucceeded
	// 2026-01-01 TaskStateExited
	// 2026-01-01 WaitStateEntered
	// 2026-01-02 WaitStateExited
	// 2026-01-02 ExecutionSucceeded
}
