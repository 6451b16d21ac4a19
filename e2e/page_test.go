package e2e_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestPageNamesTheTests holds docs/e2e.md to the tests that there are: it names
// each of this folder, and no other.
func TestPageNamesTheTests(t *testing.T) {
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(b), "//go:build e2e\n") {
			continue
		}
		for _, m := range regexp.MustCompile(`(?m)^func (Test[A-Z]\w*)\(t \*testing\.T\)`).FindAllStringSubmatch(string(b), -1) {
			there[m[1]] = true
		}
	}
	page, err := os.ReadFile("../docs/e2e.md")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, name := range regexp.MustCompile("`(Test[A-Z]\\w*)`").FindAllStringSubmatch(string(page), -1) {
		named[name[1]] = true
		if !there[name[1]] {
			t.Errorf("docs/e2e.md names %s, which is not there", name[1])
		}
	}
	for name := range there {
		if !named[name] {
			t.Errorf("docs/e2e.md does not say what %s proves", name)
		}
	}
}
