package stepfunctions_test

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/smithy-go"

	"plumbline/internal/stepfunctions"
	"plumbline/scan"
)

const machine = "arn:aws:states:eu-west-1:111122223333:stateMachine:ScanStack"

// start stands in for the service.
type start func(*sfn.StartExecutionInput) error

func (f start) StartExecution(_ context.Context, in *sfn.StartExecutionInput, _ ...func(*sfn.Options)) (*sfn.StartExecutionOutput, error) {
	if err := f(in); err != nil {
		return nil, err
	}
	return &sfn.StartExecutionOutput{}, nil
}

func TestStart(t *testing.T) {
	s := stepfunctions.New(start(func(in *sfn.StartExecutionInput) error {
		if *in.StateMachineArn != machine || *in.Name != "Payments-1" || *in.Input != `{"scanId":"s1"}` {
			t.Errorf("started %q as %q with %s", *in.StateMachineArn, *in.Name, *in.Input)
		}
		return nil
	}))
	if err := s.Start(t.Context(), machine, "Payments-1", map[string]string{"scanId": "s1"}); err != nil {
		t.Error(err)
	}
	if err := s.Start(t.Context(), machine, "Payments-1", func() {}); err == nil {
		t.Error("an input that is no JSON is started")
	}
}

func TestErrors(t *testing.T) {
	for _, tc := range []struct {
		name            string
		err             error
		none, throttled bool
	}{
		{"a name that is taken", &types.ExecutionAlreadyExists{}, true, false},
		{"throttled", &smithy.GenericAPIError{Code: "ThrottlingException"}, false, true},
		{"no such machine", &types.StateMachineDoesNotExist{}, false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := stepfunctions.New(start(func(*sfn.StartExecutionInput) error { return tc.err })).Start(t.Context(), machine, "n", nil)
			if (err == nil) != tc.none || errors.Is(err, scan.ErrThrottled) != tc.throttled || !tc.none && !errors.Is(err, tc.err) {
				t.Errorf("error = %v", err)
			}
		})
	}
}
