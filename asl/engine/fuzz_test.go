package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"plumbline/asl"
	"plumbline/asl/engine"
)

// FuzzRun holds that whatever parses either does not compile or runs to an
// end, without a panic and with an output that is JSON.
func FuzzRun(f *testing.F) {
	for _, src := range []string{approval, workflow, child, scan, waitMachine, nested("states:startExecution.sync", ``), distributed(`"ItemBatcher":{"MaxItemsPerBatch":2},`)} {
		f.Add(src, `{"items":[1,2],"n":1}`)
	}
	f.Fuzz(func(t *testing.T, src, input string) {
		d, err := asl.Parse([]byte(src))
		if err != nil {
			return
		}
		m, err := engine.Compile(d)
		if err != nil {
			return
		}
		tasks := engine.InvokerFunc(func(_ context.Context, c engine.Call) (json.RawMessage, error) {
			if c.Attempt == 0 && len(c.Input)%3 == 0 {
				return nil, &engine.Error{Name: "Boom"}
			}
			return c.Input, nil
		})
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		x, err := engine.Run(ctx, m, json.RawMessage(input), engine.Options{Tasks: tasks, Clock: engine.NewVirtualClock(start), Seed: 1, History: len(src)%2 == 0, Machines: map[string]*engine.Machine{"m": m}})
		if errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("no end: %s", src)
		}
		if x == nil {
			return
		}
		if r := x.Result(); r.Status == engine.Running || r.Status == engine.Succeeded && !json.Valid(r.Output) {
			t.Fatalf("%+v", r)
		}
		if _, err := json.Marshal(x.History()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestPanic(t *testing.T) {
	tasks := engine.InvokerFunc(func(context.Context, engine.Call) (json.RawMessage, error) { panic("oh no") })
	x := run(t, `{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"f","Catch":[{"ErrorEquals":["Panic"],"Next":"B"}],"End":true},"B":{"Type":"Pass","OutputPath":"$.Error","End":true}}}`, `{}`, engine.Options{Tasks: tasks})
	if string(x.Result().Output) != `"Panic"` {
		t.Error(x.Result())
	}
}
