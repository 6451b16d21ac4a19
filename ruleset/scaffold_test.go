package ruleset

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func TestScaffold(t *testing.T) {
	rules := indexFS()
	files, err := Scaffold{
		ID: "s3-bucket-name", Type: "AWS::S3::Bucket", Property: "BucketName", Title: "Bucket is named",
		Domain: "protection", Severity: "low", Framework: "house", Requirement: "1.2.5", Fit: FitDirect,
	}.Files(rules, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"s3/bucket-name.yaml": `id: s3-bucket-name
title: Bucket is named
severity: low
domain: protection
types: [AWS::S3::Bucket]
pass: has(resource.BucketName)
message: |
  "BucketName is not set"
remediation: Set BucketName.
`,
		"s3/bucket-name_test.yaml": `- name: set
  properties: {BucketName: example}
  want: pass
- name: absent
  properties: {}
  want: fail
  message: BucketName is not set
`,
		"frameworks/house.yaml": strings.Replace(smallFramework, "acl-open: partial\n", "acl-open: partial\n      s3-bucket-name: direct\n", 1),
	}
	got := map[string]string{}
	for name, content := range files {
		got[name] = string(content)
		rules[name] = &fstest.MapFile{Data: content}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files differ (-want +got):\n%s", diff)
	}
	index, err := BuildIndex(rules)
	if err != nil {
		t.Fatal(err)
	}
	if !index.HasRule("s3-bucket-name") {
		t.Error("the new rule is not in the index")
	}
}

func TestScaffoldFrameworkLine(t *testing.T) {
	for _, tt := range []struct{ name, requirement, before, after string }{
		{"no rules yet", "1.3", "    title: Nothing else\n", "    title: Nothing else\n    rules:\n      s3-bucket-acl: partial\n"},
		{"rules without a line", "1.3", "    title: Nothing else\n    rules:\n", "    title: Nothing else\n    rules:\n      s3-bucket-acl: partial\n"},
	} {
		source := smallFramework
		if tt.name == "rules without a line" {
			source = strings.Replace(source, "    title: Nothing else\n", tt.before, 1)
		}
		rules := fstest.MapFS{"frameworks/house.yaml": {Data: []byte(source)}}
		files, err := Scaffold{ID: "s3-bucket-acl", Type: "AWS::S3::Bucket", Framework: "house", Requirement: tt.requirement}.Files(rules, nil)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		want := strings.Replace(source, tt.before, tt.after, 1)
		if diff := cmp.Diff(want, string(files["frameworks/house.yaml"])); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestScaffoldSamples(t *testing.T) {
	for typ, want := range map[string]string{
		"AWS::RDS::DBInstance": "{AllocatedStorage: example}",
		"AWS::KMS::Key":        "{Description: example}",
	} {
		files, err := Scaffold{ID: "x-y", Type: typ}.Files(fstest.MapFS{}, nil)
		if err != nil {
			t.Errorf("%s: %v", typ, err)
			continue
		}
		names := slices.Sorted(maps.Keys(files))
		if diff := cmp.Diff([]string{"x/y.yaml", "x/y_test.yaml"}, names); diff != "" {
			t.Error(diff)
		}
		if cases := string(files["x/y_test.yaml"]); !strings.Contains(cases, "properties: {") || want == "" {
			t.Errorf("%s: cases are\n%s", typ, cases)
		}
		if _, err := ReadRule("x/y.yaml", files["x/y.yaml"]); err != nil {
			t.Error(err)
		}
		if _, err := ReadCases("x/y_test.yaml", files["x/y_test.yaml"]); err != nil {
			t.Error(err)
		}
	}
}

func TestScaffoldRefuses(t *testing.T) {
	bucket := "AWS::S3::Bucket"
	for _, tt := range []struct {
		name string
		s    Scaffold
		want string
	}{
		{"id of one word", Scaffold{ID: "versioning", Type: bucket}, `rule id "versioning": want a service and what is right`},
		{"id with capitals", Scaffold{ID: "s3-Bucket", Type: bucket}, `rule id "s3-Bucket": want a service and what is right`},
		{"frameworks", Scaffold{ID: "frameworks-x", Type: bucket}, `rule id "frameworks-x": the folder frameworks holds frameworks.`},
		{"there already", Scaffold{ID: "ec2-group-open", Type: bucket}, `rule "ec2-group-open" is there already, in ec2/group-open.yaml`},
		{"type", Scaffold{ID: "s3-x", Type: "AWS::S3::Buckett"}, `no resource type "AWS::S3::Buckett" is known. did you mean "AWS::S3::Bucket"?`},
		{"property", Scaffold{ID: "s3-x", Type: bucket, Property: "BucketNam"}, `AWS::S3::Bucket has no property "BucketNam". did you mean "BucketName"?`},
		{"domain", Scaffold{ID: "s3-x", Type: bucket, Domain: "networt"}, `domain "networt" is not known. did you mean "network"?`},
		{"severity", Scaffold{ID: "s3-x", Type: bucket, Severity: "urgent"}, `severity "urgent" is not known. want one of critical, high, medium, low`},
		{"fit", Scaffold{ID: "s3-x", Type: bucket, Fit: "full"}, `fit "full" is not known.`},
		{"framework", Scaffold{ID: "s3-x", Type: bucket, Framework: "huose", Requirement: "1.3"}, `no framework "huose". did you mean "house"?`},
		{"requirement", Scaffold{ID: "s3-x", Type: bucket, Framework: "house", Requirement: "9"}, `framework house has no requirement "9". add it to frameworks/house.yaml first`},
	} {
		_, err := tt.s.Files(indexFS(), nil)
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s:\n got %v\nwant %s", tt.name, err, tt.want)
		}
	}
	flow := fstest.MapFS{"frameworks/house.yaml": {Data: []byte("{id: house, title: t, requirements: [{id: a, title: b, notCovered: c}]}\n")}}
	_, err := Scaffold{ID: "s3-x", Type: bucket, Framework: "house", Requirement: "a"}.Files(flow, nil)
	if err == nil || !strings.Contains(err.Error(), "the file is not in block style there. add the line") {
		t.Errorf("a framework in flow style: %v", err)
	}
}

// A user's own rules stand beside the built-in ones, whose frameworks they add to.
func TestScaffoldBesideBuiltIn(t *testing.T) {
	builtin := fstest.MapFS{
		"s3/bucket-versioning.yaml": {Data: []byte("id: s3-bucket-versioning\n")},
		"frameworks/house.yaml": {Data: []byte(`id: house
title: The house's
requirements:
  - {id: "1.1", title: "doors: shut", notCovered: windows}
  - {id: "1.2", title: lights, notCovered: lamps}
`)},
	}
	files := fstest.MapFS{}
	write := func(id, requirement string) string {
		t.Helper()
		made, err := Scaffold{ID: id, Type: "AWS::S3::Bucket", Framework: "house", Requirement: requirement}.Files(files, builtin)
		if err != nil {
			t.Fatal(err)
		}
		for name, src := range made {
			files[name] = &fstest.MapFile{Data: src}
		}
		return string(files["frameworks/house.yaml"].Data)
	}
	write("s3-bucket-a", "1.1")
	write("s3-bucket-b", "1.2")
	got := write("s3-bucket-c", "1.1")
	want := `# What our own rules add to the built-in framework of this id.
id: "house"
title: "The house's"
requirements:
  - id: "1.1"
    title: "doors: shut"
    rules:
      s3-bucket-a: partial
      s3-bucket-c: partial
    notCovered: "windows"
  - id: "1.2"
    title: "lights"
    rules:
      s3-bucket-b: partial
    notCovered: "lamps"
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("framework file (-want +got):\n%s", diff)
	}
	for _, tt := range []struct {
		s    Scaffold
		want string
	}{
		{Scaffold{ID: "s3-bucket-versioning", Type: "AWS::S3::Bucket"}, `rule "s3-bucket-versioning" is a built-in one. choose another id`},
		{Scaffold{ID: "s3-bucket-d", Type: "AWS::S3::Bucket", Framework: "hose", Requirement: "1.1"}, `no framework "hose". did you mean "house"?`},
		{Scaffold{ID: "s3-bucket-d", Type: "AWS::S3::Bucket", Framework: "house", Requirement: "9"}, `framework house has no requirement "9". add it to frameworks/house.yaml first`},
	} {
		if _, err := tt.s.Files(files, builtin); err == nil || err.Error() != tt.want {
			t.Errorf("error %v, want %s", err, tt.want)
		}
	}
}
