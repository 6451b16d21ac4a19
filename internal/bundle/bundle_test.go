package bundle_test

import (
	"archive/zip"
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/blob"
	"plumbline/cfn"
	"plumbline/finding"
	"plumbline/internal/bundle"
	"plumbline/internal/bundle/description"
	"plumbline/ruleset"
	"plumbline/scan"
)

const policy = `version: 1
rules:
  s3-bucket-logging: {off: the trail logs it}
suppressions:
  - rule: sqs-owner-tag
    resource: Jobs
    reason: nobody owns it
    approver: kim@example.com
    until: 2030-01-01
`

const rule = `id: sqs-owner-tag
title: Queue names its owner
severity: low
domain: tagging
types: [AWS::SQS::Queue]
pass: resource.Tags.exists(t, t.Key == "owner")
message: '"no owner is named"'
remediation: Tag the queue.
`

// open keeps a zip of these files and opens it.
func open(t *testing.T, files map[string]string) (*bundle.Bundle, error) {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, text := range files {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	store := new(blob.Memory)
	if _, err := store.Put(t.Context(), "bundles/b1.zip", blob.Raw(b.Bytes())); err != nil {
		t.Fatal(err)
	}
	return bundle.Open(t.Context(), store, "bundles/b1.zip")
}

func judge(t *testing.T, b *bundle.Bundle, d finding.Domain) ([]*cfn.Model, []finding.Finding) {
	t.Helper()
	s := &scan.Snapshot{Source: []byte("Resources:\n  Jobs:\n    Type: AWS::SQS::Queue\n")}
	models, err := s.Models()
	if err != nil {
		t.Fatal(err)
	}
	fs, _, err := b.Set.Judge(t.Context(), d, models, func(string) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	return models, fs
}

func TestWithoutABundleTheBuiltInRulesJudge(t *testing.T) {
	b, err := bundle.Open(t.Context(), new(blob.Memory), "")
	if err != nil {
		t.Fatal(err)
	}
	if b.Policy != nil || !b.InForce("s3-bucket-logging") || b.InForce("sqs-owner-tag") {
		t.Errorf("policy %v", b.Policy)
	}
	p := b.Provenance()
	if p.Rules != len(b.Set.Index().Entries) || len(p.RulesHash) != 64 || p.PolicyPath != "" {
		t.Errorf("%+v", p)
	}
}

func TestAnOrganisationsPolicyAndRules(t *testing.T) {
	b, err := open(t, map[string]string{"plumbline.yaml": policy, "queues/owner-tag.yaml": rule})
	if err != nil {
		t.Fatal(err)
	}
	if b.InForce("s3-bucket-logging") || !b.InForce("sqs-owner-tag") || !b.InForce("s3-bucket-versioning") {
		t.Error("the policy turns one rule off, and only that")
	}
	models, fs := judge(t, b, finding.Tagging)
	i := -1
	for n := range fs {
		if fs[n].Rule == "sqs-owner-tag" {
			i = n
		}
	}
	if i < 0 || fs[i].Verdict != finding.Fail {
		t.Fatalf("findings: %+v", fs)
	}
	if _, w := b.Suppress(models, fs, time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)); len(w) != 0 || fs[i].Suppressed == nil {
		t.Errorf("suppressed: %+v, warnings %q", fs[i].Suppressed, w)
	}
	with := b.Provenance()
	if with.PolicyPath != "bundles/b1.zip/plumbline.yaml" || with.PolicyHash == "" {
		t.Errorf("%+v", with)
	}
	if len(with.RulesOff) != 1 || with.RulesOff[0].Rule != "s3-bucket-logging" || with.RulesOff[0].Reason == "" {
		t.Errorf("off: %+v", with.RulesOff)
	}
	plain, err := bundle.Open(t.Context(), new(blob.Memory), "")
	if err != nil {
		t.Fatal(err)
	}
	without := plain.Provenance()
	if without.RulesHash == with.RulesHash || without.Rules != with.Rules {
		t.Errorf("one rule more and one off: %d and %d rules", without.Rules, with.Rules)
	}

	r := &scan.Report{Counts: finding.Counts{"fail": 1}, Assessments: []scan.Assessment{{Target: scan.Target{Stack: "Payments"}, Findings: fs[i : i+1], Counts: finding.Counts{"fail": 1}}}}
	for _, format := range scan.StoredFormats {
		fs[i].Suppressed = nil
		var out bytes.Buffer
		if err := description.Renderer(b)(&out, format, r); err != nil || !strings.Contains(out.String(), "sqs-owner-tag") {
			t.Errorf("%s: %v in\n%.300s", format, err, out.String())
		}
	}
}

func TestScope(t *testing.T) {
	vault := scan.Target{Stack: "Vault-1", Account: "111122223333"}
	stacks := ruleset.ScopePolicy{CDE: []ruleset.ScopeMatch{{Stacks: []string{"Vault-*"}}}, Default: ruleset.ScopeConnected}
	for name, tc := range map[string]struct {
		policy *ruleset.Policy
		target scan.Target
		want   string
	}{
		"no policy":                   {nil, vault, ""},
		"a policy without scope":      {ruleset.DefaultPolicy(), vault, ""},
		"an entry names the stack":    {&ruleset.Policy{Scope: stacks}, vault, "cde"},
		"no entry names it":           {&ruleset.Policy{Scope: stacks}, scan.Target{Stack: "Web"}, "connected"},
		"a template without a stack":  {&ruleset.Policy{Scope: stacks}, scan.Target{Path: "a.yaml"}, "connected"},
		"a default other than cde":    {&ruleset.Policy{Scope: ruleset.ScopePolicy{Default: ruleset.ScopeOut}}, vault, "out"},
		"entries without any default": {&ruleset.Policy{Scope: ruleset.ScopePolicy{Out: []ruleset.ScopeMatch{{Stacks: []string{"Sand*"}}}}}, vault, "cde"},
	} {
		if got, _ := bundle.Scope(tc.policy, tc.target, nil); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

func TestScopeByTags(t *testing.T) {
	const source = `Resources:
  Vault: {Type: AWS::S3::Bucket, Properties: {Tags: [{Key: data, Value: cards}]}}
  Logs: {Type: AWS::S3::Bucket, Properties: {Tags: [{Key: data, Value: none}]}}
  Setting: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: x, Tags: {data: cards}}}
  Door: {Type: AWS::S3::BucketPolicy, Properties: {Bucket: b, PolicyDocument: {}}}
`
	tags := func(value string) []ruleset.ScopeMatch {
		return []ruleset.ScopeMatch{{Tags: []ruleset.TagIs{{Key: "data", Value: value}}}}
	}
	for name, tc := range map[string]struct {
		scope ruleset.ScopePolicy
		whole string
		of    map[string]string
	}{
		"the strictest resource decides": {
			ruleset.ScopePolicy{CDE: tags("cards"), Default: ruleset.ScopeOut}, "cde",
			map[string]string{"Vault": "cde", "Logs": "out", "Setting": "cde", "Door": "out"},
		},
		"what cannot carry tags does not": {
			ruleset.ScopePolicy{Out: tags("*")}, "out",
			map[string]string{"Vault": "out", "Logs": "out", "Setting": "out", "Door": "cde"},
		},
		"no tag is asked for": {ruleset.ScopePolicy{Default: ruleset.ScopeOut}, "out", nil},
	} {
		t.Run(name, func(t *testing.T) {
			snap := &scan.Snapshot{Target: scan.Target{Path: "a.yaml"}, Source: []byte(source)}
			models, err := snap.Models()
			if err != nil {
				t.Fatal(err)
			}
			whole, of := bundle.Scope(&ruleset.Policy{Scope: tc.scope}, snap.Target, models)
			if whole != tc.whole {
				t.Errorf("the stack is %q, want %q", whole, tc.whole)
			}
			if diff := cmp.Diff(tc.of, of); diff != "" {
				t.Errorf("resources (-want +got)\n%s", diff)
			}
		})
	}
}

func TestWhatIsWrongWithABundle(t *testing.T) {
	for _, tc := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"a policy that does not decode", map[string]string{"plumbline.yaml": "version: 1\nallowedRegion: [x]\n"}, "bundles/b1.zip/plumbline.yaml:2"},
		{"a policy for a rule that does not exist", map[string]string{"plumbline.yaml": "version: 1\nrules:\n  s3-bucket-loging: {off: the trail logs it}\n"}, "s3-bucket-loging"},
		{"a rule that does not compile", map[string]string{"r.yaml": strings.Replace(rule, "resource.Tags", "resource.Tag", 1)}, "bundles/b1.zip/r.yaml"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := open(t, tc.files); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error = %v, want one that names %q", err, tc.want)
			}
		})
	}
	store := new(blob.Memory)
	if _, err := bundle.Open(t.Context(), store, "nowhere.zip"); err == nil {
		t.Error("a bundle that is not there is opened")
	}
	if _, err := store.Put(t.Context(), "b.zip", blob.Raw("no zip")); err != nil {
		t.Fatal(err)
	}
	if _, err := bundle.Open(t.Context(), store, "b.zip"); err == nil || !strings.Contains(err.Error(), `"b.zip"`) {
		t.Errorf("no zip: %v", err)
	}
}
