//go:build e2e

package e2e_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// noncompliant is what AWS Config says of a resource that breaks a rule.
func noncompliant(r *region, typ, id string) event {
	return newEvent(r, "aws.config", "Config Rules Compliance Change", time.Now(), map[string]any{
		"messageType": "ComplianceChangeNotification", "configRuleName": "plumbline", "resourceType": typ, "resourceId": id,
		"awsAccountId": account, "awsRegion": r.name, "newEvaluationResult": map[string]any{"complianceType": "NON_COMPLIANT"},
	})
}

// encrypted reads what a queue says of its encryption.
func (r *region) encrypted(t *testing.T, url string) string {
	t.Helper()
	out, err := r.sqs.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []sqstypes.QueueAttributeName{"All"}})
	if err != nil {
		t.Fatal(err)
	}
	return out.Attributes["SqsManagedSseEnabled"]
}

// changes waits until the changes of a resource have ended and gives their
// executions, by the rule that each settles.
func (r *region) changes(t *testing.T, machine, identifier string, want int) map[string]*sfn.DescribeExecutionOutput {
	t.Helper()
	var out map[string]*sfn.DescribeExecutionOutput
	until(t, 60*time.Second, func() error {
		out = map[string]*sfn.DescribeExecutionOutput{}
		for name := range r.executions(t, machine) {
			arn := strings.Replace(r.machine(machine), ":stateMachine:", ":execution:", 1) + ":" + name
			d, err := r.sfn.DescribeExecution(t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: &arn})
			if err != nil {
				return err
			}
			var in struct{ Identifier, Rule string }
			if err := json.Unmarshal([]byte(aws.ToString(d.Input)), &in); err != nil || in.Identifier != identifier {
				continue
			}
			if d.Status == sfntypes.ExecutionStatusRunning {
				return fmt.Errorf("%s of %s is running", machine, in.Rule)
			}
			out[in.Rule] = d
		}
		if len(out) < want {
			return fmt.Errorf("%d executions of %s for %s, want %d", len(out), machine, identifier, want)
		}
		return nil
	})
	return out
}

// encrypt changes a queue past CloudFormation.
func (r *region) encrypt(t *testing.T, url, to string) {
	t.Helper()
	if _, err := r.sqs.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &url, Attributes: map[string]string{"SqsManagedSseEnabled": to}}); err != nil {
		t.Fatal(err)
	}
}

// outcome is how a change ended, by its execution's output.
func outcome(t *testing.T, d *sfn.DescribeExecutionOutput) (outcome, plan string) {
	t.Helper()
	var out struct {
		Result  struct{ Outcome string }
		Planned struct{ Plan string }
	}
	if d == nil {
		t.Fatal("there was no change of this rule")
	}
	if err := json.Unmarshal([]byte(aws.ToString(d.Output)), &out); err != nil {
		t.Fatalf("%s %s: %s %s", d.Status, aws.ToString(d.Error), aws.ToString(d.Output), aws.ToString(d.Cause))
	}
	return out.Result.Outcome, out.Planned.Plan
}

// TestRemediation: what AWS Config reports is judged, planned, changed on the
// resource itself and judged again, without anybody's help where the policy
// allows that. The same rule then passes on what is deployed; and the change is
// taken back when somebody asks. A resource that nobody asked for stays as it is.
func TestRemediation(t *testing.T) {
	t.Parallel()
	r := in(regions[0])
	id := r.put(t, "Jobs", `{"Resources": {
	  "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"SqsManagedSseEnabled": true}},
	  "Other": {"Type": "AWS::SQS::Queue", "Properties": {"SqsManagedSseEnabled": true}}}}`)
	queue, other := r.physical(t, "Jobs", "Queue"), r.physical(t, "Jobs", "Other")
	r.encrypt(t, queue, "false")
	r.encrypt(t, other, "false")
	at := time.Now().Truncate(time.Second)
	// status is what a scan makes of the queue.
	status := func() string {
		t.Helper()
		at = at.Add(time.Minute)
		r.scan(t, "ScanStack", stackChanged(r, id, "UPDATE_COMPLETE", at))
		return of(r.rows(t, "Jobs"), "sqs-queue-encrypted", "Queue").text("status")
	}
	if got := status(); got != "new" {
		t.Fatalf("the plain queue is %q", got)
	}
	if a, err := r.invoke(t.Context(), "Intake", noncompliant(r, "AWS::SQS::Queue", queue)); err != nil || !a.Started {
		t.Fatalf("nothing was started: %+v, %v", a, err)
	}
	made := r.changes(t, "RemediateFinding", queue, 1)["sqs-queue-encrypted"]
	ended, plan := outcome(t, made)
	if ended != "applied" {
		t.Errorf("the change ended as %s: %s", ended, aws.ToString(made.Output))
	}
	if got := r.encrypted(t, queue); got != "true" {
		t.Errorf("after its change SqsManagedSseEnabled of the queue is %q", got)
	}
	if got := r.encrypted(t, other); got != "false" {
		t.Errorf("SqsManagedSseEnabled of a queue that nobody asked for is %q", got)
	}
	if got := of(r.rows(t, "Jobs"), "sqs-queue-encrypted", "Queue").text("status"); got != "in-remediation" {
		t.Errorf("after its change, before any scan, the violation is %s", got)
	}
	if got := status(); got != "resolved" {
		t.Errorf("after its change the violation is %s", got)
	}

	undo := fmt.Sprintf(`{"change": "undo-jobs", "rule": "sqs-queue-encrypted", "resource": {"Account": %q, "Region": %q, "Stack": "Jobs", "Type": "AWS::SQS::Queue", "LogicalID": "Queue"},
	  "identifier": %q, "plan": %q, "undo": true, "requester": "ops@example.com"}`, account, r.name, queue, plan)
	if _, err := r.sfn.StartExecution(t.Context(), &sfn.StartExecutionInput{StateMachineArn: aws.String(r.machine("RemediateFinding")), Name: aws.String("undo-jobs"), Input: &undo}); err != nil {
		t.Fatal(err)
	}
	back := r.await(t, "RemediateFinding", "undo-jobs")
	if ended, _ := outcome(t, back); ended != "undone" {
		t.Log(aws.ToString(back.Output))
		t.Errorf("the undo ended as %q", ended)
	}
	if got := r.encrypted(t, queue); got != "false" {
		t.Errorf("after the undo SqsManagedSseEnabled of the queue is %q", got)
	}
	if got := status(); got != "reopened" {
		t.Errorf("after the undo the violation is %s", got)
	}
}

// TestUnownedResource: what belongs to no stack is changed and given back as well.
func TestUnownedResource(t *testing.T) {
	t.Parallel()
	r := in(regions[1])
	made, err := r.sqs.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("by-hand"), Attributes: map[string]string{"SqsManagedSseEnabled": "false"}})
	if err != nil {
		t.Fatal(err)
	}
	queue := aws.ToString(made.QueueUrl)
	if a, err := r.invoke(t.Context(), "Intake", noncompliant(r, "AWS::SQS::Queue", queue)); err != nil || !a.Started {
		t.Fatalf("nothing was started: %+v, %v", a, err)
	}
	ended, plan := outcome(t, r.changes(t, "RemediateFinding", queue, 1)["sqs-queue-encrypted"])
	if got := r.encrypted(t, queue); ended != "applied" || got != "true" {
		t.Errorf("the change ended as %q, and SqsManagedSseEnabled is %q", ended, got)
	}
	undo := fmt.Sprintf(`{"change": "undo-by-hand", "rule": "sqs-queue-encrypted", "resource": {"Account": %q, "Region": %q, "Type": "AWS::SQS::Queue", "LogicalID": "Resource"},
	  "identifier": %q, "plan": %q, "undo": true, "requester": "ops@example.com"}`, account, r.name, queue, plan)
	if _, err := r.sfn.StartExecution(t.Context(), &sfn.StartExecutionInput{StateMachineArn: aws.String(r.machine("RemediateFinding")), Name: aws.String("undo-by-hand"), Input: &undo}); err != nil {
		t.Fatal(err)
	}
	back := r.await(t, "RemediateFinding", "undo-by-hand")
	if ended, _ := outcome(t, back); ended != "undone" || r.encrypted(t, queue) != "false" {
		t.Errorf("the undo ended as %q, and SqsManagedSseEnabled is %q: %s", ended, r.encrypted(t, queue), aws.ToString(back.Output))
	}
}
