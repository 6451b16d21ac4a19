package local

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/asl/engine"
	"plumbline/blob"
	"plumbline/internal/files"
	"plumbline/remedy/change"
	"plumbline/scan"
	"plumbline/tasks"
	"plumbline/tasks/catalog"
)

// watched is a store that remembers below which prefixes one task reads and writes.
type watched struct {
	blob.Store
	mu          sync.Mutex
	read, wrote map[string]bool
}

func prefix(key string) string {
	first, _, _ := strings.Cut(key, "/")
	return first + "/"
}

func (w *watched) Get(ctx context.Context, r blob.Ref, v any) error {
	w.mu.Lock()
	w.read[prefix(r.Key)] = true
	w.mu.Unlock()
	return w.Store.Get(ctx, r, v)
}

func (w *watched) Put(ctx context.Context, key string, v any) (blob.Ref, error) {
	w.mu.Lock()
	w.wrote[prefix(key)] = true
	w.mu.Unlock()
	return w.Store.Put(ctx, key, v)
}

// TestTasksKeepToTheirPrefixes compares the catalogue, from which roles on AWS
// are made, with what the tasks read and write in a scan in which all goes well
// and in one that loses a target.
func TestTasksKeepToTheirPrefixes(t *testing.T) {
	seen := map[string]*watched{}
	for _, broken := range []map[string]tasks.Func{nil, {"${AssessArn}": failTask(catalog.ObjectLost)}} {
		o := Options{
			Templates: folder(t, map[string]string{"a.yaml": bad, "b.yaml": good}), Rules: open(t), Now: clock(), Workers: 1, ScanID: "s1",
			Reviews: func([]change.Request) {},
			Tasks:   broken, Data: t.TempDir(), Render: render, // with --data, so that reports are stored
		}
		r, err := newRunner(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		bucket, err := files.Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		r.objects = objects{bucket}
		for _, task := range catalog.Tasks {
			if seen[task.Name] == nil {
				seen[task.Name] = &watched{read: map[string]bool{}, wrote: map[string]bool{}}
			}
			seen[task.Name].Store = bucket
			r.backends.blobs = seen[task.Name]
			if f, ok := r.register()[task.Placeholder()]; ok {
				r.functions[task.Placeholder()] = f
			}
		}
		r.backends.blobs = bucket
		if _, err := r.scan(t.Context()); err != nil {
			t.Fatal(err)
		}
		input, err := r.input(nil)
		if err != nil {
			t.Fatal(err)
		}
		input = []byte(strings.Replace(string(input), "{", `{"always":true,`, 1))
		if res, err := r.run(t.Context(), r.machines["${SLAReportArn}"], input, 1); err != nil || res.Status != engine.Succeeded {
			t.Fatal(err, res)
		}
		if _, err := r.close(t.Context(), succeeded, nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, task := range catalog.Tasks {
		reads := slices.DeleteFunc(slices.Clone(task.Reads), func(p string) bool { return p == catalog.Bundles }) // read before the task begins
		got := [2][]string{slices.Sorted(maps.Keys(seen[task.Name].read)), slices.Sorted(maps.Keys(seen[task.Name].wrote))}
		want := [2][]string{slices.Sorted(slices.Values(reads)), slices.Sorted(slices.Values(task.Writes))}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: what the catalogue says that it reads and writes (-) and what it does (+):\n%s", task.Name, diff)
		}
		for action, prefixes := range map[string][]string{"s3:GetObject": task.Reads, "s3:PutObject": task.Writes} {
			if slices.Contains(task.Actions, action) != (len(prefixes) > 0) {
				t.Errorf("%s: the action %s and its prefixes %v do not go together", task.Name, action, prefixes)
			}
		}
	}
	for _, p := range []string{scan.WorkPrefix, scan.ReportsPrefix, scan.ScansPrefix, scan.FailuresPrefix, scan.SLAPrefix} {
		if !slices.ContainsFunc(catalog.Tasks, func(task catalog.Task) bool { return slices.Contains(task.Writes, p) }) {
			t.Errorf("no task writes below %s", p)
		}
	}
}
