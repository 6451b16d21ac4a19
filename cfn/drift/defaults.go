package drift

// anything as a default says that the service fills the property in by itself,
// in ways that differ from account to account.
const anything = "*"

// defaults are what services make of properties that a template leaves out,
// where the schema does not say: by type and path in the schema. Sources: the
// user guides' pages on default settings, named by line.
var defaults = map[string]map[string]string{
	"AWS::S3::Bucket": {
		// Amazon S3 User Guide, "Default settings for new buckets": since April 2023.
		"PublicAccessBlockConfiguration/BlockPublicAcls":       "true",
		"PublicAccessBlockConfiguration/BlockPublicPolicy":     "true",
		"PublicAccessBlockConfiguration/IgnorePublicAcls":      "true",
		"PublicAccessBlockConfiguration/RestrictPublicBuckets": "true",
		// Amazon S3 User Guide, "Default encryption": SSE-S3 since January 2023.
		"BucketEncryption":  anything,
		"OwnershipControls": anything,
		"BucketName":        anything,
		"AbacStatus":        anything,
		"LifecycleConfiguration/TransitionDefaultMinimumObjectSize": anything,
	},
	"AWS::EC2::SecurityGroup": {
		// Amazon VPC User Guide, "Security group rules": a new group lets all out.
		"SecurityGroupEgress": anything,
		"GroupName":           anything,
		"VpcId":               anything,
	},
	// Amazon EC2 and ELB fill these in with the account's own defaults.
	"AWS::EC2::Instance":                        {"BlockDeviceMappings": anything, "NetworkInterfaces": anything, "SecurityGroupIds": anything, "SecurityGroups": anything, "Volumes": anything},
	"AWS::EC2::VPC":                             {"CidrBlock": anything},
	"AWS::ElasticLoadBalancingV2::LoadBalancer": {"LoadBalancerAttributes": anything, "SecurityGroups": anything, "Subnets": anything, "SubnetMappings": anything},
	"AWS::ElasticLoadBalancingV2::TargetGroup":  {"TargetGroupAttributes": anything},
	"AWS::RDS::DBInstance":                      {"VPCSecurityGroups": anything, "DBSecurityGroups": anything, "ProcessorFeatures": anything, "AssociatedRoles": anything},
	"AWS::RDS::DBCluster":                       {"VpcSecurityGroupIds": anything, "AvailabilityZones": anything, "AssociatedRoles": anything},
	"AWS::Lambda::Function":                     {"Architectures": anything},
	"AWS::DynamoDB::Table":                      {"AttributeDefinitions": anything, "KeySchema": anything},
	"AWS::KMS::Key":                             {"KeyPolicy": anything},
	"AWS::IAM::Role":                            {"Policies": anything}, // policies of their own in the stack show here as well
	"AWS::IAM::User":                            {"Policies": anything},
	"AWS::IAM::Group":                           {"Policies": anything},
	"AWS::ECS::Service":                         {"LoadBalancers": anything},
	"AWS::AutoScaling::AutoScalingGroup":        {"TerminationPolicies": anything, "AvailabilityZones": anything, "TargetGroupARNs": anything},
}
