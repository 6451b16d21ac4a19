package rules_test

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"

	"plumbline/rules"
	"plumbline/ruleset"
)

// TestCases runs every case beside every rule, and holds the files to what
// ruleset.RunCases asks of them.
func TestCases(t *testing.T) {
	report, err := ruleset.RunCases(context.Background(), rules.FS)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range report.Problems {
		t.Error(p)
	}
	for _, r := range report.Results {
		for _, p := range r.Problems {
			t.Errorf("%s:%d: %s, case %q: %s", r.Place.Path, r.Place.Line, r.Rule, r.Name, p)
		}
	}
	if report.Rules == 0 || len(report.Results) < 3*report.Rules {
		t.Errorf("%d cases of %d rules ran", len(report.Results), report.Rules)
	}
}

func TestIndexIsCurrent(t *testing.T) {
	index, err := ruleset.BuildIndex(rules.FS)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := fs.ReadFile(rules.FS, ruleset.IndexFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(index.Encode(), stored) {
		t.Error("rules/index.json is not what the rules say. run: make generate")
	}
}

func TestCheckedIsCurrent(t *testing.T) {
	checked, err := ruleset.BuildChecked(rules.FS)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := fs.ReadFile(rules.FS, ruleset.CheckedFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(checked, stored) {
		t.Error("rules/checked.bin is not what the rules say. run: make generate")
	}
}

func TestPolicySchemaIsCurrent(t *testing.T) {
	stored, err := os.ReadFile("../docs/plumbline.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(ruleset.PolicySchema(), stored) {
		t.Error("docs/plumbline.schema.json is not what ruleset.Policy says. run: make generate")
	}
}

// TestPolicyPage holds docs/policy.md to the struct, and its first example to
// being a policy that this version reads.
func TestPolicyPage(t *testing.T) {
	page, err := os.ReadFile("../docs/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(page, ruleset.PolicyTable()) {
		t.Error("the table of docs/policy.md is not what ruleset.Policy says. run: make generate")
	}
	_, rest, _ := bytes.Cut(page, []byte("```yaml\n"))
	example, _, ok := bytes.Cut(rest, []byte("```"))
	if !ok {
		t.Fatal("docs/policy.md has no example")
	}
	p, err := ruleset.ReadPolicy("docs/policy.md", example)
	if err != nil {
		t.Fatal(err)
	}
	index, err := ruleset.BuildIndex(rules.FS)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range p.Check(index) {
		t.Error(w)
	}
}

// TestFilesAreNamedAfterTheirRule holds s3/bucket-versioning.yaml to the id
// s3-bucket-versioning, so that a reader finds the one by the other.
func TestFilesAreNamedAfterTheirRule(t *testing.T) {
	index, err := ruleset.BuildIndex(rules.FS)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range index.Entries {
		want := path.Dir(e.File) + "-" + strings.TrimSuffix(path.Base(e.File), ".yaml")
		if e.ID != want {
			t.Errorf("%s: id is %q, and by its file it is %q", e.File, e.ID, want)
		}
	}
}

// TestRulesAreMapped holds every rule to a place in some framework, and every
// rule that needs a person's words to have them.
func TestRulesAreMapped(t *testing.T) {
	index, err := ruleset.BuildIndex(rules.FS)
	if err != nil {
		t.Fatal(err)
	}
	for i := range index.Entries {
		e := &index.Entries[i]
		d, err := e.Details()
		if err != nil {
			t.Fatal(err)
		}
		if len(d.Controls) == 0 && !d.Deprecated {
			t.Errorf("%s: rule %s stands in no framework. add a line to rules/frameworks", e.File, e.ID)
		}
		src, err := fs.ReadFile(rules.FS, e.File)
		if err != nil {
			t.Fatal(err)
		}
		r, err := ruleset.ReadRule(e.File, src)
		if err != nil {
			t.Fatal(err)
		}
		if r.Remediation == "" {
			t.Errorf("%s: rule %s has no remediation", e.File, e.ID)
		}
		if len(r.Fix) > 0 && r.Breaks == "" {
			t.Errorf("%s: rule %s has a fix and does not say what it may break", e.File, e.ID)
		}
	}
}

// TestSecurityHubFramework holds the framework of Security Hub's controls to
// the equivalents of rules: each says of the other what it is.
func TestSecurityHubFramework(t *testing.T) {
	index, err := ruleset.BuildIndex(rules.FS)
	if err != nil {
		t.Fatal(err)
	}
	all, err := ruleset.ReadFrameworks(rules.FS)
	if err != nil {
		t.Fatal(err)
	}
	f := all.ByID("aws-fsbp")
	if f == nil {
		t.Fatal("there is no framework aws-fsbp")
	}
	named := map[string]bool{}
	for i := range f.Requirements {
		for _, m := range f.Requirements[i].Rules {
			named[f.Requirements[i].ID+" "+m.Rule] = true
		}
	}
	for i := range index.Entries {
		d, err := index.Entries[i].Details()
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range d.Equivalents["securityhub"] {
			key := id + " " + index.Entries[i].ID
			if !named[key] {
				t.Errorf("rule %s names Security Hub's %s, and rules/frameworks/aws-fsbp.yaml has no such line there", index.Entries[i].ID, id)
			}
			delete(named, key)
		}
	}
	for key := range named {
		t.Errorf("rules/frameworks/aws-fsbp.yaml maps %q, and the rule's equivalents do not name it", key)
	}
}
