package ruleset

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"plumbline/finding"
)

func ruleSource(id, types, more string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte(fmt.Sprintf("id: %s\ntitle: \"Title of <%s>\"\nseverity: high\ndomain: network\ntypes: %s\npass: \"true\"\n%s", id, id, types, more))}
}

func indexFS() fstest.MapFS {
	return fstest.MapFS{
		"ec2/group-open.yaml":      ruleSource("group-open", "[AWS::EC2::SecurityGroup, AWS::EC2::SecurityGroupIngress]", "equivalents: {config: [restricted-ssh], cfn_nag: [W2, W9]}\nfix:\n  - {set: A.B, policy: adminCidr}\n  - {set: C, policy: adminCidr}\n  - {remove: D}\n"),
		"ec2/acl-open.yaml":        ruleSource("acl-open", "any", "deprecated: true\n"),
		"tagging/tags.yaml":        ruleSource("tags", "taggable", ""),
		"ec2/group-open_test.yaml": {Data: []byte("- not a rule\n")},
		"plumbline.yaml":           {Data: []byte("version: 1\n")},
		".hidden/x.yaml":           {Data: []byte("not: a rule\n")},
		".x.yaml":                  {Data: []byte("not: a rule\n")},
		"readme.md":                {Data: []byte("not a rule\n")},
		"frameworks/house.yaml":    {Data: []byte(smallFramework)},
	}
}

func TestIndex(t *testing.T) {
	built, err := BuildIndex(indexFS())
	if err != nil {
		t.Fatal(err)
	}
	stored := built.Encode()
	pretty := strings.ReplaceAll(string(stored), `{"id":`, "{\n  \"id\": ")
	for name, src := range map[string]string{"as stored": string(stored), "formatted by hand": pretty, "one line": strings.ReplaceAll(string(stored), "\n", "")} {
		got, err := ReadIndex([]byte(src))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want := []IndexEntry{
			{ID: "acl-open", File: "ec2/acl-open.yaml", Domain: finding.Network, Match: MatchAny},
			{ID: "group-open", File: "ec2/group-open.yaml", Domain: finding.Network, Types: []string{"AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupIngress"}},
			{ID: "tags", File: "tagging/tags.yaml", Domain: finding.Network, Match: MatchTaggable},
		}
		if diff := cmp.Diff(want, got.Entries, cmpopts.IgnoreUnexported(IndexEntry{})); diff != "" {
			t.Errorf("%s: entries differ (-want +got):\n%s", name, diff)
		}
		details, err := got.Entry("group-open").Details()
		if err != nil {
			t.Fatal(err)
		}
		wantDetails := IndexDetails{
			Title: "Title of <group-open>", Severity: finding.High, Fix: true, Values: []string{"adminCidr"},
			Equivalents: map[string][]string{"config": {"restricted-ssh"}, "cfn_nag": {"W2", "W9"}},
			Controls:    []Control{{"house", "1.2.5", FitDirect}},
		}
		if len(details.SHA256) != 64 {
			t.Errorf("%s: SHA-256 of the file is %q", name, details.SHA256)
		}
		wantDetails.SHA256 = details.SHA256
		if diff := cmp.Diff(wantDetails, details); diff != "" {
			t.Errorf("%s: details differ (-want +got):\n%s", name, diff)
		}
	}
	if diff := cmp.Diff([]string{"adminCidr"}, built.FixValues()); diff != "" {
		t.Errorf("values of fixes differ (-want +got):\n%s", diff)
	}
	if !built.HasRule("tags") || !built.HasRule(finding.TemplateReadable) || built.HasRule("nothing") {
		t.Error("HasRule is wrong")
	}
	if again, _ := BuildIndex(indexFS()); string(again.Encode()) != string(stored) {
		t.Error("two builds differ")
	}
}

func TestBuildIndexRefuses(t *testing.T) {
	files := indexFS()
	files["ec2/copy.yaml"] = ruleSource("group-open", "any", "")
	files["ec2/reserved.yaml"] = ruleSource("template-readable", "any", "")
	files["ec2/broken.yaml"] = ruleSource("broken", "any", "colour: red\n")
	delete(files, "ec2/acl-open.yaml")
	_, err := BuildIndex(files)
	for _, want := range []string{
		`ec2/group-open.yaml:1:1: id "group-open" is also in ec2/copy.yaml:1. ids are unique`,
		`ec2/reserved.yaml:1:1: id "template-readable" is reserved`,
		`ec2/broken.yaml:7:1: unknown key "colour"`,
		`frameworks/house.yaml:11:1: requirement 1.2.5 names no rule that exists: "acl-open".`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error\n%v\nlacks %s", err, want)
		}
	}
}

func TestReadIndexRefuses(t *testing.T) {
	for _, src := range []string{"{}", "[{\"id\":1}]", "[\n{\"id\":\"a\"\n]"} {
		if x, err := ReadIndex([]byte(src)); err == nil {
			t.Errorf("%q was read as %v", src, x.Entries)
		}
	}
	x, err := ReadIndex([]byte("[\n{\"id\":\"a\",\"file\":\"a.yaml\",\"domain\":\"network\",\"types\":[\"T\"],\"title\":1}\n]\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.Entry("a").Details(); err == nil {
		t.Error("details of the wrong kind were read")
	}
}

func BenchmarkReadIndex(b *testing.B) {
	files := fstest.MapFS{}
	for i := range 150 {
		files[fmt.Sprintf("s/r%03d.yaml", i)] = ruleSource(fmt.Sprintf("r%03d", i), "[AWS::EC2::SecurityGroup]", "equivalents: {config: [restricted-ssh], cfn_nag: [W2, W9], checkov: [CKV_AWS_24], guard: [INCOMING_SSH_DISABLED]}\n")
	}
	x, err := BuildIndex(files)
	if err != nil {
		b.Fatal(err)
	}
	src := x.Encode()
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		if _, err := ReadIndex(src); err != nil {
			b.Fatal(err)
		}
	}
}
