package remedy_test

import (
	"strings"
	"testing"
)

// A companion refers to its subject, so that it is made where that is, and
// there is one only.
func TestCompanion(t *testing.T) {
	const head = "Parameters:\n  E: {Type: String}\nConditions:\n  C: !Equals [!Ref E, prod]\nResources:\n"
	unmet := strings.Replace(head, "{Type: String}", "{Type: String, Default: dev}", 1)
	const policy = "    PolicyDocument: {Statement: [{Effect: Allow, Principal: {AWS: \"123456789012\"}, Action: s3:GetObject, Resource: !Sub \"${B.Arn}/*\"}]}\n"
	for _, row := range []struct{ name, src, added, left string }{
		{"no condition", head + "  B: {Type: AWS::S3::Bucket}\n",
			"  BBucketPolicy:\n    Type: AWS::S3::BucketPolicy\n    Properties:\n", ""},
		{"its subject's condition", head + "  B: {Type: AWS::S3::Bucket, Condition: C}\n",
			"  BBucketPolicy:\n    Type: AWS::S3::BucketPolicy\n    Condition: C\n    Properties:\n", ""},
		{"one there under a condition", unmet + "  B: {Type: AWS::S3::Bucket}\n  P:\n   Type: AWS::S3::BucketPolicy\n   Condition: C\n   Properties:\n    Bucket: !Ref B\n" + policy,
			"", "P (AWS::S3::BucketPolicy) is there for B under condition C"},
		{"one there under a condition, by name", unmet + "  B: {Type: AWS::S3::Bucket, Properties: {BucketName: cards}}\n  P:\n   Type: AWS::S3::BucketPolicy\n   Condition: C\n   Properties:\n    Bucket: cards\n" + policy,
			"", "P (AWS::S3::BucketPolicy) is there for B under condition C"},
		{"another's under a condition", unmet + "  B: {Type: AWS::S3::Bucket}\n  P:\n   Type: AWS::S3::BucketPolicy\n   Condition: C\n   Properties:\n    Bucket: other\n    PolicyDocument: {Statement: []}\n",
			"  BBucketPolicy:\n    Type: AWS::S3::BucketPolicy\n    Properties:\n", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := patch(t, row.src, "s3-bucket-tls-only")
			if row.added == "" {
				if len(p.Left) != 1 || !strings.Contains(p.Left[0].Reason, row.left) || string(p.After) != row.src {
					t.Errorf("left is %v, want one with %q; the source after:\n%s", p.Left, row.left, p.After)
				}
				return
			}
			if !strings.Contains(string(p.After), row.added) {
				t.Errorf("the source after lacks %q; left is %v:\n%s", row.added, p.Left, p.After)
			}
		})
	}
}
