package stacks_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"plumbline/finding"
	"plumbline/internal/stacks"
)

func TestUpdating(t *testing.T) {
	for status, want := range map[types.StackStatus]string{
		types.StackStatusUpdateInProgress: "UPDATE_IN_PROGRESS", types.StackStatusUpdateRollbackCompleteCleanupInProgress: "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
		types.StackStatusUpdateComplete: "", types.StackStatusDeleteComplete: "", types.StackStatusReviewInProgress: "",
	} {
		got, err := stacks.Over(service{describe: stack(status)}, "eu-west-1").Updating(t.Context(), finding.Resource{Stack: "Payments"})
		if err != nil || got != want {
			t.Errorf("%s: %q %v, want %q", status, got, err, want)
		}
	}
	none := service{describe: func(*cloudformation.DescribeStacksInput) (*cloudformation.DescribeStacksOutput, error) {
		return nil, noStack
	}}
	if got, err := stacks.Over(none, "eu-west-1").Updating(t.Context(), finding.Resource{Stack: "Payments"}); got != "" || err != nil {
		t.Errorf("a stack that is gone: %q %v", got, err)
	}
}

func TestAround(t *testing.T) {
	s := service{describe: stack(types.StackStatusCreateComplete), template: text(`{"Resources":{"Jobs":{"Type":"AWS::SQS::Queue"},"More":{"Type":"AWS::SQS::Queue"}}}`)}
	m, err := stacks.Over(s, "eu-west-1").Around(t.Context(), finding.Resource{Stack: "Payments", Region: "eu-west-1"})
	if err != nil || m == nil || len(m.Resources) != 2 {
		t.Errorf("%+v %v", m, err)
	}
	s.template = text("{")
	for name, r := range map[string]finding.Resource{"no stack": {}, "no template": {Stack: "Payments"}} {
		if m, err := stacks.Over(s, "eu-west-1").Around(t.Context(), r); m != nil || err != nil {
			t.Errorf("%s: %+v %v", name, m, err)
		}
	}
}
