package stacks

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"plumbline/cfn"
	"plumbline/finding"
	"plumbline/internal/throttle"
	"plumbline/scan"
)

// Around are the resources of the stack that owns a resource, as its template
// has them; nil where no stack does, or its template cannot be read as one.
func (r *Region) Around(ctx context.Context, of finding.Resource) (*cfn.Model, error) {
	t, in, err := r.Template(ctx, of)
	if err != nil || t == nil {
		return nil, err
	}
	worlds := t.Worlds(in)
	if len(worlds) == 0 {
		return nil, nil
	}
	return worlds[0], nil
}

// Template is the template that the stack which owns a resource was deployed
// from, with the stack's parameters; nil where no stack does, or it cannot be
// read as one.
func (r *Region) Template(ctx context.Context, of finding.Resource) (*cfn.Template, cfn.Inputs, error) {
	if of.Stack == "" {
		return nil, cfn.Inputs{}, nil
	}
	s, err := r.Fetch(ctx, scan.Target{Stack: of.Stack, Account: of.Account, Region: of.Region})
	if err != nil || s.Gone {
		return nil, cfn.Inputs{}, err
	}
	t, err := cfn.Parse(of.Stack, s.Source)
	if err != nil {
		return nil, cfn.Inputs{}, nil //nolint:nilerr // what a template that cannot be read says is not known
	}
	return t, cfn.Inputs{Parameters: s.Parameters, Account: of.Account, Region: of.Region, Stack: of.Stack}, nil
}

// Updating says in which state the stack is that owns a resource where
// CloudFormation changes it now; "" where it is at rest, gone, or none does.
func (r *Region) Updating(ctx context.Context, of finding.Resource) (string, error) {
	if of.Stack == "" {
		return "", nil
	}
	out, err := r.client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &of.Stack})
	switch {
	case missing(err):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("describe stack %q: %w", of.Stack, throttle.Wrap(err, scan.ErrThrottled))
	case len(out.Stacks) == 0 || slices.Contains(nothingDeployed, out.Stacks[0].StackStatus):
		return "", nil
	}
	if state := string(out.Stacks[0].StackStatus); strings.HasSuffix(state, "_IN_PROGRESS") {
		return state, nil
	}
	return "", nil
}
