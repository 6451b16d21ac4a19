package asl_test

import (
	"fmt"

	"plumbline/asl"
)

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
