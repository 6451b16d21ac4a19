// Package settlefinding writes into the findings table what became of a
// violation when people or a machine were asked to settle it, where the next
// scan reads it.
package settlefinding

import (
	"context"
	"fmt"
	"iter"
	"time"

	"plumbline/approval"
	"plumbline/blob"
	"plumbline/finding"
	"plumbline/ledger"
	"plumbline/remedy/change"
	"plumbline/tasks"
)

// Table is the findings table as far as it is read and written here. Put never
// moves a row back.
type Table interface {
	OfStack(ctx context.Context, stack string) iter.Seq2[finding.Record, error]
	Put(ctx context.Context, records []finding.Record) error
}

// Handler is the task. It mutates; called twice it writes the same.
//
//   - A violation that people accepted does not count until their day is over:
//     its row is suppressed, with who accepted it, why, and until when.
//   - One that was settled on the live resource of a stack is in remediation until
//     the template follows, or its term is over.
//   - One whose change was taken back is open again.
type Handler struct {
	table  Table // nil: nothing is remembered
	ledger ledger.Store
	blobs  blob.Store
	now    func() time.Time
}

// New returns the task. A nil table remembers nothing.
func New(t Table, l ledger.Store, blobs blob.Store, now func() time.Time) *Handler {
	return &Handler{table: t, ledger: l, blobs: blobs, now: now}
}

// In is how the change ended.
type In struct {
	Plan   string        `json:"plan"` // hash
	Result change.Result `json:"result"`
}

// Out is how many rows were written.
type Out struct {
	Written int `json:"written"`
}

// attempts bounds how often a row is written behind scans that write it as well.
const attempts = 10

// Handle writes the row of the violation.
func (h *Handler) Handle(ctx context.Context, in In) (Out, error) {
	p, err := change.Load(ctx, h.blobs, in.Plan)
	if err != nil {
		return Out{}, tasks.StoreError(err)
	}
	settle, err := h.settlement(ctx, in, p)
	if err != nil || settle == nil || h.table == nil {
		return Out{}, err
	}
	for i := range attempts {
		if err := pause(ctx, i); err != nil {
			return Out{}, err
		}
		old, known, err := h.row(ctx, p)
		if err != nil {
			return Out{}, err
		}
		switch {
		case !known && in.Result.Outcome != change.Accepted:
			return Out{}, nil // no scan has seen it, so no scan knows of it
		case !known:
			old = h.first(p)
		}
		next := old
		settle(&next)
		if known && next.State == old.State && next.FollowBy.Equal(old.FollowBy) && same(next.Suppressed, old.Suppressed) {
			return Out{}, nil
		}
		if err := h.table.Put(ctx, []finding.Record{next}); err != nil {
			return Out{}, fmt.Errorf("write the finding: %w", tasks.StoreError(err))
		}
		// A scan may have written a later row meanwhile, which wins: look.
		now, _, err := h.row(ctx, p)
		if err != nil {
			return Out{}, err
		}
		if now.State == next.State {
			return Out{1}, nil
		}
	}
	return Out{}, tasks.StoreError(fmt.Errorf("write the finding of rule %s on %s: %w", p.Plan.Rule, p.Plan.Resource.LogicalID, finding.ErrThrottled))
}

// pause waits before a further attempt: an index of the table follows it by a
// moment, so that a row which was written may not be seen at once.
func pause(ctx context.Context, attempt int) error {
	if attempt == 0 {
		return ctx.Err()
	}
	select {
	case <-time.After(time.Duration(attempt) * 20 * time.Millisecond):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func same(a, b *finding.Suppression) bool {
	return a == b || a != nil && b != nil && *a == *b
}

// settlement is what an ending does to a row; nil: nothing.
func (h *Handler) settlement(ctx context.Context, in In, p *change.Planned) (func(*finding.Record), error) {
	switch in.Result.Outcome {
	case change.Accepted:
		// What the state of the workflow says decides nothing: the ledger does.
		d, err := approval.Acceptance(ctx, h.ledger, in.Plan, p.Needed(), p.Requester)
		if err != nil || d == nil {
			return nil, tasks.StoreError(err)
		}
		return func(r *finding.Record) {
			r.State, r.FollowBy, r.Changed = finding.Suppressed, time.Time{}, time.Time{}
			r.Suppressed = &finding.Suppression{Reason: d.Reason, Approver: d.By, Until: d.Until, Source: finding.SourceAcceptance}
		}, nil
	case change.Applied:
		if p.Plan.Resource.Stack == "" {
			return nil, nil // no template has to follow
		}
		ended := h.now()
		s, err := change.Tell(ctx, h.ledger, in.Plan)
		if err != nil {
			return nil, tasks.StoreError(err)
		}
		for _, e := range s.Entries() {
			if e.Kind == ledger.Applied {
				ended = e.Time
			}
		}
		return func(r *finding.Record) {
			if r.State.Active() {
				r.State, r.Changed, r.FollowBy = finding.InRemediation, ended.UTC(), ended.Add(time.Duration(p.FollowIn)*time.Second).UTC()
			}
		}, nil
	case change.Undone:
		return func(r *finding.Record) {
			if r.State == finding.InRemediation {
				r.State, r.FollowBy, r.Changed = finding.Reopened, time.Time{}, time.Time{}
			}
		}, nil
	}
	return nil, nil
}

// row is the finding's latest life.
func (h *Handler) row(ctx context.Context, p *change.Planned) (last finding.Record, known bool, err error) {
	res := p.Plan.Resource
	where, id := p.Row()
	for r, err := range h.table.OfStack(ctx, where) {
		switch {
		case err != nil:
			return last, false, fmt.Errorf("read the findings of %s: %w", where, tasks.StoreError(err))
		case r.Rule != p.Plan.Rule || r.Resource.LogicalID != id:
		case p.Where == "" && (r.Resource.Account != res.Account || r.Resource.Region != res.Region):
		case !known || r.FirstSeen.After(last.FirstSeen):
			last, known = r, true
		}
	}
	return last, known, nil
}

// first is the row of a violation that no scan has written yet.
func (h *Handler) first(p *change.Planned) finding.Record {
	now := h.now().UTC()
	where, id := p.Row()
	res, place := p.Plan.Resource, finding.Place{}
	res.LogicalID = id
	if where != res.Stack { // its target is named otherwise than by a stack
		place.Name, res.Stack = where, ""
	}
	return finding.Record{
		Finding: finding.Finding{
			Rule: p.Plan.Rule, Severity: p.Plan.Severity, Domain: p.Domain, Verdict: finding.Fail, Resource: res, Place: place, Message: p.Plan.Message,
		},
		State: finding.New, FirstSeen: now, LastSeen: now,
	}
}
