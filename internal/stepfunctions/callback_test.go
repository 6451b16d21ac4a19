package stepfunctions_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/smithy-go"

	"plumbline/internal/stepfunctions"
	"plumbline/scan"
)

type success func(*sfn.SendTaskSuccessInput) error

func (f success) SendTaskSuccess(_ context.Context, in *sfn.SendTaskSuccessInput, _ ...func(*sfn.Options)) (*sfn.SendTaskSuccessOutput, error) {
	return &sfn.SendTaskSuccessOutput{}, f(in)
}

func TestDecided(t *testing.T) {
	for _, tc := range []struct {
		name            string
		err             error
		none, throttled bool
	}{
		{"told", nil, true, false},
		{"it waits no longer", &types.TaskTimedOut{}, true, false},
		{"its execution has ended", &types.TaskDoesNotExist{}, true, false},
		{"throttled", &smithy.GenericAPIError{Code: "ThrottlingException"}, false, true},
		{"no token", &types.InvalidToken{}, false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := stepfunctions.NewCallback(success(func(in *sfn.SendTaskSuccessInput) error {
				if *in.TaskToken != "secret" || *in.Output != "{}" {
					t.Errorf("told %q with %s", *in.TaskToken, *in.Output)
				}
				return tc.err
			})).Decided(t.Context(), "secret")
			if (err == nil) != tc.none || errors.Is(err, scan.ErrThrottled) != tc.throttled || err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("error = %v", err)
			}
		})
	}
}
