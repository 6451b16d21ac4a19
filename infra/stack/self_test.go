package stack_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/cfn"
	"plumbline/finding"
	"plumbline/rules"
	"plumbline/ruleset"
)

// TestOurOwnRules judges the stacks by plumbline's rules: each is kept, or
// suppressed with a reason, and no suppression stands there for nothing.
func TestOurOwnRules(t *testing.T) {
	set, err := ruleset.Open(rules.FS, nil)
	if err != nil {
		t.Fatal(err)
	}
	stacks := maps.Clone(example())
	for name, s := range with(t, `"recorder":"create","security":{"mail":["a@example.com"],"resourceTypes":["AWS::IAM::*"]}`) {
		stacks[name+" with a recorder"] = s
	}
	for _, name := range slices.Sorted(maps.Keys(stacks)) {
		t.Run(name, func(t *testing.T) {
			tmpl, err := cfn.Parse(name, stacks[name].source)
			if err != nil {
				t.Fatal(err)
			}
			models := tmpl.Worlds(cfn.Inputs{Account: "111122223333", Region: "us-east-1", Stack: name})
			var all []finding.Finding
			judged := 0
			for _, d := range finding.Domains {
				found, counts, err := set.Judge(t.Context(), d, models, func(status string) bool { return status != string(finding.Pass) && status != string(finding.Skip) })
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, found...)
				judged += counts[string(finding.Pass)]
			}
			if judged < 50 {
				t.Errorf("only %d checks passed: the template is not what was meant to be judged", judged)
			}
			for _, w := range ruleset.Suppress(nil, set.Index().Equivalents(), models, all, time.Now()).Warnings {
				t.Error(w)
			}
			used := map[string]bool{}
			for _, f := range all {
				if f.Suppressed == nil {
					t.Errorf("%s %s of %s: %s", f.Verdict, f.Rule, f.Resource.LogicalID, f.Message)
					continue
				}
				used[f.Resource.LogicalID+" "+f.Rule] = true
			}
			written := map[string]bool{}
			for id, r := range stacks[name].Resources {
				for _, s := range items(at(r.Metadata, "plumbline", "suppress")) {
					written[fmt.Sprint(id, " ", at(s, "rule"))] = true
					if reason, _ := at(s, "reason").(string); len(strings.Fields(reason)) < 5 {
						t.Errorf("%s: %q is no reason", id, reason)
					}
				}
			}
			if diff := cmp.Diff(slices.Sorted(maps.Keys(written)), slices.Sorted(maps.Keys(used))); diff != "" {
				t.Errorf("suppressions that are written (-) and that are needed (+):\n%s", diff)
			}
		})
	}
}
