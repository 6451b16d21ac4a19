package plumbline_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/internal/cli"
	"plumbline/workflows"
)

var update = flag.Bool("update", false, "write what commands print into README.md, and the workflows' diagrams into docs/")

// printed is a command and its output in README.md.
var printed = regexp.MustCompile("(?s)<!-- output: plumbline ([^>]*?) -->\n```console\n(.*?)```\n<!-- end -->")

// run runs a command line in this folder.
func run(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	s := cli.Streams{In: strings.NewReader(""), Out: &out, Err: &errs, Width: 100, Env: func(string) string { return "" }}
	if code := cli.Main(args, s); code != cli.ExitClean {
		t.Fatalf("plumbline %s: exit %d\n%s", strings.Join(args, " "), code, errs.String())
	}
	return out.String()
}

func TestReadmeShowsWhatIsPrinted(t *testing.T) {
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !printed.Match(page) {
		t.Fatal("README.md shows no command's output")
	}
	want := printed.ReplaceAllFunc(page, func(block []byte) []byte {
		line := string(printed.FindSubmatch(block)[1])
		shown := strings.Replace(line, " --exit-zero", "", 1)
		return []byte("<!-- output: plumbline " + line + " -->\n```console\n$ plumbline " + shown + "\n" + run(t, strings.Fields(line)...) + "```\n<!-- end -->")
	})
	same(t, "README.md", want, page)
}

func TestDiagramsAreTheWorkflows(t *testing.T) {
	for _, name := range workflows.Names() {
		path := filepath.Join("docs", name+".svg")
		page, err := os.ReadFile(path)
		if err != nil && !*update {
			t.Fatal(err)
		}
		same(t, path, []byte(run(t, "workflows", "graph", name)), page)
	}
}

// link is a link of Markdown: what stands behind the text.
var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

func TestLinksLeadSomewhere(t *testing.T) {
	var pages []string
	for _, pattern := range []string{"*.md", "docs/*.md", "examples/*/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, found...)
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllSubmatch(text, -1) {
			target, _, _ := strings.Cut(string(m[1]), "#")
			if target == "" || strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), filepath.FromSlash(target))); err != nil {
				t.Errorf("%s links to %q, which is not there", page, target)
			}
		}
	}
}

// same compares a generated file with the one that lies there, or writes it.
func same(t *testing.T, path string, want, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s is out of date; run make generate (-printed +file)\n%s", path, diff)
	}
}
