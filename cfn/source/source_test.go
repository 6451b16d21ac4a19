package source

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"plumbline/internal/sharedtest"
)

const (
	topic = "Resources:\n  T:\n    Type: AWS::SNS::Topic\n"
	other = "name: not a template\n"
)

// tree writes files into a new folder and makes it the current one.
func tree(t *testing.T, archive string) {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	for _, f := range txtar.Parse([]byte(archive)).Files {
		if err := os.MkdirAll(filepath.Dir(f.Name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(f.Name, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// found is a listing in short: one line a template or skipped file.
func found(l *Listing) []string {
	lines := []string{}
	for _, t := range l.Templates {
		line := t.Path
		for _, s := range []string{t.Stack, t.Account, t.Region} {
			if s != "" {
				line += " " + s
			}
		}
		if t.Failed != "" {
			line += " failed: " + t.Failed
		}
		if t.Source != nil {
			line += " holds " + string(t.Source)
		}
		lines = append(lines, line)
	}
	for _, s := range l.Skipped {
		lines = append(lines, "skipped "+s.Path+": "+s.Reason)
	}
	return lines
}

func TestFind(t *testing.T) {
	const files = `
-- app.yaml --
` + topic + `-- data/b.template --
` + topic + `-- data/a.json --
{"Resources": {"T": {"Type": "AWS::SNS::Topic"}}}
-- data/deep/c.yml --
` + topic + `-- data/values.json --
{"name": "x"}
-- data/notes.txt --
` + topic + `-- data/compose.yaml --
` + other + `-- data/broken.yaml --
AWSTemplateFormatVersion: "2010-09-09"
Resources: {
-- data/empty.yaml --
-- data/.hidden.yaml --
` + topic + `-- data/.settings.yaml --
` + other + `-- data/.git/d.yaml --
` + topic + `-- data/node_modules/x/e.yaml --
` + topic + `-- data/UPPER.YAML --
` + topic + `-- none/readme.md --
-- others/values.json --
{}
`
	all := []string{"data/.hidden.yaml", "data/UPPER.YAML", "data/a.json", "data/b.template", "data/broken.yaml", "data/deep/c.yml"}
	skipped := []string{"skipped data/compose.yaml: no Resources section", "skipped data/empty.yaml: empty", "skipped data/values.json: no Resources section"}
	tests := []struct {
		name  string
		paths []string
		want  []string
		err   string
	}{
		{"a file", []string{"app.yaml"}, []string{"app.yaml"}, ""},
		{"a file keeps the path as given", []string{"./data/../app.yaml"}, []string{"./data/../app.yaml"}, ""},
		{"a named file is listed whatever it holds", []string{"data/values.json", "data/notes.txt"}, []string{"data/notes.txt", "data/values.json"}, ""},
		{"a folder", []string{"data"}, append(append([]string{}, all...), skipped...), ""},
		{"a folder twice", []string{"data", "./data", "data/"}, append(append([]string{}, all...), skipped...), ""},
		{"a folder and a file in it", []string{"data", "data/a.json", "data/compose.yaml"},
			append(append([]string{}, "data/.hidden.yaml", "data/UPPER.YAML", "data/a.json", "data/b.template", "data/broken.yaml", "data/compose.yaml", "data/deep/c.yml"), skipped[1:]...), ""},
		{"a folder inside another", []string{"data/deep", "data"}, append(append([]string{}, all...), skipped...), ""},
		{"an ignored folder that is named", []string{"data/node_modules/x"}, []string{"data/node_modules/x/e.yaml"}, ""},
		{"standard input", []string{"-"}, []string{"- holds from standard input"}, ""},
		{"standard input once", []string{"-", "app.yaml", "-"}, []string{"- holds from standard input", "app.yaml"}, ""},
		{"no such file", []string{"ap.yaml"}, []string{}, `"ap.yaml" does not exist. did you mean "app.yaml"?`},
		{"no such file beside one", []string{"zzz.yaml", "app.yaml"}, []string{"app.yaml"}, `"zzz.yaml" does not exist. give a template, a folder, a cdk.out, or - for standard input`},
		{"no such folder", []string{"dta/b.template"}, []string{}, `"dta/b.template" does not exist. did you mean "data/b.template"?`},
		{"no such folder, nor file in the near one", []string{"dta/q.template"}, []string{}, `"dta/q.template" does not exist. did you mean "data"?`},
		{"a file taken for a folder", []string{"app.yaml/x"}, []string{}, `"app.yaml/x" cannot be read: not a directory`},
		{"a folder without a template", []string{"others"}, []string{"skipped others/values.json: no Resources section"},
			`folder "others" holds no CloudFormation template: 1 file was left out, none with a Resources section. for a CDK app run cdk synth and give cdk.out`},
		{"a folder without a name that counts", []string{"none", "none"}, []string{},
			`folder "none" holds no file whose name ends in .yaml, .yml, .json, .template, .cfn. for a CDK app run cdk synth and give cdk.out`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tree(t, files)
			got, err := Find(test.paths, strings.NewReader("from standard input"))
			if diff := cmp.Diff(test.want, found(got)); diff != "" {
				t.Errorf("listing (-want +got):\n%s", diff)
			}
			if text := errText(err); text != test.err {
				t.Errorf("error:\n got %s\nwant %s", text, test.err)
			}
		})
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestFindCurrentFolder(t *testing.T) {
	tree(t, "-- a.yaml --\n"+topic)
	got, err := Find([]string{"."}, nil)
	if diff := cmp.Diff([]string{"a.yaml"}, found(got)); diff != "" || err != nil {
		t.Errorf("error %v, listing (-want +got):\n%s", err, diff)
	}
}

func TestFindFollowsLinks(t *testing.T) {
	tree(t, "-- real/a.yaml --\n"+topic+"-- linked/b.yaml --\n"+topic)
	for link, target := range map[string]string{
		"real/self":       ".",
		"real/up":         "..",
		"real/again.yaml": "a.yaml",
		"real/dead.yaml":  "nowhere.yaml",
		"real/dead":       "nowhere",
		"real/folder":     "../linked",
		"round.yaml":      "round.yaml",
		"dangling.yaml":   "gone.yaml",
	} {
		if err := os.Symlink(target, link); err != nil {
			t.Skipf("no symbolic links here: %v", err)
		}
	}
	got, err := Find([]string{"real"}, nil)
	want := []string{"real/a.yaml", "real/folder/b.yaml", "skipped real/dead.yaml: a symbolic link that leads nowhere", "skipped real/up/dangling.yaml: a symbolic link that leads nowhere", "skipped real/up/round.yaml: a symbolic link that leads nowhere"}
	if diff := cmp.Diff(want, found(got)); diff != "" || err != nil {
		t.Errorf("error %v, listing (-want +got):\n%s", err, diff)
	}
	_, err = Find([]string{"round.yaml", "dangling.yaml"}, nil)
	const text = `"round.yaml" cannot be read: its symbolic links lead back to themselves` + "\n" + `"dangling.yaml" is a symbolic link to "gone.yaml", which does not exist`
	if diff := cmp.Diff(text, errText(err)); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
}

func TestFindPipe(t *testing.T) {
	tree(t, "-- a.yaml --\n"+topic)
	if err := syscall.Mkfifo("pipe.yaml", 0o600); err != nil {
		t.Skipf("no named pipes here: %v", err)
	}
	got, err := Find([]string{"."}, nil)
	if diff := cmp.Diff([]string{"a.yaml", "skipped pipe.yaml: a named pipe"}, found(got)); diff != "" || err != nil {
		t.Errorf("error %v, listing (-want +got):\n%s", err, diff)
	}
	_, err = Find([]string{"pipe.yaml", "/dev/null"}, nil)
	const text = `"pipe.yaml" is a named pipe; files and folders are read. give what a program writes as -, standard input` + "\n" +
		`"/dev/null" is a device; files and folders are read. give what a program writes as -, standard input`
	if diff := cmp.Diff(text, errText(err)); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
}

func TestFindOpenStream(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("no /dev/fd")
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	_, _ = w.WriteString("text")
	_ = w.Close()
	path := fmt.Sprintf("/dev/fd/%d", r.Fd())
	got, err := Find([]string{path}, nil)
	if diff := cmp.Diff([]string{path + " holds text"}, found(got)); diff != "" || err != nil {
		t.Errorf("error %v, listing (-want +got):\n%s", err, diff)
	}
}

func TestFindNoStdin(t *testing.T) {
	got, err := Find([]string{"-"}, nil)
	if diff := cmp.Diff([]string{"- failed: there is no standard input holds "}, found(got)); diff != "" || err != nil {
		t.Errorf("error %v, listing (-want +got):\n%s", err, diff)
	}
}

// A file that may not be read is one outcome; its neighbours are listed.
func TestFindPermissionDenied(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may read everything")
	}
	tree(t, "-- in/a.yaml --\n"+topic+"-- in/closed.yaml --\n"+topic+"-- in/shut/b.yaml --\n"+topic)
	for path, mode := range map[string]os.FileMode{"in/closed.yaml": 0, "in/shut": 0} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = os.Chmod("in/shut", 0o755) })
	got, err := Find([]string{"in"}, nil)
	want := []string{"in/a.yaml", "in/closed.yaml failed: permission denied", "in/shut failed: the folder cannot be read: permission denied"}
	if diff := cmp.Diff(want, found(got)); diff != "" || err != nil {
		t.Errorf("error %v, listing (-want +got):\n%s", err, diff)
	}
}

func TestFindTooLarge(t *testing.T) {
	tree(t, "-- in/a.yaml --\n"+topic+"-- in/notes.yaml --\n"+other)
	for _, path := range []string{"in/a.yaml", "in/notes.yaml"} {
		if err := os.Truncate(path, 20<<20); err != nil {
			t.Fatal(err)
		}
	}
	// What truncation adds are NUL bytes, so the head is written with spaces.
	head := append([]byte(topic), []byte(strings.Repeat(" ", headSize))...)
	if err := overwrite("in/a.yaml", head); err != nil {
		t.Fatal(err)
	}
	got, err := Find([]string{"in"}, nil)
	want := []string{"in/a.yaml failed: the file is 20 MiB; up to 16 MiB are read. split the template into nested stacks", "skipped in/notes.yaml: not text in UTF-8"}
	if diff := cmp.Diff(want, found(got)); diff != "" || err != nil {
		t.Errorf("error %v, listing (-want +got):\n%s", err, diff)
	}
}

func overwrite(path string, head []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if _, err := f.WriteAt(head, 0); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}

// In a folder of real templates, hidden and oddly named ones among them, none is left out.
func TestFindRealTemplates(t *testing.T) {
	dir := filepath.Join(sharedtest.Dir(t, "corpus"), "realworld-dev")
	got, err := Find([]string{dir}, nil)
	if err != nil || len(got.Skipped) > 0 {
		t.Errorf("error %v, left out %v", err, got.Skipped)
	}
	files := 0
	err = filepath.WalkDir(dir, func(_ string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			files++
		}
		return err
	})
	if err != nil || files != len(got.Templates) {
		t.Errorf("%d of %d templates found, error %v", len(got.Templates), files, err)
	}
}
