package judge_test

import (
	"strings"
	"testing"

	"plumbline/infra/judge"
)

func TestTemplate(t *testing.T) {
	const open = `{"Resources": {"Cards": {"Type": "AWS::S3::Bucket", "Metadata": {"plumbline": {"suppress": [%s]}}}}}`
	for name, tc := range map[string]struct {
		suppress string
		errs     []string
		not      string
	}{
		"nothing is suppressed": {"", []string{"s3-bucket-versioning of Cards", "s3-bucket-lifecycle of Cards"}, ""},
		"one rule":              {`{"rule": "s3-bucket-versioning", "reason": "kept elsewhere"}`, []string{"s3-bucket-lifecycle of Cards"}, "s3-bucket-versioning"},
		"without a reason":      {`{"rule": "s3-bucket-versioning"}`, []string{"fail: s3-bucket-versioning of Cards", "has no reason"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := judge.Template(t.Context(), "t", []byte(strings.Replace(open, "%s", tc.suppress, 1)), "111122223333", "us-east-1")
			if err != nil {
				t.Fatal(err)
			}
			told := r.Err()
			for _, want := range tc.errs {
				if told == nil || !strings.Contains(told.Error(), want) {
					t.Errorf("error %v, want one that says %q", told, want)
				}
			}
			if tc.not != "" && strings.Contains(told.Error(), tc.not) {
				t.Errorf("error %v says %q", told, tc.not)
			}
		})
	}
	if _, err := judge.Template(t.Context(), "t", []byte("{"), "", ""); err == nil {
		t.Error("no template is judged")
	}
}
