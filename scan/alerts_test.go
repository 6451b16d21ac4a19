package scan_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/finding"
	"plumbline/scan"
)

func TestAlerts(t *testing.T) {
	var got scan.Alerts
	for _, v := range []struct {
		severity finding.Severity
		typ      string
	}{
		{finding.Critical, "AWS::S3::Bucket"}, {finding.High, "AWS::S3::Bucket"}, {finding.High, "AWS::EC2::SecurityGroup"},
		{finding.High, "AWS::S3::Bucket"}, {finding.Medium, ""}, {"unheard of", "AWS::SQS::Queue"},
	} {
		got.Add(v.severity, v.typ)
	}
	want := scan.Alerts{Critical: 1, High: 3, Medium: 1, Low: 1, Others: 5, Types: map[finding.Severity][]string{
		finding.Critical: {"AWS::S3::Bucket"}, finding.High: {"AWS::EC2::SecurityGroup", "AWS::S3::Bucket"}, finding.Low: {"AWS::SQS::Queue"},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for s, n := range map[finding.Severity]int{finding.Critical: 1, finding.High: 3, finding.Medium: 1, finding.Low: 1, "": 0} {
		if got.Of(s) != n {
			t.Errorf("Of(%q) = %d, want %d", s, got.Of(s), n)
		}
	}
}
