package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"plumbline/infra/deployment"
)

func text(name string) *awsdynamodb.Attribute {
	return &awsdynamodb.Attribute{Name: jsii.String(name), Type: awsdynamodb.AttributeType_STRING}
}

// table is what every table of ours has: paid by use, encrypted with our key,
// restorable to any second, and not deleted by mistake.
func table(key awskms.Key) *awsdynamodb.TableProps {
	return &awsdynamodb.TableProps{
		BillingMode: awsdynamodb.BillingMode_PAY_PER_REQUEST, Encryption: awsdynamodb.TableEncryption_CUSTOMER_MANAGED, EncryptionKey: key,
		PointInTimeRecoverySpecification: &awsdynamodb.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: jsii.Bool(true)},
		DeletionProtection:               jsii.Bool(true), RemovalPolicy: awscdk.RemovalPolicy_RETAIN,
	}
}

// newFindings makes the table that internal/dynamo keeps findings in.
func newFindings(scope constructs.Construct, key awskms.Key) awsdynamodb.Table {
	props := table(key)
	props.PartitionKey, props.SortKey, props.TimeToLiveAttribute = text("resourceId"), text("timestamp"), jsii.String("expiresAt")
	t := awsdynamodb.NewTable(scope, jsii.String("Findings"), props)
	for _, index := range [][3]string{{"by-stack", "stack", "position"}, {"open-by-severity", "openSeverity", "age"}} {
		t.AddGlobalSecondaryIndex(&awsdynamodb.GlobalSecondaryIndexProps{
			IndexName: jsii.String(index[0]), PartitionKey: text(index[1]), SortKey: text(index[2]), ProjectionType: awsdynamodb.ProjectionType_ALL,
		})
	}
	pin(t, "Findings")
	return t
}

// newEvents makes the table of the ids of events that were acted on.
func newEvents(scope constructs.Construct, key awskms.Key) awsdynamodb.Table {
	props := table(key)
	props.PartitionKey, props.TimeToLiveAttribute = text("id"), jsii.String("expiresAt")
	t := awsdynamodb.NewTable(scope, jsii.String("Events"), props)
	pin(t, "Events")
	return t
}

// newChanges makes the table of leases of changes, and of requests for approval
// with their tokens.
func newChanges(scope constructs.Construct, key awskms.Key) awsdynamodb.Table {
	props := table(key)
	props.PartitionKey, props.TimeToLiveAttribute = text("id"), jsii.String("expiresAt")
	t := awsdynamodb.NewTable(scope, jsii.String("Changes"), props)
	t.AddGlobalSecondaryIndex(&awsdynamodb.GlobalSecondaryIndexProps{
		IndexName: jsii.String("open-requests"), PartitionKey: text("open"), SortKey: text("id"), ProjectionType: awsdynamodb.ProjectionType_ALL,
	})
	pin(t, "Changes")
	return t
}

// newLedger makes the table of decisions, one chain of numbered entries each,
// and the bucket that its head is anchored in. An entry is put on the condition
// that its number is free; nobody may change or take away one, whatever a role
// allows.
func newLedger(scope constructs.Construct, key awskms.Key, r deployment.Retention) (awsdynamodb.Table, awss3.Bucket) {
	props := table(key)
	props.PartitionKey = text("chain")
	props.SortKey = &awsdynamodb.Attribute{Name: jsii.String("number"), Type: awsdynamodb.AttributeType_NUMBER}
	props.ResourcePolicy = awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: &[]awsiam.PolicyStatement{
		awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Sid: jsii.String("AppendOnly"), Effect: awsiam.Effect_DENY, Principals: &[]awsiam.IPrincipal{awsiam.NewAnyPrincipal()},
			Actions:   jsii.Strings("dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:PartiQLDelete", "dynamodb:PartiQLUpdate", "dynamodb:UpdateItem"),
			Resources: jsii.Strings("*"), // of a resource's own policy: the table
		}),
	}})
	t := awsdynamodb.NewTable(scope, jsii.String("Ledger"), props)
	pin(t, "Ledger")

	anchor := bucket(nil)
	anchor.ObjectLockEnabled = jsii.Bool(true)
	anchor.ObjectLockDefaultRetention = awss3.ObjectLockRetention_Governance(awscdk.Duration_Days(jsii.Number(r.ReportDays)))
	anchor.LifecycleRules = &[]*awss3.LifecycleRule{{
		Id: jsii.String("interrupted"), AbortIncompleteMultipartUploadAfter: awscdk.Duration_Days(jsii.Number(7)),
	}}
	b := awss3.NewBucket(scope, jsii.String("LedgerAnchor"), anchor)
	pin(b, "LedgerAnchor")
	ownAccountOnly(b)
	suppress(resourceOf(b),
		[2]string{"s3-bucket-event-notifications", "who anchors the head is told by the answer of its own write; nobody else may write here"},
		[2]string{"s3-bucket-logging", "it holds one hash a day, which is locked against change; who reads it learns nothing"},
		[2]string{"s3-bucket-replication", "the hash of each day stands in the report of the next as well"},
	)
	return t, b
}
