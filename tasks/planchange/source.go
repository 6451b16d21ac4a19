package planchange

import (
	"context"
	"fmt"

	"github.com/rogpeppe/go-internal/diff"

	"plumbline/finding"
	"plumbline/remedy"
	"plumbline/remedy/change"
	"plumbline/tasks"
)

// mostDiff bounds a template's diff in a plan, in bytes: it stands in messages
// and in the ledger.
const mostDiff = 8 << 10

// source is what the owners of a stack change in its template; nil where no stack
// owns the resource.
func (h *Handler) source(ctx context.Context, f finding.Finding, plan *remedy.Plan) (*change.Source, error) {
	if plan.Resource.Stack == "" {
		return nil, nil
	}
	s := &change.Source{ConstructPath: plan.Resource.ConstructPath, Ops: plan.Ops, Why: "the template is not at hand"}
	from, ok := h.around.(change.Templates)
	if !ok {
		return s, nil
	}
	t, in, err := from.Template(ctx, plan.Resource)
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the template of stack %s: %w", plan.Resource.Stack, tasks.StoreError(err))
	case t == nil:
		return s, nil
	}
	patch, err := remedy.Template(ctx, h.set, t, in, []finding.Finding{f})
	if err != nil {
		return nil, err
	}
	s.Why = ""
	switch {
	case len(patch.Left) > 0:
		s.Why = patch.Left[0].Reason
	case string(patch.Before) == string(patch.After):
		s.Why = "the template asks for it already: the next deployment that touches the resource sets it"
	default:
		s.Diff = string(diff.Diff(t.Path, patch.Before, t.Path+" (fixed)", patch.After))
		if len(s.Diff) > mostDiff {
			s.Diff, s.Why = "", "its diff is too long for a plan; plumbline fix shows it"
		}
		if len(patch.Made) == 1 && len(patch.Made[0].Ops) > 0 {
			s.Ops = nil
			for _, op := range patch.Made[0].Ops {
				s.Ops = append(s.Ops, remedy.Op(op))
			}
		}
	}
	return s, nil
}
