package remedy

import (
	"context"
	"errors"
	"fmt"

	"plumbline/cfn"
	"plumbline/finding"
	"plumbline/ruleset"
)

// judged is what all rules say of a template: its key is a rule and a resource.
type judged map[[2]string]finding.Finding

// judgeAll keeps the verdicts that a status is asked for.
func judgeAll(ctx context.Context, set *ruleset.Set, models []*cfn.Model, statuses ...finding.Verdict) (judged, error) {
	out := judged{}
	for _, domain := range finding.Domains {
		list, _, err := set.Judge(ctx, domain, models, func(status string) bool {
			for _, s := range statuses {
				if status == string(s) {
					return true
				}
			}
			return false
		})
		if err != nil {
			return nil, err
		}
		for _, f := range list {
			out[[2]string{f.Rule, f.Resource.LogicalID}] = f
		}
	}
	return out, nil
}

// breaks says which rule that passed no longer does, nil where none.
func breaks(ctx context.Context, set *ruleset.Set, passed judged, after []*cfn.Model) error {
	failed, err := judgeAll(ctx, set, after, finding.Fail, finding.Error)
	if err != nil {
		return err
	}
	for key, f := range failed {
		if _, ok := passed[key]; ok {
			return &brokenError{f}
		}
	}
	return nil
}

// brokenError is a rule that a fix would break.
type brokenError struct{ finding finding.Finding }

func (e *brokenError) Error() string {
	return fmt.Sprintf("the change would break rule %s of %s: %s", e.finding.Rule, e.finding.Resource.LogicalID, e.finding.Message)
}

// Template works out the fixes of a template's failures and makes them in its
// source, one after the other. Each is kept only where the same rule then no
// longer fails, and no rule that passed comes to fail; findings without a fix,
// or whose value is not written in the template, are left with the reason.
// Suppressed findings and verdicts other than fail are passed over. t is not
// changed.
func Template(ctx context.Context, set *ruleset.Set, t *cfn.Template, in cfn.Inputs, findings []finding.Finding) (*Patch, error) {
	models := t.Worlds(in)
	p, after, err := makeAll(ctx, set, t, in, models, findings, nil)
	if err != nil || after == t {
		return p, err
	}
	passed, err := judgeAll(ctx, set, models, finding.Pass)
	if err != nil {
		return nil, err
	}
	if err = breaks(ctx, set, passed, after.Worlds(in)); err == nil {
		return p, nil
	}
	if broken := (*brokenError)(nil); !errors.As(err, &broken) {
		return nil, err
	}
	// Rare enough for all to be made anew, each held to what passed by itself.
	p, _, err = makeAll(ctx, set, t, in, models, findings, passed)
	return p, err
}
