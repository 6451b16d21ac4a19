package remedy_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/cfn"
	"plumbline/finding"
	"plumbline/remedy"
	"plumbline/rules"
	"plumbline/ruleset"
)

// TestEveryFix takes each rule that has a fix through its failing cases, as a
// YAML and as a JSON template: the patched template passes the rule and breaks
// no other; the patched live model passes as well, and its undo gives back the
// model before. What cannot be undone is what the page of remediations says.
func TestEveryFix(t *testing.T) {
	w := fixWalk{sets: map[string]*ruleset.Set{}, settled: map[string]bool{}}
	list, err := builtin(t).Rules()
	if err != nil {
		t.Fatal(err)
	}
	fixes := 0
	for _, r := range list {
		if len(r.Fix) == 0 || r.Deprecated {
			continue
		}
		fixes++
		cases, err := ruleset.FailingCases(rules.FS, r)
		if err != nil {
			t.Fatal(err)
		}
		for i := range cases {
			k := &cases[i]
			k.Source = append(k.Source, "  Bystander:\n    Type: AWS::CloudFormation::WaitConditionHandle\n"...) // a template needs a resource, whatever goes
			w.walk(t, r, k, "case.yaml", k.Source)
			w.walk(t, r, k, "case.json", asJSON(t, k.Source))
		}
		if !w.settled[r.ID] {
			t.Errorf("%s: no case shows what its fix does", r.ID)
		}
	}
	t.Logf("%d rules with a fix: %d templates settled, %d left with a reason; %d live models settled and undone, %d of them not wholly; %d for the template only",
		fixes, w.made, w.left, w.live, w.lost, w.templates)
}

// fixWalk is what the walk through the cases has seen.
type fixWalk struct {
	sets    map[string]*ruleset.Set // by policy
	settled map[string]bool         // rules

	made, left, live, lost, templates int
}

func (w *fixWalk) set(t *testing.T, p *ruleset.Policy) *ruleset.Set {
	t.Helper()
	if s := w.sets[p.Hash()]; s != nil {
		return s
	}
	s, err := ruleset.Open(rules.FS, p)
	if err != nil {
		t.Fatal(err)
	}
	w.sets[p.Hash()] = s
	return s
}

func (w *fixWalk) walk(t *testing.T, r *ruleset.Rule, k *ruleset.FailingCase, path string, src []byte) {
	t.Helper()
	ctx := context.Background()
	set := w.set(t, k.Policy)
	complain := func(format string, args ...any) {
		t.Helper()
		t.Errorf("%s, case %q, %s: "+format, append([]any{r.ID, k.Name, path}, args...)...)
	}
	template, err := cfn.Parse(path, src)
	if err != nil {
		complain("%v\n%s", err, src)
		return
	}
	models := template.Worlds(k.Inputs)
	f, err := set.Verdict(ctx, r.ID, k.Subject, models)
	if err != nil || f.Verdict != finding.Fail {
		complain("%s %v\n%s", f.Verdict, err, src)
		return
	}
	if path == "case.yaml" && models[0].Resource(k.Subject) != nil {
		w.model(t, set, f, models[0], complain)
	}
	p, err := remedy.Template(ctx, set, template, k.Inputs, []finding.Finding{f})
	if err != nil {
		complain("%v", err)
		return
	}
	if len(p.Left) > 0 {
		w.left++
		if why := p.Left[0].Reason; !k.Unfixed && !mayStay(why) {
			complain("stays: %s\n%s", why, src)
		}
		return
	}
	w.made++
	w.settled[r.ID] = true
	made, err := cfn.Parse(path, p.After)
	if err != nil {
		complain("%v", err)
		return
	}
	after := made.Worlds(k.Inputs)
	if p.Made[0].Deleted {
		if made.Root.Lookup("Resources", k.Subject) != nil {
			complain("it is not taken out\n%s", p.After)
		}
	} else if now, err := set.Verdict(ctx, r.ID, k.Subject, after); err != nil || now.Verdict != finding.Pass && now.Verdict != finding.Unknown {
		complain("%s %s %v\n%s", now.Verdict, now.Message, err, p.After)
	}
	w.others(t, set, models, after, p.Made[0].Deleted, k.Subject, complain)
}

// others holds that no rule that passed stops passing.
func (w *fixWalk) others(t *testing.T, set *ruleset.Set, before, after []*cfn.Model, deleted bool, subject string, complain func(string, ...any)) {
	t.Helper()
	passed, now := map[pair]bool{}, map[pair]finding.Finding{}
	for _, domain := range finding.Domains {
		list, _, err := set.Judge(context.Background(), domain, before, func(status string) bool { return status == string(finding.Pass) })
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range list {
			passed[pair{f.Rule, f.Resource.LogicalID}] = true
		}
		if list, _, err = set.Judge(context.Background(), domain, after, func(status string) bool { return status != string(finding.Pass) }); err != nil {
			t.Fatal(err)
		}
		for _, f := range list {
			now[pair{f.Rule, f.Resource.LogicalID}] = f
		}
	}
	for key := range passed {
		if f, ok := now[key]; ok {
			complain("%s of %s passed and is %s now: %s", key.rule, key.id, f.Verdict, f.Message)
		}
	}
}

// model holds the same on the resource as a live one.
func (w *fixWalk) model(t *testing.T, set *ruleset.Set, f finding.Finding, m *cfn.Model, complain func(string, ...any)) {
	t.Helper()
	r := m.Resource(f.Resource.LogicalID)
	properties, _ := r.Properties.Plain().(map[string]any)
	if hasUnknown(r.Properties) {
		return // no live resource has any
	}
	if properties == nil {
		properties = map[string]any{}
	}
	src, err := json.Marshal(properties)
	if err != nil {
		t.Fatal(err)
	}
	f.Resource.Type = r.Type
	p, err := remedy.Make(context.Background(), set, f, "id", src, &cfn.Model{Resources: m.Resources})
	if err != nil {
		w.templates++
		return
	}
	w.live++
	if diff := cmp.Diff(canonical(t, p.After), canonical(t, applyPatch(t, p.Before, p.Patch))); diff != "" {
		complain("the patch does not lead to the plan's after-image (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(canonical(t, p.Before), canonical(t, applyPatch(t, p.After, p.Undo))); !p.Final() && diff != "" {
		complain("the undo does not lead back (-want +got)\n%s", diff)
	}
	if len(p.Irreversible) > 0 {
		w.lost++
		said := remedy.ConsequencesOf(r.Type, starred(p.Ops))
		rule, err := set.Rule(p.Rule)
		if err != nil {
			t.Fatal(err)
		}
		said.OfRule(rule)
		for _, reason := range p.Irreversible {
			if !slices.Contains(said.Irreversible, reason) {
				complain("%q is not said of the rule", reason)
			}
		}
	}
}

// mayStay are the reasons for which a fix may leave a failure.
func mayStay(reason string) bool {
	return slices.ContainsFunc([]string{
		"the value comes from", "needs parameter", "needs attribute", "needs property", "is computed", "no change of a property settles it", "it is no list", "it is no mapping",
	}, func(words string) bool { return strings.Contains(reason, words) })
}

// starred are a plan's operations with * for each number of an item.
func starred(ops []remedy.Op) []cfn.Op {
	out := make([]cfn.Op, len(ops))
	for i, op := range ops {
		out[i] = cfn.Op{Do: op.Do, Value: op.Value}
		for _, key := range op.Path {
			if strings.Trim(key, "0123456789") == "" {
				key = "*"
			}
			out[i].Path = append(out[i].Path, key)
		}
	}
	return out
}

func hasUnknown(v *cfn.Value) bool {
	return v != nil && (v.Kind == cfn.Unknown ||
		slices.ContainsFunc(v.Items, hasUnknown) ||
		slices.ContainsFunc(v.Fields, func(f cfn.Field) bool { return hasUnknown(f.Value) }))
}

// asJSON is a template in JSON, with functions in their long form.
func asJSON(t *testing.T, src []byte) []byte {
	t.Helper()
	template, err := cfn.Parse("case.yaml", src)
	if err != nil {
		t.Fatal(err)
	}
	out, err := json.MarshalIndent(template.Root.Plain(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return out
}
