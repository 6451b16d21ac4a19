// Package applychange carries out a plan on the live resource.
package applychange

import (
	"context"
	"errors"
	"fmt"

	"plumbline/approval"
	"plumbline/blob"
	"plumbline/ledger"
	"plumbline/remedy"
	"plumbline/remedy/change"
	"plumbline/remedy/live"
	"plumbline/ruleset"
	"plumbline/tasks"
)

// Handler is the task. It mutates the resource. The plan's hash is the client
// token of the request, so called twice it asks for the same change, and hears
// how that stands. Once the plan is given up it makes nothing, so that a call
// which comes late does no harm.
type Handler struct {
	resources live.Resources
	ledger    *ledger.Ledger
	stop      live.Switch
	blobs     blob.Store
}

// New returns the task.
func New(r live.Resources, l *ledger.Ledger, stop live.Switch, blobs blob.Store) *Handler {
	return &Handler{resources: r, ledger: l, stop: stop, blobs: blobs}
}

// In names the plan.
type In struct {
	Plan string `json:"plan"` // hash
}

// Out is how the change stands.
type Out struct {
	change.Result
	Request string `json:"request"` // the service's name of it
}

// Handle begins the change, or asks how it stands. It trusts no state of the
// workflow: whether the plan may be carried out is read from the plan itself
// and from the ledger.
func (h *Handler) Handle(ctx context.Context, in In) (Out, error) {
	p, err := change.Load(ctx, h.blobs, in.Plan)
	if err != nil {
		return Out{}, tasks.StoreError(err)
	}
	story, err := change.Tell(ctx, h.ledger.Store, in.Plan)
	if err != nil {
		return Out{}, tasks.StoreError(err)
	}
	if reason, err := h.forbidden(ctx, in.Plan, p, story); err != nil || reason != "" {
		return out(change.Refusal, "", "%s", reason), tasks.StoreError(err)
	}
	stop, err := h.stop.Stopped(ctx)
	switch {
	case err != nil:
		return Out{}, fmt.Errorf("ask whether changes are stopped: %w", tasks.StoreError(err))
	case stop != nil:
		return h.stopped(ctx, p, story, stop)
	}
	if !story.Started {
		if err := change.Write(ctx, h.ledger, story, ledger.Started, in.Plan, p.Change, change.Note{Change: p.Change, Plan: p}); err != nil {
			return Out{}, tasks.StoreError(err)
		}
	}
	patch, err := remedy.Document(p.Plan.Patch)
	if err != nil {
		return Out{}, err
	}
	progress, err := h.resources.Update(ctx, p.Plan.Resource.Type, p.Plan.Identifier, patch, in.Plan)
	var refused *live.Refused
	switch {
	case errors.Is(err, live.ErrGone):
		return out(change.Gone, "", "%s %q is not there any more", p.Plan.Resource.Type, p.Plan.Identifier), nil
	case errors.As(err, &refused):
		return out(change.Refusal, "", "%v", refused), nil
	case err != nil:
		return Out{}, fmt.Errorf("change %s %q: %w", p.Plan.Resource.Type, p.Plan.Identifier, tasks.StoreError(err))
	}
	switch progress.State {
	case live.Pending:
		return out(change.UnderWay, progress.Request, ""), nil
	case live.Succeeded:
		return out(change.Applied, progress.Request, ""), nil
	}
	// A handler calls several APIs in turn: what failed may be half done.
	made, err := h.made(ctx, p)
	if err != nil {
		return Out{}, err
	}
	if made == change.Stopped {
		made = change.Refusal
	} else if made == change.Applied {
		made = change.Broken // the service says that it failed: it is not taken for made
	}
	return out(made, progress.Request, "%s: %s", progress.Code, progress.Message), nil
}

// made looks how much of the change is there: all of it (Applied), some of it
// (Broken), or nothing (Stopped); the resource may be Gone.
func (h *Handler) made(ctx context.Context, p *change.Planned) (change.Outcome, error) {
	model, err := h.resources.Get(ctx, p.Plan.Resource.Type, p.Plan.Identifier)
	switch {
	case errors.Is(err, live.ErrGone):
		return change.Gone, nil
	case err != nil:
		return "", tasks.StoreError(err)
	}
	if all, err := p.Plan.Made(model); err != nil || all {
		return change.Applied, err
	}
	back, foreign, err := p.Plan.Restore(model)
	switch {
	case err != nil:
		return "", err
	case len(back)+len(foreign) == 0:
		return change.Stopped, nil
	}
	return change.Broken, nil
}

// stopped asks the service for nothing. What it was asked for before the stop it
// does all the same, so that is waited for, and what is there then is looked at.
func (h *Handler) stopped(ctx context.Context, p *change.Planned, story *change.Story, stop *live.Stop) (Out, error) {
	if !story.Started {
		return out(change.Stopped, "", "%v", stop), nil
	}
	busy, err := h.resources.Busy(ctx, p.Plan.Resource.Type, p.Plan.Identifier)
	switch {
	case err != nil:
		return Out{}, tasks.StoreError(err)
	case busy:
		return out(change.UnderWay, "", "%v", stop), nil
	}
	made, err := h.made(ctx, p)
	return out(made, "", "%v", stop), err
}

// forbidden says why a plan may not be carried out, "" where it may.
func (h *Handler) forbidden(ctx context.Context, hash string, p *change.Planned, s *change.Story) (string, error) {
	switch {
	case s.GivenUp:
		return "this plan was given up before", nil
	case p.Mode == ruleset.ModeLive:
		return "", nil
	case p.Mode != ruleset.ModeApproval:
		return fmt.Sprintf("the plan's mode is %s: it is not for the live resource", p.Mode), nil
	}
	granted, err := approval.Granted(ctx, h.ledger.Store, hash, p.Needed(), p.Requester)
	if err != nil || granted {
		return "", err
	}
	return "the ledger holds no approval of the plan", nil
}

func out(o change.Outcome, request, format string, args ...any) Out {
	return Out{change.Result{Outcome: o, Reason: fmt.Sprintf(format, args...)}, request}
}
