package asl_test

import (
	"context"
	"fmt"

	"plumbline/asl"
	"plumbline/asl/engine"
)

// A definition is read, checked, and run on a plain function.
func Example() {
	d, err := asl.Parse([]byte(`{"StartAt": "Greet", "States": {
		"Greet": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "TimeoutSeconds": 5, "End": true,
			"Parameters": {"FunctionName": "${GreetArn}", "Payload.$": "$.name"}, "OutputPath": "$.Payload"}}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, problem := range d.Validate() { // and d.Lint() for what is good practice
		fmt.Println(problem)
	}
	machine, err := engine.Compile(d)
	if err != nil {
		fmt.Println(err)
		return
	}
	greet := func(_ context.Context, name []byte) ([]byte, error) {
		return fmt.Appendf(nil, `["hello", %s]`, name), nil
	}
	x, err := engine.Run(context.Background(), machine, []byte(`{"name": "Ada"}`), engine.Options{Tasks: engine.Functions{"${GreetArn}": greet}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(x.Result().Status, string(x.Result().Output))
	// Output:
	// SUCCEEDED ["hello","Ada"]
}

func ExampleParse() {
	d, err := asl.Parse([]byte(`{
  "StartAt": "FetchPage",
  "States": {
    "FetchPage": {"Type": "Task", "Resource": "${FetchPageArn}", "Next": "Done"},
    "Done": {"Type": "Succeed"}
  }
}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range d.All() {
		fmt.Println(s.Pos, s.Type, s.Name)
	}
	// Output:
	// 4:5 Task FetchPage
	// 5:5 Succeed Done
}

func ExampleCheck() {
	for _, d := range asl.Check([]byte(`{
  "StartAt": "FetchPage",
  "States": {
    "FetchPage": {"Type": "Task", "Resource": "${FetchPageArn}", "ResultPth": "$.page", "Next": "Dome"},
    "Done": {"Type": "Succeed"}
  }
}`), asl.Standard) {
		fmt.Println(d)
	}
	// Output:
	// 4:66: Field 'ResultPth' is not supported. did you mean "ResultPath"? [SCHEMA_VALIDATION_FAILED]
	// 4:97: Missing 'Next' target: Dome. did you mean "Done"? [MISSING_TRANSITION_TARGET]
	// 5:5: State "Done" is not reachable. lead a transition to it or remove it [MISSING_TRANSITION_TARGET]
}
