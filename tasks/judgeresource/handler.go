// Package judgeresource judges one live resource by every rule of its type.
package judgeresource

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"time"

	"plumbline/cfn"
	"plumbline/finding"
	"plumbline/remedy"
	"plumbline/remedy/change"
	"plumbline/remedy/live"
	"plumbline/ruleset"
	"plumbline/tasks"
	"plumbline/tasks/catalog"
)

// Most bounds how many violations of one resource are handed on: as many as fit
// a state's payload by far.
const Most = 60

// Handler is the task. It only reads.
type Handler struct {
	set       *ruleset.Set
	resources live.Resources
	around    change.Surroundings
	known     Known
	now       func() time.Time
}

// Known is the findings table as far as it says what people have accepted.
type Known interface {
	OfStack(ctx context.Context, stack string) iter.Seq2[finding.Record, error]
}

// New returns the task. The set's own policy says what is suppressed, excluded
// and for the template; known may be nil: nothing was accepted.
func New(set *ruleset.Set, r live.Resources, around change.Surroundings, known Known, now func() time.Time) *Handler {
	return &Handler{set: set, resources: r, around: around, known: known, now: now}
}

// In names the resource and what asks: the same asking gives the same changes.
type In struct {
	CheckID    string           `json:"checkId"`
	Resource   finding.Resource `json:"resource"`
	Identifier string           `json:"identifier"`
	All        bool             `json:"all,omitempty"` // a person asks: also what the policy leaves to the template or to nobody
}

// Out lists the violations, each as a request for its change. What could not be
// judged is counted: it is neither right nor wrong.
type Out struct {
	Gone       bool             `json:"gone"`
	Violations []change.Request `json:"violations"`
	Count      int              `json:"count"` // of violations
	Unknown    int              `json:"unknown"`
	Suppressed int              `json:"suppressed"` // violations that do not count, by the policy, the template or an acceptance
	Left       int              `json:"left"`       // violations that are not handed on: for the template, excluded, or too many at once
}

// Handle judges the resource as it is now.
func (h *Handler) Handle(ctx context.Context, in In) (Out, error) {
	r := in.Resource
	if in.CheckID == "" || r.Type == "" || in.Identifier == "" {
		return Out{}, tasks.Named(catalog.BadInput, errors.New("want checkId, resource with Type, and identifier"))
	}
	if r.LogicalID == "" {
		r.LogicalID = "Resource"
	}
	out := Out{Violations: []change.Request{}}
	model, err := h.resources.Get(ctx, r.Type, in.Identifier)
	switch {
	case errors.Is(err, live.ErrGone):
		out.Gone = true
		return out, nil
	case err != nil:
		return Out{}, tasks.StoreError(err)
	}
	around, err := h.around.Around(ctx, r)
	if err != nil {
		return Out{}, tasks.StoreError(err)
	}
	subject, err := cfn.Live(r.Type, r.LogicalID, model)
	if err != nil {
		return Out{}, fmt.Errorf("read %s %q: %w", r.Type, in.Identifier, err)
	}
	written := &cfn.Model{Resources: []*cfn.Resource{subject}} // what suppressions are read from
	if around != nil {
		written.Template = around.Template
		if x := around.Resource(r.LogicalID); x != nil {
			subject.Metadata, subject.ConstructPath = x.Metadata, x.ConstructPath
		}
	}
	world := &cfn.Model{Resources: []*cfn.Resource{subject}, Inputs: cfn.Inputs{Account: r.Account, Region: r.Region, Stack: r.Stack}}
	if around != nil {
		for _, other := range around.Resources {
			if other.LogicalID != r.LogicalID {
				world.Resources = append(world.Resources, other)
			}
		}
	}
	var violations []finding.Finding
	for _, d := range finding.Domains {
		found, counts, err := h.set.Judge(ctx, d, []*cfn.Model{world}, func(status string) bool { return status == string(finding.Fail) })
		if err != nil {
			return Out{}, fmt.Errorf("judge %s %q: %w", r.Type, in.Identifier, tasks.Named(catalog.RulesBroken, err))
		}
		out.Unknown += counts[string(finding.Unknown)] + counts[string(finding.Error)]
		for _, f := range found {
			if f.Resource.LogicalID == r.LogicalID {
				f.Resource = r // with what suppressions select by
				f.Resource.ConstructPath = subject.ConstructPath
				violations = append(violations, f)
			}
		}
	}
	ruleset.Suppress(h.set.Policy(), h.set.Index().Equivalents(), []*cfn.Model{written}, violations, h.now())
	accepted, err := h.accepted(ctx, r, in.Identifier)
	if err != nil {
		return Out{}, err
	}
	most := h.most(in, r, model)
	for _, f := range violations {
		switch {
		case f.Suppressed != nil || accepted[f.Rule]:
			out.Suppressed++
		case !in.All && !h.wants(f, r), len(out.Violations) >= most:
			out.Left++
		default:
			out.Violations = append(out.Violations, change.Request{
				Change: name(in, f.Rule), Rule: f.Rule, Severity: f.Severity, Resource: r, Identifier: in.Identifier,
			})
		}
	}
	out.Count = len(out.Violations)
	return out, nil
}

// most is how many violations are handed on: none of a resource that the policy
// excludes, as many as one scan may start where a machine asks.
func (h *Handler) most(in In, r finding.Resource, model []byte) int {
	if in.All {
		return Most
	}
	if _, excluded := h.set.Policy().Excluded(r, remedy.Tags(r.Type, model)); excluded {
		return 0
	}
	return min(h.set.Policy().Limits().PerScan, Most)
}

// wants reports whether a machine may ask for the change: the policy lets the
// violation be settled live, or no stack owns the resource.
func (h *Handler) wants(f finding.Finding, r finding.Resource) bool {
	mode, said := h.set.Policy().Remediate(f.Rule, f.Severity, r.Type)
	return mode == ruleset.ModeLive || mode == ruleset.ModeApproval || !said && r.Stack == ""
}

// accepted are the rules whose violation people have left as it is.
func (h *Handler) accepted(ctx context.Context, r finding.Resource, identifier string) (map[string]bool, error) {
	if h.known == nil {
		return nil, nil
	}
	out := map[string]bool{}
	where, id := change.Remembered(r, identifier)
	for row, err := range h.known.OfStack(ctx, where) {
		if err != nil {
			return nil, fmt.Errorf("read what was accepted of %s: %w", r.LogicalID, tasks.StoreError(err))
		}
		if row.Resource.LogicalID == id && row.Resource.Account == r.Account && row.Resource.Region == r.Region {
			out[row.Rule] = row.AcceptedOn(h.now())
		}
	}
	return out, nil
}

// name is the change that this asking makes of a rule's violation.
func name(in In, rule string) string {
	sum := sha256.Sum256([]byte(in.CheckID + "\x00" + rule + "\x00" + in.Resource.Type + "\x00" + in.Identifier))
	return "change-" + hex.EncodeToString(sum[:12])
}
