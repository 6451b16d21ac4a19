package ruleset

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"plumbline/finding"
)

const versioningRule = `id: s3-versioning
title: Bucket keeps old object versions
severity: medium
domain: protection
types: [AWS::S3::Bucket]
pass: resource.VersioningConfiguration.Status == "Enabled"
message: |
  "versioning is " + (has(resource.VersioningConfiguration.Status) ? resource.VersioningConfiguration.Status : "never enabled")
`

const versioningCases = `- name: enabled
  properties: {VersioningConfiguration: {Status: Enabled}}
  want: pass
- name: suspended
  properties: {VersioningConfiguration: {Status: Suspended}}
  want: fail
  message: versioning is Suspended
  at: VersioningConfiguration.Status
- name: absent
  want: fail
  message: versioning is never enabled
- name: not known
  properties: {VersioningConfiguration: {Status: !Ref Versioning}}
  want: unknown
  needs: [Versioning]
- name: given
  properties: {VersioningConfiguration: {Status: !Ref Versioning}}
  params: {Versioning: Suspended}
  want: fail
`

func caseFS(rule, cases string) fstest.MapFS {
	return fstest.MapFS{"s3/versioning.yaml": {Data: []byte(rule)}, "s3/versioning_test.yaml": {Data: []byte(cases)}}
}

func runCases(t *testing.T, rules fstest.MapFS, ids ...string) *CaseReport {
	t.Helper()
	report, err := RunCases(context.Background(), rules, ids...)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestRunCasesHold(t *testing.T) {
	report := runCases(t, caseFS(versioningRule, versioningCases), "s3-*")
	if !report.OK() || report.Rules != 1 || len(report.Results) != 5 {
		t.Errorf("report is %+v", report)
	}
	last := report.Results[4]
	if last.Got != finding.Fail || last.Finding.Message != "versioning is Suspended" || last.Place != (finding.Place{Path: "s3/versioning_test.yaml", Line: 16, Column: 3}) {
		t.Errorf("last result is %+v", last)
	}
}

// TestRunCasesOfAForbiddenType: where nothing can be right, no case has to be.
func TestRunCasesOfAForbiddenType(t *testing.T) {
	report := runCases(t, fstest.MapFS{
		"simpledb/domain.yaml": {Data: []byte(`id: simpledb-domain
title: No domain is made
severity: low
domain: configuration
types: [AWS::SDB::Domain]
pass: "false"
message: '"it cannot be encrypted"'
`)},
		"simpledb/domain_test.yaml": {Data: []byte("- name: any\n  want: fail\n  message: it cannot be encrypted\n")},
	})
	if !report.OK() {
		t.Errorf("report is %+v", report)
	}
}

func TestRunCasesTellDifferences(t *testing.T) {
	for _, tt := range []struct{ name, old, new, want string }{
		{"verdict", "want: pass", "want: fail", "verdict differs:\n  want fail\n  got  pass: Bucket keeps old object versions"},
		{"verdict with its reason", "want: unknown", "want: pass", "verdict differs:\n  want pass\n  got  unknown: Bucket keeps old object versions: depends on parameter Versioning (needs parameter Versioning)"},
		{"message", "message: versioning is Suspended", "message: it is off", "message differs:\n  want it is off\n  got  versioning is Suspended"},
		{"needs", "needs: [Versioning]", "needs: [Versions]", "needs differs:\n  want Versions\n  got  parameter Versioning"},
		{"place", "at: VersioningConfiguration.Status", "at: Name", "at: the case has no property Name"},
		{"assuming", "message: versioning is Suspended", "assuming: [A=b]\n  message: versioning is Suspended", "assuming differs:\n  want A=b\n  got  "},
		{"type of another rule", "- name: absent", "- name: absent\n  type: AWS::SQS::Queue", "type AWS::SQS::Queue is none of the rule's: AWS::S3::Bucket"},
		{"policy", "- name: absent", "- name: absent\n  policy: {version: 7}", "policy:10:11: version 7 is not known. this plumbline reads version 1"},
		{"neighbour", "- name: absent", "- name: absent\n  with: {A: {}}", "with.A has no type"},
	} {
		cases := strings.Replace(versioningCases, tt.old, tt.new, 1)
		report := runCases(t, caseFS(versioningRule, cases))
		var got []string
		for _, r := range report.Results {
			got = append(got, r.Problems...)
		}
		if diff := cmp.Diff([]string{tt.want}, got); diff != "" || report.OK() || report.Failed() != 1 {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestRunCasesTellMissing(t *testing.T) {
	first := func(n int) string {
		parts := strings.SplitAfter(versioningCases, "\n- ")
		return strings.TrimSuffix(strings.Join(parts[:n], ""), "- ")
	}
	for _, tt := range []struct {
		name  string
		rules fstest.MapFS
		want  []string
	}{
		{"no case file", fstest.MapFS{"s3/versioning.yaml": {Data: []byte(versioningRule)}},
			[]string{"s3/versioning.yaml:1:1: rule s3-versioning has no cases. write them into s3/versioning_test.yaml"}},
		{"only a pass", caseFS(versioningRule, first(1)), []string{
			"s3/versioning.yaml:1:1: rule s3-versioning has no case that wants fail",
			"s3/versioning.yaml:1:1: rule s3-versioning has no failing case with the message that it wants",
			"s3/versioning.yaml:1:1: rule s3-versioning has no case in which a property that it reads is absent (VersioningConfiguration)",
		}},
		{"none absent", caseFS(versioningRule, first(2)), []string{
			"s3/versioning.yaml:1:1: rule s3-versioning has no case in which a property that it reads is absent (VersioningConfiguration)",
		}},
		{"stray case file", fstest.MapFS{"s3/versioning.yaml": {Data: []byte(versioningRule)}, "s3/versioning_test.yaml": {Data: []byte(versioningCases)}, "s3/version_test.yaml": {Data: []byte(versioningCases)}},
			[]string{"s3/version_test.yaml: cases without a rule: there is no s3/version.yaml. did you mean s3/versioning.yaml?"}},
		{"broken cases", caseFS(versioningRule, "- {name: a}\n"), []string{"s3/versioning_test.yaml:1:3: cases[0] has no want. add it: pass, fail, unknown, error or skip"}},
		{"broken rule", caseFS(versioningRule+"colour: red\n", versioningCases), []string{`s3/versioning.yaml:9:1: unknown key "colour"`}},
		{"deprecated", caseFS(versioningRule+"deprecated: true\n", "- {name: a, want: skip}\n"), nil},
	} {
		var got []string
		for _, p := range runCases(t, tt.rules).Problems {
			text, _, _ := strings.Cut(p.Error(), " in a rule.") // what else is allowed is the decoder's matter
			got = append(got, text)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestRunCasesBeside(t *testing.T) {
	rules := caseFS(versioningRule, versioningCases)
	rules["frameworks/house.yaml"] = &fstest.MapFile{Data: []byte(smallFramework)}
	if report := runCases(t, rules); len(report.Problems) != 2 {
		t.Errorf("want both rules that the framework names to be unknown, got %v", report.Problems)
	}
	report, err := RunCasesBeside(context.Background(), ruleIDs{"group-open", "acl-open"}, rules)
	if err != nil || !report.OK() {
		t.Errorf("beside the rules that the framework names: %v, %+v", err, report)
	}
}

func TestRunCasesRefusesIDs(t *testing.T) {
	rules := caseFS(versioningRule, versioningCases)
	for id, want := range map[string]string{
		"s3-versionin":           `no rule "s3-versionin". did you mean s3-versioning?`,
		"iam-*":                  `no rule "iam-*".`,
		finding.TemplateReadable: `rule "template-readable" has no cases: it is built in`,
	} {
		_, err := RunCases(context.Background(), rules, id)
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", id, err, want)
		}
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := RunCases(ended, rules); err == nil {
		t.Error("a context that has ended is no error")
	}
}

func TestRunCasesWithoutCompiling(t *testing.T) {
	rule := strings.Replace(versioningRule, ".Status ==", ".Statsu ==", 1)
	report := runCases(t, caseFS(rule, versioningCases))
	if report.Failed() != len(report.Results) || !strings.Contains(report.Results[0].Problems[0], `undefined field "Statsu"`) {
		t.Errorf("results are %+v", report.Results)
	}
}

// TestScaffoldHolds runs the cases of a new rule as it is written.
func TestScaffoldHolds(t *testing.T) {
	for _, typ := range []string{"AWS::S3::Bucket", "AWS::RDS::DBInstance", "AWS::KMS::Key", "AWS::EC2::SecurityGroup", "AWS::Lambda::Function", "AWS::SSM::Parameter"} {
		files, err := Scaffold{ID: "new-rule", Type: typ}.Files(fstest.MapFS{}, nil)
		if err != nil {
			t.Errorf("%s: %v", typ, err)
			continue
		}
		rules := fstest.MapFS{}
		for name, content := range files {
			rules[name] = &fstest.MapFile{Data: content}
		}
		if report := runCases(t, rules); !report.OK() {
			t.Errorf("%s: %+v", typ, report)
		}
	}
}

func TestRunCasesTryFixes(t *testing.T) {
	for _, tt := range []struct {
		name, fix, properties, more string
		want                        string // how the problem begins; "": none
	}{
		{"settles", "[{set: VersioningConfiguration.Status, value: Enabled}]", "{}", "", ""},
		{"leaves it", "[{set: VersioningConfiguration.Status, value: Suspended}]", "{}", "", "the fix does not settle it (give unfixed: true where it cannot):\n  set VersioningConfiguration.Status to Suspended\n  leaves fail: versioning is Suspended"},
		{"leaves it, and the case says so", "[{set: VersioningConfiguration.Status, value: Suspended}]", "{}", "  unfixed: true\n", ""},
		{"value of the policy", "[{set: VersioningConfiguration.Status, policy: status}]", "{}", "  policy: {values: {status: Enabled}}\n", ""},
		{"value that the policy lacks is tried", "[{set: BucketName, policy: name}, {set: VersioningConfiguration.Status, value: Enabled}]", "{}", "", ""},
		{"removes", "[{remove: VersioningConfiguration}, {set: VersioningConfiguration.Status, value: Enabled}]", "{VersioningConfiguration: {Status: Suspended}}", "", ""},
		{"adds to a list", `[{add: Tags, value: {Key: a, Value: b}}, {set: VersioningConfiguration.Status, value: Enabled}]`, "{Tags: [{Key: c, Value: d}]}", "", ""},
		{"adds a list", `[{add: Tags, value: {Key: a, Value: b}}, {set: VersioningConfiguration.Status, value: Enabled}]`, "{}", "", ""},
		{"a function stands there", "[{set: VersioningConfiguration.Status, value: Suspended}]", "{VersioningConfiguration: !If [C, {Status: Suspended}, {Status: Suspended}]}", "  conditions: {C: !Equals [a, a]}\n", ""},
	} {
		cases := versioningCases + "- name: fixed\n  properties: " + tt.properties + "\n  want: fail\n" + tt.more
		if tt.name == "leaves it" || tt.more == "  unfixed: true\n" { // only the last case, others fail likewise
			cases = strings.NewReplacer("want: fail\n  message", "want: fail\n  unfixed: true\n  message", "params: {Versioning: Suspended}", "params: {Versioning: Suspended}\n  unfixed: true").Replace(versioningCases) + "- name: fixed\n  properties: " + tt.properties + "\n  want: fail\n" + tt.more
		}
		if tt.name == "a function stands there" || strings.HasPrefix(tt.name, "value of the policy") {
			cases = "- name: fixed\n  properties: " + tt.properties + "\n  want: fail\n" + tt.more
		}
		report := runCases(t, caseFS(versioningRule+"fix: "+tt.fix+"\n", cases))
		var problems []string
		for _, r := range report.Results {
			problems = append(problems, r.Problems...)
		}
		got := strings.Join(problems, "\n")
		if got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
	}
}
