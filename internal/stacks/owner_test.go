package stacks_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"plumbline/internal/awsfake"
	"plumbline/internal/stacks"
	"plumbline/scan"
)

type ownerClient func(physical string) ([]types.StackResource, error)

func (f ownerClient) DescribeStackResources(_ context.Context, in *cloudformation.DescribeStackResourcesInput, _ ...func(*cloudformation.Options)) (*cloudformation.DescribeStackResourcesOutput, error) {
	list, err := f(aws.ToString(in.PhysicalResourceId))
	return &cloudformation.DescribeStackResourcesOutput{StackResources: list}, err
}

// TestOwnerOf: a resource is found by id and type, and throttling is told from
// the absence of an owner.
func TestOwnerOf(t *testing.T) {
	of := func(logical, typ, physical string) types.StackResource {
		return types.StackResource{StackName: aws.String("Shop"), StackId: aws.String("arn:shop"), LogicalResourceId: &logical, ResourceType: &typ, PhysicalResourceId: &physical}
	}
	owners := stacks.NewOwners(ownerClient(func(physical string) ([]types.StackResource, error) {
		switch physical {
		case "jobs":
			return []types.StackResource{of("Policy", "AWS::SQS::QueuePolicy", "jobs"), of("Other", "AWS::SQS::Queue", "other"), of("Jobs", "AWS::SQS::Queue", "jobs")}, nil
		case "busy":
			return nil, &smithy.GenericAPIError{Code: "Throttling", Message: "Rate exceeded"}
		case "hidden":
			return nil, &smithy.GenericAPIError{Code: "AccessDenied", Message: "not authorized to perform: cloudformation:DescribeStackResources"}
		}
		return nil, &smithy.GenericAPIError{Code: "ValidationError", Message: "Stack for " + physical + " does not exist"}
	}))
	for _, tc := range []struct {
		name, typ, id string
		want          scan.Owner
		owned, busy   bool
		err           bool
	}{
		{name: "of a stack", typ: "AWS::SQS::Queue", id: "jobs", want: scan.Owner{Stack: "Shop", StackID: "arn:shop", LogicalID: "Jobs"}, owned: true},
		{name: "another type of that id", typ: "AWS::SNS::Topic", id: "jobs"},
		{name: "of nobody", typ: "AWS::SQS::Queue", id: "mine"},
		{name: "throttled", typ: "AWS::SQS::Queue", id: "busy", busy: true, err: true},
		{name: "denied", typ: "AWS::SQS::Queue", id: "hidden", err: true},
	} {
		got, owned, err := owners.OwnerOf(t.Context(), tc.typ, tc.id)
		if diff := cmp.Diff(tc.want, got); diff != "" || owned != tc.owned {
			t.Errorf("%s: owned %v, want %v (-want +got):\n%s", tc.name, owned, tc.owned, diff)
		}
		if (err != nil) != tc.err || errors.Is(err, scan.ErrThrottled) != tc.busy {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}

// TestAnotherAccount: a stack is not taken for one of its name in another account.
func TestAnotherAccount(t *testing.T) {
	server := httptest.NewServer(&awsfake.Account{ID: "111122223333", Region: "eu-west-1", Stacks: []*awsfake.Stack{{Name: "Shop", Template: "{}"}}})
	defer server.Close()
	r := stacks.New(cloudformation.NewFromConfig(aws.Config{
		Region: "eu-west-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
	}), "eu-west-1")
	for account, want := range map[string]bool{"111122223333": true, "": true, "999988887777": false} {
		_, err := r.Fetch(t.Context(), scan.Target{Stack: "Shop", Account: account, Region: "eu-west-1"})
		if (err == nil) != want {
			t.Errorf("fetched for account %q: %v", account, err)
		}
	}
}
