package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"plumbline/infra/deployment"
	"plumbline/infra/permission"
)

// suite is the stack of what runs.
type suite struct {
	stack  awscdk.Stack
	d      deployment.Deployment
	o      Options
	region string
	data   *data
	scope  permission.Scope
	key    awskms.Key

	network    network
	topics     topics
	queues     queues
	deliveries deliveries          // none where nobody outside is told
	page       *page               // nil where people decide by command
	functions  map[string]function // by the catalogue's name
	machines   map[string]machine  // by their name in workflows.Machines
	values     values              // of placeholders, filled as what they stand for is made
}

// newSuite makes the stack group by group. What stands between events and
// scans comes last: nothing is started before all that it needs is there.
func newSuite(scope constructs.Construct, id string, props *awscdk.StackProps, d deployment.Deployment, o Options, data *data) (*suite, error) {
	s := &suite{stack: awscdk.NewStack(scope, jsii.String(id), props), d: d, o: o, region: *props.Env.Region, data: data, scope: scopeOf(d)}
	s.key = newSuiteKey(group(s.stack, "Encryption"))
	s.values = values{
		"AWS::Partition": *s.stack.Partition(), "AWS::Region": *s.stack.Region(), "AWS::AccountId": *s.stack.Account(),
		"ReportBucket":         *data.reports.BucketName(),
		"RemediateFindingName": machineName("RemediateFinding"), "ReviewViolationName": machineName("ReviewViolation"),
	}
	// Names cross the stacks, not ARNs: of an ARN that is put together the kind of
	// resource is known before the deployment, also to who judges the template.
	for _, r := range [][3]string{
		{"ReportBucketArn", "arn:${AWS::Partition}:s3:::", *data.reports.BucketName()},
		{"FindingsTableArn", "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/", *data.findings.TableName()},
		{"EventsTableArn", "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/", *data.events.TableName()},
		{"LedgerTableArn", "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/", *data.ledger.TableName()},
		{"ChangesTableArn", "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/", *data.changes.TableName()},
		{"LedgerAnchorArn", "arn:${AWS::Partition}:s3:::", *data.anchor.BucketName()},
		{"SuiteKeyArn", "arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/", *s.key.KeyId()},
		{"DataKeyArn", "arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/", *data.key.KeyId()},
	} {
		s.values[r[0]] = s.values.fill(r[1]) + r[2]
	}
	var err error
	if s.network, err = s.newNetwork(group(s.stack, "Network")); err != nil {
		return nil, err
	}
	s.topics = s.newTopics(group(s.stack, "Alerting"))
	s.queues = s.newQueues(group(s.stack, "Queues"))
	if len(s.scope.Secrets) > 0 {
		s.newDeliveries(group(s.stack, "Delivery"))
	}
	if s.scope.Page {
		s.newPage(group(s.stack, "Approval"))
	}
	if err := s.newFunctions(group(s.stack, "Scanning")); err != nil {
		return nil, err
	}
	if s.scope.Page {
		s.newRoutes()
	}
	if len(s.scope.Changes) > 0 {
		s.newSweeps(group(s.stack, "Sweeps"))
	}
	if len(s.scope.Secrets) > 0 {
		s.deliver(group(s.stack, "Telling"))
	}
	if err := s.newMachines(group(s.stack, "Processing")); err != nil {
		return nil, err
	}
	if err := s.newIntake(group(s.stack, "Ingest")); err != nil {
		return nil, err
	}
	s.newCompliance(group(s.stack, "Compliance"))
	s.newHook(group(s.stack, "Hook"))
	monitoring := group(s.stack, "Monitoring")
	s.newAlarms(monitoring)
	if err := s.newDashboard(monitoring); err != nil {
		return nil, err
	}
	s.warn()
	return s, nil
}

// warn says at synthesis what is configured and has no effect yet.
func (s *suite) warn() {
	notes := awscdk.Annotations_Of(s.stack)
	if len(s.scope.Changes) > 0 && !s.scope.Page {
		notes.AddWarningV2(jsii.String("plumbline:approvals"), jsii.String("remediation is on without an OIDC issuer: there is no page on which people decide, so that what needs an approval expires. set oidc, or modes in the policy that need none"))
	}
	if s.d.OIDC != (deployment.OIDC{}) && !s.scope.Page {
		notes.AddWarningV2(jsii.String("plumbline:oidc"), jsii.String("an OIDC issuer is configured, but no approval page is made: there are no changes to decide on. set remediation"))
	}
}

// newLog makes a log group that outlives the stack.
func (s *suite) newLog(scope constructs.Construct, id string, name *string) awslogs.CfnLogGroup {
	log := awslogs.NewCfnLogGroup(scope, jsii.String(id), &awslogs.CfnLogGroupProps{
		LogGroupName: name, KmsKeyId: s.key.KeyArn(), RetentionInDays: jsii.Number(s.d.Retention.LogDays),
	})
	log.ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN, nil)
	return log
}
