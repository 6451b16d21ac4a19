package sfn_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssfn "github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"plumbline/internal/sfn"
)

// sdk is AWS's own client against a server.
func sdk(a *api) *awssfn.Client {
	client := &http.Client{Transport: &http.Transport{DialContext: a.loopback}}
	return awssfn.New(awssfn.Options{
		Region: "us-east-1", BaseEndpoint: aws.String("http://states.test"), HTTPClient: client,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
		}),
	})
}

// TestSDK holds that AWS's SDK reads every kind of answer, and the errors by their types.
func TestSDK(t *testing.T) {
	ctx := context.Background()
	a := serve(t, sfn.Config{Virtual: true})
	c := sdk(a)
	m, err := c.CreateStateMachine(ctx, &awssfn.CreateStateMachineInput{Name: aws.String("M"), RoleArn: aws.String(role), Definition: aws.String(
		`{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":60,"Next":"P"},"P":{"Type":"Pass","Result":{"ok":true},"Assign":{"v.$":"$"},"End":true}}}`)})
	if err != nil {
		t.Fatal(err)
	}
	x, err := c.StartExecution(ctx, &awssfn.StartExecutionInput{StateMachineArn: m.StateMachineArn, Input: aws.String(`{}`)})
	if err != nil {
		t.Fatal(err)
	}
	d := &awssfn.DescribeExecutionOutput{}
	for d.Status != types.ExecutionStatusSucceeded {
		if d, err = c.DescribeExecution(ctx, &awssfn.DescribeExecutionInput{ExecutionArn: x.ExecutionArn}); err != nil {
			t.Fatal(err)
		}
	}
	if aws.ToString(d.Output) != `{"ok":true}` || d.StopDate.Sub(*d.StartDate) < time.Minute || !d.InputDetails.Included {
		t.Errorf("%+v", d)
	}
	events := 0
	for p := awssfn.NewGetExecutionHistoryPaginator(c, &awssfn.GetExecutionHistoryInput{ExecutionArn: x.ExecutionArn, MaxResults: 2}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Events {
			if events++; e.Id != int64(events) || e.Timestamp.IsZero() {
				t.Errorf("%+v", e)
			}
			if e.Type == types.HistoryEventTypePassStateExited && e.StateExitedEventDetails.AssignedVariables["v"] != `{"ok":true}` {
				t.Errorf("%+v", e.StateExitedEventDetails)
			}
		}
	}
	if events != 6 {
		t.Errorf("%d events", events)
	}
	list, err := c.ListExecutions(ctx, &awssfn.ListExecutionsInput{StateMachineArn: m.StateMachineArn})
	if err != nil || len(list.Executions) != 1 {
		t.Error(list, err)
	}
	v, err := c.ValidateStateMachineDefinition(ctx, &awssfn.ValidateStateMachineDefinitionInput{Definition: aws.String(`{"StartAt":"A","States":{"A":{"Type":"Pas"}}}`)})
	if err != nil || v.Result != types.ValidateStateMachineDefinitionResultCodeFail || len(v.Diagnostics) == 0 || aws.ToString(v.Diagnostics[0].Message) == "" {
		t.Errorf("%+v %v", v, err)
	}
	if e, err := c.CreateStateMachine(ctx, &awssfn.CreateStateMachineInput{Name: aws.String("E"), RoleArn: aws.String(role), Definition: aws.String(pass), Type: types.StateMachineTypeExpress}); err != nil {
		t.Error(err)
	} else if s, err := c.StartSyncExecution(ctx, &awssfn.StartSyncExecutionInput{StateMachineArn: e.StateMachineArn, Input: aws.String(`5`)}); err != nil || aws.ToString(s.Output) != "5" || s.BillingDetails == nil {
		t.Errorf("%+v %v", s, err) // the SDK sends it to sync-states.test
	}

	_, err = c.DescribeExecution(ctx, &awssfn.DescribeExecutionInput{ExecutionArn: aws.String(*x.ExecutionArn + "z")})
	if !errors.As(err, new(*types.ExecutionDoesNotExist)) {
		t.Error(err)
	}
	_, err = c.SendTaskSuccess(ctx, &awssfn.SendTaskSuccessInput{TaskToken: aws.String("t"), Output: aws.String("1")})
	if !errors.As(err, new(*types.InvalidToken)) {
		t.Error(err)
	}
	_, err = c.CreateStateMachine(ctx, &awssfn.CreateStateMachineInput{Name: aws.String("B"), RoleArn: aws.String(role), Definition: aws.String("{")})
	if !errors.As(err, new(*types.InvalidDefinition)) {
		t.Error(err)
	}
}
