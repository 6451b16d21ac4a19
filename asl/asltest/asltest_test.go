package asltest

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/asl"
)

// The scenarios of testdata are the format's examples: all that doc.go tells of.
func TestScenarios(t *testing.T) {
	var c Coverage
	Run(t, Embedded(), "testdata/scenarios", Cover(&c))
	var missing []string
	for _, m := range c.Missing() {
		if strings.HasPrefix(m, "order:") {
			missing = append(missing, m)
		}
	}
	if diff := cmp.Diff([]string(nil), missing); diff != "" {
		t.Error(diff)
	}
}

// definitions of the tests, by the name after "workflow".
func workflow(name string) ([]byte, error) {
	switch name {
	case "ask":
		return []byte(`{"StartAt":"Ask","States":{
			"Ask":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","ResultPath":"$.answer",
			  "Retry":[{"ErrorEquals":["Slow"],"IntervalSeconds":1,"MaxAttempts":1}],
			  "Catch":[{"ErrorEquals":["Lost"],"Next":"SetLost"},{"ErrorEquals":["States.ALL"],"Next":"SetLost"}],"Next":"IsYes"},
			"SetLost":{"Type":"Pass","End":true},
			"IsYes":{"Type":"Choice","Choices":[{"Variable":"$.answer.Payload","BooleanEquals":true,"Next":"Yes"}],"Default":"No"},
			"Yes":{"Type":"Succeed"},"No":{"Type":"Fail","Error":"No","Cause":"he said no"}}}`), nil
	case "approve":
		return []byte(`{"StartAt":"WaitForApproval","States":{
			"WaitForApproval":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke.waitForTaskToken","Next":"Done"},
			"Done":{"Type":"Succeed"}}}`), nil
	case "each":
		return []byte(`{"StartAt":"ForEach","States":{"ForEach":{"Type":"Map","ItemProcessor":{"StartAt":"Do","States":{"Do":{"Type":"Pass","End":true}}},"End":true}}}`), nil
	case "broken":
		return []byte(`{"StartAt":}`), nil
	case "unfit":
		return []byte(`{"StartAt":"A","States":{"A":{"Type":"What"}}}`), nil
	}
	return nil, errors.New("no workflow of this name")
}

// problemsOf runs a scenario given as text.
func problemsOf(t *testing.T, e Endpoint, text string) ([]string, string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "s.txtar"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _ := one(t.Context(), e, dir, filepath.Join(dir, "s.txtar"), options{workflow: workflow})
	problems, skip := out.problems, out.skip
	return problems, skip
}

func TestProblems(t *testing.T) {
	tests := []struct {
		name, text string
		want       string // the problems, one a line; … at the end of a line leaves the rest open
	}{
		{"passes", "workflow ask\nreply Ask true\npath Ask IsYes Yes", ""},
		{"path", "workflow ask\nreply Ask true\npath Ask IsYes No", "s.txtar:3: the path differs after IsYes:\n\tgot  Ask IsYes Yes\n\twant Ask IsYes No"},
		{"path from the beginning", "workflow ask\nreply Ask true\npath Yes", "s.txtar:3: the path differs after the beginning:\n\tgot  Ask IsYes Yes\n\twant Yes"},
		{"status", "workflow ask\nreply Ask false", "s.txtar: status FAILED, want SUCCEEDED (No: he said no)"},
		{"error", "workflow ask\nreply Ask false\nerror Never", `s.txtar:3: error "No", want "Never" (No: he said no)`},
		{"cause", "workflow ask\nreply Ask false\nerror No it was yes", `s.txtar:3: the cause is "he said no", want one that contains "it was yes"`},
		{"output", "workflow ask\nreply Ask true\noutput {\"answer\": 1}", "s.txtar: the output differs (-want +got):…"},
		{"no output", "workflow ask\nreply Ask false\nerror No\noutput 5", "s.txtar: no output, want 5"},
		{"no reply", "workflow ask\nerror States.Runtime",
			`s.txtar: state "Ask" was called the 1st time with {}, and no reply is left for it. add: reply Ask …`},
		{"no second reply", "workflow ask\nreply Ask error Slow\nerror States.Runtime",
			`s.txtar: state "Ask" was called the 2nd time with {}, and no reply is left for it. add: reply Ask …`},
		{"unused reply", "workflow ask\nreply Ask true\nreply Ask false", `s.txtar:3: this reply of state "Ask" is never used: remove it, or see why the state was not called as often`},
		{"unused standing reply", "workflow ask\nreply Ask true\nalways Ask false", ""},
		{"deadlock", "workflow approve", `s.txtar: deadlock: no timer is left and no call is under way; state "WaitForApproval" waits for its token. add a reply
s.txtar: status RUNNING, want SUCCEEDED`},
		{"heartbeat to nobody", "workflow ask\nreply Ask true\nheartbeat Ask", "s.txtar:3: heartbeat Ask: the execution had ended before"},
		{"advance beyond the end", "workflow ask\nreply Ask true\nadvance 2h", "s.txtar:3: advance 2h0m0s: the execution had ended before"},
		{"step that never comes", "workflow approve\nheartbeat WaitForApproval\nheartbeat WaitForApproval\nreply WaitForApproval 1", ""},
		{"event", "workflow ask\nreply Ask true\nexpect event TaskFailed", "s.txtar:3: no event TaskFailed. there are ChoiceStateEntered, ChoiceStateExited, ExecutionStarted, ExecutionSucceeded, SucceedStateEntered, SucceedStateExited, TaskScheduled, TaskStarted, TaskStateEntered, TaskStateExited, TaskSucceeded"},
		{"number of events", "workflow ask\nreply Ask true\nexpect event TaskSucceeded 2x in Ask with Payload", "s.txtar:3: 1 events TaskSucceeded in Ask with Payload, want 2"},
		{"no event", "workflow ask\nreply Ask true\nexpect no event TaskSucceeded", "s.txtar:3: 1 events TaskSucceeded, want none"},
		{"call", "workflow ask\ninput {\"a\": {\"b\": 1, \"c\": 2}}\nreply Ask true\nexpect call Ask {\"a\": {\"b\": 1}}\nexpect call Ask {\"a\": {\"b\": 2}}", `s.txtar:5: no call of state "Ask" has {"a":{"b":2}}. the last was {"a":{"b":1,"c":2}}`},
		{"call of an uncalled state", "workflow approve\nadvance 1h\nstop\nstatus ABORTED\nexpect call WaitForApproval {\"x\": 1}", `s.txtar:5: no call of state "WaitForApproval" has {"x":1}. the last was {}`},
		{"took", "workflow ask\nreply Ask after 40s true\nexpect took 1s 2s", "s.txtar:3: the execution took 40s, want 1s to 2s"},
		{"took exactly", "workflow ask\nreply Ask after 40s true\nexpect took 1s", "s.txtar:3: the execution took 40s, want 1s"},
		{"no such iteration", "workflow each\ninput [1]\npath ForEach[1] Do", "s.txtar:3: the execution had no ForEach[1]"},
		{"broken definition", "workflow broken\nreply A 1", "s.txtar: the definition: 1:12: '}' stands where a value is expected"},
		{"definition that cannot run", "workflow unfit", "s.txtar: create the state machine:…"},
		{"unknown workflow", "workflow nobody", `s.txtar: workflow "nobody": no workflow of this name`},
		{"no workflow", "status FAILED", "s.txtar: no definition. add a line: workflow NAME, or a section definition.json"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, skip := problemsOf(t, Embedded(), tt.text)
			if skip != "" {
				t.Fatalf("skipped: %s", skip)
			}
			text := strings.Join(got, "\n")
			if prefix, open := strings.CutSuffix(tt.want, "…"); open && strings.HasPrefix(text, prefix) && !strings.Contains(tt.want, "reply Ask …") {
				return
			}
			if diff := cmp.Diff(tt.want, text); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFileProblems(t *testing.T) {
	tests := []struct{ line, want string }{
		{"replay Ask 1", `s.txtar:2: "replay" is no line of a scenario. did you mean "reply"?`},
		{"zzzzzz 1", `s.txtar:2: "zzzzzz" is no line of a scenario. there are workflow, type, seed, at, include, input, reply, always, advance, heartbeat, stop, status, error, output, path, expect`},
		{"path", "s.txtar:2: path is not complete. package asltest describes the lines"},
		{"type FAST", `s.txtar:2: type "FAST" does not exist. there are STANDARD and EXPRESS`},
		{"seed 0", `s.txtar:2: seed "0" is no whole number from 1`},
		{"at noon", `s.txtar:2: "noon" is no time. write it as 2026-01-01T00:00:00Z`},
		{"input {", "s.txtar:2: { is not JSON"},
		{"input @x", `s.txtar:2: the file has no section "x". add: -- x --`},
		{"reply Ask", "s.txtar:2: reply Ask says no answer. write JSON, or error, throttle, timeout, echo, result"},
		{"reply Ask error", "s.txtar:2: reply Ask error wants the error's name"},
		{"reply Ask after soon 1", `s.txtar:2: "soon" is no duration. write it as 90s, 15m or 71h`},
		{"reply Ak 1", `s.txtar:2: workflow ask has no state "Ak". did you mean Ask?`},
		{"reply IsYes 1", `s.txtar:2: state "IsYes" is a Choice; wanted is a Task`},
		{"path Ask[0] IsYes", `s.txtar:2: state "Ask" is a Task; wanted is a Map or a Parallel`},
		{"path Ask[x] IsYes", `s.txtar:2: "Ask[x]": a branch or iteration is a number from 0`},
		{"advance -1h", `s.txtar:2: "-1h" is no duration. write it as 90s, 15m or 71h`},
		{"status DONE", `s.txtar:2: status "DONE" does not exist. there are SUCCEEDED, FAILED, TIMED_OUT, ABORTED`},
		{"expect luck 1", "s.txtar:2: expect luck is not known. there are: event, no event, call, took"},
		{"expect event A B", `s.txtar:2: "B" does not belong behind an event. write: expect event TYPE [Nx] [in STATE] [with TEXT]`},
		{"expect event A in Nowhere", `s.txtar:2: workflow ask has no state "Nowhere"`},
		{"expect call Yes {}", `s.txtar:2: state "Yes" is a Succeed; wanted is a Task`},
		{"include other.txtar", `s.txtar:2: "other.txtar" would run as a scenario too. give shared lines another ending, such as .txt`},
		{"include nothing.txt", `s.txtar:2: include "nothing.txt": open…`},
		{"input 1\n-- input.json --\n2", "s.txtar: the input stands in a line and in the section input.json. keep one"},
		{"output 1\n-- output.json --\n2", "s.txtar: the output stands in a line and in the section output.json. keep one"},
		{"reply Ask 1\n-- inputs.json --\n2", `s.txtar: nothing reads the section "inputs.json". there are input.json, output.json, definition.json, s3/BUCKET/KEY, and those named with @`},
		{"reply Ask @x\n-- x --\n{", `s.txtar:2: section "x" is not JSON`},
	}
	for _, tt := range tests {
		got, _ := problemsOf(t, Embedded(), "workflow ask\n"+tt.line)
		text := strings.Join(got, "\n")
		prefix, open := strings.CutSuffix(tt.want, "…")
		if text != tt.want && (!open || !strings.HasPrefix(text, prefix)) {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.line, text, tt.want)
		}
	}
	got, _ := problemsOf(t, Embedded(), "workflow approve\nreply WaitForApproval after 5s 1")
	if want := `s.txtar:2: state "WaitForApproval" waits for a token: it takes JSON or an error. let time pass with: advance DURATION`; len(got) == 0 || got[0] != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestIncludeOfItself(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"s.txtar": "workflow ask\ninclude a.txt", "a.txt": "include a.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, _ := one(t.Context(), Embedded(), dir, filepath.Join(dir, "s.txtar"), options{workflow: workflow})
	got := out.problems
	if len(got) != 1 || !strings.Contains(got[0], "perhaps one includes itself") {
		t.Errorf("got %v", got)
	}
}

// plain is an endpoint whose time passes by itself and which holds no tokens.
type plain struct{ Endpoint }

func TestPlainEndpoint(t *testing.T) {
	if got, skip := problemsOf(t, plain{Embedded()}, "workflow ask\nreply Ask true\npath Ask IsYes Yes\nexpect took 5h"); len(got) > 0 || skip != "" {
		t.Errorf("problems %v, skip %q", got, skip)
	}
	if got, skip := problemsOf(t, plain{Embedded()}, "workflow approve\nreply WaitForApproval 1"); len(got) > 0 || skip == "" {
		t.Errorf("problems %v, skip %q: a scenario with tokens cannot run there", got, skip)
	}
}

// failing is an endpoint that breaks at one call.
type failing struct {
	Endpoint
	at string
}

func (f failing) err(at string) error {
	if f.at == at {
		return errors.New("it broke")
	}
	return nil
}

func (f failing) Start(ctx context.Context, m, n string, in json.RawMessage) (string, error) {
	if err := f.err("start"); err != nil {
		return "", err
	}
	return f.Endpoint.Start(ctx, m, n, in)
}

func (f failing) Describe(ctx context.Context, x string) (Description, error) {
	d, err := f.Endpoint.Describe(ctx, x)
	return d, errors.Join(err, f.err("describe"))
}

func (f failing) History(ctx context.Context, x string) ([]Event, error) {
	h, err := f.Endpoint.History(ctx, x)
	return h, errors.Join(err, f.err("history"))
}

func TestFailingEndpoint(t *testing.T) {
	for at, want := range map[string]string{
		"start":    "s.txtar: start an execution: it broke",
		"describe": "s.txtar: it broke",
		"history":  "s.txtar: read the history: it broke",
	} {
		got, _ := problemsOf(t, failing{Embedded(), at}, "workflow ask\nreply Ask true")
		if len(got) == 0 || got[0] != want {
			t.Errorf("%s: %q, want %q", at, got, want)
		}
	}
}

func TestPollGivesUp(t *testing.T) {
	e := plain{Embedded()}
	src, _ := workflow("approve")
	d, err := asl.Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	m, err := e.Create(t.Context(), Machine{Name: "m", Definition: src, Script: newScript(d, nil, nil)})
	if err != nil {
		t.Fatal(err)
	}
	x, err := e.Start(t.Context(), m, "x", json.RawMessage("{}"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := poll(ctx, e, x); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("poll: %v", err)
	}
}

func TestExpectedFailures(t *testing.T) {
	reasons := map[string]string{"a": "not yet"}
	if got := judge([]string{"x"}, reasons, "a"); got != nil {
		t.Errorf("an expected failure fails the test: %v", got)
	}
	if got := judge(nil, reasons, "a"); len(got) != 1 || !strings.Contains(got[0], "remove the line") {
		t.Errorf("an unexpected pass: %v", got)
	}
	if got := judge([]string{"x"}, reasons, "b"); len(got) != 1 {
		t.Errorf("a failure: %v", got)
	}
	file := filepath.Join(t.TempDir(), ExpectedFailures)
	if got, err := expected(file, "e"); got != nil || err != nil {
		t.Errorf("without a file: %v, %v", got, err)
	}
	for text, want := range map[string]string{"e:\n  a: ''\n": "has no reason", "e: [1]\n": "read ", "": ""} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := expected(file, "e")
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestCoverage(t *testing.T) {
	var c Coverage
	src, _ := workflow("ask")
	d, err := asl.Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	c.Know("ask", d)
	all := c.Missing()
	if len(all) != 5 {
		t.Errorf("before any scenario: %q", all)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"yes.txtar": "workflow ask\nreply Ask true", "lost.txtar": "workflow ask\nreply Ask error Lost"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	Run(t, Embedded(), dir, Workflows(workflow), Cover(&c))
	want := []string{
		"ask: the catch of States.ALL in Ask is never taken",
		"ask: choice IsYes never goes to No",
		"ask: state No is never entered",
	}
	if diff := cmp.Diff(want, c.Missing()); diff != "" {
		t.Error(diff)
	}
}

func TestThrottle(t *testing.T) {
	for service, want := range map[string]string{
		"lambda": "Lambda.TooManyRequestsException", "dynamodb": "DynamoDB.ProvisionedThroughputExceededException",
		"sqs": "SQS.RequestThrottled", "aws-sdk:sns": "SNS.ThrottledException", "states": "StepFunctions.ThrottlingException",
		"aws-sdk:sfn": "Sfn.SfnException", "glue": "Glue.ThrottlingException",
	} {
		if got := throttled(service, true); got != want {
			t.Errorf("%s: %s, want %s", service, got, want)
		}
	}
}

func TestOrdinal(t *testing.T) {
	for n, want := range map[int]string{1: "the 1st", 2: "the 2nd", 3: "the 3rd", 4: "the 4th", 11: "the 11th", 21: "the 21st", 112: "the 112th"} {
		if got := ordinal(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func TestMatch(t *testing.T) {
	tests := []struct {
		want, got    string
		same, subset bool
	}{
		{`{"a": 1}`, `{"a": 1.0}`, true, true},
		{`{"a": "<any>"}`, `{"a": [1]}`, true, true},
		{`{"a": 1}`, `{"a": 1, "b": 2}`, false, true},
		{`{"a": {"b": 1}}`, `{"a": 5}`, false, false},
		{`{"a": 1}`, `{}`, false, false},
		{`[1, "<any>"]`, `[1, 2]`, true, true},
		{`[1]`, `[1, 2]`, false, false},
		{`1`, `"1"`, false, false},
	}
	for _, tt := range tests {
		want, err := decode([]byte(tt.want))
		if err != nil {
			t.Fatal(err)
		}
		got, err := decode([]byte(tt.got))
		if err != nil {
			t.Fatal(err)
		}
		if same := difference(want, got) == ""; same != tt.same {
			t.Errorf("%s and %s: same %v", tt.want, tt.got, same)
		}
		if sub := contains(got, want); sub != tt.subset {
			t.Errorf("%s in %s: %v", tt.want, tt.got, sub)
		}
	}
	if _, err := decode([]byte("1 2")); err == nil {
		t.Error("two values are read as one")
	}
}

// lingering is an endpoint on which a timer stays behind.
type lingering struct{ *embedded }

func (lingering) Next(string) (time.Time, bool) {
	return time.Date(2026, 1, 1, 1, 0, 0, 0, time.UTC), true
}

func (lingering) Waiting(string) []Waiting { return []Waiting{{State: "Ask", For: "timer"}} }

func TestATimerThatIsLeftFailsTheScenario(t *testing.T) {
	got, _ := problemsOf(t, lingering{Embedded().(*embedded)}, "workflow ask\nreply Ask true\n")
	want := []string{`s.txtar: a timer is left for 2026-01-01T01:00:00Z after the execution ended; state "Ask" waits for its timer`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
