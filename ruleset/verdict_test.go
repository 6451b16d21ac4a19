package ruleset

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"plumbline/cfn"
	"plumbline/finding"
)

func TestVerdicts(t *testing.T) {
	for _, tt := range []struct {
		name, rule, properties string
		want                   said
	}{
		{"when false", "when: has(resource.BucketName)\npass: 'false'\n", "{}", said{Verdict: "skip"}},
		{"when unknown, pass true", "when: resource.BucketName == 'x'\npass: 'true'\n", "{BucketName: !Ref P}", said{Verdict: "pass"}},
		{"when unknown, pass false", "when: resource.BucketName == 'x'\npass: 'false'\n", "{BucketName: !Ref P}",
			said{Verdict: "unknown", Message: "r: depends on parameter P", Needs: []string{"parameter P"}}},
		{"when error", "when: resource.Tags[3].Key == 'x'\npass: 'true'\n", "{}",
			said{Verdict: "error", Message: "r: when could not be evaluated: index out of bounds: 3"}},
		{"pass error", "pass: resource.Tags[3].Key == 'x'\n", "{}",
			said{Verdict: "error", Message: "r: pass could not be evaluated: index out of bounds: 3"}},
		{"error that does not matter", "pass: resource.Tags[3].Key == 'x' || resource.BucketName == 'x'\n", "{BucketName: x}", said{Verdict: "pass"}},
		{"two needs", "pass: resource.BucketName == 'x' && resource.AccessControl == 'Private'\n", "{BucketName: !Ref P, AccessControl: !ImportValue Acl}",
			said{Verdict: "unknown", Message: "r: depends on import Acl and parameter P", Needs: []string{"import Acl", "parameter P"}}},
		{"message with a reference", "pass: 'false'\nmessage: '\"name is \" + resource.BucketName'\n", "{BucketName: !Sub '${Q}-x'}", said{Verdict: "fail", Message: "name is ${Q}-x"}},
		{"message with an attribute", "pass: 'false'\nmessage: '\"name is \" + resource.BucketName'\n", "{BucketName: !GetAtt Q.QueueName}", said{Verdict: "fail", Message: "name is ${Q.QueueName}"}},
		{"message with a parameter", "pass: 'false'\nmessage: '\"name is \" + resource.BucketName'\n", "{BucketName: !Ref P}", said{Verdict: "fail", Message: "name is ${P}"}},
		{"message with a NoEcho default", "pass: 'false'\nmessage: '\"name is \" + resource.BucketName'\n", "{BucketName: !Ref Hidden}", said{Verdict: "fail", Message: "name is ****"}},
		{"message with a secret", "pass: 'false'\nmessage: '\"name is \" + resource.BucketName'\n", "{BucketName: '{{resolve:secretsmanager:db:SecretString:p}}'}",
			said{Verdict: "fail", Message: "name is ****"}},
		{"message that fails", "pass: 'false'\nmessage: resource.Tags[0].Key\n", "{}", said{Verdict: "fail", Message: "r"}},
		{"message of what filter knows", "let: {bad: \"resource.Tags.filter(t, t.Value == 'x')\"}\npass: size(bad) == 0\nmessage: 'bad.map(t, t.Key).join(\", \")'\n",
			"{Tags: [{Key: a, Value: x}, {Key: b, Value: !Ref P}]}", said{Verdict: "fail", Message: "a"}},
		{"properties that a macro makes", "pass: resource.BucketName == ''\n", "{'Fn::Transform': {Name: X, Parameters: {}}}",
			said{Verdict: "unknown", Message: "r: depends on transform X", Needs: []string{"transform X"}}},
		{"map asked for a key that is not known", "let: {m: '{\"a\": true}'}\npass: m[resource.BucketName]\n", "{BucketName: !Sub '${Q}-x'}",
			said{Verdict: "unknown", Message: "r: depends on a value that is known only after deployment", Needs: []string{"a value that is known only after deployment"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, nil, ruleText("r", "[AWS::S3::Bucket]", tt.rule))
			got := saidOf(judge(t, s, `
Parameters: {P: {Type: String}, Hidden: {Type: String, NoEcho: true, Default: hunter2}}
Resources:
  Q: {Type: AWS::SQS::Queue}
  R: {Type: AWS::S3::Bucket, Properties: `+tt.properties+`}
`))
			tt.want.Resource = "R"
			if diff := cmp.Diff([]said{tt.want}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestSecretsAreNotTold: a password that stands in the template is a failure
// whose message does not repeat it.
func TestSecretsAreNotTold(t *testing.T) {
	s := open(t, nil, ruleText("r", "[AWS::RDS::DBInstance]", "pass: '!plaintext(resource.MasterUserPassword)'\nmessage: '\"password is \" + resource.MasterUserPassword'\n"))
	m := models(t, cfn.Inputs{}, "Resources: {R: {Type: AWS::RDS::DBInstance, Properties: {MasterUserPassword: hunter2}}}")
	got, _, err := s.Judge(context.Background(), finding.Network, m, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0].Message != "password is ****" {
		t.Errorf("got %+v", got)
	}
	x, err := s.Explain(context.Background(), "r", "R", m)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range x.Reads {
		if strings.Contains(r.Value, "hunter2") {
			t.Errorf("explain tells %+v", r)
		}
	}
}

func TestPlaces(t *testing.T) {
	template := `Resources:
  R:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: x
      SecurityGroupIngress:
        - IpProtocol: tcp
          FromPort: 443
          ToPort: 443
          CidrIp: 0.0.0.0/0
        - IpProtocol: tcp
          FromPort: 22
          ToPort: 22
          CidrIp: 10.0.0.0/8
`
	for _, tt := range []struct {
		name, rule string
		line       int
	}{
		{"last value read", "pass: resource.SecurityGroupIngress.all(i, i.FromPort != 22)\n", 12},
		{"named", "pass: 'false'\nat: GroupDescription\n", 5},
		{"named, deeper than there is", "pass: 'false'\nat: GroupDescription.X\n", 5},
		{"named, not there", "pass: 'false'\nat: GroupName\n", 2},
		{"nothing there", "pass: has(resource.GroupName)\n", 2},
		{"a function read it", "pass: '!resource.SecurityGroupIngress.exists(i, opens(i, 22))'\n", 13},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := judge(t, open(t, nil, ruleText("r", "[AWS::EC2::SecurityGroup]", tt.rule)), template)
			if len(got) != 1 || got[0].Place.Line != tt.line || got[0].Place.Path != "t.yaml" {
				t.Errorf("got %+v, want line %d", got, tt.line)
			}
		})
	}
	statement := judge(t, open(t, nil, ruleText("r", "[AWS::IAM::ManagedPolicy]", "pass: statements(resource.PolicyDocument).all(s, !('*' in s.Actions))\n")), `Resources:
  R:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Statement:
          - Effect: Allow
            Action: s3:Get
          - Effect: Allow
            Action:
              - "*"
`)
	if statement[0].Place.Line != 11 {
		t.Errorf("statement: got line %d", statement[0].Place.Line)
	}
}

func TestJudgeCounts(t *testing.T) {
	p := &Policy{Rules: RuleSettings{{Rule: "off", Off: "not wanted"}, {Rule: "b-*", Severity: finding.Low}}}
	s := open(t, p,
		ruleText("a", "[AWS::S3::Bucket]", "pass: resource.BucketName == 'x'\n"),
		ruleText("b-1", "any", "pass: self.Type == 'AWS::S3::Bucket'\n"),
		ruleText("c", "taggable", "pass: \"'owner' in tags(resource)\"\n"),
		ruleText("d", "[AWS::S3::Bucket]", "pass: 'false'\ndeprecated: true\n"),
		ruleText("off", "[AWS::S3::Bucket]", "pass: 'false'\n"),
		strings.Replace(ruleText("other", "[AWS::S3::Bucket]", "pass: 'false'\n"), "network", "logging", 1),
	)
	m := models(t, cfn.Inputs{}, `
Resources:
  B: {Type: AWS::S3::Bucket, Properties: {BucketName: x}}
  A: {Type: AWS::S3::Bucket}
  P: {Type: AWS::S3::BucketPolicy, Properties: {Bucket: !Ref A}}
  C: {Type: "Custom::Thing", Properties: {ServiceToken: x}}
`)
	findings, counts, err := s.Judge(context.Background(), finding.Network, m, func(status string) bool { return status == "fail" })
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range findings {
		got = append(got, f.Resource.LogicalID+" "+f.Rule+" "+string(f.Severity))
	}
	if diff := cmp.Diff([]string{"B c high", "A a high", "A c high", "P b-1 low"}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(finding.Counts{"pass": 3, "fail": 4}, counts); diff != "" {
		t.Error(diff)
	}
	if f, c, err := s.Judge(context.Background(), finding.Network, nil, nil); f != nil || len(c) != 0 || err != nil {
		t.Errorf("no models: %v %v %v", f, c, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := s.Judge(ctx, finding.Network, m, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestJudgeBrokenRule(t *testing.T) {
	fsys := fstest.MapFS{
		"index.json": {Data: []byte(`[{"id":"a","file":"x/a.yaml","domain":"network","types":["AWS::S3::Bucket"]}]`)},
		"x/a.yaml":   {Data: []byte(ruleText("a", "[AWS::S3::Bucket]", "pass: resource.X\n"))},
	}
	s, err := Open(fsys, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := models(t, cfn.Inputs{}, "Resources: {B: {Type: AWS::S3::Bucket}}")
	if _, _, err := s.Judge(context.Background(), finding.Network, m, nil); err == nil || !strings.Contains(err.Error(), `compile rule "a": x/a.yaml:6:15`) {
		t.Errorf("got %v", err)
	}
	delete(fsys, "x/a.yaml")
	if s, err = Open(fsys, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(); err == nil || !strings.Contains(err.Error(), `read rule "a"`) {
		t.Errorf("got %v", err)
	}
}

// TestCostLimit: nested loops over a large list end as an error, soon.
func TestCostLimit(t *testing.T) {
	var b strings.Builder
	b.WriteString("Resources:\n")
	for i := range 300 {
		b.WriteString("  Q" + strings.Repeat("x", i) + ": {Type: AWS::SQS::Queue}\n")
	}
	b.WriteString("  R: {Type: AWS::S3::Bucket}\n")
	s := open(t, nil, ruleText("r", "[AWS::S3::Bucket]", `
relations: {all: {type: AWS::SQS::Queue, any: true}}
pass: all.all(a, all.all(b, all.all(c, a.QueueName + b.QueueName + c.QueueName == "")))
`))
	got := judge(t, s, b.String())
	if len(got) != 1 || got[0].Verdict != finding.Error || !strings.Contains(got[0].Message, "cost limit") {
		t.Errorf("got %+v", saidOf(got))
	}
}

func TestJudgeConcurrently(t *testing.T) {
	s := open(t, nil, ruleText("tls", "[AWS::S3::Bucket]", tlsOnly), ruleText("tags", "taggable", "pass: policy.missingTags(resource) == []\n"))
	m := models(t, cfn.Inputs{}, "Resources: {R: {Type: AWS::S3::Bucket}, P: {Type: AWS::S3::BucketPolicy, Properties: {Bucket: !Ref R, "+refusing+"}}}")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				_, counts, err := s.Judge(context.Background(), finding.Network, m, nil)
				if err != nil || counts["pass"] != 2 {
					t.Errorf("got %v, %v", counts, err)
				}
			}
		})
	}
	wg.Wait()
}

// TestNumbersAsCloudFormationReadsThem: YAML 1.1 reads a leading 0 as octal.
func TestNumbersAsCloudFormationReadsThem(t *testing.T) {
	set, err := Open(fstest.MapFS{"ec2/a.yaml": {Data: []byte("id: ec2-a\ntitle: T\nseverity: low\ndomain: network\ntypes: [AWS::EC2::SecurityGroupIngress]\npass: \"!opens(resource, 22)\"\nremediation: Do.\n")}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]finding.Verdict{"22": finding.Fail, "026": finding.Fail, "0x16": finding.Fail, `"22"`: finding.Fail, `"022"`: finding.Fail, "022": finding.Pass, "26": finding.Pass} {
		src := "Resources: {I: {Type: 'AWS::EC2::SecurityGroupIngress', Properties: {IpProtocol: tcp, CidrIp: 0.0.0.0/0, FromPort: " + text + ", ToPort: " + text + "}}}"
		template, err := cfn.Parse("t.yaml", []byte(src))
		if err != nil {
			t.Fatal(err)
		}
		out, _, err := set.Judge(context.Background(), finding.Network, template.Worlds(cfn.Inputs{}), nil)
		if err != nil || len(out) != 1 || out[0].Verdict != want {
			t.Errorf("port %s: %v %v, want %s", text, out, err, want)
		}
	}
}

// TestConditionalNeighbour: a resource that an undetermined condition adds in
// another world leaves the verdict open.
func TestConditionalNeighbour(t *testing.T) {
	set, err := Open(fstest.MapFS{"s3/a.yaml": {Data: []byte("id: s3-a\ntitle: T\nseverity: low\ndomain: network\ntypes: [AWS::S3::Bucket]\nrelations:\n  policies: {type: AWS::S3::BucketPolicy, by: Bucket}\npass: size(policies) > 0\nremediation: Do.\n")}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for parameter, want := range map[string]finding.Verdict{"Type: String, AllowedValues: [dev, prod]": finding.Unknown, "Type: String, Default: dev, AllowedValues: [dev, prod]": finding.Fail, "Type: String, Default: prod": finding.Fail} {
		src := "Parameters: {E: {" + parameter + "}}\nConditions: {P: !Equals [!Ref E, prod]}\nResources:\n  B: {Type: 'AWS::S3::Bucket'}\n  Q: {Type: 'AWS::S3::BucketPolicy', Condition: P, Properties: {Bucket: !Ref B}}\n"
		template, err := cfn.Parse("t.yaml", []byte(src))
		if err != nil {
			t.Fatal(err)
		}
		out, _, err := set.Judge(context.Background(), finding.Network, template.Worlds(cfn.Inputs{}), nil)
		if err != nil || len(out) != 1 || out[0].Verdict != want {
			t.Errorf("%s: %+v %v, want %s", parameter, out, err, want)
		}
	}
}
