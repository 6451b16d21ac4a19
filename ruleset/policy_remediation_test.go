package ruleset

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/finding"
	"plumbline/rules"
)

func TestRemediationOfThePolicy(t *testing.T) {
	p, err := ReadPolicy("p.yaml", []byte(`remediation:
  modes:
    - {rule: s3-bucket-versioning, severity: [high, medium], mode: live}
    - {type: "AWS::IAM::*", mode: never}
    - {rule: "sqs-*", mode: approval}
  approvers:
    - {groups: [platform]}
    - {severity: critical, type: "AWS::EC2::*", groups: [network, security]}
  expiryHours: 4
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		rule     string
		severity finding.Severity
		typ      string
		mode     Mode
		said     bool
	}{
		{"s3-bucket-versioning", finding.Medium, "AWS::S3::Bucket", ModeLive, true},
		{"s3-bucket-versioning", finding.Low, "AWS::S3::Bucket", ModeTemplate, false},
		{"tagging-required-tags", finding.Low, "AWS::IAM::Role", ModeNever, true},
		{"sqs-queue-encrypted", finding.Low, "AWS::SQS::Queue", ModeApproval, true},
		{"ec2-security-group-open-rdp", finding.Critical, "AWS::EC2::SecurityGroup", ModeLive, true},
		{"lambda-function-tracing", finding.Low, "AWS::Lambda::Function", ModeTemplate, false},
	} {
		if mode, said := p.Remediate(row.rule, row.severity, row.typ); mode != row.mode || said != row.said {
			t.Errorf("%s of %s: %s %v, want %s %v", row.rule, row.typ, mode, said, row.mode, row.said)
		}
	}
	if diff := cmp.Diff([]string{"network", "platform", "security"}, p.Approvers(finding.Critical, "AWS::EC2::SecurityGroup")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]string{"platform"}, p.Approvers(finding.High, "AWS::EC2::SecurityGroup")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got := p.ApprovalTime(); got != 4*time.Hour {
		t.Errorf("approvals wait for %v", got)
	}
	if got := (*Policy)(nil).ApprovalTime(); got != 72*time.Hour {
		t.Errorf("approvals wait for %v without a policy", got)
	}
	if got := ModeLive.Stricter(ModeApproval); got != ModeApproval {
		t.Errorf("the stricter of live and approval is %s", got)
	}
}

func TestRemediationRefuses(t *testing.T) {
	for src, want := range map[string]string{
		"remediation: {modes: [{mode: sometimes}]}":                  `p.yaml:1:30: remediation.modes[0].mode: `,
		"remediation: {modes: [{rule: x}]}":                          "has no mode",
		"remediation: {approvers: [{severity: dire, groups: [a]}]}":  "remediation.approvers[0].severity",
		"remediation: {expiryHours: 0}":                              "want 1 to 8760, got 0",
		"remediation: {modes: [{rule: ec2-nothing-*, mode: never}]}": "",
	} {
		_, err := ReadPolicy("p.yaml", []byte(src))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", src, err, want)
		}
	}
	p, err := ReadPolicy("p.yaml", []byte("remediation: {modes: [{rule: ec2-nothing-*, mode: never}]}"))
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Check(noRules{}); len(got) != 1 {
		t.Errorf("a mode for no rule: %v", got)
	}
}

type noRules struct{}

func (noRules) HasRule(string) bool { return false }
func (noRules) RuleIDs() []string   { return []string{"s3-bucket-versioning"} }
func (noRules) FixValues() []string { return nil }

// TestShippedModesNameRules: each shipped entry means a rule.
func TestShippedModesNameRules(t *testing.T) {
	set, err := Open(rules.FS, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range shippedLive {
		if !slices.ContainsFunc(set.Index().RuleIDs(), func(id string) bool { return Glob(pattern, id) }) {
			t.Errorf("no rule matches %q", pattern)
		}
	}
}

func TestExclusionsAndLimits(t *testing.T) {
	p, err := ReadPolicy("p.yaml", []byte(`remediation:
  exclude:
    - {accounts: ["111122223333"], types: ["AWS::RDS::*"], reason: the bank's core}
    - {tags: [{key: remediation, value: "off"}, {key: legacy}], reason: its owners said so}
    - {types: ["AWS::KMS::Key"], reason: keys are for people}
  limits: {changesPerHour: 2, references: 1}
  followWithinDays: 3
accounts:
  - {id: "111122223333", alias: payments-prod}
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		account, typ string
		tags         map[string]string
		want         string
	}{
		{"111122223333", "AWS::RDS::DBInstance", nil, "the bank's core"},
		{"444455556666", "AWS::RDS::DBInstance", nil, ""},
		{"111122223333", "AWS::SQS::Queue", nil, ""},
		{"", "AWS::SQS::Queue", map[string]string{"remediation": "off"}, "its owners said so"},
		{"", "AWS::SQS::Queue", map[string]string{"remediation": "on"}, ""},
		{"", "AWS::SQS::Queue", map[string]string{"legacy": ""}, "its owners said so"},
		{"", "AWS::KMS::Key", nil, "keys are for people"},
	} {
		reason, excluded := p.Excluded(finding.Resource{Account: row.account, Type: row.typ}, row.tags)
		if reason != row.want || excluded != (row.want != "") {
			t.Errorf("%+v: %q %v", row, reason, excluded)
		}
	}
	if diff := cmp.Diff(RemediationLimits{ChangesPerHour: 2, PerResourcePerDay: DefaultPerResourcePerDay, References: 1, PerScan: DefaultPerScan}, p.Limits()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if a, b := p.AccountAlias("111122223333"), p.AccountAlias("444455556666"); a != "payments-prod" || b != "" {
		t.Errorf("aliases are %q and %q", a, b)
	}
	if got := p.FollowWithin(); got != 3*24*time.Hour {
		t.Errorf("templates follow within %v", got)
	}
	if got := (*Policy)(nil).FollowWithin(); got != 14*24*time.Hour {
		t.Errorf("templates follow within %v without a policy", got)
	}
	if _, excluded := (*Policy)(nil).Excluded(finding.Resource{}, nil); excluded {
		t.Error("no policy excludes something")
	}
	if _, err := ReadPolicy("p.yaml", []byte("remediation: {exclude: [{accounts: [\"111122223333\"]}]}")); err == nil || !strings.Contains(err.Error(), "has no reason") {
		t.Errorf("an exclusion without a reason: %v", err)
	}
}
