package local

import (
	"context"
	"encoding/json"
	"time"

	"plumbline/approval"
	"plumbline/asl/engine"
	"plumbline/blob"
	chain "plumbline/ledger" // this package has a ledger of its own, of what a scan writes
	"plumbline/remedy/change"
	"plumbline/remedy/live"
	"plumbline/ruleset"
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

// known is the findings table as far as it says what was accepted; nil where none is kept.
func (c *Changes) known() judgeresource.Known {
	if c.Findings == nil {
		return nil
	}
	return c.Findings
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
		placeholder("JudgeResource"): tasks.Of(judgeresource.New(c.Rules, c.Resources, c.Around, c.known(), c.now).Handle),
		placeholder("RecordFailure"): tasks.Of(recordfailure.New(c.Blobs, c.now).Handle),
		placeholder("Notify"):        tasks.Of(notify.New(c.Channel, c.Blobs, c.now).Handle),
	}
}

// Plan works out a change and keeps it, by the task PlanChange.
func (c *Changes) Plan(ctx context.Context, r change.Request) (planchange.Out, error) {
	return planchange.New(c.Rules, c.Resources, c.Around, c.Blobs).Handle(ctx, r)
}
