package rules_test

import (
	"bufio"
	"os"
	"strings"
	"testing"

	"plumbline/rules"
	"plumbline/ruleset"
)

// sampled is the part of the rules that are taken without PLUMBLINE_TEST_MUTANTS=all: one in so many.
const sampled = 8

// TestCasesShowEveryPart changes each boolean part of each rule's expressions
// to true, to false and to its opposite: some case must then fail. Survivors
// that must be are listed in survivors.tsv with the reason. Without
// PLUMBLINE_TEST_MUTANTS=all, which `make check` sets, it takes a sample of the rules.
func TestCasesShowEveryPart(t *testing.T) {
	all := os.Getenv("PLUMBLINE_TEST_MUTANTS") == "all"
	var ids []string
	if !all {
		index, err := ruleset.BuildIndex(rules.FS)
		if err != nil {
			t.Fatal(err)
		}
		for i, id := range index.RuleIDs() {
			if i%sampled == 0 {
				ids = append(ids, id)
			}
		}
	}
	report, err := ruleset.Mutate(t.Context(), nil, rules.FS, ids...)
	if err != nil {
		t.Fatal(err)
	}
	argued := survivors(t)
	for _, m := range report.Survivors {
		key := strings.Join([]string{m.Rule, m.Key, m.Change, m.Part}, "\t")
		if _, ok := argued[key]; ok {
			argued[key] = true
			continue
		}
		t.Errorf("no case fails of %s. write one that shows what the part is for, or take the part away; its line for survivors.tsv would be:\n%s", m, key)
	}
	for key, met := range argued {
		if all && !met {
			t.Errorf("survivors.tsv: no such mutant survives any more, take the line away: %s", key)
		}
	}
	t.Logf("%d rules, %d mutants, %d survivors", report.Rules, report.Mutants, len(report.Survivors))
}

// survivors are the lines of survivors.tsv: rule, expression, change, part, and
// the reason; whether each was met.
func survivors(t *testing.T) map[string]bool {
	t.Helper()
	f, err := os.Open("survivors.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := map[string]bool{}
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		cells := strings.Split(lines.Text(), "\t")
		if len(cells) != 5 || strings.TrimSpace(cells[4]) == "" {
			t.Errorf("survivors.tsv:%d: want rule, expression, change, part and reason, with tabs between", n)
			continue
		}
		out[strings.Join(cells[:4], "\t")] = false
	}
	return out
}
