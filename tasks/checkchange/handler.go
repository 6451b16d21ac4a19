// Package checkchange looks once more before a plan is carried out: whether the
// resource still is as the plan found it, and nobody else is about to change it.
package checkchange

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"plumbline/blob"
	"plumbline/finding"
	"plumbline/ledger"
	"plumbline/remedy"
	"plumbline/remedy/change"
	"plumbline/remedy/live"
	"plumbline/ruleset"
	"plumbline/tasks"
)

// Handler is the task. It only reads.
type Handler struct {
	set       *ruleset.Set
	resources live.Resources
	around    change.Surroundings
	ledger    ledger.Store
	stop      live.Switch
	blobs     blob.Store
}

// New returns the task. The set's own policy says what is left alone.
func New(set *ruleset.Set, r live.Resources, around change.Surroundings, l ledger.Store, stop live.Switch, blobs blob.Store) *Handler {
	return &Handler{set: set, resources: r, around: around, ledger: l, stop: stop, blobs: blobs}
}

// In names the plan.
type In struct {
	Plan string `json:"plan"` // hash
}

// Handle answers Ready, or why the plan must not be carried out.
func (h *Handler) Handle(ctx context.Context, in In) (change.Result, error) {
	none := change.Result{}
	p, err := change.Load(ctx, h.blobs, in.Plan)
	if err != nil {
		return none, tasks.StoreError(err)
	}
	plan := &p.Plan
	story, err := change.Tell(ctx, h.ledger, in.Plan)
	if err != nil {
		return none, tasks.StoreError(err)
	}
	if story.Ended != nil || story.GivenUp {
		return result(change.Used, "this plan was carried out or given up before; a new one is needed")
	}
	stop, err := h.stop.Stopped(ctx)
	switch {
	case err != nil:
		return none, fmt.Errorf("ask whether changes are stopped: %w", tasks.StoreError(err))
	case stop != nil && !story.Started: // what was begun, ApplyChange looks after
		return result(change.Stopped, "%v", stop)
	}
	model, err := h.resources.Get(ctx, plan.Resource.Type, plan.Identifier)
	switch {
	case errors.Is(err, live.ErrGone):
		return result(change.Gone, "%s %q is not there any more", plan.Resource.Type, plan.Identifier)
	case err != nil:
		return none, tasks.StoreError(err)
	}
	made, err := plan.Made(model)
	if err != nil {
		return none, err
	}
	if story.Started && made {
		// This very change was made, and what made it ended before it could say
		// so: asked for once more it is the same request.
		return result(change.Ready, "it was begun before")
	}
	if reason, excluded := h.set.Policy().Excluded(plan.Resource, remedy.Tags(plan.Resource.Type, model)); excluded {
		return result(change.Excluded, "the policy excludes the resource: %s", reason)
	}
	state, err := h.around.Updating(ctx, plan.Resource)
	switch {
	case err != nil:
		return none, tasks.StoreError(err)
	case state != "":
		return result(change.Updating, "stack %s is %s: what CloudFormation is doing to it is not known", plan.Resource.Stack, state)
	}
	around, err := h.around.Around(ctx, plan.Resource)
	if err != nil {
		return none, tasks.StoreError(err)
	}
	verdict, err := remedy.Verify(ctx, h.set, plan, model, around)
	switch {
	case err != nil:
		return none, err
	case verdict.Verdict == finding.Pass || verdict.Verdict == finding.Skip:
		return result(change.Right, "%s keeps rule %s already", plan.Resource.LogicalID, plan.Rule)
	}
	stale, err := plan.Stale(ctx, h.set, model, around)
	if err != nil {
		return none, err
	}
	if len(stale) > 0 {
		return result(change.Changed, "changed since the plan was made: %s", strings.Join(stale, ", "))
	}
	return result(change.Ready, "")
}

func result(o change.Outcome, format string, args ...any) (change.Result, error) {
	return change.Result{Outcome: o, Reason: fmt.Sprintf(format, args...)}, nil
}
