package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"plumbline/infra/deployment"
)

// data is the stack of what is kept: deleting the stack leaves its resources,
// and their logical ids never change.
type data struct {
	stack            awscdk.Stack
	key              awskms.Key
	findings, events awsdynamodb.Table
	changes, ledger  awsdynamodb.Table
	anchor           awss3.Bucket // of the ledger's head
	reports          awss3.Bucket
}

func newData(scope constructs.Construct, id string, props *awscdk.StackProps, d deployment.Deployment) *data {
	s := &data{stack: awscdk.NewStack(scope, jsii.String(id), props)}
	storage := group(s.stack, "Storage")
	s.key = newKey(storage, "Key", "plumbline: tables and ledger")
	pin(s.key, "DataKey")
	s.findings, s.events = newFindings(storage, s.key), newEvents(storage, s.key)
	s.changes = newChanges(storage, s.key)
	s.ledger, s.anchor = newLedger(storage, s.key, d.Retention)
	s.reports = newReports(storage, d.Retention)
	if d.Recorder == deployment.RecorderCreate {
		newRecorder(group(s.stack, "Recording"), s.reports, *props.Env.Region == d.Primary)
	}
	awscdk.NewCfnOutput(s.stack, jsii.String("ReportBucket"), &awscdk.CfnOutputProps{Value: s.reports.BucketName(), Description: jsii.String("Bucket of reports, and of the organisation's policy")})
	awscdk.NewCfnOutput(s.stack, jsii.String("FindingsTable"), &awscdk.CfnOutputProps{Value: s.findings.TableName(), Description: jsii.String("Table of findings")})
	return s
}
