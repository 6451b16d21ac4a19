// Command gen writes what is generated from rules and from the policy file's
// struct: rules/index.json and docs/plumbline.schema.json. Run it by
// `make generate`, or by `go run ./rules/gen` at the repository's root.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"plumbline/ruleset"
)

func main() {
	if err := generate("."); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// generate looks for the repository's root at dir or above it and writes both
// files. A file whose content would not change is not touched.
func generate(dir string) error {
	root, err := findRoot(dir)
	if err != nil {
		return err
	}
	index, err := ruleset.BuildIndex(os.DirFS(filepath.Join(root, "rules")))
	if err != nil {
		return fmt.Errorf("build rule index:\n%w", err)
	}
	for name, content := range map[string][]byte{
		"rules/" + ruleset.IndexFile: index.Encode(),
		"docs/plumbline.schema.json": ruleset.PolicySchema(),
	} {
		path := filepath.Join(root, name)
		if old, err := os.ReadFile(path); err == nil && string(old) == string(content) {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("write %q: %w", name, err)
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return fmt.Errorf("write %q: %w", name, err)
		}
		fmt.Println("wrote", name)
	}
	return nil
}

// findRoot is the first folder at dir or above it that holds go.mod.
func findRoot(dir string) (string, error) {
	at, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find the repository's root: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return at, nil
		}
		if up := filepath.Dir(at); up != at {
			at = up
			continue
		}
		return "", fmt.Errorf("no go.mod at %s or above it. run this inside the repository", dir)
	}
}
