package stacks_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"plumbline/internal/stacks"
	"plumbline/scan"
)

// service stands in for CloudFormation; a call that a test does not expect fails it.
type service struct {
	describe func(*cloudformation.DescribeStacksInput) (*cloudformation.DescribeStacksOutput, error)
	template func(*cloudformation.GetTemplateInput) (*cloudformation.GetTemplateOutput, error)
	list     func(*cloudformation.ListStacksInput) (*cloudformation.ListStacksOutput, error)
	owned    func(*cloudformation.ListStackResourcesInput) (*cloudformation.ListStackResourcesOutput, error)
}

func (s service) ListStackResources(_ context.Context, in *cloudformation.ListStackResourcesInput, _ ...func(*cloudformation.Options)) (*cloudformation.ListStackResourcesOutput, error) {
	if s.owned == nil {
		return nil, errors.New("the resources are not asked for")
	}
	return s.owned(in)
}

func (s service) DescribeStacks(_ context.Context, in *cloudformation.DescribeStacksInput, _ ...func(*cloudformation.Options)) (*cloudformation.DescribeStacksOutput, error) {
	return s.describe(in)
}

func (s service) GetTemplate(_ context.Context, in *cloudformation.GetTemplateInput, _ ...func(*cloudformation.Options)) (*cloudformation.GetTemplateOutput, error) {
	if s.template == nil {
		return nil, errors.New("the template is not asked for")
	}
	return s.template(in)
}

func (s service) ListStacks(_ context.Context, in *cloudformation.ListStacksInput, _ ...func(*cloudformation.Options)) (*cloudformation.ListStacksOutput, error) {
	return s.list(in)
}

var (
	payments  = scan.Target{Stack: "Payments", Account: "111122223333", Region: "eu-west-1"}
	noStack   = &smithy.GenericAPIError{Code: "ValidationError", Message: "Stack with id Payments does not exist"}
	denied    = &smithy.GenericAPIError{Code: "AccessDenied", Message: "not authorized"}
	refused   = &smithy.GenericAPIError{Code: "ValidationError", Message: "the name is too long"}
	throttled = &smithy.GenericAPIError{Code: "Throttling", Message: "Rate exceeded"}
)

func stack(status types.StackStatus, parameters ...types.Parameter) func(*cloudformation.DescribeStacksInput) (*cloudformation.DescribeStacksOutput, error) {
	return func(in *cloudformation.DescribeStacksInput) (*cloudformation.DescribeStacksOutput, error) {
		if *in.StackName != "Payments" {
			return nil, fmt.Errorf("asked for %q", *in.StackName)
		}
		return &cloudformation.DescribeStacksOutput{Stacks: []types.Stack{{StackStatus: status, Parameters: parameters}}}, nil
	}
}

func text(body string) func(*cloudformation.GetTemplateInput) (*cloudformation.GetTemplateOutput, error) {
	return func(in *cloudformation.GetTemplateInput) (*cloudformation.GetTemplateOutput, error) {
		if *in.StackName != "Payments" || in.TemplateStage != types.TemplateStageProcessed {
			return nil, fmt.Errorf("asked for %q, stage %q", *in.StackName, in.TemplateStage)
		}
		return &cloudformation.GetTemplateOutput{TemplateBody: &body}, nil
	}
}

func TestFetch(t *testing.T) {
	failing := func(err error) func(*cloudformation.DescribeStacksInput) (*cloudformation.DescribeStacksOutput, error) {
		return func(*cloudformation.DescribeStacksInput) (*cloudformation.DescribeStacksOutput, error) {
			return nil, err
		}
	}
	noTemplate := func(err error) func(*cloudformation.GetTemplateInput) (*cloudformation.GetTemplateOutput, error) {
		return func(*cloudformation.GetTemplateInput) (*cloudformation.GetTemplateOutput, error) { return nil, err }
	}
	parameter := func(key, value string) types.Parameter {
		return types.Parameter{ParameterKey: &key, ParameterValue: &value}
	}
	gone := &scan.Snapshot{Target: payments, Gone: true}
	for _, tc := range []struct {
		name    string
		service service
		want    *scan.Snapshot
		wantErr error
	}{
		{"deployed", service{describe: stack(types.StackStatusUpdateComplete, parameter("Stage", "prod"), parameter("Password", "****")), template: text("Resources: {}")},
			&scan.Snapshot{Target: payments, Source: []byte("Resources: {}"), Parameters: map[string]string{"Stage": "prod", "Password": "****"}}, nil},
		{"never there", service{describe: failing(noStack)}, gone, nil},
		{"deleted", service{describe: stack(types.StackStatusDeleteComplete)}, gone, nil},
		{"a change set nobody executed", service{describe: stack(types.StackStatusReviewInProgress)}, gone, nil},
		{"deleted meanwhile", service{describe: stack(types.StackStatusDeleteInProgress), template: noTemplate(noStack)}, gone, nil},
		{"denied", service{describe: failing(denied)}, nil, denied},
		{"throttled", service{describe: failing(throttled)}, nil, scan.ErrThrottled},
		{"throttled at the template", service{describe: stack(types.StackStatusCreateComplete), template: noTemplate(throttled)}, nil, scan.ErrThrottled},
		{"another refusal", service{describe: failing(refused)}, nil, refused},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := stacks.Over(tc.service, "eu-west-1").Fetch(t.Context(), payments)
			if !cmp.Equal(tc.wantErr, err, cmpopts.EquateErrors()) {
				t.Errorf("error = %v, want %v", err, tc.wantErr)
			}
			if errors.Is(err, scan.ErrThrottled) != errors.Is(tc.wantErr, scan.ErrThrottled) {
				t.Errorf("throttled: %v", err)
			}
			if diff := cmp.Diff(tc.want, got, cmpopts.IgnoreUnexported(scan.Snapshot{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	for _, other := range []scan.Target{{Path: "a.yaml"}, {Stack: "Payments", Region: "us-east-1"}} {
		if s, err := stacks.Over(service{}, "eu-west-1").Fetch(t.Context(), other); err == nil {
			t.Errorf("%v was fetched: %+v", other, s)
		}
	}
}

func TestAHiddenParameterIsNotItsDefault(t *testing.T) {
	src := `{"Parameters":{"Open":{"Type":"String","NoEcho":true,"Default":"no"}},"Resources":{"Cards":{"Type":"AWS::S3::Bucket","Properties":{"BucketName":{"Ref":"Open"}}}}}`
	s, err := stacks.Over(service{
		describe: stack(types.StackStatusCreateComplete, types.Parameter{ParameterKey: aws.String("Open"), ParameterValue: aws.String("****")}),
		template: text(src),
	}, "eu-west-1").Fetch(t.Context(), payments)
	if err != nil {
		t.Fatal(err)
	}
	models, err := s.Models()
	if err != nil {
		t.Fatal(err)
	}
	if v := models[0].Resource("Cards").Properties.Get("BucketName"); v.Unknown == nil {
		t.Errorf("the hidden value is taken to be %q", v.Text)
	}
}

func TestTargets(t *testing.T) {
	summary := func(name string) types.StackSummary {
		return types.StackSummary{StackName: &name, StackId: aws.String("arn:aws:cloudformation:eu-west-1:111122223333:stack/" + name + "/0a1b")}
	}
	var asked []string
	s := service{list: func(in *cloudformation.ListStacksInput) (*cloudformation.ListStacksOutput, error) {
		for _, status := range []types.StackStatus{types.StackStatusDeleteComplete, types.StackStatusReviewInProgress} {
			if slices.Contains(in.StackStatusFilter, status) {
				t.Errorf("stacks in state %s are listed", status)
			}
		}
		if !slices.Contains(in.StackStatusFilter, types.StackStatusUpdateRollbackFailed) {
			t.Error("a stack whose update failed has resources all the same")
		}
		asked = append(asked, aws.ToString(in.NextToken))
		if in.NextToken == nil {
			return &cloudformation.ListStacksOutput{StackSummaries: []types.StackSummary{summary("Payments")}, NextToken: aws.String("more")}, nil
		}
		return &cloudformation.ListStacksOutput{StackSummaries: []types.StackSummary{summary("Shop")}}, nil
	}}
	got, err := stacks.Over(s, "eu-west-1").Targets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []scan.Target{payments, {Stack: "Shop", Account: "111122223333", Region: "eu-west-1"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"", "more"}, asked); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
}

func TestTargetsFail(t *testing.T) {
	for _, tc := range []struct {
		name      string
		out       *cloudformation.ListStacksOutput
		err       error
		throttled bool
	}{
		{"throttled", nil, throttled, true},
		{"denied", nil, denied, false},
		{"an id that is no ARN", &cloudformation.ListStacksOutput{StackSummaries: []types.StackSummary{{StackName: aws.String("P"), StackId: aws.String("P")}}}, nil, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := service{list: func(*cloudformation.ListStacksInput) (*cloudformation.ListStacksOutput, error) { return tc.out, tc.err }}
			_, err := stacks.Over(s, "eu-west-1").Targets(t.Context())
			if err == nil || errors.Is(err, scan.ErrThrottled) != tc.throttled {
				t.Errorf("error = %v", err)
			}
		})
	}
}

func TestResources(t *testing.T) {
	one := func(id string, status types.ResourceStatus) types.StackResourceSummary {
		return types.StackResourceSummary{LogicalResourceId: &id, ResourceType: aws.String("AWS::S3::Bucket"), PhysicalResourceId: aws.String("payments-" + id), ResourceStatus: status}
	}
	s := service{
		describe: func(*cloudformation.DescribeStacksInput) (*cloudformation.DescribeStacksOutput, error) {
			return &cloudformation.DescribeStacksOutput{Stacks: []types.Stack{{Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("pay")}}}}}, nil
		},
		owned: func(in *cloudformation.ListStackResourcesInput) (*cloudformation.ListStackResourcesOutput, error) {
			if in.NextToken == nil {
				return &cloudformation.ListStackResourcesOutput{StackResourceSummaries: []types.StackResourceSummary{one("Old", types.ResourceStatusDeleteComplete), one("A", types.ResourceStatusCreateComplete)}, NextToken: aws.String("more")}, nil
			}
			return &cloudformation.ListStackResourcesOutput{StackResourceSummaries: []types.StackResourceSummary{one("B", types.ResourceStatusUpdateFailed)}}, nil
		},
	}
	got, err := stacks.Over(s, "eu-west-1").Resources(t.Context(), payments)
	want := scan.Owned{Tags: map[string]string{"team": "pay"}, Resources: []scan.OwnedResource{{LogicalID: "A", Type: "AWS::S3::Bucket", Physical: "payments-A"}, {LogicalID: "B", Type: "AWS::S3::Bucket", Physical: "payments-B"}}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	s.owned = func(*cloudformation.ListStackResourcesInput) (*cloudformation.ListStackResourcesOutput, error) {
		return nil, noStack
	}
	if got, err := stacks.Over(s, "eu-west-1").Resources(t.Context(), payments); err != nil || len(got.Resources) > 0 {
		t.Errorf("a stack that is gone meanwhile: %v %v", got, err)
	}
	s.owned = func(*cloudformation.ListStackResourcesInput) (*cloudformation.ListStackResourcesOutput, error) {
		return nil, throttled
	}
	if _, err := stacks.Over(s, "eu-west-1").Resources(t.Context(), payments); !errors.Is(err, scan.ErrThrottled) {
		t.Errorf("error = %v", err)
	}
}
