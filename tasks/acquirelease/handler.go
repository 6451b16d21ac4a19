// Package acquirelease makes sure that one change at a time is made: of a
// violation while it is decided on, of a resource while it is changed.
package acquirelease

import (
	"context"
	"fmt"
	"time"

	"plumbline/blob"
	"plumbline/remedy/change"
	"plumbline/remedy/live"
	"plumbline/tasks"
	"plumbline/tasks/catalog"
)

// Scopes of a lease.
const (
	Finding  = "finding"  // the violation, from the request to the end
	Resource = "resource" // the resource, while it is changed
)

// FindingFor is how long a violation stays taken: longer than an approval by the
// shipped policy is waited for. A workflow that ends gives it back before. Where
// the policy waits longer, a second change may be planned meanwhile; the lease of
// the resource and the look before the change keep the two apart.
const FindingFor = 4 * 24 * time.Hour

// ResourceFor is how long a resource stays taken: Cloud Control ends a request
// that takes longer than that. Each attempt extends it.
const ResourceFor = 3 * time.Hour

// Handler is the task. It mutates; called twice by one change it extends the lease.
type Handler struct {
	leases live.Leases
	blobs  blob.Store
	now    func() time.Time
}

// New returns the task.
func New(l live.Leases, blobs blob.Store, now func() time.Time) *Handler {
	return &Handler{leases: l, blobs: blobs, now: now}
}

// In says what is to be taken, and for whom.
type In struct {
	Scope   string         `json:"scope"`
	Request change.Request `json:"request"`
	Plan    string         `json:"plan,omitempty"` // hash; for the scope resource
}

// Out says who has it now.
type Out struct {
	Held   bool   `json:"held"`
	Holder string `json:"holder"` // a change
}

// Handle takes the lease, where it is to be had.
func (h *Handler) Handle(ctx context.Context, in In) (Out, error) {
	if err := in.Request.Check(); err != nil {
		return Out{}, tasks.Named(catalog.BadInput, err)
	}
	var key string
	var long time.Duration
	switch in.Scope {
	case Finding:
		key, long = in.Request.FindingKey(), FindingFor
	case Resource:
		p, err := change.Load(ctx, h.blobs, in.Plan)
		if err != nil {
			return Out{}, tasks.StoreError(err)
		}
		key, long = p.ResourceKey(), ResourceFor
	default:
		return Out{}, tasks.Named(catalog.BadInput, fmt.Errorf("scope %q: allowed are %s and %s", in.Scope, Finding, Resource))
	}
	now := h.now()
	holder, err := h.leases.Take(ctx, key, in.Request.Change, now, now.Add(long))
	if err != nil {
		return Out{}, fmt.Errorf("take %s: %w", key, tasks.StoreError(err))
	}
	return Out{Held: holder == in.Request.Change, Holder: holder}, nil
}
