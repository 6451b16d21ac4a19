package cli

import (
	"encoding/json"
	"os"
)

// readBaseline reads the fingerprints of an earlier JSON report.
func readBaseline(path string) (map[string]bool, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, fileProblem("--baseline", path, err)
	}
	var doc struct {
		SchemaVersion string
		Findings      []struct{ Fingerprint, Status string }
	}
	if err := json.Unmarshal(src, &doc); err != nil || doc.SchemaVersion == "" {
		return nil, usagef("--baseline %q is no JSON report of plumbline. make one with \"plumbline scan --format json PATH > before.json\"", path)
	}
	known := map[string]bool{}
	for _, f := range doc.Findings {
		if f.Fingerprint != "" {
			known[f.Fingerprint] = true
		}
	}
	return known, nil
}
