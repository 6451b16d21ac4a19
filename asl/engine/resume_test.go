package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/asl"
	"plumbline/asl/engine"
)

const twoTasks = `{"StartAt":"A","States":{
	"A":{"Type":"Task","Resource":"f","Next":"B"},
	"B":{"Type":"Task","Resource":"f","TimeoutSeconds":60,"End":true}}}`

// resumed is an engine that goes on with entries, and the calls it makes.
func resumed(t *testing.T, entries []engine.Entry, now time.Time, later *engine.Later) (*engine.Engine, []*engine.Execution, func() []string, error) {
	t.Helper()
	var mu sync.Mutex
	var calls []string
	tasks := engine.InvokerFunc(func(_ context.Context, c engine.Call) (json.RawMessage, error) {
		mu.Lock()
		defer mu.Unlock()
		calls = append(calls, c.State)
		if later != nil {
			return nil, later
		}
		return c.Input, nil
	})
	clock := engine.NewVirtualClock(now)
	clock.Hold()
	e := engine.New(engine.Options{Clock: clock, Tasks: tasks, History: true})
	list, err := e.Resume(entries, nil)
	e.Settle()
	return e, list, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(calls)
	}, err
}

// record runs twoTasks in an engine whose calls answer later, up to where the
// second call waits for its outcome.
func record(t *testing.T, later *engine.Later) []engine.Entry {
	t.Helper()
	journal := &engine.MemoryJournal{}
	clock := engine.NewVirtualClock(start)
	clock.Hold()
	tasks := engine.InvokerFunc(func(_ context.Context, c engine.Call) (json.RawMessage, error) {
		if c.State == "B" {
			return nil, later
		}
		return c.Input, nil
	})
	e := engine.New(engine.Options{Clock: clock, Tasks: tasks, Journal: journal})
	if _, err := e.Start(compile(t, twoTasks), "x", json.RawMessage(`{"n":1}`)); err != nil {
		t.Fatal(err)
	}
	e.Settle()
	return journal.Entries()
}

// A call whose outcome comes later has returned: a restart waits for the
// outcome, and does not call again.
func TestResumeLater(t *testing.T) {
	tests := []struct {
		name  string
		later engine.Later
		want  engine.Result
	}{
		{"outcome", engine.Later{After: 30 * time.Second, Output: json.RawMessage(`"late"`)}, engine.Result{Status: engine.Succeeded, Output: json.RawMessage(`"late"`)}},
		{"error", engine.Later{After: 30 * time.Second, Err: &engine.Error{Name: "Boom", Cause: "c"}}, engine.Result{Status: engine.Failed, Error: "Boom", Cause: "c"}},
		{"never", engine.Later{After: -1}, engine.Result{Status: engine.Failed, Error: "States.Timeout"}},
		{"submitted", engine.Later{After: 30 * time.Second, Submitted: json.RawMessage(`{"Job":1}`), Output: json.RawMessage(`2`)}, engine.Result{Status: engine.Succeeded, Output: json.RawMessage(`2`)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			entries := record(t, &tt.later)
			e, list, calls, err := resumed(t, entries, start.Add(10*time.Second), nil)
			if err != nil {
				t.Fatal(err)
			}
			e.Advance(19 * time.Second)
			if s := list[0].Result().Status; s != engine.Running {
				t.Errorf("after 29 seconds it is %s", s)
			}
			e.Advance(time.Minute)
			if d := cmp.Diff(tt.want, list[0].Result()); d != "" {
				t.Error(d)
			}
			if c := calls(); len(c) > 0 {
				t.Errorf("it called %v again", c)
			}
			submitted := 0
			for _, ev := range list[0].History() {
				if ev.Type == "TaskSubmitted" {
					submitted++
				}
			}
			if want := min(len(tt.later.Submitted), 1); submitted != want {
				t.Errorf("%d TaskSubmitted, want %d", submitted, want)
			}
		})
	}
}

// What became due while no engine ran happens at once, and what has timed out
// is not called once more.
func TestResumeOverdue(t *testing.T) {
	never := &engine.Later{After: -1}
	entries := record(t, never)
	entries = entries[:len(entries)-1] // the call of B had not returned
	_, list, calls, err := resumed(t, entries, start.Add(time.Hour), never)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(engine.Result{Status: engine.Failed, Error: "States.Timeout"}, list[0].Result()); d != "" {
		t.Error(d)
	}
	if c := calls(); len(c) > 0 {
		t.Errorf("it called %v", c)
	}
	_, _, calls, _ = resumed(t, entries, start.Add(time.Second), never)
	if d := cmp.Diff([]string{"B"}, calls()); d != "" {
		t.Error(d)
	}
}

// A journal in which one execution is damaged lets the others go on.
func TestResumeDamage(t *testing.T) {
	journal := &engine.MemoryJournal{}
	e := engine.New(engine.Options{Clock: engine.NewVirtualClock(start), Journal: journal})
	for _, name := range []string{"a", "b", "c"} {
		x, _ := e.Start(compile(t, waitMachine), name, nil)
		wait(t, x)
	}
	var entries []engine.Entry
	for _, en := range journal.Entries() {
		switch {
		case strings.HasSuffix(en.Execution, ":a") && en.Kind == "timer":
			en = engine.Entry{Execution: en.Execution, Kind: "damage", Time: en.Time, Failed: true, Error: "States.Runtime", Cause: "lost from entry 2"}
		case strings.HasSuffix(en.Execution, ":b") && en.Kind == "timer":
			en.Frame = 99
		}
		entries = append(entries, en)
	}
	_, list, _, err := resumed(t, entries, start, nil)
	if err == nil || strings.Count(err.Error(), "resume ") != 1 || !strings.Contains(err.Error(), "execution:StateMachine:b: the journal's entry timer") {
		t.Errorf("got %v", err)
	}
	var got []string
	for _, x := range list {
		got = append(got, string(x.Result().Status)+" "+x.Result().Cause)
		events := x.History()
		if want := map[bool]string{true: "ExecutionSucceeded", false: "ExecutionFailed"}[x.Name == "c"]; events[len(events)-1].Type != want {
			t.Errorf("%s ends with %s", x.Name, events[len(events)-1].Type)
		}
	}
	if len(got) != 3 || got[0] != "FAILED lost from entry 2" || !strings.Contains(got[1], "frame 99") || got[2] != "SUCCEEDED " {
		t.Errorf("got %q", got)
	}
}

// A parent whose child the journal has lost does not wait for it for ever.
func TestResumeWithoutChild(t *testing.T) {
	journal := &engine.MemoryJournal{}
	clock := engine.NewVirtualClock(start)
	clock.Hold()
	e := engine.New(engine.Options{Clock: clock, Journal: journal, Machines: map[string]*engine.Machine{"child": compile(t, waitMachine).As(engine.Identity{Name: "child"})}})
	parent := compile(t, `{"StartAt":"C","States":{"C":{"Type":"Task","Resource":"arn:aws:states:::states:startExecution.sync","Parameters":{"StateMachineArn":"child"},"End":true}}}`)
	if _, err := e.Start(parent, "x", nil); err != nil {
		t.Fatal(err)
	}
	e.Settle()
	entries := slices.DeleteFunc(journal.Entries(), func(en engine.Entry) bool { return strings.Contains(en.Execution, ":child:") })
	_, list, _, err := resumed(t, entries, start, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := engine.Result{Status: engine.Failed, Error: "States.TaskFailed", Cause: "the execution that it waits for is not in the journal"}
	if d := cmp.Diff(want, list[0].Result()); d != "" {
		t.Error(d)
	}
}

// FuzzResume reads journals whose entries are in disorder or not the engine's:
// whatever they are, the execution ends or waits, and nothing panics.
func FuzzResume(f *testing.F) {
	clock := engine.NewVirtualClock(start)
	clock.Hold()
	journal := &engine.MemoryJournal{}
	w := &world{keys: map[string]int{}}
	e := engine.New(engine.Options{Clock: clock, Tasks: w, Journal: journal, Seed: 5})
	d, err := asl.Parse([]byte(workflow))
	if err != nil {
		f.Fatal(err)
	}
	m, err := engine.Compile(d)
	if err != nil {
		f.Fatal(err)
	}
	if _, err := e.Start(m, "x", json.RawMessage(`{"items":[1,2,3]}`)); err != nil {
		f.Fatal(err)
	}
	e.Advance(20 * time.Minute)
	good := journal.Entries()
	text, err := json.Marshal(good[1:])
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text))
	for frame := range 12 {
		var all []string
		for _, kind := range []string{"worker", "timer", "limits", "submit", "later", "child", "heartbeat", "call", "token"} {
			all = append(all, fmt.Sprintf(`{"kind":%q,"frame":%d,"wait":1,"timer":"later"}`, kind, frame))
		}
		f.Add("[" + strings.Join(all, ",") + "]")
	}
	f.Fuzz(func(t *testing.T, text string) {
		var rest []engine.Entry
		if json.Unmarshal([]byte(text), &rest) != nil || len(rest) > 1000 {
			return
		}
		entries := []engine.Entry{good[0]}
		for _, en := range rest {
			if en.Kind != "start" {
				en.Execution = good[0].Execution
				entries = append(entries, en)
			}
		}
		clock := engine.NewVirtualClock(start)
		clock.Hold()
		e := engine.New(engine.Options{Clock: clock, Tasks: &world{keys: map[string]int{}}, History: true})
		list, err := e.Resume(entries, nil)
		e.Settle()
		if len(list) != 1 {
			t.Fatalf("%d executions, %v", len(list), err)
		}
		if err != nil && list[0].Result().Status == engine.Running {
			t.Errorf("it runs in spite of %v", err)
		}
	})
}

// gathering is a Committer that says what is durable.
type gathering struct {
	mu      sync.Mutex
	open    []engine.Entry
	durable []engine.Entry
	fail    bool
}

func (g *gathering) Append(e engine.Entry) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open = append(g.open, e)
	return nil
}

func (g *gathering) Commit() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.fail {
		return errors.New("disk full")
	}
	g.durable = append(g.durable, g.open...)
	g.open = nil
	return nil
}

func (g *gathering) has(kind string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := 0
	for _, e := range g.durable {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// With a Committer nothing happens outside before the entries that lead to it
// are durable, and whoever gives the engine something gets his answer after that.
func TestCommitter(t *testing.T) {
	g := &gathering{}
	var early []string
	var mu sync.Mutex
	tasks := engine.InvokerFunc(func(_ context.Context, c engine.Call) (json.RawMessage, error) {
		mu.Lock()
		defer mu.Unlock()
		if g.has("start") == 0 || c.State == "B" && g.has("call") == 0 {
			early = append(early, c.State)
		}
		return nil, nil
	})
	e := engine.New(engine.Options{Tasks: tasks, Journal: g})
	ask := compile(t, `{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"f","Next":"B"},
		"B":{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken","End":true}}}`)
	for n := 1; n <= 20; n++ {
		x, err := e.Start(ask, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		if g.has("start") != n {
			t.Fatal("Start returned before the start was durable")
		}
		for len(e.Waiting()) == 0 || e.Waiting()[0].For != "token" {
			time.Sleep(time.Millisecond)
		}
		if err := e.Succeed(e.Waiting()[0].Token, json.RawMessage(`1`)); err != nil {
			t.Fatal(err)
		}
		if g.has("token") != n {
			t.Fatal("Succeed returned before the callback was durable")
		}
		wait(t, x)
	}
	if early != nil {
		t.Errorf("called before it was durable: %v", early)
	}
	g.mu.Lock()
	g.fail = true
	g.mu.Unlock()
	x, _ := e.Start(ask, "", nil)
	want := engine.Result{Status: engine.Failed, Error: "States.Runtime", Cause: "append to the journal: disk full"}
	if d := cmp.Diff(want, wait(t, x)); d != "" {
		t.Error(d)
	}
	// The end that could not be kept is not told as one.
	x, _ = e.Start(compile(t, `{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}`), "", nil)
	if d := cmp.Diff(want, wait(t, x)); d != "" {
		t.Error(d)
	}
}
