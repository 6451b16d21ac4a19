package local

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"plumbline/approval"
	"plumbline/asl/engine"
	"plumbline/blob"
	chain "plumbline/ledger" // this package has a ledger of its own, of what a scan writes
	"plumbline/remedy/change"
	"plumbline/remedy/live"
	"plumbline/ruleset"
	"plumbline/scan"
	"plumbline/tasks"
	"plumbline/tasks/acquirelease"
	"plumbline/tasks/applychange"
	"plumbline/tasks/askapproval"
	"plumbline/tasks/checkchange"
	"plumbline/tasks/judgeresource"
	"plumbline/tasks/notify"
	"plumbline/tasks/planchange"
	"plumbline/tasks/readdecision"
	"plumbline/tasks/recordchange"
	"plumbline/tasks/recordfailure"
	"plumbline/tasks/releaseleases"
	"plumbline/tasks/settlefinding"
	"plumbline/tasks/tellchange"
	"plumbline/tasks/undochange"
	"plumbline/tasks/verifychange"
)

// Changes is what changes of live resources work with in this process.
type Changes struct {
	Rules     *ruleset.Set // its policy says who decides
	Resources live.Resources
	Around    change.Surroundings
	Blobs     blob.Store // of plans, and of failures
	Ledger    chain.Store
	Approvals approval.Store
	Leases    ChangeLeases
	Findings  settlefinding.Table    // in which is kept what became of a violation; nil: nowhere
	Patience  time.Duration          // how long a change waits under the policy's limits; 0: not at all
	Channel   notify.Channel         // nil: nobody is told
	Link      func(id string) string // where people decide; nil: the command that does
	Now       func() time.Time       // nil: time.Now
}

// ChangeLeases keep changes apart, and stop all of them where a person says so.
type ChangeLeases interface {
	live.Leases
	live.Brake
}

// Desk is where people decide on plans.
func (c *Changes) Desk() *approval.Desk { return c.desk(&told{}) }

func (c *Changes) desk(t *told) *approval.Desk {
	return &approval.Desk{Store: c.Approvals, Ledger: c.ledger(), Callback: t, Now: c.Now}
}

// told lets a workflow of this process go on. One that is gone reads the
// decision in the ledger when it is started again.
type told struct {
	engine  *engine.Engine // nil: no workflow runs here
	decided bool
}

func (t *told) Decided(_ context.Context, token string) error {
	t.decided = true
	if t.engine != nil {
		// A token that no longer waits was told before, or its workflow has ended.
		_ = t.engine.Succeed(token, json.RawMessage("{}"))
	}
	return nil
}

func (c *Changes) ledger() *chain.Ledger { return &chain.Ledger{Store: c.Ledger, Now: c.Now} }

func (c *Changes) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}

// Functions are the tasks of the remediation, under the text by which workflows
// call them.
func (c *Changes) Functions() engine.Functions { return c.functions(&told{}) }

func (c *Changes) functions(t *told) engine.Functions {
	link := c.Link
	if link == nil {
		link = func(id string) string { return "plumbline approvals show " + id }
	}
	var ask askapproval.Channel
	var tell tellchange.Channel
	if c.Channel != nil {
		ask, tell = c.Channel, c.Channel
	}
	return engine.Functions{
		placeholder("AcquireLease"):  tasks.Of(acquirelease.New(c.Leases, c.Blobs, c.Patience, c.now).Handle),
		placeholder("PlanChange"):    tasks.Of(planchange.New(c.Rules, c.Resources, c.Around, c.Blobs).Handle),
		placeholder("AskApproval"):   tasks.Of(askapproval.New(c.desk(t), c.Blobs, ask, link, c.now).Handle),
		placeholder("ReadDecision"):  tasks.Of(readdecision.New(c.ledger(), c.Blobs, c.now).Handle),
		placeholder("CheckChange"):   tasks.Of(checkchange.New(c.Rules, c.Resources, c.Around, c.Ledger, c.Leases, c.Blobs).Handle),
		placeholder("ApplyChange"):   tasks.Of(applychange.New(c.Resources, c.ledger(), c.Leases, c.Blobs).Handle),
		placeholder("VerifyChange"):  tasks.Of(verifychange.New(c.Rules, c.Resources, c.Around, c.Blobs).Handle),
		placeholder("UndoChange"):    tasks.Of(undochange.New(c.Resources, c.ledger(), c.Leases, c.Blobs).Handle),
		placeholder("RecordChange"):  tasks.Of(recordchange.New(c.ledger(), c.Blobs).Handle),
		placeholder("TellChange"):    tasks.Of(tellchange.New(tell, c.Blobs, c.now).Handle),
		placeholder("SettleFinding"): tasks.Of(settlefinding.New(c.Findings, c.Ledger, c.Blobs, c.now).Handle),
		placeholder("ReleaseLeases"): tasks.Of(releaseleases.New(c.Leases, c.Blobs).Handle),
		placeholder("JudgeResource"): tasks.Of(judgeresource.New(c.Rules, c.Resources, c.Around).Handle),
		placeholder("RecordFailure"): tasks.Of(recordfailure.New(c.Blobs, c.now).Handle),
		placeholder("Notify"):        tasks.Of(notify.New(c.Channel, c.Blobs, c.now).Handle),
	}
}

// Plan works out a change and keeps it, by the task PlanChange.
func (c *Changes) Plan(ctx context.Context, r change.Request) (planchange.Out, error) {
	return planchange.New(c.Rules, c.Resources, c.Around, c.Blobs).Handle(ctx, r)
}

// Ending is how a run of remediate-finding ended here.
type Ending struct {
	State   string // the last state: ChangeDone, StaleDone, …; "" while it waits
	Waiting bool   // people have to decide; run it again then
	change.Result
}

// Carry runs remediate-finding to its end, or until people have to decide: a
// process does not wait for days. Run again with the plan and an approval in
// the ledger, it goes on from there.
func (c *Changes) Carry(ctx context.Context, r change.Request, watch func(engine.Event)) (Ending, error) {
	machines, err := compiled()
	if err != nil {
		return Ending{}, err
	}
	input, err := json.Marshal(r)
	if err != nil {
		return Ending{}, err
	}
	var end Ending
	note := func(ev engine.Event) {
		if ev.Details.Name != "" && (ev.Type == "SucceedStateEntered" || ev.Type == "FailStateEntered") {
			end.State = ev.Details.Name
		}
		if watch != nil {
			watch(ev)
		}
	}
	t := &told{}
	if _, err := c.desk(t).Sweep(ctx); err != nil { // what has expired is no
		return Ending{}, err
	}
	functions, asked := c.functions(t), make(chan struct{}, 1)
	ask := functions[placeholder("AskApproval")]
	functions[placeholder("AskApproval")] = func(ctx context.Context, payload []byte) ([]byte, error) {
		waits, err := c.waits(ctx, payload)
		out := []byte("{}")
		if err == nil && !waits {
			out, err = ask(ctx, payload)
		}
		if err == nil && !t.decided {
			asked <- struct{}{}
		}
		return out, err
	}
	t.engine = engine.New(engine.Options{Tasks: functions, Machines: machines, Watch: note})
	x, err := t.engine.Start(machines["${RemediateFindingArn}"], "", input)
	if err != nil {
		return Ending{}, err
	}
	select {
	case <-x.Done():
	case <-asked:
		t.engine.Stop(x.ARN, "Waiting", "people have to decide")
		end.Waiting = true
	case <-ctx.Done():
		t.engine.Stop(x.ARN, "Interrupted", "the process was interrupted")
		return Ending{}, ctx.Err()
	}
	res, err := x.Wait(ctx)
	if err != nil {
		return Ending{}, err
	}
	if end.Waiting {
		return end, nil
	}
	var out struct {
		Result change.Result `json:"result"`
	}
	if len(res.Output) > 0 {
		if err := json.Unmarshal(res.Output, &out); err != nil {
			return Ending{}, fmt.Errorf("decode output of remediate-finding: %w", err)
		}
	}
	end.Result = out.Result
	if res.Status != engine.Succeeded {
		end.Reason = res.Error + ": " + scan.Cause(res.Cause)
	}
	return end, nil
}

// waits reports whether people have been asked about the plan before, and have
// time yet: they keep the id that they were given.
func (c *Changes) waits(ctx context.Context, payload []byte) (bool, error) {
	var in askapproval.In
	if err := json.Unmarshal(payload, &in); err != nil {
		return false, err
	}
	for r, err := range c.Approvals.Open(ctx) {
		if err != nil {
			return false, err
		}
		if r.Plan == in.Plan && r.State == approval.Waiting {
			return true, nil
		}
	}
	return false, nil
}
