package sfn_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/internal/sfn"
)

func mocks(t testing.TB, text string) *sfn.Mocks {
	t.Helper()
	m, err := sfn.ParseMocks("mocks.json", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

const orders = `{"StartAt":"Charge","States":{
	"Charge":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"charge","Payload.$":"$"},"TimeoutSeconds":30,
		"Retry":[{"ErrorEquals":["Busy"],"IntervalSeconds":60,"MaxAttempts":3}],"Catch":[{"ErrorEquals":["States.ALL"],"Next":"Refund"}],"OutputPath":"$.Payload","Next":"Approve"},
	"Approve":{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken","Parameters":{"QueueUrl":"q","MessageBody":{"t.$":"$$.Task.Token"}},"End":true},
	"Refund":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"refund"},"End":true}}}`

const orderMocks = `{
 "StateMachines": {"Orders": {"TestCases": {
   "Happy":    {"Charge": "Busy twice", "Approve": "Yes", "Refund": "Yes"},
   "Declined": {"Charge": "Declined", "Refund": "Yes"},
   "Silent":   {"Charge": "Silent", "Refund": "Echo"},
   "Busy":     {"Charge": "Too few", "Refund": "Yes"},
   "Half":     {"Charge": "Free"}
 }}},
 "MockedResponses": {
   "Busy twice": {"0-1": {"Throw": {"Error": "Busy", "Cause": "later"}}, "2": {"Return": {"Payload": {"id": 7}}}},
   "Too few":    {"0": {"Throw": {"Error": "Busy", "Cause": "later"}}},
   "Declined":   {"0": {"Throw": {"Error": "Declined", "Cause": "no money"}}},
   "Silent":     {"0": {"Hang": true}},
   "Free":       {"0": {"Return": {"Payload": 0}}},
   "Echo":       {"0": {"Echo": true}},
   "Yes":        {"0": {"Return": "yes"}}
 }
}`

// TestMocks runs the test cases of a mock file.
func TestMocks(t *testing.T) {
	a := serve(t, sfn.Config{Mocks: mocks(t, orderMocks), Virtual: true})
	arn := a.create("Orders", orders)
	for _, c := range []struct{ test, status, output, cause string }{
		{"Happy", "SUCCEEDED", `"yes"`, ""},
		{"Declined", "SUCCEEDED", `"yes"`, ""},
		{"Silent", "SUCCEEDED", `{"FunctionName":"refund"}`, ""},
		{"Busy", "FAILED", "", "The mock file has no answer for call 1 of state 'Charge' in test case 'Busy' (attempt 1): response 'Too few' answers calls 0. add \"1\" to it."},
		{"Half", "FAILED", "", "Nothing answers 'arn:aws:states:::sqs:sendMessage.waitForTaskToken' for state 'Approve'"},
	} {
		d := a.ended(a.start(arn+"#"+c.test, c.test, `{"n":1}`))
		cause, _ := d["cause"].(string)
		if d["status"] != c.status || c.output != "" && d["output"] != c.output || !strings.HasPrefix(cause, c.cause) || d["stateMachineArn"] != arn {
			t.Errorf("%s: %v", c.test, d)
		}
		if c.status == "FAILED" && d["error"] != "States.Runtime" {
			t.Errorf("%s: %v", c.test, d["error"])
		}
	}
	for test, want := range map[string]string{
		"Happi": `ValidationException: mocks.json has no test case "Happi" of state machine "Orders". did you mean "Happy"?`,
		"":      `ValidationException: mocks.json has no test case "" of state machine "Orders": it has Busy, Declined, Half, Happy, Silent`,
	} {
		if got := a.refused("StartExecution", object{"stateMachineArn": arn + "#" + test}); got != want {
			t.Error(got)
		}
	}
	other := a.create("Other", pass)
	if got := a.refused("StartExecution", object{"stateMachineArn": other + "#Happy"}); got != `ValidationException: mocks.json has no state machine "Other", whose test case "Happy" was asked for: it has Orders` {
		t.Error(got)
	}
}

// TestMockedMap holds that the items of a Map get their answers in order, and
// that a nested execution is answered or started as the test case says.
func TestMockedMap(t *testing.T) {
	const task = `{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"f"},"OutputPath":"$.Payload","End":true}`
	a := serve(t, sfn.Config{Virtual: true, Mocks: mocks(t, `{"StateMachines": {
		"Each": {"TestCases": {"T": {"Do": "Two"}}},
		"Inner": {"TestCases": {"T": {"Do": "Two"}}},
		"Outer": {"TestCases": {"Mocked": {"Run": "Run"}, "Started": {}}}},
		"MockedResponses": {"Two": {"0": {"Return": {"Payload": "a"}}, "1-9": {"Return": {"Payload": "b"}}}, "Run": {"0": {"Return": {"Output": "mocked"}}}}}`)})
	for _, mode := range []string{`{"Mode":"INLINE"}`, `{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"}`} {
		arn := a.create("Each", `{"StartAt":"M","States":{"M":{"Type":"Map","ItemProcessor":{"ProcessorConfig":`+mode+`,"StartAt":"Do","States":{"Do":`+task+`}},"End":true}}}`)
		if d := a.ended(a.start(arn+"#T", "", `[1,2,3]`)); d["output"] != `["a","b","b"]` {
			t.Error(d)
		}
		a.call("DeleteStateMachine", object{"stateMachineArn": arn})
	}
	inner := a.create("Inner", `{"StartAt":"Do","States":{"Do":`+task+`}}`)
	outer := a.create("Outer", `{"StartAt":"Run","States":{"Run":{"Type":"Task","Resource":"arn:aws:states:::states:startExecution.sync:2","Parameters":{"StateMachineArn":"`+inner+`#T"},"OutputPath":"$.Output","End":true}}}`)
	for test, want := range map[string]string{"Mocked": `"mocked"`, "Started": `"a"`} {
		if d := a.ended(a.start(outer+"#"+test, test, `{}`)); d["output"] != want {
			t.Errorf("%s: %v", test, d)
		}
	}
}

// TestMockObjects reads items from the file's S3Objects.
func TestMockObjects(t *testing.T) {
	a := serve(t, sfn.Config{Mocks: mocks(t, `{"StateMachines":{},"S3Objects":[{"Bucket":"b","Key":"k","Body":[1,2]},{"Bucket":"b","Key":"t","Body":"[3]"}]}`)})
	for key, want := range map[string]string{"k": "[1,2]", "t": "[3]"} {
		arn := a.create("R"+key, `{"StartAt":"M","States":{"M":{"Type":"Map","ItemReader":{"Resource":"arn:aws:states:::s3:getObject","ReaderConfig":{"InputType":"JSON"},"Parameters":{"Bucket":"b","Key":"`+key+`"}},
			"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}},"End":true}}}`)
		if d := a.ended(a.start(arn, "x", `{}`)); d["output"] != want {
			t.Error(d)
		}
	}
}

// TestMalformedMocks holds that each error says where it is and what to do.
func TestMalformedMocks(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`{`, "m.json:1:2: the JSON text ends too early"},
		{`[]`, "m.json:1:1: the mock file is a list. write an object with StateMachines, MockedResponses, S3Objects"},
		{`{"StateMachines":{}} x`, "m.json:1:22: more text follows the JSON object. take it away"},
		{`{"StateMachines":{},"StateMachines":{}}`, `m.json:1:21: the name "StateMachines" stands twice in one object. take one away`},
		{`{"StateMachine":{}}`, "m.json:1:1: the mock file has no StateMachines. add them, with their TestCases\n" +
			"m.json:1:2: the mock file has no field \"StateMachine\": there are StateMachines, MockedResponses, S3Objects. did you mean \"StateMachines\"?"},
		{"{\"StateMachines\":{\"M\":{\"TestCases\":\n {\"T\":{\"S\":\"Helo\"}}}},\n\"MockedResponses\":{\"Hello\":{\"0\":{\"Return\":1}}}}",
			`m.json:2:12: state "S" of test case "T" names "Helo", which MockedResponses does not have. did you mean "Hello"?`},
		{`{"StateMachines":{"M":{"TestCase":{}}}}`, `m.json:1:24: state machine "M" has no field "TestCase": there are TestCases. did you mean "TestCases"?`},
		{`{"StateMachines":{},"MockedResponses":{"R":{"0-":{"Return":1}}}}`, `m.json:1:45: response "R" has the calls "0-". write one as "0", or more as "1-3"`},
		{`{"StateMachines":{},"MockedResponses":{"R":{"0-2":{"Return":1},"2":{"Return":1}}}}`, `m.json:1:64: response "R" answers call 2 twice. give each call one answer`},
		{`{"StateMachines":{},"MockedResponses":{"R":{"0":{"Return":1,"Throw":{}}}}}`, `m.json:1:49: call 0 of response "R" has 2 answers. give one of Return, Throw, Hang, Echo`},
		{`{"StateMachines":{},"MockedResponses":{"R":{"0":{"Throw":{"Error":1}}}}}`, `m.json:1:67: Error of call 0 of response "R" is a number. write text`},
		{`{"StateMachines":{},"MockedResponses":{"R":{"0":{"Hang":1}}}}`, `m.json:1:57: Hang of call 0 of response "R" is 1. write true, or leave it out`},
		{`{"StateMachines":{},"MockedResponses":{"R":{}}}`, `m.json:1:44: response "R" has no answer. add one, as "0": {"Return": {}}`},
		{`{"StateMachines":{},"S3Objects":[{"Bucket":"b"}]}`, `m.json:1:34: an entry of S3Objects lacks its Bucket or Key. add both`},
	} {
		_, err := sfn.ParseMocks("m.json", []byte(c.text))
		if d := cmp.Diff(c.want, fmt.Sprint(err)); d != "" {
			t.Errorf("%s\n%s", c.text, d)
		}
	}
	file := filepath.Join(t.TempDir(), "mocks.json")
	if err := os.WriteFile(file, []byte(orderMocks), 0o600); err != nil {
		t.Fatal(err)
	}
	if m, err := sfn.ReadMocks(file); err != nil || m.File() != file {
		t.Error(m, err)
	}
}

// FuzzMocks holds that no text breaks the reader, and that what it takes can be served.
func FuzzMocks(f *testing.F) {
	f.Add(orderMocks)
	f.Add(`{"StateMachines":{"M":{"TestCases":{"T":{"S":"R"}}}},"MockedResponses":{"R":{"0-1":{"Throw":{}}}},"S3Objects":[{"Bucket":"b","Key":"k","Body":null}]}`)
	f.Add(`{"a":[1,true,null,{}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		m, err := sfn.ParseMocks("m.json", []byte(text))
		if (m == nil) == (err == nil) {
			t.Fatal(m, err)
		}
		if err == nil {
			if _, err := sfn.New(sfn.Config{Mocks: m}); err != nil {
				t.Fatal(err)
			}
		}
	})
}
