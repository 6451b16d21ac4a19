//go:build e2e

package e2e_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// flawed has violations of each severity: a group that anybody may log in
// through, a bucket and a topic as CloudFormation makes them by default.
const flawed = `{"Resources": {
  "Bastion": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": "log in", "VpcId": "vpc-1",
    "SecurityGroupIngress": [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"}]}},
  "Cards": {"Type": "AWS::S3::Bucket"},
  "Orders": {"Type": "AWS::SNS::Topic"}}}`

// closed is flawed with the group closed and a bucket that keeps versions.
const closed = `{"Resources": {
  "Bastion": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": "log in", "VpcId": "vpc-1",
    "SecurityGroupIngress": [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "10.1.0.0/16"}]}},
  "Cards": {"Type": "AWS::S3::Bucket", "Properties": {"VersioningConfiguration": {"Status": "Enabled"}}},
  "Orders": {"Type": "AWS::SNS::Topic"}}}`

// event is an event as EventBridge delivers it.
type event map[string]any

var eventNumber atomic.Int64

func newEvent(r *region, source, kind string, at time.Time, detail any, resources ...string) event {
	return event{
		"version": "0", "id": fmt.Sprintf("6a7e8feb-b491-4cf7-a9f1-%012d", eventNumber.Add(1)), "source": source, "detail-type": kind,
		"account": account, "region": r.name, "time": at.UTC().Format(time.RFC3339), "resources": append([]string{}, resources...), "detail": detail,
	}
}

// stackChanged is the event of a stack's change. Source: CloudFormation User
// Guide, "Stack Status Change event detail".
func stackChanged(r *region, id, status string, at time.Time) event {
	return newEvent(r, "aws.cloudformation", "CloudFormation Stack Status Change", at, map[string]any{
		"stack-id": id, "status-details": map[string]any{"status": status, "status-reason": ""}, "client-request-token": "",
	}, id)
}

// scheduled is what a rule with a schedule sends.
func scheduled(r *region, at time.Time) event {
	return newEvent(r, "aws.events", "Scheduled Event", at, map[string]any{}, "arn:aws:events:"+r.name+":"+account+":rule/Daily")
}

// TestScan follows the change of a stack, in each region, from its event to
// the row, the report and the people who are told.
func TestScan(t *testing.T) {
	for _, name := range regions {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := in(name)
			boxes := subscribe(t, r)
			id := r.put(t, "Payments", flawed)
			begun := time.Now().Truncate(time.Second)
			end := r.scan(t, "ScanStack", stackChanged(r, id, "CREATE_COMPLETE", begun))
			if end.Status != sfntypes.ExecutionStatusSucceeded {
				t.Fatalf("the execution ended as %s: %s", end.Status, deref(end.Cause))
			}
			for _, row := range r.rows(t, "Payments") {
				fmt.Println(row.text("resourceId"), row.text("timestamp"), row.text("violationType"), row.text("severity"), row.text("status"), row.text("remediationSteps"), row.number("expiresAt"))
			}
			for _, l := range boxes.letters(t, "Payments") {
				fmt.Println(l.To, l.Subject, l.attributes)
			}
			fmt.Println(strings.Join(r.objects(t, ""), "\n"))
		})
	}
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

var _ = json.Marshal
