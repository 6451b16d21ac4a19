// Package releaseleases gives back what a change has taken, so that the next one
// need not wait until it expires.
package releaseleases

import (
	"context"
	"errors"
	"fmt"

	"plumbline/blob"
	"plumbline/remedy/change"
	"plumbline/remedy/live"
	"plumbline/tasks"
	"plumbline/tasks/catalog"
)

// Handler is the task. It mutates; called twice it finds nothing to give back.
type Handler struct {
	leases live.Leases
	blobs  blob.Store
}

// New returns the task.
func New(l live.Leases, blobs blob.Store) *Handler { return &Handler{leases: l, blobs: blobs} }

// In names the change.
type In struct {
	Request change.Request `json:"request"`
	Plan    string         `json:"plan"` // hash; "" where none was made
}

// Out is empty.
type Out struct{}

// Handle drops the leases. What another change holds stays.
func (h *Handler) Handle(ctx context.Context, in In) (Out, error) {
	if err := in.Request.Check(); err != nil {
		return Out{}, tasks.Named(catalog.BadInput, err)
	}
	err := h.leases.Drop(ctx, in.Request.FindingKey(), in.Request.Change)
	if in.Plan != "" {
		p, lost := change.Load(ctx, h.blobs, in.Plan)
		if lost != nil {
			return Out{}, tasks.StoreError(lost)
		}
		// A review has taken the violation; who goes on with its plan may know the plan alone.
		violation := change.Request{Rule: p.Plan.Rule, Resource: p.Plan.Resource, Identifier: p.Plan.Identifier}
		err = errors.Join(err, h.leases.Drop(ctx, p.ResourceKey(), in.Request.Change), h.leases.Drop(ctx, violation.FindingKey(), in.Request.Change))
	}
	if err != nil {
		return Out{}, fmt.Errorf("give back the leases of change %s: %w", in.Request.Change, tasks.StoreError(err))
	}
	return Out{}, nil
}
