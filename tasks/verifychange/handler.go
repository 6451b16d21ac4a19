// Package verifychange judges a changed resource by the rule that it had broken.
package verifychange

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"plumbline/blob"
	"plumbline/finding"
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
	blobs     blob.Store
}

// New returns the task.
func New(set *ruleset.Set, r live.Resources, around change.Surroundings, blobs blob.Store) *Handler {
	return &Handler{set: set, resources: r, around: around, blobs: blobs}
}

// In names the plan.
type In struct {
	Plan string `json:"plan"` // hash
}

// Handle answers Holds, Broken with what the rule says, or Gone.
func (h *Handler) Handle(ctx context.Context, in In) (change.Result, error) {
	p, err := change.Load(ctx, h.blobs, in.Plan)
	if err != nil {
		return change.Result{}, tasks.StoreError(err)
	}
	model, err := h.resources.Get(ctx, p.Plan.Resource.Type, p.Plan.Identifier)
	switch {
	case errors.Is(err, live.ErrGone):
		return change.Result{Outcome: change.Gone, Reason: "the resource is not there any more"}, nil
	case err != nil:
		return change.Result{}, tasks.StoreError(err)
	}
	around, err := h.around.Around(ctx, p.Plan.Resource)
	if err != nil {
		return change.Result{}, tasks.StoreError(err)
	}
	v, err := remedy.Verify(ctx, h.set, &p.Plan, model, around)
	if err != nil {
		return change.Result{}, err
	}
	sum := sha256.Sum256(model)
	out := change.Result{Proof: hex.EncodeToString(sum[:])}
	if v.Verdict == finding.Pass {
		out.Outcome, out.Reason = change.Holds, fmt.Sprintf("rule %s passes", p.Plan.Rule)
	} else {
		out.Outcome, out.Reason = change.Broken, fmt.Sprintf("rule %s says %s after the change: %s", p.Plan.Rule, v.Verdict, v.Message)
	}
	return out, nil
}
