package ruleset

import (
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"plumbline/cfn"
	"plumbline/finding"
)

func TestUnmet(t *testing.T) {
	rule := func(id, domain, types string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte("id: " + id + "\ntitle: T\nseverity: low\ndomain: " + domain + "\ntypes: " + types + "\npass: 'true'\nremediation: Do.\n")}
	}
	set, err := Open(fstest.MapFS{
		"s3/a.yaml":  rule("s3-a", "protection", "[AWS::S3::Bucket]"),
		"sqs/b.yaml": rule("sqs-b", "protection", "[AWS::SQS::Queue]"),
		"sqs/c.yaml": rule("sqs-c", "protection", "[AWS::SQS::Queue]"),
		"sqs/d.yaml": rule("sqs-d", "network", "[AWS::SQS::Queue]"),
		"any/e.yaml": rule("any-e", "protection", "any"),
	}, &Policy{Rules: RuleSettings{{Rule: "sqs-c", Off: "not ours"}}})
	if err != nil {
		t.Fatal(err)
	}
	template, err := cfn.Parse("a.yaml", []byte("Resources: {B: {Type: 'AWS::S3::Bucket'}}"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := set.Unmet(finding.Protection, template.Worlds(cfn.Inputs{}))
	if err != nil {
		t.Fatal(err)
	}
	want := []finding.Finding{{Rule: "sqs-b", Domain: finding.Protection, Severity: finding.Low, Verdict: finding.Skip,
		Message: "nothing in this template is of a type that the rule looks at", Fix: finding.FixNone}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
