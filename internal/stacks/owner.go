package stacks

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"plumbline/internal/throttle"
	"plumbline/scan"
)

// OwnerClient is what Owners call of CloudFormation; *cloudformation.Client is one.
type OwnerClient interface {
	DescribeStackResources(ctx context.Context, in *cloudformation.DescribeStackResourcesInput, opts ...func(*cloudformation.Options)) (*cloudformation.DescribeStackResourcesOutput, error)
}

// Owners says which stack a resource belongs to. Safe for concurrent use.
type Owners struct{ client OwnerClient }

// NewOwners returns the owners of the account and region that the client asks.
func NewOwners(c OwnerClient) *Owners { return &Owners{c} }

// OwnerOf finds the stack by the resource's physical id, as CloudFormation has
// it; false where no stack owns the resource. Several types may have a resource
// of one id, so the type counts as well. Source: CloudFormation API Reference,
// DescribeStackResources, PhysicalResourceId.
func (o *Owners) OwnerOf(ctx context.Context, typ, physical string) (scan.Owner, bool, error) {
	out, err := o.client.DescribeStackResources(ctx, &cloudformation.DescribeStackResourcesInput{PhysicalResourceId: &physical})
	switch {
	case missing(err):
		return scan.Owner{}, false, nil
	case err != nil:
		return scan.Owner{}, false, fmt.Errorf("find the stack of %s %q: %w", typ, physical, throttle.Wrap(err, scan.ErrThrottled))
	}
	// The answer has all resources of the stack.
	for _, r := range out.StackResources {
		if aws.ToString(r.PhysicalResourceId) == physical && aws.ToString(r.ResourceType) == typ {
			return scan.Owner{Stack: aws.ToString(r.StackName), StackID: aws.ToString(r.StackId), LogicalID: aws.ToString(r.LogicalResourceId)}, true, nil
		}
	}
	return scan.Owner{}, false, nil
}
