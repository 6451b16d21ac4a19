// Package acquirelease makes sure that one change at a time is made: of a
// violation while it is decided on, of a resource while it is changed.
package acquirelease

import (
	"context"
	"fmt"
	"hash/fnv"
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

// Patience is how long a change waits for its turn under the policy's limits,
// beside the time that people have to approve it.
const Patience = 24 * time.Hour

// Store gives leases, and says whether all changes are stopped.
type Store interface {
	live.Leases
	live.Switch
}

// Handler is the task. It mutates; called twice by one change it extends the lease.
type Handler struct {
	leases   Store
	blobs    blob.Store
	patience time.Duration
	now      func() time.Time
}

// New returns the task. patience is how long a change waits under the policy's
// limits; 0: not at all.
func New(l Store, blobs blob.Store, patience time.Duration, now func() time.Time) *Handler {
	return &Handler{leases: l, blobs: blobs, patience: patience, now: now}
}

// In says what is to be taken, and for whom.
type In struct {
	Scope   string         `json:"scope"`
	Request change.Request `json:"request"`
	Plan    string         `json:"plan,omitempty"` // hash; for the scope resource
	Since   time.Time      `json:"since,omitzero"` // when the change was asked for; for the scope resource
}

// Out says who has it now.
type Out struct {
	Held    bool           `json:"held"`
	Holder  string         `json:"holder"`  // a change
	Outcome change.Outcome `json:"outcome"` // where it is not held for another reason than a holder: stopped, limited or postponed
	Reason  string         `json:"reason"`
}

// Handle takes the lease, where it is to be had.
func (h *Handler) Handle(ctx context.Context, in In) (Out, error) {
	if err := in.Request.Check(); err != nil {
		return Out{}, tasks.Named(catalog.BadInput, err)
	}
	stop, err := h.leases.Stopped(ctx)
	switch {
	case err != nil:
		return Out{}, fmt.Errorf("ask whether changes are stopped: %w", tasks.StoreError(err))
	case stop != nil:
		return Out{Outcome: change.Stopped, Reason: stop.String()}, nil
	}
	var key string
	var long time.Duration
	var p *change.Planned
	switch in.Scope {
	case Finding:
		key, long = in.Request.FindingKey(), FindingFor
	case Resource:
		if p, err = change.Load(ctx, h.blobs, in.Plan); err != nil {
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
	out := Out{Held: holder == in.Request.Change, Holder: holder}
	if out.Held && p != nil && !in.Request.Undo { // what is taken back is no change more
		return h.within(ctx, in, p, out)
	}
	return out, nil
}

// within lets a change begin that the policy's limits leave room for. Room is a
// number of leases that expire by themselves: of the resource for a day, of the
// account and region for an hour. A change that asks again finds its own.
func (h *Handler) within(ctx context.Context, in In, p *change.Planned, out Out) (Out, error) {
	r := p.Plan.Resource
	for _, limit := range []struct {
		key  string
		most int
		long time.Duration
		what string
	}{
		{"limit/day/" + p.ResourceKey(), p.Limits.PerResourcePerDay, 24 * time.Hour, "changes of this resource have begun within a day"},
		{"limit/hour/" + r.Account + "/" + r.Region, p.Limits.ChangesPerHour, time.Hour, "changes have begun within an hour"},
	} {
		ok, err := h.room(ctx, limit.key, in.Request.Change, limit.most, limit.long)
		if err != nil {
			return Out{}, err
		}
		if ok || limit.most == 0 {
			continue
		}
		out.Held, out.Outcome, out.Reason = false, change.Limited, fmt.Sprintf("%d %s, which is the policy's limit", limit.most, limit.what)
		if wait := h.patience + time.Duration(p.Seconds)*time.Second; h.patience == 0 || !in.Since.IsZero() && h.now().After(in.Since.Add(wait)) {
			out.Outcome = change.Postponed
		}
		return out, nil
	}
	return out, nil
}

// room takes one of so many leases of a limit, beginning at a place of the
// change's own, so that few who ask at a time meet.
func (h *Handler) room(ctx context.Context, key, owner string, most int, long time.Duration) (bool, error) {
	first := fnv.New32a()
	_, _ = first.Write([]byte(owner)) // it never fails
	now := h.now()
	for i := range most {
		slot := fmt.Sprintf("%s/%d", key, (int(first.Sum32()%uint32(most))+i)%most)
		holder, err := h.leases.Take(ctx, slot, owner, now, now.Add(long))
		if err != nil {
			return false, fmt.Errorf("take %s: %w", slot, tasks.StoreError(err))
		}
		if holder == owner {
			return true, nil
		}
	}
	return false, nil
}
