package report_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/finding"
	"plumbline/internal/report"
)

func TestASFF(t *testing.T) {
	seen := time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)
	row := func(state finding.State) finding.Record {
		return finding.Record{
			Finding: finding.Finding{Rule: "s3-bucket-versioning", Severity: finding.High, Message: strings.Repeat("\u00fc\x1b", 2000), Owner: "cards",
				Resource: finding.Resource{Account: "111122223333", Stack: "Vault", LogicalID: "Cards", Type: "AWS::S3::Bucket"}},
			State: state, FirstSeen: seen, LastSeen: seen.Add(time.Hour), Due: seen.AddDate(0, 0, 30),
		}
	}
	o := report.ASFFOptions{Region: "us-gov-west-1", Rule: func(id string) *report.Rule {
		return &report.Rule{Title: "Buckets keep versions", Remediation: "turn it on", Controls: []report.Control{{Framework: "pci-dss-4.0.1", ID: "10.3.3"}}}
	}}
	want := map[finding.State][3]string{
		finding.New: {"FAILED", "NEW", "ACTIVE"}, finding.Reopened: {"FAILED", "NEW", "ACTIVE"}, finding.Acknowledged: {"FAILED", "NOTIFIED", "ACTIVE"},
		finding.InRemediation: {"FAILED", "NOTIFIED", "ACTIVE"}, finding.Suppressed: {"FAILED", "SUPPRESSED", "ACTIVE"}, finding.Resolved: {"PASSED", "RESOLVED", "ARCHIVED"},
	}
	for state, w := range want {
		var out bytes.Buffer
		if err := report.ASFF(&out, []finding.Record{row(state)}, o); err != nil {
			t.Fatal(err)
		}
		var doc struct {
			Findings []struct {
				SchemaVersion, ID, ProductArn, AwsAccountID, Title, Description, RecordState, CreatedAt string

				Severity   struct{ Label string }
				Compliance struct {
					Status              string
					RelatedRequirements []string
				}
				Workflow struct{ Status string }
			}
		}
		if err := json.Unmarshal(out.Bytes(), &doc); err != nil || len(doc.Findings) != 1 {
			t.Fatal(err)
		}
		f := doc.Findings[0]
		if diff := cmp.Diff(w, [3]string{f.Compliance.Status, f.Workflow.Status, f.RecordState}); diff != "" {
			t.Errorf("%s (-want +got)\n%s", state, diff)
		}
		if f.SchemaVersion != "2018-10-08" || f.ProductArn != "arn:aws-us-gov:securityhub:us-gov-west-1:111122223333:product/111122223333/default" || f.Severity.Label != "HIGH" ||
			f.Title != "Buckets keep versions" || len([]rune(f.Description)) != 1024 || strings.Contains(f.Description, "\x1b") || f.CreatedAt != "2026-03-01T06:00:00.000Z" ||
			len(f.Compliance.RelatedRequirements) != 1 || !strings.HasSuffix(f.ID, "/20260301T060000.000000000Z") {
			t.Errorf("%+v", f)
		}
	}
	o.Region = ""
	if err := report.ASFF(new(bytes.Buffer), []finding.Record{row(finding.New)}, o); err == nil || !strings.Contains(err.Error(), "--region") {
		t.Errorf("without a region: %v", err)
	}
}
