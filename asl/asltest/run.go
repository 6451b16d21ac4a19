package asltest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// ExpectedFailures is the file that lists scenarios which cannot pass yet.
const ExpectedFailures = "expected-failures.yaml"

// longest is how much real time a scenario may take.
const longest = 30 * time.Second

// Option changes a run.
type Option func(*options)

type options struct {
	workflow func(name string) ([]byte, error)
	coverage *Coverage
}

// Workflows finds definitions by the name that a line "workflow NAME" gives.
func Workflows(source func(name string) ([]byte, error)) Option {
	return func(o *options) { o.workflow = source }
}

// Cover has the coverage learn from all scenarios.
func Cover(c *Coverage) Option { return func(o *options) { o.coverage = c } }

// Run runs all scenarios of a folder and those below it, each as a subtest
// named after its file. It fails for a scenario that cannot be read, one whose
// outcome differs, and one that passes though expected-failures.yaml says it fails.
func Run(t *testing.T, e Endpoint, dir string, opts ...Option) {
	t.Helper()
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	files, err := scenarioFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatalf("no scenario below %s: a scenario is a file *.txtar", dir)
	}
	reasons, err := expected(filepath.Join(dir, ExpectedFailures), e.Name())
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, file := range files {
		rel, err := filepath.Rel(dir, file)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.ToSlash(rel), ".txtar")
		known[name] = true
		t.Run(name, func(t *testing.T) {
			problems, skip, seed := one(t.Context(), e, dir, file, o)
			if skip != "" {
				t.Skip(skip)
			}
			if len(problems) > 0 && seed > 0 {
				t.Logf("seed %d. a line \"seed N\" in the scenario runs it with another", seed)
			}
			for _, p := range judge(problems, reasons, name) {
				t.Error(p)
			}
			if reason, listed := reasons[name]; listed && len(problems) > 0 {
				t.Logf("fails as expected (%s): %s", reason, problems[0])
			}
		})
	}
	for name := range reasons {
		if !known[name] {
			t.Errorf("%s: no scenario is called %q. remove the line", ExpectedFailures, name)
		}
	}
}

// judge is what a run's problems mean for the test.
func judge(problems []string, reasons map[string]string, name string) []string {
	reason, listed := reasons[name]
	switch {
	case !listed:
		return problems
	case len(problems) == 0:
		return []string{fmt.Sprintf("the scenario passes, though %s says it fails (%s). remove the line", ExpectedFailures, reason)}
	}
	return nil
}

// one runs the scenario of a file; seed is what it ran with, 0 where it was not run.
func one(ctx context.Context, e Endpoint, dir, file string, o options) (problems []string, skip string, seed uint64) {
	s, err := parseScenario(dir, file, o.workflow)
	if err != nil {
		return strings.Split(err.Error(), "\n"), "", 0
	}
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	out := play(ctx, e, s)
	if out.skip != "" {
		return nil, out.skip, s.seed
	}
	if o.coverage != nil && out.history != nil {
		o.coverage.add(s.workflow, out.history)
	}
	return out.problems, "", s.seed
}

func scenarioFiles(dir string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, ".txtar") {
			files = append(files, path)
		}
		return err
	})
	slices.Sort(files)
	return files, err
}

// expected reads the scenarios that the endpoint cannot pass, with the reasons.
func expected(file, endpoint string) (map[string]string, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all map[string]map[string]string
	dec := yaml.NewDecoder(bytes.NewReader(text))
	if err := dec.Decode(&all); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	for name, reason := range all[endpoint] {
		if strings.TrimSpace(reason) == "" {
			return nil, fmt.Errorf("%s: %s has no reason. say why it cannot pass", file, name)
		}
	}
	return all[endpoint], nil
}
