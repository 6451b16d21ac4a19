package cfn

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
)

func TestParseFillsTemplate(t *testing.T) {
	const src = `AWSTemplateFormatVersion: 2010-09-09
Description: all sections
Transform: [AWS::Serverless-2016-10-31, {Name: Mine, Parameters: {a: b}}]
Metadata: {Owner: me}
Parameters:
  Env: {Type: String, Default: dev, AllowedValues: [dev, 1, true]}
  Secret: {Type: String, NoEcho: "true"}
  Zones: {Type: List<AWS::EC2::AvailabilityZone::Name>, Default: ~}
Mappings: {M: {a: {b: c}}}
Conditions:
  IsProd: !Equals [!Ref Env, prod]
Rules: {R: {Assertions: []}}
Globals: {Function: {Timeout: 5}}
Hooks: {}
Mine: anything, for the macro
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Condition: IsProd
    Properties: {TopicName: a}
  Fn::ForEach::Queues:
    - Name
    - [A, B]
    - Queue${Name}: {Type: AWS::SQS::Queue}
  Bare:
    Type: AWS::SNS::Topic
    Properties:
  Fn::Transform: {Name: AWS::Include, Parameters: {Location: s3://b/k}}
  Included:
    Fn::Transform: {Name: AWS::Include, Parameters: {Location: s3://b/k}}
Outputs:
  Arn: {Value: !Ref Topic}
`
	got, err := Parse("app.yaml", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("", messages(got.Problems)); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"AWS::Serverless-2016-10-31", "Mine", "AWS::Include"}, got.Transforms); diff != "" {
		t.Errorf("transforms (-want +got):\n%s", diff)
	}
	var lines []string
	for _, p := range got.Parameters {
		lines = append(lines, fmt.Sprintf("parameter %s %d:%d %s default %s allowed %v noecho %v", p.Name, p.Pos.Line, p.Pos.Column, p.Type, notation(p.Default), p.AllowedValues, p.NoEcho))
	}
	for _, c := range got.Conditions {
		lines = append(lines, "condition "+c.Key+" "+notation(c.Value))
	}
	for _, r := range got.Resources {
		lines = append(lines, fmt.Sprintf("resource %s %d:%d type %q if %q body %s loop %v", r.LogicalID, r.Pos.Line, r.Pos.Column, r.Type, r.Condition, notation(r.Body), r.ForEach != nil))
	}
	lines = append(lines, "mappings "+notation(got.Mappings), "outputs "+notation(got.Outputs), "metadata "+notation(got.Metadata))
	want := []string{
		`parameter Env 6:3 String default "dev" allowed [dev 1 true] noecho false`,
		`parameter Secret 7:3 String default absent allowed [] noecho true`,
		`parameter Zones 8:3 List<AWS::EC2::AvailabilityZone::Name> default absent allowed [] noecho false`,
		`condition IsProd *{Fn::Equals:*[*{Ref:"Env"} "prod"]}`,
		`resource Topic 17:3 type "AWS::SNS::Topic" if "IsProd" body {Type:"AWS::SNS::Topic" Condition:"IsProd" Properties:{TopicName:"a"}} loop false`,
		`resource Fn::ForEach::Queues 21:3 type "" if "" body ["Name" ["A" "B"] {Queue${Name}:{Type:"AWS::SQS::Queue"}}] loop true`,
		`resource Bare 25:3 type "AWS::SNS::Topic" if "" body {Type:"AWS::SNS::Topic" Properties:null} loop false`,
		`mappings {M:{a:{b:"c"}}}`, `outputs *{Arn:*{Value:*{Ref:"Topic"}}}`, `metadata {Owner:"me"}`,
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("template (-want +got):\n%s", diff)
	}
	if got.Parameter("Env") != got.Parameters[0] || got.Parameter("Nope") != nil {
		t.Error("Parameter does not find by name")
	}
	if got.Format.String() != "YAML" || got.Path != "app.yaml" {
		t.Errorf("format %s, path %q", got.Format, got.Path)
	}
}

// Each broken part is told once, at its place, and the good resource beside it is kept.
func TestParseProblems(t *testing.T) {
	const good = "  Good: {Type: AWS::SNS::Topic}\n"
	tests := []struct{ name, src, want string }{
		{"a resource that is nothing", "Resources:\n  A:\n" + good, `2:3: resource "A" is empty (null); it must be a map with a Type`},
		{"a resource that is text", "Resources:\n  A: b\n" + good, `2:3: resource "A" is the text "b"; it must be a map with a Type`},
		{"a resource that is a list", "Resources:\n  A: [b]\n" + good, `2:3: resource "A" is a list; it must be a map with a Type`},
		{"no type", "Resources:\n  A: {Properties: {}}\n" + good, `2:3: resource "A" has no Type, such as AWS::S3::Bucket`},
		{"a type that is a list", "Resources:\n  A: {Type: [b]}\n" + good, `2:13: the Type of resource "A" is a list; it must be the name of a resource type, such as AWS::S3::Bucket`},
		{"a type that is a number", "Resources:\n  A: {Type: 42}\n" + good, `2:13: the Type of resource "A" is the number 42; it must be the name of a resource type, such as AWS::S3::Bucket`},
		{"a type that is a function", "Resources:\n  A: {Type: !Ref B}\n" + good, `2:13: the Type of resource "A" is the function Ref; it must be the name of a resource type, such as AWS::S3::Bucket`},
		{"an empty type", "Resources:\n  A: {Type: ''}\n" + good, `2:13: the Type of resource "A" is an empty text; it must be the name of a resource type, such as AWS::S3::Bucket`},
		{"a type of a tag that is none is told once", "Resources:\n  A: {Type: !Nix B}\n" + good, `2:13: tag !Nix is none of CloudFormation's functions. did you mean !If?`},
		{"a type that rain puts in", "Resources:\n  A: {Type: !Rain::Module a.yaml}\n" + good, "2:13: the Type of resource \"A\" is the function Fn::Rain::Module; it must be the name of a resource type, such as AWS::S3::Bucket. scan what `rain pkg` writes"},
		{"a resource that is a function", "Resources:\n  A: !Rain::S3 {Path: a}\n  B: !Ref A\n" + good, "2:3: resource \"A\" is the function Fn::Rain::S3; it must be a map with a Type. scan what `rain pkg` writes\n3:3: resource \"B\" is the function Ref; it must be a map with a Type"},
		{"properties that are a list", "Resources:\n  A: {Type: AWS::SNS::Topic, Properties: [b]}\n" + good, `2:42: Properties of resource "A" is a list; it must be a map`},
		{"properties that are text", "Resources:\n  A: {Type: AWS::SNS::Topic, Properties: yes}\n" + good, `2:42: Properties of resource "A" is the boolean true; it must be a map`},
		{"a condition that is none", "Resources:\n  A: {Type: AWS::SNS::Topic, Condition: false}\n" + good, `2:41: the Condition of resource "A" is the boolean false; it must be the name of a condition in the Conditions section`},
		{"a logical id twice", "Resources:\n" + good + good, `3:3: key "Good" stands a second time, after line 2. CloudFormation takes the last and drops the others without a word; keep one`},
		{"a section with a wrong letter", "Resources:\n" + good + "Parametres: {}\n", `3:1: section "Parametres" is none that a template has. did you mean "Parameters"?`},
		{"a section of another tool", "Resources:\n" + good + "x-custom: {}\n", `3:1: section "x-custom" is none that a template has. allowed are AWSTemplateFormatVersion, Conditions, Description, Globals, Hooks, Mappings, Metadata, Outputs, Parameters, Resources, Rules, Transform`},
		{"sections that are no maps", "Parameters: []\nConditions: a\nMappings: 1\nOutputs: true\nMetadata: [a]\nResources:\n" + good,
			"5:11: Metadata is a list; it must be a map\n3:11: Mappings is the number 1; it must be a map\n4:10: Outputs is the boolean true; it must be a map\n2:13: Conditions is the text \"a\"; it must be a map\n1:13: Parameters is a list; it must be a map"},
		{"sections left empty", "Parameters:\nConditions:\nMappings: ~\nOutputs:\nMetadata:\nTransform:\nDescription:\nAWSTemplateFormatVersion:\nResources:\n" + good, ""},
		{"a parameter that is nothing", "Parameters:\n  P:\nResources:\n" + good, `2:3: parameter "P" is empty (null); it must be a map with a Type`},
		{"a parameter without a type", "Parameters:\n  P: {Default: a}\nResources:\n" + good, `2:3: parameter "P" has no Type, such as String or Number`},
		{"a parameter with a strange type", "Parameters:\n  P: {Type: {}}\nResources:\n" + good, `2:13: the Type of parameter "P" is a map; it must be text, such as String or Number`},
		{"a transform without a name", "Transform: [{a: b}, 5]\nResources:\n" + good, "1:13: a transform is a map; it must be the name of a macro, or a map with a Name\n1:21: a transform is the number 5; it must be the name of a macro, or a map with a Name"},
		{"another version", "AWSTemplateFormatVersion: '2020-01-01'\nResources:\n" + good, `1:27: AWSTemplateFormatVersion is "2020-01-01"; the only version is "2010-09-09". write that, or leave the line out`},
		{"a version with a time", "AWSTemplateFormatVersion: 2010-09-09T00:00:00.000Z\nResources:\n" + good, ``},
		{"a version that is a list", "AWSTemplateFormatVersion: []\nResources:\n" + good, `1:27: AWSTemplateFormatVersion is a list; the only version is "2010-09-09". write that, or leave the line out`},
		{"a long and dirty text", "AWSTemplateFormatVersion: \"a\\u0007" + strings.Repeat("é", 40) + "\"\nResources:\n" + good, `1:27: AWSTemplateFormatVersion is "a ééééééééééééééééééé…"; the only version is "2010-09-09". write that, or leave the line out`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := Parse("t", []byte(test.src))
			if err != nil {
				t.Fatal(err)
			}
			want := ""
			for line := range strings.Lines(test.want) {
				want += "t:" + line
			}
			if diff := cmp.Diff(want, messages(got.Problems)); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			if n := len(got.Resources); n != 1 || got.Resources[0].LogicalID != "Good" {
				t.Errorf("%d resources, want Good alone", n)
			}
		})
	}
}

func TestParseKeepsFirstProblems(t *testing.T) {
	src := "Resources:\n" + strings.Repeat("  A: 1\n", 3*MaxProblems)
	got, err := Parse("t.yaml", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Problems) != MaxProblems {
		t.Errorf("%d problems, want %d", len(got.Problems), MaxProblems)
	}
}

func TestParseErrors(t *testing.T) {
	const no = "no CloudFormation template: there is no Resources section"
	tests := []struct {
		name, src   string
		want        string
		notTemplate bool
	}{
		{"no byte", "", "1:1: the file is empty; a template has at least a Resources section", true},
		{"blank", " \n\r\n\t\n", "1:1: the file is empty; a template has at least a Resources section", true},
		{"comments", "# a\n# b\n", "1:1: the file holds nothing but comments; a template has at least a Resources section", true},
		{"null", "~\n", "1:1: the file is empty; a template has at least a Resources section", true},
		{"a text", "just words\n", `1:1: the file holds the text "just words"; a template is a map with a Resources section`, true},
		{"a list", "- Resources: {}\n", "1:1: the file holds a list; a template is a map with a Resources section", true},
		{"another program's YAML", "# compose\nservices: {web: {image: x}}\n", "2:1: " + no, true},
		{"another program's YAML that speaks of types", "jobs: {a: 'aws AWS::S3::Bucket'}\n", "1:1: " + no, true},
		{"another program's resources", "Resources: [a, b]\n", "1:1: Resources is a list; it must be a map of logical ids to resources", true},
		{"several documents of another program", "a: 1\n---\nb: AWS::S3::Bucket\n", "2:1: no CloudFormation template: several YAML documents, none with a Resources section", true},
		{"several documents that are no maps", "a\n---\n- b\n", "2:1: no CloudFormation template: several YAML documents, none with a Resources section", true},
		{"resources that are a list", "AWSTemplateFormatVersion: '2010-09-09'\nResources: [a]\n", "2:12: Resources is a list; it must be a map of logical ids to resources", false},
		{"resources that are a list of resources", "Resources:\n- Type: AWS::S3::Bucket\n", "2:1: Resources is a list; it must be a map of logical ids to resources", false},
		{"no resources", "AWSTemplateFormatVersion: '2010-09-09'\nParameters: {}\n", "1:1: there is no Resources section; a template has at least one resource. is the file cut off?", false},
		{"a misspelt section", "AWSTemplateFormatVersion: '2010-09-09'\nResource:\n  A: {Type: AWS::S3::Bucket}\n", `2:1: section "Resource" is none that a template has, and there is no Resources section. did you mean "Resources"?`, false},
		{"a misspelt section alone", "resources:\n  A: {Type: AWS::S3::Bucket}\n", `1:1: section "resources" is none that a template has, and there is no Resources section. did you mean "Resources"?`, false},
		{"kustomize", "resources:\n- a.yaml\n", "1:1: " + no, true},
		{"two templates", "Resources: {A: {Type: AWS::S3::Bucket}}\n---\nResources: {B: {Type: AWS::S3::Bucket}}\n", "2:1: a second YAML document begins here; CloudFormation reads one template a file. move it into a file of its own", false},
		{"a template and then something", "Resources: {A: {Type: AWS::S3::Bucket}}\n\n--- # more\n# text\na: 1\n", "3:1: a second YAML document begins here; CloudFormation reads one template a file. move it into a file of its own", false},
		{"a NUL byte", "Resources:\n  A\x00: b\n", "2:4: a NUL byte: this is a binary file or a damaged one. templates are text in UTF-8", true},
		{"Latin-1", "Resources:\n  A: é \xe9\n", "2:8: byte 0xe9 is not UTF-8, the only encoding of templates. save the file as UTF-8", false},
		{"a control character", "Resources:\n  A: b\x07\n", "2:7: control character U+0007, which YAML does not allow. remove it", false},
		{"an alias to nothing", "a: c*nope\nb: *nope2\nc: *nope\n", "2:4: alias *nope2 names nothing: no anchor &nope2 stands before it", false},
		{"an alias in itself", "Resources: &r\n  A: *r\n", "2:6: alias *r stands inside the value that it names, which would never end", false},
		{"too deep", strings.Repeat("[", 2000) + strings.Repeat("]", 2000), "1:1001: more than 1000 levels of maps and lists inside each other", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse("t.yaml", []byte(test.src))
			if err == nil {
				t.Fatal("it is read")
			}
			if diff := cmp.Diff("t.yaml:"+test.want, err.Error()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got := errors.Is(err, ErrNotTemplate); got != test.notTemplate {
				t.Errorf("ErrNotTemplate %v, want %v", got, test.notTemplate)
			}
			var p *Problem
			if !errors.As(err, &p) {
				t.Errorf("error of type %T", err)
			}
		})
	}
}

func TestYAMLSyntaxErrors(t *testing.T) {
	const head = "AWSTemplateFormatVersion: '2010-09-09'\nResources:\n  A:\n    Type: AWS::S3::Bucket\n"
	tests := []struct{ name, src, want string }{
		{"a tab", head + "    Properties:\n\t\tBucketName: b\n", "6:1: a tab in the indentation of this line; YAML indents with spaces only"},
		{"indented less", head + "   Properties: {}\n", "5:4: this line does not fit into the map around it: its indentation differs from that of the keys before it, or a quote or bracket before it is not closed"},
		{"indented more", head + "      Properties: {}\n", "5:7: a colon where no value can begin: the line is indented wrongly, or its text holds \": \" and needs quotes"},
		{"a key among list entries", head + "    L:\n      - a\n      k: b\n", "7:7: this line does not fit into the list around it: a \"-\" as far in as those before it is due"},
		{"a colon in a text", head + "    Description: a: b\n", "5:5: a colon where no value can begin: the line is indented wrongly, or its text holds \": \" and needs quotes"},
		{"a key without its colon", head + "    Properties\n", "5:5: a key without its colon: write \"key: value\", or indent the line so that it goes on the text above"},
		{"a bracket left open", head + "    L: [a, b\n    M: c\n", "6:5: in a list or map in brackets, a comma or the closing bracket is due"},
		{"a quote left open", head + "    L: 'a\n    M: c\n", "5:5: a quoted text that begins on this line has no closing quote before the end of the file"},
		{"a bad first character", head + "    L: @a\n", "5:5: a character that no bare text can begin with (a tab, @, % or a backquote). put the text in quotes"},
		{"a bad escape", head + "    L: \"\\q\"\n", `5:5: a backslash in a text in double quotes that begins no escape. write \\, or use single quotes`},
		{"a comma too many", head + "    L: [a,, b]\n", "5:5: a value is due here: is there a comma too many in the brackets, or a tag or an anchor without its value?"},
		{"an asterisk", head + "    L: * \n", "5:5: a name is due after * or &. text that begins with one of them needs quotes"},
		{"a list on the line of its key", head + "    L: - a\n", "5:5: a \"-\" where no list can begin: put the list on the next line"},
		{"a line outside", "  a: 1\nb: 2\n", "2:1: this line stands outside of the template: its indentation is less than that of the first key"},
		{"a template of a template", head + "{% if x %}\n  B: 1\n", "5:1: a character that no bare text can begin with (a tab, @, % or a backquote). put the text in quotes"},
		{"nothing but an error", "]", "1:1: a value is due here: is there a comma too many in the brackets, or a tag or an anchor without its value?"},
		{"a directive that is none", "%YAML 9.9\n---\na: 1\n", "3:1: a %YAML directive of a version that is not read. templates are YAML 1.1; remove the line"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse("t.yaml", []byte(test.src))
			if err == nil {
				t.Fatal("it is read")
			}
			if diff := cmp.Diff("t.yaml:"+test.want, err.Error()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A CDK stack to which nothing was added deploys nothing, and is no mistake.
func TestParseEmptyCDKStack(t *testing.T) {
	got, err := Parse("t.json", []byte(`{"Parameters":{"BootstrapVersion":{"Type":"AWS::SSM::Parameter::Value<String>","Default":"/cdk-bootstrap/hnb659fds/version"}},"Rules":{"CheckBootstrapVersion":{"Assertions":[]}}}`))
	if err != nil || len(got.Problems) > 0 || len(got.Resources) > 0 {
		t.Errorf("error %v, template %+v", err, got)
	}
}

func TestParseEmptyResources(t *testing.T) {
	tests := []struct{ src, want string }{
		{"Resources: {}\n", ""},
		{"Description: a\nResources:\n", "t.yaml:2:1: Resources is empty; a template has at least one resource. is the file cut off?"},
	}
	for _, test := range tests {
		got, err := Parse("t.yaml", []byte(test.src))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, messages(got.Problems)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", test.src, diff)
		}
	}
}

func TestParseEncodings(t *testing.T) {
	const src = "Resources:\n  Ä: {Type: AWS::S3::Bucket, Properties: {BucketName: 😀}}\n"
	wide := func(order func(uint16) []byte) []byte {
		var b []byte
		for _, u := range utf16.Encode([]rune("\ufeff" + src)) {
			b = append(b, order(u)...)
		}
		return b
	}
	tests := []struct {
		name string
		src  []byte
		want Encoding
	}{
		{"UTF-8", []byte(src), UTF8},
		{"UTF-8 with a byte order mark", []byte("\ufeff" + src), UTF8BOM},
		{"UTF-16, little end first", wide(func(u uint16) []byte { return []byte{byte(u), byte(u >> 8)} }), UTF16LE},
		{"UTF-16, big end first", wide(func(u uint16) []byte { return []byte{byte(u >> 8), byte(u)} }), UTF16BE},
	}
	for _, test := range tests {
		got, err := Parse("t.yaml", test.src)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if string(got.Source) != src || got.Encoding != test.want || got.Resources[0].LogicalID != "Ä" || got.Root.Get("Resources").Get("Ä").Pos != (Pos{2, 6}) {
			t.Errorf("%s: encoding %d, source %q", test.name, got.Encoding, got.Source)
		}
	}
}

func TestProblemError(t *testing.T) {
	tests := []struct {
		p    Problem
		want string
	}{
		{Problem{Path: "a.yaml", Pos: Pos{3, 5}, Message: "wrong"}, "a.yaml:3:5: wrong"},
		{Problem{Path: "a.yaml", Message: "wrong"}, "a.yaml: wrong"},
		{Problem{Pos: Pos{3, 5}, Message: "wrong"}, "3:5: wrong"},
		{Problem{Message: "wrong"}, "wrong"},
	}
	for _, test := range tests {
		if got := test.p.Error(); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}
