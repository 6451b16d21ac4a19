package evaluate_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/cfn"
	"plumbline/finding"
	"plumbline/scan"
	"plumbline/tasks/evaluate"
)

// stack is a snapshot of one bucket whose template and live model are given.
func stack(live scan.LiveResource) *scan.Snapshot {
	live.LogicalID, live.Type, live.Physical = "Cards", "AWS::S3::Bucket", "cards-1"
	return &scan.Snapshot{
		Target: scan.Target{Stack: "P", Account: "111122223333", Region: "eu-west-1"},
		Source: []byte(`{"Resources":{"Cards":{"Type":"AWS::S3::Bucket","Properties":{"VersioningConfiguration":{"Status":"Enabled"}}}}}`),
		Live:   &scan.Live{Resources: []scan.LiveResource{live}},
	}
}

// TestTwoSidesOneVerdict holds what becomes of a template's verdict and that of
// the deployed resource.
func TestTwoSidesOneVerdict(t *testing.T) {
	for _, tc := range []struct {
		template, live, want finding.Verdict
		asDeployed           bool
	}{
		{finding.Pass, finding.Pass, finding.Pass, false},
		{finding.Pass, finding.Fail, finding.Fail, true},
		{finding.Pass, finding.Error, finding.Error, true},
		{finding.Pass, finding.Unknown, finding.Unknown, true},
		{finding.Fail, finding.Pass, finding.Fail, false},
		{finding.Fail, finding.Error, finding.Fail, false},
		{finding.Unknown, finding.Pass, finding.Pass, false},
		{finding.Unknown, finding.Fail, finding.Fail, true},
		{finding.Unknown, finding.Error, finding.Error, true},
		{finding.Unknown, finding.Unknown, finding.Unknown, false},
		{finding.Error, finding.Pass, finding.Error, false},
		{finding.Error, finding.Fail, finding.Fail, true},
		{finding.Skip, finding.Fail, finding.Fail, true},
		{finding.Skip, finding.Skip, finding.Skip, false},
	} {
		t.Run(string(tc.template)+" and "+string(tc.live), func(t *testing.T) {
			r := rules(func(_ finding.Domain, models []*cfn.Model, _ func(string) bool) ([]finding.Finding, finding.Counts, error) {
				v := tc.template
				if models[0].Template == nil {
					v = tc.live
				}
				return []finding.Finding{{Rule: "r", Verdict: v, Resource: finding.Resource{LogicalID: "Cards"}, Message: "m"}}, nil, nil
			})
			v, err := run(t, r, evaluate.Config{Domain: finding.Network, Keep: func(string) bool { return true }}, stack(scan.LiveResource{Model: json.RawMessage(`{}`)}))
			if err != nil {
				t.Fatal(err)
			}
			var got []finding.Finding
			for _, f := range v.Findings {
				if f.Rule == "r" {
					got = append(got, f)
				}
			}
			if len(got) != 1 || got[0].Verdict != tc.want || (got[0].Message == "as deployed: m") != tc.asDeployed {
				t.Errorf("got %+v", got)
			}
			if v.Counts[string(tc.want)] != 1 {
				t.Errorf("counts = %v", v.Counts)
			}
		})
	}
}

func TestDeployedAs(t *testing.T) {
	none := rules(func(finding.Domain, []*cfn.Model, func(string) bool) ([]finding.Finding, finding.Counts, error) {
		return nil, nil, nil
	})
	for _, tc := range []struct {
		name string
		live scan.LiveResource
		want []string
	}{
		{"as the template has it", scan.LiveResource{Model: json.RawMessage(`{"VersioningConfiguration":{"Status":"Enabled"}}`)}, nil},
		{"changed", scan.LiveResource{Model: json.RawMessage(`{"VersioningConfiguration":{"Status":"Suspended"}}`)},
			[]string{"live-matches-template fail VersioningConfiguration.Status is Suspended, and the template has Enabled"}},
		{"deleted", scan.LiveResource{Gone: true}, []string{"live-matches-template fail cards-1 was deleted, not by CloudFormation"}},
		{"denied", scan.LiveResource{Denied: "permission s3:GetBucketTagging is missing"}, []string{"live-readable error permission s3:GetBucketTagging is missing"}},
		{"no way to read it", scan.LiveResource{Unreadable: "there is no handler"}, []string{"live-readable unknown there is no handler. the template alone is judged"}},
		{"no model at all", scan.LiveResource{Model: json.RawMessage(`[]`)}, []string{`live-readable unknown read the live model of AWS::S3::Bucket "Cards": it is a list; Cloud Control gives an object of properties. the template alone is judged`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v, err := run(t, none, evaluate.Config{Domain: finding.Configuration}, stack(tc.live))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range v.Findings {
				if f.Rule == "unmet" {
					continue
				}
				got = append(got, f.Rule+" "+string(f.Verdict)+" "+f.Message)
				if f.Resource.Stack != "P" || f.Place.Line != 1 {
					t.Errorf("it is nowhere: %+v", f)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
