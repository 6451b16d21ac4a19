package ruleset

import (
	"context"
	"io/fs"
	"os"
	"strings"
	"testing"

	"plumbline/cfn"
	"plumbline/finding"
)

// FuzzRule: whatever the bytes, reading, compiling and judging by a rule ends
// with a rule or an error that names the file.
func FuzzRule(f *testing.F) {
	f.Add([]byte(wholeRule))
	f.Add([]byte(ruleText("a-b", "[AWS::S3::Bucket]", tlsOnly)))
	f.Add([]byte(ruleText("a-b", "taggable", "pass: policy.missingTags(resource) == []\n")))
	f.Add([]byte("&a [*a]"))
	f.Add([]byte("id: &a {b: *a}\n"))
	rules := os.DirFS("../rules")
	if files, err := RuleFiles(rules); err == nil {
		for _, name := range files {
			if src, err := fs.ReadFile(rules, name); err == nil {
				f.Add(src)
			}
		}
	}
	template := models(f, cfn.Inputs{}, `
Parameters: {P: {Type: String}}
Resources:
  R: {Type: AWS::S3::Bucket, Properties: {BucketName: !Sub "${P}-x", Tags: [{Key: a, Value: !Ref P}, !Ref P]}}
  P: {Type: AWS::S3::BucketPolicy, Properties: {Bucket: !Ref R, PolicyDocument: {Statement: [{Effect: Deny}]}}}
`)
	f.Fuzz(func(t *testing.T, src []byte) {
		r, err := ReadRule("x.yaml", src)
		if err != nil {
			if !strings.Contains(err.Error(), "x.yaml:") {
				t.Errorf("error without a place: %v", err)
			}
			return
		}
		if r.Match == MatchTypes {
			r.Types = []string{"AWS::S3::Bucket"}
		}
		c, err := r.compile("AWS::S3::Bucket")
		if err != nil {
			return
		}
		_ = c.rest()
		s := &Set{policy: DefaultPolicy()}
		s.record = func() *view { return &view{typ: policyType(), owner: &owner{policy: s.policy}} }
		j := s.judgement(context.Background(), template)
		for x := range j.subjects() {
			if x.logicalID == "R" {
				o := j.judge(c, x)
				if _, err := j.finding(&active{compiled: c, severity: finding.High}, x, o); err != nil && c.err == nil {
					t.Errorf("tell: %v", err)
				}
			}
		}
	})
}
