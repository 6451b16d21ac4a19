// Command gen writes docs/remediations.md, from the rules' fixes and from
// answers.yaml, which lists the controls and says why some are not settled.
// Run it by `make generate`, or by `go generate ./remedy/...`.
package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

//go:generate go run .

func main() {
	if err := generate(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// generate writes the page where it would change.
func generate() error {
	_, file, _, _ := runtime.Caller(0)
	here := filepath.Dir(file)
	root := filepath.Join(here, "..", "..")
	answered, err := os.ReadFile(filepath.Join(here, "answers.yaml"))
	if err != nil {
		return err
	}
	measured, err := os.ReadFile(filepath.Join(here, "figures.json"))
	if err != nil {
		return err
	}
	page, err := remediations(os.DirFS(filepath.Join(root, "rules")), answered, measured)
	if err != nil {
		return err
	}
	path := filepath.Join(root, "docs", "remediations.md")
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, page) {
		return nil
	}
	if err := os.WriteFile(path, page, 0o644); err != nil {
		return err
	}
	fmt.Println("wrote docs/remediations.md")
	return nil
}
