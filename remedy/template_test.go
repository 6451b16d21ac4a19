package remedy_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/cfn"
	"plumbline/finding"
	"plumbline/remedy"
	"plumbline/rules"
	"plumbline/ruleset"
)

// patch judges a template by some of the built-in rules and fixes what fails.
func patch(t *testing.T, src string, ids ...string) *remedy.Patch {
	t.Helper()
	set, err := ruleset.Open(rules.FS, nil)
	if err != nil {
		t.Fatal(err)
	}
	template, err := cfn.Parse("t.yaml", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	models := template.Worlds(cfn.Inputs{})
	var findings []finding.Finding
	for _, id := range ids {
		for _, r := range models[0].Resources {
			rule, err := set.Rule(id)
			if err != nil {
				t.Fatal(err)
			}
			for _, typ := range rule.Types {
				if typ != r.Type {
					continue
				}
				f, err := set.Verdict(context.Background(), id, r.LogicalID, models)
				if err != nil {
					t.Fatal(err)
				}
				findings = append(findings, f)
			}
		}
	}
	p, err := remedy.Template(context.Background(), set, template, cfn.Inputs{}, findings)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTemplate(t *testing.T) {
	const bucket = "Resources:\n  B:\n    Type: AWS::S3::Bucket\n"
	for _, row := range []struct {
		name, src string
		rules     []string
		want      string   // the source after; "" : as before
		made      []string // rules
		left      []string // words of the reasons
	}{
		{"settled", bucket + "    Properties:\n      # keep them\n      VersioningConfiguration: {Status: Suspended} # why?\n", []string{"s3-bucket-versioning"},
			bucket + "    Properties:\n      # keep them\n      VersioningConfiguration: {Status: Enabled} # why?\n", []string{"s3-bucket-versioning"}, nil},
		{"right already", bucket + "    Properties:\n      VersioningConfiguration: {Status: Enabled}\n", []string{"s3-bucket-versioning"}, "", nil, nil},
		{"given by a parameter", "Parameters:\n  S: {Type: String, Default: Suspended}\n" + bucket + "    Properties:\n      VersioningConfiguration:\n        Status: !Ref S\n", []string{"s3-bucket-versioning"}, "",
			nil, []string{"comes from parameter S"}},
		{"a value that the policy must give", bucket, []string{"s3-bucket-logging"}, "", nil, []string{"policy value logBucket"}},
		{"no fix", bucket, []string{"s3-bucket-replication"}, "", nil, []string{"no change of a property"}},
		{"one after the other", bucket, []string{"s3-bucket-object-lock", "s3-bucket-versioning"},
			bucket + "    Properties:\n      ObjectLockEnabled: true\n      VersioningConfiguration:\n        Status: Enabled\n", []string{"s3-bucket-object-lock", "s3-bucket-versioning"}, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := patch(t, row.src, row.rules...)
			want := row.want
			if want == "" {
				want = row.src
			}
			if diff := cmp.Diff(want, string(p.After)); diff != "" {
				t.Errorf("source (-want +got)\n%s", diff)
			}
			var made, left []string
			for _, c := range p.Made {
				made = append(made, c.Finding.Rule)
			}
			for i, x := range p.Left {
				if i < len(row.left) && strings.Contains(x.Reason, row.left[i]) {
					left = append(left, row.left[i])
					continue
				}
				left = append(left, x.Reason)
			}
			if diff := cmp.Diff(row.made, made); diff != "" {
				t.Errorf("made (-want +got)\n%s", diff)
			}
			if diff := cmp.Diff(row.left, left); diff != "" {
				t.Errorf("left (-want +got)\n%s", diff)
			}
		})
	}
}

// TestItemsOfComputedLists: an item's number counts in the list as it is
// deployed, which the text does not show where a condition leaves items out.
func TestItemsOfComputedLists(t *testing.T) {
	src := `Conditions:
  C: !Equals [a, b]
Resources:
  G:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: g
      SecurityGroupIngress:
        - !If [C, {IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 10.0.0.0/8}, !Ref AWS::NoValue]
        - {IpProtocol: tcp, FromPort: 3389, ToPort: 3389, CidrIp: 0.0.0.0/0}
`
	p := patch(t, src, "ec2-security-group-open-rdp")
	if string(p.After) != src || len(p.Left) != 1 || !strings.Contains(p.Left[0].Reason, "computed") {
		t.Errorf("made %+v, left %+v, source\n%s", p.Made, p.Left, p.After)
	}
}

// TestServerless: what SAM expands is fixed in SAM's own terms, or left.
func TestServerless(t *testing.T) {
	const head = "Transform: AWS::Serverless-2016-10-31\nResources:\n  F:\n    Type: AWS::Serverless::"
	const function = head + "Function\n    Properties:\n      Handler: a.b\n      Runtime: python3.13\n      InlineCode: x\n"
	for _, row := range []struct{ name, src, rule, want, left string }{
		{"another name", function, "lambda-function-tracing", function + "      Tracing: Active\n", ""},
		{"no property for it", head + "SimpleTable\n", "dynamodb-table-deletion-protection", "", "t.yaml:3:3: F is written as AWS::Serverless::SimpleTable and expanded by a macro: it has no property that gives DeletionProtectionEnabled"},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := patch(t, row.src, row.rule)
			want := row.want
			if want == "" {
				want = row.src
			}
			if diff := cmp.Diff(want, string(p.After)); diff != "" {
				t.Errorf("source (-want +got)\n%s", diff)
			}
			if len(p.Left) > 0 && !strings.Contains(p.Left[0].Reason, row.left) || len(p.Left) == 0 && row.left != "" {
				t.Errorf("left %+v", p.Left)
			}
		})
	}
}

// TestBareItem: a list of one may be written without its brackets.
func TestBareItem(t *testing.T) {
	src := "Resources:\n  G:\n    Type: AWS::EC2::SecurityGroup\n    Properties:\n      GroupDescription: g\n      SecurityGroupIngress: {IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: 0.0.0.0/0}\n"
	p := patch(t, src, "ec2-security-group-open-ssh")
	want := "Resources:\n  G:\n    Type: AWS::EC2::SecurityGroup\n    Properties:\n      GroupDescription: g\n"
	if diff := cmp.Diff(want, string(p.After)); diff != "" {
		t.Errorf("%+v (-want +got)\n%s", p.Left, diff)
	}
}

func TestWords(t *testing.T) {
	for want, op := range map[string]cfn.Op{
		`set VersioningConfiguration.Status to "Enabled"`: {Do: cfn.OpSet, Path: []string{"VersioningConfiguration", "Status"}, Value: "Enabled"},
		`add {"Key":"a","Value":"b"} to Tags`:             {Do: cfn.OpAdd, Path: []string{"Tags"}, Value: map[string]any{"Key": "a", "Value": "b"}},
		`remove SecurityGroupIngress.0`:                   {Do: cfn.OpRemove, Path: []string{"SecurityGroupIngress", "0"}},
	} {
		if got := remedy.Words(op); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
