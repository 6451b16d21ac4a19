// Package readdecision reads in the ledger what was decided on a plan. What the
// workflow was told when it stopped waiting decides nothing.
package readdecision

import (
	"context"
	"fmt"
	"time"

	"plumbline/approval"
	"plumbline/blob"
	"plumbline/ledger"
	"plumbline/remedy/change"
	"plumbline/tasks"
)

// Handler is the task. It writes that a request has expired, once.
type Handler struct {
	ledger *ledger.Ledger
	blobs  blob.Store
	now    func() time.Time
}

// New returns the task.
func New(l *ledger.Ledger, blobs blob.Store, now func() time.Time) *Handler {
	return &Handler{ledger: l, blobs: blobs, now: now}
}

// maxSkew is how far the clock of this function may lie behind that of the one
// that asked people; as the ledger allows of its writers.
const maxSkew = 5 * time.Minute

// In names the plan.
type In struct {
	Plan string `json:"plan"` // hash
}

// Handle says what stands in the ledger of the plan that has this hash.
func (h *Handler) Handle(ctx context.Context, in In) (change.Result, error) {
	p, err := change.Load(ctx, h.blobs, in.Plan) // it is the plan that was decided on, or nothing is
	if err != nil {
		return change.Result{}, tasks.StoreError(err)
	}
	s, err := change.Tell(ctx, h.ledger.Store, in.Plan)
	if err != nil {
		return change.Result{}, tasks.StoreError(err)
	}
	granted, err := approval.Granted(ctx, h.ledger.Store, in.Plan, p.Needed(), p.Requester)
	if err != nil {
		return change.Result{}, tasks.StoreError(err)
	}
	accepted, err := approval.Acceptance(ctx, h.ledger.Store, in.Plan, p.Needed(), p.Requester)
	switch {
	case err != nil:
		return change.Result{}, tasks.StoreError(err)
	case granted:
		return change.Result{Outcome: change.Granted}, nil
	case accepted != nil:
		return change.Result{Outcome: change.Accepted, Reason: fmt.Sprintf("accepted by %s until %s: %s", accepted.By, accepted.Until, accepted.Reason)}, nil
	case s.WasDenied:
		return change.Result{Outcome: change.Denied, Reason: s.Denied}, nil
	case !s.Expired.IsZero():
		return change.Result{Outcome: change.Expired, Reason: "nobody decided in time, which means no"}, nil
	case s.Asked.IsZero() || h.now().Before(s.Asked.Add(time.Duration(p.Seconds)*time.Second-maxSkew)):
		return change.Result{Outcome: change.Undecided, Reason: "nobody could be asked"}, nil
	}
	if _, err := h.ledger.Append(ctx, ledger.Expired, in.Plan, "", map[string]int{"seconds": p.Seconds}); err != nil {
		return change.Result{}, tasks.StoreError(err)
	}
	return change.Result{Outcome: change.Expired, Reason: "nobody decided in time, which means no"}, nil
}
