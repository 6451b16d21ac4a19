//go:build e2e

package e2e_test

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// formOf reports whether a call is one of CloudFormation's forms about a stack.
func formOf(c call, action, stack string) bool {
	form, err := url.ParseQuery(c.body)
	return err == nil && form.Get("Action") == action && (form.Get("StackName") == stack || strings.Contains(form.Get("StackName"), ":stack/"+stack+"/"))
}

// refusedForm is how CloudFormation refuses.
func refusedForm(action, stack, code, message string) *fault {
	return &fault{
		about: func(c call) bool { return formOf(c, action, stack) }, status: 400,
		body: "<ErrorResponse><Error><Type>Sender</Type><Code>" + code + "</Code><Message>" + message + "</Message></Error><RequestId>r</RequestId></ErrorResponse>",
	}
}

// templateOf has CloudFormation give a stack another template.
func templateOf(stack, body string) *fault {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(body)) // a Builder takes everything
	return &fault{
		about: func(c call) bool { return formOf(c, "GetTemplate", stack) }, status: 200,
		body: "<GetTemplateResponse><GetTemplateResult><TemplateBody>" + b.String() + "</TemplateBody></GetTemplateResult></GetTemplateResponse>",
	}
}

// wide is a template of about so many bytes, with an open group at its end.
func wide(size int) string {
	all := map[string]any{"Bastion": map[string]any{"Type": "AWS::EC2::SecurityGroup", "Properties": map[string]any{
		"GroupDescription": "log in", "VpcId": "vpc-1", "SecurityGroupIngress": []any{map[string]any{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"}},
	}}}
	for i := range 20 {
		all[fmt.Sprintf("Note%02d", i)] = map[string]any{"Type": "AWS::SSM::Parameter", "Properties": map[string]any{"Type": "String", "Value": strings.Repeat("x", size/20)}}
	}
	b, err := json.Marshal(map[string]any{"Resources": all})
	if err != nil {
		panic(err) // made here
	}
	return string(b)
}

// TestStacksInTrouble: whatever CloudFormation says of a stack, the scan has a
// clear end, people are told where it was none, and another stack's scan at the
// same time misses nothing.
func TestStacksInTrouble(t *testing.T) {
	t.Parallel()
	r := in(regions[0])
	for _, tc := range []struct {
		name   string
		status string // of the event
		fault  func(stack string) *fault
		gone   bool // the stack is deleted before it is fetched
		failed string
		told   string // part of what people are told of the failure
		rows   bool   // of the open group
	}{
		{name: "Large", status: "CREATE_COMPLETE", fault: func(s string) *fault { return templateOf(s, wide(60_000)) }, rows: true},
		{name: "Huge", status: "CREATE_COMPLETE", fault: func(s string) *fault { return templateOf(s, wide(1_200_000)) }, rows: true},
		{name: "NoTemplate", status: "UPDATE_COMPLETE", fault: func(s string) *fault { return templateOf(s, "not a template: [") }},
		{name: "RolledBack", status: "UPDATE_ROLLBACK_COMPLETE", rows: true},
		{name: "NotRolledBack", status: "UPDATE_ROLLBACK_FAILED", rows: true},
		{name: "NeverMade", status: "ROLLBACK_COMPLETE", gone: true},
		{name: "Vanished", status: "CREATE_COMPLETE", gone: true},
		{name: "VanishedBetween", status: "CREATE_COMPLETE", fault: func(s string) *fault {
			return refusedForm("GetTemplate", s, "ValidationError", "Stack with id "+s+" does not exist")
		}},
		{name: "Forbidden", status: "CREATE_COMPLETE", fault: func(s string) *fault {
			return refusedForm("GetTemplate", s, "AccessDenied", "User: FetchStack is not authorized to perform: cloudformation:GetTemplate on resource: "+s)
		}, failed: "StoreFailed", told: "cloudformation:GetTemplate"},
		{name: "Expired", status: "CREATE_COMPLETE", fault: func(s string) *fault {
			return refusedForm("DescribeStacks", s, "ExpiredToken", "The security token included in the request is expired")
		}, failed: "StoreFailed", told: "expired"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			stack := "Trouble" + tc.name
			id := r.put(t, stack, wide(2000))
			if tc.gone {
				if _, err := r.cfn.DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: &stack}); err != nil {
					t.Fatal(err)
				}
				until(t, 10*time.Second, func() error {
					if _, err := r.cfn.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: &stack}); err == nil {
						return fmt.Errorf("%s is still there", stack)
					}
					return nil
				})
			}
			boxes := subscribe(t, r)
			if tc.fault != nil {
				suite.faults.inject(t, tc.fault(stack))
			}
			end := r.scan(t, "ScanStack", stackChanged(r, id, tc.status, time.Now()))
			want := sfntypes.ExecutionStatusSucceeded
			if tc.failed != "" {
				want = sfntypes.ExecutionStatusFailed
			}
			if end.Status != want {
				t.Errorf("the execution ended as %s, want %s: %s %s", end.Status, want, aws.ToString(end.Error), aws.ToString(end.Cause))
			}
			if got := of(r.rows(t, stack), "ec2-security-group-open-ssh", "Bastion") != nil; got != tc.rows {
				t.Errorf("the open group has a row: %v, want %v", got, tc.rows)
			}
			failures := func() []letter {
				return slices.DeleteFunc(boxes.letters(t, stack), func(l letter) bool { return l.attributes["kind"] != "failure" })
			}
			if tc.failed == "" {
				if told := failures(); len(told) > 0 {
					t.Errorf("people were told of a failure: %+v", told)
				}
				return
			}
			wantFailure(t, r, end, tc.failed)
			until(t, 20*time.Second, func() error {
				for _, l := range failures() {
					if strings.Contains(l.Body, tc.told) {
						return nil
					}
				}
				return fmt.Errorf("nobody was told of %q: %+v", tc.told, boxes.read)
			})
		})
	}
}

// TestForeignEvents: an event of another region or account is told as a scan that
// failed, and leaves nothing of a stack here that has the same name; a replayed
// one starts nothing.
func TestForeignEvents(t *testing.T) {
	t.Parallel()
	r := in(regions[0])
	id := r.put(t, "Homely", flawed)
	for name, foreign := range map[string]string{
		"region":  strings.Replace(id, ":"+r.name+":", ":ap-south-1:", 1),
		"account": strings.Replace(id, ":"+account+":", ":999988887777:", 1),
	} {
		end := r.scan(t, "ScanStack", stackChanged(r, foreign, "CREATE_COMPLETE", time.Now()))
		if end.Status != sfntypes.ExecutionStatusFailed {
			t.Errorf("the scan of a stack in another %s ended as %s, want a failure", name, end.Status)
		}
		wantFailure(t, r, end, "StoreFailed")
		if rows := r.rows(t, "Homely"); len(rows) > 0 {
			t.Errorf("an event of another %s left %d rows", name, len(rows))
		}
	}
	e := stackChanged(r, id, "CREATE_COMPLETE", time.Now())
	r.scan(t, "ScanStack", e)
	before := len(r.rows(t, "Homely"))
	if a, err := r.invoke(t.Context(), "Intake", e); err != nil || a.Started || !strings.Contains(a.Reason, "delivered before") {
		t.Errorf("a replayed event was answered by %+v, %v", a, err)
	}
	if after := len(r.rows(t, "Homely")); before == 0 || after != before {
		t.Errorf("there are %d rows after the replay, and were %d", after, before)
	}
}

// TestUnstartable: an event whose scan cannot be started is not lost: its next
// delivery starts it.
func TestUnstartable(t *testing.T) {
	t.Parallel()
	r := in(regions[0])
	id := r.put(t, "Deferred", closed)
	refused := suite.faults.inject(t, &fault{
		about: func(c call) bool {
			return c.action == "AWSStepFunctions.StartExecution" && strings.Contains(c.body, "Deferred-")
		},
		status: 400, body: `{"__type":"StateMachineDeleting","message":"the state machine is being deleted"}`,
	})
	e := stackChanged(r, id, "CREATE_COMPLETE", time.Now())
	if a, err := r.invoke(t.Context(), "Intake", e); err != nil || a.Started || a.ErrorType == "" {
		t.Fatalf("an event that cannot be acted on was answered by %+v, %v, want an error", a, err)
	}
	suite.faults.remove(refused)
	if end := r.scan(t, "ScanStack", e); end.Status != sfntypes.ExecutionStatusSucceeded {
		t.Errorf("the execution ended as %s: %s", end.Status, aws.ToString(end.Cause))
	}
}
