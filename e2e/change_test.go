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

// TestRemediation: what AWS Config reports is judged, planned, changed on the
// resource itself and judged again, without anybody's help where the policy
// allows that; and it is taken back when somebody asks.
func TestRemediation(t *testing.T) {
	t.Parallel()
	r := in(regions[0])
	id := r.put(t, "Jobs", `{"Resources": {
	  "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"SqsManagedSseEnabled": false}},
	  "Other": {"Type": "AWS::SQS::Queue", "Properties": {"SqsManagedSseEnabled": false}}}}`)
	at := time.Now().Truncate(time.Second)
	r.scan(t, "ScanStack", stackChanged(r, id, "CREATE_COMPLETE", at))
	if of(r.rows(t, "Jobs"), "sqs-queue-encrypted", "Queue") == nil {
		t.Fatal("the plain queue has no row")
	}
	queue := r.physical(t, "Jobs", "Queue")
	a, err := r.invoke(t.Context(), "Intake", noncompliant(r, "AWS::SQS::Queue", queue))
	if err != nil || !a.Started {
		t.Fatalf("nothing was started: %+v, %v", a, err)
	}
	check := r.executions(t, "CheckResource")
	t.Log(check)
	ended := r.changes(t, "ReviewViolation", queue, 1)
	for rule, d := range ended {
		t.Logf("%s %s %s %s", rule, d.Status, aws.ToString(d.Output), aws.ToString(d.Cause))
	}
	for rule, d := range r.changes(t, "RemediateFinding", queue, 1) {
		t.Logf("%s %s %s %s", rule, d.Status, aws.ToString(d.Output), aws.ToString(d.Cause))
	}
	if got := r.encrypted(t, queue); got != "true" {
		t.Errorf("SqsManagedSseEnabled of the queue is %q after its remediation", got)
	}
	if got := r.encrypted(t, r.physical(t, "Jobs", "Other")); got != "false" {
		t.Errorf("SqsManagedSseEnabled of a queue that nobody asked for is %q", got)
	}
}
