package stack_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestCostPageCounts: docs/cost.md prices as many things as are deployed.
func TestCostPageCounts(t *testing.T) {
	page, err := os.ReadFile("../../docs/cost.md")
	if err != nil {
		t.Fatal(err)
	}
	keys, interfaces := 0, 0
	for _, s := range everything() {
		keys += len(s.of("AWS::KMS::Key"))
		for _, e := range s.of("AWS::EC2::VPCEndpoint") {
			if e.Properties["VpcEndpointType"] == "Interface" {
				interfaces++
			}
		}
	}
	for _, want := range []string{
		fmt.Sprintf("| %d keys |", keys),
		fmt.Sprintf("| %d alarms and", len(everything()[suiteStack].of("AWS::CloudWatch::Alarm"))),
		fmt.Sprintf("| %d interface endpoints in 2 zones |", interfaces-1), // without that of SQS, which has a line of its own
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("docs/cost.md has no line with %q. correct bench/cost and run make cost", want)
		}
	}
}
