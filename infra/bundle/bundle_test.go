package bundle_test

import (
	"archive/zip"
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/infra/bundle"
)

const policy = "version: 1\nrules:\n  s3-bucket-replication: {off: one region is enough}\n"

func folder(files map[string]string, at time.Time) fstest.MapFS {
	out := fstest.MapFS{}
	for name, content := range files {
		out[name] = &fstest.MapFile{Data: []byte(content), ModTime: at}
	}
	return out
}

func TestPack(t *testing.T) {
	files := map[string]string{"plumbline.yaml": policy, "README.md": "notes"}
	a, err := bundle.Pack("policy", folder(files, time.Unix(1, 0)))
	if err != nil {
		t.Fatal(err)
	}
	b, err := bundle.Pack("policy", folder(files, time.Unix(2e9, 0)))
	if err != nil {
		t.Fatal(err)
	}
	if a.Key != b.Key || !bytes.Equal(a.Zip, b.Zip) || !strings.HasPrefix(a.Key, "bundles/") {
		t.Errorf("the same files are packed as %s and %s", a.Key, b.Key)
	}
	r, err := zip.NewReader(bytes.NewReader(a.Zip), int64(len(a.Zip)))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range r.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		got[f.Name] = string(content)
	}
	if diff := cmp.Diff(map[string]string{"plumbline.yaml": policy}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	files["plumbline.yaml"] += "# changed\n"
	if c, err := bundle.Pack("policy", folder(files, time.Unix(1, 0))); err != nil || c.Key == a.Key {
		t.Errorf("another content has the same key %s, %v", c.Key, err)
	}
}

func TestPackRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		files map[string]string
		err   string
	}{
		"nothing":                {map[string]string{"README.md": "notes"}, "no YAML file"},
		"no policy":              {map[string]string{"plumbline.yaml": "unheard: of\n"}, "policy/plumbline.yaml"},
		"a rule that is unknown": {map[string]string{"plumbline.yaml": strings.Replace(policy, "s3-bucket-replication", "s3-bucket-replicated", 1)}, "s3-bucket-replicated"},
		"a broken rule":          {map[string]string{"rules/own.yaml": "id: own\n"}, "own.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := bundle.Pack("policy", folder(tc.files, time.Time{})); err == nil || !strings.Contains(err.Error(), tc.err) {
				t.Errorf("error %v, want one that says %q", err, tc.err)
			}
		})
	}
}
