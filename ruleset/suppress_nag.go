package ruleset

import (
	"slices"
	"strings"
)

// nagNames are cdk-nag's rules that are an AWS Config rule's check under
// another name: those of the AwsSolutions pack by number, those of the packs
// for standards by name. Rules that judge more or less than Config's are left
// out: a suppression must not reach further than it was meant to.
//
// Source: the packs of cdk-nag (github.com/cdklabs/cdk-nag) and AWS Config's
// list of managed rules, compared by what they judge.
var nagNames = []struct{ nag, config string }{
	{"APIG3", "api-gw-associated-with-waf"},
	{"APIG6", "api-gw-execution-logging-enabled"},
	{"CB3", "codebuild-project-environment-privileged-check"},
	{"CFR2", "cloudfront-associated-with-waf"},
	{"CFR3", "cloudfront-accesslogs-enabled"},
	{"DDB3", "dynamodb-pitr-enabled"},
	{"DDB4", "dax-encryption-enabled"},
	{"DOC1", "docdb-cluster-encrypted"},
	{"DOC4", "docdb-cluster-backup-retention-check"},
	{"EB3", "elastic-beanstalk-managed-updates-enabled"},
	{"EC26", "encrypted-volumes"},
	{"EC28", "ec2-instance-detailed-monitoring-enabled"},
	{"ECS4", "ecs-container-insights-enabled"},
	{"ECS7", "ecs-task-definition-log-configuration"},
	{"EFS1", "efs-encrypted-check"},
	{"EKS1", "eks-endpoint-no-public-access"},
	{"EKS2", "eks-cluster-logging-enabled"},
	{"ELB2", "elb-logging-enabled"},
	{"ELB4", "elb-cross-zone-load-balancing-enabled"},
	{"ELB5", "elb-tls-https-listeners-only"},
	{"KDS1", "kinesis-stream-encrypted"},
	{"KMS5", "cmk-backing-key-rotation-enabled"},
	{"N3", "neptune-cluster-backup-retention-check"},
	{"N4", "neptune-cluster-encrypted"},
	{"N5", "neptune-cluster-iam-database-authentication"},
	{"OS1", "opensearch-in-vpc-only"},
	{"OS2", "opensearch-node-to-node-encryption-check"},
	{"OS8", "opensearch-encrypted-at-rest"},
	{"RDS2", "rds-storage-encrypted"},
	{"RDS2", "rds-cluster-encrypted-at-rest"},
	{"RDS6", "rds-cluster-iam-authentication-enabled"},
	{"RDS10", "rds-instance-deletion-protection-enabled"},
	{"RDS10", "rds-cluster-deletion-protection-enabled"},
	{"RDS13", "db-instance-backup-enabled"},
	{"RDS15", "rds-instance-deletion-protection-enabled"},
	{"RDS15", "rds-cluster-deletion-protection-enabled"},
	{"RS1", "redshift-require-tls-ssl"},
	{"RS5", "redshift-audit-logging-enabled"},
	{"RS8", "redshift-cluster-public-access-check"},
	{"RS10", "redshift-backup-enabled"},
	{"S1", "s3-bucket-logging-enabled"},
	{"S2", "s3-bucket-level-public-access-prohibited"},
	{"S3", "s3-bucket-server-side-encryption-enabled"},
	{"S10", "s3-bucket-ssl-requests-only"},
	{"SF1", "step-functions-state-machine-logging-enabled"},
	{"SM1", "sagemaker-notebook-instance-inside-vpc"},
	{"SM2", "sagemaker-notebook-instance-kms-key-configured"},
	{"SM3", "sagemaker-notebook-no-direct-internet-access"},
	{"SMG4", "secretsmanager-rotation-enabled-check"},
	{"SNS2", "sns-encrypted-kms"},
	{"VPC7", "vpc-flow-logs-enabled"},

	{"ALBHttpToHttpsRedirection", "alb-http-to-https-redirection-check"},
	{"CloudWatchLogGroupRetentionPeriod", "cw-loggroup-retention-period-check"},
	{"CodeBuildProjectEnvVarAwsCred", "codebuild-project-envvar-awscred-check"},
	{"CodeBuildProjectSourceRepoUrl", "codebuild-project-source-repo-url-check"},
	{"EC2RestrictedCommonPorts", "restricted-common-ports"},
	{"EC2RestrictedSSH", "restricted-ssh"},
	{"ECSTaskDefinitionUserForHostMode", "ecs-task-definition-user-for-host-mode-check"},
	{"EFSEncrypted", "efs-encrypted-check"},
	{"IAMGroupHasUsers", "iam-group-has-users-check"},
	{"IAMNoInlinePolicy", "iam-no-inline-policy-check"},
	{"IAMUserGroupMembership", "iam-user-group-membership-check"},
	{"IAMUserNoPolicies", "iam-user-no-policies-check"},
	{"KMSBackingKeyRotationEnabled", "cmk-backing-key-rotation-enabled"},
	{"OpenSearchEncryptedAtRest", "elasticsearch-encrypted-at-rest"},
	{"OpenSearchErrorLogsToCloudWatch", "elasticsearch-logs-to-cloudwatch"},
	{"OpenSearchInVPCOnly", "elasticsearch-in-vpc-only"},
	{"OpenSearchNodeToNodeEncryption", "elasticsearch-node-to-node-encryption-check"},
	{"OpenSearchNodeToNodeEncryption", "opensearch-node-to-node-encryption-check"},
	{"RDSInstancePublicAccess", "rds-instance-public-access-check"},
	{"RedshiftClusterConfiguration", "redshift-cluster-configuration-check"},
	{"RedshiftClusterMaintenanceSettings", "redshift-cluster-maintenancesettings-check"},
	{"RedshiftClusterPublicAccess", "redshift-cluster-public-access-check"},
	{"SecretsManagerRotationEnabled", "secretsmanager-rotation-enabled-check"},
	{"SecretsManagerUsingKMSKey", "secretsmanager-using-cmk"},
	{"VPCNoUnrestrictedRouteToIGW", "no-unrestricted-route-to-igw"},
	{"VPCSubnetAutoAssignPublicIpDisabled", "subnet-auto-assign-public-ip-disabled"},
}

// sameNagRule compares cdk-nag's id, such as AwsSolutions-S1 or
// PCI.DSS.321-S3BucketVersioningEnabled, with a rule by its equivalents among
// AWS Config's rules: by nagNames, or, since the packs for standards name most
// of their rules after Config's, by the name itself (S3BucketVersioningEnabled
// for s3-bucket-versioning-enabled). What a finding's id holds in brackets is
// left out.
func sameNagRule(id string, elsewhere map[string][]string) bool {
	id, _, _ = strings.Cut(id, "[")
	pack, name, ok := strings.Cut(id, "-")
	if !ok {
		return false
	}
	config := elsewhere["config"]
	for i := range nagNames {
		if nagNames[i].nag == name && slices.Contains(config, nagNames[i].config) {
			return true
		}
	}
	if pack == "AwsSolutions" || pack == "Serverless" { // their names are their own
		return false
	}
	return slices.ContainsFunc(config, func(c string) bool {
		return strings.EqualFold(strings.ReplaceAll(c, "-", ""), name)
	})
}
