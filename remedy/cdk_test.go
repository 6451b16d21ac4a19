package remedy_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/cfn"
	"plumbline/finding"
	"plumbline/remedy"
)

// TestCDK: what to set is said on the construct, in CDK's words.
func TestCDK(t *testing.T) {
	const bucket = `{"Type":"AWS::S3::Bucket","Metadata":{"aws:cdk:path":"Cards/Store/Resource"},"Properties":{"Tags":[{"Key":"class","Value":"internal"}]}}`
	for _, row := range []struct{ name, rule, id, resources, want string }{
		{"a property of an L2's default child", "s3-bucket-versioning", "B", `{"B":` + bucket + `}`,
			`Cards/Store, node.defaultChild (CfnBucket): addPropertyOverride("VersioningConfiguration.Status", "Enabled")`},
		{"a tag", "tagging-required-tags", "B", `{"B":` + bucket + `}`,
			`Cards/Store, node.defaultChild (CfnBucket): Tags.of(it).add("owner", "payments")`},
		{"a tag in a mapping, of an L1", "tagging-required-tags", "P", `{"P":{"Type":"AWS::SSM::Parameter","Metadata":{"aws:cdk:path":"Cards/P"},"Properties":{"Tags":{"class":"internal"}}}}`,
			`Cards/P (CfnParameter): addPropertyOverride("Tags.owner", "payments")`},
		{"an item taken away", "ec2-security-group-open-ssh", "G", `{"G":{"Type":"AWS::EC2::SecurityGroup","Metadata":{"aws:cdk:path":"Cards/G/Resource"},"Properties":{"GroupDescription":"g","SecurityGroupIngress":[{"IpProtocol":"tcp","FromPort":22,"ToPort":22,"CidrIp":"0.0.0.0/0"}]}}}`,
			`Cards/G, node.defaultChild (CfnSecurityGroup): addPropertyDeletionOverride("SecurityGroupIngress.0")`},
		{"an item added after others", "s3-bucket-lifecycle", "B", `{"B":{"Type":"AWS::S3::Bucket","Metadata":{"aws:cdk:path":"Cards/B/Resource"},"Properties":{"LifecycleConfiguration":{"Rules":[{"Status":"Disabled","ExpirationInDays":1}]}}}}`,
			`Cards/B, node.defaultChild (CfnBucket): addPropertyOverride("LifecycleConfiguration.Rules.1", {"AbortIncompleteMultipartUpload":{"DaysAfterInitiation":7},"Id":"abort-unfinished-uploads","Status":"Enabled"})`},
		{"a resource that goes", "ec2-security-group-ingress-open-ssh", "I", `{"B":` + bucket + `,"I":{"Type":"AWS::EC2::SecurityGroupIngress","Metadata":{"aws:cdk:path":"Cards/G/from 0.0.0.0:22"},"Properties":{"GroupId":"g","IpProtocol":"tcp","FromPort":22,"ToPort":22,"CidrIp":"0.0.0.0/0"}}}`,
			`take out Cards/G/from 0.0.0.0:22 (CfnSecurityGroupIngress)`},
		{"no construct", "s3-bucket-versioning", "B", `{"B":{"Type":"AWS::S3::Bucket"}}`, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			set := tagSet(t, tagPolicy)
			template, err := cfn.Parse("t.json", []byte(`{"Resources":`+row.resources+`}`))
			if err != nil {
				t.Fatal(err)
			}
			f, err := set.Verdict(context.Background(), row.rule, row.id, template.Worlds(cfn.Inputs{}))
			if err != nil {
				t.Fatal(err)
			}
			p, err := remedy.Template(context.Background(), set, template, cfn.Inputs{}, []finding.Finding{f})
			if err != nil || len(p.Made) != 1 {
				t.Fatalf("%v %+v", err, p)
			}
			var want []string
			if row.want != "" {
				want = []string{row.want}
			}
			if diff := cmp.Diff(want, p.Made[0].CDK); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
