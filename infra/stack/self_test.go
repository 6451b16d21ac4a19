package stack_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/infra/judge"
)

// TestOurOwnRules judges the stacks by plumbline's rules: each is kept, or
// suppressed with a reason, and no suppression stands there for nothing.
func TestOurOwnRules(t *testing.T) {
	stacks := maps.Clone(example())
	for name, s := range with(t, `"recorder":"create","security":{"mail":["a@example.com"],"resourceTypes":["AWS::IAM::*"]}`) {
		stacks[name+" with a recorder"] = s
	}
	for name, s := range everything() {
		stacks[name+" with everything"] = s
	}
	for _, name := range slices.Sorted(maps.Keys(stacks)) {
		t.Run(name, func(t *testing.T) {
			r, err := judge.Template(t.Context(), name, stacks[name].source, "111122223333", "us-east-1")
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Err(); err != nil {
				t.Error(err)
			}
			if r.Passed < 50 {
				t.Errorf("only %d checks passed: the template is not what was meant to be judged", r.Passed)
			}
			used := map[string]bool{}
			for _, f := range r.Findings {
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
