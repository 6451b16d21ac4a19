package ruleset

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/cfn"
	"plumbline/finding"
)

// A link that is not known, or that leads out of the template, leaves open what
// a rule leaves to the neighbour.
func TestInTemplate(t *testing.T) {
	s := open(t, nil, ruleText("tokens", "[AWS::EC2::Instance]", `
relations:
  templates: {type: AWS::EC2::LaunchTemplate, from: LaunchTemplate.LaunchTemplateId}
  named: {type: AWS::EC2::LaunchTemplate, from: LaunchTemplate.LaunchTemplateName}
when: "!has(resource.LaunchTemplate) || !(templates.all(t, inTemplate(t)) && named.all(t, inTemplate(t)))"
pass: resource.MetadataOptions.HttpTokens == "required"
message: '"no tokens"'
`))
	for _, tt := range []struct {
		name, properties string
		verdict          finding.Verdict
		needs            []string
	}{
		{"no link", `{}`, finding.Fail, nil},
		{"by Ref", `{LaunchTemplate: {LaunchTemplateId: !Ref T}}`, finding.Skip, nil},
		{"by its name", `{LaunchTemplate: {LaunchTemplateName: web}}`, finding.Skip, nil},
		{"by another name", `{LaunchTemplate: {LaunchTemplateName: old}}`, finding.Unknown, []string{"AWS::EC2::LaunchTemplate old outside the template"}},
		{"by import", `{LaunchTemplate: {LaunchTemplateId: !ImportValue t}}`, finding.Unknown, []string{"import t"}},
		{"by SSM", `{LaunchTemplate: {LaunchTemplateId: "{{resolve:ssm:/t}}"}}`, finding.Unknown, []string{"dynamic reference ssm:/t"}},
		{"by import, and it does not matter", `{LaunchTemplate: {LaunchTemplateId: !ImportValue t}, MetadataOptions: {HttpTokens: required}}`, finding.Pass, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := models(t, cfn.Inputs{}, `
Resources:
  T: {Type: AWS::EC2::LaunchTemplate, Properties: {LaunchTemplateName: web, LaunchTemplateData: {}}}
  R: {Type: AWS::EC2::Instance, Properties: `+tt.properties+`}
`)
			findings, _, err := s.Judge(context.Background(), finding.Network, m, nil)
			if err != nil {
				t.Fatal(err)
			}
			if findings[0].Verdict != tt.verdict {
				t.Errorf("verdict %s, want %s", findings[0].Verdict, tt.verdict)
			}
			if diff := cmp.Diff(tt.needs, findings[0].Needs); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A list that a parameter holds may have no element, or several.
func TestListsOfUnknownSize(t *testing.T) {
	for _, tt := range []struct{ name, body string }{
		{"a relation", `
relations:
  groups: {type: AWS::EC2::SecurityGroup, from: SecurityGroups}
pass: size(groups) == 1`},
		{"a relation, of some size", `
relations:
  groups: {type: AWS::EC2::SecurityGroup, from: SecurityGroups}
pass: size(groups) > 0`},
		{"a property", `
pass: size(resource.SecurityGroups) == 1`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, nil, ruleText("one", "[AWS::ElasticLoadBalancingV2::LoadBalancer]", tt.body+"\n"))
			for _, value := range []string{"!Ref Groups", `!Split [",", !Ref Text]`} {
				m := models(t, cfn.Inputs{}, `
Parameters: {Groups: {Type: "List<AWS::EC2::SecurityGroup::Id>"}, Text: {Type: String}}
Resources:
  R: {Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: {SecurityGroups: `+value+`}}
`)
				findings, _, err := s.Judge(context.Background(), finding.Network, m, nil)
				if err != nil {
					t.Fatal(err)
				}
				if findings[0].Verdict != finding.Unknown {
					t.Errorf("%s: verdict %s", value, findings[0].Verdict)
				}
			}
		})
	}
}
