package ruleset

import (
	"context"
	"testing"
	"testing/fstest"

	"plumbline/cfn"
	"plumbline/finding"
)

// ruleText makes a rule file of its parts.
func ruleText(id, types, rest string) string {
	return "id: " + id + "\ntitle: " + id + "\nseverity: high\ndomain: network\ntypes: " + types + "\n" + rest
}

// open makes a set of rules written in a test.
func open(t testing.TB, p *Policy, rules ...string) *Set {
	t.Helper()
	fsys := fstest.MapFS{}
	for i, text := range rules {
		fsys["x/r"+string(rune('a'+i))+".yaml"] = &fstest.MapFile{Data: []byte(text)}
	}
	s, err := Open(fsys, p)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// models parses a template and resolves it.
func models(t testing.TB, in cfn.Inputs, template string) []*cfn.Model {
	t.Helper()
	parsed, err := cfn.Parse("t.yaml", []byte(template))
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Worlds(in)
}

// judge judges a template by the rules' only domain.
func judge(t testing.TB, s *Set, template string) []finding.Finding {
	t.Helper()
	out, _, err := s.Judge(context.Background(), finding.Network, models(t, cfn.Inputs{}, template), nil)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestVersioning(t *testing.T) {
	s := open(t, nil, ruleText("versioning", "[AWS::S3::Bucket]", `
pass: resource.VersioningConfiguration.Status == "Enabled"
message: |
  "versioning is " + (has(resource.VersioningConfiguration) ? resource.VersioningConfiguration.Status : "never enabled")
`))
	for name, tt := range map[string]struct {
		properties, verdict, message string
		line                         int
	}{
		"enabled":   {"{VersioningConfiguration: {Status: Enabled}}", "pass", "", 0},
		"suspended": {"\n      VersioningConfiguration:\n        Status: Suspended", "fail", "versioning is Suspended", 6},
		"absent":    {"{}", "fail", "versioning is never enabled", 2},
		"parameter": {"{VersioningConfiguration: {Status: !Ref V}}", "unknown", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			got := judge(t, s, "Resources:\n  B:\n    Type: AWS::S3::Bucket\n    Properties: "+tt.properties+"\nParameters: {V: {Type: String}}\n")
			if len(got) != 1 || string(got[0].Verdict) != tt.verdict {
				t.Fatalf("got %+v, want %s", got, tt.verdict)
			}
			if tt.message != "" && got[0].Message != tt.message {
				t.Errorf("message %q, want %q", got[0].Message, tt.message)
			}
			if tt.line != 0 && got[0].Place.Line != tt.line {
				t.Errorf("line %d, want %d", got[0].Place.Line, tt.line)
			}
		})
	}
}
