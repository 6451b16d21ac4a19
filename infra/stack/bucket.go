package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"plumbline/infra/deployment"
)

// bucket is what every bucket of ours has: versions, S3's own KMS key, no
// public access, TLS only. A nil log means that requests are not logged.
func bucket(log awss3.Bucket) *awss3.BucketProps {
	p := &awss3.BucketProps{
		Versioned: jsii.Bool(true), Encryption: awss3.BucketEncryption_KMS_MANAGED, BucketKeyEnabled: jsii.Bool(true),
		BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(), ObjectOwnership: awss3.ObjectOwnership_BUCKET_OWNER_ENFORCED,
		EnforceSSL: jsii.Bool(true), RemovalPolicy: awscdk.RemovalPolicy_RETAIN,
	}
	if log != nil {
		p.ServerAccessLogsBucket = log
	}
	return p
}

// ownAccountOnly denies the bucket to everybody outside of the account, beside
// what the public access block does. Services act for somebody: statements of
// their own hold them.
func ownAccountOnly(b awss3.Bucket) {
	b.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid: jsii.String("OwnAccountOnly"), Effect: awsiam.Effect_DENY, Principals: &[]awsiam.IPrincipal{awsiam.NewAnyPrincipal()},
		Actions: jsii.Strings("s3:*"), Resources: &[]*string{b.BucketArn(), b.ArnForObjects(jsii.String("*"))},
		Conditions: &map[string]any{
			"StringNotEquals": map[string]any{"aws:PrincipalAccount": *awscdk.Stack_Of(b).Account()},
			"Bool":            map[string]any{"aws:PrincipalIsAWSService": "false"},
		},
	}))
}

// newReports makes the bucket of reports, of what states hand on, and of the
// organisation's policy, and the bucket that its requests are logged in.
func newReports(scope constructs.Construct, r deployment.Retention) awss3.Bucket {
	days := func(n int) awscdk.Duration { return awscdk.Duration_Days(jsii.Number(n)) }
	log := bucket(nil)
	log.Encryption, log.BucketKeyEnabled = awss3.BucketEncryption_S3_MANAGED, nil
	log.LifecycleRules = &[]*awss3.LifecycleRule{{
		Id: jsii.String("kept"), Expiration: days(r.ReportDays), NoncurrentVersionExpiration: days(r.NoncurrentDays), AbortIncompleteMultipartUploadAfter: days(7),
	}}
	requests := awss3.NewBucket(scope, jsii.String("ReportRequests"), log)
	pin(requests, "ReportRequests")
	ownAccountOnly(requests)
	suppress(resourceOf(requests),
		[2]string{"s3-bucket-event-notifications", "it holds a log of requests, which is read when somebody asks"},
		[2]string{"s3-bucket-object-lock", "S3 delivers no access logs to buckets whose objects are locked by default"},
		[2]string{"s3-bucket-replication", "the log serves inquiries in its own region"},
	)

	props := bucket(requests)
	rules := []*awss3.LifecycleRule{
		{Id: jsii.String("old-versions"), NoncurrentVersionExpiration: days(r.NoncurrentDays), AbortIncompleteMultipartUploadAfter: days(7), ExpiredObjectDeleteMarker: jsii.Bool(true)},
		// A plan is read again when its change is taken back, which an archive would not answer.
		{Id: jsii.String("changes"), Prefix: jsii.String("changes/"), Expiration: days(r.ReportDays)},
		{Id: jsii.String("handed-on"), Prefix: jsii.String("work/"), Expiration: days(r.WorkDays)},
	}
	for _, kept := range []string{"reports/", "scans/", "failures/", "sla/"} {
		rules = append(rules, &awss3.LifecycleRule{
			Id: jsii.String(kept[:len(kept)-1]), Prefix: jsii.String(kept), Expiration: days(r.ReportDays),
			Transitions: &[]*awss3.Transition{{StorageClass: awss3.StorageClass_GLACIER(), TransitionAfter: days(r.ArchiveDays)}},
		})
	}
	props.LifecycleRules = &rules
	// Else objects below 128 KB, as most reports are, would stay where they are.
	props.TransitionDefaultMinimumObjectSize = awss3.TransitionDefaultMinimumObjectSize_VARIES_BY_STORAGE_CLASS
	b := awss3.NewBucket(scope, jsii.String("Reports"), props)
	pin(b, "Reports")
	ownAccountOnly(b)
	suppress(resourceOf(b),
		[2]string{"s3-bucket-event-notifications", "the workflows that write here say themselves what they wrote, and what failed"},
		[2]string{"s3-bucket-object-lock", "what states hand on must be deleted after days; what proves a decision lies in the ledger, whose anchor is locked"},
		[2]string{"s3-bucket-replication", "each region keeps the reports of its own stacks; a lost report is made again by the next scan"},
	)
	return b
}
