package permission_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/infra/permission"
	"plumbline/tasks/catalog"
)

// everything is a deployment with all there is.
var everything = permission.Scope{Changes: permission.DefaultChanges, Secrets: []string{"tickets"}}

// roles is every role's statements by its name.
func roles(t *testing.T) map[string][]permission.Statement {
	t.Helper()
	out := map[string][]permission.Statement{}
	for _, task := range everything.Tasks() {
		s, err := permission.OfTask(task, everything)
		if err != nil {
			t.Fatal(err)
		}
		out[task.Name] = s
	}
	for _, m := range everything.Machines() {
		s, err := permission.OfMachine(m, everything)
		if err != nil {
			t.Fatal(err)
		}
		out[m.Name] = s
	}
	return out
}

func TestNoWildcards(t *testing.T) {
	action := regexp.MustCompile(`^[a-z0-9]+:[A-Z][A-Za-z]+$`)
	for name, statements := range roles(t) {
		for _, s := range statements {
			for _, a := range s.Actions {
				if !s.Deny && !action.MatchString(a) {
					t.Errorf("%s: action %q is not one action of one service", name, a)
				}
			}
			if s.Open() && s.Why == "" {
				t.Errorf("%s: %v on every resource without a reason", name, s.Actions)
			}
			if len(s.Resources) == 0 {
				t.Errorf("%s: %v on nothing", name, s.Actions)
			}
		}
	}
}

// TestTasksGetTheirActions: what a function's role allows beside what every
// function's does is the catalogue's list and the key of the tables.
func TestTasksGetTheirActions(t *testing.T) {
	all := roles(t)
	for _, task := range everything.Tasks() {
		idle := catalog.Task{Name: "Idle"}
		if permission.Outside(task) {
			idle = catalog.Task{Name: task.Name}
		}
		everyone, err := permission.OfTask(idle, everything)
		if err != nil {
			t.Fatal(err)
		}
		statements := all[task.Name]
		var got []string
		for _, s := range statements[:len(statements)-len(everyone)] {
			if s.Condition != nil || s.Deny { // of keys, and of what a change takes, which has a test of its own
				continue
			}
			for _, a := range s.Actions {
				if a != "sqs:SendMessage" || slices.Contains(task.Actions, a) {
					got = append(got, a)
				}
			}
		}
		slices.Sort(got)
		want := slices.Sorted(slices.Values(task.Actions))
		if diff := cmp.Diff(want, slices.Compact(got)); diff != "" {
			t.Errorf("%s: catalogue (-) and role (+):\n%s", task.Name, diff)
		}
	}
	if _, err := permission.OfTask(catalog.Task{Name: "New", Actions: []string{"s3:DeleteBucket"}}, everything); err == nil || !strings.Contains(err.Error(), `"s3:DeleteBucket"`) {
		t.Errorf("an action of which nothing is known: %v", err)
	}
	if _, err := permission.OfTask(catalog.Task{Name: "New", Actions: []string{"s3:GetObject"}}, everything); err == nil || !strings.Contains(err.Error(), "no prefixes") {
		t.Errorf("an action without prefixes: %v", err)
	}
}

func TestOfDefinition(t *testing.T) {
	machine := func(state string) string {
		return `{"StartAt": "A", "States": {"A": ` + state + `}}`
	}
	for _, tc := range []struct {
		name, state string
		want        []string // action resource
		err         string
	}{
		{
			name:  "a function",
			state: `{"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": "${NotifyArn}"}, "End": true}`,
			want:  []string{"lambda:InvokeFunction ${NotifyArn}"},
		},
		{
			name: "both branches",
			state: `{"Type": "Parallel", "End": true, "Branches": [
				{"StartAt": "B", "States": {"B": {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution", "Parameters": {"StateMachineArn": "${ReportFailureArn}"}, "End": true}}},
				{"StartAt": "C", "States": {"C": {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:sfn:startSyncExecution", "Parameters": {"StateMachineArn": "${ScanStackSweepArn}"}, "End": true}}}]}`,
			want: []string{"states:StartExecution ${ReportFailureArn}", "states:StartSyncExecution ${ScanStackSweepArn}"},
		},
		{
			name: "a distributed map",
			state: `{"Type": "Map", "End": true, "Label": "Each", "ItemReader": {"Resource": "arn:aws:states:::s3:getObject", "Parameters": {"Bucket": "${ReportBucket}", "Key.$": "$.key"}},
				"ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}, "StartAt": "B", "States": {"B": {"Type": "Pass", "End": true}}}}`,
			want: []string{
				"s3:GetObject ${ReportBucketArn}/work/*", "states:StartExecution ${MArn}",
				"states:DescribeExecution arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:execution:${MName}/Each:*",
				"states:StopExecution arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:execution:${MName}/Each:*",
			},
		},
		{
			name:  "an inline map",
			state: `{"Type": "Map", "End": true, "ItemProcessor": {"StartAt": "B", "States": {"B": {"Type": "Pass", "End": true}}}}`,
		},
		{
			name:  "another service",
			state: `{"Type": "Task", "Resource": "arn:aws:states:::dynamodb:putItem", "Parameters": {}, "End": true}`,
			err:   `nothing is known of the permissions for "arn:aws:states:::dynamodb:putItem"`,
		},
		{
			name:  "a function that the input names",
			state: `{"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName.$": "$.function"}, "End": true}`,
			err:   "FunctionName is not a text",
		},
		{
			name:  "a function by its name",
			state: `{"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": "notify"}, "End": true}`,
			err:   "not a placeholder",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			statements, err := permission.OfDefinition("M", []byte(machine(tc.state)))
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Errorf("error %v, want one that says %q", err, tc.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range statements {
				if s.Open() { // log delivery and traces
					continue
				}
				for _, a := range s.Actions {
					for _, r := range s.Resources {
						got = append(got, a+" "+r)
					}
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestFill(t *testing.T) {
	s := permission.Statement{Resources: []string{"${A}/x", "arn:${B}:${A}"}, Condition: map[string]map[string]string{"StringEquals": {"k": "v.${C}"}}}
	if diff := cmp.Diff([]string{"A", "B", "C"}, s.Placeholders()); diff != "" {
		t.Errorf("placeholders (-want +got):\n%s", diff)
	}
	for text, want := range map[string]string{"arn:${B}:${A}": "arn:<B>:<A>", "plain": "plain", "open ${A": "open "} {
		if got := permission.Fill(text, func(name string) string { return "<" + name + ">" }); got != want {
			t.Errorf("%q is filled as %q, want %q", text, got, want)
		}
	}
}

func TestPageIsCurrent(t *testing.T) {
	want, err := permission.Page()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../docs/permissions.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("docs/permissions.md is not what is derived. run \"go generate ./permission\" in infra/ (-want +got):\n%s", diff)
	}
}

func TestServices(t *testing.T) {
	want := []string{"cloudcontrolapi", "cloudformation", "config", "dynamodb", "s3", "sns", "states"}
	if diff := cmp.Diff(want, permission.Services(catalog.Tasks)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
