package ruleset

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/finding"
)

const fullPolicy = `version: 1
requiredTags:
  - key: owner
    pattern: "^[a-z-]+@example\\.com$"
  - key: data-classification
    values: [public, internal, cardholder]
    only: [AWS::S3::*, AWS::RDS::DBInstance]
    except: AWS::S3::AccessPoint
exemptTags:
  - key: scratch
    values: ["yes"]
    reason: emptied each night
allowedRegions: [eu-west-1, us-*]
instanceClasses:
  ec2: [t3.*, "m6?.large"]
  rds: db.t4g.*
naming:
  - types: [AWS::S3::Bucket]
    property: BucketName
    pattern: ^acme-
rules:
  s3-bucket-versioning: {severity: high}
  "cloudfront-*": {off: no distributions are ours}
suppressions:
  - rule: s3-bucket-logging
    resource: LogBucket
    stack: [Data, "Data-*"]
    reason: it is the log bucket
    until: 2031-12-31
    approver: grace@example.com
    compensatingControl: CloudTrail data events
scope:
  default: connected
  cde:
    - accounts: "111122223333"
      stacks: Card*
    - tags: [{key: pci, value: cde}]
  out:
    - stacks: [Sandbox-*]
values:
  logBucket: acme-logs
  kmsKey:
    eu-west-1: arn:aws:kms:eu-west-1:111122223333:key/a
    default: alias/acme
ports:
  admin: [22]
  database: []
retention: {logDays: 400}
passwords: {minLength: 16}
trustedAccounts: ["444455556666"]
tlsPolicies:
  elb: [ELBSecurityPolicy-TLS13-1-3-*]
`

func TestReadPolicy(t *testing.T) {
	got, err := ReadPolicy("plumbline.yaml", []byte(fullPolicy))
	if err != nil {
		t.Fatal(err)
	}
	want := &Policy{
		Version: 1,
		RequiredTags: []RequiredTag{
			{Key: "owner", Pattern: `^[a-z-]+@example\.com$`},
			{Key: "data-classification", Values: []string{"public", "internal", "cardholder"},
				Only: []string{"AWS::S3::*", "AWS::RDS::DBInstance"}, Except: []string{"AWS::S3::AccessPoint"}},
		},
		ExemptTags:      []ExemptTag{{Key: "scratch", Values: []string{"yes"}, Reason: "emptied each night"}},
		AllowedRegions:  []string{"eu-west-1", "us-*"},
		InstanceClasses: InstanceClasses{EC2: []string{"t3.*", "m6?.large"}, RDS: []string{"db.t4g.*"}},
		Naming:          []Naming{{Types: []string{"AWS::S3::Bucket"}, Property: "BucketName", Pattern: "^acme-"}},
		Rules: RuleSettings{
			{Rule: "s3-bucket-versioning", Severity: finding.High, Line: 22},
			{Rule: "cloudfront-*", Off: "no distributions are ours", Line: 23},
		},
		Suppressions: []Suppression{{
			Rule: []string{"s3-bucket-logging"}, Resource: []string{"LogBucket"}, Stack: []string{"Data", "Data-*"},
			Reason: "it is the log bucket", Until: "2031-12-31", Approver: "grace@example.com",
			CompensatingControl: "CloudTrail data events", Line: 25,
		}},
		Scope: ScopePolicy{
			Default: ScopeConnected,
			CDE: []ScopeMatch{
				{Accounts: []string{"111122223333"}, Stacks: []string{"Card*"}},
				{Tags: []TagIs{{Key: "pci", Value: "cde"}}},
			},
			Out: []ScopeMatch{{Stacks: []string{"Sandbox-*"}}},
		},
		Values: Values{
			{Name: "logBucket", Text: "acme-logs", Line: 41},
			{Name: "kmsKey", Text: "alias/acme", ByRegion: map[string]string{"eu-west-1": "arn:aws:kms:eu-west-1:111122223333:key/a"}, Line: 42},
		},
		Ports:           Ports{Admin: []int{22}, Database: []int{}},
		Retention:       Retention{LogDays: 400},
		Passwords:       Passwords{MinLength: 16},
		TrustedAccounts: []string{"444455556666"},
		TLSPolicies:     TLSPolicies{ELB: []string{"ELBSecurityPolicy-TLS13-1-3-*"}},
		Path:            "plumbline.yaml",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("policy differs (-want +got):\n%s", diff)
	}
}

func TestReadPolicyRefuses(t *testing.T) {
	for _, tt := range []struct{ name, src, want string }{
		{"unknown key", "version: 1\nrequird-tags: []\n", `p.yaml:2:1: unknown key "requird-tags". did you mean "requiredTags"?`},
		{"unknown key with no near one", "colour: red\n", `p.yaml:1:1: unknown key "colour". allowed: version, requiredTags, `},
		{"unknown key inside", "retention:\n  logDay: 3\n", `p.yaml:2:3: unknown key "logDay" in retention. did you mean "logDays"?`},
		{"key twice", "ports: {}\nports: {}\n", `p.yaml:2:1: key "ports" is here twice, first in line 1. keep one`},
		{"not a mapping", "- a\n", `p.yaml:1:1: the file: want keys and values, got a list`},
		{"not YAML", "a: b: c\n", `p.yaml:1:1: not valid YAML: mapping values are not allowed in this context`},
		{"two documents", "version: 1\n---\nversion: 1\n", `p.yaml:2:1: a second document. this file holds one: remove the line ---`},
		{"version", "version: 2\n", `p.yaml:1:1: version 2 is not known. this plumbline reads version 1`},
		{"number", "version: one\n", `p.yaml:1:10: version: want a whole number, got "one"`},
		{"region", "allowedRegions: [eu-west-1, Ireland]\n", `p.yaml:1:29: allowedRegions[1]: want a region such as eu-west-1 or a glob such as eu-*, got "Ireland"`},
		{"port", "ports: {admin: [22, 70000]}\n", `p.yaml:1:21: ports.admin[1]: want 0 to 65535, got 70000`},
		{"days", "retention: {logDays: 0}\n", `p.yaml:1:22: retention.logDays: want 1 to 36500, got 0`},
		{"account", "trustedAccounts: [1234]\n", `p.yaml:1:19: trustedAccounts[0]: want an account id of 12 digits, got "1234"`},
		{"pattern", "requiredTags: [{key: a, pattern: '('}]\n", "p.yaml:1:34: requiredTags[0].pattern: not a regular expression (RE2): error parsing regexp: missing closing ): `(`"},
		{"type", "naming: [{types: [bucket], property: A, pattern: b}]\n", `p.yaml:1:19: naming[0].types[0]: want a resource type such as AWS::S3::Bucket or a glob such as AWS::S3::*, got "bucket"`},
		{"tag without key", "requiredTags: [{values: [a]}]\n", `p.yaml:1:16: requiredTags[0] has no key. add it: the tag's key, matched exactly`},
		{"tag twice", "requiredTags:\n  - key: a\n  - key: a\n", `p.yaml:3:5: tag "a" is required twice. keep one entry`},
		{"list wanted", "requiredTags: {key: a}\n", `p.yaml:1:15: requiredTags: want a list, got keys and values`},
		{"nothing", "suppressions:\n", `p.yaml:1:14: suppressions: want a list, got nothing`},
		{"text wanted", "allowedRegions: [[a]]\n", `p.yaml:1:18: allowedRegions[0]: want a text, got a list`},
		{"severity", "rules: {a: {severity: hihg}}\n", `p.yaml:1:23: rules.a.severity: "hihg" is not known. did you mean "high"?`},
		{"severity far off", "rules: {a: {severity: urgent}}\n", `p.yaml:1:23: rules.a.severity: "urgent" is not known. want one of critical, high, medium, low`},
		{"rule that says nothing", "rules: {a: {}}\n", `p.yaml:1:9: rules.a says nothing. give severity: critical, high, medium or low; or off: and the reason`},
		{"off without reason", "rules: {a: {off: ''}}\n", `p.yaml:1:9: rules.a says nothing.`},
		{"off without words", "rules: {a: {off: true}}\n", `p.yaml:1:18: rules.a.off: want the reason in words, got "true"`},
		{"off for nothing said", "rules: {a: {off: '--'}}\n", `p.yaml:1:18: rules.a.off: want the reason in words, got "--"`},
		{"suppression without words", "suppressions: [{rule: a, stack: b, reason: yes}]\n", `p.yaml:1:44: suppressions[0].reason: want the reason in words, got "yes"`},
		{"misspelt type", "requiredTags: [{key: a, only: [AWS::S3::Buckett]}]\n", `p.yaml:1:32: requiredTags[0].only[0]: no resource type "AWS::S3::Buckett" is known. did you mean "AWS::S3::Bucket"?`},
		{"type of no service", "naming: [{types: [AWS::Nothing::AtAll], property: A, pattern: b}]\n", `p.yaml:1:19: naming[0].types[0]: no resource type "AWS::Nothing::AtAll" is known`},
		{"types of no service", "requiredTags: [{key: a, except: ['AWS::Nothing::*']}]\n", `p.yaml:1:34: requiredTags[0].except[0]: no resource type matches "AWS::Nothing::*"`},
		{"misspelt property", "naming: [{types: [AWS::S3::Bucket], property: Bucketname, pattern: b}]\n", `p.yaml:1:47: naming[0].property: AWS::S3::Bucket has no property "Bucketname". did you mean "BucketName"?`},
		{"property of another type", "naming: [{types: [AWS::S3::Bucket, 'AWS::SQS::*'], property: BucketName, pattern: b}]\n", `p.yaml:1:62: naming[0].property: AWS::SQS::* has no property "BucketName"`},
		{"rules as list", "rules: [a]\n", `p.yaml:1:8: rules: want keys and values, got a list`},
		{"scope", "scope: {default: none}\n", `p.yaml:1:18: scope.default: "none" is not known. want one of cde, connected, out`},
		{"scope entry", "scope: {out: [{}]}\n", `p.yaml:1:15: scope.out[0] selects nothing. give accounts, stacks or tags`},
		{"suppression without reason", "suppressions: [{rule: a, stack: b}]\n", `p.yaml:1:16: suppressions[0] has no reason. add it: why it does not count; reports show it`},
		{"suppression with a blank reason", "suppressions: [{rule: a, stack: b, reason: ' '}]\n", `p.yaml:1:16: suppressions[0] has no reason.`},
		{"suppression of everything", "suppressions: [{rule: a, reason: b}]\n", `p.yaml:1:16: a suppression of every finding of a rule.`},
		{"date", "suppressions: [{rule: a, stack: b, reason: c, until: 31.12.2030}]\n", `p.yaml:1:54: suppressions[0].until: want a date as YYYY-MM-DD, got "31.12.2030"`},
		{"value of a list", "values: {a: [b]}\n", `p.yaml:1:13: values.a: want a text, got a list`},
		{"value by no region", "values: {a: {ireland: b}}\n", `p.yaml:1:14: values.a: want a region such as eu-west-1, or default, got "ireland"`},
		{"alias bomb", "x: &a [b, b, b, b, b, b, b, b, b, b]\n", `p.yaml:1:1: unknown key "x".`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := ReadPolicy("p.yaml", []byte(tt.src))
			if err == nil {
				t.Fatalf("read as %+v, want error %q", p, tt.want)
			}
			if !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("error\n got %s\nwant %s", err, tt.want)
			}
		})
	}
}

func TestReadPolicyTellsEveryProblem(t *testing.T) {
	_, err := ReadPolicy("p.yaml", []byte("version: 3\nport: {}\nretention: {logDays: x}\n"))
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("want three problems, got:\n%v", err)
	}
}

func TestReadPolicyBoundsAliases(t *testing.T) {
	src := "allowedRegions: &a [us-east-1, us-east-1]\nscope: {cde: [{accounts: &b ['111122223333']}]}\n"
	if _, err := ReadPolicy("p.yaml", []byte(src)); err != nil {
		t.Error(err)
	}
	var b strings.Builder
	b.WriteString("requiredTags:\n  - &t {key: k, values: &l [")
	b.WriteString(strings.Repeat("v, ", 2000))
	b.WriteString("v]}\n")
	for range 200 {
		b.WriteString("  - {key: k, values: *l}\n")
	}
	_, err := ReadPolicy("p.yaml", []byte(b.String()))
	if err == nil || !strings.Contains(err.Error(), "more than 200000 values") {
		t.Errorf("want a bound on aliases, got %.200v", err)
	}
}

func TestEmptyPolicies(t *testing.T) {
	for _, src := range []string{"", "# only a comment\n", "---\n", "{}\n"} {
		p, err := ReadPolicy("p.yaml", []byte(src))
		if err != nil {
			t.Errorf("%q: %v", src, err)
			continue
		}
		p.Path = ""
		if diff := cmp.Diff(&Policy{}, p); diff != "" {
			t.Errorf("%q is not the empty policy:\n%s", src, diff)
		}
	}
	var none *Policy
	for _, p := range []*Policy{none, {}} {
		if diff := cmp.Diff(DefaultPolicy(), p.WithDefaults()); diff != "" {
			t.Errorf("WithDefaults of an empty policy differs from the default:\n%s", diff)
		}
	}
}

func TestWithDefaultsKeepsWhatIsWritten(t *testing.T) {
	p := &Policy{Ports: Ports{Admin: []int{}, Public: []int{443}}, Retention: Retention{LogDays: 30}, TLSPolicies: TLSPolicies{ELB: []string{"x"}}}
	got := p.WithDefaults()
	want := DefaultPolicy()
	want.Ports.Admin, want.Ports.Public = []int{}, []int{443}
	want.Retention.LogDays = 30
	want.TLSPolicies.ELB = []string{"x"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("WithDefaults differs (-want +got):\n%s", diff)
	}
	if p.Version != 0 {
		t.Error("WithDefaults changed its receiver")
	}
}

func TestPolicyHash(t *testing.T) {
	read := func(src string) string {
		t.Helper()
		p, err := ReadPolicy("some/where.yaml", []byte(src))
		if err != nil {
			t.Fatal(err)
		}
		return p.Hash()
	}
	var none *Policy
	if none.Hash() != read("") || none.Hash() != read("retention: {logDays: 365}\n") {
		t.Error("a policy that says the defaults has another hash than the defaults")
	}
	base := read(fullPolicy)
	if base != read("# moved\n\n"+fullPolicy) {
		t.Error("a comment changes the hash")
	}
	if base == read(strings.Replace(fullPolicy, "400", "401", 1)) {
		t.Error("another value has the same hash")
	}
}

type ruleIDs []string

func (r ruleIDs) RuleIDs() []string { return r }
func (ruleIDs) FixValues() []string { return []string{"kmsKey", "logBucket"} }
func (r ruleIDs) HasRule(id string) bool {
	for _, x := range r {
		if x == id {
			return true
		}
	}
	return false
}

func TestPolicyCheck(t *testing.T) {
	p, err := ReadPolicy("p.yaml", []byte(`rules:
  s3-bucket-versionning: {severity: low}
  "iam-*": {off: none here}
suppressions:
  - {rule: [s3-bucket-versioning, "s3-*"], stack: a, reason: b}
  - {rule: frobnicate, stack: a, reason: b}
values:
  kmskey: a
  logBucket: b
  logBuckets: c
  ours: d
`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range p.Check(ruleIDs{"s3-bucket-versioning", "s3-bucket-logging"}) {
		got = append(got, w.Error())
	}
	want := []string{
		`p.yaml:2:1: no rule "s3-bucket-versionning". did you mean "s3-bucket-versioning"?`,
		`p.yaml:3:1: no rule matches "iam-*"`,
		`p.yaml:6:1: no rule "frobnicate". plumbline rules list names them`,
		`p.yaml:8:1: no fix asks for a value "kmskey". did you mean "kmsKey"?`,
		`p.yaml:10:1: no fix asks for a value "logBuckets". did you mean "logBucket"?`,
		`p.yaml:11:1: no fix asks for a value "ours". asked for: kmsKey, logBucket`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("warnings differ (-want +got):\n%s", diff)
	}
}

func FuzzReadPolicy(f *testing.F) {
	f.Add([]byte(fullPolicy))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("rules: {a: &x {off: *x}}"))
	f.Fuzz(func(t *testing.T, src []byte) {
		p, err := ReadPolicy("p.yaml", src)
		if p == nil {
			t.Fatalf("no policy, error %v", err)
		}
		p.WithDefaults().Hash()
	})
}

func TestPolicyTypesThatAreRight(t *testing.T) {
	_, err := ReadPolicy("p.yaml", []byte(`requiredTags: [{key: a, only: [AWS::S3::Bucket, "AWS::S3::*", "*"], except: [Custom::Thing, Acme::Ledger::Book]}]
naming:
  - {types: ["*"], property: Name, pattern: a}
  - {types: ["AWS::S3::*"], property: BucketName, pattern: a}
  - {types: [Acme::Ledger::Book], property: Title, pattern: a}
`))
	if err != nil {
		t.Error(err)
	}
}

// What could be read of a policy with mistakes can still be checked.
func TestPolicyWithMistakesIsChecked(t *testing.T) {
	p, err := ReadPolicy("p.yaml", []byte("colour: red\nrules: {frobnicate: {severity: low}}\n"))
	if err == nil {
		t.Fatal("read without an error")
	}
	if got := p.Check(ruleIDs{"s3-bucket-versioning"}); len(got) != 1 || !strings.Contains(got[0].Error(), `p.yaml:2:1: no rule "frobnicate"`) {
		t.Errorf("problems of what was read: %v", got)
	}
}

// The schema in docs is held equal to PolicySchema by the tests of rules.
func TestPolicySchema(t *testing.T) {
	var s struct {
		Required   []string
		Properties map[string]map[string]any
	}
	if err := json.Unmarshal(PolicySchema(), &s); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"requiredTags", "suppressions", "rules", "values", "scope"} {
		if s.Properties[key]["description"] == "" || s.Properties[key] == nil {
			t.Errorf("%s has no description", key)
		}
	}
	item, _ := s.Properties["suppressions"]["items"].(map[string]any)
	if diff := cmp.Diff([]any{"rule", "reason"}, item["required"]); diff != "" {
		t.Errorf("required of a suppression (-want +got):\n%s", diff)
	}
	days, _ := s.Properties["retention"]["properties"].(map[string]any)
	want := map[string]any{"type": "integer", "minimum": 1.0, "maximum": 36500.0, "default": 365.0, "description": "at least so long logs are kept"}
	if diff := cmp.Diff(want, days["logDays"]); diff != "" {
		t.Errorf("logDays (-want +got):\n%s", diff)
	}
}

func TestPolicyTable(t *testing.T) {
	table := string(PolicyTable())
	for _, row := range []string{
		"| `requiredTags[].key` | the tag's key, matched exactly (must be given) |  |\n",
		"| `ports.public` | the only ports that may be open to the world | `80`, `443` |\n",
		"| `rules.RULE.off` | turns the rule off; the text is the reason, and reports show it |  |\n",
		"| `scope.default` | scope of what no entry names: cde, connected or out | `cde` |\n",
	} {
		if !strings.Contains(table, row) {
			t.Errorf("the table lacks %s", row)
		}
	}
}
