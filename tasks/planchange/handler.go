// Package planchange works out what would be done about a violation of a live
// resource, and by the policy, who decides on it.
package planchange

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"plumbline/blob"
	"plumbline/finding"
	"plumbline/remedy"
	"plumbline/remedy/change"
	"plumbline/remedy/live"
	"plumbline/ruleset"
	"plumbline/tasks"
	"plumbline/tasks/catalog"
)

// Handler is the task. It keeps the plan, under its hash; called twice it makes
// the same plan, as long as the resource is the same.
type Handler struct {
	set       *ruleset.Set
	resources live.Resources
	around    change.Surroundings
	blobs     blob.Store
}

// New returns the task. The set's own policy says who decides.
func New(set *ruleset.Set, r live.Resources, around change.Surroundings, blobs blob.Store) *Handler {
	return &Handler{set: set, resources: r, around: around, blobs: blobs}
}

// grace is how much longer a workflow waits for a decision than people have time,
// in seconds: the request is made a moment after the workflow begins to wait.
const grace = 120

// Out is the plan by reference, or why there is none.
type Out struct {
	change.Result
	Mode    ruleset.Mode `json:"mode"`
	Plan    string       `json:"plan"`    // hash
	Seconds int          `json:"seconds"` // how long the workflow waits for a decision
}

// Handle plans, or takes the plan that the request names.
func (h *Handler) Handle(ctx context.Context, in change.Request) (Out, error) {
	if err := in.Check(); err != nil {
		return Out{}, tasks.Named(catalog.BadInput, err)
	}
	if in.Plan != "" {
		p, err := change.Load(ctx, h.blobs, in.Plan)
		if err != nil {
			return Out{}, tasks.StoreError(err)
		}
		if p.Change != in.Change {
			return Out{}, tasks.Named(catalog.BadInput, fmt.Errorf("plan %s is of change %q, not of %q: a plan is carried out once", in.Plan, p.Change, in.Change))
		}
		return out(p, in.Plan), nil
	}
	rule, err := h.set.Rule(in.Rule)
	if err != nil {
		return Out{}, tasks.Named(catalog.BadInput, err)
	}
	policy := h.set.Policy()
	if in.Severity == "" {
		in.Severity = policy.SeverityOf(in.Rule, rule.Severity)
	}
	model, err := h.resources.Get(ctx, in.Resource.Type, in.Identifier)
	switch {
	case errors.Is(err, live.ErrGone):
		return ended(change.Gone, "%s %q is not there", in.Resource.Type, in.Identifier), nil
	case err != nil:
		return Out{}, fmt.Errorf("read %s %q: %w", in.Resource.Type, in.Identifier, tasks.StoreError(err))
	}
	around, err := h.around.Around(ctx, in.Resource)
	if err != nil {
		return Out{}, fmt.Errorf("read what stands around %s: %w", in.Resource.LogicalID, tasks.StoreError(err))
	}
	f := finding.Finding{Rule: in.Rule, Severity: in.Severity, Verdict: finding.Fail, Resource: in.Resource}
	plan, err := remedy.Make(ctx, h.set, f, in.Identifier, model, around)
	switch {
	case errors.Is(err, remedy.ErrNothingToDo):
		return ended(change.Right, "%s keeps rule %s already", in.Resource.LogicalID, in.Rule), nil
	case ctx.Err() != nil:
		return Out{}, ctx.Err()
	case err != nil:
		return ended(change.Impossible, "%v", err), nil
	}
	p := &change.Planned{
		Change: in.Change, Plan: *plan, Requester: in.Requester, Domain: rule.Domain, Where: in.Where,
		Groups: policy.Approvers(in.Severity, in.Resource.Type), Seconds: int(policy.ApprovalTime().Seconds()),
		Alias: policy.AccountAlias(in.Resource.Account), Controls: h.set.Frameworks().Controls(in.Rule),
		Limits: policy.Limits(), FollowIn: int(policy.FollowWithin().Seconds()),
	}
	p.Mode, p.Why = Mode(policy, plan)
	if p.Template, err = h.source(ctx, f, plan); err != nil {
		return Out{}, err
	}
	hash, err := change.Keep(ctx, h.blobs, p)
	if err != nil {
		return Out{}, tasks.StoreError(err)
	}
	return out(p, hash), nil
}

func out(p *change.Planned, hash string) Out {
	return Out{Result: change.Result{Outcome: change.PlanMade}, Mode: p.Mode, Plan: hash, Seconds: p.Seconds + grace}
}

func ended(o change.Outcome, format string, args ...any) Out {
	return Out{Result: change.Result{Outcome: o, Reason: fmt.Sprintf(format, args...)}}
}

// Mode is how a plan may be carried out: as the policy says, or stricter where
// the change itself asks for it. why says what made it stricter.
func Mode(policy *ruleset.Policy, p *remedy.Plan) (mode ruleset.Mode, why []string) {
	if reason, excluded := policy.Excluded(p.Resource, remedy.Tags(p.Resource.Type, p.Before)); excluded {
		return ruleset.ModeNever, []string{"the policy excludes the resource: " + reason}
	}
	mode, said := policy.Remediate(p.Rule, p.Severity, p.Resource.Type)
	if !said && p.Resource.Stack == "" {
		mode = ruleset.ModeApproval // no template that a change could be made in is known
		why = append(why, "no stack owns the resource, and the policy says nothing of the rule")
	}
	stricter := func(m ruleset.Mode, reasons []string) {
		if len(reasons) > 0 && mode.Stricter(m) != mode {
			mode = m
			why = append(why, strings.Join(reasons, "; "))
		}
	}
	stricter(ruleset.ModeApproval, p.Destructive)
	stricter(ruleset.ModeApproval, p.Irreversible)
	if most := policy.Limits().References; len(p.ReferredBy) > most {
		stricter(ruleset.ModeApproval, []string{fmt.Sprintf("%d other resources refer to it, and the policy's limit is %d", len(p.ReferredBy), most)})
	}
	stricter(ruleset.ModeTemplate, p.TemplateOnly)
	return mode, why
}
