// Package askapproval asks people to decide on a plan, and leaves the workflow's
// token with the request.
package askapproval

import (
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

// Handler is the task. It mutates; called twice for one change it takes back the
// first request, whose id nobody may have got, and asks again.
type Handler struct {
	desk    *approval.Desk
	blobs   blob.Store
	channel Channel
	link    func(id string) string
	now     func() time.Time
}

// New returns the task. link is where the people go who decide, by the request's
// id; a nil channel tells nobody.
func New(d *approval.Desk, blobs blob.Store, c Channel, link func(id string) string, now func() time.Time) *Handler {
	return &Handler{desk: d, blobs: blobs, channel: c, link: link, now: now}
}

// In names the plan and the token.
type In struct {
	Plan  string `json:"plan"` // hash
	Token string `json:"token"`
}

// Out says when the answer becomes no.
type Out struct {
	Expires time.Time `json:"expires"`
}

// Handle asks. Where the plan is decided already, the workflow goes on at once.
func (h *Handler) Handle(ctx context.Context, in In) (Out, error) {
	p, err := change.Load(ctx, h.blobs, in.Plan)
	if err != nil {
		return Out{}, tasks.StoreError(err)
	}
	if in.Token == "" {
		return Out{}, tasks.Named(catalog.BadInput, errors.New("the token of the workflow is missing"))
	}
	if decided, err := h.decided(ctx, in.Plan, p); err != nil || decided {
		if err == nil {
			err = h.desk.Callback.Decided(ctx, in.Token)
		}
		return Out{}, tasks.StoreError(err)
	}
	r := approval.Request{
		Plan: in.Plan, Rule: p.Plan.Rule, Severity: p.Plan.Severity, Resource: p.Plan.Resource, Execution: p.Change,
		Requester: p.Requester, Groups: p.Groups, Expires: h.now().Add(time.Duration(p.Seconds) * time.Second), Token: in.Token,
	}
	id, err := h.desk.Ask(ctx, r, p)
	if err != nil {
		return Out{}, tasks.StoreError(err)
	}
	if h.channel != nil {
		if err := h.channel.Send(ctx, h.notice(p, r, h.link(id))); err != nil {
			name := catalog.ChannelFailed
			if errors.Is(err, scan.ErrThrottled) {
				name = catalog.Throttled
			}
			return Out{}, fmt.Errorf("ask people: %w", tasks.Named(name, err))
		}
	}
	return Out{r.Expires}, nil
}

func (h *Handler) decided(ctx context.Context, hash string, p *change.Planned) (bool, error) {
	s, err := change.Tell(ctx, h.desk.Ledger.Store, hash)
	if err != nil {
		return false, err
	}
	if s.WasDenied || !s.Expired.IsZero() {
		return true, nil
	}
	accepted, err := approval.Acceptance(ctx, h.desk.Ledger.Store, hash, p.Needed(), p.Requester)
	if err != nil || accepted != nil {
		return accepted != nil, err
	}
	return approval.Granted(ctx, h.desk.Ledger.Store, hash, p.Needed(), p.Requester)
}

func (h *Handler) notice(p *change.Planned, r approval.Request, link string) scan.Notice {
	x := p.Plan
	severity := x.Severity
	if severity == "" {
		severity = finding.High
	}
	var b strings.Builder
	b.WriteString(p.Message())
	for _, reason := range p.Why {
		fmt.Fprintf(&b, "\nIt needs approval: %s\n", reason)
	}
	if x.Breaks != "" {
		fmt.Fprintf(&b, "It may break: %s\n", x.Breaks)
	}
	if len(x.ReferredBy) > 0 {
		fmt.Fprintf(&b, "These refer to it: %s\n", strings.Join(x.ReferredBy, ", "))
	}
	if text := p.Template.Message(); text != "" {
		fmt.Fprintf(&b, "\nIts template follows within %d days:\n%s", p.FollowIn/(24*3600), text)
	}
	fmt.Fprintf(&b, "\nApprove the change, accept the violation until a day, or say no, until %s: %s\n", r.Expires.UTC().Format(time.RFC3339), link)
	return scan.Notice{
		ID: p.Change + "/" + scan.NoticeApproval + "/" + r.Expires.UTC().Format(time.RFC3339), Kind: scan.NoticeApproval, ScanID: p.Change,
		Target:   scan.Target{Stack: x.Resource.Stack, Account: x.Resource.Account, Region: x.Resource.Region},
		Severity: severity, Subject: scan.Subject("approval wanted: %s of %s", x.Rule, x.Resource.LogicalID), Body: b.String(), Time: h.now().UTC(),
	}
}
