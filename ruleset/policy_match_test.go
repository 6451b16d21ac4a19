package ruleset

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"plumbline/finding"
)

func TestGlob(t *testing.T) {
	for _, tt := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"*", "a/b", true}, {"?", "", false},
		{"t3.*", "t3.micro", true}, {"t3.*", "t3a.micro", false}, {"m6?.large", "m6g.large", true},
		{"*-dev-*", "app-dev-1", true}, {"*-dev", "app-dev-1", false}, {"a*b*c", "aXbXbXc", true}, {"[a]", "[a]", true},
		{"Stack/*/Key", "Stack/Data/Vault/Key", true},
	} {
		if got := Glob(tt.pattern, tt.text); got != tt.want {
			t.Errorf("Glob(%q, %q) = %v", tt.pattern, tt.text, got)
		}
	}
}

func TestGlobIsItsExpression(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab*?.]{0,8}`).Draw(t, "pattern")
		text := rapid.StringMatching(`[ab.]{0,8}`).Draw(t, "text")
		expr := strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(pattern))
		if got, want := Glob(pattern, text), regexp.MustCompile("^(?s:"+expr+")$").MatchString(text); got != want {
			t.Errorf("Glob(%q, %q) = %v, its expression says %v", pattern, text, got, want)
		}
	})
}

func TestExempt(t *testing.T) {
	p := &Policy{ExemptTags: []ExemptTag{{Key: "scratch", Values: []string{"yes"}}, {Key: "sandbox"}}}
	var none *Policy
	for _, tt := range []struct {
		name string
		p    *Policy
		tags map[string]string
		key  string
		want bool
	}{
		{"value listed", p, map[string]string{"scratch": "yes"}, "scratch", true},
		{"value not listed", p, map[string]string{"scratch": "no"}, "scratch", false},
		{"any value", p, map[string]string{"sandbox": ""}, "sandbox", true},
		{"tag not there", p, nil, "sandbox", false},
		{"key not in the policy", p, map[string]string{"other": "x"}, "other", false},
		{"no policy", none, map[string]string{"scratch": "yes"}, "scratch", false},
	} {
		if got := tt.p.Exempt(tt.tags, tt.key); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

func TestRuleSettings(t *testing.T) {
	p := &Policy{Rules: RuleSettings{
		{Rule: "s3-*", Severity: finding.Low},
		{Rule: "s3-bucket-*", Off: "later glob"},
		{Rule: "s3-bucket-versioning", Severity: finding.Critical},
		{Rule: "iam-*", Off: "no roles here"},
	}}
	for _, tt := range []struct {
		rule     string
		severity finding.Severity
		off      string
	}{
		{"s3-bucket-versioning", finding.Critical, ""},
		{"s3-bucket-logging", finding.Low, ""},
		{"iam-role", finding.Medium, "no roles here"},
		{"rds-x", finding.Medium, ""},
	} {
		if got := p.SeverityOf(tt.rule, finding.Medium); got != tt.severity {
			t.Errorf("severity of %s is %s, want %s", tt.rule, got, tt.severity)
		}
		if got, off := p.RuleOff(tt.rule); got != tt.off || off != (tt.off != "") {
			t.Errorf("%s off: %q, %v", tt.rule, got, off)
		}
	}
	var none *Policy
	if none.SeverityOf("x", finding.High) != finding.High {
		t.Error("without a policy a rule keeps its severity")
	}
}

func TestPolicyValue(t *testing.T) {
	p := &Policy{Values: Values{
		{Name: "kmsKey", Text: "alias/any", ByRegion: map[string]string{"eu-west-1": "alias/eu"}},
		{Name: "logBucket", ByRegion: map[string]string{"eu-west-1": "logs-eu"}},
	}}
	for _, tt := range []struct {
		name, region, want string
		ok                 bool
	}{
		{"kmsKey", "eu-west-1", "alias/eu", true},
		{"kmsKey", "us-east-1", "alias/any", true},
		{"kmsKey", "", "alias/any", true},
		{"logBucket", "eu-west-1", "logs-eu", true},
		{"logBucket", "us-east-1", "", false},
		{"other", "", "", false},
	} {
		got, ok := p.Value(tt.name, tt.region)
		if got != tt.want || ok != tt.ok {
			t.Errorf("Value(%q, %q) = %q, %v", tt.name, tt.region, got, ok)
		}
	}
	var none *Policy
	if _, ok := none.Value("kmsKey", ""); ok {
		t.Error("no policy has a value")
	}
}

func TestScopeOf(t *testing.T) {
	p := &Policy{Scope: ScopePolicy{
		CDE:       []ScopeMatch{{Accounts: []string{"111122223333"}, Stacks: []string{"Card*"}}, {Tags: []TagIs{{Key: "pci", Value: "cde*"}}}},
		Connected: []ScopeMatch{{Accounts: []string{"111122223333"}}, {Tags: []TagIs{{Key: "pci"}}}},
		Out:       []ScopeMatch{{Stacks: []string{"Sandbox-*"}}},
	}}
	var none *Policy
	for _, tt := range []struct {
		name           string
		p              *Policy
		account, stack string
		tags           map[string]string
		want           Scope
	}{
		{"account and stack", p, "111122223333", "CardVault", nil, ScopeCDE},
		{"account alone", p, "111122223333", "Web", nil, ScopeConnected},
		{"tag value", p, "", "Sandbox-1", map[string]string{"pci": "cde-2"}, ScopeCDE},
		{"tag of any value", p, "", "", map[string]string{"pci": "x"}, ScopeConnected},
		{"out", p, "", "Sandbox-1", nil, ScopeOut},
		{"nothing known", p, "", "", nil, ScopeCDE},
		{"no policy", none, "", "", nil, ScopeCDE},
		{"default", &Policy{Scope: ScopePolicy{Default: ScopeOut}}, "", "x", nil, ScopeOut},
	} {
		if got := tt.p.ScopeOf(tt.account, tt.stack, tt.tags); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestGlobFold: it is Glob of the two in lower case.
func TestGlobFold(t *testing.T) {
	for _, pattern := range []string{"", "*", "iam:PassRole", "IAM:*", "iam:P?ss*", "s3:*Object", "**", "?"} {
		for _, text := range []string{"", "iam:passrole", "iam:PassRole", "iam:Pass", "s3:GetObject", "S3:PUTOBJECT", "x"} {
			if got, want := globFold(pattern, text), Glob(strings.ToLower(pattern), strings.ToLower(text)); got != want {
				t.Errorf("globFold(%q, %q) is %v", pattern, text, got)
			}
		}
	}
}
