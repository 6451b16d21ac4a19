package remedy_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/cfn"
	"plumbline/remedy"
)

// TestIrreversible: only what a patch touches and a read does not give is lost.
func TestIrreversible(t *testing.T) {
	const (
		group    = `{"GroupDescription":"g","SecurityGroupIngress":[{"IpProtocol":"tcp","FromPort":3389,"ToPort":3389,"CidrIp":"0.0.0.0/0"},`
		rdp      = "ec2-security-group-open-rdp"
		listener = "elbv2-listener-https"
	)
	for _, row := range []struct {
		name, rule, typ, model string
		want                   []string
	}{
		{"every source is read back", rdp, "AWS::EC2::SecurityGroup", group + `{"IpProtocol":"tcp","FromPort":443,"ToPort":443,"SourceSecurityGroupId":"sg-1"},{"IpProtocol":"tcp","FromPort":443,"ToPort":443,"SourcePrefixListId":"pl-1"}]}`, nil},
		{"a rule without a source", rdp, "AWS::EC2::SecurityGroup", group + `{"IpProtocol":"tcp","FromPort":443,"ToPort":443}]}`,
			[]string{"SecurityGroupIngress.*.SourceSecurityGroupName cannot be read back, so its earlier value is not known"}},
		{"the property itself", "s3-bucket-acl-public-read", "AWS::S3::Bucket", `{"BucketName":"b","AccessControl":"PublicRead"}`,
			[]string{"AccessControl cannot be read back, so its earlier value is not known"}},
		{"another part of the same resource", "s3-bucket-versioning", "AWS::S3::Bucket", `{"BucketName":"b"}`, nil},
		{"no secret was there", listener, "AWS::ElasticLoadBalancingV2::Listener", `{"Protocol":"HTTP","Port":80,"LoadBalancerArn":"arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/a/b","DefaultActions":[{"Type":"forward","TargetGroupArn":"t"}]}`, nil},
		{"a secret may have been there", listener, "AWS::ElasticLoadBalancingV2::Listener", `{"Protocol":"HTTP","Port":80,"LoadBalancerArn":"arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/a/b","DefaultActions":[{"Type":"authenticate-oidc","Order":1,"AuthenticateOidcConfig":{"ClientId":"c"}},{"Type":"forward","Order":2,"TargetGroupArn":"t"}]}`,
			[]string{"DefaultActions.*.AuthenticateOidcConfig.ClientSecret cannot be read back, so its earlier value is not known"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			p, err := remedy.Make(context.Background(), builtin(t), found(row.rule, row.typ, "R"), "id", []byte(row.model), nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.want, p.Irreversible); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestConsequencesOf(t *testing.T) {
	set := func(path ...string) []cfn.Op { return []cfn.Op{{Do: cfn.OpSet, Path: path, Value: "x"}} }
	for _, row := range []struct {
		name, typ string
		ops       []cfn.Op
		want      remedy.Consequences
	}{
		{"nothing but the property", "AWS::S3::Bucket", set("VersioningConfiguration", "Status"), remedy.Consequences{}},
		{"items of a list", "AWS::EC2::SecurityGroup", []cfn.Op{{Do: cfn.OpRemove, Path: []string{"SecurityGroupIngress", "*"}}},
			remedy.Consequences{Destructive: []string{"traffic that the rule admits is cut off"}}},
		{"what replaces", "AWS::RDS::DBInstance", set("StorageEncrypted"), remedy.Consequences{
			Destructive:  []string{"a change of StorageEncrypted replaces the resource, which holds data"},
			TemplateOnly: []string{"StorageEncrypted can be set only when the resource is made"}}},
		{"what is not read", "AWS::S3::Bucket", set("AccessControl"), remedy.Consequences{
			Irreversible: []string{"AccessControl cannot be read back, so its earlier value is not known"}}},
		{"an unknown type", "Acme::Own::Type", set("A"), remedy.Consequences{TemplateOnly: []string{"nothing is known of type Acme::Own::Type"}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if diff := cmp.Diff(row.want, remedy.ConsequencesOf(row.typ, row.ops)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
