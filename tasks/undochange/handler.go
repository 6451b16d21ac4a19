// Package undochange gives a resource back what a change took.
package undochange

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"plumbline/blob"
	"plumbline/ledger"
	"plumbline/remedy"
	"plumbline/remedy/change"
	"plumbline/remedy/live"
	"plumbline/tasks"
)

// Handler is the task. It mutates the resource; called twice it finds nothing
// left to take back. Before anything else it gives the plan up in the ledger, so
// that a call to apply it which comes late does no harm.
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
	Plan    string         `json:"plan"`    // hash
	Request change.Request `json:"request"` // where it asks for an undo itself, the change must have been made
}

// Handle answers Undone, Refusal where nothing was changed, Pending where
// something goes on, Gone, Partly where the resource cannot be given back all, or Used where an
// undo is asked for of what was never made.
func (h *Handler) Handle(ctx context.Context, in In) (change.Result, error) {
	none := change.Result{}
	p, err := change.Load(ctx, h.blobs, in.Plan)
	if err != nil {
		return none, tasks.StoreError(err)
	}
	plan := &p.Plan
	story, err := change.Tell(ctx, h.ledger.Store, in.Plan)
	if err != nil {
		return none, tasks.StoreError(err)
	}
	stop, err := h.stop.Stopped(ctx)
	switch half := story.Ended != nil && story.Ended.Outcome == change.Partly; {
	case err != nil:
		return none, fmt.Errorf("ask whether changes are stopped: %w", tasks.StoreError(err))
	case in.Request.Undo && !story.Applied && !half:
		return result(change.Used, "the change of this plan was not made, so there is nothing to take back")
	case in.Request.Undo && plan.Final():
		return result(change.Refusal, "the change cannot be taken back: %s", strings.Join(plan.Irreversible, "; "))
	case in.Request.Undo && stop != nil:
		return result(change.Stopped, "%v", stop)
	}
	if err := change.Write(ctx, h.ledger, story, ledger.Failed, in.Plan, p.Change, change.Note{Change: p.Change, Reason: "the plan is given up, and what was made of it is taken back"}); err != nil {
		return none, tasks.StoreError(err)
	}
	busy, err := h.resources.Busy(ctx, plan.Resource.Type, plan.Identifier)
	if err != nil {
		return none, tasks.StoreError(err)
	}
	if busy {
		return result(change.UnderWay, "a request for the resource has not ended yet")
	}
	patch, foreign, gone, err := h.left(ctx, plan)
	switch {
	case err != nil:
		return none, err
	case gone:
		return result(change.Gone, "the resource is not there any more")
	case len(patch) == 0 && len(foreign) == 0 && (story.Undoing || story.Undone):
		return undone(plan)
	case len(patch) == 0 && len(foreign) == 0:
		return result(change.Refusal, "nothing was changed")
	case len(patch) == 0:
		return result(change.Partly, "set by somebody else meanwhile, and left alone: %s", strings.Join(foreign, ", "))
	case plan.Final():
		return result(change.Partly, "it cannot be taken back: %s", strings.Join(plan.Irreversible, "; "))
	case stop != nil:
		return result(change.Partly, "it is not taken back: %v", stop)
	}
	if err := change.Write(ctx, h.ledger, story, ledger.Failed, in.Plan, p.Change, change.Note{Change: p.Change, Undo: true}); err != nil {
		return none, tasks.StoreError(err)
	}
	document, err := remedy.Document(patch)
	if err != nil {
		return none, err
	}
	progress, err := h.resources.Update(ctx, plan.Resource.Type, plan.Identifier, document, token(in.Plan, document))
	var refused *live.Refused
	switch {
	case errors.Is(err, live.ErrGone):
		return result(change.Gone, "the resource is not there any more")
	case errors.As(err, &refused):
		return result(change.Partly, "it cannot be taken back: %v", refused)
	case err != nil:
		return none, fmt.Errorf("give %s %q back what it had: %w", plan.Resource.Type, plan.Identifier, tasks.StoreError(err))
	case progress.State == live.Pending:
		return result(change.UnderWay, "it is being taken back")
	case progress.State == live.Failed:
		return result(change.Partly, "it cannot be taken back: %s: %s", progress.Code, progress.Message)
	}
	patch, foreign, gone, err = h.left(ctx, plan)
	switch {
	case err != nil:
		return none, err
	case gone:
		return result(change.Gone, "the resource is not there any more")
	case len(patch)+len(foreign) > 0:
		return result(change.Partly, "the service says that it was taken back, and the resource is not as it was")
	}
	return undone(plan)
}

// left is what is still to be given back.
func (h *Handler) left(ctx context.Context, plan *remedy.Plan) (patch []remedy.PatchOp, foreign []string, gone bool, err error) {
	model, err := h.resources.Get(ctx, plan.Resource.Type, plan.Identifier)
	if errors.Is(err, live.ErrGone) {
		return nil, nil, true, nil
	}
	if err != nil {
		return nil, nil, false, tasks.StoreError(err)
	}
	patch, foreign, err = plan.Restore(model)
	return patch, foreign, false, err
}

func undone(plan *remedy.Plan) (change.Result, error) {
	if len(plan.Irreversible) > 0 {
		return result(change.Undone, "all that can be read of the resource is as it was before the change; %s", strings.Join(plan.Irreversible, "; "))
	}
	return result(change.Undone, "the resource is as it was before the change")
}

func result(o change.Outcome, format string, args ...any) (change.Result, error) {
	return change.Result{Outcome: o, Reason: fmt.Sprintf(format, args...)}, nil
}

// token is the client token of an undo: another one where another part is left.
func token(hash string, patch []byte) string {
	sum := sha256.Sum256(append([]byte(hash), patch...))
	return "undo-" + hex.EncodeToString(sum[:])
}
