package cfn

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUnread(t *testing.T) {
	got := map[string]string{}
	for _, u := range parse(t, `
Transform: [AWS::Serverless-2016-10-31, AWS::LanguageExtensions, {Name: AWS::Include, Parameters: {Location: s3://a/b}}, Macro]
Resources:
  Typo: {Type: AWS::S3::Bucke}
  Newer: {Type: AWS::Shiny::NewThing}
  Bare: {Type: Bucket}
  Case: {Type: aws::S3::Bucket}
  Sam: {Type: AWS::Serverless::Functon}
  Known: {Type: AWS::S3::Bucket}
  Function: {Type: AWS::Serverless::Function}
  Connector: {Type: AWS::Serverless::Connector}
  Graph: {Type: AWS::Serverless::GraphQLApi}
  Table: {Type: AWS::Serverless::SimpleTable}
  Resource: {Type: AWS::CloudFormation::CustomResource}
  Custom: {Type: Custom::Thing}
  Third: {Type: Org::Svc::Type}
  Module: {Type: Org::Svc::Type::MODULE}
  Cdk: {Type: AWS::CDK::Metadata}
`).Unread() {
		if u.Pos.IsZero() || u.Need == "" {
			t.Errorf("%+v has no place or no need", u)
		}
		_, near, _ := strings.Cut(u.Message, "did you mean ")
		got[u.LogicalID+" "+u.Type] = near
	}
	want := map[string]string{
		" ":                            "",
		"Typo AWS::S3::Bucke":          "AWS::S3::Bucket?",
		"Newer AWS::Shiny::NewThing":   "",
		"Bare Bucket":                  "",
		"Case aws::S3::Bucket":         "AWS::S3::Bucket?",
		"Sam AWS::Serverless::Functon": "AWS::Serverless::Function?",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestGetStackOutput(t *testing.T) {
	m := parse(t, `
Parameters: {Stack: {Type: String}}
Resources:
  A: {Type: T, Properties: {V: !GetStackOutput {StackName: Keys, OutputName: Key}}}
  B: {Type: T, Properties: {V: {Fn::GetStackOutput: {StackName: !Ref Stack, OutputName: Key, Region: eu-west-1}}}}
  C: {Type: T, Properties: {V: {Fn::GetStackOutput: Key}}}
`).Worlds(Inputs{})[0]
	got := map[string]string{}
	for _, r := range m.Resources {
		got[r.LogicalID] = strings.Join(r.Properties.Get("V").Unknown.Needs, ", ")
	}
	want := map[string]string{
		"A": "output Key of stack Keys",
		"B": "output Key of stack … in eu-west-1",
		"C": "Fn::GetStackOutput with the arguments it takes",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
