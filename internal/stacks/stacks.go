// Package stacks reads the deployed stacks of one account and region from
// CloudFormation: what fetchstack and listtargets read on AWS.
package stacks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"

	"plumbline/internal/throttle"
	"plumbline/scan"
)

// Client is what a Region calls of CloudFormation.
type Client interface {
	DescribeStacks(ctx context.Context, in *cloudformation.DescribeStacksInput, opts ...func(*cloudformation.Options)) (*cloudformation.DescribeStacksOutput, error)
	GetTemplate(ctx context.Context, in *cloudformation.GetTemplateInput, opts ...func(*cloudformation.Options)) (*cloudformation.GetTemplateOutput, error)
	ListStacks(ctx context.Context, in *cloudformation.ListStacksInput, opts ...func(*cloudformation.Options)) (*cloudformation.ListStacksOutput, error)
	ListStackResources(ctx context.Context, in *cloudformation.ListStackResourcesInput, opts ...func(*cloudformation.Options)) (*cloudformation.ListStackResourcesOutput, error)
}

// Region is the stacks of the account and region that its client asks. Safe
// for concurrent use.
type Region struct {
	client Client
	name   string
}

// New returns the stacks of the region with this name.
func New(c *cloudformation.Client, region string) *Region {
	return Over(calls{c.DescribeStacks, c.GetTemplate, c.ListStacks, c.ListStackResources}, region)
}

// Over is New for anything that answers as CloudFormation does.
func Over(c Client, region string) *Region { return &Region{client: c, name: region} }

// Fetch reads a stack's template, as macros and SAM's transform have left it,
// and the parameters that it is deployed with. A NoEcho parameter has the
// asterisks that CloudFormation shows, by which package cfn knows that its
// value is hidden: without them it would take the default for the value. A
// stack that is not there, or not yet, is a snapshot that is Gone.
func (r *Region) Fetch(ctx context.Context, t scan.Target) (*scan.Snapshot, error) {
	if t.Stack == "" {
		return nil, fmt.Errorf("target %s is no stack. name one", t)
	}
	if t.Region != "" && t.Region != r.name {
		return nil, fmt.Errorf("%s is not in region %s. each region scans its own stacks", t, r.name)
	}
	gone := &scan.Snapshot{Target: t, Gone: true}
	described, err := r.client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &t.Stack})
	switch {
	case missing(err):
		return gone, nil
	case err != nil:
		return nil, fmt.Errorf("describe stack %q: %w", t.Stack, throttle.Wrap(err, scan.ErrThrottled))
	case len(described.Stacks) == 0 || slices.Contains(nothingDeployed, described.Stacks[0].StackStatus):
		return gone, nil
	}
	if here, err := target(aws.ToString(described.Stacks[0].StackId), t.Stack); err == nil && t.Account != "" && t.Account != here.Account {
		return nil, fmt.Errorf("%s is not in account %s, which has a stack of that name. each account scans its own stacks", t, here.Account)
	}
	template, err := r.client.GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: &t.Stack, TemplateStage: types.TemplateStageProcessed})
	switch {
	case missing(err): // deleted between the two calls
		return gone, nil
	case err != nil:
		return nil, fmt.Errorf("get the template of stack %q: %w", t.Stack, throttle.Wrap(err, scan.ErrThrottled))
	}
	s := &scan.Snapshot{Target: t, Source: []byte(aws.ToString(template.TemplateBody)), Parameters: map[string]string{}}
	for _, p := range described.Stacks[0].Parameters {
		s.Parameters[aws.ToString(p.ParameterKey)] = aws.ToString(p.ParameterValue)
	}
	return s, nil
}

// Targets lists every stack that has resources, nested ones too: each has a
// template of its own.
func (r *Region) Targets(ctx context.Context) ([]scan.Target, error) {
	var out []scan.Target
	in := &cloudformation.ListStacksInput{StackStatusFilter: withResources()}
	for {
		page, err := r.client.ListStacks(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("list stacks after %d: %w", len(out), throttle.Wrap(err, scan.ErrThrottled))
		}
		for _, s := range page.StackSummaries {
			t, err := target(aws.ToString(s.StackId), aws.ToString(s.StackName))
			if err != nil {
				return nil, err
			}
			out = append(out, t)
		}
		if aws.ToString(page.NextToken) == "" {
			return out, nil
		}
		in.NextToken = page.NextToken
	}
}

// nothingDeployed are the states of a stack that has no resources: deleted, or
// made by a change set that nobody has executed.
var nothingDeployed = []types.StackStatus{types.StackStatusDeleteComplete, types.StackStatusReviewInProgress}

// withResources are all states but those.
func withResources() []types.StackStatus {
	return slices.DeleteFunc(types.StackStatus("").Values(), func(s types.StackStatus) bool { return slices.Contains(nothingDeployed, s) })
}

// target reads account and region from a stack's id, an ARN:
// arn:aws:cloudformation:eu-west-1:111122223333:stack/Payments/0a1b….
func target(id, name string) (scan.Target, error) {
	part := strings.Split(id, ":")
	if len(part) != 6 || part[2] != "cloudformation" {
		return scan.Target{}, fmt.Errorf("id %q of stack %q is no ARN of CloudFormation", id, name)
	}
	return scan.Target{Stack: name, Account: part[4], Region: part[3]}, nil
}

// missing reports whether a stack does not exist. CloudFormation has no error
// of its own for that, but one for every argument it refuses.
// Source: CloudFormation API Reference, DescribeStacks: "If the stack doesn't exist, a ValidationError is returned".
func missing(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == "ValidationError" && strings.Contains(api.ErrorMessage(), "does not exist")
}
