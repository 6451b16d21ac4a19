// Package remedy turns findings into changes. A rule's fix is data: operations
// on CloudFormation's model of the resource. Here they become an edit of the
// template that the resource is written in, held to the rule that asked for it.
package remedy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"plumbline/cfn"
	"plumbline/cfn/edit"
	"plumbline/finding"
	"plumbline/ruleset"
)

// Patch is what settles a template's findings in its source.
type Patch struct {
	Path          string
	Before, After []byte // UTF-8; equal where nothing was changed
	Made          []Change
	Left          []Left
}

// Change is one finding that the patch settles.
type Change struct {
	Finding   finding.Finding
	Written   string             // logical id of the resource whose text is changed: SAM derives others from it
	Ops       []cfn.Op           // on the resource's properties; empty where Companion alone settles it
	Companion *cfn.Resource      // a resource that was added; nil: none
	Deleted   bool               // the resource was taken out
	Others    []ruleset.OtherOps // on other resources
	Breaks    string             // what the change may break, in words; "" where nothing is known
	CDK       []string           // the same as statements of the CDK app that made the template; nil: CDK did not
}

// Left is one finding that stays, and why.
type Left struct {
	Finding finding.Finding
	Reason  string
}

// maxModels bounds in how many worlds a fix is worked out until it settles a finding.
const maxModels = 4

// makeAll makes the fixes one after the other, each held to what passed; nil:
// to its own rule alone. It returns the template as they leave it as well.
func makeAll(ctx context.Context, set *ruleset.Set, t *cfn.Template, in cfn.Inputs, models []*cfn.Model, findings []finding.Finding, passed judged) (*Patch, *cfn.Template, error) {
	p := &Patch{Path: t.Path, Before: t.Source, After: t.Source}
	deleted := map[string]bool{}
	for _, f := range findings {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		if f.Verdict != finding.Fail || f.Suppressed != nil {
			continue
		}
		// What an earlier fix has settled is done; what it has deleted needs no more.
		if deleted[f.Resource.LogicalID] {
			p.Made = append(p.Made, Change{Finding: f, Deleted: true})
			continue
		}
		if now, err := set.Verdict(ctx, f.Rule, f.Resource.LogicalID, models); err == nil && now.Verdict != finding.Fail {
			p.Made = append(p.Made, Change{Finding: f})
			continue
		}
		made, change, err := settle(ctx, set, t, in, models, f)
		var after []*cfn.Model
		if err == nil {
			if after = made.Worlds(in); passed != nil {
				err = breaks(ctx, set, passed, after)
			}
		}
		if err != nil {
			p.Left = append(p.Left, Left{f, err.Error()})
			continue
		}
		t, models = made, after
		deleted[f.Resource.LogicalID] = change.Deleted
		p.Made = append(p.Made, change)
	}
	p.After = t.Source
	return p, t, nil
}

// settle makes one fix. The error says why the finding is left.
func settle(ctx context.Context, set *ruleset.Set, t *cfn.Template, in cfn.Inputs, models []*cfn.Model, f finding.Finding) (*cfn.Template, Change, error) {
	var seen []*cfn.Resource
	reason := errors.New("the resource is not in the template as it stands now")
	for _, m := range models {
		resource := m.Resource(f.Resource.LogicalID)
		if resource == nil || slices.Contains(seen, resource) || len(seen) == maxModels {
			continue
		}
		seen = append(seen, resource)
		made, change, err := settleIn(ctx, set, t, in, m, resource, f)
		if err == nil {
			return made, change, nil
		}
		if len(seen) == 1 {
			reason = err
		}
	}
	return nil, Change{}, reason
}

func settleIn(ctx context.Context, set *ruleset.Set, t *cfn.Template, in cfn.Inputs, m *cfn.Model, resource *cfn.Resource, f finding.Finding) (*cfn.Template, Change, error) {
	fix, err := set.Fix(f, m)
	switch {
	case err != nil:
		return nil, Change{}, err
	case len(fix.Needs) > 0:
		return nil, Change{}, fmt.Errorf("needs %s", strings.Join(fix.Needs, ", "))
	case fix.Delete:
		made, err := again(t, func() ([]byte, error) { return edit.Delete(t, f.Resource.LogicalID) })
		return made, Change{Finding: f, Written: f.Resource.LogicalID, Deleted: true, Breaks: fix.Breaks, CDK: inCDK(m, resource, fix)}, err
	case len(fix.Ops)+len(fix.Others) == 0 && fix.Companion == nil:
		return nil, Change{}, errors.New("no change of a property settles it: see its remediation")
	}
	made := t
	if len(fix.Ops) > 0 {
		ops := make([]cfn.Op, len(fix.Ops))
		for i, op := range fix.Ops {
			if ops[i], err = asWritten(t, resource, op); err != nil {
				return nil, Change{}, err
			}
		}
		if made, err = again(t, func() ([]byte, error) { return edit.Apply(t, writtenID(t, resource), ops) }); err != nil {
			return nil, Change{}, err
		}
	}
	for _, o := range fix.Others {
		before := made
		ops := make([]cfn.Op, len(o.Ops))
		for i, op := range o.Ops {
			if ops[i], err = asWritten(before, m.Resource(o.LogicalID), op); err != nil {
				return nil, Change{}, err
			}
		}
		if made, err = again(before, func() ([]byte, error) { return edit.Apply(before, o.LogicalID, ops) }); err != nil {
			return nil, Change{}, err
		}
	}
	if c := fix.Companion; c != nil {
		properties, _ := c.Properties.Plain().(map[string]any)
		before := made
		condition, err := conditionOf(t, writtenID(t, resource))
		if err == nil {
			err = onlyOne(t, resource, c)
		}
		if err != nil {
			return nil, Change{}, err
		}
		if made, err = again(before, func() ([]byte, error) { return edit.Add(before, c.LogicalID, c.Type, condition, properties) }); err != nil {
			return nil, Change{}, err
		}
	}
	if len(made.Problems) > len(t.Problems) {
		return nil, Change{}, fmt.Errorf("the change would make the template wrong: %w", made.Problems[len(made.Problems)-1])
	}
	now, err := set.Verdict(ctx, f.Rule, f.Resource.LogicalID, made.Worlds(in))
	if err != nil {
		return nil, Change{}, err
	}
	if now.Verdict == finding.Fail || now.Verdict == finding.Error {
		return nil, Change{}, fmt.Errorf("the change does not settle it: %s", now.Message)
	}
	return made, Change{Finding: f, Written: writtenID(t, resource), Ops: fix.Ops, Others: fix.Others, Companion: fix.Companion, Breaks: fix.Breaks, CDK: inCDK(m, resource, fix)}, nil
}

// conditionOf is the condition that a resource is made under, which a companion
// needs as well: it refers to the resource. The error is that of one that is not
// written by itself, so that its condition cannot be told.
func conditionOf(t *cfn.Template, logicalID string) (string, error) {
	for _, d := range t.Resources {
		if d.LogicalID == logicalID && d.ForEach == nil {
			return d.Condition, nil
		}
	}
	return "", fmt.Errorf("resource %q is made by a macro or Fn::ForEach: add its companion by hand, under the same condition", logicalID)
}

// onlyOne refuses a companion where one of its type is written for the same
// resource under a condition: both would be made where that holds.
func onlyOne(t *cfn.Template, resource *cfn.Resource, companion *cfn.Resource) error {
	for _, d := range t.Resources {
		if d.Type != companion.Type || d.Condition == "" {
			continue
		}
		for _, f := range companion.Properties.Fields {
			written := d.Body.Lookup("Properties", f.Key)
			if ref := f.Value.Lookup("Ref"); written == nil || !ref.IsKind(cfn.String) || ref.Text != resource.LogicalID {
				continue
			}
			name := written.Lookup("Ref")
			literal := resource.Properties.IsKind(cfn.Map) && written.IsKind(cfn.String) && slices.ContainsFunc(resource.Properties.Fields, func(own cfn.Field) bool {
				return strings.HasSuffix(own.Key, "Name") && own.Value.IsKind(cfn.String) && own.Value.Text == written.Text
			})
			if literal || name.IsKind(cfn.String) && name.Text == resource.LogicalID {
				return fmt.Errorf("%s (%s) is there for %s under condition %s, and a second one would be made beside it: take the condition off, or change it by hand", d.LogicalID, d.Type, resource.LogicalID, d.Condition)
			}
		}
	}
	return nil
}

func again(t *cfn.Template, change func() ([]byte, error)) (*cfn.Template, error) {
	src, err := change()
	if err != nil {
		return nil, err
	}
	return cfn.Parse(t.Path, src)
}

// asWritten is an operation on the resource as the template writes it. A list
// of one that is written without its brackets has no number there. The error
// is that of an item of a list that is written otherwise than the world has
// it, since its numbers are not the same there, and of what SAM has no property for.
func asWritten(t *cfn.Template, resource *cfn.Resource, op cfn.Op) (cfn.Op, error) {
	if d := expandedFrom(t, resource); d != nil {
		return inSAM(t, d, resource, op)
	}
	written := t.Root.Lookup("Resources", resource.LogicalID, "Properties")
	resolved := resource.Properties
	out := cfn.Op{Do: op.Do, Value: op.Value}
	for _, key := range op.Path {
		if _, err := strconv.Atoi(key); err == nil {
			if bare := written.IsKind(cfn.Map) && !isFunction(written) && written.Get(key) == nil; bare && (resolved.IsKind(cfn.Map) || resolved.IsKind(cfn.List) && len(resolved.Items) == 1) {
				if resolved.IsKind(cfn.List) {
					resolved = resolved.Items[0]
				}
				continue
			}
			if resolved.IsKind(cfn.List) && (!written.IsKind(cfn.List) || len(written.Items) != len(resolved.Items)) {
				return cfn.Op{}, fmt.Errorf("the list that holds item %s of %s is computed: change what gives it", key, strings.Join(op.Path, "."))
			}
		}
		out.Path = append(out.Path, key)
		written, resolved = written.Lookup(key), resolved.Lookup(key)
	}
	return out, nil
}

func isFunction(v *cfn.Value) bool {
	return len(v.Fields) == 1 && (v.Fields[0].Key == "Ref" || strings.HasPrefix(v.Fields[0].Key, "Fn::"))
}
