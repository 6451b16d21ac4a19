package stepfunctions

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"plumbline/internal/throttle"
	"plumbline/scan"
)

// CallbackClient is what a Callback calls of Step Functions; *sfn.Client is one.
type CallbackClient interface {
	SendTaskSuccess(ctx context.Context, in *sfn.SendTaskSuccessInput, opts ...func(*sfn.Options)) (*sfn.SendTaskSuccessOutput, error)
}

// Callback tells executions that wait for people to go on. Safe for concurrent use.
type Callback struct{ client CallbackClient }

// NewCallback returns a callback.
func NewCallback(c CallbackClient) *Callback { return &Callback{c} }

// Decided ends the wait of the state that has this token. The output says
// nothing: the state behind it reads the ledger. A token that no longer waits
// is no error. The token is in no error's text.
func (c *Callback) Decided(ctx context.Context, token string) error {
	_, err := c.client.SendTaskSuccess(ctx, &sfn.SendTaskSuccessInput{TaskToken: &token, Output: aws.String("{}")})
	if err == nil || errors.As(err, new(*types.TaskTimedOut)) || errors.As(err, new(*types.TaskDoesNotExist)) {
		return nil
	}
	return fmt.Errorf("tell the workflow that waits: %w", throttle.Wrap(err, scan.ErrThrottled))
}
