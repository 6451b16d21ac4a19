// The CDK app that cdk.out was synthesized from: the stacks of a small payments
// company. Much in it is right, and some is wrong on purpose; README.md says what.
//
//   npm install aws-cdk-lib@2.270.0 constructs@10.6.0 && node app.js
//
// cdk.out is committed, so nobody needs this to run plumbline.
const path = require('node:path');
const {
  App, CfnCondition, CfnParameter, Duration, Fn, NestedStack, RemovalPolicy, SecretValue, Stack, Tags,
  aws_apigateway: apigateway, aws_cloudtrail: cloudtrail, aws_dynamodb: dynamodb, aws_ec2: ec2,
  aws_elasticloadbalancingv2: elb, aws_iam: iam, aws_kms: kms, aws_lambda: lambda, aws_lambda_event_sources: sources,
  aws_logs: logs, aws_rds: rds, aws_s3: s3, aws_secretsmanager: secretsmanager, aws_sns: sns, aws_sqs: sqs,
} = require('aws-cdk-lib');

class Network extends Stack {
  constructor(scope, id) {
    super(scope, id, { description: 'VPC, subnets and security groups of the payments platform' });
    this.vpc = new ec2.Vpc(this, 'Vpc', {
      ipAddresses: ec2.IpAddresses.cidr('10.40.0.0/16'),
      maxAzs: 2,
      natGateways: 1,
      restrictDefaultSecurityGroup: false,
      subnetConfiguration: [
        { name: 'Edge', subnetType: ec2.SubnetType.PUBLIC, cidrMask: 24 },
        { name: 'Service', subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 22 },
        { name: 'Vault', subnetType: ec2.SubnetType.PRIVATE_ISOLATED, cidrMask: 24 },
      ],
    });
    const flowLogs = new logs.LogGroup(this, 'FlowLogs', { retention: logs.RetentionDays.THIRTEEN_MONTHS });
    this.vpc.addFlowLog('All', { destination: ec2.FlowLogDestination.toCloudWatchLogs(flowLogs) });

    this.edge = new ec2.SecurityGroup(this, 'EdgeGroup', { vpc: this.vpc, description: 'HTTPS from merchants', allowAllOutbound: false });
    this.edge.addIngressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(443), 'HTTPS from merchants');
    this.edge.addIngressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(80), 'HTTP from merchants');
    this.service = new ec2.SecurityGroup(this, 'ServiceGroup', { vpc: this.vpc, description: 'Functions and dashboard' });
    this.service.addIngressRule(this.edge, ec2.Port.tcp(8443), 'From the load balancer only');
    this.edge.addEgressRule(this.service, ec2.Port.tcp(8443), 'To the dashboard only');
    this.database = new ec2.SecurityGroup(this, 'DatabaseGroup', { vpc: this.vpc, description: 'Ledger database', allowAllOutbound: false });
    this.database.addIngressRule(this.service, ec2.Port.tcp(5432), 'PostgreSQL from the services only');

    const bastion = new ec2.SecurityGroup(this, 'BastionGroup', { vpc: this.vpc, description: 'Support engineers' });
    bastion.addIngressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(22), 'SSH for support'); // wrong: the whole world
    Tags.of(bastion).remove('owner'); // wrong: nobody owns it
  }
}

class Data extends Stack {
  constructor(scope, id, { network }) {
    super(scope, id, { description: 'Card vault, ledger and statements' });
    this.node.setContext('@aws-cdk/core:defaultCrossStackReferences', 'strong'); // exports and imports, as older apps have
    const environment = new CfnParameter(this, 'Environment', {
      default: 'production', allowedValues: ['production', 'dev'], description: 'What the stack is for',
    });
    const production = new CfnCondition(this, 'IsProduction', { expression: Fn.conditionEquals(environment.valueAsString, 'production') });

    this.key = new kms.Key(this, 'VaultKey', { description: 'Cardholder data', enableKeyRotation: true, pendingWindow: Duration.days(30) });
    const archiveKey = new kms.Key(this, 'ArchiveKey', { description: 'Old statements' }); // wrong: never rotated

    this.vault = new dynamodb.Table(this, 'CardVault', {
      partitionKey: { name: 'token', type: dynamodb.AttributeType.STRING },
      billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
      encryption: dynamodb.TableEncryption.CUSTOMER_MANAGED,
      encryptionKey: this.key,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
    });
    new dynamodb.Table(this, 'Sessions', { // wrong: no recovery, no protection
      partitionKey: { name: 'id', type: dynamodb.AttributeType.STRING },
      billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
      timeToLiveAttribute: 'expires',
      removalPolicy: RemovalPolicy.DESTROY,
    });

    const accessLogs = new s3.Bucket(this, 'AccessLogs', {
      encryption: s3.BucketEncryption.S3_MANAGED, blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true, versioned: true, objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_PREFERRED,
      lifecycleRules: [{ expiration: Duration.days(400) }],
    });
    const statements = new s3.Bucket(this, 'Statements', {
      encryption: s3.BucketEncryption.KMS, encryptionKey: archiveKey, bucketKeyEnabled: true,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL, enforceSSL: true, minimumTLSVersion: 1.2, versioned: true,
      serverAccessLogsBucket: accessLogs, serverAccessLogsPrefix: 'statements/',
    });
    const exports = new s3.Bucket(this, 'Exports', { // wrong: plain HTTP, public access left open, no versions, no logs
      encryption: s3.BucketEncryption.S3_MANAGED, blockPublicAccess: new s3.BlockPublicAccess({ blockPublicAcls: true, ignorePublicAcls: true, blockPublicPolicy: false, restrictPublicBuckets: false }),
    });
    Tags.of(exports).remove('data-classification');

    const trail = new cloudtrail.Trail(this, 'Audit', {
      encryptionKey: this.key, enableFileValidation: true, isMultiRegionTrail: true, sendToCloudWatchLogs: true,
      cloudWatchLogsRetention: logs.RetentionDays.THIRTEEN_MONTHS, bucket: statements, s3KeyPrefix: 'audit',
    });
    trail.addS3EventSelector([{ bucket: statements }]);

    const engine = rds.DatabaseInstanceEngine.postgres({ version: rds.PostgresEngineVersion.VER_16_4 });
    const ledger = new rds.DatabaseInstance(this, 'Ledger', {
      engine, vpc: network.vpc, vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED }, securityGroups: [network.database],
      instanceType: ec2.InstanceType.of(ec2.InstanceClass.M6G, ec2.InstanceSize.LARGE),
      credentials: rds.Credentials.fromGeneratedSecret('ledger', { encryptionKey: this.key }), // wrong: the secret is never rotated
      storageEncrypted: true, storageEncryptionKey: this.key, multiAz: true, iamAuthentication: true,
      cloudwatchLogsExports: ['postgresql', 'upgrade'], autoMinorVersionUpgrade: true, copyTagsToSnapshot: true,
      removalPolicy: RemovalPolicy.SNAPSHOT,
    });
    // Wrong in dev only: no backups and no protection there.
    ledger.node.defaultChild.addPropertyOverride('DeletionProtection', Fn.conditionIf(production.logicalId, true, false));
    ledger.node.defaultChild.addPropertyOverride('BackupRetentionPeriod', Fn.conditionIf(production.logicalId, 35, 0));

    new rds.DatabaseInstance(this, 'Reporting', { // wrong: public, in clear, one day of backups
      engine, vpc: network.vpc, vpcSubnets: { subnetType: ec2.SubnetType.PUBLIC }, publiclyAccessible: true,
      instanceType: ec2.InstanceType.of(ec2.InstanceClass.T4G, ec2.InstanceSize.MEDIUM),
      credentials: rds.Credentials.fromPassword('report', SecretValue.cfnParameter(new CfnParameter(this, 'ReportingPassword', { noEcho: true }))),
      storageEncrypted: false, backupRetention: Duration.days(1), deletionProtection: true,
    });

    const replicated = new dynamodb.CfnGlobalTable(this, 'Merchants', {
      attributeDefinitions: [{ attributeName: 'id', attributeType: 'S' }],
      keySchema: [{ attributeName: 'id', keyType: 'HASH' }],
      billingMode: 'PAY_PER_REQUEST',
      streamSpecification: { streamViewType: 'NEW_AND_OLD_IMAGES' },
      sseSpecification: { sseEnabled: true, sseType: 'KMS' },
      replicas: ['eu-west-1', 'ap-southeast-1'].map((region) => ({ // wrong: the second is no allowed region
        region, pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true }, deletionProtectionEnabled: true,
        tags: ['owner', 'cost-center', 'data-classification'].map((key) => ({ key, value: { owner: 'payments-platform', 'cost-center': '4210', 'data-classification': 'internal' }[key] })),
      })),
    });
    replicated.applyRemovalPolicy(RemovalPolicy.RETAIN);
  }
}

class Settlement extends NestedStack {
  constructor(scope, id, { vpc, group }) {
    super(scope, id, { description: 'Nightly settlement with the acquirer' });
    const files = new sqs.Queue(this, 'Files', { encryption: sqs.QueueEncryption.KMS_MANAGED, enforceSSL: true, visibilityTimeout: Duration.minutes(15) });
    const settle = new lambda.Function(this, 'Settle', {
      runtime: lambda.Runtime.PYTHON_3_13, handler: 'index.handler', timeout: Duration.minutes(2),
      code: lambda.Code.fromInline('def handler(event, context):\n    return len(event["Records"])\n'),
      vpc, securityGroups: [group], tracing: lambda.Tracing.ACTIVE,
      logGroup: new logs.LogGroup(this, 'SettleLogs', { retention: logs.RetentionDays.ONE_WEEK }), // wrong: too short
    });
    settle.addEventSource(new sources.SqsEventSource(files));
    settle.addToRolePolicy(new iam.PolicyStatement({ actions: ['s3:*'], resources: ['*'] })); // wrong: any bucket, anything
    Tags.of(settle).remove('cost-center');
  }
}

class Api extends Stack {
  constructor(scope, id, { network, data }) {
    super(scope, id, { description: 'Merchant API, capture of payments and the dashboard' });
    const certificate = new CfnParameter(this, 'CertificateArn', { description: 'Certificate of the dashboard' });

    const authoriseLogs = new logs.LogGroup(this, 'AuthoriseLogs', { retention: logs.RetentionDays.THIRTEEN_MONTHS, encryptionKey: data.key });
    const authorise = new lambda.Function(this, 'Authorise', {
      runtime: lambda.Runtime.PYTHON_3_13, handler: 'index.handler', code: lambda.Code.fromAsset(path.join(__dirname, 'authorise')),
      vpc: network.vpc, securityGroups: [network.service], tracing: lambda.Tracing.ACTIVE, logGroup: authoriseLogs,
      environment: { VAULT_TABLE: data.vault.tableName }, environmentEncryption: data.key, reservedConcurrentExecutions: 50,
    });
    data.vault.grantReadWriteData(authorise);

    const failed = new sqs.Queue(this, 'FailedCaptures', { encryption: sqs.QueueEncryption.KMS, encryptionMasterKey: data.key, enforceSSL: true, retentionPeriod: Duration.days(14) });
    const captures = new sqs.Queue(this, 'Captures', { // wrong: not encrypted, any transport
      encryption: sqs.QueueEncryption.UNENCRYPTED, deadLetterQueue: { queue: failed, maxReceiveCount: 5 },
    });
    const capture = new lambda.Function(this, 'Capture', {
      runtime: lambda.Runtime.NODEJS_16_X, handler: 'index.handler', // wrong: a runtime past its end
      code: lambda.Code.fromInline('exports.handler = async (event) => ({ batchItemFailures: [] });\n'),
      logGroup: new logs.LogGroup(this, 'CaptureLogs', { retention: logs.RetentionDays.INFINITE }), // wrong: no retention said
      environment: { ACQUIRER_URL: 'https://acquirer.example.com', ACQUIRER_API_KEY: 'acq-test-7f3b19c2d4' }, // wrong: a secret in clear
    });
    capture.addEventSource(new sources.SqsEventSource(captures));
    capture.addToRolePolicy(new iam.PolicyStatement({ actions: ['*'], resources: ['*'] })); // wrong: everything

    const accessLogs = new logs.LogGroup(this, 'ApiLogs', { retention: logs.RetentionDays.THIRTEEN_MONTHS });
    const api = new apigateway.RestApi(this, 'Merchant', {
      cloudWatchRole: false,
      deployOptions: {
        stageName: 'v1', tracingEnabled: true, loggingLevel: apigateway.MethodLoggingLevel.ERROR,
        accessLogDestination: new apigateway.LogGroupLogDestination(accessLogs), accessLogFormat: apigateway.AccessLogFormat.jsonWithStandardFields(),
      },
    });
    const payments = api.root.addResource('payments');
    payments.addMethod('POST', new apigateway.LambdaIntegration(authorise), { authorizationType: apigateway.AuthorizationType.IAM });
    payments.addResource('{id}').addMethod('GET', new apigateway.LambdaIntegration(authorise)); // wrong: anybody may read

    const balancer = new elb.ApplicationLoadBalancer(this, 'Dashboard', { // wrong: no access logs
      vpc: network.vpc, internetFacing: true, securityGroup: network.edge, dropInvalidHeaderFields: true, deletionProtection: true,
    });
    const target = new elb.ApplicationTargetGroup(this, 'DashboardTarget', {
      vpc: network.vpc, port: 8443, protocol: elb.ApplicationProtocol.HTTPS, targetType: elb.TargetType.IP, healthCheck: { path: '/health' },
    });
    balancer.addListener('Https', {
      port: 443, certificates: [elb.ListenerCertificate.fromArn(certificate.valueAsString)], sslPolicy: elb.SslPolicy.TLS13_RES,
      defaultTargetGroups: [target], open: false,
    });
    balancer.addListener('Http', { port: 80, defaultTargetGroups: [target], open: false }); // wrong: should redirect

    const alerts = new sns.Topic(this, 'Alerts', { masterKey: data.key, enforceSSL: true });
    failed.metricApproximateNumberOfMessagesVisible().createAlarm(this, 'CapturesFail', { threshold: 1, evaluationPeriods: 1 })
      .addAlarmAction({ bind: () => ({ alarmActionArn: alerts.topicArn }) });
    new secretsmanager.Secret(this, 'AcquirerKey', { encryptionKey: data.key }); // right, and unused

    new Settlement(this, 'Settlement', { vpc: network.vpc, group: network.service });
  }
}

const app = new App({
  outdir: path.join(__dirname, 'cdk.out'),
  analyticsReporting: true,
  treeMetadata: false,
  context: {
    ...require('aws-cdk-lib/recommended-feature-flags.json'),
    'aws:cdk:enable-path-metadata': true,
    'aws:cdk:enable-asset-metadata': true,
    // Traces would hold the paths of the machine that synthesizes.
    'aws:cdk:disable-stack-trace': true,
    'aws:cdk:disable-creation-stack-traces': true,
  },
});
const network = new Network(app, 'PaymentsNetwork');
const data = new Data(app, 'PaymentsData', { network });
new Api(app, 'PaymentsApi', { network, data });
Tags.of(app).add('owner', 'payments-platform');
Tags.of(app).add('cost-center', '4210');
Tags.of(app).add('data-classification', 'cardholder');
app.synth();
