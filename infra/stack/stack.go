// Package stack is plumbline on AWS as CDK stacks: two a region, one of what is
// kept and one of what runs. It reads no environment and no file but the
// functions' binaries: what it makes follows from the deployment it is handed.
package stack

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"plumbline/infra/deployment"
	"plumbline/infra/permission"
)

// Options are what stacks are made of beside the deployment.
type Options struct {
	Functions string // folder with FOLDER/bootstrap for each task folder; `make functions` fills it
	BundleKey string // object with the organisation's policy and rules; "": none
}

// NewApp makes an app with the settings of CDK that the stacks are written for.
// Templates go to a folder; "": where CDK's command line says.
func NewApp(folder string) awscdk.App {
	props := &awscdk.AppProps{AnalyticsReporting: jsii.Bool(false), Context: &map[string]any{
		"@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy": true,     // access logs without access control lists
		"@aws-cdk/core:enablePartitionLiterals":           true,     // arn:aws:… where the region is known
		"@aws-cdk/core:defaultCrossStackReferences":       "strong", // what the suite uses cannot be taken from under it
	}}
	if folder != "" {
		props.Outdir = jsii.String(folder)
	}
	return awscdk.NewApp(props)
}

// Names of the stacks, the same in each region.
const (
	DataName  = "PlumblineData"
	SuiteName = "PlumblineSuite"
)

// Add adds the stacks of every region to the app. Everything that is missing
// among the functions is told together.
func Add(app awscdk.App, d deployment.Deployment, o Options) error {
	if err := o.check(d); err != nil {
		return err
	}
	for _, region := range d.Regions() {
		if err := addRegion(app, d, o, region); err != nil {
			return fmt.Errorf("region %s: %w", region, err)
		}
	}
	return nil
}

func addRegion(app awscdk.App, d deployment.Deployment, o Options, region string) error {
	props := func(name, description string) *awscdk.StackProps {
		return &awscdk.StackProps{
			StackName: jsii.String(name), Description: jsii.String(description),
			Env: &awscdk.Environment{Account: jsii.String(d.Account), Region: jsii.String(region)},
		}
	}
	keep := props(DataName, "plumbline: findings, reports, ledger and keys. Kept when the stack is deleted")
	keep.TerminationProtection = jsii.Bool(true)
	data := newData(app, DataName+"-"+region, keep, d)
	suite, err := newSuite(app, SuiteName+"-"+region, props(SuiteName, "plumbline: functions, workflows, events and alerts"), d, o, data)
	if err != nil {
		return err
	}
	for _, s := range []awscdk.Stack{data.stack, suite.stack} {
		tags := awscdk.Tags_Of(s)
		tags.Add(jsii.String("application"), jsii.String("plumbline"), nil)
		for k, v := range d.Tags {
			tags.Add(jsii.String(k), jsii.String(v), nil)
		}
	}
	return nil
}

func (o Options) check(d deployment.Deployment) error {
	var errs []error
	seen := map[string]bool{}
	for _, t := range scopeOf(d).Tasks() {
		if seen[t.Folder] {
			continue
		}
		seen[t.Folder] = true
		if _, err := os.Stat(filepath.Join(o.Functions, t.Folder, "bootstrap")); err != nil {
			errs = append(errs, fmt.Errorf("function %s: %w. run make functions", t.Folder, err))
		}
	}
	return errors.Join(errs...)
}

// scopeOf is what of a deployment roles depend on.
func scopeOf(d deployment.Deployment) permission.Scope {
	s := permission.Scope{Changes: d.Changes(), Page: pageOf(d)}
	for _, w := range d.Webhooks {
		s.Secrets = append(s.Secrets, w.Secret)
	}
	return s
}

// group is a construct that holds the resources of one of the suite's functions.
func group(scope constructs.Construct, name string) constructs.Construct {
	return constructs.NewConstruct(scope, jsii.String(name))
}

// resourceOf is the resource that a construct is made of.
func resourceOf(c constructs.IConstruct) awscdk.CfnResource {
	return c.Node().DefaultChild().(awscdk.CfnResource)
}

// pin fixes the logical id of a resource that is kept: under another one
// CloudFormation would make a second, empty one.
func pin(c constructs.IConstruct, id string) { resourceOf(c).OverrideLogicalId(jsii.String(id)) }

// suppress writes into the template that a rule of plumbline does not count
// for a resource, and why.
func suppress(r awscdk.CfnResource, reasons ...[2]string) {
	list := make([]any, 0, len(reasons))
	for _, x := range reasons {
		list = append(list, map[string]any{"rule": x[0], "reason": x[1]})
	}
	r.AddMetadata(jsii.String("plumbline"), map[string]any{"suppress": list})
}

// list is a list as jsii takes it.
func list[T any](items ...T) []any {
	out := make([]any, 0, len(items))
	for _, i := range items {
		out = append(out, i)
	}
	return out
}
