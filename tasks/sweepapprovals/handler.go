// Package sweepapprovals sees to requests for approval that nobody sees to: it
// reminds people once, ends what has expired, and tells workflows what was
// decided and did not reach them.
package sweepapprovals

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"plumbline/approval"
	"plumbline/blob"
	"plumbline/finding"
	"plumbline/remedy/change"
	"plumbline/scan"
	"plumbline/tasks"
	"plumbline/tasks/catalog"
)

// Channel takes messages. A message that comes again has the same ID; a channel
// that can tell drops it.
type Channel interface {
	Send(ctx context.Context, n scan.Notice) error
}

// Handler is the task. It mutates; called twice, also at the same time, it
// reminds once and ends once.
type Handler struct {
	desk    *approval.Desk
	plans   blob.Store
	channel Channel
	inbox   string
	now     func() time.Time
}

// New returns the task. inbox says in messages where people find what waits; an
// id cannot be said again, as only its hash is kept. A nil channel tells nobody.
func New(d *approval.Desk, plans blob.Store, c Channel, inbox string, now func() time.Time) *Handler {
	return &Handler{desk: d, plans: plans, channel: c, inbox: cmp.Or(inbox, "plumbline approvals list"), now: now}
}

// In is a schedule's event, of which nothing matters.
type In struct{}

// Out says what was done.
type Out struct {
	Reminded int `json:"reminded"` // requests
}

// Handle sweeps. What failed for one request keeps none of the others, and is
// tried again by the next sweep.
func (h *Handler) Handle(ctx context.Context, _ In) (Out, error) {
	due, swept := h.desk.Sweep(ctx)
	var out Out
	var unsent []error
	for _, r := range due {
		err := h.remind(ctx, r)
		switch {
		case err == nil:
			out.Reminded++
		case errors.Is(err, blob.ErrNotFound), errors.Is(err, blob.ErrChanged):
			swept = errors.Join(swept, err) // no later sweep has the plan
		default:
			unsent = append(unsent, err, h.desk.Forgotten(ctx, r))
		}
	}
	if err := errors.Join(unsent...); err != nil {
		name := catalog.ChannelFailed
		if errors.Is(err, scan.ErrThrottled) {
			name = catalog.Throttled
		}
		return out, errors.Join(tasks.Named(name, err), swept)
	}
	return out, tasks.StoreError(swept)
}

func (h *Handler) remind(ctx context.Context, r approval.Request) error {
	if h.channel == nil {
		return nil
	}
	severity := r.Severity
	if severity == "" {
		severity = finding.High
	}
	p, err := change.Load(ctx, h.plans, r.Plan)
	if err != nil {
		return fmt.Errorf("remind of plan %.12s: %w", r.Plan, err)
	}
	x := r.Resource
	var b strings.Builder
	fmt.Fprintf(&b, "A change still waits for people; %d more must approve.\n", r.Missing())
	if len(r.Groups) > 0 {
		fmt.Fprintf(&b, "Members of %s may decide.\n", strings.Join(r.Groups, ", "))
	}
	b.WriteString("\n" + p.Message())
	fmt.Fprintf(&b, "\nDecide until %s, or it becomes no: %s\n", r.Expires.UTC().Format(time.RFC3339), h.inbox)
	err = h.channel.Send(ctx, scan.Notice{
		ID: r.Execution + "/" + scan.NoticeApproval + "/reminder/" + r.Expires.UTC().Format(time.RFC3339), Kind: scan.NoticeApproval, ScanID: r.Execution,
		Target:   scan.Target{Stack: x.Stack, Account: x.Account, Region: x.Region},
		Severity: severity, Subject: scan.Subject("approval still wanted: %s of %s", r.Rule, x.LogicalID), Body: b.String(), Time: h.now().UTC(),
	})
	if err != nil {
		return fmt.Errorf("remind of plan %.12s: %w", r.Plan, err)
	}
	return nil
}
