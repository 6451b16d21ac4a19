// Package stepfunctions starts executions of state machines: the starter of intake on AWS.
package stepfunctions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"plumbline/internal/throttle"
	"plumbline/scan"
)

// Client is what a Starter calls of Step Functions; *sfn.Client is one.
type Client interface {
	StartExecution(ctx context.Context, in *sfn.StartExecutionInput, opts ...func(*sfn.Options)) (*sfn.StartExecutionOutput, error)
}

// Starter starts executions. Safe for concurrent use.
type Starter struct{ client Client }

// New returns a starter.
func New(c Client) *Starter { return &Starter{client: c} }

// Start starts an execution of the state machine with this ARN. A name that is
// taken is no error, also where its execution has ended or had another input:
// names are made of the event that asked for them.
func (s *Starter) Start(ctx context.Context, workflow, name string, input any) error {
	b, err := json.Marshal(input)
	if err != nil {
		return fmt.Errorf("encode the input of %s: %w", workflow, err)
	}
	_, err = s.client.StartExecution(ctx, &sfn.StartExecutionInput{
		StateMachineArn: &workflow, Name: &name, Input: aws.String(string(b)),
	})
	if err == nil || errors.As(err, new(*types.ExecutionAlreadyExists)) {
		return nil
	}
	return fmt.Errorf("start an execution of %s: %w", workflow, throttle.Wrap(err, scan.ErrThrottled))
}
