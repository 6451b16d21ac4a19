package cli_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"plumbline/internal/cli"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"plumbline":    func() { os.Exit(cli.Main(os.Args[1:], cli.System())) }, //nolint:forbidigo // it stands for main, in a process of its own
		"testfunction": testFunction,
	})
}

// TestScripts runs the command line as its users do: testdata/script holds one
// file a subject. Beside testscript's own commands there are
//
//	code N COMMAND ARG…      the command exits with exactly N
//	json FILE PATH [VALUE]   a value of a JSON file, of stdout or stderr: keys and
//	                         indexes with dots between, len for a length; with "!": it is not there
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code": exitCode,
			"json": jsonValue,
		},
		Condition: func(cond string) (bool, error) {
			if cond == "root" {
				return os.Geteuid() == 0, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
	})
}

func exitCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N COMMAND ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var failed *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &failed) {
		got = failed.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("%s exits with %d, want %d", strings.Join(args[1:], " "), got, want)
	}
}

func jsonValue(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: json FILE PATH [VALUE]")
	}
	var doc any
	if err := json.Unmarshal([]byte(ts.ReadFile(args[0])), &doc); err != nil {
		ts.Fatalf("%s is not JSON: %v", args[0], err)
	}
	got, found := at(doc, strings.Split(args[1], "."))
	switch {
	case neg && found:
		ts.Fatalf("%s is there: %s", args[1], got)
	case neg:
	case !found:
		ts.Fatalf("%s is not there", args[1])
	case len(args) == 3 && got != args[2]:
		ts.Fatalf("%s is %s, want %s", args[1], got, args[2])
	}
}

// at is the text of the value at a path within decoded JSON.
func at(v any, path []string) (string, bool) {
	if len(path) == 0 {
		if text, ok := v.(string); ok {
			return text, true
		}
		b, err := json.Marshal(v)
		return string(b), err == nil
	}
	switch x := v.(type) {
	case map[string]any:
		if path[0] == "len" {
			return strconv.Itoa(len(x)), true
		}
		if inner, ok := x[path[0]]; ok {
			return at(inner, path[1:])
		}
	case []any:
		if path[0] == "len" {
			return strconv.Itoa(len(x)), true
		}
		if i, err := strconv.Atoi(path[0]); err == nil && i < len(x) {
			return at(x[i], path[1:])
		}
	}
	return "", false
}
