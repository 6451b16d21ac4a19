package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsconfig"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"plumbline/infra/permission"
)

// recorded is the prefix of what AWS Config leaves in the bucket of reports.
const recorded = "config"

// newRecorder makes AWS Config's recorder and the channel by which it delivers
// into the bucket of reports. Types that are global are recorded once, in the
// primary region.
func newRecorder(scope constructs.Construct, reports awss3.Bucket, primary bool) {
	stack := awscdk.Stack_Of(scope)
	role := newRole(scope, "Role", "config.amazonaws.com", "AWS Config: records the account's resources")
	// AWS keeps this policy, which only reads, in step with the types that Config knows.
	role.SetManagedPolicyArns(&[]*string{jsii.String("arn:" + *stack.Partition() + ":iam::aws:policy/service-role/AWS_ConfigRole")})
	policy := attach(scope, "Deliver", role, []permission.Statement{
		{Actions: []string{"s3:GetBucketAcl", "s3:ListBucket"}, Resources: []string{"${ReportBucketArn}"}},
		{Actions: []string{"s3:PutObject"}, Resources: []string{"${ReportBucketArn}/" + recorded + "/AWSLogs/" + *stack.Account() + "/Config/*"}},
	}, values{"ReportBucketArn": *reports.BucketArn()})
	recorder := awsconfig.NewCfnConfigurationRecorder(scope, jsii.String("Recorder"), &awsconfig.CfnConfigurationRecorderProps{
		RoleArn:        role.AttrArn(),
		RecordingGroup: &awsconfig.CfnConfigurationRecorder_RecordingGroupProperty{AllSupported: jsii.Bool(true), IncludeGlobalResourceTypes: jsii.Bool(primary)},
	})
	recorder.AddResourceDependency(policy, jsii.String(untilAllowed))
	awsconfig.NewCfnDeliveryChannel(scope, jsii.String("Channel"), &awsconfig.CfnDeliveryChannelProps{
		S3BucketName: reports.BucketName(), S3KeyPrefix: jsii.String(recorded),
		ConfigSnapshotDeliveryProperties: &awsconfig.CfnDeliveryChannel_ConfigSnapshotDeliveryPropertiesProperty{DeliveryFrequency: jsii.String("TwentyFour_Hours")},
	}).AddResourceDependency(policy, jsii.String(untilAllowed))
}
