// Package plumbline_test holds the whole tree to its shape: which package may
// import what, and that each says what it is for.
package plumbline_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "plumbline"

// rule forbids imports. A pattern ending in "/..." stands for the package and
// all below it; any other for the package alone. An import is forbidden that
// reaches a forbidden package, also by way of other packages of this tree.
type rule struct {
	packages  []string
	forbidden []string
	except    []string // of the forbidden
	reason    string
}

// adapters are the packages that know one backend each.
var adapters = []string{"internal/sqlite/...", "internal/files/...", "internal/memory/...", "internal/dynamo/...", "internal/s3blob/...", "internal/stacks/...", "internal/cloudcontrol/...", "internal/configrules/...", "internal/sns/...", "internal/sqs/...", "internal/webhook/...", "internal/stepfunctions/..."}

// wiring puts tasks, adapters and the engine together.
var wiring = []string{"internal/account/...", "internal/awsaccount/...", "internal/cli/...", "internal/local/...", "internal/sfn/...", "internal/console/...", "internal/report/...", "internal/evidence", "internal/bundle/..."}

var (
	awsSDK = []string{"github.com/aws/aws-sdk-go-v2/...", "github.com/aws/smithy-go/..."}
	world  = []string{"net/http/...", "database/sql/...", "modernc.org/...", "os/exec"}
)

var rules = []rule{
	{[]string{"finding"}, []string{"..."}, nil, "everything may import finding, so it imports the standard library alone"},
	{[]string{"metric"}, []string{"..."}, nil, "tasks write by it and infra draws by it, so it imports the standard library alone"},
	{[]string{"blob"}, []string{"..."}, nil, "everything may import blob, so it imports the standard library alone"},
	{[]string{"ledger"}, []string{"..."}, nil, "what proves others' acts depends on none of them"},
	{[]string{"asl/..."}, slices.Concat([]string{"..."}, awsSDK, world), []string{"asl/...", "internal/nearest"}, "the language and its engine know nothing of plumbline, AWS, HTTP or SQL; others may take them as they are"},
	{[]string{"cfn/..."}, slices.Concat([]string{"..."}, awsSDK, world), []string{"cfn/...", "internal/nearest"}, "templates are read without knowing what for"},
	{[]string{"ruleset/...", "remedy/...", "approval/...", "scan/...", "alert/...", "sla"}, slices.Concat([]string{"..."}, awsSDK, world), []string{"cfn/...", "finding", "blob", "ledger", "metric", "internal/nearest", "ruleset/...", "remedy/...", "approval/...", "scan/...", "alert/...", "sla"}, "the domain knows neither how it is called nor where things are stored"},
	{[]string{"ruleset/...", "cfn/..."}, []string{"scan/...", "remedy/...", "approval/..."}, nil, "rules and templates stand below scans and remediation"},
	{[]string{"tasks", "tasks/*"}, slices.Concat(adapters, wiring, awsSDK, world, []string{"asl/...", "workflows/...", "cmd/..."}), nil, "a task is the same on AWS, on the engine and in a test: its main or the wiring hands it what it works with"},
	{[]string{"tasks/catalog"}, []string{"..."}, []string{"finding"}, "infra imports the catalogue, which is data only"},
	{[]string{"workflows", "rules"}, []string{"..."}, nil, "embedded files are data"},
	{adapters, slices.Concat(wiring, []string{"tasks/...", "ruleset/...", "asl/...", "workflows/...", "cmd/..."}), nil, "an adapter knows domain types and its backend; who uses it is not its affair"},
	{[]string{"internal/sfn/service", "internal/sfn/function"}, slices.Concat(adapters, awsSDK, []string{"tasks/...", "workflows/...", "internal/sfn", "internal/cli/..."}), nil, "calls are made for any server, and stored by none of them"},
	{[]string{"internal/sfn/function"}, []string{"asl/..."}, nil, "a process serves calls, whoever makes them"},
	{[]string{"internal/report/..."}, slices.Concat(adapters, []string{"tasks/...", "asl/...", "internal/local/...", "internal/cli/..."}), nil, "a report is rendered from what was found, wherever that came from"},
	{[]string{"internal/evidence"}, slices.Concat(adapters, []string{"tasks/...", "asl/...", "ruleset/...", "internal/local/...", "internal/cli/..."}), nil, "evidence is what kept reports say; nothing is judged for it"},
	{[]string{"internal/local/..."}, []string{"internal/cli/...", "internal/console/...", "cmd/..."}, nil, "the command line calls the local suite, not the other way"},
	{[]string{"internal/sfn"}, slices.Concat(adapters, awsSDK, []string{"tasks/...", "ruleset/...", "workflows/...", "internal/local/...", "internal/cli/...", "cmd/..."}), nil, "the API serves any state machine: what tasks call and where things are kept is handed over"},
	{[]string{"internal/approvalpage"}, slices.Concat(adapters, wiring, awsSDK, []string{"database/sql/...", "modernc.org/...", "os/exec", "tasks/...", "asl/...", "workflows/...", "cmd/..."}), nil, "one page for every front: who mounts it hands over the desk, the plans and who somebody is"},
	{[]string{"internal/gateway"}, slices.Concat(adapters, wiring, awsSDK, []string{"tasks/...", "asl/...", "workflows/...", "cmd/..."}), nil, "it serves any handler"},
	{[]string{"internal/signin/..."}, slices.Concat(adapters, wiring, awsSDK, []string{"tasks/...", "asl/...", "workflows/...", "cmd/..."}), nil, "who somebody is does not depend on where sessions are kept"},
	{[]string{"internal/bundle/..."}, slices.Concat(adapters, awsSDK, world, []string{"tasks/...", "asl/...", "workflows/...", "internal/local/...", "internal/cli/..."}), nil, "what functions judge by is read from a store of objects, whichever that is"},
	{[]string{"internal/throttle"}, []string{"..."}, nil, "it judges the SDK's errors; what they mean to an interface is the adapter's to say"},
	{[]string{"tasks/*/lambda"}, slices.Concat([]string{"database/sql/...", "modernc.org/...", "os/exec"}, []string{"internal/cli/...", "internal/local/...", "internal/sqlite/...", "internal/files/...", "internal/memory/...", "asl/...", "workflows/...", "cmd/..."}), nil, "a function's main takes its task and the adapters of AWS, and nothing of the laptop's"},
	{[]string{"tasks/*/lambda"}, []string{"github.com/aws/aws-sdk-go-v2/config/..."}, nil, "internal/environment reads what Lambda sets; the SDK's own configuration makes every function half a megabyte larger"},
	{[]string{"internal/environment"}, []string{"..."}, nil, "it configures the SDK and knows nothing of plumbline"},
	{[]string{"cmd/plumbline", "internal/cli/...", "internal/local/...", "internal/account"}, awsSDK, nil, "the binary of a laptop carries no SDK, which makes it larger and slower to start: what reads an account is handed over by plumbline-aws"},
	{[]string{"..."}, []string{"github.com/aws/aws-sdk-go-v2/service/ec2/..."}, nil, "the package alone makes a binary 20 MB larger and its start slower; resources are read by Cloud Control"},
	{[]string{"e2e"}, []string{"..."}, nil, "it sees the deployed suite as a customer does, by AWS's API alone"},
	{[]string{"infra/..."}, []string{"..."}, []string{"infra/...", "workflows", "asl/...", "tasks/catalog", "alert", "scan", "sla", "blob", "finding", "metric", "ruleset/...", "rules", "cfn/...", "internal/nearest"}, "infra deploys what the catalogue and the workflows say, derives roles from them, and judges itself by the rules"},
}

// only lists the packages that may import a thing directly.
var only = []rule{
	{[]string{"internal/s3blob", "internal/awsaccount", "internal/awsfake/mirror", "tasks/*/lambda"}, []string{"github.com/aws/aws-sdk-go-v2/service/s3/..."}, nil, "S3 stays behind one adapter"},
	{[]string{"internal/dynamo", "internal/awsaccount", "internal/awsfake/mirror", "tasks/*/lambda"}, []string{"github.com/aws/aws-sdk-go-v2/service/dynamodb/..."}, nil, "DynamoDB stays behind one adapter"},
	{[]string{"internal/cloudcontrol", "internal/awsaccount", "tasks/*/lambda"}, []string{"github.com/aws/aws-sdk-go-v2/service/cloudcontrol/..."}, nil, "Cloud Control stays behind one adapter"},
	{[]string{"internal/configrules", "internal/awsaccount", "tasks/*/lambda"}, []string{"github.com/aws/aws-sdk-go-v2/service/configservice/..."}, nil, "AWS Config stays behind one adapter"},
	{[]string{"internal/sns", "internal/awsaccount", "internal/awsfake/mirror", "tasks/*/lambda"}, []string{"github.com/aws/aws-sdk-go-v2/service/sns/..."}, nil, "SNS stays behind one adapter"},
	{[]string{"internal/sqs", "internal/awsaccount", "internal/awsfake/mirror", "tasks/*/lambda"}, []string{"github.com/aws/aws-sdk-go-v2/service/sqs/..."}, nil, "SQS stays behind one adapter"},
	{[]string{"tasks/deliver/lambda"}, []string{"github.com/aws/aws-sdk-go-v2/service/secretsmanager/..."}, nil, "one function reads secrets: what it calls with them is outside"},
	{[]string{"tasks/deliver/lambda", "internal/cli"}, []string{"internal/webhook"}, nil, "one function, and the laptop in its place, calls an address outside of AWS"},
	{[]string{"internal/stacks", "internal/awsaccount", "tasks/*/lambda"}, []string{"github.com/aws/aws-sdk-go-v2/service/cloudformation/..."}, nil, "CloudFormation stays behind one adapter"},
	{[]string{"internal/stepfunctions", "tasks/*/lambda", "statemachine-tests/endpoint"}, []string{"github.com/aws/aws-sdk-go-v2/service/sfn/..."}, nil, "Step Functions stays behind one adapter, and the suite talks to servers as its clients do"},
	{[]string{"internal/awsaccount", "tasks/*/lambda"}, []string{"github.com/aws/aws-sdk-go-v2/config/..."}, nil, "a main alone reads who it is and where"},
	{[]string{"cmd/plumbline-aws", "internal/cli"}, []string{"internal/awsaccount"}, nil, "one binary reads accounts"},
	{[]string{"internal/signin"}, []string{"github.com/coreos/...", "golang.org/x/oauth2/...", "github.com/go-jose/..."}, nil, "tokens are read in one place"},
	{[]string{"internal/sqlite"}, []string{"modernc.org/...", "database/sql/..."}, nil, "SQL stays behind one adapter"},
	{[]string{"cmd/plumbline", "internal/cli/..."}, []string{"github.com/spf13/..."}, nil, "commands and flags are the command line's"},
	{[]string{"ruleset/..."}, []string{"cel.dev/..."}, nil, "how rules are evaluated is ruleset's own affair"},
}

func TestImports(t *testing.T) {
	tree := load(t)
	reached := map[string]map[string][]string{}
	for _, r := range rules {
		for pkg := range tree {
			if !matchAny(r.packages, pkg) {
				continue
			}
			if reached[pkg] == nil {
				reached[pkg] = tree.reach(pkg)
			}
			for imported, way := range reached[pkg] {
				if matchAny(r.forbidden, imported) && !matchAny(r.except, imported) && imported != pkg {
					t.Errorf("%s imports %s by way of %s: %s", pkg, imported, strings.Join(way, " → "), r.reason)
				}
			}
		}
	}
	for _, r := range only {
		for pkg, p := range tree {
			for imported := range p.imports {
				if matchAny(r.forbidden, imported) && !matchAny(r.packages, pkg) {
					t.Errorf("%s imports %s; only %s may: %s", pkg, imported, strings.Join(r.packages, ", "), r.reason)
				}
			}
		}
	}
}

func TestTasksDoNotImportEachOther(t *testing.T) {
	for pkg, p := range load(t) {
		folder, ok := strings.CutPrefix(pkg, "tasks/")
		if !ok {
			continue
		}
		folder, _, _ = strings.Cut(folder, "/")
		for imported := range p.imports {
			other, ok := strings.CutPrefix(imported, "tasks/")
			if other, _, _ = strings.Cut(other, "/"); ok && other != folder && other != "catalog" {
				t.Errorf("%s imports %s: what tasks hand on to each other is in package scan", pkg, imported)
			}
		}
	}
}

func TestMainsAreMainsOnly(t *testing.T) {
	for imported := range load(t)["cmd/plumbline"].imports {
		if ours(imported) && imported != "internal/cli" {
			t.Errorf("cmd/plumbline imports %s: it is os.Exit(cli.Main(…)) and nothing more", imported)
		}
	}
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	unnamed := []string{"utils", "util", "common", "helpers", "types", "models", "misc", "pkg", "lib"}
	for pkg, p := range load(t) {
		if !p.documented {
			t.Errorf("%s has no package comment", pkg)
		}
		if slices.Contains(unnamed, path.Base(pkg)) {
			t.Errorf("%s: the name says nothing. a package is called after the noun that it owns", pkg)
		}
	}
}

// imported is one package: what it imports outside of tests, our own packages
// without the module's name.
type imported struct {
	imports    map[string]bool
	documented bool
}

type tree map[string]*imported

// reach returns all that a package reaches, each with the way to it.
func (t tree) reach(pkg string) map[string][]string {
	out := map[string][]string{pkg: {pkg}}
	for queue := []string{pkg}; len(queue) > 0; queue = queue[1:] {
		p := t[queue[0]]
		if p == nil {
			continue // not ours
		}
		for _, i := range slices.Sorted(maps.Keys(p.imports)) {
			if out[i] == nil {
				out[i] = append(slices.Clone(out[queue[0]]), i)
				queue = append(queue, i)
			}
		}
	}
	return out
}

// load reads the imports of every package below this folder.
func load(t *testing.T) tree {
	t.Helper()
	out := tree{}
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(d.Name(), "_") || d.Name() == "testdata" || d.Name() == "node_modules" || d.Name() == "cdk.out"):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		return out.add(name)
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (t tree) add(file string) error {
	src, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	f, err := parser.ParseFile(token.NewFileSet(), file, src, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		return err
	}
	pkg := filepath.ToSlash(filepath.Dir(file))
	p := t[pkg]
	if p == nil {
		p = &imported{imports: map[string]bool{}}
		t[pkg] = p
	}
	p.documented = p.documented || f.Doc != nil
	for _, i := range f.Imports {
		name, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			return err
		}
		p.imports[strings.TrimPrefix(name, module+"/")] = true
	}
	return nil
}

// ours reports whether an import is a package of this tree: the standard
// library's and others' begin otherwise.
func ours(name string) bool {
	first, _, _ := strings.Cut(name, "/")
	info, err := os.Stat(first)
	return err == nil && info.IsDir()
}

func matchAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return match(p, name) })
}

// match reports whether a package is meant by a pattern: "..." is every package
// of this tree, "a/..." is a and all below, "a/*" what lies directly in a.
func match(pattern, name string) bool {
	switch {
	case pattern == "...":
		return ours(name)
	case strings.HasSuffix(pattern, "/..."):
		base := strings.TrimSuffix(pattern, "/...")
		return name == base || strings.HasPrefix(name, base+"/")
	case strings.Contains(pattern, "*"):
		ok, err := path.Match(pattern, name)
		return ok && err == nil
	}
	return pattern == name
}

// planned are patterns of the table that hold packages which are not there yet
// to their shape from their first day.
var planned = []string{"remedy/...", "approval/..."}

func TestPatternsMeanSomething(t *testing.T) {
	var patterns []string
	for _, r := range slices.Concat(rules, only) {
		patterns = slices.Concat(patterns, r.packages, r.except)
	}
	patterns = slices.Concat(patterns, adapters, wiring)
	slices.Sort(patterns)
	tree := load(t)
	for _, p := range slices.Compact(patterns) {
		met := false
		for pkg := range tree {
			met = met || match(p, pkg)
		}
		if !met && !slices.Contains(planned, p) {
			t.Errorf("the table's pattern %q matches no package. mend it, or enter it in planned", p)
		}
	}
}

// TestArchitectureNamesEveryRoom holds the list of rooms in ARCHITECTURE.md to
// the folders that there are. Its lines are names, three spaces or more, and
// what they are for; names behind internal/… lie in internal as well.
func TestArchitectureNamesEveryRoom(t *testing.T) {
	page, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(page), "## The rooms\n\n```\n")
	list, _, ok := strings.Cut(list, "```")
	if !ok {
		t.Fatal("ARCHITECTURE.md has no list of rooms")
	}
	named := map[string]bool{}
	for line := range strings.Lines(list) {
		names, _, _ := strings.Cut(line, "   ")
		prefix := ""
		for _, name := range strings.Fields(names) {
			name = prefix + strings.TrimSuffix(name, "/")
			if strings.HasPrefix(name, "internal/") {
				prefix = "internal/"
			}
			if info, err := os.Stat(name); err != nil || !info.IsDir() {
				t.Errorf("ARCHITECTURE.md names the room %q, which is not there", name)
			}
			first, _, _ := strings.Cut(name, "/")
			named[name], named[first] = true, true
		}
	}
	made, err := os.ReadFile(".gitignore")
	if err != nil {
		t.Fatal(err)
	}
	var ignored []string
	for _, line := range strings.Fields(string(made)) {
		ignored = append(ignored, strings.Trim(line, "/"))
	}
	for _, folder := range []string{".", "internal"} {
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			name := path.Join(folder, e.Name())
			hidden := strings.HasPrefix(name, ".") && name != ".ci"
			if e.IsDir() && !hidden && !named[name] && (folder != "." || !slices.Contains(ignored, name)) {
				t.Errorf("ARCHITECTURE.md does not name the room %q", name)
			}
		}
	}
}

func TestMatch(t *testing.T) {
	for _, tc := range []struct {
		pattern, name string
		want          bool
	}{
		{"...", "finding", true}, {"...", "strings", false}, {"...", "cel.dev/cel-go", false},
		{"asl/...", "asl", true}, {"asl/...", "asl/engine", true}, {"asl/...", "aslx", false},
		{"tasks/*", "tasks/assess", true}, {"tasks/*", "tasks/assess/lambda", false}, {"tasks/*/lambda", "tasks/assess/lambda", true}, {"tasks/*/lambda", "tasks/assess", false},
		{"net/http/...", "net/http", true}, {"rules", "ruleset", false},
	} {
		if got := match(tc.pattern, tc.name); got != tc.want {
			t.Errorf("match(%q, %q) = %v", tc.pattern, tc.name, got)
		}
	}
}
