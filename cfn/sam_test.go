package cfn

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const samFixture = `
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: {Type: String, Default: live}
Globals:
  Function:
    Runtime: python3.13
    Timeout: 10
    Environment: {Variables: {LEVEL: info, TABLE: none}}
    Layers: [base]
    Architectures: [arm64]
    Tags: {team: pay}
  Api: {TracingEnabled: true}
Resources:
  F:
    Type: AWS::Serverless::Function
    DeletionPolicy: Retain
    DependsOn: Q
    Metadata: {note: n}
    Properties:
      Handler: a.b
      CodeUri: s3://bucket/key/of.zip
      Timeout: 20
      Environment: {Variables: {TABLE: !Ref T}}
      Layers: [own]
      Architectures: [x86_64]
      Tracing: Active
      VpcConfig: {SubnetIds: [s]}
      DeadLetterQueue: {Type: SQS, TargetArn: !GetAtt Q.Arn}
      AutoPublishAlias: !Ref Stage
      FunctionUrlConfig: {AuthType: NONE, Cors: {AllowOrigins: ["*"]}}
      EventInvokeConfig:
        DestinationConfig: {OnFailure: {Type: SNS, Destination: !Ref Topic}}
      Policies:
        - AmazonS3ReadOnlyAccess
        - arn:aws:iam::111122223333:policy/own
        - AWSLambdaVPCAccessExecutionRole
        - Statement: [{Effect: Allow, Action: "*", Resource: "*"}]
        - DynamoDBReadPolicy: {TableName: !Ref T}
        - NoSuchPolicy: {A: b}
        - !Ref Managed
      Events:
        Get: {Type: Api, Properties: {Path: "/a/{id}/", Method: get}}
        Any: {Type: HttpApi}
        Poll: {Type: SQS, Properties: {Queue: !GetAtt Q.Arn, BatchSize: 5}}
        Daily: {Type: Schedule, Properties: {Schedule: rate(1 day), Enabled: false}}
        Put: {Type: EventBridgeRule, Properties: {Pattern: {source: [a]}, State: ENABLED}}
        Told: {Type: SNS, Properties: {Topic: !Ref Topic}}
        Queued: {Type: SNS, Properties: {Topic: !Ref Topic, SqsSubscription: true}}
        Object: {Type: S3, Properties: {Bucket: !Ref B, Events: "s3:ObjectCreated:*"}}
        Line: {Type: CloudWatchLogs, Properties: {LogGroupName: g, FilterPattern: p}}
        Stranger: {Type: Alexa}
        Wrong: text
  T:
    Type: AWS::Serverless::SimpleTable
    Properties:
      PrimaryKey: {Name: pk, Type: Number}
      SSESpecification: {SSEEnabled: true}
  Q: {Type: AWS::SQS::Queue}
  B: {Type: AWS::S3::Bucket}
  Topic: {Type: AWS::SNS::Topic}
  Managed: {Type: AWS::IAM::ManagedPolicy}
  UsesRole:
    Type: AWS::X::Y
    Properties:
      Role: !GetAtt FRole.Arn
      Alias: !Ref F.Alias
      Version: !Sub "${F.Version}"
      ApiStage: !Ref ServerlessRestApi.Stage
      Deployment: !Ref ServerlessRestApi.Deployment
      Url: !GetAtt FUrl.FunctionUrl
      Event: !Ref FPoll
      Not: !Ref F.Other
`

// resources writes the resources of a model, one a line.
func resources(m *Model) map[string]string {
	out := map[string]string{}
	for _, r := range m.Resources {
		out[r.LogicalID] = r.Type + " " + render(r.Properties)
	}
	return out
}

func TestServerlessFunction(t *testing.T) {
	m := base(t, samFixture, Inputs{Region: "eu-west-1", Account: "111122223333"})
	alias := `<resource FAliaslive | + @FAliaslive>`
	arn := `<attribute F.Arn | + @F.Arn>`
	permission := func(principal, source string) string {
		return `AWS::Lambda::Permission {Action: "lambda:InvokeFunction", FunctionName: ` + alias + `, Principal: "` + principal + `", ` + source + `}`
	}
	want := map[string]string{
		"F": `AWS::Lambda::Function {Handler: "a.b", Code: {S3Bucket: "bucket", S3Key: "key/of.zip"}, Timeout: 20, ` +
			`Environment: {Variables: {TABLE: <resource T | + @T>, LEVEL: "info"}}, Layers: ["base", "own"], Architectures: ["x86_64"], ` +
			`TracingConfig: {Mode: "Active"}, VpcConfig: {SubnetIds: ["s"]}, DeadLetterConfig: {TargetArn: <attribute Q.Arn | + @Q.Arn>}, ` +
			`Runtime: "python3.13", Role: <attribute FRole.Arn | + @FRole.Arn>, ` +
			`Tags: [{Key: "lambda:createdBy", Value: "SAM"}, {Key: "team", Value: "pay"}]}`,
		"FRole": `AWS::IAM::Role {AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: [{Action: ["sts:AssumeRole"], Effect: "Allow", Principal: {Service: ["lambda.amazonaws.com"]}}]}, ` +
			`ManagedPolicyArns: ["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole", "arn:aws:iam::aws:policy/AWSXrayWriteOnlyAccess", ` +
			`"arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole", "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess", ` +
			`"arn:aws:iam::111122223333:policy/own", <resource Managed | + @Managed>, "arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole"], ` +
			`Policies: [{PolicyName: "DeadLetterQueuePolicy", PolicyDocument: {Version: "2012-10-17", Statement: [{Action: "sqs:SendMessage", Resource: <attribute Q.Arn | + @Q.Arn>, Effect: "Allow"}]}}, ` +
			`{PolicyName: "FEventInvokeConfigOnFailureSNSPolicy", PolicyDocument: {Version: "2012-10-17", Statement: [{Action: "sns:Publish", Resource: <resource Topic | + @Topic>, Effect: "Allow"}]}}, ` +
			`{PolicyName: "FRolePolicy3", PolicyDocument: {Statement: [{Effect: "Allow", Action: "*", Resource: "*"}]}}, ` +
			`{PolicyName: "FRolePolicy4", PolicyDocument: {Statement: [{Action: ["dynamodb:GetItem", "dynamodb:Scan", "dynamodb:Query", "dynamodb:BatchGetItem", "dynamodb:DescribeTable"], Effect: "Allow", ` +
			`Resource: [<resource T | arn:aws:dynamodb:eu-west-1:111122223333:table/+>, <resource T | arn:aws:dynamodb:eu-west-1:111122223333:table/+/index/*>]}]}}, ` +
			`{PolicyName: "FRolePolicy5", PolicyDocument: <SAM policy template NoSuchPolicy>}], ` +
			`Tags: [{Key: "lambda:createdBy", Value: "SAM"}, {Key: "team", Value: "pay"}]}`,
		"FVersion":                    `AWS::Lambda::Version {FunctionName: <resource F | + @F>}`,
		"FAliaslive":                  `AWS::Lambda::Alias {FunctionName: <resource F | + @F>, FunctionVersion: <attribute FVersion.Version | + @FVersion.Version>, Name: "live"}`,
		"FUrl":                        `AWS::Lambda::Url {Cors: {AllowOrigins: ["*"]}, AuthType: "NONE", TargetFunctionArn: ` + alias + `}`,
		"FUrlPublicPermissions":       `AWS::Lambda::Permission {Action: "lambda:InvokeFunctionUrl", FunctionName: ` + alias + `, Principal: "*", FunctionUrlAuthType: "NONE"}`,
		"FURLInvokeAllowPublicAccess": `AWS::Lambda::Permission {Action: "lambda:InvokeFunction", FunctionName: ` + alias + `, Principal: "*", InvokedViaFunctionUrl: true}`,
		"FEventInvokeConfig": `AWS::Lambda::EventInvokeConfig {FunctionName: <resource F | + @F>, Qualifier: "live", ` +
			`DestinationConfig: {OnFailure: {Destination: <resource Topic | + @Topic>}}}`,
		"FGetPermissionProd": permission("apigateway.amazonaws.com", `SourceArn: <resource ServerlessRestApi | arn:aws:execute-api:eu-west-1:111122223333:+/*/GET/a/*>`),
		"FAnyPermission":     permission("apigateway.amazonaws.com", `SourceArn: <resource ServerlessHttpApi | arn:aws:execute-api:eu-west-1:111122223333:+/*/**>`),
		"FPoll":              `AWS::Lambda::EventSourceMapping {FunctionName: ` + alias + `, EventSourceArn: <attribute Q.Arn | + @Q.Arn>, BatchSize: 5}`,
		"FDaily": `AWS::Events::Rule {ScheduleExpression: "rate(1 day)", State: "DISABLED", ` +
			`Targets: [{Arn: ` + arn + `, Id: "FDailyLambdaTarget"}]}`,
		"FDailyPermission":  permission("events.amazonaws.com", `SourceArn: <attribute FDaily.Arn | + @FDaily.Arn>`),
		"FPut":              `AWS::Events::Rule {EventPattern: {source: ["a"]}, State: "ENABLED", Targets: [{Arn: ` + arn + `, Id: "FPutLambdaTarget"}]}`,
		"FPutPermission":    permission("events.amazonaws.com", `SourceArn: <attribute FPut.Arn | + @FPut.Arn>`),
		"FTold":             `AWS::SNS::Subscription {Protocol: "lambda", Endpoint: ` + arn + `, TopicArn: <resource Topic | + @Topic>}`,
		"FToldPermission":   permission("sns.amazonaws.com", `SourceArn: <resource Topic | + @Topic>`),
		"FObjectPermission": permission("s3.amazonaws.com", `SourceAccount: "111122223333"`),
		"FLine":             `AWS::Logs::SubscriptionFilter {LogGroupName: "g", FilterPattern: "p", DestinationArn: ` + arn + `}`,
		"FLinePermission":   permission("logs.amazonaws.com", `SourceArn: "arn:aws:logs:eu-west-1:111122223333:log-group:g:*"`),
		"T": `AWS::DynamoDB::Table {AttributeDefinitions: [{AttributeName: "pk", AttributeType: "N"}], KeySchema: [{AttributeName: "pk", KeyType: "HASH"}], ` +
			`BillingMode: "PAY_PER_REQUEST", SSESpecification: {SSEEnabled: true}}`,
		"Q": `AWS::SQS::Queue absent`, "B": `AWS::S3::Bucket absent`, "Topic": `AWS::SNS::Topic absent`, "Managed": `AWS::IAM::ManagedPolicy absent`,
		"UsesRole": `AWS::X::Y {Role: <attribute FRole.Arn | + @FRole.Arn>, Alias: <resource FAliaslive | + @FAliaslive>, ` +
			`Version: <resource FVersion | + @FVersion>, ApiStage: <resource ServerlessRestApiProdStage | + @ServerlessRestApiProdStage>, ` +
			`Deployment: <resource ServerlessRestApiDeployment | + @ServerlessRestApiDeployment>, Url: <attribute FUrl.FunctionUrl | + @FUrl.FunctionUrl>, ` +
			`Event: <resource FPoll | + @FPoll>, Not: <F.Other, which the template does not declare>}`,
		"ServerlessRestApi":           `AWS::ApiGateway::RestApi {Body: <the OpenAPI document that SAM writes for ServerlessRestApi>}`,
		"ServerlessRestApiDeployment": `AWS::ApiGateway::Deployment {RestApiId: <resource ServerlessRestApi | + @ServerlessRestApi>}`,
		"ServerlessRestApiProdStage": `AWS::ApiGateway::Stage {RestApiId: <resource ServerlessRestApi | + @ServerlessRestApi>, ` +
			`DeploymentId: <resource ServerlessRestApiDeployment | + @ServerlessRestApiDeployment>, StageName: "Prod", TracingEnabled: true}`,
		"ServerlessHttpApi": `AWS::ApiGatewayV2::Api {Body: <the OpenAPI document that SAM writes for ServerlessHttpApi>}`,
		"ServerlessHttpApiApiGatewayDefaultStage": `AWS::ApiGatewayV2::Stage {ApiId: <resource ServerlessHttpApi | + @ServerlessHttpApi>, StageName: "$default", ` +
			`Tags: {httpapi:createdBy: "SAM"}, AutoDeploy: true}`,
	}
	if diff := cmp.Diff(want, resources(m)); diff != "" {
		t.Error(diff)
	}
	f, role := m.Resource("F"), m.Resource("FRole")
	if got := render(f.Attributes); got != `{DeletionPolicy: "Retain", DependsOn: "Q"}` {
		t.Errorf("attributes of the function: %s", got)
	}
	if got := render(role.Attributes); got != `{DeletionPolicy: "Retain"}` {
		t.Errorf("attributes of the role: %s", got)
	}
	if f.Expanded != "AWS::Serverless::Function" || role.Expanded != "AWS::Serverless::Function" || m.Resource("Q").Expanded != "" {
		t.Error("Expanded is not the SAM type")
	}
	if role.Pos != f.Pos || f.Pos.IsZero() || render(role.Metadata) != `{note: "n"}` {
		t.Error("the role does not stand at the function")
	}
	if timeout := f.Properties.Get("Timeout"); timeout.Pos != (Pos{23, 16}) {
		t.Errorf("Timeout stands at %v", timeout.Pos)
	}
}

// serverless is a template of SAM with these resources.
func serverless(resources string) string {
	return "Transform: AWS::Serverless-2016-10-31\n" + strings.TrimLeft(resources, "\n")
}

func TestServerlessResources(t *testing.T) {
	const api = `<the OpenAPI document that SAM writes for A>`
	tests := []struct {
		name, src string
		want      map[string]string
	}{
		{
			name: "state machine",
			src: `
Resources:
  M:
    Type: AWS::Serverless::StateMachine
    Properties:
      Name: m
      Type: EXPRESS
      Definition: {StartAt: A, States: {A: {Type: Task, Resource: !Ref R}}}
      DefinitionSubstitutions: {A: b}
      Logging: {Level: ALL}
      Tracing: {Enabled: true}
      Policies: CloudWatchReadOnlyAccess
  R: {Type: AWS::X::Y}
  Own:
    Type: AWS::Serverless::StateMachine
    Properties: {Role: arn, DefinitionUri: {Bucket: b, Key: k, Version: v}, Tags: {a: b}}
`,
			want: map[string]string{
				"M": `AWS::StepFunctions::StateMachine {StateMachineName: "m", StateMachineType: "EXPRESS", ` +
					`DefinitionString: <resource R | {"StartAt":"A","States":{"A":{"Type":"Task","Resource":"+"}}}>, DefinitionSubstitutions: {A: "b"}, ` +
					`LoggingConfiguration: {Level: "ALL"}, TracingConfiguration: {Enabled: true}, RoleArn: <attribute MRole.Arn | + @MRole.Arn>, ` +
					`Tags: [{Key: "stateMachine:createdBy", Value: "SAM"}]}`,
				"MRole": `AWS::IAM::Role {AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: [{Action: ["sts:AssumeRole"], Effect: "Allow", Principal: {Service: ["states.amazonaws.com"]}}]}, ` +
					`ManagedPolicyArns: ["arn:aws:iam::aws:policy/CloudWatchReadOnlyAccess", "arn:aws:iam::aws:policy/AWSXrayWriteOnlyAccess"], Tags: [{Key: "stateMachine:createdBy", Value: "SAM"}]}`,
				"R": `AWS::X::Y absent`,
				"Own": `AWS::StepFunctions::StateMachine {RoleArn: "arn", DefinitionS3Location: {Bucket: "b", Key: "k", Version: "v"}, ` +
					`Tags: [{Key: "stateMachine:createdBy", Value: "SAM"}, {Key: "a", Value: "b"}]}`,
			},
		},
		{
			name: "api",
			src: `
Parameters: {Stage: {Type: String, Default: v1}}
Resources:
  A:
    Type: AWS::Serverless::Api
    Properties:
      StageName: !Ref Stage
      Name: n
      EndpointConfiguration: {Type: PRIVATE, VPCEndpointIds: [v]}
      AccessLogSetting: {DestinationArn: d}
      MethodSettings: [{CachingEnabled: true}]
      CacheClusterEnabled: true
      Tags: {a: b}
      Auth: {ApiKeyRequired: true}
      DefinitionBody: {swagger: "2.0"}
      Domain: {DomainName: api.example.com, CertificateArn: c, SecurityPolicy: TLS_1_2}
`,
			want: map[string]string{
				"A":           `AWS::ApiGateway::RestApi {Name: "n", EndpointConfiguration: {Types: ["PRIVATE"], VpcEndpointIds: ["v"]}, Body: ` + api + `}`,
				"ADeployment": `AWS::ApiGateway::Deployment {RestApiId: <resource A | + @A>}`,
				"AStage": `AWS::ApiGateway::Stage {RestApiId: <resource A | + @A>, DeploymentId: <resource ADeployment | + @ADeployment>, StageName: "v1", ` +
					`AccessLogSetting: {DestinationArn: "d"}, MethodSettings: [{CachingEnabled: true}], CacheClusterEnabled: true, Tags: [{Key: "a", Value: "b"}]}`,
				"ApiGatewayDomainName1bc412bb08": `AWS::ApiGateway::DomainName {DomainName: "api.example.com", RegionalCertificateArn: "c", EndpointConfiguration: {Types: ["REGIONAL"]}, SecurityPolicy: "TLS_1_2"}`,
				"ABasePathMapping":               `AWS::ApiGateway::BasePathMapping {DomainName: <resource ApiGatewayDomainName1bc412bb08 | + @ApiGatewayDomainName1bc412bb08>, RestApiId: <resource A | + @A>, Stage: <resource AStage | + @AStage>}`,
			},
		},
		{
			name: "api of a literal stage with a body of its own",
			src: `
Resources:
  A:
    Type: AWS::Serverless::Api
    Properties: {StageName: dev, DefinitionBody: {openapi: 3.0.1}, EndpointConfiguration: EDGE}
  B:
    Type: AWS::Serverless::Api
    Properties: {StageName: a-b, DefinitionUri: s3://bucket/doc, EndpointConfiguration: {Types: [REGIONAL]}}
`,
			want: map[string]string{
				"A":                `AWS::ApiGateway::RestApi {Body: {openapi: "3.0.1"}, EndpointConfiguration: {Types: ["EDGE"]}}`,
				"ADeployment":      `AWS::ApiGateway::Deployment {RestApiId: <resource A | + @A>}`,
				"AdevStage":        `AWS::ApiGateway::Stage {RestApiId: <resource A | + @A>, DeploymentId: <resource ADeployment | + @ADeployment>, StageName: "dev"}`,
				"B":                `AWS::ApiGateway::RestApi {BodyS3Location: {Bucket: "bucket", Key: "doc"}, EndpointConfiguration: {Types: ["REGIONAL"]}}`,
				"BDeployment":      `AWS::ApiGateway::Deployment {RestApiId: <resource B | + @B>}`,
				"BStage34fafddda8": `AWS::ApiGateway::Stage {RestApiId: <resource B | + @B>, DeploymentId: <resource BDeployment | + @BDeployment>, StageName: "a-b"}`,
			},
		},
		{
			name: "http api",
			src: `
Resources:
  H:
    Type: AWS::Serverless::HttpApi
    Properties:
      StageName: v1
      DefinitionBody: {openapi: 3.0.1}
      AccessLogSettings: {DestinationArn: d}
      Tags: {a: b}
      Domain: {DomainName: h.example.com, CertificateArn: c, EndpointConfiguration: REGIONAL, SecurityPolicy: TLS_1_2}
`,
			want: map[string]string{
				"H": `AWS::ApiGatewayV2::Api {Body: {openapi: "3.0.1"}, Tags: {a: "b"}}`,
				"Hv1Stage": `AWS::ApiGatewayV2::Stage {ApiId: <resource H | + @H>, StageName: "v1", AccessLogSettings: {DestinationArn: "d"}, ` +
					`Tags: {httpapi:createdBy: "SAM", a: "b"}, AutoDeploy: true}`,
				"ApiGatewayDomainNameV2cb69be3f0d": `AWS::ApiGatewayV2::DomainName {DomainName: "h.example.com", DomainNameConfigurations: [{CertificateArn: "c", EndpointType: "REGIONAL", SecurityPolicy: "TLS_1_2"}]}`,
				"HApiMapping":                      `AWS::ApiGatewayV2::ApiMapping {DomainName: <resource ApiGatewayDomainNameV2cb69be3f0d | + @ApiGatewayDomainNameV2cb69be3f0d>, ApiId: <resource H | + @H>, Stage: <resource Hv1Stage | + @Hv1Stage>}`,
			},
		},
		{
			name: "layer, table of its own throughput, application",
			src: `
Resources:
  L:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: ./layer, CompatibleRuntimes: [python3.13]}
  K:
    Type: AWS::Serverless::LayerVersion
    DeletionPolicy: Delete
    Properties: {LayerName: k, ContentUri: {Bucket: b, Key: k}, RetentionPolicy: Retain}
  T:
    Type: AWS::Serverless::SimpleTable
    Properties: {ProvisionedThroughput: {ReadCapacityUnits: 1}, TableName: t, Tags: {a: b}}
  App:
    Type: AWS::Serverless::Application
    Properties: {Location: x}
  Odd: {Type: AWS::Serverless::Function, Properties: {"Fn::Transform": {Name: M}}}
`,
			want: map[string]string{
				"L": `AWS::Lambda::LayerVersion {LayerName: "L", Content: <sam package of ./layer>, CompatibleRuntimes: ["python3.13"]}`,
				"K": `AWS::Lambda::LayerVersion {LayerName: "k", Content: {S3Bucket: "b", S3Key: "k"}}`,
				"T": `AWS::DynamoDB::Table {TableName: "t", AttributeDefinitions: [{AttributeName: "id", AttributeType: "S"}], KeySchema: [{AttributeName: "id", KeyType: "HASH"}], ` +
					`ProvisionedThroughput: {ReadCapacityUnits: 1}, Tags: [{Key: "a", Value: "b"}]}`,
				"App": `AWS::Serverless::Application {Location: "x"}`,
				"Odd": `AWS::Serverless::Function <transform M>`,
			},
		},
		{
			name: "functions in other forms",
			src: `
Parameters: {Name: {Type: String}, Docs: {Type: CommaDelimitedList}}
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties: {InlineCode: x, Role: r, Tracing: Disabled, AutoPublishAlias: !Ref Name, FunctionUrlConfig: {AuthType: AWS_IAM}, Tags: [{Key: a, Value: b}]}
  G:
    Type: AWS::Serverless::Function
    Properties: {ImageUri: i, PackageType: Image, Policies: !Ref Docs}
  N: {Type: AWS::Serverless::Function}
`,
			want: map[string]string{
				"F":    `AWS::Lambda::Function {Role: "r", Code: {ZipFile: "x"}, Tags: [{Key: "a", Value: "b"}]}`,
				"FUrl": `AWS::Lambda::Url {AuthType: "AWS_IAM", TargetFunctionArn: <parameter Name>}`,
				"G":    `AWS::Lambda::Function {PackageType: "Image", Code: {ImageUri: "i"}, Role: <attribute GRole.Arn | + @GRole.Arn>, Tags: [{Key: "lambda:createdBy", Value: "SAM"}]}`,
				"GRole": `AWS::IAM::Role {AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: [{Action: ["sts:AssumeRole"], Effect: "Allow", Principal: {Service: ["lambda.amazonaws.com"]}}]}, ` +
					`ManagedPolicyArns: ["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole", <parameter Docs>], Policies: [<parameter Docs>], Tags: [{Key: "lambda:createdBy", Value: "SAM"}]}`,
				"N": `AWS::Lambda::Function {Role: <attribute NRole.Arn | + @NRole.Arn>, Tags: [{Key: "lambda:createdBy", Value: "SAM"}]}`,
				"NRole": `AWS::IAM::Role {AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: [{Action: ["sts:AssumeRole"], Effect: "Allow", Principal: {Service: ["lambda.amazonaws.com"]}}]}, ` +
					`ManagedPolicyArns: ["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"], Tags: [{Key: "lambda:createdBy", Value: "SAM"}]}`,
			},
		},
		{
			name: "globals that are ignored",
			src: `
Globals: {Function: {Timeout: 1, MemorySize: 2, Role: g}}
Resources:
  F: {Type: AWS::Serverless::Function, IgnoreGlobals: "*", Properties: {Role: r}}
  G: {Type: AWS::Serverless::Function, IgnoreGlobals: [Timeout, Nope], Properties: {Role: r, Description: d}}
  N: {Type: AWS::Serverless::Function}
`,
			want: map[string]string{
				"F": `AWS::Lambda::Function {Role: "r", Tags: [{Key: "lambda:createdBy", Value: "SAM"}]}`,
				"G": `AWS::Lambda::Function {Role: "r", Description: "d", MemorySize: 2, Tags: [{Key: "lambda:createdBy", Value: "SAM"}]}`,
				"N": `AWS::Lambda::Function {Timeout: 1, MemorySize: 2, Role: "g", Tags: [{Key: "lambda:createdBy", Value: "SAM"}]}`,
			},
		},
		{
			name: "without the transform",
			src:  ``,
			want: map[string]string{},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.src == "" {
				m := base(t, "Resources:\n  F: {Type: AWS::Serverless::Function}\n", Inputs{})
				if f := m.Resource("F"); f == nil || f.Type != "AWS::Lambda::Function" || m.Resource("FRole") == nil {
					t.Errorf("F is %+v of %d resources", f, len(m.Resources))
				}
				return
			}
			if diff := cmp.Diff(tt.want, resources(base(t, serverless(tt.src), Inputs{}))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestServerlessWorlds(t *testing.T) {
	models := parse(t, serverless(`
Parameters:
  A: {Type: String, Default: "no", AllowedValues: ["yes", "no"]}
  B: {Type: String, Default: "no", AllowedValues: ["yes", "no"]}
Conditions:
  CA: !Equals [!Ref A, "yes"]
  CB: !Equals [!Ref B, "yes"]
Resources:
  F:
    Type: AWS::Serverless::Function
    Condition: CA
    Properties: {Role: r, Events: {E: {Type: Api, Properties: {Path: /, Method: any}}}}
  G:
    Type: AWS::Serverless::Function
    Condition: CB
    Properties: {Role: !If [CA, r, !Ref AWS::NoValue], Events: {E: {Type: Api, Properties: {Path: /, Method: any}}}}
`)).Worlds(Inputs{})
	want := []string{
		`A=no(default) B=no(default) |`,
		`A=yes B=no(default) | F FEPermissionProd ServerlessRestApi ServerlessRestApiDeployment ServerlessRestApiProdStage`,
		`A=no(default) B=yes | G GRole GEPermissionProd ServerlessRestApi ServerlessRestApiDeployment ServerlessRestApiProdStage`,
		`A=yes B=yes | F FEPermissionProd G GEPermissionProd ServerlessRestApi ServerlessRestApiDeployment ServerlessRestApiProdStage`,
	}
	if diff := cmp.Diff(want, picture(models)); diff != "" {
		t.Error(diff)
	}
	if models[1].Resource("ServerlessRestApi") != models[2].Resource("ServerlessRestApi") {
		t.Error("the implied API is not shared")
	}
}

func TestPolicyTemplates(t *testing.T) {
	all := policyTemplates()
	if all == nil || len(all.Fields) < 80 {
		t.Fatal("the policy templates do not decode")
	}
	for _, f := range all.Fields {
		if f.Value.Kind != List || f.Value.Items[0].Get("Effect").text() != "Allow" {
			t.Errorf("%s is no list of statements", f.Key)
		}
	}
}
