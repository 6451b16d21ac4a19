// Package judgeresource judges one live resource by every rule of its type.
package judgeresource

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"plumbline/cfn"
	"plumbline/finding"
	"plumbline/remedy/change"
	"plumbline/remedy/live"
	"plumbline/ruleset"
	"plumbline/tasks"
	"plumbline/tasks/catalog"
)

// Most is how many violations of one resource are handed on: as many as fit a
// state's payload by far, and more than rules of one type.
const Most = 60

// Handler is the task. It only reads.
type Handler struct {
	set       *ruleset.Set
	resources live.Resources
	around    change.Surroundings
}

// New returns the task.
func New(set *ruleset.Set, r live.Resources, around change.Surroundings) *Handler {
	return &Handler{set: set, resources: r, around: around}
}

// In names the resource and what asks: the same asking gives the same changes.
type In struct {
	CheckID    string           `json:"checkId"`
	Resource   finding.Resource `json:"resource"`
	Identifier string           `json:"identifier"`
}

// Out lists the violations, each as a request for its change. What could not be
// judged is counted: it is neither right nor wrong.
type Out struct {
	Gone       bool             `json:"gone"`
	Violations []change.Request `json:"violations"`
	Count      int              `json:"count"` // of violations
	Unknown    int              `json:"unknown"`
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
	world := &cfn.Model{Resources: []*cfn.Resource{subject}, Inputs: cfn.Inputs{Account: r.Account, Region: r.Region, Stack: r.Stack}}
	if around != nil {
		for _, other := range around.Resources {
			if other.LogicalID != r.LogicalID {
				world.Resources = append(world.Resources, other)
			}
		}
	}
	for _, d := range finding.Domains {
		found, counts, err := h.set.Judge(ctx, d, []*cfn.Model{world}, func(status string) bool { return status == string(finding.Fail) })
		if err != nil {
			return Out{}, fmt.Errorf("judge %s %q: %w", r.Type, in.Identifier, tasks.Named(catalog.RulesBroken, err))
		}
		out.Unknown += counts[string(finding.Unknown)] + counts[string(finding.Error)]
		for _, f := range found {
			if f.Resource.LogicalID != r.LogicalID || len(out.Violations) == Most {
				continue
			}
			out.Violations = append(out.Violations, change.Request{
				Change: name(in, f.Rule), Rule: f.Rule, Severity: f.Severity, Resource: r, Identifier: in.Identifier,
			})
		}
	}
	out.Count = len(out.Violations)
	return out, nil
}

// name is the change that this asking makes of a rule's violation.
func name(in In, rule string) string {
	sum := sha256.Sum256([]byte(in.CheckID + "\x00" + rule + "\x00" + in.Resource.Type + "\x00" + in.Identifier))
	return "change-" + hex.EncodeToString(sum[:12])
}
