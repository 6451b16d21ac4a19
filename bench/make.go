package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
)

// perTemplate is how many resources a made template has.
const perTemplate = 14

// makeTemplates writes n templates, each of its own text.
func makeTemplates(dir string, n int) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for i := range n {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("stack-%04d.yaml", i)), template(i, perTemplate), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// template is a template of so many resources, half of them with something to
// find, with parameters, a condition and references as real ones have.
func template(seed, resources int) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "AWSTemplateFormatVersion: '2010-09-09'\nDescription: stack %d\n", seed)
	b.WriteString(`Parameters:
  Environment:
    Type: String
    Default: prod
    AllowedValues: [dev, prod]
  VpcId:
    Type: AWS::EC2::VPC::Id
Conditions:
  IsProd: !Equals [!Ref Environment, prod]
Resources:
`)
	for i := range resources {
		n := seed*resources + i
		switch i % 7 {
		case 0:
			fmt.Fprintf(&b, "  Bucket%d:\n    Type: AWS::S3::Bucket\n    Properties:\n      BucketName: !Sub 'cards-%d-${AWS::Region}'\n      VersioningConfiguration:\n        Status: !If [IsProd, Enabled, Suspended]\n      Tags:\n        - Key: owner\n          Value: payments\n", i, n)
		case 1:
			fmt.Fprintf(&b, "  Group%d:\n    Type: AWS::EC2::SecurityGroup\n    Properties:\n      GroupDescription: group %d\n      VpcId: !Ref VpcId\n      SecurityGroupIngress:\n        - IpProtocol: tcp\n          FromPort: %d\n          ToPort: %d\n          CidrIp: %d.0.0.0/%d\n", i, n, 22+n%3*421, 22+n%3*421, n%2*10, n%2*8)
		case 2:
			fmt.Fprintf(&b, "  Role%d:\n    Type: AWS::IAM::Role\n    Properties:\n      AssumeRolePolicyDocument:\n        Version: '2012-10-17'\n        Statement:\n          - Effect: Allow\n            Principal:\n              Service: lambda.amazonaws.com\n            Action: sts:AssumeRole\n      Policies:\n        - PolicyName: work\n          PolicyDocument:\n            Version: '2012-10-17'\n            Statement:\n              - Effect: Allow\n                Action: ['s3:GetObject', 'dynamodb:PutItem']\n                Resource: !Sub 'arn:aws:s3:::cards-%d/*'\n", i, n)
		case 3:
			fmt.Fprintf(&b, "  Function%d:\n    Type: AWS::Lambda::Function\n    Properties:\n      Runtime: provided.al2023\n      Handler: bootstrap\n      Role: !GetAtt Role%d.Arn\n      MemorySize: %d\n      Environment:\n        Variables:\n          STAGE: !Ref Environment\n      Code:\n        S3Bucket: artefacts\n        S3Key: f%d.zip\n", i, i-1, 128+n%4*64, n)
		case 4:
			fmt.Fprintf(&b, "  Queue%d:\n    Type: AWS::SQS::Queue\n    Properties:\n      QueueName: work-%d\n      VisibilityTimeout: %d\n", i, n, 30+n%60)
		case 5:
			fmt.Fprintf(&b, "  Table%d:\n    Type: AWS::DynamoDB::Table\n    Properties:\n      BillingMode: PAY_PER_REQUEST\n      AttributeDefinitions:\n        - AttributeName: id%d\n          AttributeType: S\n      KeySchema:\n        - AttributeName: id%d\n          KeyType: HASH\n      SSESpecification:\n        SSEEnabled: %t\n", i, n, n, n%2 == 0)
		case 6:
			fmt.Fprintf(&b, "  Logs%d:\n    Type: AWS::Logs::LogGroup\n    Properties:\n      LogGroupName: /payments/%d\n      RetentionInDays: %d\n", i, n, 1+n%2*364)
		}
	}
	return b.Bytes()
}
