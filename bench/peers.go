package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// compare measures other scanners on the same folder in the same run. Each is
// told to read CloudFormation only and to stay off the network.
func compare(w io.Writer, bin, data, peers string) error {
	if data == "" {
		tmp, err := os.MkdirTemp("", "plumbline-peers-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(tmp)
		data = filepath.Join(tmp, "made")
		if err := makeTemplates(data, 300); err != nil {
			return err
		}
	}
	f, err := parsing(data)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "| scanner | processor time | over the floor | peak memory |\n|---|---:|---:|---:|\n| floor | %s | 1.0 | %s |\n", ms(f.cpu), mib(f.peak))
	for _, p := range []struct {
		name string
		argv []string
		runs int
	}{
		{"plumbline", []string{bin, "scan", "--format", "json", data}, runs},
		{"trivy", []string{filepath.Join(peers, "trivy"), "config", "--misconfig-scanners", "cloudformation", "--skip-check-update", "--quiet", "--format", "json", data}, 1},
		{"checkov", []string{filepath.Join(peers, "venv/bin/checkov"), "--framework", "cloudformation", "--skip-download", "--quiet", "--compact", "--output", "json", "--directory", data}, 1},
	} {
		c, err := measureRuns(p.runs, p.argv[0], p.argv[1:]...)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		fmt.Fprintf(w, "| %s | %s | %.1f | %s |\n", p.name, ms(c.cpu), ratio(c.cpu, f.cpu), mib(c.peak))
	}
	return nil
}
