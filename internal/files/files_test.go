package files_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/blob"
	"plumbline/blob/blobtest"
	"plumbline/internal/files"
)

func open(t *testing.T) *files.Store {
	t.Helper()
	s, err := files.Open(filepath.Join(t.TempDir(), "bucket"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestConformance(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) blob.Store { return open(t) })
}

func TestADamagedFileIsNotTheObject(t *testing.T) {
	s := open(t)
	ref, err := s.Put(t.Context(), "reports/a/report.html", blob.Raw("<p>clean</p>"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.Path(ref.Key), []byte("<p>cleen</p>"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := blob.Get[blob.Raw](t.Context(), s, ref); !errors.Is(err, blob.ErrChanged) {
		t.Errorf("error = %v, want ErrChanged", err)
	}
}

func TestNothingHalfWrittenStays(t *testing.T) {
	s := open(t)
	if _, err := s.Put(t.Context(), "a/taken/x", blob.Raw("1")); err != nil {
		t.Fatal(err)
	}
	// A folder stands where the file should be: the rename fails after the write.
	if _, err := s.Put(t.Context(), "a/taken", blob.Raw("2")); err == nil {
		t.Fatal("a folder was replaced by a file")
	}
	entries, err := os.ReadDir(s.Path("a"))
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 || entries[0].Name() != "taken" {
		t.Errorf("left behind: %v", entries)
	}
	if _, err := blob.Get[blob.Raw](t.Context(), s, blob.Ref{Key: "a/taken"}); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("a folder reads as an object: %v", err)
	}
}

func TestKeys(t *testing.T) {
	s := open(t)
	for _, key := range []string{"scans/2", "scans/1", "scans/old/0", "reports/x"} {
		if _, err := s.Put(t.Context(), key, blob.Raw("x")); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(s.Path("scans")+"/.writing-1", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	list := func(ctx context.Context, folder string) (keys []string, failed error) {
		for k, err := range s.Keys(ctx, folder) {
			if err != nil {
				return keys, err
			}
			keys = append(keys, k)
		}
		return keys, nil
	}
	got, err := list(t.Context(), "scans")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"scans/1", "scans/2", "scans/old/0"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got, err := list(t.Context(), "nothing"); err != nil || got != nil {
		t.Errorf("a folder that does not exist: %v, %v", got, err)
	}
	if _, err := list(t.Context(), "../x"); err == nil {
		t.Error("a folder outside the store is listed")
	}
	dead, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := list(dead, "scans"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	for range s.Keys(t.Context(), "scans") {
		break // a reader may stop early
	}
}

func TestOpenSaysWhatStandsInTheWay(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, root := range []string{file, filepath.Join(file, "below")} {
		if _, err := files.Open(root); err == nil || !strings.Contains(err.Error(), "a file stands where a folder should be") {
			t.Errorf("%s: %v", root, err)
		}
	}
	if os.Geteuid() == 0 {
		t.Skip("root may write anywhere")
	}
	closed := t.TempDir()
	if err := os.Chmod(closed, 0o500); err != nil {
		t.Fatal(err)
	}
	if _, err := files.Open(closed); err == nil || !strings.Contains(err.Error(), "may be written") {
		t.Errorf("a read-only folder: %v", err)
	}
}

func TestACancelledPutWritesNothing(t *testing.T) {
	s := open(t)
	dead, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Put(dead, "a", blob.Raw("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("Put: %v", err)
	}
	if err := s.Get(dead, blob.Ref{Key: "a"}, new(blob.Raw)); !errors.Is(err, context.Canceled) {
		t.Errorf("Get: %v", err)
	}
	if err := s.Get(t.Context(), blob.Ref{Key: "../a"}, new(blob.Raw)); err == nil {
		t.Error("a key outside the store is read")
	}
	if _, err := blob.Get[blob.Raw](t.Context(), s, blob.Ref{Key: "a"}); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("it was written: %v", err)
	}
}
