package ruleset

import (
	"context"
	"crypto/sha256"
	"io/fs"
	"maps"
	"reflect"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"plumbline/cfn"
	"plumbline/finding"
	"plumbline/rules"
)

// TestCheckedSaysTheSame: a rule judges alike whether its expressions come from
// the generated file or from its text, and a rule that changed since is checked anew.
func TestCheckedSaysTheSame(t *testing.T) {
	files := fstest.MapFS{
		"s3/a.yaml": {Data: []byte("id: s3-a\ntitle: T\nseverity: low\ndomain: protection\ntypes: [AWS::S3::Bucket]\nlet:\n  on: resource.VersioningConfiguration.Status\npass: on == \"Enabled\" || has(resource.BucketName)\nmessage: '\"status is \" + on'\nremediation: Do.\n")},
	}
	stored, err := BuildChecked(files)
	if err != nil {
		t.Fatal(err)
	}
	template, err := cfn.Parse("t.yaml", []byte("Resources:\n  A: {Type: 'AWS::S3::Bucket', Properties: {VersioningConfiguration: {Status: Suspended}}}\n  B: {Type: 'AWS::S3::Bucket', Properties: {BucketName: b}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	judge := func(files fstest.MapFS) []finding.Finding {
		t.Helper()
		set, err := Open(files, nil)
		if err != nil {
			t.Fatal(err)
		}
		out, _, err := set.Judge(context.Background(), finding.Protection, template.Worlds(cfn.Inputs{}), nil)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	want := judge(files)
	if len(want) != 2 || want[0].Verdict != finding.Fail || want[0].Message != "status is Suspended" {
		t.Fatalf("without the file: %+v", want)
	}
	with := maps.Clone(files)
	with[CheckedFile] = &fstest.MapFile{Data: stored}
	if diff := cmp.Diff(want, judge(with)); diff != "" {
		t.Errorf("with the file (-want +got)\n%s", diff)
	}
	changed := maps.Clone(with)
	changed["s3/a.yaml"] = &fstest.MapFile{Data: []byte("id: s3-a\ntitle: T\nseverity: low\ndomain: protection\ntypes: [AWS::S3::Bucket]\npass: 'true'\nremediation: Do.\n")}
	for _, f := range judge(changed) {
		if f.Verdict != finding.Pass {
			t.Errorf("a text that changed since: %+v", f)
		}
	}
	for name, damaged := range map[string][]byte{"empty": {}, "cut off": stored[:10]} {
		bad := maps.Clone(files)
		bad[CheckedFile] = &fstest.MapFile{Data: damaged}
		if _, err := Open(bad, nil); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// TestCheckedRulesAreWhole: each built-in rule reads from the generated file as
// it does from its own.
func TestCheckedRulesAreWhole(t *testing.T) {
	checked, err := readChecked(rules.FS)
	if err != nil {
		t.Fatal(err)
	}
	files, err := RuleFiles(rules.FS)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		src, err := fs.ReadFile(rules.FS, file)
		if err != nil {
			t.Fatal(err)
		}
		want, err := ReadRule(file, src)
		if err != nil {
			t.Fatal(err)
		}
		if checked.rule(checkedKey(sha256.Sum256(src), "", ruleKey)) == nil {
			t.Fatalf("%s is not in the file. run: make generate", file)
		}
		got, err := checked.read(file, src)
		if err != nil {
			t.Fatal(err)
		}
		got.checked, got.source = nil, want.source
		if !reflect.DeepEqual(want, got) {
			t.Fatalf("%s\n want %+v\n got  %+v", file, want, got)
		}
	}
}
