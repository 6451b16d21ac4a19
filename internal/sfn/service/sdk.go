package service

import (
	"maps"
	"slices"
	"strings"

	"plumbline/asl/value"
	"plumbline/internal/nearest"
)

// jsonService is a service of the AWS SDK integrations that speaks a JSON protocol.
type jsonService struct {
	target  string // what stands before the action in X-Amz-Target
	version string // of the protocol
	errors  string // the prefix of error names, and of the general exception
	signing string // its name in signatures
	id      string // what follows AWS_ENDPOINT_URL_
	lower   bool   // its members begin with a small letter, which the integration hides
}

// jsonServices are by the name that follows "aws-sdk:". Source: the AWS SDKs'
// service models, for those of the protocols awsJson1_0 and awsJson1_1 that
// workflows call most.
var jsonServices = map[string]jsonService{
	"acm":                      {"CertificateManager", "1.1", "Acm", "acm", "ACM", false},
	"applicationautoscaling":   {"AnyScaleFrontendService", "1.1", "ApplicationAutoScaling", "application-autoscaling", "APPLICATION_AUTO_SCALING", false},
	"apprunner":                {"AppRunner", "1.0", "AppRunner", "apprunner", "APPRUNNER", false},
	"athena":                   {"AmazonAthena", "1.1", "Athena", "athena", "ATHENA", false},
	"budgets":                  {"AWSBudgetServiceGateway", "1.1", "Budgets", "budgets", "BUDGETS", false},
	"cloudcontrol":             {"CloudApiService", "1.0", "CloudControl", "cloudcontrolapi", "CLOUDCONTROL", false},
	"cloudtrail":               {"com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101", "1.1", "CloudTrail", "cloudtrail", "CLOUDTRAIL", false},
	"cloudwatch":               {"GraniteServiceVersion20100801", "1.0", "CloudWatch", "monitoring", "CLOUDWATCH", false},
	"cloudwatchlogs":           {"Logs_20140328", "1.1", "CloudWatchLogs", "logs", "CLOUDWATCH_LOGS", true},
	"codebuild":                {"CodeBuild_20161006", "1.1", "CodeBuild", "codebuild", "CODEBUILD", true},
	"codedeploy":               {"CodeDeploy_20141006", "1.1", "CodeDeploy", "codedeploy", "CODEDEPLOY", true},
	"codepipeline":             {"CodePipeline_20150709", "1.1", "CodePipeline", "codepipeline", "CODEPIPELINE", true},
	"cognitoidentityprovider":  {"AWSCognitoIdentityProviderService", "1.1", "CognitoIdentityProvider", "cognito-idp", "COGNITO_IDENTITY_PROVIDER", false},
	"comprehend":               {"Comprehend_20171127", "1.1", "Comprehend", "comprehend", "COMPREHEND", false},
	"configservice":            {"StarlingDoveService", "1.1", "ConfigService", "config", "CONFIG_SERVICE", false},
	"costexplorer":             {"AWSInsightsIndexService", "1.1", "CostExplorer", "ce", "COST_EXPLORER", false},
	"databasemigrationservice": {"AmazonDMSv20160101", "1.1", "DatabaseMigrationService", "dms", "DATABASE_MIGRATION_SERVICE", false},
	"datasync":                 {"FmrsService", "1.1", "DataSync", "datasync", "DATASYNC", false},
	"directconnect":            {"OvertureService", "1.1", "DirectConnect", "directconnect", "DIRECT_CONNECT", true},
	"dynamodb":                 {"DynamoDB_20120810", "1.0", "DynamoDb", "dynamodb", "DYNAMODB", false},
	"ecr":                      {"AmazonEC2ContainerRegistry_V20150921", "1.1", "Ecr", "ecr", "ECR", true},
	"ecs":                      {"AmazonEC2ContainerServiceV20141113", "1.1", "Ecs", "ecs", "ECS", true},
	"emr":                      {"ElasticMapReduce", "1.1", "Emr", "elasticmapreduce", "EMR", false},
	"eventbridge":              {"AWSEvents", "1.1", "EventBridge", "events", "EVENTBRIDGE", false},
	"firehose":                 {"Firehose_20150804", "1.1", "Firehose", "firehose", "FIREHOSE", false},
	"glue":                     {"AWSGlue", "1.1", "Glue", "glue", "GLUE", false},
	"kinesis":                  {"Kinesis_20131202", "1.1", "Kinesis", "kinesis", "KINESIS", false},
	"kms":                      {"TrentService", "1.1", "Kms", "kms", "KMS", false},
	"lightsail":                {"Lightsail_20161128", "1.1", "Lightsail", "lightsail", "LIGHTSAIL", true},
	"memorydb":                 {"AmazonMemoryDB", "1.1", "MemoryDb", "memorydb", "MEMORYDB", false},
	"organizations":            {"AWSOrganizationsV20161128", "1.1", "Organizations", "organizations", "ORGANIZATIONS", false},
	"redshiftdata":             {"RedshiftData", "1.1", "RedshiftData", "redshift-data", "REDSHIFT_DATA", false},
	"rekognition":              {"RekognitionService", "1.1", "Rekognition", "rekognition", "REKOGNITION", false},
	"resourcegroupstaggingapi": {"ResourceGroupsTaggingAPI_20170126", "1.1", "ResourceGroupsTaggingApi", "tagging", "RESOURCE_GROUPS_TAGGING_API", false},
	"sagemaker":                {"SageMaker", "1.1", "SageMaker", "sagemaker", "SAGEMAKER", false},
	"secretsmanager":           {"secretsmanager", "1.1", "SecretsManager", "secretsmanager", "SECRETS_MANAGER", false},
	"servicediscovery":         {"Route53AutoNaming_v20170314", "1.1", "ServiceDiscovery", "servicediscovery", "SERVICEDISCOVERY", false},
	"sfn":                      {"AWSStepFunctions", "1.0", "Sfn", "states", "SFN", true},
	"sqs":                      {"AmazonSQS", "1.0", "Sqs", "sqs", "SQS", false},
	"ssm":                      {"AmazonSSM", "1.1", "Ssm", "ssm", "SSM", false},
	"storagegateway":           {"StorageGateway_20130630", "1.1", "StorageGateway", "storagegateway", "STORAGE_GATEWAY", false},
	"swf":                      {"SimpleWorkflowService", "1.0", "Swf", "swf", "SWF", true},
	"textract":                 {"Textract", "1.1", "Textract", "textract", "TEXTRACT", false},
	"timestreamwrite":          {"Timestream_20181101", "1.0", "TimestreamWrite", "timestream", "TIMESTREAM_WRITE", false},
	"transcribe":               {"Transcribe", "1.1", "Transcribe", "transcribe", "TRANSCRIBE", false},
	"translate":                {"AWSShineFrontendService_20170701", "1.1", "Translate", "translate", "TRANSLATE", false},
	"wafv2":                    {"AWSWAF_20190729", "1.1", "Wafv2", "wafv2", "WAFV2", false},
	"workspaces":               {"WorkspacesService", "1.1", "WorkSpaces", "workspaces", "WORKSPACES", false},
}

// sure is how many letters make a likeness between names of services more than
// chance: iam is not acm.
const sure = 5

// sdk calls an action of an AWS SDK integration: "dynamodb:batchGetItem".
func (s *Services) sdk(c *call, resource string) (any, error) {
	name, action, ok := strings.Cut(resource, ":")
	if !ok || action == "" {
		return nil, runtime("'%s' names no action. write arn:aws:states:::aws-sdk:<service>:<action>.", c.Resource)
	}
	if name == "sns" && action == "publish" {
		b := backend{local: "SNS_ENDPOINT", sdk: "SNS", signing: "sns", prefix: "Sns", general: "SnsException", named: "Sns", short: true}
		o, _, err := s.publishBy(c, &b)
		return o, err
	}
	if name == "lambda" {
		return nil, runtime("'%s' cannot be called here. write arn:aws:states:::lambda:invoke, or mock the state.", c.Resource)
	}
	j, ok := jsonServices[name]
	if !ok {
		known := slices.Sorted(maps.Keys(jsonServices))
		if near := nearest.Of(name, known); near != "" && len(name) >= sure {
			return nil, runtime("'%s' cannot be called: there is no service '%s' here. did you mean '%s'?", c.Resource, name, near)
		}
		return nil, runtime("'%s' cannot be called: of the AWS SDK integrations those of services with a JSON protocol are there (%s), and sns:publish. mock the state.", c.Resource, strings.Join(known, ", "))
	}
	in := c.input
	if j.lower {
		in = lowered(in, true).(*value.Object)
	}
	b := backend{local: localVariable[name], sdk: j.id, signing: j.signing, prefix: j.errors, general: j.errors + "Exception", named: j.errors, short: true}
	o, _, err := s.postJSON(c, &b, j.target+"."+exported(action), j.version, in)
	if err != nil {
		return nil, err
	}
	if j.lower {
		return raised(o), nil
	}
	return o, nil
}

// localVariable are the variables of the optimized integrations, which hold for
// the SDK's of the same service too.
var localVariable = map[string]string{
	"dynamodb": "DYNAMODB_ENDPOINT", "eventbridge": "EVENTS_ENDPOINT", "sfn": "STEP_FUNCTIONS_ENDPOINT", "sqs": "SQS_ENDPOINT",
	// Of Step Functions Local, which had optimized integrations of these.
	"ecs": "ECS_ENDPOINT", "glue": "GLUE_ENDPOINT", "sagemaker": "SAGE_MAKER_ENDPOINT",
}
