package ruleset

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

const wholeRule = `# a comment
id: s3-everything
title: Bucket has everything
severity: high
domain: encryption
types: [AWS::S3::Bucket]
relations:
  policies: {type: AWS::S3::BucketPolicy, by: Bucket, live: "s3:GetBucketPolicy"}
let:
  name: resource.BucketName
when: name != "x"
pass: |
  size(policies) > 0 &&
    name != ""
message: >-
  "bucket " +
  name
at: BucketName
remediation: Do it.
fix:
  - set: BucketName
    value: data
  - add: Tags
    cel: '{"Key": "a", "Value": name}'
  - remove: CorsConfiguration.CorsRules[]
    where: item.MaxAge == 0
  - set: BucketEncryption.ServerSideEncryptionConfiguration[].BucketKeyEnabled
    policy: bucketKey
breaks: Nothing.
equivalents: {config: [a], checkov: [CKV_1, CKV_2]}
references: [https://example.com]
`

func TestReadRule(t *testing.T) {
	got, err := ReadRule("s3/everything.yaml", []byte(wholeRule))
	if err != nil {
		t.Fatal(err)
	}
	want := &Rule{
		ID: "s3-everything", Title: "Bucket has everything", Severity: "high", Domain: "encryption",
		Types:       []string{"AWS::S3::Bucket"},
		Relations:   []Relation{{Name: "policies", Type: "AWS::S3::BucketPolicy", By: "Bucket", Live: "s3:GetBucketPolicy", Line: 8}},
		Let:         []Let{{"name", Expression{Text: "resource.BucketName", Line: 10, Column: 9}}},
		When:        Expression{Text: `name != "x"`, Line: 11, Column: 7},
		Pass:        Expression{Text: "size(policies) > 0 &&\n  name != \"\"", Line: 13, Column: 3, block: true},
		Message:     Expression{Text: `"bucket " + name`, Line: 16, Column: 3, folded: true},
		At:          "BucketName",
		Remediation: "Do it.",
		Fix: []FixStep{
			{Do: "set", Path: []string{"BucketName"}, Value: "data", Line: 21},
			{Do: "add", Path: []string{"Tags"}, CEL: Expression{Text: `{"Key": "a", "Value": name}`, Line: 24, Column: 11}, Line: 23},
			{Do: "remove", Path: []string{"CorsConfiguration", "CorsRules[]"}, Where: Expression{Text: "item.MaxAge == 0", Line: 26, Column: 12}, Line: 25},
			{Do: "set", Path: []string{"BucketEncryption", "ServerSideEncryptionConfiguration[]", "BucketKeyEnabled"}, Policy: "bucketKey", Line: 27},
		},
		Breaks:      "Nothing.",
		Equivalents: map[string][]string{"config": {"a"}, "checkov": {"CKV_1", "CKV_2"}},
		References:  []string{"https://example.com"},
		File:        "s3/everything.yaml", Line: 2,
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(Expression{}, Rule{})); diff != "" {
		t.Error(diff)
	}
	if err := open(t, nil, wholeRule).Check(); err != nil {
		t.Error(err)
	}
}

func TestReadRuleRefuses(t *testing.T) {
	base := ruleText("a-b", "[AWS::S3::Bucket]", "pass: 'true'\n")
	for _, tt := range []struct{ name, text, want string }{
		{"empty", "", "x.yaml:1:1: empty rule file"},
		{"no mapping", "- a", "x.yaml:1:1: a rule is a list. a mapping with the keys id, title"},
		{"not YAML", "a: [", "x.yaml:1:1: not valid YAML: "},
		{"unknown key", base + "severty: high\n", `x.yaml:7:1: unknown key "severty" in a rule. did you mean severity?`},
		{"twice", base + "pass: 'false'\n", `x.yaml:7:1: key "pass" stands twice in a rule`},
		{"missing", "id: a-b\n", `key "title" is missing`},
		{"severity", strings.Replace(base, "high", "hihg", 1), `x.yaml:3:11: severity "hihg" is none of critical, high, medium, low. did you mean high?`},
		{"id", strings.Replace(base, "id: a-b", "id: A_b", 1), `x.yaml:1:5: id "A_b" is not lower-case words`},
		{"types text", strings.Replace(base, "[AWS::S3::Bucket]", "all", 1), `x.yaml:5:8: types is "all". a list of CloudFormation types, or one of taggable, any, unknown, is needed`},
		{"no types", strings.Replace(base, "[AWS::S3::Bucket]", "[]", 1), `x.yaml:5:8: types is empty`},
		{"type twice", strings.Replace(base, "[AWS::S3::Bucket]", "[a, a]", 1), `"a" stands twice in types`},
		{"empty text", strings.Replace(base, "title: a-b", "title: ''", 1), "title is an empty text"},
		{"list for text", strings.Replace(base, "title: a-b", "title: [a]", 1), "title is a list. a text is needed"},
		{"null for text", strings.Replace(base, "title: a-b", "title:", 1), "title is empty. a text is needed"},
		{"text for list", base + "references: a\n", "references is a single value. a list of texts is needed"},
		{"deprecated", base + "deprecated: maybe\n", "deprecated is not true or false"},
		{"relations", base + "relations: [a]\n", "relations is a list"},
		{"relation key", base + "relations: {r: {typ: AWS::S3::Bucket, any: true}}\n", `unknown key "typ" in relation r. did you mean type?`},
		{"relation type", base + "relations: {r: {any: true}}\n", `relation "r" has no type`},
		{"relation ways", base + "relations: {r: {type: A, by: B, from: C}}\n", `relation "r" has 2 of by, from and any`},
		{"relation of", base + "relations: {r: {type: A, by: B, of: q}}\n", `relation "r" is of "q", which is not a relation before it`},
		{"relation any of", base + "relations: {q: {type: A, any: true}, r: {type: A, any: true, of: q}}\n", "takes any resource"},
		{"let", base + "let: [a]\n", "let is a list"},
		{"let name", base + "let: {A: '1'}\n", `name "A" does not begin with a lower-case letter`},
		{"let taken", base + "let: {self: '1'}\n", `name "self" is already a built-in variable`},
		{"let relation", base + "relations: {r: {type: A, any: true}}\nlet: {r: '1'}\n", `name "r" is already a relation`},
		{"fix", base + "fix: {set: A}\n", "fix is a mapping. a list of steps"},
		{"fix verbs", base + "fix: [{set: A, add: B, value: 1}]\n", "a fix step has 2 of set, add, remove, companion, tags and delete"},
		{"fix values", base + "fix: [{set: A, value: 1, cel: b}]\n", "a set step has 2 of value, cel and policy"},
		{"fix remove", base + "fix: [{remove: A, value: 1}]\n", "a remove step has no value"},
		{"fix where", base + "fix: [{delete: resource, where: 'true'}]\n", "a delete step has no where"},
		{"equivalents", base + "equivalents: {checkow: [a]}\n", `unknown key "checkow" in equivalents. did you mean checkov?`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ReadRule("x.yaml", []byte(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestCompileRefuses(t *testing.T) {
	const bucket = "[AWS::S3::Bucket]"
	for _, tt := range []struct{ name, types, rest, want string }{
		{"misspelt property", bucket, "pass: resource.PublicAccesBlock.X\n", `x/ra.yaml:6:15: pass: 1:9: undefined field "PublicAccesBlock" of AWS::S3::Bucket`},
		{"nested", bucket, "pass: |\n  true &&\n    resource.VersioningConfiguration.Staus == 'Enabled'\n",
			`x/ra.yaml:8:37: pass: 2:35: undefined field "Staus" of AWS::S3::Bucket.VersioningConfiguration. did you mean Status?`},
		{"in has", bucket, "pass: has(resource.BucketNam)\n", `undefined field "BucketNam" of AWS::S3::Bucket. did you mean BucketName?`},
		{"in source", bucket, "pass: source(resource.BucketNam) == ''\n", `did you mean BucketName?`},
		{"kind", bucket, "pass: resource.VersioningConfiguration.Status == true\n", "found no matching overload for '_==_'"},
		{"no boolean", bucket, "pass: resource.BucketName\n", "pass: 1:1: the result is string, and bool is needed"},
		{"when", bucket, "when: '1'\npass: 'true'\n", "when: 1:1: the result is int, and bool is needed"},
		{"dyn", "[AWS::IAM::Policy]", "pass: resource.PolicyDocument\n", "the result is dyn, and bool is needed"},
		{"message", bucket, "pass: 'true'\nmessage: '1'\n", "message: 1:1: the result is int, and string is needed"},
		{"syntax", bucket, "pass: resource.BucketName ==\n", "pass: 1:23: Syntax error"},
		{"regexp", bucket, "pass: resource.BucketName.matches('[')\n", "pass: 1:1: pattern \"[\": error parsing regexp"},
		{"type", "[AWS::S3::Buckett]", "pass: 'true'\n", `type "AWS::S3::Buckett" is not known. did you mean AWS::S3::Bucket?`},
		{"relation type", bucket, "relations: {p: {type: AWS::S3::BucketPolicyy, by: Bucket}}\npass: 'true'\n", `relation p: 1:1: type "AWS::S3::BucketPolicyy" is not known. did you mean`},
		{"relation path", bucket, "relations: {p: {type: AWS::S3::BucketPolicy, by: Buckt}}\npass: 'true'\n", `undefined property "Buckt" of AWS::S3::BucketPolicy. did you mean Bucket?`},
		{"relation element", bucket, "relations: {p: {type: AWS::S3::BucketPolicy, by: Bucket}}\npass: p.exists(x, x.Doc == '')\n", `undefined field "Doc" of AWS::S3::BucketPolicy`},
		{"let", bucket, "let: {a: resource.X}\npass: 'true'\n", `let a: 1:9: undefined field "X"`},
		{"open type", "taggable", "pass: resource.Tags == []\n", `undefined field "Tags": a rule for types taggable or any reads resources by functions`},
		{"fix path", bucket, "pass: 'true'\nfix: [{set: VersioningConfiguration.Staus, value: Enabled}]\n", `fix: 1:1: undefined property "Staus" of AWS::S3::Bucket.VersioningConfiguration. did you mean Status?`},
		{"fix list", bucket, "pass: 'true'\nfix: [{remove: 'BucketName[]'}]\n", `property "BucketName" is no list`},
		{"fix where", bucket, "pass: 'true'\nfix: [{remove: 'Tags[]', where: item.Kee == ''}]\n", `where: 1:5: undefined field "Kee" of AWS::S3::Bucket.Tag`},
		{"fix companion", bucket, "pass: 'true'\nfix: [{companion: AWS::S3::BucketPolic, value: {}}]\n", `type "AWS::S3::BucketPolic" is not known. did you mean AWS::S3::BucketPolicy?`},
		{"source of a loop variable", bucket, "pass: \"['a'].all(g, source(g) == '')\"\n", "source takes a property or an element, and g is a value without its place"},
		{"source of no property", bucket, "pass: source('a') == ''\n", "source takes a property or an element, such as source(resource.Name)"},
		{"unknown function", bucket, "pass: isWorldd('')\n", "undeclared reference to 'isWorldd'"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := open(t, nil, ruleText("a-b", tt.types, tt.rest)).Check()
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestOpen(t *testing.T) {
	good := fstest.MapFS{"a/one.yaml": {Data: []byte(ruleText("a-one", "[AWS::S3::Bucket]", "pass: 'true'\n"))}}
	for _, tt := range []struct {
		name, text, want string
	}{
		{"same id", ruleText("a-one", "[AWS::S3::Bucket]", "pass: 'true'\n"), `own/x.yaml: id "a-one" is taken by another rule`},
		{"does not compile", ruleText("b-two", "[AWS::S3::Bucket]", "pass: resource.X\n"), `own/x.yaml:6:15: pass: 1:9: undefined field "X"`},
		{"does not read", "id: b-two\n", `own/x.yaml:1:1: key "title" is missing`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Open(good, nil, Folder{"own", fstest.MapFS{"x.yaml": {Data: []byte(tt.text)}}})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
	s, err := Open(good, nil, Folder{"own", fstest.MapFS{"x.yaml": {Data: []byte(ruleText("b-two", "[AWS::SQS::Queue]", "pass: 'true'\n"))}}})
	if err != nil {
		t.Fatal(err)
	}
	rules, err := s.Rules()
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, r := range rules {
		ids = append(ids, r.ID)
	}
	if diff := cmp.Diff([]string{"a-one", "b-two", "live-matches-template", "live-readable", "suppression-current", "template-readable"}, ids); diff != "" {
		t.Error(diff)
	}
	if _, err := s.Rule("a-onee"); err == nil || err.Error() != `unknown rule "a-onee". did you mean a-one?` {
		t.Errorf("got %v", err)
	}
	if r, err := s.Rule("template-readable"); err != nil || !r.Reserved {
		t.Errorf("got %v, %v", r, err)
	}
	if r, err := s.Rule("b-two"); err != nil || r.File != "own/x.yaml" {
		t.Errorf("got %v, %v", r, err)
	}
	if !s.Index().HasRule("b-two") || s.Policy().Version != 1 {
		t.Error("index or policy")
	}
}
