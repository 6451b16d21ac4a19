package ruleset

import (
	"context"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func TestMutate(t *testing.T) {
	const rule = `id: s3-bucket-kept
title: Bucket keeps old object versions under a name
severity: low
domain: protection
types: [AWS::S3::Bucket]
pass: resource.VersioningConfiguration.Status == "Enabled" && resource.BucketName != "scratch"
remediation: Turn versioning on.
`
	const on = "- {name: on, properties: {VersioningConfiguration: {Status: Enabled}}, want: pass}\n"
	const off = "- {name: absent, properties: {}, want: fail}\n"
	const name = "- {name: a name, properties: {BucketName: scratch, VersioningConfiguration: {Status: Enabled}}, want: fail}\n"
	for _, tt := range []struct {
		name, cases string
		want        []Mutant
	}{
		{"a clause that no case needs", on + off, []Mutant{
			{"s3-bucket-kept", "pass", `(resource.BucketName != "scratch")`, changeTrue},
		}},
		{"every clause is needed", on + off + name, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Mutate(context.Background(), nil, fstest.MapFS{
				"s3/bucket-kept.yaml":      {Data: []byte(rule)},
				"s3/bucket-kept_test.yaml": {Data: []byte(tt.cases)},
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&MutationReport{Rules: 1, Mutants: 9, Survivors: tt.want}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
