//go:build e2e

package e2e_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// TestStorm: 200 events at once, those of 20 stacks, each of which is delivered
// ten times, as EventBridge may. Each stack is scanned once and none is lost. It
// runs by itself: it takes all of the machine. It hands the events to Intake
// itself: where too much runs, Lambda keeps an event for hours, and the emulator
// gives it up after three attempts.
func TestStorm(t *testing.T) {
	const stacks, deliveries = 20, 10
	r := in(regions[0])
	before := r.executions(t, "ScanStack")
	at := time.Now()
	var events []event
	for i := range stacks {
		id := r.put(t, fmt.Sprintf("Storm%02d", i), `{"Resources": {"Bastion": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": "log in", "VpcId": "vpc-1",
		  "SecurityGroupIngress": [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"}]}}}}`)
		events = append(events, stackChanged(r, id, "CREATE_COMPLETE", at))
	}
	begun := time.Now()
	var group sync.WaitGroup
	slots := make(chan struct{}, 20) // each is a process of this machine
	for range deliveries {
		for _, e := range events {
			group.Go(func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				if _, err := r.invoke(t.Context(), "Intake", e); err != nil {
					t.Error(err)
				}
			})
		}
	}
	group.Wait()
	fresh := map[string]sfntypes.ExecutionStatus{}
	until(t, 2*time.Minute, func() error {
		running := 0
		for name, status := range r.executions(t, "ScanStack") {
			if _, old := before[name]; old {
				continue
			}
			fresh[name] = status
			if status == sfntypes.ExecutionStatusRunning {
				running++
			}
		}
		if len(fresh) < stacks || running > 0 {
			return fmt.Errorf("of %d stacks there are %d executions, %d of them running", stacks, len(fresh), running)
		}
		return nil
	})
	t.Logf("%d events, %d scans in %.1f s", stacks*deliveries, len(fresh), time.Since(begun).Seconds())
	if len(fresh) != stacks {
		t.Errorf("%d executions, want one a stack, %d", len(fresh), stacks)
	}
	for name, status := range fresh {
		if status != sfntypes.ExecutionStatusSucceeded {
			end := r.await(t, "ScanStack", name)
			t.Errorf("%s ended as %s: %s %s", name, status, aws.ToString(end.Error), aws.ToString(end.Cause))
		}
	}
	for i := range stacks {
		rows := 0
		for _, row := range r.rows(t, fmt.Sprintf("Storm%02d", i)) {
			if row.text("violationType") == "ec2-security-group-open-ssh" && strings.HasSuffix(row.text("resourceId"), "/Bastion") {
				rows++
			}
		}
		if rows != 1 {
			t.Errorf("stack %02d has %d rows of its open group, want 1", i, rows)
		}
	}
}
