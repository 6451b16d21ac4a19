package local

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/cfn/source"
	"plumbline/finding"
	"plumbline/internal/files"
	"plumbline/scan"
	"plumbline/tasks"
	"plumbline/tasks/catalog"
)

// content is the files of a data folder but for the database, and how many
// records are in that.
func content(t *testing.T, data string) (paths []string, records int) {
	t.Helper()
	err := filepath.WalkDir(data, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.HasPrefix(d.Name(), databaseFile) {
			rel, _ := filepath.Rel(data, path)
			paths = append(paths, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	h, err := ReadHistory(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	return paths, len(h.Open)
}

func TestAnInterruptedScanLeavesNothing(t *testing.T) {
	data := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	stop := func(context.Context, []byte) ([]byte, error) {
		cancel()
		return nil, ctx.Err()
	}
	_, err := Scan(ctx, Options{
		Templates: folder(t, map[string]string{"a.yaml": bad, "b.yaml": bad}), Rules: open(t), Data: data, Render: render, Workers: 1,
		Tasks: map[string]tasks.Func{"${SummarizeArn}": stop},
	})
	if err == nil {
		t.Fatal("no error")
	}
	if paths, records := content(t, data); len(paths) > 0 || records > 0 {
		t.Errorf("%d records and %q are left", records, paths)
	}
}

func TestOfAFailedScanOnlyTheReasonAndWhatRanIsKept(t *testing.T) {
	data := t.TempDir()
	_, err := Scan(t.Context(), Options{
		Templates: folder(t, map[string]string{"a.yaml": bad}), Rules: open(t), Data: data, Render: render,
		Tasks: map[string]tasks.Func{"${SummarizeArn}": failTask(catalog.RenderFailed)},
	})
	if err == nil {
		t.Fatal("no error")
	}
	paths, records := content(t, data)
	if len(paths) != 2 || !strings.HasPrefix(paths[0], filepath.Join(bucketFolder, "executions")) || !strings.HasPrefix(paths[1], filepath.Join(bucketFolder, "failures")) || records > 0 {
		t.Errorf("%d records and %q are left, want what ran and a failure", records, paths)
	}
}

func TestWhatADeadProcessLeft(t *testing.T) {
	for name, committed := range map[string]bool{"before its commit": false, "after its commit": true} {
		t.Run(name, func(t *testing.T) {
			data := t.TempDir()
			l, err := openLedger(t.Context(), data, "dead", nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := l.stage.Put(t.Context(), "scans/20260301T060000Z-dead.json", scan.Summary{ScanID: "dead"}); err != nil {
				t.Fatal(err)
			}
			if _, err := l.stage.Put(t.Context(), noticesFile, struct{}{}); err != nil {
				t.Fatal(err)
			}
			want := []string(nil)
			if committed {
				err, want = l.session.Commit(t.Context(), "dead"), []string{"dead"}
			} else {
				err = l.session.Rollback()
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := l.db.Close(); err != nil {
				t.Fatal(err)
			}
			ids := func() (out []string) {
				h, err := ReadHistory(t.Context(), data)
				if err != nil {
					t.Fatal(err)
				}
				for _, s := range h.Scans {
					out = append(out, s.ScanID)
				}
				return out
			}
			if diff := cmp.Diff(want, ids()); diff != "" {
				t.Errorf("before the next scan (-want +got)\n%s", diff)
			}
			mustScan(t, Options{Templates: folder(t, map[string]string{"a.yaml": good}), Data: data, ScanID: "next"})
			if diff := cmp.Diff(append(want, "next"), ids()); diff != "" {
				t.Errorf("after it (-want +got)\n%s", diff)
			}
			left, err := files.View(filepath.Join(data, bucketFolder)).Stages()
			if err != nil || len(left) > 0 {
				t.Errorf("stages %q, %v are left", left, err)
			}
			if _, err := os.Stat(filepath.Join(data, noticesFile)); (err == nil) != committed {
				t.Errorf("messages: %v", err)
			}
		})
	}
}

func TestTwoScansOfOneFolder(t *testing.T) {
	data, templates := t.TempDir(), folder(t, map[string]string{"a.yaml": bad})
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if _, err := Scan(t.Context(), Options{Templates: templates, Rules: open(t), Data: data, Render: render}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	h, _, _, _, open := history(t, data)
	if len(h.Scans) != 3 || len(open) != 2 {
		t.Errorf("%d scans left %q open", len(h.Scans), open)
	}
}

func TestAWaitingScanCanBeInterrupted(t *testing.T) {
	data := t.TempDir()
	first, err := openLedger(t.Context(), data, "first", nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err = openLedger(ctx, data, "second", cancel)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v", err)
	}
	if err := first.close(succeeded); err != nil {
		t.Error(err)
	}
}

func TestADiskThatIsFull(t *testing.T) {
	data := t.TempDir()
	o := Options{
		Templates: folder(t, map[string]string{"a.yaml": bad}), Rules: open(t), Data: data, Render: render,
		Notice: func(scan.Notice) {},
	}
	r, err := newRunner(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	r.backends.ledger.broken(syscall.ENOSPC)
	rep, err := r.scan(t.Context())
	if err != nil || len(rep.Assessments[0].Findings) != 2 || len(rep.Assessments[0].Failures) != 0 {
		t.Errorf("the result is lost: %+v, %v", rep, err)
	}
	if _, err := r.close(t.Context(), succeeded, nil); err == nil || !strings.Contains(err.Error(), "--data: no space left") {
		t.Errorf("error = %v", err)
	}
	if paths, records := content(t, data); len(paths) > 0 || records > 0 {
		t.Errorf("%d records and %q are left", records, paths)
	}
}

func TestHowAPathIsTypedDoesNotMatter(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, ".plumbline")
	sub := filepath.Join(dir, "sub")
	if err := os.Mkdir(sub, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(sub, "a.yaml")
	if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(sub, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	seen, now := map[string]bool{}, clock()
	for _, typed := range []string{"sub/a.yaml", "./sub/a.yaml", "sub//a.yaml", "sub/../sub/a.yaml", path, "link/a.yaml"} {
		rep := mustScan(t, Options{Templates: []source.Template{{Path: typed}}, Data: data, Now: now})
		for _, f := range rep.Assessments[0].Findings {
			seen[f.Fingerprint()] = true
			if f.Place.Path != typed {
				t.Errorf("the report says %q, and %q was typed", f.Place.Path, typed)
			}
		}
	}
	t.Chdir(sub)
	mustScan(t, Options{Templates: []source.Template{{Path: "a.yaml"}}, Data: data, Now: now})
	h, fresh, _, _, open := history(t, data)
	if len(seen) != 2 || len(open) != 2 || len(fresh) != 0 || len(h.Scans) != 7 {
		t.Errorf("%d fingerprints; open %q, new %q after %d scans", len(seen), open, fresh, len(h.Scans))
	}
	if got := h.Open[0].Where(); got != "sub/a.yaml" {
		t.Errorf("it is named %q", got)
	}
}

func TestATemplateThatIsGone(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, path := range []string{"in/a.yaml", "in/b.yaml", "out/c.yaml"} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all := []source.Template{{Path: "in/a.yaml"}, {Path: "in/b.yaml", Stack: "B"}, {Path: "out/c.yaml"}}
	now := clock()
	mustScan(t, Options{Templates: all, Data: "data", Paths: []string{"in", "out"}, Now: now})
	for _, path := range []string{"in/b.yaml", "out/c.yaml"} {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	// in/a.yaml is there, though this scan does not look at it; out was not asked for.
	rep := mustScan(t, Options{Templates: []source.Template{{Path: "in/x.yaml", Source: []byte(good)}}, Data: "data", Paths: []string{"./in"}, Now: now})
	_, _, _, resolved, _ := history(t, "data")
	if diff := cmp.Diff([]string{"s3-versioned Cards", "sqs-encrypted Jobs"}, resolved); diff != "" {
		t.Errorf("resolved (-want +got)\n%s", diff)
	}
	var gone []string
	for _, a := range rep.Assessments {
		if a.Gone {
			gone = append(gone, a.Target.Path+" "+a.Target.Stack)
		}
	}
	if diff := cmp.Diff([]string{"in/b.yaml B"}, gone); diff != "" {
		t.Errorf("gone (-want +got)\n%s", diff)
	}
	h, err := ReadHistory(t.Context(), "data")
	if err != nil {
		t.Fatal(err)
	}
	open := map[string]int{}
	for _, r := range h.Open {
		open[r.Where()]++
	}
	if diff := cmp.Diff(map[string]int{"in/a.yaml": 2, "out/c.yaml": 2}, open); diff != "" {
		t.Errorf("open (-want +got)\n%s", diff)
	}
	for _, r := range h.Resolved {
		if r.State != finding.Resolved || r.ExpiresAt.IsZero() {
			t.Errorf("%+v", r)
		}
	}
}

func TestAHistoryIsReadWithoutWriting(t *testing.T) {
	data := t.TempDir()
	mustScan(t, Options{Templates: folder(t, map[string]string{"a.yaml": bad}), Data: data})
	before, records := content(t, data)
	if records != 2 {
		t.Errorf("%d records", records)
	}
	entries, err := os.ReadDir(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != databaseFile && e.Name() != bucketFolder && e.Name() != noticesFile {
			t.Errorf("%s is left beside the database", e.Name())
		}
	}
	if after, _ := content(t, data); len(after) != len(before) {
		t.Errorf("%q became %q", before, after)
	}
}
