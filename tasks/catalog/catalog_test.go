package catalog_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/finding"
	"plumbline/tasks/catalog"
)

func TestCatalogueIsTheFolders(t *testing.T) {
	var folders []string
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if _, err := os.Stat(filepath.Join("..", e.Name(), "handler.go")); err == nil {
			folders = append(folders, e.Name())
		}
	}
	var listed []string
	for _, task := range catalog.All() {
		listed = append(listed, task.Folder)
	}
	slices.Sort(listed)
	if diff := cmp.Diff(folders, slices.Compact(listed)); diff != "" {
		t.Errorf("task folders with a handler.go (-) and the folders of the catalogue (+) differ:\n%s", diff)
	}
}

func TestTasksAreWellFormed(t *testing.T) {
	name, action := regexp.MustCompile(`^[A-Z][A-Za-z]+$`), regexp.MustCompile(`^[a-z0-9]+:[A-Z][A-Za-z]+$`)
	seen := map[string]bool{}
	for _, task := range catalog.All() {
		if !name.MatchString(task.Name) || seen[task.Name] {
			t.Errorf("%s: the name is not PascalCase or stands twice", task.Name)
		}
		seen[task.Name] = true
		if task.Timeout <= 0 || task.Timeout > 15*time.Minute {
			t.Errorf("%s: time-out %v is not within Lambda's 15 minutes", task.Name, task.Timeout)
		}
		if task.MemoryMB < 128 || task.MemoryMB > 10240 {
			t.Errorf("%s: %d MB is not within Lambda's 128 to 10240", task.Name, task.MemoryMB)
		}
		for _, a := range task.Actions {
			if !action.MatchString(a) {
				t.Errorf("%s: action %q is not one action of one service", task.Name, a)
			}
		}
		for _, e := range task.Errors {
			if !slices.ContainsFunc(catalog.Errors, func(x catalog.Error) bool { return x.Name == e }) {
				t.Errorf("%s: error %q is not in catalog.Errors", task.Name, e)
			}
		}
	}
}

func TestEveryErrorIsReportedBySomeTask(t *testing.T) {
	reported := map[string]bool{catalog.BadInput: true, catalog.Unexpected: true} // by tasks.Of, for each
	for _, task := range catalog.All() {
		for _, e := range task.Errors {
			reported[e] = true
		}
	}
	for _, e := range catalog.Errors {
		if !reported[e.Name] {
			t.Errorf("no task reports %q", e.Name)
		}
	}
}

func TestOneEvaluationADomain(t *testing.T) {
	for _, d := range finding.Domains {
		task, ok := catalog.Find(catalog.Evaluate(d))
		if !ok || task.Env[catalog.DomainVar] != string(d) || task.Folder != "evaluate" {
			t.Errorf("domain %s: %+v", d, task)
		}
	}
	if got, want := catalog.Evaluate(finding.Network), "EvaluateNetwork"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, ok := catalog.Find("Nothing"); ok {
		t.Error("an unknown task is found")
	}
}
