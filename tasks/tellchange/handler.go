// Package tellchange tells people how a change ended, or what its owners are to
// change in their template.
package tellchange

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

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

// Handler is the task. It mutates; called twice it sends the same message under
// the same ID.
type Handler struct {
	channel Channel
	blobs   blob.Store
	now     func() time.Time
}

// New returns the task. A nil channel tells nobody.
func New(c Channel, blobs blob.Store, now func() time.Time) *Handler {
	return &Handler{channel: c, blobs: blobs, now: now}
}

// In is how it ended. Without a Result the owners are told what to change.
type In struct {
	Plan   string        `json:"plan"` // hash
	Result change.Result `json:"result,omitzero"`
}

// Out is how many messages were sent.
type Out struct {
	Sent int `json:"sent"`
}

// Handle sends the message.
func (h *Handler) Handle(ctx context.Context, in In) (Out, error) {
	p, err := change.Load(ctx, h.blobs, in.Plan)
	if err != nil {
		return Out{}, tasks.StoreError(err)
	}
	if h.channel == nil {
		return Out{}, nil
	}
	if err := h.channel.Send(ctx, h.notice(p, in)); err != nil {
		name := catalog.ChannelFailed
		if errors.Is(err, scan.ErrThrottled) {
			name = catalog.Throttled
		}
		return Out{}, fmt.Errorf("tell of change %s: %w", p.Change, tasks.Named(name, err))
	}
	return Out{1}, nil
}

var endings = map[change.Outcome]string{
	change.Applied: "made", change.Undone: "taken back", change.Partly: "half done", change.Refusal: "refused", change.Gone: "not made: the resource is gone",
	change.Changed: "not made: the resource has changed", change.Updating: "not made: its stack is being updated", change.Right: "not needed",
	change.Accepted: "not made: the violation is accepted", change.Stopped: "not made: all changes are stopped", change.Postponed: "not made: too many changes at once",
	change.Excluded: "not made: the policy leaves the resource alone", change.Denied: "denied", change.Expired: "not made: nobody has decided in time", change.Used: "not made again",
}

func (h *Handler) notice(p *change.Planned, in In) scan.Notice {
	x := p.Plan
	n := scan.Notice{
		ID: p.Change + "/" + scan.NoticeChange + "/" + string(in.Result.Outcome), Kind: scan.NoticeChange, ScanID: p.Change, Severity: x.Severity, Time: h.now().UTC(),
		Target: scan.Target{Stack: x.Resource.Stack, Account: x.Resource.Account, Region: x.Resource.Region},
	}
	if n.Severity == "" || in.Result.Outcome == change.Partly {
		n.Severity = finding.High
	}
	if in.Result.Outcome == change.Expired {
		n.Severity = finding.Critical // told further up: those who were asked have not answered
	}
	var b strings.Builder
	b.WriteString(p.Message())
	fmt.Fprintln(&b)
	if in.Result.Outcome == "" {
		n.Subject = scan.Subject("to be changed in the template: %s of %s", x.Rule, x.Resource.LogicalID)
		for _, reason := range p.Why {
			fmt.Fprintf(&b, "It cannot be changed live: %s\n", reason)
		}
	} else {
		n.Subject = scan.Subject("change %s: %s of %s", cmp.Or(endings[in.Result.Outcome], string(in.Result.Outcome)), x.Rule, x.Resource.LogicalID)
		fmt.Fprintf(&b, "Change %s ended as %s. %s\n", p.Change, in.Result.Outcome, in.Result.Reason)
	}
	if text := p.Template.Message(); text != "" && (in.Result.Outcome == "" || in.Result.Outcome == change.Applied) {
		until := ""
		if in.Result.Outcome == change.Applied {
			by := n.Time.Add(time.Duration(p.FollowIn) * time.Second)
			until = fmt.Sprintf(", until %s, else the next deployment may take this back and the finding is opened again", by.Format(time.DateOnly))
		}
		fmt.Fprintf(&b, "\nIn the template of stack %s%s:\n%s", x.Resource.Stack, until, text)
	}
	fmt.Fprintf(&b, "\nPlan %s\n", in.Plan)
	n.Body = b.String()
	return n
}
