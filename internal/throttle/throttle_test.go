package throttle_test

import (
	"errors"
	"fmt"
	"testing"

	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"

	"plumbline/internal/throttle"
)

func TestWrap(t *testing.T) {
	sentinel := errors.New("asks to slow down")
	for _, tc := range []struct {
		name string
		err  error
		want bool
	}{
		{"nothing", nil, false},
		{"no error of a service", errors.New("connection refused"), false},
		{"access denied", &smithy.GenericAPIError{Code: "AccessDenied"}, false},
		{"CloudFormation", &smithy.GenericAPIError{Code: "Throttling", Message: "Rate exceeded"}, true},
		{"S3", &smithy.GenericAPIError{Code: "SlowDown"}, true},
		{"Step Functions", &smithy.GenericAPIError{Code: "ThrottlingException"}, true},
		{"SNS", &snstypes.ThrottledException{}, true},
		{"DynamoDB", &dynamotypes.ProvisionedThroughputExceededException{}, true},
		{"DynamoDB's account limit", &dynamotypes.RequestLimitExceeded{}, true},
		{"a missing stack", &cfntypes.StackNotFoundException{}, false},
		{"within others", fmt.Errorf("read: %w", &smithy.OperationError{ServiceID: "S3", Err: &smithy.GenericAPIError{Code: "SlowDown"}}), true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := throttle.Wrap(tc.err, sentinel)
			if errors.Is(got, sentinel) != tc.want {
				t.Errorf("%v became %v", tc.err, got)
			}
			if tc.err != nil && !errors.Is(got, tc.err) {
				t.Errorf("%v lost what it was", got)
			}
		})
	}
}
