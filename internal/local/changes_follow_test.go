package local

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"plumbline/cfn/source"
	"plumbline/finding"
	"plumbline/internal/files"
	"plumbline/remedy/change"
	"plumbline/scan"
)

// TestALiveChangeIsFollowedByTheTemplateOrOpenedAgain: from the scan that finds
// the violation, through its review and change, to the scans after it, by the
// data folder alone and over weeks.
func TestALiveChangeIsFollowedByTheTemplateOrOpenedAgain(t *testing.T) {
	const wrong = "Resources:\n  Jobs:\n    Type: AWS::SQS::Queue\n    Properties:\n      SqsManagedSseEnabled: false\n"
	right := strings.ReplaceAll(wrong, "false", "true")
	for name, follows := range map[string]bool{"it follows": true, "it does not": false} {
		t.Run(name, func(t *testing.T) {
			ctx, data, folder := t.Context(), t.TempDir(), t.TempDir()
			set, err := openRules()
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(folder, "jobs.json")
			if err := os.WriteFile(file, []byte(`{"type":"AWS::SQS::Queue","identifier":"jobs","logicalId":"Jobs","stack":"Shop","model":{"SqsManagedSseEnabled":false}}`), 0o600); err != nil {
				t.Fatal(err)
			}
			resources, err := files.OpenLive(folder)
			if err != nil {
				t.Fatal(err)
			}
			live := Folder{Live: resources}
			now := begin
			var told []scan.Notice
			// look scans the template at a day, and gives the row of the violation.
			look := func(day int, template string) (wanted []change.Request, row finding.Record) {
				t.Helper()
				now, told = begin.AddDate(0, 0, day), nil
				o := Options{
					Templates: []source.Template{{Path: "shop.yaml", Source: []byte(template)}}, Rules: set, Data: data, Workers: 1, Now: func() time.Time { return now },
					Render: render, Reviews: func(r []change.Request) { wanted = append(wanted, r...) }, Locate: live, Notice: func(n scan.Notice) { told = append(told, n) },
				}
				if _, err := Scan(ctx, o); err != nil {
					t.Fatal(err)
				}
				for r, err := range (keptFindings{data}).OfStack(ctx, newNames(data).of("shop.yaml")) {
					if err != nil {
						t.Fatal(err)
					}
					if r.Rule == "sqs-queue-encrypted" {
						row = r
					}
				}
				return wanted, row
			}
			wanted, row := look(0, wrong)
			if len(wanted) != 1 || row.State != finding.New {
				t.Fatalf("the first scan wants %+v, its row is %s", wanted, row.State)
			}
			d, err := OpenChangesData(ctx, data, true)
			if err != nil {
				t.Fatal(err)
			}
			changes := d.Changes(set, live, nil)
			changes.Now = func() time.Time { return now }
			if end, err := changes.Review(ctx, wanted[0], nil); err != nil || end.State != "ChangeDone" {
				t.Fatalf("%+v %v", end, err)
			}
			if end, err := changes.Review(ctx, wanted[0], nil); err != nil || end.State != "RightDone" {
				t.Errorf("reviewed again: %+v %v", end, err)
			}
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
			for _, day := range []int{1, 13, 14} {
				wanted, row = look(day, wrong)
				if row.State != finding.InRemediation || len(wanted) != 0 {
					t.Errorf("day %d: it is %s, and %d reviews are wanted", day, row.State, len(wanted))
				}
			}
			if follows {
				if _, row = look(15, right); row.State != finding.Resolved {
					t.Errorf("the template follows, and it is %s", row.State)
				}
				return
			}
			_, row = look(15, wrong)
			if row.State != finding.Reopened || !strings.Contains(row.Message, "the template was to follow until "+begin.AddDate(0, 0, 14).Format(time.DateOnly)) {
				t.Errorf("the template does not follow, and it is %s: %s", row.State, row.Message)
			}
			said := false
			for _, n := range told {
				said = said || strings.Contains(n.Body, "the template was to follow until")
			}
			if !said {
				t.Errorf("nobody was told why it is open again: %+v", told)
			}
		})
	}
}
