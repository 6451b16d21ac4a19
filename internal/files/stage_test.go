package files

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/blob"
)

func TestAStageIsPublishedWholeOrNotAtAll(t *testing.T) {
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	keys := func() (out []string) {
		for _, folder := range []string{"scans", "reports"} {
			for k, err := range s.Keys(t.Context(), folder) {
				if err != nil {
					t.Fatal(err)
				}
				out = append(out, k)
			}
		}
		return out
	}
	for _, step := range []struct {
		stage   string
		publish bool
		want    []string
	}{
		{"a", true, []string{"scans/a.json", "reports/a/1/page", "reports/all/page"}},
		{"b", false, []string{"scans/a.json", "reports/a/1/page", "reports/all/page"}},
		{"c", true, []string{"scans/a.json", "scans/c.json", "reports/a/1/page", "reports/all/page", "reports/c/1/page"}},
	} {
		g := s.Stage(step.stage)
		for _, key := range []string{"scans/" + step.stage + ".json", "reports/" + step.stage + "/1/page", "reports/all/page"} {
			_, err := g.PutStream(t.Context(), key, func(w io.Writer) error {
				_, err := io.WriteString(w, step.stage)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if names, err := s.Stages(); err != nil || len(names) != 1 || names[0] != step.stage {
			t.Errorf("stages %q, %v", names, err)
		}
		end := g.Discard
		if step.publish {
			end = g.Publish
		}
		if err := end(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(step.want, keys()); diff != "" {
			t.Errorf("after stage %s (-want +got)\n%s", step.stage, diff)
		}
	}
	if got, err := blob.Get[blob.Raw](t.Context(), s, blob.Ref{Key: "reports/all/page"}); err != nil || string(*got) != "c" {
		t.Errorf("the later one does not replace the earlier: %v, %v", got, err)
	}
	if names, err := s.Stages(); err != nil || len(names) > 0 {
		t.Errorf("stages %q, %v are left", names, err)
	}
}

func TestWhatAStageCannotTake(t *testing.T) {
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	g := s.Stage("a")
	unrendered := errors.New("no template")
	if _, err := g.PutStream(t.Context(), "reports/a", func(io.Writer) error { return unrendered }); err != unrendered { //nolint:errorlint // the very error
		t.Errorf("error = %v, want write's own", err)
	}
	if _, err := g.PutStream(t.Context(), "../a", func(io.Writer) error { return nil }); err == nil {
		t.Error("a key that leads out of the stage is taken")
	}
	if err := os.WriteFile(filepath.Join(s.root, "reports"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := g.Publish(); err == nil {
		t.Error("a file stands where a folder should be, and nothing is said")
	}
}
