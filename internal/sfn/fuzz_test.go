package sfn_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"plumbline/internal/sfn"
)

// FuzzAPI sends any body to any action: the answer is JSON, and a refusal has a
// name and is the client's fault.
func FuzzAPI(f *testing.F) {
	const arn = "arn:aws:states:us-east-1:123456789012:"
	for action, body := range map[string]string{
		"CreateStateMachine":             `{"name":"N","roleArn":"arn:r","definition":"{}","tags":[{"key":"k","value":"v"}],"loggingConfiguration":{"level":"ALL","destinations":[{}]}}`,
		"UpdateStateMachine":             `{"stateMachineArn":"` + arn + `stateMachine:M","definition":"{}"}`,
		"StartExecution":                 `{"stateMachineArn":"` + arn + `stateMachine:M#T","name":"x","input":"[1]"}`,
		"StartSyncExecution":             `{"stateMachineArn":"` + arn + `stateMachine:M"}`,
		"ListExecutions":                 `{"stateMachineArn":"` + arn + `stateMachine:M","maxResults":1,"nextToken":"ZXhlY3V0aW9ucwox"}`,
		"GetExecutionHistory":            `{"executionArn":"` + arn + `execution:M:x","reverseOrder":true,"nextToken":""}`,
		"ValidateStateMachineDefinition": `{"definition":"{\"StartAt\":1}","maxResults":1}`,
		"SendTaskFailure":                `{"taskToken":"AAAA","error":null}`,
		"UpdateMapRun":                   `{"mapRunArn":"` + arn + `mapRun:M/l:i","toleratedFailurePercentage":1e9}`,
		"UntagResource":                  `{"resourceArn":"` + arn + `activity:A","tagKeys":["k"]}`,
	} {
		f.Add(action, body)
	}
	s, err := sfn.New(sfn.Config{Virtual: true})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, action, body string) {
		if action == "GetActivityTask" {
			return // which waits for a minute
		}
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("X-Amz-Target", "AWSStepFunctions."+action)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		out := map[string]any{}
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
			t.Fatalf("%v in %s", err, w.Body)
		}
		switch name, _ := out["__type"].(string); {
		case w.Code == http.StatusOK && name == "":
		case w.Code == http.StatusBadRequest && name != "":
		default:
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	})
}
