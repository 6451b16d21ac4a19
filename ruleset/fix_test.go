package ruleset

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/cfn"
	"plumbline/finding"
)

func TestFix(t *testing.T) {
	policy := &Policy{Values: Values{{Name: "logBucket", Text: "acme-logs"}}}
	template := `
Parameters: {P: {Type: String}}
Resources:
  Q: {Type: AWS::SQS::Queue}
  RPolicy: {Type: AWS::SQS::Queue}
  R:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: !Sub "${Q}-x"
      AccessControl: !Ref P
      Tags: [{Key: a, Value: x}, {Key: b, Value: y}, {Key: c, Value: x}]
`
	for _, tt := range []struct {
		name, fix string
		want      Fix
		status    string
	}{
		{"value", "[{set: VersioningConfiguration.Status, value: Enabled}]",
			Fix{Ops: []cfn.Op{{Do: "set", Path: []string{"VersioningConfiguration", "Status"}, Value: "Enabled"}}}, "available"},
		{"document", "[{set: PublicAccessBlockConfiguration, value: {BlockPublicAcls: true, N: [1, 1.5]}}]",
			Fix{Ops: []cfn.Op{{Do: "set", Path: []string{"PublicAccessBlockConfiguration"}, Value: map[string]any{"BlockPublicAcls": true, "N": []any{1, 1.5}}}}}, "available"},
		{"policy value", "[{set: LoggingConfiguration.DestinationBucketName, policy: logBucket}]",
			Fix{Ops: []cfn.Op{{Do: "set", Path: []string{"LoggingConfiguration", "DestinationBucketName"}, Value: "acme-logs"}}}, "available"},
		{"missing policy value", "[{set: LoggingConfiguration.DestinationBucketName, policy: kmsKey}]",
			Fix{Needs: []string{"policy value kmsKey"}}, "needs-value"},
		{"expression", "[{add: Tags, cel: '{\"Key\": \"id\", \"Value\": self.LogicalId}'}]",
			Fix{Ops: []cfn.Op{{Do: "add", Path: []string{"Tags"}, Value: map[string]any{"Key": "id", "Value": "R"}}}}, "available"},
		{"expression with a reference", "[{set: BucketName, cel: 'resource.BucketName + \"-v2\"'}]",
			Fix{Ops: []cfn.Op{{Do: "set", Path: []string{"BucketName"}, Value: map[string]any{"Fn::Sub": "${Q}-x-v2"}}}}, "available"},
		{"expression of an unknown", "[{set: BucketName, cel: 'resource.AccessControl.lowerAscii()'}]",
			Fix{Needs: []string{"parameter P"}}, "available"},
		{"values of all kinds", "[{set: BucketName, cel: '[1, 1.5, true, null, resource.Tags[0], resource.Tags]'}]",
			Fix{Ops: []cfn.Op{{Do: "set", Path: []string{"BucketName"}, Value: []any{int64(1), 1.5, true, nil, map[string]any{"Key": "a", "Value": "x"}, []any{
				map[string]any{"Key": "a", "Value": "x"}, map[string]any{"Key": "b", "Value": "y"}, map[string]any{"Key": "c", "Value": "x"}}}}}}, "available"},
		{"remove", "[{remove: AccessControl}]", Fix{Ops: []cfn.Op{{Do: "remove", Path: []string{"AccessControl"}}}}, "available"},
		{"remove items", "[{remove: 'Tags[]', where: item.Value == 'x'}]",
			Fix{Ops: []cfn.Op{{Do: "remove", Path: []string{"Tags", "2"}}, {Do: "remove", Path: []string{"Tags", "0"}}}}, "available"},
		{"set in items", "[{set: 'Tags[].Value', where: item.Value == 'y', cel: 'item.Value + \"2\"'}]",
			Fix{Ops: []cfn.Op{{Do: "set", Path: []string{"Tags", "1", "Value"}, Value: "y2"}}}, "available"},
		{"items of what is not there", "[{remove: 'CorsConfiguration.CorsRules[]'}]", Fix{}, "available"},
		{"companion", "[{companion: AWS::S3::BucketPolicy, cel: '{\"Bucket\": {\"Ref\": self.LogicalId}}'}]",
			Fix{Companion: &cfn.Resource{LogicalID: "RBucketPolicy", Type: "AWS::S3::BucketPolicy", Properties: &cfn.Value{Kind: cfn.Map, Fields: []cfn.Field{
				{Key: "Bucket", Value: &cfn.Value{Kind: cfn.Map, Fields: []cfn.Field{{Key: "Ref", Value: &cfn.Value{Kind: cfn.String, Text: "R"}}}}}}}}}, "available"},
		{"none", "[]", Fix{}, "none"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, policy, ruleText("r", "[AWS::S3::Bucket]", "pass: 'false'\nbreaks: things\nfix: "+tt.fix+"\n"))
			if err := s.Check(); err != nil {
				t.Fatal(err)
			}
			m := models(t, cfn.Inputs{}, template)
			got, _, err := s.Judge(context.Background(), finding.Network, m, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got[0].Fix != tt.status {
				t.Errorf("status %q, want %q", got[0].Fix, tt.status)
			}
			fix, err := s.Fix(got[0], m[0])
			if err != nil {
				t.Fatal(err)
			}
			if tt.status != "none" {
				tt.want.Breaks = "things"
			}
			if diff := cmp.Diff(tt.want, fix, cmp.AllowUnexported(cfn.Value{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFixRefuses(t *testing.T) {
	m := models(t, cfn.Inputs{}, "Parameters: {P: {Type: String}}\nResources: {R: {Type: AWS::S3::Bucket, Properties: {BucketName: !Sub '${P}-x'}}, RBucketPolicy: {Type: AWS::SQS::Queue}}")[0]
	f := finding.Finding{Rule: "r", Resource: finding.Resource{LogicalID: "R"}}
	for _, tt := range []struct {
		name, fix, id string
		want          string
	}{
		{"unknown resource", "[{set: BucketName, value: x}]", "Other", `fix r: the template has no resource "Other"`},
		{"part that is not known", "[{set: BucketName, cel: resource.BucketName}]", "R", ""},
		{"error", "[{set: BucketName, cel: 'resource.Tags[0].Key'}]", "R", "index out of bounds"},
		{"bad companion", "[{companion: AWS::S3::BucketPolicy, value: x}]", "R", "the companion's properties are no mapping"},
		{"no form", "[{set: BucketName, cel: 'b\"x\"'}]", "R", "a value of type bytes cannot be written into a template"},
		{"no text key", "[{set: BucketName, cel: '{1: 2}'}]", "R", "a key of the value is no text"},
		{"where fails", "[{remove: 'Tags[]', where: 'true'}]", "R", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, nil, ruleText("r", "[AWS::S3::Bucket]", "pass: 'false'\nfix: "+tt.fix+"\n"))
			f.Resource.LogicalID = tt.id
			_, err := s.Fix(f, m)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
	s := open(t, nil, ruleText("r", "[AWS::S3::Bucket]", "pass: 'false'\n"))
	if _, err := s.Fix(finding.Finding{Rule: "q"}, m); err == nil {
		t.Error("unknown rule")
	}
	companion := open(t, nil, ruleText("r", "[AWS::S3::Bucket]", "pass: 'false'\nfix: [{companion: AWS::S3::BucketPolicy, value: {A: [true, 1, 2.5, null]}}]\n"))
	f.Resource.LogicalID = "R"
	fix, err := companion.Fix(f, m)
	if err != nil || fix.Companion.LogicalID != "RBucketPolicy2" {
		t.Errorf("got %+v, %v", fix.Companion, err)
	}
}

func TestExplain(t *testing.T) {
	s := open(t, nil, ruleText("tls", "[AWS::S3::Bucket]", `
relations:
  policies: {type: AWS::S3::BucketPolicy, by: Bucket}
  keys: {type: AWS::KMS::Key, from: "BucketEncryption.ServerSideEncryptionConfiguration[].ServerSideEncryptionByDefault.KMSMasterKeyID"}
let: {named: has(resource.BucketName)}
when: named || resource.AccessControl != "Private"
pass: resource.VersioningConfiguration.Status == "Enabled" && !(resource.AccessControl in ["PublicRead"]) && policies.exists(p, p.PolicyDocument.Version == "x")
`))
	m := models(t, cfn.Inputs{}, `
Parameters: {Environment: {Type: String, Default: prod, AllowedValues: [prod, dev]}, Name: {Type: String}}
Conditions: {IsProd: !Equals [!Ref Environment, prod]}
Resources:
  R:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: data
      VersioningConfiguration: {Status: !If [IsProd, Enabled, Suspended]}
      BucketEncryption: {ServerSideEncryptionConfiguration: [{ServerSideEncryptionByDefault: {SSEAlgorithm: "aws:kms", KMSMasterKeyID: !ImportValue Key}}]}
  P: {Type: AWS::S3::BucketPolicy, Properties: {Bucket: !Ref Name, PolicyDocument: {Version: x}}}
  Q: {Type: AWS::S3::BucketPolicy, Properties: {Bucket: !Ref R, PolicyDocument: {Version: x}}}
`)
	x, err := s.Explain(context.Background(), "tls", "R", m)
	if err != nil {
		t.Fatal(err)
	}
	if x.Finding.Verdict != finding.Fail || x.Finding.Message != "tls when Environment is dev" || x.Rule.ID != "tls" {
		t.Errorf("finding %+v", x.Finding)
	}
	var worlds []string
	for _, w := range x.Worlds {
		worlds = append(worlds, strings.Join(w.Assuming, ",")+" "+string(w.Verdict))
	}
	if diff := cmp.Diff([]string{"Environment=prod pass", "Environment=dev fail"}, worlds); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]RelatedSet{{"policies", []string{"Q", "P? (parameter Name)"}}, {"keys", []string{"? (import Key)"}}}, x.Related); diff != "" {
		t.Error(diff)
	}
	var reads []string
	for _, r := range x.Reads {
		reads = append(reads, r.Resource+" "+r.Path+" = "+r.Value)
	}
	if diff := cmp.Diff([]string{`R BucketName = "data"`, "R VersioningConfiguration = mapping of 1", `R VersioningConfiguration.Status = "Suspended"`}, reads); diff != "" {
		t.Error(diff)
	}
	if p := x.Reads[0].Place; p.Path != "t.yaml" || p.Line != 8 {
		t.Errorf("place %+v", p)
	}
	var steps []string
	for _, s := range x.Steps {
		steps = append(steps, strings.Repeat("  ", s.Depth)+s.Of+": "+s.Text+" → "+s.Result)
	}
	want := []string{
		`let named: has(resource.BucketName) → true`,
		`when: named || resource.AccessControl != "Private" → true`,
		`  when: named → true`,
		`  when: resource.AccessControl != "Private" → true`,
		`    when: resource.AccessControl → ""`,
		`pass: resource.VersioningConfiguration.Status == "Enabled" && !(resource.AccessControl in ["PublicRead"]) && policies.exists(p, p.PolicyDocument.Version == "x") → false`,
		`  pass: resource.VersioningConfiguration.Status == "Enabled" && !(resource.AccessControl in ["PublicRead"]) → false`,
		`    pass: resource.VersioningConfiguration.Status == "Enabled" → false`,
		`      pass: resource.VersioningConfiguration.Status → "Suspended"`,
		`    pass: !(resource.AccessControl in ["PublicRead"]) → true`,
		`      pass: resource.AccessControl in ["PublicRead"] → false`,
		`        pass: resource.AccessControl → ""`,
		`  pass: policies.exists(p, p.PolicyDocument.Version == "x") → true`,
	}
	if diff := cmp.Diff(want, steps); diff != "" {
		t.Error(diff)
	}
	for _, tt := range []struct{ rule, id, want string }{
		{"tsl", "R", `unknown rule "tsl". did you mean tls?`},
		{"tls", "X", `the template has no resource "X"`},
		{"tls", "P", "rule tls is not for resources of type AWS::S3::BucketPolicy"},
		{"template-readable", "R", "rule template-readable is about templates"},
	} {
		if _, err := s.Explain(context.Background(), tt.rule, tt.id, m); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}
