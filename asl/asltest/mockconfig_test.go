package asltest

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/asl"
)

const mockedDefinition = `
-- definition.json --
{"StartAt": "Fetch", "States": {
  "Fetch": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": "f"}, "Next": "Approve"},
  "Approve": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken", "Parameters": {"FunctionName": "f", "Payload": {"token.$": "$$.Task.Token"}}, "End": true}}}
`

// folder writes scenarios, by file name, below a new folder.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestMockConfig(t *testing.T) {
	dir := folder(t, map[string]string{
		"orders/busy.txtar": `workflow orders
reply Fetch 2x throttle
reply Fetch {"bucket": "${Bucket}"}
always Fetch error Late no more
reply Approve {"by": "Ada"}
-- s3/${Bucket}/k --
[1]` + mockedDefinition,
		"orders/silent.txtar": "workflow orders\nreply Fetch timeout\nreply Approve {\"by\": \"Ada\"}\n" + mockedDefinition,
		"orders/fast.txtar":   "workflow orders\ntype EXPRESS\nreply Fetch result [1]\n" + mockedDefinition,
	})
	want := `{
  "StateMachines": {
    "orders": {
      "TestCases": {
        "busy": {
          "Approve": "orders.Approve.1",
          "Fetch": "orders.Fetch.1"
        },
        "silent": {
          "Approve": "orders.Approve.1",
          "Fetch": "orders.Fetch.2"
        }
      }
    },
    "orders-express": {
      "TestCases": {
        "fast": {
          "Fetch": "orders-express.Fetch.1"
        }
      }
    }
  },
  "MockedResponses": {
    "orders.Approve.1": {
      "0": {"Return": {"by":"Ada"}}
    },
    "orders.Fetch.1": {
      "0-1": {"Throw": {"Error":"Lambda.TooManyRequestsException","Cause":""}},
      "2": {"Return": {"ExecutedVersion":"$LATEST","Payload":{"bucket":"reports"},"StatusCode":200}},
      "3-102": {"Throw": {"Error":"Late","Cause":"no more"}}
    },
    "orders-express.Fetch.1": {
      "0": {"Return": [1]}
    },
    "orders.Fetch.2": {
      "0": {"Throw": {"Error":"States.Timeout","Cause":"no answer came in time"}}
    }
  },
  "S3Objects": [
    {
      "Bucket": "reports",
      "Key": "k",
      "Body": "[1]\n"
    }
  ]
}
`
	values := Substitutions(map[string]string{"Bucket": "reports"})
	got, err := MockConfig(dir, false, values)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("the mock file differs (-want +got):\n%s", diff)
	}
	got, err = MockConfig(dir, true, values)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(got), `"0": {"Hang": true}`) || strings.Contains(string(got), "States.Timeout") {
		t.Errorf("the extended mock file does not let a silent task hang:\n%s", got)
	}
}

func TestMockConfigRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		files map[string]string
		want  string
	}{
		"echo, for which the format has no word": {
			map[string]string{"orders/a.txtar": "workflow orders\nreply Fetch echo\n" + mockedDefinition},
			`orders/a.txtar: state "Fetch": orders/a.txtar:2: a mock file cannot say echo. write the result`,
		},
		"two scenarios of one name": {
			map[string]string{"orders/a-b.txtar": "workflow orders\n" + mockedDefinition, "orders/a b.txtar": "workflow orders\n" + mockedDefinition},
			`another scenario is the test case "a-b" of "orders" too`,
		},
		"an object with other contents": {
			map[string]string{"orders/a.txtar": "workflow orders\n-- s3/b/k --\n1\n" + mockedDefinition, "orders/b.txtar": "workflow orders\n-- s3/b/k --\n2\n" + mockedDefinition},
			"orders/b.txtar: another scenario has the object b/k with other contents",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := MockConfig(folder(t, tc.files), false); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
}

// blind is an endpoint that runs no Express machine, shows no iteration of a
// Distributed Map, and whose time passes by itself.
type blind struct{ Endpoint }

func (blind) Name() string { return "blind" }

func (blind) Skips(m Machine) string {
	if m.Type == asl.Express {
		return "no Express"
	}
	return ""
}

func (blind) Hides(*asl.State) bool { return true }

func (b blind) History(ctx context.Context, execution string) ([]Event, error) {
	all, err := b.Endpoint.History(ctx, execution)
	var own []Event
	for _, e := range all {
		if e.Execution == execution {
			own = append(own, e)
		}
	}
	return own, err
}

func TestLimitedEndpoint(t *testing.T) {
	const each = `
input [1, 2]
reply Take 2x {"taken": true}
path Each
path Each[1] Take
expect call Take {"FunctionName": "never"}
-- definition.json --
{"StartAt": "Each", "States": {"Each": {"Type": "Map", "End": true, "ItemProcessor": {
  "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}, "StartAt": "Take", "States": {
    "Take": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": "f"}, "End": true}}}}}}
`
	dir := folder(t, map[string]string{
		"each.txtar":  "# what the endpoint does not show is not looked at\n" + each,
		"quick.txtar": "type EXPRESS\nworkflow quick\n" + mockedDefinition,
		"moved.txtar": "workflow moved\nadvance 1h\n" + mockedDefinition,
	})
	sum := &tally{skipped: map[string]int{}}
	for _, name := range []string{"each", "quick", "moved"} {
		out, _ := one(t.Context(), blind{Embedded()}, dir, filepath.Join(dir, name+".txtar"), options{})
		if len(out.problems) > 0 {
			t.Errorf("%s: %s", name, strings.Join(out.problems, "\n"))
		}
		sum.add(out)
	}
	want := `blind ran 1 of 3 scenarios
  1 skipped: it moves time, or acts while the execution waits
  1 skipped: no Express
  2 wanted lines not looked at: its histories do not show what they ask for`
	if diff := cmp.Diff(want, sum.String("blind")); diff != "" {
		t.Errorf("the sum differs (-want +got):\n%s", diff)
	}
}

func TestMockConfigIsJSON(t *testing.T) {
	got, err := MockConfig(folder(t, map[string]string{"a.txtar": mockedDefinition}), false)
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(got) {
		t.Errorf("without replies and objects the mock file is no JSON:\n%s", got)
	}
}
