package journal_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"plumbline/asl/engine"
	"plumbline/internal/sfn"
	"plumbline/internal/sfn/journal"
	"plumbline/internal/sqlite"
)

// server is one life of a server with its data in a folder.
type server struct {
	t      *testing.T
	api    *sfn.Server
	file   *journal.Journal
	losses []string
}

func begin(t *testing.T, dir string, tasks engine.Invoker) *server {
	t.Helper()
	j, entries, losses, err := journal.Open(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	var mocks *sfn.Mocks
	if file := filepath.Join(dir, "mocks.json"); exists(file) {
		if mocks, err = sfn.ReadMocks(file); err != nil {
			t.Fatal(err)
		}
	}
	api, err := sfn.New(sfn.Config{Journal: j, Store: j, Tasks: tasks, Mocks: mocks})
	if err != nil {
		t.Fatal(err)
	}
	if err := api.Resume(entries); err != nil {
		losses = append(losses, err.Error())
	}
	return &server{t, api, j, losses}
}

func (s *server) end() {
	s.t.Helper()
	if err := s.file.Close(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) call(action, body string) map[string]any {
	s.t.Helper()
	r := httptest.NewRequest("POST", "/", strings.NewReader(body))
	r.Header.Set("X-Amz-Target", "AWSStepFunctions."+action)
	w := httptest.NewRecorder()
	s.api.ServeHTTP(w, r)
	var out map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != 200 {
		s.t.Fatalf("%s: %d %s", action, w.Code, w.Body)
	}
	return out
}

const (
	role    = "arn:aws:iam::123456789012:role/r"
	machine = "arn:aws:states:us-east-1:123456789012:stateMachine:m"
	of      = "arn:aws:states:us-east-1:123456789012:execution:m:"
	ask     = `{"StartAt":"Ask","States":{"Ask":{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken","Parameters":{"t.$":"$$.Task.Token"},"End":true}}}`
)

func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// What a server knew, the next one on the folder knows: machines, executions that
// have ended and their histories, and tokens of those that wait.
func TestServerAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data") // which is made
	tokens := make(chan string, 10)
	tasks := engine.InvokerFunc(func(_ context.Context, c engine.Call) (json.RawMessage, error) {
		tokens <- c.Token
		return nil, nil
	})
	s := begin(t, dir, tasks)
	s.call("CreateStateMachine", `{"name":"m","roleArn":"`+role+`","definition":`+quote(ask)+`}`)
	s.call("CreateActivity", `{"name":"a"}`)
	s.call("StartExecution", `{"stateMachineArn":"`+machine+`","name":"ended","input":"{\"n\":1}"}`)
	s.call("SendTaskSuccess", `{"taskToken":"`+<-tokens+`","output":"\"yes\""}`)
	for s.call("DescribeExecution", `{"executionArn":"`+of+`ended"}`)["status"] == "RUNNING" {
		time.Sleep(time.Millisecond)
	}
	s.call("StartExecution", `{"stateMachineArn":"`+machine+`","name":"waits","input":"{\"n\":2}"}`)
	token := <-tokens
	history := fmt.Sprint(s.call("GetExecutionHistory", `{"executionArn":"`+of+`ended"}`))
	ended := fmt.Sprint(s.call("DescribeExecution", `{"executionArn":"`+of+`ended"}`))
	// The machine changes: what runs keeps its text.
	s.call("UpdateStateMachine", `{"stateMachineArn":"`+machine+`","definition":`+quote(`{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}`)+`}`)
	s.end()

	s = begin(t, dir, tasks)
	if len(s.losses) > 0 {
		t.Errorf("losses %q", s.losses)
	}
	if got := fmt.Sprint(s.call("DescribeExecution", `{"executionArn":"`+of+`ended"}`)); got != ended {
		t.Errorf("described as %s, was %s", got, ended)
	}
	if got := fmt.Sprint(s.call("GetExecutionHistory", `{"executionArn":"`+of+`ended"}`)); got != history {
		t.Errorf("its history is %s, was %s", got, history)
	}
	if got := s.call("DescribeStateMachineForExecution", `{"executionArn":"`+of+`waits"}`)["definition"]; got != ask {
		t.Errorf("the machine of what waits is %s", got)
	}
	if got := s.call("ListExecutions", `{"stateMachineArn":"`+machine+`"}`)["executions"].([]any); len(got) != 2 {
		t.Errorf("executions %v", got)
	}
	if got := s.call("ListActivities", `{}`)["activities"].([]any); len(got) != 1 {
		t.Errorf("activities %v", got)
	}
	// The same start again is the same execution, under its older text.
	s.call("SendTaskSuccess", `{"taskToken":"`+token+`","output":"\"late\""}`)
	for s.call("DescribeExecution", `{"executionArn":"`+of+`waits"}`)["status"] == "RUNNING" {
		time.Sleep(time.Millisecond)
	}
	if got := s.call("DescribeExecution", `{"executionArn":"`+of+`waits"}`)["output"]; got != `"late"` {
		t.Errorf("its output is %v", got)
	}
	s.end()
}

// Answers of a mock file go by the number of the call, over restarts, too.
func TestServerMocks(t *testing.T) {
	dir := t.TempDir()
	mocks := `{"StateMachines":{"m":{"TestCases":{"Case":{"A":"R"}}}},"MockedResponses":{"R":{"0":{"Throw":{"Error":"Boom"}},"1":{"Return":"second"}}}}`
	if err := os.WriteFile(filepath.Join(dir, "mocks.json"), []byte(mocks), 0o600); err != nil {
		t.Fatal(err)
	}
	s := begin(t, dir, nil)
	definition := `{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:1:function:f","Retry":[{"ErrorEquals":["Boom"],"IntervalSeconds":1}],"End":true}}}`
	s.call("CreateStateMachine", `{"name":"m","roleArn":"`+role+`","definition":`+quote(definition)+`}`)
	s.call("StartExecution", `{"stateMachineArn":"`+machine+`#Case","name":"x"}`)
	for len(s.api.Engine().Waiting()) == 0 || s.api.Engine().Waiting()[0].For != "timer" {
		time.Sleep(time.Millisecond)
	}
	s.end()
	s = begin(t, dir, nil)
	for s.call("DescribeExecution", `{"executionArn":"`+of+`x"}`)["status"] == "RUNNING" {
		time.Sleep(time.Millisecond)
	}
	if got := s.call("DescribeExecution", `{"executionArn":"`+of+`x"}`); got["output"] != `"second"` {
		t.Errorf("got %v", got)
	}
	s.end()
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// A damaged journal costs the executions that are damaged; the server says so,
// once, and goes on with the others.
func TestServerDamaged(t *testing.T) {
	dir := t.TempDir()
	tokens := make(chan string, 10)
	tasks := engine.InvokerFunc(func(_ context.Context, c engine.Call) (json.RawMessage, error) {
		tokens <- c.Token
		return nil, nil
	})
	s := begin(t, dir, tasks)
	s.call("CreateStateMachine", `{"name":"m","roleArn":"`+role+`","definition":`+quote(ask)+`}`)
	for _, name := range []string{"whole", "cut", "startless"} {
		s.call("StartExecution", `{"stateMachineArn":"`+machine+`","name":"`+name+`"}`)
		<-tokens
	}
	for len(s.api.Engine().Waiting()) != 3 || s.api.Engine().Waiting()[0].For != "token" {
		time.Sleep(time.Millisecond)
	}
	s.end()
	// What a bad disk might do, by the file's own means.
	file, kept, err := sqlite.OpenJournal(context.Background(), filepath.Join(dir, journal.FileName))
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Drop(context.Background(), []string{of + "cut", of + "startless"}); err != nil {
		t.Fatal(err)
	}
	for _, k := range kept.Entries {
		if k.Name == of+"cut" && k.Number == 1 {
			file.Append(k.Name, k.Body)
			file.Append(k.Name, []byte(`{"kind`))
			file.Append(k.Name, []byte(`{}`))
		}
		if k.Name == of+"startless" {
			file.Append(k.Name, []byte(`{"kind`))
		}
	}
	if err := file.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}

	s = begin(t, dir, tasks)
	report := strings.Join(s.losses, "\n")
	for _, want := range []string{of + "cut fails where its entries end", "entry 2", journal.FileName, of + "startless is lost: its start cannot be read"} {
		if !strings.Contains(report, want) {
			t.Errorf("the losses do not say %q: %s", want, report)
		}
	}
	if got := s.call("DescribeExecution", `{"executionArn":"`+of+`whole"}`)["status"]; got != "RUNNING" {
		t.Errorf("the whole one is %v", got)
	}
	got := s.call("DescribeExecution", `{"executionArn":"`+of+`cut"}`)
	if got["status"] != "FAILED" || got["error"] != "States.Runtime" || !strings.Contains(fmt.Sprint(got["cause"]), "damaged from its entry 2 on") {
		t.Errorf("the damaged one is %v", got)
	}
	if h := fmt.Sprint(s.call("GetExecutionHistory", `{"executionArn":"`+of+`cut"}`)); !strings.Contains(h, "ExecutionFailed") || !strings.Contains(h, "is damaged") {
		t.Errorf("its history does not say so: %s", h)
	}
	if got := s.call("ListExecutions", `{"stateMachineArn":"`+machine+`"}`)["executions"].([]any); len(got) != 2 {
		t.Errorf("executions %v", got)
	}
	s.call("StartExecution", `{"stateMachineArn":"`+machine+`","name":"new"}`)
	s.end()
	s = begin(t, dir, tasks)
	if len(s.losses) > 0 {
		t.Errorf("it is reported again: %q", s.losses)
	}
	if got := s.call("DescribeExecution", `{"executionArn":"`+of+`cut"}`)["status"]; got != "FAILED" {
		t.Errorf("then it is %v", got)
	}
	s.end()
}

// A file that was cut off is moved aside; the server says so and serves.
func TestServerTruncated(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, journal.FileName)
	tasks := engine.InvokerFunc(func(_ context.Context, c engine.Call) (json.RawMessage, error) { return c.Input, nil })
	s := begin(t, dir, tasks)
	create := `{"name":"m","roleArn":"` + role + `","definition":` + quote(`{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:1:function:f","End":true}}}`) + `}`
	s.call("CreateStateMachine", create)
	for n := range 200 {
		s.call("StartExecution", fmt.Sprintf(`{"stateMachineArn":"%s","name":"x%d","input":%s}`, machine, n, quote(`"`+strings.Repeat("x", 200)+`"`)))
	}
	s.end()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, keep := range []int64{info.Size() * 3 / 4, info.Size() / 2, 100, 1} {
		if err := os.Truncate(path, keep); err != nil {
			t.Fatal(err)
		}
		s = begin(t, dir, tasks)
		if len(s.losses) == 0 || !strings.Contains(s.losses[0], "was moved to") {
			t.Errorf("cut to %d bytes: losses %q", keep, s.losses)
		}
		s.call("CreateStateMachine", create)
		list := s.call("ListExecutions", `{"stateMachineArn":"`+machine+`"}`)["executions"].([]any)
		t.Logf("cut to %d bytes: %d executions, %d losses, the first %q", keep, len(list), len(s.losses), s.losses[0])
		s.call("StartExecution", `{"stateMachineArn":"`+machine+`"}`)
		s.end()
	}
}

// BenchmarkExecution is a whole execution of two tasks, with and without a journal.
func BenchmarkExecution(b *testing.B) {
	tasks := engine.InvokerFunc(func(_ context.Context, c engine.Call) (json.RawMessage, error) { return c.Input, nil })
	main, err := compile(`{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"f","Next":"B"},"B":{"Type":"Task","Resource":"f","End":true}}}`, "two")
	if err != nil {
		b.Fatal(err)
	}
	for _, kept := range []bool{false, true} {
		for _, parallel := range []int{1, 200} {
			b.Run(fmt.Sprintf("journal=%v/parallel=%d", kept, parallel), func(b *testing.B) {
				o := engine.Options{Tasks: tasks, History: true}
				if kept {
					j, _, _, err := journal.Open(context.Background(), b.TempDir())
					if err != nil {
						b.Fatal(err)
					}
					defer j.Close()
					o.Journal = j
				}
				e := engine.New(o)
				for b.Loop() {
					done := make(chan *engine.Execution, parallel)
					for range parallel {
						go func() {
							x, err := e.Start(main, "", json.RawMessage(`{"n":1}`))
							if err != nil {
								panic(err)
							}
							<-x.Done()
							e.Forget(x.ARN)
							done <- x
						}()
					}
					for range parallel {
						<-done
					}
				}
				b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(parallel), "µs/execution")
			})
		}
	}
}
