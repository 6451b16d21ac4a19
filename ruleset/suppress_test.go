package ruleset

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/cfn"
	"plumbline/finding"
)

type elsewhere map[string]map[string][]string

func (e elsewhere) Equivalents(rule string) map[string][]string { return e[rule] }
func (e elsewhere) HasRule(id string) bool                      { return slices.Contains(e.RuleIDs(), id) }
func (e elsewhere) RuleIDs() []string {
	return []string{"iam-policy-admin", "s3-bucket-logging", "s3-bucket-versioning"}
}

var suppressRules = elsewhere{
	"s3-bucket-logging": {
		"cfn_nag": {"W35"}, "guard": {"S3_BUCKET_LOGGING_ENABLED"}, "checkov": {"CKV_AWS_18"},
		"config": {"s3-bucket-logging-enabled"},
	},
}

var noon = time.Date(2030, 6, 15, 12, 0, 0, 0, time.UTC)

// worldsOf reads a template and resolves it without inputs.
func worldsOf(t *testing.T, src string) []*cfn.Model {
	t.Helper()
	template, err := cfn.Parse("app.yaml", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return template.Worlds(cfn.Inputs{})
}

func loggingFinding() finding.Finding {
	return finding.Finding{
		Rule: "s3-bucket-logging", Verdict: finding.Fail, Place: finding.Place{Path: "app.yaml", Line: 3},
		Resource: finding.Resource{Account: "111122223333", Region: "eu-west-1", Stack: "Data-Prod", LogicalID: "Logs", ConstructPath: "Data/Logs/Resource"},
	}
}

func TestSuppressByPolicy(t *testing.T) {
	full := Suppression{Rule: []string{"s3-*"}, Stack: []string{"Data*"}, Reason: "r", Approver: "a", Until: "2030-06-15", CompensatingControl: "c", Line: 12}
	with := func(f func(*Suppression)) Suppression {
		s := Suppression{Rule: []string{"s3-bucket-logging"}, Reason: "r", Line: 5}
		f(&s)
		return s
	}
	for _, tt := range []struct {
		name        string
		suppression Suppression
		want        *finding.Suppression
	}{
		{"all fields, on its last day", full, &finding.Suppression{Reason: "r", Approver: "a", Until: "2030-06-15", Control: "c", Source: "plumbline.yaml:12"}},
		{"logical id", with(func(s *Suppression) { s.Resource = []string{"X", "L?gs"} }), &finding.Suppression{Reason: "r", Source: "plumbline.yaml:5"}},
		{"construct path", with(func(s *Suppression) { s.Path = []string{"Data/*"} }), &finding.Suppression{Reason: "r", Source: "plumbline.yaml:5"}},
		{"template", with(func(s *Suppression) { s.Template = []string{"*.yaml"} }), &finding.Suppression{Reason: "r", Source: "plumbline.yaml:5"}},
		{"account and region", with(func(s *Suppression) { s.Account, s.Region = []string{"111122223333"}, []string{"eu-*"} }), &finding.Suppression{Reason: "r", Source: "plumbline.yaml:5"}},
		{"another account", with(func(s *Suppression) { s.Account, s.Region = []string{"444455556666"}, []string{"eu-*"} }), nil},
		{"another rule", with(func(s *Suppression) { s.Rule, s.Stack = []string{"iam-*"}, []string{"*"} }), nil},
		{"expired yesterday", with(func(s *Suppression) { s.Stack, s.Until = []string{"*"}, "2030-06-14" }), nil},
	} {
		findings := []finding.Finding{loggingFinding()}
		p := &Policy{Path: "plumbline.yaml", Suppressions: []Suppression{tt.suppression}}
		got := Suppress(p, suppressRules, nil, findings, noon)
		if diff := cmp.Diff(tt.want, findings[0].Suppressed); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
		moved := finding.Counts{}
		if tt.want != nil {
			moved = finding.Counts{"fail": -1, "suppressed": 1}
		}
		if diff := cmp.Diff(moved, got.Moved); diff != "" {
			t.Errorf("%s: counts (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestSuppressOnlyWhatIsNotFine(t *testing.T) {
	p := &Policy{Suppressions: []Suppression{{Rule: []string{"*"}, Stack: []string{"*"}, Reason: "r"}}}
	for _, v := range finding.Verdicts {
		f := loggingFinding()
		f.Verdict = v
		findings := []finding.Finding{f}
		Suppress(p, suppressRules, nil, findings, noon)
		want := v == finding.Fail || v == finding.Unknown || v == finding.Error
		if got := findings[0].Suppressed != nil; got != want {
			t.Errorf("%s suppressed: %v", v, got)
		}
	}
	f := loggingFinding()
	f.Suppressed = &finding.Suppression{Reason: "earlier"}
	findings := []finding.Finding{f}
	Suppress(p, suppressRules, nil, findings, noon)
	if findings[0].Suppressed.Reason != "earlier" {
		t.Error("a suppression was replaced")
	}
	Suppress(nil, suppressRules, nil, []finding.Finding{loggingFinding()}, noon)
}

func TestSuppressByMetadata(t *testing.T) {
	for _, tt := range []struct {
		name, metadata string
		want           *finding.Suppression
		warnings       []string
	}{
		{"ours", `{plumbline: {suppress: [{rule: s3-bucket-logging, reason: it holds the logs, until: 2030-12-31, approver: grace, control: trail}]}}`,
			&finding.Suppression{Reason: "it holds the logs", Until: "2030-12-31", Approver: "grace", Control: "trail", Source: "template metadata"}, nil},
		{"ours by glob, one entry without a list", `{plumbline: {suppress: {rule: ["iam-*", "s3-*"], reason: r}}}`, &finding.Suppression{Reason: "r", Source: "template metadata"}, nil},
		{"ours, another rule", `{plumbline: {suppress: [{rule: s3-bucket-versioning, reason: r}]}}`, nil, nil},
		{"ours without a reason", `{plumbline: {suppress: [{rule: s3-bucket-logging}]}}`, nil,
			[]string{`app.yaml:4:40: suppression of s3-bucket-logging has no reason, so it does not count. add reason:`}},
		{"ours with a misspelt key", `{plumbline: {suppress: [{rule: s3-bucket-logging, raeson: r}]}}`, nil,
			[]string{`app.yaml:4:66: plumbline.suppress: unknown key "raeson", so the entry does not count. did you mean reason?`}},
		{"ours with a misspelt end", `{plumbline: {suppress: [{rule: s3-bucket-logging, reason: r, untl: 2030-12-31}]}}`, nil,
			[]string{`app.yaml:4:77: plumbline.suppress: unknown key "untl", so the entry does not count. did you mean until?`}},
		{"ours, misspelt itself", `{plumbline: {suppres: [{rule: s3-bucket-logging, reason: r}]}}`, nil,
			[]string{`app.yaml:4:29: Metadata.plumbline: unknown key "suppres", so it does nothing. allowed: suppress`}},
		{"ours with a misspelt rule", `{plumbline: {suppress: [{rule: s3-bucket-loging, reason: r}]}}`, nil,
			[]string{`app.yaml:4:47: plumbline.suppress: there is no rule "s3-bucket-loging", so it suppresses nothing. did you mean s3-bucket-logging?`}},
		{"ours with a glob of nothing", `{plumbline: {suppress: [{rule: ["s4-*", "s3-*"], reason: r}]}}`, &finding.Suppression{Reason: "r", Source: "template metadata"},
			[]string{`app.yaml:4:47: plumbline.suppress: no rule matches "s4-*", so it suppresses nothing`}},
		{"ours without words", `{plumbline: {suppress: [{rule: s3-bucket-logging, reason: true}]}}`, nil,
			[]string{`app.yaml:4:74: suppression of s3-bucket-logging does not count: reason: want the reason in words, got "true"`}},
		{"ours without a rule", `{plumbline: {suppress: [{reason: r}]}}`, nil, []string{`app.yaml:4:40: plumbline.suppress: an entry names no rule, so it does not count`}},
		{"ours, no mapping", `{plumbline: {suppress: [s3-bucket-logging]}}`, nil, []string{`app.yaml:4:40: plumbline.suppress: an entry needs the keys rule and reason, so this one does not count`}},
		{"ours, no list", `{plumbline: {suppress: s3-bucket-logging}}`, nil, []string{`app.yaml:4:39: plumbline.suppress is no list, so it suppresses nothing`}},
		{"ours, expired", `{plumbline: {suppress: [{rule: s3-bucket-logging, reason: r, until: 2030-06-14}]}}`, nil,
			[]string{`app.yaml:4:40: suppression of s3-bucket-logging expired on 2030-06-14, so it does not count. settle the finding, or renew it with a reason`}},
		{"ours, no date", `{plumbline: {suppress: [{rule: s3-bucket-logging, reason: r, until: soon}]}}`, nil,
			[]string{`app.yaml:4:84: suppression of s3-bucket-logging does not count: until: want a date as YYYY-MM-DD, got "soon"`}},
		{"cfn_nag", `{cfn_nag: {rules_to_suppress: [{id: W35, reason: r}]}}`, &finding.Suppression{Reason: "r", Source: "cfn_nag metadata"}, nil},
		{"cfn_nag, another rule", `{cfn_nag: {rules_to_suppress: [{id: W36, reason: r}]}}`, nil, nil},
		{"cfn_nag without a reason", `{cfn_nag: {rules_to_suppress: [{id: W35}]}}`, nil, []string{`app.yaml:4:47: cfn_nag suppression of W35 has no reason, so it does not count`}},
		{"cfn_nag without an id", `{cfn_nag: {rules_to_suppress: [{reason: r}]}}`, nil, []string{`app.yaml:4:47: cfn_nag metadata: an entry has no id, so it does not count`}},
		{"guard", `{guard: {SuppressedRules: [S3_BUCKET_LOGGING_ENABLED]}}`, &finding.Suppression{Reason: guardReason, Source: "guard metadata"}, nil},
		{"guard, nothing", `{guard: {SuppressedRules: []}}`, nil, []string{`app.yaml:4:42: guard.SuppressedRules names no rule, so it suppresses nothing`}},
		{"checkov", `{checkov: {skip: [{id: CKV_AWS_18, comment: c}]}}`, &finding.Suppression{Reason: "c", Source: "checkov metadata"}, nil},
		{"cdk-nag by its own name", `{cdk_nag: {rules_to_suppress: [{id: AwsSolutions-S1, reason: r}]}}`, &finding.Suppression{Reason: "r", Source: "cdk_nag metadata"}, nil},
		{"cdk-nag by the name of AWS Config's rule", `{cdk_nag: {rules_to_suppress: [{id: PCI.DSS.321-S3BucketLoggingEnabled, reason: r}]}}`, &finding.Suppression{Reason: "r", Source: "cdk_nag metadata"}, nil},
		{"cdk-nag with a finding's id", `{cdk_nag: {rules_to_suppress: [{id: "HIPAA.Security-S3BucketLoggingEnabled[Resource::*]", reason: r}]}}`, &finding.Suppression{Reason: "r", Source: "cdk_nag metadata"}, nil},
		{"cdk-nag, encoded reason", `{cdk_nag: {rules_to_suppress: [{id: AwsSolutions-S1, reason: Z3LDvG4=, is_reason_encoded: true}]}}`, &finding.Suppression{Reason: "grün", Source: "cdk_nag metadata"}, nil},
		{"cdk-nag, another rule", `{cdk_nag: {rules_to_suppress: [{id: AwsSolutions-S10, reason: r}, {id: S1, reason: r}]}}`, nil, nil},
		{"cdk-nag, a part", `{cdk_nag: {rules_to_suppress: [{id: AwsSolutions-S1, reason: r, applies_to: ["Resource::*"]}]}}`, nil,
			[]string{`app.yaml:4:47: cdk_nag suppression of AwsSolutions-S1 is for a part of its findings only, so it does not count here. suppress our rule under Metadata: plumbline: suppress`}},
		{"no suppression", `{aws:cdk:path: Data/Logs/Resource}`, nil, nil},
	} {
		models := worldsOf(t, "Resources:\n  Logs:\n    Type: AWS::S3::Bucket\n    Metadata:  "+tt.metadata+"\n")
		findings := []finding.Finding{loggingFinding(), loggingFinding()}
		got := Suppress(nil, suppressRules, models, findings, noon)
		for _, f := range findings {
			if diff := cmp.Diff(tt.want, f.Suppressed); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.name, diff)
			}
		}
		var warnings []string
		for _, w := range got.Warnings {
			warnings = append(warnings, w.Error())
		}
		if diff := cmp.Diff(tt.warnings, warnings); diff != "" {
			t.Errorf("%s: warnings (-want +got):\n%s", tt.name, diff)
		}
	}
}

// What is wrong in a resource's metadata is told though it has no finding.
func TestSuppressTellsOfResourcesWithoutFindings(t *testing.T) {
	models := worldsOf(t, "Resources:\n  Logs:\n    Type: AWS::S3::Bucket\n    Metadata: {plumbline: {suppress: [{rule: s3-bucket-loging, reason: r}]}}\n")
	got := Suppress(nil, suppressRules, models, nil, noon)
	if len(got.Warnings) != 1 {
		t.Errorf("warnings %v, want one", got.Warnings)
	}
}

func TestSameNagRule(t *testing.T) {
	for _, tt := range []struct {
		id, config string
		want       bool
	}{
		{"AwsSolutions-S1", "s3-bucket-logging-enabled", true},
		{"AwsSolutions-S10", "s3-bucket-logging-enabled", false},
		{"AwsSolutions-RDS2", "rds-cluster-encrypted-at-rest", true},
		{"AwsSolutions-S3BucketLoggingEnabled", "s3-bucket-logging-enabled", false},
		{"PCI.DSS.321-EC2RestrictedSSH", "restricted-ssh", true},
		{"NIST.800.53.R5-S3BucketLoggingEnabled", "s3-bucket-logging-enabled", true},
		{"S3BucketLoggingEnabled", "s3-bucket-logging-enabled", false},
		{"HIPAA.Security-EC2RestrictedSSH[22]", "restricted-ssh", true},
	} {
		if got := sameNagRule(tt.id, map[string][]string{"config": {tt.config}}); got != tt.want {
			t.Errorf("%s for %s: %v", tt.id, tt.config, got)
		}
	}
}

func TestSuppressOrder(t *testing.T) {
	models := worldsOf(t, `Metadata:
  plumbline: {suppress: [{rule: "s3-*", reason: template}]}
Resources:
  Logs:
    Type: AWS::S3::Bucket
    Metadata:
      cfn_nag: {rules_to_suppress: [{id: W35, reason: nag}]}
  Other:
    Type: AWS::S3::Bucket
`)
	p := &Policy{Path: "p.yaml", Suppressions: []Suppression{
		{Rule: []string{"s3-bucket-logging"}, Resource: []string{"Other"}, Reason: "policy", Line: 3},
		{Rule: []string{"s3-bucket-logging"}, Resource: []string{"Ot*"}, Reason: "second", Line: 4},
		{Rule: []string{"iam-*"}, Resource: []string{"*"}, Reason: "unused", Line: 5},
		{Rule: []string{"s3-*"}, Resource: []string{"Other"}, Reason: "old", Until: "2020-01-01", Line: 6},
		{Rule: []string{"iam-*"}, Resource: []string{"Other"}, Reason: "old", Until: "2020-01-01", Line: 7},
	}}
	other := loggingFinding()
	other.Resource.LogicalID = "Other"
	whole := loggingFinding()
	whole.Resource.LogicalID = ""
	findings := []finding.Finding{loggingFinding(), other, whole}
	got := Suppress(p, suppressRules, models, findings, noon)
	var reasons []string
	for _, f := range findings {
		reasons = append(reasons, f.Suppressed.Reason)
	}
	if diff := cmp.Diff([]string{"template", "policy", "template"}, reasons); diff != "" {
		t.Errorf("reasons differ (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{1, 1, 0, 1, 0}, got.Matched); diff != "" {
		t.Errorf("matched differs (-want +got):\n%s", diff)
	}
	var warnings []string
	for _, w := range p.SuppressionWarnings(got.Matched, noon) {
		warnings = append(warnings, w.Error())
	}
	want := []string{
		"p.yaml:5:1: suppression matches no finding. remove it, or look for a misspelt name",
		"p.yaml:6:1: suppression expired on 2020-01-01: 1 finding counts again. settle it, or renew it with a reason",
		"p.yaml:7:1: suppression expired on 2020-01-01. remove it",
	}
	if diff := cmp.Diff(want, warnings); diff != "" {
		t.Errorf("warnings differ (-want +got):\n%s", diff)
	}
	if n := len(p.SuppressionWarnings(nil, noon)); n != 2 {
		t.Errorf("%d warnings where no finding was looked at, want the 2 expired ones", n)
	}
	var none *Policy
	if none.SuppressionWarnings(nil, noon) != nil {
		t.Error("no policy warns")
	}
}

// TestStaleSuppressions: what is suppressed without need, or no longer, is a finding at its place.
func TestStaleSuppressions(t *testing.T) {
	ms := models(t, cfn.Inputs{}, `
Metadata:
  plumbline: {suppress: [{rule: s3-bucket-kept, reason: an archive keeps them}]}
Resources:
  Logs:
    Type: AWS::S3::Bucket
    Metadata:
      plumbline:
        suppress:
          - {rule: s3-bucket-open, reason: read by the public}
          - {rule: s3-bucket-kept, reason: until the archive is there, until: "2026-01-31"}
          - {rule: s3-bucket-logged, reason: logs of logs}
`)
	rules := sameRules{"s3-bucket-open", "s3-bucket-kept", "s3-bucket-logged"}
	fs := []finding.Finding{{Rule: "s3-bucket-open", Verdict: finding.Fail, Resource: finding.Resource{LogicalID: "Logs"}}}
	got := Suppress(nil, rules, ms, fs, time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC))
	if fs[0].Suppressed == nil {
		t.Error("what is needed suppresses nothing")
	}
	var lines []string
	for _, f := range got.Stale {
		lines = append(lines, fmt.Sprintf("%d %s %s: %s", f.Place.Line, f.Rule, f.Resource.LogicalID, f.Message))
	}
	want := []string{
		"3 suppression-current : no finding of s3-bucket-kept is there to suppress",
		"11 suppression-current Logs: the suppression of s3-bucket-kept expired on 2026-01-31",
		"12 suppression-current Logs: no finding of s3-bucket-logged is there to suppress",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
	off := &Policy{Rules: RuleSettings{{Rule: "suppression-current", Off: "they are reviewed by hand"}}}
	if got := Suppress(off, rules, ms, nil, time.Now()); got.Stale != nil {
		t.Errorf("the rule is off, and says %v", got.Stale)
	}
}

// sameRules are rules without equivalents.
type sameRules []string

func (s sameRules) Equivalents(string) map[string][]string { return nil }
func (s sameRules) HasRule(id string) bool                 { return slices.Contains(s, id) }
func (s sameRules) RuleIDs() []string                      { return s }
