package remedy_test

import (
	"context"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"plumbline/cfn"
	"plumbline/finding"
	"plumbline/remedy"
	"plumbline/ruleset"
)

// TestNoRuleIsBroken: of rules that contradict each other, the one that passes
// goes on passing, and other fixes are made all the same.
func TestNoRuleIsBroken(t *testing.T) {
	const head = "severity: low\ndomain: configuration\ntypes: [AWS::SQS::Queue]\nremediation: none\nbreaks: nothing\n"
	set, err := ruleset.Open(fstest.MapFS{
		"x/long.yaml":  {Data: []byte("id: x-long\ntitle: kept long\n" + head + "pass: resource.MessageRetentionPeriod >= 1000\nfix: [{set: MessageRetentionPeriod, value: 1000}]\n")},
		"x/short.yaml": {Data: []byte("id: x-short\ntitle: kept short\n" + head + "pass: resource.MessageRetentionPeriod <= 500\n")},
		"x/slow.yaml":  {Data: []byte("id: x-slow\ntitle: delayed\n" + head + "pass: resource.DelaySeconds == 5\nfix: [{set: DelaySeconds, value: 5}]\n")},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	src := "Resources:\n  Q:\n    Type: AWS::SQS::Queue\n    Properties:\n      MessageRetentionPeriod: 100\n"
	template, err := cfn.Parse("t.yaml", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	var failures []finding.Finding
	for _, id := range []string{"x-long", "x-slow"} {
		f, err := set.Verdict(context.Background(), id, "Q", template.Worlds(cfn.Inputs{}))
		if err != nil {
			t.Fatal(err)
		}
		failures = append(failures, f)
	}
	p, err := remedy.Template(context.Background(), set, template, cfn.Inputs{}, failures)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(src+"      DelaySeconds: 5\n", string(p.After)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	want := "the change would break rule x-short of Q: kept short"
	if len(p.Left) != 1 || p.Left[0].Reason != want {
		t.Errorf("left %+v, want %q", p.Left, want)
	}
}
