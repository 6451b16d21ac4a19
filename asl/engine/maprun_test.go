package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/asl/engine"
)

// TestMapRuns looks at what an engine keeps of a distributed Map.
func TestMapRuns(t *testing.T) {
	src := `{"StartAt":"Each","States":{"Each":{"Type":"Map","MaxConcurrency":2,"ToleratedFailureCount":1,"ItemBatcher":{"MaxItemsPerBatch":2},
		"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"Do","States":{"Do":{"Type":"Task","Resource":"do","End":true}}},"End":true}}}`
	tasks := engine.InvokerFunc(func(_ context.Context, c engine.Call) (json.RawMessage, error) {
		if string(c.Input) == `{"Items":[3,4]}` {
			return nil, &engine.Error{Name: "Odd"}
		}
		return c.Input, nil
	})
	e := engine.New(engine.Options{Tasks: tasks, History: true, Clock: engine.NewVirtualClock(start)})
	x, err := e.Start(compile(t, src), "e", json.RawMessage(`[1,2,3,4,5]`))
	if err != nil {
		t.Fatal(err)
	}
	if r, err := x.Wait(context.Background()); err != nil || r.Status != engine.Succeeded {
		t.Fatal(r, err)
	}
	runs := x.MapRuns()
	if len(runs) != 1 || e.MapRun(runs[0].ARN) != runs[0] {
		t.Fatal(runs)
	}
	if s, stopped := runs[0].Status(); s != engine.Succeeded || stopped.IsZero() {
		t.Error(s, stopped)
	}
	if d := cmp.Diff(engine.MapLimits{MaxConcurrency: 2, ToleratedFailureCount: 1}, runs[0].Limits()); d != "" {
		t.Error(d)
	}
	children, items := runs[0].Counts()
	if d := cmp.Diff([]engine.MapCounts{{Succeeded: 2, Failed: 1, Total: 3}, {Succeeded: 3, Failed: 2, Total: 5}}, []engine.MapCounts{children, items}); d != "" {
		t.Error(d)
	}
	var got []string
	for _, c := range runs[0].Children() {
		if e.Child(c.ARN()) != c {
			t.Errorf("%s is not found", c.ARN())
		}
		r, _ := c.Result()
		got = append(got, fmt.Sprintf("%s %s %s %d %s", r.Status, r.Output, r.Error, c.Last(), c.Events(c.Last(), 1)[0].Type))
	}
	want := []string{`SUCCEEDED {"Items":[1,2]}  7 ExecutionSucceeded`, `FAILED  Odd 6 ExecutionFailed`, `SUCCEEDED {"Items":[5]}  7 ExecutionSucceeded`}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	e.Forget(x.ARN)
	if e.MapRun(runs[0].ARN) != nil || e.Child(runs[0].Children()[0].ARN()) != nil {
		t.Error("what was forgotten is still there")
	}
}

// TestMapRunLimits raises the limit of a map run that is under way.
func TestMapRunLimits(t *testing.T) {
	src := `{"StartAt":"Each","States":{"Each":{"Type":"Map","MaxConcurrency":1,
		"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"Do","States":{"Do":{"Type":"Wait","Seconds":60,"End":true}}},"End":true}}}`
	clock := engine.NewVirtualClock(start)
	clock.Hold()
	e := engine.New(engine.Options{History: true, Clock: clock})
	x, err := e.Start(compile(t, src), "e", json.RawMessage(`[1,2,3,4,5]`))
	if err != nil {
		t.Fatal(err)
	}
	e.Settle()
	run := x.MapRuns()[0]
	run.SetLimits(engine.MapLimits{MaxConcurrency: 3})
	e.Settle()
	if children, _ := run.Counts(); children.Running != 3 || children.Pending != 2 {
		t.Error(children)
	}
	e.Stop(x.ARN, "", "")
	e.Settle()
	if children, _ := run.Counts(); children.Aborted != 5 {
		t.Error(children)
	}
	if s, _ := run.Status(); s != engine.Aborted {
		t.Error(s)
	}
}

type scripted struct{ n int }

func (s *scripted) Invoke(context.Context, engine.Call) (json.RawMessage, error) { return nil, nil }

func (s *scripted) Prompt(engine.Call) (json.RawMessage, error, bool) { //nolint:revive,staticcheck // the interface's order
	s.n++
	return json.RawMessage(fmt.Sprint(s.n)), nil, true
}

// TestPrompter holds that scripted answers meet the calls in their order.
func TestPrompter(t *testing.T) {
	src := `{"StartAt":"Each","States":{"Each":{"Type":"Map","ItemProcessor":{"StartAt":"Do","States":{"Do":{"Type":"Task","Resource":"do","End":true}}},"End":true}}}`
	x, err := engine.Run(context.Background(), compile(t, src), json.RawMessage(`[0,0,0,0,0,0,0,0]`), engine.Options{Tasks: &scripted{}})
	if err != nil || string(x.Result().Output) != "[1,2,3,4,5,6,7,8]" {
		t.Error(x.Result(), err)
	}
}

// TestPatience holds that a clock which jumps leaves an answer the time to come.
func TestPatience(t *testing.T) {
	src := `{"StartAt":"A","TimeoutSeconds":60,"States":{"A":{"Type":"Task","Resource":"arn:aws:states:us-east-1:123456789012:activity:a","End":true}}}`
	for _, c := range []struct {
		patience time.Duration
		want     engine.Status
	}{{0, engine.TimedOut}, {time.Second, engine.Succeeded}} {
		e := engine.New(engine.Options{Clock: engine.NewVirtualClock(start), Patience: c.patience})
		x, err := e.Start(compile(t, src), "e", nil)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		if task, err := e.Poll(ctx, "arn:aws:states:us-east-1:123456789012:activity:a", ""); err == nil {
			_ = e.Succeed(task.Token, json.RawMessage(`1`)) // told by the status
		}
		cancel()
		if r, err := x.Wait(context.Background()); err != nil || r.Status != c.want {
			t.Errorf("patience %s: %v, %v", c.patience, r, err)
		}
	}
}
