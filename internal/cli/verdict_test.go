package cli

import (
	"context"
	"errors"
	"io"
	"testing"

	"plumbline/cfn/source"
	"plumbline/internal/local"
	"plumbline/internal/report"
	"plumbline/rules"
	"plumbline/ruleset"
	"plumbline/tasks"
	"plumbline/tasks/catalog"
)

// TestADomainThatIsDown: no flag or file of the command line takes a domain
// down, so the scan is made here, and only its end is the command's.
func TestADomainThatIsDown(t *testing.T) {
	set, err := ruleset.Open(rules.FS, nil)
	if err != nil {
		t.Fatal(err)
	}
	down := map[string]tasks.Func{"${EvaluateNetworkArn}": tasks.Of(func(context.Context, any) (any, error) {
		return nil, tasks.Named(catalog.RulesBroken, errors.New("so the test wants it"))
	})}
	const bucket = "Resources:\n  Cards:\n    Type: AWS::S3::Bucket\n"
	for _, tc := range []struct {
		name     string
		tasks    map[string]tasks.Func
		template string
		exitZero bool
		want     error
	}{
		{"all domains, findings", nil, bucket, false, exit(ExitFindings)},
		{"all domains, findings, --exit-zero", nil, bucket, true, nil},
		{"one domain down", down, bucket, false, exit(ExitUnjudged)},
		{"one domain down, --exit-zero", down, bucket, true, exit(ExitUnjudged)},
		{"one domain down, the others find nothing", down, "Resources:\n  Wait:\n    Type: AWS::CloudFormation::WaitConditionHandle\n", false, exit(ExitUnjudged)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, err := local.Scan(t.Context(), local.Options{
				Templates: []source.Template{{Path: "t.yaml", Source: []byte(tc.template)}}, Rules: set, Tasks: tc.tasks,
			})
			if err != nil {
				t.Fatal(err)
			}
			f := &scanFlags{exitZero: tc.exitZero, failOn: "low"}
			got := f.verdict(&Streams{Err: io.Discard}, &report.Document{Report: r, Show: report.DefaultShow()})
			if !errors.Is(got, tc.want) {
				t.Errorf("exit %v, want %v", got, tc.want)
			}
			if tc.tasks != nil && len(r.Assessments[0].Partial) != 1 {
				t.Errorf("partial: %v", r.Assessments[0].Partial)
			}
		})
	}
}
