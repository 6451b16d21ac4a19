package stack_test

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/aws/jsii-runtime-go"

	"plumbline/infra/deployment"
	"plumbline/infra/stack"
	"plumbline/tasks/catalog"
)

// The stacks of one region of the example, as most tests look at them.
const (
	dataStack  = "PlumblineData-us-east-1"
	suiteStack = "PlumblineSuite-us-east-1"
)

// example is what is synthesized once for all tests: two regions, as in
// deployment.example.json.
var example = sync.OnceValue(func() map[string]template {
	src, err := os.ReadFile("../deployment.example.json")
	if err != nil {
		log.Fatal(err)
	}
	out, err := synthesize(string(src), "")
	if err != nil {
		log.Fatal(err)
	}
	return out
})

// everything is what is synthesized once of a deployment in one region that has
// all there is to have.
var everything = sync.OnceValue(func() map[string]template {
	out, err := synthesize(`{"account":"111122223333","secondary":[],"hook":"warn","remediation":"on","oidc":{"issuer":"https://id.example.com","clientId":"plumbline","nameClaim":"upn","groupsClaim":"roles"},
		"security":{"mail":["a@example.com"],"resourceTypes":["AWS::IAM::*"]},
		"webhooks":[{"kind":"jira","secret":"plumbline/jira"},{"name":"chat","kind":"slack","secret":"plumbline/chat","severities":["critical"]}]}`, "bundles/0a.zip")
	if err != nil {
		log.Fatal(err)
	}
	return out
})

// both are the suites of a deployment that only scans, and of everything.
func both() map[string]template {
	return map[string]template{"scanning": example()[suiteStack], "everything": everything()[suiteStack]}
}

// TestMain starts the tests again where CDK would judge each synthesis itself
// and Node complain of its age: both read their environment before tests begin.
func TestMain(m *testing.M) {
	if os.Getenv("CDK_VALIDATION") == "" {
		env := append(os.Environ(), "CDK_VALIDATION=false", "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=20")
		if err := syscall.Exec(os.Args[0], os.Args, env); err != nil {
			log.Print(err) // the tests only take longer
		}
	}
	defer jsii.Close()
	m.Run()
}

// template is a synthesized template: its text, and what it says.
type template struct {
	source    []byte
	warnings  []string
	Resources map[string]resource
	Outputs   map[string]any
}

// resource is one resource of a template.
type resource struct {
	Type           string
	Properties     map[string]any
	DependsOn      []string
	Metadata       map[string]any
	DeletionPolicy string
}

// of lists the resources of a type by logical id.
func (t template) of(typ string) map[string]resource {
	out := map[string]resource{}
	for id, r := range t.Resources {
		if r.Type == typ {
			out[id] = r
		}
	}
	return out
}

// synthesize makes the templates of a deployment, by the names of their stacks.
// The functions' binaries are empty files.
func synthesize(config, bundle string) (map[string]template, error) {
	d, err := deployment.Read(strings.NewReader(config))
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "infra")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	for _, t := range catalog.All() {
		folder := filepath.Join(dir, "dist", t.Folder)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(folder, "bootstrap"), []byte(t.Folder), 0o755); err != nil {
			return nil, err
		}
	}
	app := stack.NewApp(filepath.Join(dir, "cdk.out"))
	if err := stack.Add(app, d, stack.Options{Functions: filepath.Join(dir, "dist"), BundleKey: bundle}); err != nil {
		return nil, err
	}
	app.Synth(nil)
	files, err := filepath.Glob(filepath.Join(dir, "cdk.out", "*.template.json"))
	if err != nil {
		return nil, err
	}
	out := map[string]template{}
	for _, f := range files {
		var t template
		if t.source, err = os.ReadFile(f); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(t.source, &t); err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(f, ".template.json")
		if t.warnings, err = warningsIn(name + ".metadata.json"); err != nil {
			return nil, err
		}
		out[filepath.Base(name)] = t
	}
	return out, nil
}

// warningsIn lists what CDK's command line shows of a stack.
func warningsIn(file string) ([]string, error) {
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var entries map[string][]struct {
		Type string `json:"type"`
		Data any    `json:"data"`
	}
	if err := json.Unmarshal(src, &entries); err != nil {
		return nil, err
	}
	var out []string
	for _, list := range entries {
		for _, e := range list {
			if e.Type == "aws:cdk:warning" {
				out = append(out, fmt.Sprint(e.Data))
			}
		}
	}
	return out, nil
}

// with synthesizes the stacks of one region, with the keys given.
func with(t *testing.T, keys string) map[string]template {
	t.Helper()
	return withBundle(t, keys, "")
}

func withBundle(t *testing.T, keys, bundle string) map[string]template {
	t.Helper()
	if keys != "" {
		keys = "," + keys
	}
	out, err := synthesize(`{"account":"111122223333","secondary":[]`+keys+`}`, bundle)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// items is a value that may be one or a list of them.
func items(v any) []any {
	if l, ok := v.([]any); ok {
		return l
	}
	if v == nil {
		return nil
	}
	return []any{v}
}

// at goes down a value by keys; nil where there is nothing.
func at(v any, keys ...string) any {
	for _, k := range keys {
		m, _ := v.(map[string]any)
		v = m[k]
	}
	return v
}

// text is a value's JSON, for comparing.
func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func TestTheSameEachTime(t *testing.T) {
	a, b := with(t, ""), with(t, "")
	for name := range a {
		if string(a[name].source) != string(b[name].source) {
			t.Errorf("%s is another at the second synthesis", name)
		}
	}
	if len(a) != 2 || len(example()) != 4 {
		t.Errorf("%d stacks of one region, %d of two", len(a), len(example()))
	}
}

func TestAddTellsWhatIsNotBuilt(t *testing.T) {
	err := stack.Add(stack.NewApp(t.TempDir()), deployment.Deployment{}, stack.Options{Functions: t.TempDir()})
	for _, want := range []string{"function intake", "function notify", "make functions"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
}
