package sfn_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"plumbline/asl/engine"
	"plumbline/internal/sfn"
)

const (
	role = "arn:aws:iam::123456789012:role/r"
	pass = `{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}`
)

// api is a server under test, and a client that speaks its JSON.
type api struct {
	t   testing.TB
	url string
	srv *sfn.Server
}

func serve(t testing.TB, c sfn.Config) *api {
	t.Helper()
	s, err := sfn.New(c)
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	return &api{t, h.URL, s}
}

// object is a request or an answer.
type object = map[string]any

// post sends a call and returns the status and the answer.
func (a *api) post(action, body string) (int, object) {
	a.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, a.url, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "AWSStepFunctions."+action)
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	if res.Header.Get("x-amzn-RequestId") == "" || res.Header.Get("Content-Type") != "application/x-amz-json-1.0" {
		a.t.Errorf("%s: headers %v", action, res.Header)
	}
	out := object{}
	dec := json.NewDecoder(bytes.NewReader(b))
	if err := dec.Decode(&out); err != nil {
		a.t.Fatalf("%s: %v in %s", action, err, b)
	}
	return res.StatusCode, out
}

// call sends a call that must succeed.
func (a *api) call(action string, in object) object {
	a.t.Helper()
	b, err := json.Marshal(in)
	if err != nil {
		a.t.Fatal(err)
	}
	status, out := a.post(action, string(b))
	if status != http.StatusOK {
		a.t.Fatalf("%s: %d %v", action, status, out)
	}
	return out
}

// refused sends a call that must fail, and returns "Name: message".
func (a *api) refused(action string, in object) string {
	a.t.Helper()
	b, err := json.Marshal(in)
	if err != nil {
		a.t.Fatal(err)
	}
	status, out := a.post(action, string(b))
	if status != http.StatusBadRequest {
		a.t.Fatalf("%s: %d %v", action, status, out)
	}
	return fmt.Sprintf("%s: %s", out["__type"], out["message"])
}

func (a *api) create(name, definition string, more ...any) string {
	a.t.Helper()
	in := object{"name": name, "roleArn": role, "definition": definition}
	for i := 0; i+1 < len(more); i += 2 {
		in[more[i].(string)] = more[i+1]
	}
	return a.call("CreateStateMachine", in)["stateMachineArn"].(string)
}

func (a *api) start(machine, name, input string) string {
	a.t.Helper()
	return a.call("StartExecution", object{"stateMachineArn": machine, "name": name, "input": input})["executionArn"].(string)
}

// ended waits for an execution's end and returns its description.
func (a *api) ended(arn string) object {
	a.t.Helper()
	for range 2000 {
		d := a.call("DescribeExecution", object{"executionArn": arn})
		if d["status"] != "RUNNING" {
			return d
		}
		time.Sleep(time.Millisecond)
	}
	a.t.Fatalf("%s does not end", arn)
	return nil
}

func TestLife(t *testing.T) {
	a := serve(t, sfn.Config{})
	arn := a.create("Orders", pass)
	if arn != "arn:aws:states:us-east-1:123456789012:stateMachine:Orders" {
		t.Error(arn)
	}
	if again := a.create("Orders", pass, "roleArn", role+"2"); again != arn {
		t.Errorf("the same request again gave %s", again)
	}
	x := a.start(arn, "one", `{"b":1,"a":[1.0,2]}`)
	d := a.ended(x)
	if d["status"] != "SUCCEEDED" || d["output"] != `{"b":1,"a":[1.0,2]}` || d["name"] != "one" || d["stateMachineArn"] != arn {
		t.Error(d)
	}
	if _, ok := d["startDate"].(float64); !ok {
		t.Errorf("startDate is %T", d["startDate"])
	}
	u := a.call("UpdateStateMachine", object{"stateMachineArn": arn, "definition": strings.Replace(pass, "P", "Q", 2)})
	if got := a.call("DescribeStateMachine", object{"stateMachineArn": arn}); got["revisionId"] != u["revisionId"] || got["status"] != "ACTIVE" || !strings.Contains(got["definition"].(string), `"Q"`) {
		t.Error(got)
	}
	if got := a.call("DescribeStateMachineForExecution", object{"executionArn": x}); got["definition"] != pass {
		t.Errorf("the execution's definition is %v", got["definition"])
	}
	a.call("DeleteStateMachine", object{"stateMachineArn": arn})
	a.call("DeleteStateMachine", object{"stateMachineArn": arn})
	if got := a.ended(x); got["status"] != "SUCCEEDED" {
		t.Error(got)
	}
	if got := a.refused("StartExecution", object{"stateMachineArn": arn}); got != "StateMachineDoesNotExist: State Machine Does Not Exist: '"+arn+"'" {
		t.Error(got)
	}
}

func TestRefusals(t *testing.T) {
	a := serve(t, sfn.Config{})
	arn := a.create("M", pass)
	express := a.create("E", pass, "type", "EXPRESS")
	x := a.start(arn, "x", `1`)
	a.ended(x)
	long := strings.Repeat("n", 81)
	for _, c := range []struct {
		action string
		in     object
		want   string // the beginning
	}{
		{"CreateStateMachine", object{}, "ValidationException: 3 validation errors detected: Value null at 'name' failed to satisfy constraint: Member must not be null; Value null at 'definition'"},
		{"CreateStateMachine", object{"name": "a b", "roleArn": role, "definition": pass}, "InvalidName: Invalid Name: 'a b'"},
		{"CreateStateMachine", object{"name": long, "roleArn": role, "definition": pass}, "ValidationException: 1 validation error detected: Value '" + long + "' at 'name' failed to satisfy constraint: Member must have length less than or equal to 80"},
		{"CreateStateMachine", object{"name": "N", "roleArn": "me", "definition": pass}, "InvalidArn: Invalid Role Arn: 'me'"},
		{"CreateStateMachine", object{"name": "N", "roleArn": role, "definition": `{"StartAt":"A","States":{"A":{"Type":"Pass"}}}`}, "InvalidDefinition: Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: "},
		{"CreateStateMachine", object{"name": "N", "roleArn": role, "definition": pass, "type": "FAST"}, "ValidationException: 1 validation error detected: Value 'FAST' at 'type' failed to satisfy constraint: Member must satisfy enum value set: [STANDARD, EXPRESS]"},
		{"CreateStateMachine", object{"name": "M", "roleArn": role, "definition": strings.Replace(pass, "P", "Q", 2)}, "StateMachineAlreadyExists: State Machine Already Exists: '" + arn + "'"},
		{"CreateStateMachine", object{"name": "N", "roleArn": role, "definition": strings.Replace(pass, "{", `{"QueryLanguage":"JSONata",`, 1)}, `InvalidDefinition: Invalid State Machine Definition: '1:`},
		{"CreateStateMachine", object{"name": 7}, "SerializationException: "},
		{"UpdateStateMachine", object{"stateMachineArn": arn}, "MissingRequiredParameter: Either the definition"},
		{"DescribeStateMachine", object{"stateMachineArn": "M"}, "InvalidArn: "},
		{"DescribeStateMachine", object{"stateMachineArn": x}, "InvalidArn: Invalid Arn: 'Resource type not valid in this context: execution'"},
		{"StartExecution", object{"stateMachineArn": arn, "input": `{"a":`}, "InvalidExecutionInput: Invalid State Machine Execution Input: '"},
		{"StartExecution", object{"stateMachineArn": arn, "input": `"` + strings.Repeat("x", 262_143) + `"`}, "InvalidExecutionInput: "},
		{"StartExecution", object{"stateMachineArn": arn, "name": "x", "input": `1`}, "ExecutionAlreadyExists: Execution Already Exists: '" + x + "'"},
		{"StartExecution", object{"stateMachineArn": arn, "name": "x/y"}, "InvalidName: "},
		{"StartExecution", object{"stateMachineArn": arn + "#Happy"}, `ValidationException: there is no test case "Happy": the server runs without a mock file`},
		{"StartSyncExecution", object{"stateMachineArn": arn}, "StateMachineTypeNotSupported: This operation is not supported by this type of state machine"},
		{"DescribeExecution", object{"executionArn": x + "y"}, "ExecutionDoesNotExist: Execution Does Not Exist: '" + x + "y'"},
		{"ListExecutions", object{}, "ValidationException: Must provide a state machine ARN or map run ARN"},
		{"ListExecutions", object{"stateMachineArn": express}, "StateMachineTypeNotSupported: "},
		{"ListExecutions", object{"stateMachineArn": arn, "maxResults": 1001}, "ValidationException: 1 validation error detected: Value '1001' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 1000"},
		{"ListExecutions", object{"stateMachineArn": arn, "nextToken": "x"}, "InvalidToken: Invalid Token: 'Invalid token'"},
		{"GetExecutionHistory", object{"executionArn": x, "nextToken": "aGlzdG9yeQo"}, "InvalidToken: "},
		{"SendTaskSuccess", object{"taskToken": "t", "output": "1"}, "InvalidToken: Invalid Token: 'Invalid token'"},
		{"SendTaskSuccess", object{"taskToken": "t", "output": "{"}, "InvalidOutput: Invalid Output: '"},
		{"SendTaskFailure", object{}, "ValidationException: 1 validation error detected: Value null at 'taskToken'"},
		{"DescribeMapRun", object{"mapRunArn": "arn:aws:states:us-east-1:123456789012:mapRun:M/l:id"}, "ResourceNotFound: "},
		{"GetActivityTask", object{"activityArn": "arn:aws:states:us-east-1:123456789012:activity:A"}, "ActivityDoesNotExist: Activity Does Not Exist: 'arn:aws:states:us-east-1:123456789012:activity:A'"},
		{"TagResource", object{"resourceArn": arn + "x", "tags": []object{{"key": "k", "value": "v"}}}, "ResourceNotFound: "},
		{"StratExecution", object{}, `UnknownOperationException: "AWSStepFunctions.StratExecution" is no action of AWS Step Functions. did you mean "AWSStepFunctions.StartExecution"?`},
		{"TestState", object{}, "UnknownOperationException: TestState is an action of AWS Step Functions that plumbline sfn does not have"},
	} {
		if got := a.refused(c.action, c.in); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s\nwant %s\ngot  %.300s", c.action, c.want, got)
		}
	}
	if status, out := a.post("StartExecution", "{"); status != http.StatusBadRequest || out["__type"] != "SerializationException" {
		t.Error(status, out)
	}
	if status, out := a.post("StartExecution", strings.Repeat(" ", 5<<20)); status != http.StatusRequestEntityTooLarge {
		t.Error(status, out)
	}
}

// TestPanic holds that a handler's panic is answered and the server stays up.
func TestPanic(t *testing.T) {
	a := serve(t, sfn.Config{Store: brokenStore{}})
	if status, out := a.post("CreateActivity", `{"name":"a"}`); status != http.StatusInternalServerError || out["__type"] != "InternalFailure" {
		t.Error(status, out)
	}
	a.call("ListActivities", object{})
}

type brokenStore struct{}

func (brokenStore) Put(sfn.Record) error           { panic("broken") }
func (brokenStore) Delete(string, string) error    { return nil }
func (brokenStore) Records() ([]sfn.Record, error) { return nil, nil }

// TestHistory pages through a history in both directions.
func TestHistory(t *testing.T) {
	a := serve(t, sfn.Config{})
	loop := `{"StartAt":"C","States":{"C":{"Type":"Choice","Choices":[{"Variable":"$[0]","NumericLessThan":40,"Next":"P"}],"Default":"E"},
		"P":{"Type":"Pass","Parameters":{"n.$":"States.Array(States.MathAdd($[0],1))"},"OutputPath":"$.n","Next":"C"},"E":{"Type":"Succeed"}}}`
	x := a.start(a.create("Loop", loop), "x", `[0]`)
	a.ended(x)
	for _, reverse := range []bool{false, true} {
		var ids []float64
		pages, token := 0, any(nil)
		for {
			in := object{"executionArn": x, "maxResults": 50, "reverseOrder": reverse}
			if token != nil {
				in["nextToken"] = token
			}
			out := a.call("GetExecutionHistory", in)
			pages++
			for _, e := range out["events"].([]any) {
				ids = append(ids, e.(object)["id"].(float64))
			}
			if token = out["nextToken"]; token == nil {
				break
			}
		}
		n := 2*40 + 2*41 + 2 + 2
		if len(ids) != n || pages != 4 {
			t.Fatalf("reverse %v: %d events on %d pages, want %d on 4", reverse, len(ids), pages, n)
		}
		for i, id := range ids {
			if want := i + 1; !reverse && int(id) != want || reverse && int(id) != n-i {
				t.Fatalf("reverse %v: event %d has the id %v", reverse, i, id)
			}
		}
	}
	for _, data := range []bool{true, false} {
		out := a.call("GetExecutionHistory", object{"executionArn": x, "maxResults": 1, "includeExecutionData": data})
		d := out["events"].([]any)[0].(object)["executionStartedEventDetails"].(object)
		if _, ok := d["input"]; ok != data {
			t.Errorf("includeExecutionData %v: %v", data, d)
		}
	}
}

// TestListExecutions pages through executions, newest first.
func TestListExecutions(t *testing.T) {
	a := serve(t, sfn.Config{Virtual: true})
	arn := a.create("M", `{"StartAt":"C","States":{"C":{"Type":"Choice","Choices":[{"Variable":"$","NumericEquals":3,"Next":"F"}],"Default":"S"},"S":{"Type":"Succeed"},"F":{"Type":"Fail","Error":"Three"}}}`)
	for i := range 12 {
		a.ended(a.start(arn, fmt.Sprintf("e%02d", i), fmt.Sprint(i)))
	}
	names := func(in object) (list []string) {
		in["stateMachineArn"] = arn
		for {
			out := a.call("ListExecutions", in)
			for _, e := range out["executions"].([]any) {
				list = append(list, e.(object)["name"].(string))
			}
			if in["nextToken"] = out["nextToken"]; in["nextToken"] == nil {
				return list
			}
		}
	}
	want := "[e11 e10 e09 e08 e07 e06 e05 e04 e03 e02 e01 e00]"
	if got := fmt.Sprint(names(object{"maxResults": 5})); got != want {
		t.Error(got)
	}
	if got := fmt.Sprint(names(object{"statusFilter": "FAILED"})); got != "[e03]" {
		t.Error(got)
	}
}

// TestActivity is a worker, and a token used twice.
func TestActivity(t *testing.T) {
	a := serve(t, sfn.Config{Virtual: true})
	act := a.call("CreateActivity", object{"name": "Pack", "tags": []object{{"key": "team", "value": "b"}}})["activityArn"].(string)
	if got := fmt.Sprint(a.call("ListTagsForResource", object{"resourceArn": act})["tags"]); got != "[map[key:team value:b]]" {
		t.Error(got)
	}
	arn := a.create("M", `{"StartAt":"A","TimeoutSeconds":60,"States":{"A":{"Type":"Task","Resource":"`+act+`","HeartbeatSeconds":5,"End":true}}}`)
	first := make(chan object)
	go func() { first <- a.call("GetActivityTask", object{"activityArn": act, "workerName": "w"}) }()
	x := a.start(arn, "x", `{"n":1}`)
	task := <-first
	if task["input"] != `{"n":1}` {
		t.Fatal(task)
	}
	a.call("SendTaskHeartbeat", object{"taskToken": task["taskToken"]})
	a.call("SendTaskSuccess", object{"taskToken": task["taskToken"], "output": `"packed"`})
	if d := a.ended(x); d["output"] != `"packed"` {
		t.Error(d)
	}
	for action, in := range map[string]object{"SendTaskSuccess": {"output": "1"}, "SendTaskFailure": {}, "SendTaskHeartbeat": {}} {
		in["taskToken"] = task["taskToken"]
		if got := a.refused(action, in); got != "TaskTimedOut: Task Timed Out: 'Provided task does not exist anymore'" {
			t.Error(action, got)
		}
	}
	if d := a.ended(a.start(arn, "unanswered", `1`)); d["status"] != "TIMED_OUT" {
		t.Error(d)
	}
	stopped := a.start(arn, "stopped", `2`)
	task = a.call("GetActivityTask", object{"activityArn": act})
	a.call("StopExecution", object{"executionArn": stopped})
	if got := a.refused("SendTaskSuccess", object{"taskToken": task["taskToken"], "output": "1"}); !strings.HasPrefix(got, "TaskTimedOut: ") {
		t.Error("the token of an execution that has ended:", got)
	}
}

// TestSync is an Express execution, which is answered with its result.
func TestSync(t *testing.T) {
	a := serve(t, sfn.Config{Virtual: true})
	arn := a.create("E", `{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":200,"Next":"P"},"P":{"Type":"Pass","Result":1,"End":true}}}`, "type", "EXPRESS")
	out := a.call("StartSyncExecution", object{"stateMachineArn": arn, "name": "n"})
	if out["status"] != "SUCCEEDED" || out["output"] != "1" || out["input"] != "{}" || !strings.HasPrefix(out["executionArn"].(string), "arn:aws:states:us-east-1:123456789012:express:E:n:") {
		t.Error(out)
	}
	if bill := out["billingDetails"].(object); bill["billedDurationInMilliseconds"].(float64) < 200_000 {
		t.Error(bill)
	}
	long := a.create("L", `{"StartAt":"W","TimeoutSeconds":900,"States":{"W":{"Type":"Wait","Seconds":400,"End":true}}}`, "type", "EXPRESS")
	if out := a.call("StartSyncExecution", object{"stateMachineArn": long}); out["status"] != "TIMED_OUT" || out["error"] != "States.Timeout" {
		t.Errorf("longer than five minutes: %v", out)
	}
	async := a.start(arn, "", `{}`)
	if got := a.refused("DescribeExecution", object{"executionArn": async}); got != "InvalidArn: Invalid Arn: 'Resource type not valid in this context: express'" {
		t.Error(got)
	}
}

// TestStop ends a waiting execution.
func TestStop(t *testing.T) {
	a := serve(t, sfn.Config{})
	x := a.start(a.create("W", `{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":900,"End":true}}}`), "x", `{}`)
	if again := a.start("arn:aws:states:us-east-1:123456789012:stateMachine:W", "x", ` { } `); again != x {
		t.Errorf("the same start again gave %s", again)
	}
	first := a.call("StopExecution", object{"executionArn": x, "error": "Why", "cause": "because"})
	if d := a.ended(x); d["status"] != "ABORTED" || d["error"] != "Why" || d["cause"] != "because" {
		t.Error(d)
	}
	if second := a.call("StopExecution", object{"executionArn": x}); second["stopDate"] != first["stopDate"] {
		t.Error(first, second)
	}
}

// TestMapRun looks at a distributed Map from outside.
func TestMapRun(t *testing.T) {
	a := serve(t, sfn.Config{Virtual: true})
	arn := a.create("D", `{"StartAt":"Each","States":{"Each":{"Type":"Map","ToleratedFailureCount":1,"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},
		"StartAt":"C","States":{"C":{"Type":"Choice","Choices":[{"Variable":"$","NumericEquals":2,"Next":"F"}],"Default":"S"},"S":{"Type":"Succeed"},"F":{"Type":"Fail","Error":"Two"}}},"End":true}}}`)
	x := a.start(arn, "x", `[1,2,3]`)
	a.ended(x)
	runs := a.call("ListMapRuns", object{"executionArn": x})["mapRuns"].([]any)
	if len(runs) != 1 {
		t.Fatal(runs)
	}
	run := runs[0].(object)["mapRunArn"].(string)
	d := a.call("DescribeMapRun", object{"mapRunArn": run})
	counts := d["itemCounts"].(object)
	if d["status"] != "SUCCEEDED" || d["executionArn"] != x || counts["succeeded"] != 2.0 || counts["failed"] != 1.0 || counts["total"] != 3.0 {
		t.Error(d)
	}
	list := a.call("ListExecutions", object{"mapRunArn": run, "statusFilter": "FAILED"})["executions"].([]any)
	if len(list) != 1 {
		t.Fatal(list)
	}
	child := list[0].(object)["executionArn"].(string)
	if d := a.call("DescribeExecution", object{"executionArn": child}); d["error"] != "Two" || d["input"] != "2" || d["mapRunArn"] != run {
		t.Error(d)
	}
	if h := a.call("GetExecutionHistory", object{"executionArn": child})["events"].([]any); len(h) != 5 {
		t.Error(h)
	}
	a.call("UpdateMapRun", object{"mapRunArn": run, "maxConcurrency": 5})
}

// TestNested starts a state machine from another, and one that is not there.
func TestNested(t *testing.T) {
	a := serve(t, sfn.Config{Virtual: true})
	inner := a.create("Inner", `{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":3600,"Next":"P"},"P":{"Type":"Pass","Result":"inner","End":true}}}`)
	outer := func(name, arn string) string {
		return a.create(name, `{"StartAt":"Run","States":{"Run":{"Type":"Task","Resource":"arn:aws:states:::states:startExecution.sync:2","Parameters":{"StateMachineArn":"`+arn+`","Input":{}},"OutputPath":"$.Output","End":true}}}`)
	}
	if d := a.ended(a.start(outer("Outer", inner), "x", `{}`)); d["output"] != `"inner"` {
		t.Error(d)
	}
	if n := len(a.call("ListExecutions", object{"stateMachineArn": inner})["executions"].([]any)); n != 1 {
		t.Errorf("%d executions of the inner machine", n)
	}
	if d := a.ended(a.start(outer("Lost", inner+"x"), "x", `{}`)); d["error"] != "StepFunctions.StateMachineDoesNotExistException" {
		t.Error(d)
	}
}

// TestUnanswered is a task that nothing answers.
func TestUnanswered(t *testing.T) {
	a := serve(t, sfn.Config{})
	arn := a.create("M", `{"StartAt":"Pay","States":{"Pay":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"f"},"Retry":[{"ErrorEquals":["States.ALL"]}],"End":true}}}`)
	d := a.ended(a.start(arn, "x", `{}`))
	if d["error"] != "States.Runtime" || !strings.Contains(d["cause"].(string), "Nothing answers 'arn:aws:states:::lambda:invoke' for state 'Pay'") {
		t.Error(d)
	}
}

// TestStore makes a server of what another has kept.
func TestStore(t *testing.T) {
	store := &memoryStore{records: map[string]sfn.Record{}}
	journal := &engine.MemoryJournal{}
	a := serve(t, sfn.Config{Store: store, Journal: journal})
	arn := a.create("M", `{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"arn:aws:states:us-east-1:123456789012:activity:Pack","End":true}}}`, "tags", []object{{"key": "k", "value": "v"}})
	act := a.call("CreateActivity", object{"name": "Pack"})["activityArn"]
	gone := a.create("Gone", pass)
	a.call("DeleteStateMachine", object{"stateMachineArn": gone})
	x := a.start(arn, "x", `7`)
	token := a.call("GetActivityTask", object{"activityArn": act})["taskToken"]

	b := serve(t, sfn.Config{Store: store})
	if err := b.srv.Resume(journal.Entries()); err != nil {
		t.Fatal(err)
	}
	if got := a.call("ListStateMachines", object{}); fmt.Sprint(got) != fmt.Sprint(b.call("ListStateMachines", object{})) {
		t.Error(got)
	}
	if got := b.call("ListTagsForResource", object{"resourceArn": arn}); len(got["tags"].([]any)) != 1 {
		t.Error(got)
	}
	b.call("SendTaskSuccess", object{"taskToken": token, "output": "8"})
	if d := b.ended(x); d["output"] != "8" {
		t.Error(d)
	}
}

type memoryStore struct{ records map[string]sfn.Record }

func (m *memoryStore) Put(r sfn.Record) error { m.records[r.ARN] = r; return nil }

func (m *memoryStore) Delete(_, arn string) error { delete(m.records, arn); return nil }

func (m *memoryStore) Records() (list []sfn.Record, err error) {
	for _, r := range m.records {
		list = append(list, r)
	}
	return list, nil
}

// loopback is a dialler that takes every host for the server, as a name server
// does that resolves sync-states.….
func (a *api) loopback(ctx context.Context, network, _ string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, strings.TrimPrefix(a.url, "http://"))
}
