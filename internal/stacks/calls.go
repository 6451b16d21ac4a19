package stacks

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
)

// call is one operation of CloudFormation.
type call[In, Out any] func(context.Context, *In, ...func(*cloudformation.Options)) (*Out, error)

// calls is a Client of the SDK's client that does not hold it. One that stood
// behind an interface would bring all of CloudFormation's operations into a
// function's binary, since package protobuf, which the rules need, looks
// methods up by name: the linker then keeps those of every type that reflection could reach.
type calls struct {
	describeStacks     call[cloudformation.DescribeStacksInput, cloudformation.DescribeStacksOutput]
	getTemplate        call[cloudformation.GetTemplateInput, cloudformation.GetTemplateOutput]
	listStacks         call[cloudformation.ListStacksInput, cloudformation.ListStacksOutput]
	listStackResources call[cloudformation.ListStackResourcesInput, cloudformation.ListStackResourcesOutput]
}

func (c calls) DescribeStacks(ctx context.Context, in *cloudformation.DescribeStacksInput, opts ...func(*cloudformation.Options)) (*cloudformation.DescribeStacksOutput, error) {
	return c.describeStacks(ctx, in, opts...)
}

func (c calls) GetTemplate(ctx context.Context, in *cloudformation.GetTemplateInput, opts ...func(*cloudformation.Options)) (*cloudformation.GetTemplateOutput, error) {
	return c.getTemplate(ctx, in, opts...)
}

func (c calls) ListStacks(ctx context.Context, in *cloudformation.ListStacksInput, opts ...func(*cloudformation.Options)) (*cloudformation.ListStacksOutput, error) {
	return c.listStacks(ctx, in, opts...)
}

func (c calls) ListStackResources(ctx context.Context, in *cloudformation.ListStackResourcesInput, opts ...func(*cloudformation.Options)) (*cloudformation.ListStackResourcesOutput, error) {
	return c.listStackResources(ctx, in, opts...)
}
