package main

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"plumbline/internal/sharedtest"
	"plumbline/rules"
	"plumbline/ruleset"
)

func index(t *testing.T) *ruleset.Index {
	t.Helper()
	x, err := ruleset.BuildIndex(rules.FS)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestCoveragePageIsCurrent(t *testing.T) {
	all, err := readChecks(publicChecks, index(t))
	if err != nil {
		t.Fatal(err)
	}
	stored, err := os.ReadFile("../../docs/coverage.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(coveragePage(all), stored) {
		t.Error("docs/coverage.md is not what rules/gen/coverage.tsv and the rules say. run: make generate")
	}
}

func TestRulePagesAreCurrent(t *testing.T) {
	pages, err := rulePages(rules.FS)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range pages {
		stored, err := os.ReadFile("../../" + f.name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(f.content, stored) {
			t.Errorf("%s is not what its rule and cases say. run: make generate", f.name)
		}
	}
	stored, err := filepath.Glob("../../" + pageDir + "/*.md")
	if err != nil {
		t.Fatal(err)
	}
	if len(stored) != len(pages) {
		t.Errorf("%s holds %d pages for %d rules and their list. run: make generate", pageDir, len(stored), len(pages)-1)
	}
}

func TestAnswersAreChecked(t *testing.T) {
	for line, want := range map[string]string{
		"control\tsome-control":                                 "has neither a rule nor a reason",
		"config\tno-such-check\tT":                              "has neither a rule nor a reason",
		"config\tno-such-check\t\t\twhy":                        "has class",
		"control\tc\t\ts3-bucket-versionning":                   "names no rule that exists",
		"control\tc\t\ts3-bucket-versioning\ncontrol\tc\t\t\tx": "is here twice, first in line 1",
		"something\tc":                                          "is no line of",
	} {
		_, err := readChecks(line+"\n", index(t))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want an error that says %q", line, err, want)
		}
	}
}

// TestEveryPublicCheckIsAnswered holds coverage.tsv to the lists of checks that
// lie beside the repository: each has a rule of ours or a reason.
func TestEveryPublicCheckIsAnswered(t *testing.T) {
	data, corpus := sharedtest.Dir(t, "data"), sharedtest.Dir(t, "corpus")
	all, err := readChecks(publicChecks, index(t))
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]string{}
	for _, a := range all {
		known[a.Kind+" "+a.Check] = a.Class
	}
	classed, plain := regexp.MustCompile(`([a-z0-9-]+)\(([TPAR])\)`), regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)+$`)
	checks := 0
	for _, row := range table(t, filepath.Join(data, "pci-v4-controls.tsv"))[1:] {
		if len(row) < 4 {
			continue
		}
		for _, m := range classed.FindAllStringSubmatch(row[3], -1) {
			checks++
			if got, ok := known[kindConfig+" "+m[1]]; !ok || got != m[2] {
				t.Errorf("coverage.tsv has no line for the check %s of class %s (it has class %q)", m[1], m[2], got)
			}
		}
		if plain.MatchString(row[3]) {
			checks++
			if _, ok := known[kindConfig+" "+row[3]]; !ok {
				t.Errorf("coverage.tsv has no line for the check %s", row[3])
			}
		}
	}
	controls := 0
	for _, row := range table(t, filepath.Join(corpus, "controls.tsv"))[1:] {
		controls++
		if _, ok := known[kindControl+" "+row[0]]; !ok {
			t.Errorf("coverage.tsv has no line for the control %s", row[0])
		}
	}
	if checks < 300 || controls < 300 {
		t.Errorf("only %d checks and %d controls were read", checks, controls)
	}
}

func table(t *testing.T, file string) [][]string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma, r.LazyQuotes, r.FieldsPerRecord = '\t', true, -1
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}
