package ruleset

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"plumbline/cfn"
	"plumbline/finding"
)

// BenchmarkJudge judges a template of 1,000 resources by rules of the usual
// kinds; the figure is per verdict.
func BenchmarkJudge(b *testing.B) {
	s := open(b, nil,
		ruleText("a", "[AWS::S3::Bucket]", "pass: resource.VersioningConfiguration.Status == 'Enabled'\n"),
		ruleText("b", "[AWS::S3::Bucket]", "pass: resource.PublicAccessBlockConfiguration.BlockPublicAcls && resource.PublicAccessBlockConfiguration.IgnorePublicAcls\n"),
		ruleText("c", "[AWS::S3::Bucket]", "when: has(resource.BucketEncryption)\npass: resource.BucketEncryption.ServerSideEncryptionConfiguration.exists(c, c.ServerSideEncryptionByDefault.SSEAlgorithm in ['aws:kms', 'aws:kms:dsse'])\n"),
		ruleText("d", "[AWS::S3::Bucket]", tlsOnly),
		ruleText("e", "taggable", "pass: \"'owner' in tags(resource)\"\n"),
	)
	var t strings.Builder
	t.WriteString("Resources:\n")
	for i := range 500 {
		fmt.Fprintf(&t, `
  B%d: {Type: AWS::S3::Bucket, Properties: {VersioningConfiguration: {Status: Enabled}, PublicAccessBlockConfiguration: {BlockPublicAcls: true, IgnorePublicAcls: true}, Tags: [{Key: owner, Value: me}], BucketEncryption: {ServerSideEncryptionConfiguration: [{ServerSideEncryptionByDefault: {SSEAlgorithm: "aws:kms"}}]}}}
  P%d: {Type: AWS::S3::BucketPolicy, Properties: {Bucket: !Ref B%d, `+refusing+`}}`, i, i, i)
	}
	t.WriteString("\n")
	m := models(b, cfn.Inputs{}, t.String())
	none := func(string) bool { return false }
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		_, counts, err := s.Judge(context.Background(), finding.Network, m, none)
		if err != nil {
			b.Fatal(err)
		}
		n += counts["pass"]
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/verdict")
}

// BenchmarkCompile compiles one rule of the usual size anew.
func BenchmarkCompile(b *testing.B) {
	r, err := ReadRule("x.yaml", []byte(ruleText("tls", "[AWS::S3::Bucket]", tlsOnly)))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.compile("AWS::S3::Bucket"); err != nil {
			b.Fatal(err)
		}
	}
}
