package main

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"plumbline/internal/sharedtest"
)

func TestPageIsCurrent(t *testing.T) {
	answered, err := os.ReadFile("answers.yaml")
	if err != nil {
		t.Fatal(err)
	}
	measured, err := os.ReadFile("figures.json")
	if err != nil {
		t.Fatal(err)
	}
	page, err := remediations(os.DirFS("../../rules"), answered, measured)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := os.ReadFile("../../docs/remediations.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(page, stored) {
		t.Error("docs/remediations.md is not what the rules and answers.yaml say. run: make generate")
	}
}

// TestEveryControlIsAnswered holds the list of controls to that of the solution.
func TestEveryControlIsAnswered(t *testing.T) {
	f, err := os.Open(filepath.Join(sharedtest.Dir(t, "data"), "asr-remediations.tsv"))
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma, r.LazyQuotes = '\t', true
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	src, err := os.ReadFile("answers.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var a answers
	if err := yaml.Unmarshal(src, &a); err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		if !slices.ContainsFunc(a.Controls, func(c control) bool { return strings.EqualFold(c.ID, row[0]) }) {
			t.Errorf("%s is not answered", row[0])
		}
	}
	if len(rows)-1 != len(a.Controls) {
		t.Errorf("%d controls are answered, and there are %d", len(a.Controls), len(rows)-1)
	}
}

func TestAnswersAreHeld(t *testing.T) {
	rules := os.DirFS("../../rules")
	for name, row := range map[string]struct{ answers, want string }{
		"no rule and no reason":      {"controls: [{id: Nobody.1}]", "no rule is equivalent to Nobody.1"},
		"a rule and a reason":        {"controls: [{id: EC2.8, no: impossible}]", "EC2.8 says why there is no rule, and there is ec2-"},
		"no fix and no reason":       {"controls: [{id: RDS.4}]", "rule rds-snapshot-encrypted (RDS.4) has no fix"},
		"a reason for what is fixed": {"controls: []\nunfixed: {sqs-queue-encrypted: because}", "rule sqs-queue-encrypted says why it is not fixed"},
		"an unknown key":             {"control: []", "field control not found"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := remediations(rules, []byte(row.answers), []byte("{}")); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want %s", err, row.want)
			}
		})
	}
}
