package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"plumbline/ruleset"
)

// fence is a fenced block of a page: its language and what stands in it.
var fence = regexp.MustCompile("(?ms)^```(yaml|console)\n(.*?)^```$")

// TestWritingRules does what docs/writing-rules.md says, in its order: a YAML
// block is the file that its first line names, a console block commands and
// what they print, where … stands for any lines.
func TestWritingRules(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "writing-rules.md"))
	if err != nil {
		t.Fatal(err)
	}
	guardTable(t, string(page))
	t.Chdir(t.TempDir())
	commands := 0
	for _, block := range fence.FindAllStringSubmatch(string(page), -1) {
		if block[1] == "yaml" {
			first, _, _ := strings.Cut(block[2], "\n")
			name := strings.TrimPrefix(first, "# ")
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, []byte(block[2]), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		for _, part := range strings.Split("\n"+block[2], "\n$ plumbline ")[1:] {
			line, want, _ := strings.Cut(part, "\n")
			commands++
			var out, errs bytes.Buffer
			code := Main(strings.Fields(line), Streams{In: strings.NewReader(""), Out: &out, Err: &errs, Width: 100, Env: func(string) string { return "" }})
			got := out.String()
			if code != ExitClean {
				got += fmt.Sprintf("exit %d\n", code)
			}
			parts := strings.Split(strings.TrimRight(want, "\n")+"\n", "…\n")
			for i := range parts {
				parts[i] = regexp.QuoteMeta(parts[i])
			}
			if !regexp.MustCompile("(?s)^" + strings.Join(parts, ".*") + "$").MatchString(got) {
				t.Errorf("plumbline %s prints\n%s%s\nand the page says\n%s", line, got, errs.String(), want)
			}
		}
	}
	if commands < 6 {
		t.Errorf("only %d commands were run", commands)
	}
}

// guardTable compiles each expression of the table of cfn-guard's constructs.
func guardTable(t *testing.T, page string) {
	t.Helper()
	_, table, _ := strings.Cut(page, "| cfn-guard | here | in CEL |\n")
	rows := 0
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.ReplaceAll(line, `\|`, "\x00"), "|")
		if len(cells) < 5 {
			continue
		}
		code := strings.Trim(strings.TrimSpace(strings.ReplaceAll(cells[3], "\x00", "|")), "`")
		if code == "" || strings.HasPrefix(code, "---") {
			continue
		}
		rows++
		rule := "id: acme-x\ntitle: x\nseverity: low\ndomain: configuration\ntypes: [AWS::S3::Bucket]\npass: |\n  " + code + "\n"
		set, err := ruleset.Open(fstest.MapFS{"acme/x.yaml": {Data: []byte(rule)}}, nil)
		if err == nil {
			err = set.Check()
		}
		if err != nil {
			t.Errorf("%s: %v", code, err)
		}
	}
	if rows < 15 {
		t.Errorf("only %d expressions stand in the table", rows)
	}
}
