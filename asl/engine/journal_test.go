package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/asl/engine"
)

// workflow has a bit of everything that can wait.
const workflow = `{"TimeoutSeconds":100000,"StartAt":"Set","States":{
	"Set":{"Type":"Pass","Assign":{"id.$":"States.UUID()"},"Next":"All"},
	"All":{"Type":"Parallel","Branches":[
		{"StartAt":"Work","States":{"Work":{"Type":"Task","Resource":"f","TimeoutSeconds":500,"Retry":[{"ErrorEquals":["Boom"],"IntervalSeconds":30,"JitterStrategy":"FULL"}],"End":true}}},
		{"StartAt":"Pause","States":{"Pause":{"Type":"Wait","Seconds":60,"End":true}}},
		{"StartAt":"Each","States":{"Each":{"Type":"Map","MaxConcurrency":1,"ItemsPath":"$.items","ItemProcessor":{"StartAt":"Item","States":{"Item":{"Type":"Task","Resource":"f","End":true}}},"End":true}}},
		{"StartAt":"Ask","States":{"Ask":{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken","HeartbeatSeconds":5000,"Parameters":{"t.$":"$$.Task.Token"},"End":true}}},
		{"StartAt":"Child","States":{"Child":{"Type":"Task","Resource":"arn:aws:states:::states:startExecution.sync:2","Parameters":{"StateMachineArn":"child","Input":{"x":1}},"ResultSelector":{"o.$":"$.Output"},"End":true}}},
		{"StartAt":"Act","States":{"Act":{"Type":"Task","Resource":"arn:aws:states:us-east-1:123456789012:activity:a","End":true}}}],
		"Next":"Read"},
	"Read":{"Type":"Map","ItemReader":{"Resource":"arn:aws:states:::s3:getObject","ReaderConfig":{"InputType":"JSON"},"Parameters":{"Bucket":"b","Key":"k"}},
		"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}},"ResultPath":"$[0]","Next":"Show"},
	"Show":{"Type":"Pass","Parameters":{"id.$":"$id","all.$":"$"},"End":true}}}`

// world is what the workflow runs in: it is the same for any engine.
type world struct {
	mu     sync.Mutex
	tokens []string
	keys   map[string]int
}

func (w *world) Invoke(_ context.Context, c engine.Call) (json.RawMessage, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.keys[fmt.Sprint(c.State, c.Key, c.Attempt)]++
	if c.State == "Work" && c.Attempt < 2 {
		return nil, &engine.Error{Name: "Boom"}
	}
	if c.Token != "" {
		w.tokens = append(w.tokens, c.Token)
	}
	return c.Input, nil
}

func (w *world) options(t *testing.T, clock engine.Clock, j engine.Journal) engine.Options {
	objects := &engine.MemoryObjects{}
	_ = objects.Put(context.Background(), "b", "k", []byte(`[1,2]`))
	return engine.Options{Clock: clock, Tasks: w, Journal: j, Objects: objects, History: true, Seed: 5,
		Machines: map[string]*engine.Machine{"child": compile(t, child).As(engine.Identity{Name: "child"})}}
}

// finish does what people and workers do, and returns the end.
func (w *world) finish(t *testing.T, e *engine.Engine, x *engine.Execution) (engine.Result, string) {
	t.Helper()
	e.Advance(10 * time.Minute)
	for _, wt := range e.Waiting() {
		switch wt.For {
		case "activity":
			task, err := e.Poll(context.Background(), "arn:aws:states:us-east-1:123456789012:activity:a", "w")
			if err != nil {
				t.Fatal(err)
			}
			e.Settle()
			if err := e.Succeed(task.Token, json.RawMessage(`"acted"`)); err != nil {
				t.Fatal(err)
			}
		case "token":
			if wt.State == "Ask" {
				if err := e.Succeed(wt.Token, json.RawMessage(`"asked"`)); err != nil {
					t.Fatal(err)
				}
			} else if err := e.Succeed(wt.Token, json.RawMessage(`"acted"`)); err != nil {
				t.Fatal(err)
			}
		}
		e.Settle()
	}
	e.Advance(time.Hour)
	if x.Result().Status == engine.Running {
		t.Fatalf("it waits at %+v", e.Waiting())
	}
	r := wait(t, x)
	b, err := json.Marshal(x.History())
	if err != nil {
		t.Fatal(err)
	}
	return r, string(b)
}

// An engine that dies at any entry of its journal is replaced by one that
// ends in the same state, by the same history where nothing was under way.
func TestResume(t *testing.T) {
	begin := func(j engine.Journal) (*engine.Engine, *world, *engine.Execution) {
		w := &world{keys: map[string]int{}}
		clock := engine.NewVirtualClock(start)
		clock.Hold()
		e := engine.New(w.options(t, clock, j))
		x, err := e.Start(compile(t, workflow), "x", json.RawMessage(`{"items":[1,2,3]}`))
		if err != nil {
			t.Fatal(err)
		}
		return e, w, x
	}
	journal := &engine.MemoryJournal{}
	e, w, x := begin(journal)
	want, history := w.finish(t, e, x)
	if want.Status != engine.Succeeded || !strings.Contains(string(want.Output), `"asked"`) || !strings.Contains(string(want.Output), `"acted"`) {
		t.Fatal(want)
	}
	entries := journal.Entries()
	text, err := json.Marshal(entries) // a journal in a file is as good
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &entries); err != nil {
		t.Fatal(err)
	}
	machines := func(arn string) *engine.Machine {
		if strings.HasSuffix(arn, ":child") {
			return compile(t, child).As(engine.Identity{Name: "child"})
		}
		return compile(t, workflow)
	}
	for n := 1; n <= len(entries); n++ {
		at := entries[n-1].Time
		clock := engine.NewVirtualClock(at)
		clock.Hold()
		rest := &engine.MemoryJournal{}
		e := engine.New(w.options(t, clock, rest))
		list, err := e.Resume(entries[:n], machines)
		if err != nil {
			t.Fatalf("after %d entries: %v", n, err)
		}
		e.Settle()
		got, gotHistory := w.finish(t, e, list[0])
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("resumed after %d entries (%s): %s", n, entries[n-1].Kind, d)
		}
		if n == len(entries) && gotHistory != history {
			t.Errorf("the replayed history differs: %s", cmp.Diff(history, gotHistory))
		}
	}
}

func TestResumeErrors(t *testing.T) {
	journal := &engine.MemoryJournal{}
	e := engine.New(engine.Options{Clock: engine.NewVirtualClock(start), Journal: journal})
	x, _ := e.Start(compile(t, waitMachine), "x", nil)
	wait(t, x)
	good := journal.Entries()
	known := func(string) *engine.Machine { return compile(t, waitMachine) }
	change := func(f func(es []engine.Entry)) []engine.Entry {
		es := append([]engine.Entry(nil), good...)
		f(es)
		return es
	}
	tests := []struct {
		name    string
		entries []engine.Entry
		machine func(string) *engine.Machine
		want    string
	}{
		{"unknown machine", change(func(es []engine.Entry) { es[0].Definition = "" }), func(string) *engine.Machine { return nil }, "its machine arn:aws:states:us-east-1:123456789012:stateMachine:StateMachine is not known"},
		{"no start", good[1:], known, "but not its start"},
		{"input", change(func(es []engine.Entry) { es[0].Value = json.RawMessage(`{`) }), known, "read its input"},
		{"kind", change(func(es []engine.Entry) { es[1].Kind = "?" }), known, `unknown kind "?"`},
		{"frame", change(func(es []engine.Entry) { es[1].Frame = 77 }), known, "about frame 77, which there is not"},
		{"value", change(func(es []engine.Entry) { es[1].Value = json.RawMessage(`{`) }), known, "read the journal's value"},
		{"answer", change(func(es []engine.Entry) { es[1].Submitted = json.RawMessage(`{`) }), known, "read the journal's answer"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := engine.New(engine.Options{Clock: engine.NewVirtualClock(start)}).Resume(tt.entries, tt.machine)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// A journal that cannot be written fails the execution rather than going on unrecorded.
func TestJournalFails(t *testing.T) {
	for _, after := range []int{0, 1} {
		e := engine.New(engine.Options{Clock: engine.NewVirtualClock(start), Journal: &fullJournal{after}})
		x, _ := e.Start(compile(t, waitMachine), "", nil)
		want := engine.Result{Status: engine.Failed, Error: "States.Runtime", Cause: "append to the journal: disk full"}
		if d := cmp.Diff(want, wait(t, x)); d != "" {
			t.Error(d)
		}
	}
}

type fullJournal struct{ after int }

func (j *fullJournal) Append(engine.Entry) error {
	if j.after--; j.after < 0 {
		return errors.New("disk full")
	}
	return nil
}
