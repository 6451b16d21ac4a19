package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"plumbline/approval"
	"plumbline/asl/engine"
	"plumbline/remedy/change"
	"plumbline/scan"
	"plumbline/tasks/askapproval"
)

// Ending is how a run of remediate-finding or review-violation ended here.
type Ending struct {
	State   string // the last state: ChangeDone, StaleDone, …; "" while it waits
	Plan    string // hash; "" where none was made
	Waiting bool   // people have to decide; run it again then
	change.Result
}

// Carry runs remediate-finding to its end, or until people have to decide: a
// process does not wait for days. Run again with the plan and an approval in
// the ledger, it goes on from there.
func (c *Changes) Carry(ctx context.Context, r change.Request, watch func(engine.Event)) (Ending, error) {
	return c.carry(ctx, "${RemediateFindingArn}", r, watch)
}

// Review runs review-violation, and the change that it starts, as Carry does.
// What people then decide is carried on by Carry, with the plan.
func (c *Changes) Review(ctx context.Context, r change.Request, watch func(engine.Event)) (Ending, error) {
	return c.carry(ctx, "${ReviewViolationArn}", r, watch)
}

func (c *Changes) carry(ctx context.Context, machine string, r change.Request, watch func(engine.Event)) (end Ending, err error) {
	machines, err := compiled()
	if err != nil {
		return Ending{}, err
	}
	input, err := json.Marshal(r)
	if err != nil {
		return Ending{}, err
	}
	t := &told{}
	if err := c.desk(t).Settle(ctx); err != nil { // what has expired is no
		return Ending{}, err
	}
	functions, asked := c.functions(t), make(chan string, 1)
	ask := functions[placeholder("AskApproval")]
	functions[placeholder("AskApproval")] = func(ctx context.Context, payload []byte) ([]byte, error) {
		plan, waits, err := c.waits(ctx, payload)
		out := []byte("{}")
		if err == nil && !waits {
			out, err = ask(ctx, payload)
		}
		if err == nil && !t.decided {
			asked <- plan
		}
		return out, err
	}
	t.engine = engine.New(engine.Options{Tasks: functions, Machines: machines, Watch: watch, History: true})
	began := c.now()
	defer func() {
		err = errors.Join(err, keepExecutions(context.WithoutCancel(ctx), c.Blobs, t.engine, r, began))
	}()
	first, err := t.engine.Start(machines[machine], "", input)
	if err != nil {
		return Ending{}, err
	}
	// What the first execution starts has begun before that ends.
	for x := first; x != nil; x = running(t.engine) {
		select {
		case <-x.Done():
		case plan := <-asked:
			t.engine.Stop(x.ARN, "Waiting", "people have to decide")
			return Ending{Plan: plan, Waiting: true}, nil
		case <-ctx.Done():
			t.engine.Stop(x.ARN, "Interrupted", "the process was interrupted")
			return Ending{}, ctx.Err()
		}
	}
	last := first
	for _, x := range t.engine.Executions() {
		if x.Machine().Name == machines["${RemediateFindingArn}"].Name {
			last = x
		}
	}
	return endingOf(last)
}

// running is an execution that has not ended, nil where there is none.
func running(e *engine.Engine) *engine.Execution {
	for _, x := range e.Executions() {
		if x.Result().Status == engine.Running {
			return x
		}
	}
	return nil
}

// endingOf reads how an execution ended.
func endingOf(x *engine.Execution) (Ending, error) {
	var end Ending
	history := x.History()
	if i := slices.IndexFunc(history, func(ev engine.Event) bool {
		return ev.Type == "SucceedStateEntered" || ev.Type == "FailStateEntered"
	}); i >= 0 {
		end.State = history[i].Details.Name
	}
	res := x.Result()
	var out struct {
		Planned struct {
			Plan string `json:"plan"`
		} `json:"planned"`
		Result change.Result `json:"result"`
	}
	if len(res.Output) > 0 {
		if err := json.Unmarshal(res.Output, &out); err != nil {
			return Ending{}, fmt.Errorf("decode output of %s: %w", x.Machine().Name, err)
		}
	}
	end.Result, end.Plan = out.Result, out.Planned.Plan
	if res.Status != engine.Succeeded {
		end.Reason = res.Error + ": " + scan.Cause(res.Cause)
	}
	return end, nil
}

// waits reports whether people have been asked about the plan before, and have
// time yet: they keep the id that they were given.
func (c *Changes) waits(ctx context.Context, payload []byte) (plan string, waits bool, err error) {
	var in askapproval.In
	if err := json.Unmarshal(payload, &in); err != nil {
		return "", false, err
	}
	for r, err := range c.Approvals.Open(ctx) {
		if err != nil {
			return "", false, err
		}
		if r.Plan == in.Plan && r.State == approval.Waiting {
			return in.Plan, true, nil
		}
	}
	return in.Plan, false, nil
}
