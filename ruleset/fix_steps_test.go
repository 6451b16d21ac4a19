package ruleset

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/cfn"
	"plumbline/finding"
)

// TestFixBeyondTheResource: steps on what a rule relates the resource to, on
// the resource as a whole, on conditions, and with the policy's values.
func TestFixBeyondTheResource(t *testing.T) {
	policy := &Policy{Values: Values{{Name: "logBucket", Text: "acme-logs"}}, RequiredTags: []RequiredTag{{Key: "owner", Default: "cards"}, {Key: "class", Values: []string{"a", "b"}, Except: []string{"AWS::S3::*"}}}}
	template := `
Resources:
  R: {Type: AWS::S3::Bucket, Properties: {Tags: [{Key: owner, Value: ""}]}}
  P: {Type: AWS::S3::BucketPolicy, Properties: {Bucket: !Ref R, PolicyDocument: {Statement: []}}}
  Q: {Type: AWS::S3::BucketPolicy, Properties: {Bucket: other, PolicyDocument: {Statement: []}}}
`
	relation := "relations: {policies: {type: AWS::S3::BucketPolicy, by: Bucket}}\n"
	for _, tt := range []struct {
		name, fix string
		want      Fix
	}{
		{"related", "[{add: PolicyDocument.Statement, on: policies, value: {Effect: Deny}}]",
			Fix{Others: []OtherOps{{"P", []cfn.Op{{Do: "add", Path: []string{"PolicyDocument", "Statement"}, Value: map[string]any{"Effect": "Deny"}}}}}}},
		{"related, twice", "[{remove: PolicyDocument, on: policies}, {set: Bucket, on: policies, policy: logBucket}]",
			Fix{Others: []OtherOps{{"P", []cfn.Op{{Do: "remove", Path: []string{"PolicyDocument"}}, {Do: "set", Path: []string{"Bucket"}, Value: "acme-logs"}}}}}},
		{"related, needs", "[{set: Bucket, on: policies, policy: kmsKey}]", Fix{Needs: []string{"policy value kmsKey"}}},
		{"only if", "[{set: BucketName, where: size(policies) == 0, value: x}, {set: BucketName, where: size(policies) > 0, value: y}]",
			Fix{Ops: []cfn.Op{{Do: "set", Path: []string{"BucketName"}, Value: "y"}}}},
		{"related, only if", "[{set: Bucket, on: policies, where: size(policies) > 1, value: x}]", Fix{}},
		{"a companion, only if", "[{companion: AWS::S3::BucketPolicy, where: size(policies) == 0, value: {Bucket: x}}]", Fix{}},
		{"the policy's value in an expression", "[{set: BucketName, policy: logBucket, cel: 'item + \"-x\"'}]",
			Fix{Ops: []cfn.Op{{Do: "set", Path: []string{"BucketName"}, Value: "acme-logs-x"}}}},
		{"no value for an expression", "[{set: BucketName, policy: kmsKey, cel: 'item + \"-x\"'}]", Fix{Needs: []string{"policy value kmsKey"}}},
		{"delete", "[{delete: resource}]", Fix{Delete: true}},
		{"tags", "[{tags: policy}]", Fix{Ops: []cfn.Op{{Do: "set", Path: []string{"Tags", "0", "Value"}, Value: "cards"}}}},
		{"tags in an expression", "[{set: BucketName, cel: 'policy.givenTags([\"owner\"])[0].Value'}]", Fix{Ops: []cfn.Op{{Do: "set", Path: []string{"BucketName"}, Value: "cards"}}}},
		{"a tag without a value", "[{set: Tags, cel: 'policy.givenTags([\"class\"])'}]", Fix{Needs: []string{"policy default of required tag class"}}},
		{"a parent that needs more", "[{set: ReplicationConfiguration.Role, value: r}]",
			Fix{Ops: []cfn.Op{{Do: "set", Path: []string{"ReplicationConfiguration", "Role"}, Value: "r"}}, Needs: []string{"property ReplicationConfiguration.Rules"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, policy, ruleText("r", "[AWS::S3::Bucket]", relation+"pass: 'false'\nfix: "+tt.fix+"\n"))
			if err := s.Check(); err != nil {
				t.Fatal(err)
			}
			fix, err := s.Fix(finding.Finding{Rule: "r", Resource: finding.Resource{LogicalID: "R"}}, models(t, cfn.Inputs{}, template)[0])
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, fix, cmp.AllowUnexported(cfn.Value{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFixStepsAreChecked(t *testing.T) {
	base := "id: r\ntitle: t\nseverity: low\ndomain: network\ntypes: [AWS::S3::Bucket]\npass: 'true'\nremediation: r\nbreaks: b\nmessage: '\"m\"'\n"
	for name, row := range map[string]struct{ fix, want string }{
		"on a companion":        {"[{companion: AWS::S3::BucketPolicy, on: p, value: {}}]", "a companion step is made on the resource of the finding"},
		"on with items":         {"[{remove: 'A[]', on: p}]", "a fix step with on has a path without []"},
		"delete of a property":  {"[{delete: Tags}]", "it takes resource: to remove a property, write remove: Tags"},
		"tags of somewhere":     {"[{tags: Tags}]", "it takes policy"},
		"tags with a value":     {"[{tags: policy, value: x}]", "a tags step has no value"},
		"two values":            {"[{set: A, value: x, policy: y}]", "a set step has 2 of value, cel and policy"},
		"policy, cel and items": {"[{set: 'A[].B', policy: y, cel: item}]", "item stands for the policy's value"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := ReadRule("r.yaml", []byte(base+"fix: "+row.fix+"\n")); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want %s", err, row.want)
			}
		})
	}
	s := open(t, nil, ruleText("r", "[AWS::S3::Bucket]", "pass: 'false'\nfix: [{remove: A, on: nobody}]\n"))
	if err := s.Check(); err == nil || !strings.Contains(err.Error(), `on is "nobody", and there is no relation of this name`) {
		t.Errorf("got %v", err)
	}
}

// TestFixStatusOfTags: a fix is complete where the policy gives each tag that it
// asks of the type.
func TestFixStatusOfTags(t *testing.T) {
	r := &Rule{Fix: []FixStep{{Do: "tags"}}}
	for _, row := range []struct {
		name string
		tags []RequiredTag
		typ  string
		want string
	}{
		{"a default", []RequiredTag{{Key: "a", Default: "x"}}, "AWS::S3::Bucket", finding.FixAvailable},
		{"one value", []RequiredTag{{Key: "a", Values: []string{"x"}}}, "AWS::S3::Bucket", finding.FixAvailable},
		{"two values", []RequiredTag{{Key: "a", Values: []string{"x", "y"}}}, "AWS::S3::Bucket", finding.FixNeedsValue},
		{"not asked of the type", []RequiredTag{{Key: "a", Only: []string{"AWS::RDS::*"}}}, "AWS::S3::Bucket", finding.FixAvailable},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := r.FixStatus(&Policy{RequiredTags: row.tags}, "", row.typ); got != row.want {
				t.Errorf("%s, want %s", got, row.want)
			}
		})
	}
	for text, want := range map[string]string{
		"requiredTags: [{key: a, values: [x], default: y}]":    `requiredTags[0].default "y" is not among values, which are x`,
		"requiredTags: [{key: a, pattern: '^x$', default: y}]": `does not match pattern ^x$`,
	} {
		if _, err := ReadPolicy("p.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
