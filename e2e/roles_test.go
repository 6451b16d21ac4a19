//go:build e2e

package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"plumbline/tasks/catalog"
)

// oneOrMore is a text or a list of texts, as policies have them.
type oneOrMore []string

func (o *oneOrMore) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*o = oneOrMore{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(o))
}

type statement struct {
	Effect           string
	Action, Resource oneOrMore
	Condition        map[string]map[string]any
}

// rolePolicy is what a role may do by the policies written into it, as deployed.
func rolePolicy(ctx context.Context, endpoint, role string) ([]statement, error) {
	listed, err := iam(ctx, endpoint, url.Values{"Action": {"ListRolePolicies"}, "RoleName": {role}})
	if err != nil {
		return nil, err
	}
	var all []statement
	for rest := listed; ; {
		_, after, found := strings.Cut(rest, "<member>")
		if !found {
			return all, nil
		}
		name, after, _ := strings.Cut(after, "</member>")
		rest = after
		got, err := iam(ctx, endpoint, url.Values{"Action": {"GetRolePolicy"}, "RoleName": {role}, "PolicyName": {name}})
		if err != nil {
			return nil, err
		}
		_, document, _ := strings.Cut(got, "<PolicyDocument>")
		document, _, _ = strings.Cut(document, "</PolicyDocument>")
		if document, err = url.QueryUnescape(document); err != nil {
			return nil, err
		}
		var p struct{ Statement []statement }
		if err := json.Unmarshal([]byte(document), &p); err != nil {
			return nil, fmt.Errorf("policy of %s: %w: %s", role, err, document)
		}
		all = append(all, p.Statement...)
	}
}

// granted reports whether the statements allow an action on a resource. What is
// allowed under a condition only is not granted: the calls held to it are
// direct ones, and the conditions of our roles are about calls by a service.
func granted(statements []statement, action, resource string) bool {
	ok := false
	for _, s := range statements {
		if len(s.Condition) > 0 || !slices.ContainsFunc(s.Action, func(p string) bool { return like(p, action) }) ||
			!slices.ContainsFunc(s.Resource, func(p string) bool { return like(p, resource) }) {
			continue
		}
		if s.Effect != "Allow" {
			return false
		}
		ok = true
	}
	return ok
}

// like matches as IAM does: * is any text, ? one character.
func like(pattern, text string) bool {
	p, t, star, back := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, back = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p, t = p+1, t+1
		case star >= 0:
			back++
			p, t = star+1, back
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// TestLike: a policy allows no more than it says.
func TestLike(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		pattern, text string
		want          bool
	}{
		{"s3:GetObject", "s3:GetObject", true},
		{"s3:GetObject", "s3:GetObjectVersion", false},
		{"arn:aws:s3:::b/work/*", "arn:aws:s3:::b/work/a/b", true},
		{"arn:aws:s3:::b/work/*", "arn:aws:s3:::b/reports/work/", false},
		{"a*b*c", "a-b-b-c", true},
		{"a*b*c", "a-b-b", false},
		{"a?c", "abc", true},
		{"a?c", "ac", false},
		{"*", "", true},
	} {
		if got := like(tc.pattern, tc.text); got != tc.want {
			t.Errorf("%q like %q: %v, want %v", tc.text, tc.pattern, got, tc.want)
		}
	}
}

// byFault are the actions that the catalogue gives a function and no test has it
// use, each with what would. "*" stands for every function.
var byFault = map[string]string{
	"* s3:ListBucket":                                 "without it S3 answers for an object that is not there as for one that may not be read",
	"AnchorLedger sns:Publish":                        "a ledger that does not hold",
	"ApplyChange cloudformation:GetResource":          "an answer of UpdateResource that was lost",
	"ApplyChange cloudformation:ListResourceRequests": "another request that changes the resource",
	"AskApproval dynamodb:DeleteItem":                 "a call whose answer was lost: people are asked again",
	"AskApproval dynamodb:GetItem":                    "the same",
	"Deliver sqs:ChangeMessageVisibility":             "a receiver that is down for longer than a minute",
	"Deliver sqs:DeleteMessage":                       "Lambda, in the role's name",
	"Deliver sqs:GetQueueAttributes":                  "Lambda, in the role's name",
	"Deliver sqs:ReceiveMessage":                      "Lambda, in the role's name",
	"ReadDecision dynamodb:ConditionCheckItem":        "a request that nobody decided on in time",
	"ReadDecision dynamodb:PutItem":                   "the same",
	"SignIn dynamodb:DeleteItem":                      "a person who signs out of the browser",
	"SignIn dynamodb:PutItem":                         "a person who signs in by the browser",
	"SweepApprovals dynamodb:ConditionCheckItem":      "a request that nobody decided on in time",
	"SweepApprovals dynamodb:DeleteItem":              "the same",
	"SweepApprovals dynamodb:GetItem":                 "the same",
	"SweepApprovals dynamodb:PutItem":                 "the same",
	"SweepApprovals sns:Publish":                      "the same",
	"SweepApprovals s3:GetObject":                     "a request of which people are reminded",
	"SweepApprovals states:SendTaskSuccess":           "the same",
}

// checkCalls holds what the functions did during all tests to their roles: each
// call was allowed by the role as it is deployed, and, after a run of all tests,
// no role allows what nothing used.
func checkCalls(ctx context.Context, e *emulator, c *calls) error {
	made, unknown := c.sorted()
	var problems []error
	for i, u := range unknown {
		if i == 10 {
			problems = append(problems, fmt.Errorf("and of %d more", len(unknown)-i))
			break
		}
		problems = append(problems, fmt.Errorf("of this call nobody knows which permission it needs: %s", u))
	}
	type key struct{ caller, region string }
	roles := map[key][]statement{}
	used := map[string]bool{}
	for _, m := range made {
		k := key{m.caller, m.region}
		if _, known := roles[k]; !known {
			r := newRegion(e.url, m.region)
			f, err := r.functions.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("Plumbline" + m.caller)})
			if err != nil {
				return err
			}
			if roles[k], err = rolePolicy(ctx, e.url, path.Base(aws.ToString(f.Role))); err != nil {
				return err
			}
		}
		if !granted(roles[k], m.action, m.resource) {
			problems = append(problems, fmt.Errorf("%s in %s did %s with %s, which its role does not allow", m.caller, m.region, m.action, m.resource))
		}
		used[m.caller+" "+m.action] = true
	}
	if whole() {
		problems = append(problems, unused(ctx, e, used)...)
	}
	fmt.Fprintf(os.Stderr, "e2e: %d kinds of calls of functions, each allowed by its role\n", len(used))
	return errors.Join(problems...)
}

// unused are the actions that the catalogue has a function do, and that it did
// not. What else roles allow, services do in their name: Lambda, and the handlers
// by which Cloud Control reads and changes a resource; infra/permission derives it.
func unused(ctx context.Context, e *emulator, used map[string]bool) []error {
	var problems []error
	r := newRegion(e.url, regions[0])
	pages := lambda.NewListFunctionsPaginator(r.functions, &lambda.ListFunctionsInput{})
	known := map[string]bool{}
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return []error{err}
		}
		for _, f := range page.Functions {
			name := strings.TrimPrefix(aws.ToString(f.FunctionName), "Plumbline")
			task, ok := catalog.Find(name)
			if !ok {
				problems = append(problems, fmt.Errorf("function %s is not in the catalogue", name))
			}
			for _, a := range task.Actions {
				k := name + " " + a
				known[k] = true
				switch {
				case !used[k] && byFault[k] == "" && byFault["* "+a] == "":
					problems = append(problems, fmt.Errorf("%s may %s, and never did: take it from the catalogue, test what needs it, or say in byFault what does", name, a))
				case used[k] && byFault[k] != "":
					problems = append(problems, fmt.Errorf("%s did %s, of which byFault says that no test has it do so", name, a))
				}
			}
		}
	}
	for k := range byFault {
		if !strings.HasPrefix(k, "* ") && !known[k] {
			problems = append(problems, fmt.Errorf("byFault speaks of %s, which is not in the catalogue", k))
		}
	}
	return problems
}

// TestMachines holds the role of each deployed state machine to its deployed
// definition: all that a state can call is allowed, and nothing that no state
// calls. The emulator does not enforce these roles.
func TestMachines(t *testing.T) {
	t.Parallel()
	for _, name := range regions {
		r := in(name)
		pages := sfn.NewListStateMachinesPaginator(r.sfn, &sfn.ListStateMachinesInput{})
		n := 0
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range page.StateMachines {
				n++
				d, err := r.sfn.DescribeStateMachine(t.Context(), &sfn.DescribeStateMachineInput{StateMachineArn: m.StateMachineArn})
				if err != nil {
					t.Fatal(err)
				}
				statements, err := rolePolicy(t.Context(), suite.stack.url, path.Base(aws.ToString(d.RoleArn)))
				if err != nil {
					t.Fatal(err)
				}
				checkMachine(t, aws.ToString(m.StateMachineArn), aws.ToString(d.Definition), statements)
			}
		}
		if n < 4 {
			t.Errorf("%s has %d state machines", name, n)
		}
	}
}

func checkMachine(t *testing.T, name, definition string, statements []statement) {
	t.Helper()
	var tree any
	if err := json.Unmarshal([]byte(definition), &tree); err != nil {
		t.Fatal(err)
	}
	wanted := map[request]bool{}
	tasksOf(t, name, tree, wanted)
	if len(wanted) == 0 {
		t.Errorf("%s calls nothing", name)
	}
	used := map[string]bool{}
	for w := range wanted {
		if !granted(statements, w.action, w.resource) {
			t.Errorf("%s does %s with %s, which its role does not allow", name, w.action, w.resource)
		}
		used[w.action+" "+w.resource] = true
	}
	for _, s := range statements {
		for _, a := range s.Action {
			if !strings.HasPrefix(a, "lambda:") && !strings.HasPrefix(a, "states:") || s.Effect != "Allow" {
				continue
			}
			for _, resource := range s.Resource {
				// Executions of a Distributed Map are looked after by the service itself.
				if !used[a+" "+resource] && !strings.HasSuffix(resource, ":*") {
					t.Errorf("%s may %s with %s, and no state does", name, a, resource)
				}
			}
		}
	}
}

// tasksOf collects what the states below v call.
func tasksOf(t *testing.T, name string, v any, wanted map[request]bool) {
	t.Helper()
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			tasksOf(t, name, e, wanted)
		}
	case map[string]any:
		if v["Type"] == "Task" {
			parameters, _ := v["Parameters"].(map[string]any)
			text := func(key string) string { s, _ := parameters[key].(string); return s }
			switch resource, _ := v["Resource"].(string); resource {
			case "arn:aws:states:::lambda:invoke", "arn:aws:states:::lambda:invoke.waitForTaskToken":
				wanted[request{action: "lambda:InvokeFunction", resource: text("FunctionName")}] = true
			case "arn:aws:states:::states:startExecution", "arn:aws:states:::aws-sdk:sfn:startExecution":
				wanted[request{action: "states:StartExecution", resource: text("StateMachineArn")}] = true
			case "arn:aws:states:::aws-sdk:sfn:startSyncExecution":
				wanted[request{action: "states:StartSyncExecution", resource: text("StateMachineArn")}] = true
			default:
				t.Errorf("%s calls %s, of which this test knows no permission", name, resource)
			}
		}
		if mode, _ := v["ProcessorConfig"].(map[string]any); mode["Mode"] == "DISTRIBUTED" {
			wanted[request{action: "states:StartExecution", resource: name}] = true
		}
		for _, e := range v {
			tasksOf(t, name, e, wanted)
		}
	}
}
