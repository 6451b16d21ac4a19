package stack_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/tasks/catalog"
	"plumbline/workflows"
)

// TestNoWildcardIsAllowed looks at every policy of every stack: no statement
// allows an action with *, and one that allows something on every resource has
// a reason for each action in the policy's metadata.
func TestNoWildcardIsAllowed(t *testing.T) {
	seen := 0
	stacks := maps.Clone(example())
	for name, s := range everything() {
		stacks[name+" with everything"] = s
	}
	for name, s := range stacks {
		for id, r := range s.Resources {
			for _, key := range []string{"PolicyDocument", "KeyPolicy", "AssumeRolePolicyDocument", "ResourcePolicy"} {
				doc := r.Properties[key]
				if key == "ResourcePolicy" {
					doc = at(doc, "PolicyDocument")
				}
				for _, st := range items(at(doc, "Statement")) {
					seen++
					if at(st, "Effect") != "Allow" {
						continue
					}
					for _, a := range items(at(st, "Action")) {
						if !strings.Contains(a.(string), "*") {
							continue
						}
						// The administrators of the account must be able to manage its keys, else nobody is.
						if key == "KeyPolicy" && a == "kms:*" && text(at(st, "Principal")) == `{"AWS":"arn:aws:iam::111122223333:root"}` {
							continue
						}
						t.Errorf("%s %s allows %v", name, id, a)
					}
					if r.Type != "AWS::IAM::Policy" || !slices.Contains(items(at(st, "Resource")), any("*")) {
						continue
					}
					for _, a := range items(at(st, "Action")) {
						if why, _ := at(r.Metadata, "everyResource", a.(string)).(string); why == "" {
							t.Errorf("%s %s allows %v on every resource without a reason", name, id, a)
						}
					}
				}
			}
			function, _ := strings.CutPrefix(fmt.Sprint(r.Properties["Description"]), "plumbline: function ")
			task, _ := catalog.Find(function)
			if arns := r.Properties["ManagedPolicyArns"]; (arns != nil) != task.ReadsLive || arns != nil && text(arns) != `["arn:aws:iam::aws:policy/SecurityAudit"]` {
				t.Errorf("%s %s has the policies %v, which are not ours", name, id, arns)
			}
		}
	}
	if seen < 500 {
		t.Errorf("looked at %d statements only", seen)
	}
}

// allowed lists what the policies of a role allow, as "action resource", but
// for what is on every resource.
func allowed(s template, role string) map[string]bool {
	out := map[string]bool{}
	for _, p := range s.of("AWS::IAM::Policy") {
		if !slices.ContainsFunc(items(p.Properties["Roles"]), func(r any) bool { return at(r, "Ref") == role }) {
			continue
		}
		for _, st := range items(at(p.Properties["PolicyDocument"], "Statement")) {
			for _, a := range items(at(st, "Action")) {
				for _, r := range items(at(st, "Resource")) {
					if at(st, "Effect") == "Allow" && r != "*" {
						out[fmt.Sprint(a, " ", text(r))] = true
					}
				}
			}
		}
	}
	return out
}

// roleOf is the logical id of a resource's role.
func roleOf(r resource, property string) string {
	id, _ := items(at(r.Properties[property], "Fn::GetAtt"))[0].(string)
	return id
}

// TestMachinesMayWhatTheyCall reads each machine's definition as CloudFormation
// substitutes it, without package permission, and compares what its states call
// with what its role allows.
func TestMachinesMayWhatTheyCall(t *testing.T) {
	for name, s := range both() {
		t.Run(name, func(t *testing.T) {
			testMachines(t, s, map[string][]workflows.Machine{"scanning": workflows.Machines, "everything": workflows.All()}[name])
		})
	}
}

func testMachines(t *testing.T, s template, deployed []workflows.Machine) {
	machines := s.of("AWS::StepFunctions::StateMachine")
	if len(machines) != len(deployed) {
		t.Errorf("%d state machines, want %d", len(machines), len(deployed))
	}
	for id, m := range machines {
		var definition any
		if err := json.Unmarshal([]byte(m.Properties["DefinitionString"].(string)), &definition); err != nil {
			t.Fatal(err)
		}
		want := map[string]bool{}
		call := func(action string, placeholder any) {
			name := strings.TrimSuffix(strings.TrimPrefix(placeholder.(string), "${"), "}")
			if !slices.ContainsFunc(deployed, func(m workflows.Machine) bool { return m.Name+"Arn" == name }) && slices.ContainsFunc(workflows.All(), func(m workflows.Machine) bool { return m.Name+"Arn" == name }) {
				return // is never started
			}
			want[action+" "+text(at(m.Properties["DefinitionSubstitutions"], name))] = true
		}
		var walk func(v any)
		walk = func(v any) {
			switch v := v.(type) {
			case []any:
				for _, x := range v {
					walk(x)
				}
			case map[string]any:
				switch v["Resource"] {
				case "arn:aws:states:::lambda:invoke", "arn:aws:states:::lambda:invoke.waitForTaskToken":
					call("lambda:InvokeFunction", at(v, "Parameters", "FunctionName"))
				case "arn:aws:states:::states:startExecution":
					call("states:StartExecution", at(v, "Parameters", "StateMachineArn"))
				case "arn:aws:states:::aws-sdk:sfn:startSyncExecution":
					call("states:StartSyncExecution", at(v, "Parameters", "StateMachineArn"))
				case nil:
				case "arn:aws:states:::s3:getObject":
					want[`s3:GetObject {"Fn::Join":["",["arn:aws:s3:::",`+text(at(m.Properties["DefinitionSubstitutions"], "ReportBucket"))+`,"/work/*"]]}`] = true
				default:
					t.Errorf("%s calls %v, of which this test knows nothing", id, v["Resource"])
				}
				if at(v, "ItemProcessor", "ProcessorConfig", "Mode") == "DISTRIBUTED" {
					own := fmt.Sprintf(":us-east-1:111122223333:%%s:%s%%s", m.Properties["StateMachineName"])
					want[fmt.Sprintf(`states:StartExecution "arn:aws:states`+own+`"`, "stateMachine", "")] = true
					for _, action := range []string{"states:DescribeExecution", "states:StopExecution"} {
						want[fmt.Sprintf(action+` "arn:aws:states`+own+`"`, "execution", "/"+at(v, "Label").(string)+":*")] = true
					}
				}
				for _, x := range v {
					walk(x)
				}
			}
		}
		walk(definition)
		if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(allowed(s, roleOf(m, "RoleArn"))))); diff != "" {
			t.Errorf("%s: what its states call (-) and what its role allows (+):\n%s", id, diff)
		}
	}
}

// TestFunctionsMayWhatTheCatalogueSays compares the actions of each function's
// role, but for those that every function needs to run at all.
func TestFunctionsMayWhatTheCatalogueSays(t *testing.T) {
	for name, s := range both() {
		deployed := catalog.Tasks
		if name == "everything" {
			deployed = catalog.All()
		}
		t.Run(name, func(t *testing.T) { testFunctions(t, s, deployed) })
	}
}

func testFunctions(t *testing.T, s template, deployed []catalog.Task) {
	everywhere := []string{
		"cloudformation:ListStacks", "cloudformation:GetResource", "cloudformation:ListResources", "config:PutEvaluations",
		"cloudformation:UpdateResource", "cloudformation:GetResourceRequestStatus", "cloudformation:ListResourceRequests",
	}
	running := []string{"logs:CreateLogStream", "logs:PutLogEvents", "sqs:SendMessage"}
	everywhere = append(everywhere, "sqs:SendMessage") // TestQueuesAreWrittenTo looks at it
	roles := map[string]bool{}
	for id, f := range s.of("AWS::Lambda::Function") {
		name := strings.TrimPrefix(f.Properties["FunctionName"].(string), "Plumbline")
		task, ok := catalog.Find(name)
		if !ok {
			t.Errorf("%s is no task of the catalogue", id)
			continue
		}
		got := map[string]bool{}
		for a := range allowed(s, roleOf(f, "Role")) {
			action, _, _ := strings.Cut(a, " ")
			if !strings.HasPrefix(action, "kms:") && !slices.Contains(running, action) {
				got[action] = true
			}
		}
		want := slices.DeleteFunc(slices.Sorted(slices.Values(task.Actions)), func(a string) bool { return slices.Contains(everywhere, a) })
		if diff := cmp.Diff(want, slices.Sorted(maps.Keys(got))); diff != "" {
			t.Errorf("%s: catalogue (-) and role (+):\n%s", name, diff)
		}
		if roles[roleOf(f, "Role")] {
			t.Errorf("%s shares its role", name)
		}
		roles[roleOf(f, "Role")] = true
	}
	if len(roles) != len(deployed) {
		t.Errorf("%d functions, want %d", len(roles), len(deployed))
	}
}
