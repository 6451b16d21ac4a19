package cli_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/internal/awsaccount"
	"plumbline/internal/awsfake"
	"plumbline/internal/cli"
)

// deployedSuite is an account in which all is well.
func deployedSuite() *awsfake.Account {
	a := payments()
	a.Recording = true
	const topic, queue = "arn:aws:sns:eu-west-1:111122223333:critical", "https://sqs.eu-west-1.amazonaws.com/111122223333/dead"
	a.Stacks = append(a.Stacks, &awsfake.Stack{Name: "PlumblineSuite", Template: `{"Resources":{"T":{"Type":"AWS::SNS::Topic"}}}`, Resources: []awsfake.StackResource{
		{LogicalID: "Critical", Type: "AWS::SNS::Topic", Physical: topic},
		{LogicalID: "Dead", Type: "AWS::SQS::Queue", Physical: queue},
		{LogicalID: "S3", Type: "AWS::EC2::VPCEndpoint", Physical: "vpce-1"},
		{LogicalID: "Intake", Type: "AWS::Lambda::Function", Physical: "PlumblineIntake"},
	}})
	a.Put("AWS::EC2::VPCEndpoint", "vpce-1", `{"Id":"vpce-1"}`)
	a.Subscriptions = map[string][]string{topic: {topic + ":0a"}}
	a.Queues = map[string]int{queue: 0}
	a.Function = func(_ string, payload []byte) ([]byte, bool) {
		if !bytes.Contains(payload, []byte("UPDATE_IN_PROGRESS")) {
			return []byte(`{"started":true}`), false
		}
		return []byte(`{"started":false,"reason":"its change has not ended"}`), false
	}
	return a
}

// TestDoctor: each thing that is wrong is told, and only that.
func TestDoctor(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*awsfake.Account)
		code   int
		want   []string // what, and a part of what is said
	}{
		{"all is well", func(*awsfake.Account) {}, cli.ExitClean, nil},
		{"an address has not confirmed", func(a *awsfake.Account) {
			for topic := range a.Subscriptions {
				a.Subscriptions[topic] = append(a.Subscriptions[topic], "PendingConfirmation")
			}
		}, cli.ExitFindings, []string{"subscriptions of Critical: 1 of 2 addresses have not confirmed"}},
		{"nobody is told", func(a *awsfake.Account) { a.Subscriptions = nil }, cli.ExitFindings, []string{"subscriptions of Critical: nobody is told"}},
		{"dead letters", func(a *awsfake.Account) {
			for queue := range a.Queues {
				a.Queues[queue] = 3
			}
		}, cli.ExitFindings, []string{"queue Dead: 3 messages"}},
		{"the recorder is stopped", func(a *awsfake.Account) { a.Recording = false }, cli.ExitFindings, []string{"AWS Config: recorder default is stopped"}},
		{"an endpoint was deleted", func(a *awsfake.Account) { delete(a.Resources, "AWS::EC2::VPCEndpoint") }, cli.ExitFindings, []string{"endpoints: S3 were deleted"}},
		{"Intake fails", func(a *awsfake.Account) {
			a.Function = func(string, []byte) ([]byte, bool) { return []byte(`{"errorMessage":"no table"}`), true }
		}, cli.ExitFindings, []string{"dry event: PlumblineIntake failed"}},
		{"Intake starts something", func(a *awsfake.Account) {
			a.Function = func(string, []byte) ([]byte, bool) { return []byte(`{"started":true}`), false }
		}, cli.ExitFindings, []string{"dry event: PlumblineIntake answered"}},
		{"permissions are missing", func(a *awsfake.Account) {
			a.Deny = func(action, _ string) string {
				if action == "cloudformation:GetResource" {
					return "s3:GetBucketTagging"
				}
				if action == "cloudformation:ListStackResources" {
					return action
				}
				return ""
			}
		}, cli.ExitFindings, []string{"list resources of stacks: permission cloudformation:ListStackResources is missing", "read live resources: permission s3:GetBucketTagging is missing", "suite: permission cloudformation:ListStackResources is missing"}},
		{"no access at all", func(a *awsfake.Account) { a.Deny = func(action, _ string) string { return action } }, cli.ExitFindings, []string{"credentials: permission sts:GetCallerIdentity is missing"}},
		{"no suite", func(a *awsfake.Account) { a.Stacks = a.Stacks[:1] }, cli.ExitClean, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := deployedSuite()
			tc.change(a)
			signIn(t, a)
			var out, said bytes.Buffer
			code := cli.Main([]string{"doctor", "--format", "json"}, cli.Streams{Accounts: awsaccount.Open, In: strings.NewReader(""), Out: &out, Err: &said, Env: func(string) string { return "" }})
			var checks []struct{ What, Status, Says string }
			if err := json.Unmarshal(out.Bytes(), &checks); err != nil {
				t.Fatalf("%v: %s %s", err, out.String(), said.String())
			}
			var got []string
			for _, c := range checks {
				if c.Status == "problem" {
					text := c.What + ": " + c.Says
					for _, w := range tc.want {
						if strings.HasPrefix(text, w) {
							text = w
						}
					}
					got = append(got, text)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" || code != tc.code {
				t.Errorf("exit code %d, problems (-want +got):\n%s", code, diff)
			}
		})
	}
}
