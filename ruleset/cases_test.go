package ruleset

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"plumbline/cfn"
)

func TestCaseTemplates(t *testing.T) {
	src := `- name: base
  type: AWS::S3::Bucket
  properties: &p
    BucketName: !Sub "${Prefix}-${AWS::Region}-${!Kept}-${Queue.Arn}"
    Tags: [{Key: a, Value: "yes"}]
    KmsKey: {Ref: Key}
    Arn: !GetAtt Queue.Arn
    Text: {"Fn::Sub": ["${Own}${Other}", {Own: !Ref Inner}]}
  with:
    Queue: {type: AWS::SQS::Queue, properties: {Name: !Ref QueueName}, attributes: {DependsOn: Subject}}
  parameters: {Key: {Type: String, NoEcho: true}, Env: dev}
  conditions: {IsDev: !Equals [!Ref Stage, dev]}
  attributes: {DeletionPolicy: Retain}
  want: pass
- name: derived
  base: base
  set: {Tags.0.Value: no, Tags.1: {Key: b, Value: c}, New.Deep: 1, BucketName: plain}
  unset: [Arn, KmsKey, Text]
  want: fail
- name: alone
  properties: *p
  want: unknown
- name: nothing
  want: skip
`
	cases, err := ReadCases("x_test.yaml", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{`Parameters:
  Key: {Type: String, NoEcho: true}
  Env:
    Type: String
    Default: dev
  Prefix:
    Type: String
  Other:
    Type: String
  Inner:
    Type: String
  QueueName:
    Type: String
  Stage:
    Type: String
Conditions: {IsDev: !Equals [!Ref Stage, dev]}
Resources:
  Subject:
    Type: T
    DeletionPolicy: Retain
    Properties:
      BucketName: !Sub "${Prefix}-${AWS::Region}-${!Kept}-${Queue.Arn}"
      Tags: [{Key: a, Value: "yes"}]
      KmsKey: {Ref: Key}
      Arn: !GetAtt Queue.Arn
      Text: {"Fn::Sub": ["${Own}${Other}", {Own: !Ref Inner}]}
  Queue:
    Type: AWS::SQS::Queue
    DependsOn: Subject
    Properties: {Name: !Ref QueueName}
`, `Resources:
  Subject:
    Type: T
    DeletionPolicy: Retain
    Properties:
      BucketName: plain
      Tags: [{Key: a, Value: no}, {Key: b, Value: c}]
      New:
        Deep: 1
`, `Resources:
  Subject:
    Type: T
    Properties:
      BucketName: !Sub "${Prefix}-${AWS::Region}-${!Kept}-${Queue.Arn}"
`, "Resources:\n  Subject:\n    Type: T\n"}
	for i := range cases {
		got, err := cases[i].template("T")
		if err != nil {
			t.Fatal(err)
		}
		var wantNode, gotNode yaml.Node
		if err := yaml.Unmarshal(got, &gotNode); err != nil {
			t.Fatalf("%s: %v\n%s", cases[i].Name, err, got)
		}
		switch cases[i].Name {
		case "base", "nothing":
			if diff := cmp.Diff(want[i], string(got)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", cases[i].Name, diff)
			}
		default: // only the subject is compared
			if err := yaml.Unmarshal([]byte(want[i]), &wantNode); err != nil {
				t.Fatal(err)
			}
			for _, key := range []string{"BucketName", "Tags", "New"} {
				w, _ := yaml.Marshal(at(wantNode.Content[0], "Resources", "Subject", "Properties", key))
				g, _ := yaml.Marshal(at(gotNode.Content[0], "Resources", "Subject", "Properties", key))
				if diff := cmp.Diff(string(w), string(g)); diff != "" && strings.Contains(want[i], key+":") {
					t.Errorf("%s: %s (-want +got):\n%s", cases[i].Name, key, diff)
				}
			}
		}
		if _, err := cfn.Parse("t.yaml", got); err != nil {
			t.Errorf("%s: %v", cases[i].Name, err)
		}
	}
	derived, _ := cases[1].template("T")
	for _, gone := range []string{"KmsKey", "GetAtt", "Text"} {
		if strings.Contains(string(derived), gone) {
			t.Errorf("unset left %s:\n%s", gone, derived)
		}
	}
	if cases[1].Type != "AWS::S3::Bucket" || len(cases[1].With) != 1 || len(cases[0].Properties.Content) != 10 {
		t.Errorf("the base was changed, or not inherited: %+v", cases[1])
	}
}

func TestReadCasesRefuses(t *testing.T) {
	for _, tt := range []struct{ name, src, want string }{
		{"empty", "", "c.yaml:1:1: empty case file."},
		{"no list", "a: b\n", "c.yaml:1:1: cases: want a list, got keys and values"},
		{"no verdict", "- name: a\n", "c.yaml:1:3: cases[0] has no want."},
		{"verdict", "- {name: a, want: passes}\n", `c.yaml:1:19: cases[0].want: "passes" is not known. did you mean "pass"?`},
		{"key", "- {name: a, want: pass, properteis: {}}\n", `c.yaml:1:25: unknown key "properteis" in cases[0]. did you mean "properties"?`},
		{"name twice", "- {name: a, want: pass}\n- {name: a, want: fail}\n", `c.yaml:2:3: case "a" is here twice, first in line 1. names are unique`},
		{"base", "- {name: a, want: pass, base: b}\n- {name: b, want: fail}\n", `c.yaml:1:3: base "b" is no earlier case of this file`},
		{"set", "- {name: a, want: pass, properties: {A: [1]}, set: {A.x: 1}}\n", `c.yaml:1:3: case "a": set A.x: "x" is no index of a list of 1`},
		{"set in a text", "- {name: a, want: pass, properties: {A: b}, set: {A.B: 1}}\n", `c.yaml:1:3: case "a": set A.B: there is no place for "B": before it stands "b"`},
		{"unset", "- {name: a, want: pass, properties: {A: b}, unset: [B]}\n", `c.yaml:1:3: case "a": unset B: there is no "B"`},
		{"unset an index", "- {name: a, want: pass, properties: {A: [b]}, unset: [A.1]}\n", `c.yaml:1:3: case "a": unset A.1: "1" is no index of a list of 1`},
		{"unset in a text", "- {name: a, want: pass, properties: {A: b}, unset: [A.B]}\n", `c.yaml:1:3: case "a": unset A.B: there is no "B"`},
	} {
		_, err := ReadCases("c.yaml", []byte(tt.src))
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s:\n got %v\nwant %s", tt.name, err, tt.want)
		}
	}
}

func TestCaseTemplateRefuses(t *testing.T) {
	for _, tt := range []struct{ name, more, want string }{
		{"subject", "with: {Subject: {type: A}}", "with: Subject is the judged resource's own id. use another"},
		{"no mapping", "with: {A: b}", `with.A: want {type, properties}, got "b"`},
		{"no type", "with: {A: {}}", "with.A has no type"},
		{"key", "with: {A: {type: B, props: {}}}", `with.A: unknown key "props". allowed: type, properties, attributes`},
		{"attribute", "attributes: {Type: A}", "attributes: Type stands in the case itself"},
	} {
		cases, err := ReadCases("c.yaml", []byte("- {name: a, want: pass, "+tt.more+"}\n"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := cases[0].template("T"); err == nil || err.Error() != tt.want {
			t.Errorf("%s:\n got %v\nwant %s", tt.name, err, tt.want)
		}
	}
}

func FuzzReadCases(f *testing.F) {
	f.Add([]byte("- {name: a, want: pass, properties: {A: !Ref B}}\n- {name: b, base: a, set: {A.0.c: 1}, want: fail}\n"))
	f.Add([]byte("- &a {name: *a, want: pass}"))
	f.Fuzz(func(t *testing.T, src []byte) {
		cases, err := ReadCases("c.yaml", src)
		if err != nil {
			return
		}
		for i := range cases {
			if text, err := cases[i].template("AWS::S3::Bucket"); err == nil {
				_, _ = cfn.Parse("t.yaml", text)
			}
		}
	})
}
