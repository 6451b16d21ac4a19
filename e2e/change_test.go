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

// changesOf are the executions of a state machine that are about a resource.
func (r *region) changesOf(t *testing.T, machine, identifier string) []*sfn.DescribeExecutionOutput {
	t.Helper()
	var out []*sfn.DescribeExecutionOutput
	for name := range r.executions(t, machine) {
		arn := strings.Replace(r.machine(machine), ":stateMachine:", ":execution:", 1) + ":" + name
		d, err := r.sfn.DescribeExecution(t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: &arn})
		if err != nil {
			t.Fatal(err)
		}
		var in struct{ Identifier string }
		if err := json.Unmarshal([]byte(aws.ToString(d.Input)), &in); err == nil && in.Identifier == identifier {
			out = append(out, d)
		}
	}
	return out
}

// changes waits until so many changes of a resource have ended and gives their
// executions, by the rule that each settles.
func (r *region) changes(t *testing.T, machine, identifier string, want int) map[string]*sfn.DescribeExecutionOutput {
	t.Helper()
	var out map[string]*sfn.DescribeExecutionOutput
	until(t, 60*time.Second, func() error {
		out = map[string]*sfn.DescribeExecutionOutput{}
		for _, d := range r.changesOf(t, machine, identifier) {
			var in struct{ Rule string }
			if err := json.Unmarshal([]byte(aws.ToString(d.Input)), &in); err != nil {
				return err
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

// undo has a change taken back, and gives how that ended.
func (r *region) undo(t *testing.T, name, stack, id, identifier, plan string) string {
	t.Helper()
	in := fmt.Sprintf(`{"change": %q, "rule": "sqs-queue-encrypted", "resource": {"Account": %q, "Region": %q, "Stack": %q, "Type": "AWS::SQS::Queue", "LogicalID": %q},
	  "identifier": %q, "plan": %q, "undo": true, "requester": "ops@example.com"}`, name, account, r.name, stack, id, identifier, plan)
	if _, err := r.sfn.StartExecution(t.Context(), &sfn.StartExecutionInput{StateMachineArn: aws.String(r.machine("RemediateFinding")), Name: &name, Input: &in}); err != nil {
		t.Fatal(err)
	}
	ended, _ := outcome(t, r.await(t, "RemediateFinding", name))
	return ended
}

// TestRemediation: what a scan finds is planned, changed on the resource itself
// and judged again, without anybody's help where the policy allows that. The
// same rule then passes on what is deployed; and the change is taken back when
// somebody asks. A stack that the policy excludes is left alone.
func TestRemediation(t *testing.T) {
	t.Parallel()
	r := in(regions[0])
	const body = `{"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"SqsManagedSseEnabled": true}}}}`
	id, excluded := r.put(t, "Jobs", body), r.put(t, "LeftAlone", body)
	queue, other := r.physical(t, "Jobs", "Queue"), r.physical(t, "LeftAlone", "Queue")
	r.encrypt(t, queue, "false")
	r.encrypt(t, other, "false")
	at := time.Now().Truncate(time.Second)
	r.scan(t, "ScanStack", stackChanged(r, excluded, "CREATE_COMPLETE", at))
	r.scan(t, "ScanStack", stackChanged(r, id, "CREATE_COMPLETE", at))
	status := func(stack string) string {
		t.Helper()
		return of(r.rows(t, stack), "sqs-queue-encrypted", "Queue").text("status")
	}

	made := r.changes(t, "RemediateFinding", queue, 1)["sqs-queue-encrypted"]
	ended, plan := outcome(t, made)
	if ended != "applied" {
		t.Errorf("the change ended as %s: %s", ended, aws.ToString(made.Output))
	}
	if got := r.encrypted(t, queue); got != "true" {
		t.Errorf("after its change SqsManagedSseEnabled of the queue is %q", got)
	}
	if got := status("Jobs"); got != "in-remediation" {
		t.Errorf("after its change, before any scan, the violation is %s", got)
	}
	r.scan(t, "ScanStack", stackChanged(r, id, "UPDATE_COMPLETE", at.Add(time.Minute)))
	if got := status("Jobs"); got != "resolved" {
		t.Errorf("a scan after its change finds the violation %s", got)
	}
	if ended := r.undo(t, "undo-jobs", "Jobs", "Queue", queue, plan); ended != "undone" || r.encrypted(t, queue) != "false" {
		t.Errorf("the undo ended as %q, and SqsManagedSseEnabled is %q", ended, r.encrypted(t, queue))
	}
	if got := r.encrypted(t, other); got != "false" || status("LeftAlone") != "new" {
		t.Errorf("SqsManagedSseEnabled of the excluded queue is %q, and its violation %s", got, status("LeftAlone"))
	}
}

// TestTwoReviews: AWS Config tells of what a scan finds at the same time. One of
// the two changes the resource, and the other lets it.
func TestTwoReviews(t *testing.T) {
	t.Parallel()
	r := in(regions[0])
	r.put(t, "Double", `{"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"SqsManagedSseEnabled": true}}}}`)
	queue := r.physical(t, "Double", "Queue")
	r.encrypt(t, queue, "false")
	if a, err := r.invoke(t.Context(), "Intake", noncompliant(r, "AWS::SQS::Queue", queue)); err != nil || !a.Started {
		t.Fatalf("nothing was started: %+v, %v", a, err)
	} else if end := r.await(t, "ScanStack", a.Execution); end.Status != sfntypes.ExecutionStatusSucceeded {
		t.Fatalf("the scan of the resource's stack ended as %s: %s", end.Status, aws.ToString(end.Cause))
	}
	until(t, 60*time.Second, func() error {
		if got := r.encrypted(t, queue); got != "true" {
			return fmt.Errorf("SqsManagedSseEnabled is %q", got)
		}
		for _, machine := range []string{"CheckResource", "ReviewViolation", "RemediateFinding"} {
			for _, d := range r.changesOf(t, machine, queue) {
				if d.Status == sfntypes.ExecutionStatusRunning {
					return fmt.Errorf("%s is under way", aws.ToString(d.Name))
				}
			}
		}
		return nil
	})
	applied := 0
	for _, d := range r.changesOf(t, "RemediateFinding", queue) {
		if d.Status != sfntypes.ExecutionStatusSucceeded {
			t.Errorf("%s ended as %s: %s", aws.ToString(d.Name), d.Status, aws.ToString(d.Cause))
		} else if ended, _ := outcome(t, d); ended == "applied" {
			applied++
		}
	}
	if applied != 1 {
		t.Errorf("the resource was changed %d times, want once", applied)
	}
}

// TestUnownedResource: what belongs to no stack is changed and given back as well.
func TestUnownedResource(t *testing.T) {
	t.Parallel()
	r := in(regions[0])
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
	if ended := r.undo(t, "undo-by-hand", "", "Resource", queue, plan); ended != "undone" || r.encrypted(t, queue) != "false" {
		t.Errorf("the undo ended as %q, and SqsManagedSseEnabled is %q", ended, r.encrypted(t, queue))
	}
}
