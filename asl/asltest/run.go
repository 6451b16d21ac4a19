package asltest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// ExpectedFailures is the file that lists scenarios which cannot pass yet.
const ExpectedFailures = "expected-failures.yaml"

// How much real time a scenario may take, where time jumps and where it passes
// by itself: a workflow that retries to the end waits for minutes.
const (
	longest     = 30 * time.Second
	longestWait = 8 * time.Minute
)

// Option changes a run.
type Option func(*options)

type options struct {
	workflow      func(name string) ([]byte, error)
	coverage      *Coverage
	substitutions map[string]string
}

func choose(opts []Option) options {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	return o
}

// substitute puts the values of placeholders into a text.
func (o options) substitute(text []byte) []byte {
	for name, value := range o.substitutions {
		text = bytes.ReplaceAll(text, []byte("${"+name+"}"), []byte(value))
	}
	return text
}

// Workflows finds definitions by the name that a line "workflow NAME" gives.
func Workflows(source func(name string) ([]byte, error)) Option {
	return func(o *options) { o.workflow = source }
}

// Substitutions are the values of placeholders by their names, as a deployment
// has them for its definitions ("ReportBucket": "reports"). MockConfig writes
// them for ${NAME}; a run leaves placeholders to its endpoint.
func Substitutions(values map[string]string) Option {
	return func(o *options) { o.substitutions = values }
}

// Cover has the coverage learn from all scenarios.
func Cover(c *Coverage) Option { return func(o *options) { o.coverage = c } }

// Run runs all scenarios of a folder and those below it, each as a subtest
// named after its file. It fails for a scenario that cannot be read, one whose
// outcome differs, and one that passes though expected-failures.yaml says it fails.
// On an endpoint whose time passes by itself they run beside each other. What an
// endpoint could not run or show is summed up at the end; go test -v prints it.
func Run(t *testing.T, e Endpoint, dir string, opts ...Option) {
	t.Helper()
	o := choose(opts)
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
	_, virtual := e.(Timed)
	tally := &tally{skipped: map[string]int{}}
	t.Cleanup(func() { t.Log(tally.String(e.Name())) }) // after those that run beside each other
	for _, file := range files {
		rel, err := filepath.Rel(dir, file)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.ToSlash(rel), ".txtar")
		known[name] = true
		t.Run(name, func(t *testing.T) {
			if !virtual {
				t.Parallel()
			}
			out, seed := one(t.Context(), e, dir, file, o)
			problems := out.problems
			tally.add(out)
			if out.skip != "" {
				t.Skip(out.skip)
			}
			wrong := judge(problems, reasons, name)
			for _, p := range wrong {
				t.Error(p)
			}
			if len(wrong) > 0 && seed > 0 {
				t.Logf("seed %d. a line \"seed N\" in the scenario runs it with another", seed)
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
func one(ctx context.Context, e Endpoint, dir, file string, o options) (out *outcome, seed uint64) {
	s, err := parseScenario(dir, file, o.workflow)
	if err != nil {
		return &outcome{problems: strings.Split(err.Error(), "\n")}, 0
	}
	within := longest
	if _, virtual := e.(Timed); !virtual {
		within = longestWait
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	out = play(ctx, e, s)
	if o.coverage != nil && out.history != nil {
		o.coverage.add(s.workflow, out.history)
	}
	return out, s.seed
}

// tally sums up what an endpoint ran.
type tally struct {
	mu      sync.Mutex
	ran     int
	skipped map[string]int // by reason
	unseen  int
}

func (c *tally) add(o *outcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.unseen += o.unseen; o.skip != "" {
		c.skipped[o.skip]++
		return
	}
	c.ran++
}

func (c *tally) String(endpoint string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	var reasons strings.Builder
	for _, reason := range slices.Sorted(maps.Keys(c.skipped)) {
		n += c.skipped[reason]
		fmt.Fprintf(&reasons, "\n  %d skipped: %s", c.skipped[reason], reason)
	}
	if c.unseen > 0 {
		fmt.Fprintf(&reasons, "\n  %d wanted lines not looked at: its histories do not show what they ask for", c.unseen)
	}
	return fmt.Sprintf("%s ran %d of %d scenarios%s", endpoint, c.ran, c.ran+n, reasons.String())
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
