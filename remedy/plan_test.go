package remedy_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/cfn"
	"plumbline/finding"
	"plumbline/remedy"
	"plumbline/rules"
	"plumbline/ruleset"
)

func builtin(t *testing.T) *ruleset.Set {
	t.Helper()
	set, err := ruleset.Open(rules.FS, nil)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func found(rule, typ, id string) finding.Finding {
	return finding.Finding{Rule: rule, Severity: finding.High, Verdict: finding.Fail, Resource: finding.Resource{Account: "111122223333", Region: "eu-west-1", Stack: "s", LogicalID: id, Type: typ}}
}

func TestMake(t *testing.T) {
	for _, row := range []struct {
		name, rule, typ, model string
		diff                   []string
		destructive            string // words of the reasons
		templateOnly           string
	}{
		{"a property", "s3-bucket-versioning", "AWS::S3::Bucket", `{"BucketName":"b","VersioningConfiguration":{"Status":"Suspended"}}`,
			[]string{`- VersioningConfiguration.Status: "Suspended"`, `+ VersioningConfiguration.Status: "Enabled"`}, "", ""},
		{"a rule of a security group", "ec2-security-group-open-rdp", "AWS::EC2::SecurityGroup",
			`{"GroupDescription":"g","SecurityGroupIngress":[{"IpProtocol":"tcp","FromPort":3389,"ToPort":3389,"CidrIp":"0.0.0.0/0"},{"IpProtocol":"tcp","FromPort":443,"ToPort":443,"CidrIp":"10.0.0.0/8"}]}`,
			[]string{`- SecurityGroupIngress: [{"CidrIp":"0.0.0.0/0","FromPort":3389,"IpProtocol":"tcp","ToPort":3389},{"CidrIp":"10.0.0.0/8","FromPort":443,"IpProtocol":"tcp","ToPort":443}]`,
				`+ SecurityGroupIngress: [{"CidrIp":"10.0.0.0/8","FromPort":443,"IpProtocol":"tcp","ToPort":443}]`}, "traffic", ""},
		{"a replacement", "rds-instance-storage-encrypted", "AWS::RDS::DBInstance", `{"Engine":"postgres","StorageEncrypted":false,"DBInstanceClass":"db.m5.large"}`,
			[]string{"- StorageEncrypted: false", "+ StorageEncrypted: true"}, "replaces the resource, which holds data", "only when the resource is made"},
	} {
		t.Run(row.name, func(t *testing.T) {
			set := builtin(t)
			f := found(row.rule, row.typ, "R")
			p, err := remedy.Make(context.Background(), set, f, "id", []byte(row.model), nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.diff, p.Diff); diff != "" {
				t.Errorf("diff (-want +got)\n%s", diff)
			}
			for _, x := range []struct {
				want string
				got  []string
			}{{row.destructive, p.Destructive}, {row.templateOnly, p.TemplateOnly}} {
				if got := strings.Join(x.got, "; "); (x.want == "") != (got == "") || !strings.Contains(got, x.want) {
					t.Errorf("%q does not say %q", got, x.want)
				}
			}
			v, err := remedy.Verify(context.Background(), set, p, p.After, nil)
			if err != nil || v.Verdict != finding.Pass {
				t.Errorf("after the change: %v %v", v.Verdict, err)
			}
			if stale, err := p.Stale(context.Background(), set, []byte(row.model), nil); err != nil || len(stale) > 0 {
				t.Errorf("an unchanged model is stale: %v %v", stale, err)
			}
			if stale, err := p.Stale(context.Background(), set, p.After, nil); err != nil || len(stale) == 0 {
				t.Errorf("a changed model is not stale: %v", err)
			}
			again, err := remedy.Make(context.Background(), set, f, "id", []byte(row.model), nil)
			if err != nil || again.Hash() != p.Hash() {
				t.Errorf("a second plan of the same has another hash: %v", err)
			}
			if again.Message += "."; again.Hash() == p.Hash() {
				t.Error("a changed plan has the same hash")
			}
			if _, err := remedy.Make(context.Background(), set, f, "id", p.After, nil); !errors.Is(err, remedy.ErrNothingToDo) {
				t.Errorf("a plan for what is right: %v", err)
			}
		})
	}
}

func TestMakeNeeds(t *testing.T) {
	_, err := remedy.Make(context.Background(), builtin(t), found("s3-bucket-logging", "AWS::S3::Bucket", "B"), "b", []byte(`{}`), nil)
	var needs *remedy.NeedsError
	if !errors.As(err, &needs) || len(needs.Needs) != 1 || needs.Needs[0] != "policy value logBucket" {
		t.Errorf("error %v", err)
	}
}

// TestReferredBy: the plan says who in the stack refers to the resource.
func TestReferredBy(t *testing.T) {
	template, err := cfn.Parse("t.yaml", []byte("Resources:\n  G: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: g}}\n  I: {Type: AWS::EC2::Instance, Properties: {SecurityGroupIds: [!GetAtt G.GroupId]}}\n  J: {Type: AWS::EC2::Instance, Properties: {UserData: !Sub 'x ${G}'}}\n  K: {Type: AWS::EC2::Instance}\n"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := remedy.Make(context.Background(), builtin(t), found("ec2-security-group-open-rdp", "AWS::EC2::SecurityGroup", "G"), "sg-1",
		[]byte(`{"GroupDescription":"g","SecurityGroupIngress":[{"IpProtocol":"tcp","FromPort":3389,"ToPort":3389,"CidrIp":"0.0.0.0/0"}]}`), template.Worlds(cfn.Inputs{})[0])
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"I", "J"}, p.ReferredBy); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
