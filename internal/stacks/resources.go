package stacks

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"plumbline/internal/throttle"
	"plumbline/scan"
)

// Resources lists what a stack is made of, and the tags that CloudFormation
// puts on it. A resource that is not made yet, or not any more, is left out; so
// is all of a stack that is gone.
func (r *Region) Resources(ctx context.Context, t scan.Target) (scan.Owned, error) {
	out := scan.Owned{Tags: map[string]string{}}
	described, err := r.client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &t.Stack})
	switch {
	case missing(err):
		return out, nil
	case err != nil:
		return out, fmt.Errorf("describe stack %q: %w", t.Stack, throttle.Wrap(err, scan.ErrThrottled))
	case len(described.Stacks) > 0:
		for _, tag := range described.Stacks[0].Tags {
			out.Tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
		}
	}
	in := &cloudformation.ListStackResourcesInput{StackName: &t.Stack}
	for {
		page, err := r.client.ListStackResources(ctx, in)
		switch {
		case missing(err):
			return out, nil
		case err != nil:
			return out, fmt.Errorf("list the resources of stack %q after %d: %w", t.Stack, len(out.Resources), throttle.Wrap(err, scan.ErrThrottled))
		}
		for _, s := range page.StackResourceSummaries {
			if notThere(s.ResourceStatus) {
				continue
			}
			out.Resources = append(out.Resources, scan.OwnedResource{
				LogicalID: aws.ToString(s.LogicalResourceId), Type: aws.ToString(s.ResourceType), Physical: aws.ToString(s.PhysicalResourceId),
			})
		}
		if aws.ToString(page.NextToken) == "" {
			return out, nil
		}
		in.NextToken = page.NextToken
	}
}

// notThere reports whether a resource in this status is certainly not deployed,
// or not yet.
func notThere(s types.ResourceStatus) bool {
	return strings.HasPrefix(string(s), "DELETE_COMPLETE") || s == types.ResourceStatusDeleteSkipped || s == types.ResourceStatusCreateInProgress || s == types.ResourceStatusCreateFailed
}

// Find looks a stack up by its name or id; false where there is none that has
// resources.
func (r *Region) Find(ctx context.Context, name string) (scan.Target, bool, error) {
	out, err := r.client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
	switch {
	case missing(err):
		return scan.Target{}, false, nil
	case err != nil:
		return scan.Target{}, false, fmt.Errorf("describe stack %q: %w", name, throttle.Wrap(err, scan.ErrThrottled))
	case len(out.Stacks) == 0 || slices.Contains(nothingDeployed, out.Stacks[0].StackStatus):
		return scan.Target{}, false, nil
	}
	t, err := target(aws.ToString(out.Stacks[0].StackId), aws.ToString(out.Stacks[0].StackName))
	return t, err == nil, err
}
