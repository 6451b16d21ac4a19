package local

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/finding"
	"plumbline/internal/files"
	"plumbline/scan"
	"plumbline/tasks"
	"plumbline/tasks/catalog"
)

// TestAStoreOfBytesComesToTheSame runs the tasks over objects that are encoded
// and read back between any two of them, as they are on AWS, where no function
// shares another's memory.
func TestAStoreOfBytesComesToTheSame(t *testing.T) {
	list := folder(t, map[string]string{"a.yaml": bad, "b.yaml": good, "c.yaml": "Resources: [", "d.yaml": bad})
	for _, tc := range []struct {
		name  string
		tasks map[string]tasks.Func
	}{
		{"all domains", nil},
		{"one domain down", map[string]tasks.Func{"${EvaluateProtectionArn}": failTask(catalog.RulesBroken)}},
		{"no assessment", map[string]tasks.Func{"${AssessArn}": failTask(catalog.ObjectLost)}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := func() Options {
				return Options{Templates: list, Rules: open(t), Now: clock(), Workers: 1, ScanID: "s1", Tasks: tc.tasks, Keep: func(string) bool { return true }}
			}
			want := mustScan(t, o())

			bucket, err := files.Open(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			r, err := newRunner(t.Context(), o())
			if err != nil {
				t.Fatal(err)
			}
			r.backends.blobs, r.objects = bucket, objects{bucket}
			r.functions = r.register()
			got, err := r.scan(t.Context())
			if _, err := r.close(t.Context(), succeeded, err); err != nil {
				t.Fatal(err)
			}
			if n := r.backends.memory.Len(); n != 0 {
				t.Errorf("%d objects are in memory all the same", n)
			}
			if diff := cmp.Diff(encoded(t, want), encoded(t, got)); diff != "" {
				t.Errorf("in memory (-) and as bytes (+):\n%s", diff)
			}
			if tc.tasks == nil && got.Counts[string(finding.Fail)] != 4 {
				t.Errorf("counts: %v", got.Counts)
			}
		})
	}
}

// encoded is a report as its JSON reads.
func encoded(t *testing.T, r *scan.Report) any {
	t.Helper()
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}
