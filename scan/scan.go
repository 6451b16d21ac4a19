// Package scan holds what the tasks of a scan hand on to each other: what is
// scanned, the snapshot of it, and the assessment.
package scan

import (
	"encoding/json"

	"plumbline/finding"
)

// Target is one thing to scan: a template file, or a deployed stack.
type Target struct {
	Path    string `json:"path,omitempty"`    // of a template; "-" is standard input
	Stack   string `json:"stack,omitempty"`   // stack name
	Account string `json:"account,omitempty"` // 12 digits
	Region  string `json:"region,omitempty"`
}

// Snapshot is a target at one moment: the template's source, the parameters
// it is deployed with, and the live model of each resource (Cloud Control's
// shape; nil when only the template is judged).
type Snapshot struct {
	Target     Target
	Source     []byte
	Parameters map[string]string
	Live       []json.RawMessage
	// Failed is why the source could not be read ("permission denied"); such a
	// snapshot is assessed as one template-readable error. Empty: it was read.
	Failed string
}

// Verdicts is what one domain's rules say about one snapshot.
type Verdicts struct {
	Domain   finding.Domain
	Findings []finding.Finding // without passes and skips unless they were asked for
	Counts   finding.Counts    // all of them, by status
}

// Assessment is the merged result of a target's scan.
type Assessment struct {
	Target   Target
	Findings []finding.Finding // sorted by place, then rule
	Counts   finding.Counts
	Partial  []finding.Domain // domains whose branch failed: the scan is partial, never clean
	New      []string         // fingerprints first seen in this scan, where a store of findings was given
	Resolved []finding.Record // open before, gone now
	Hash     string           // SHA-256 of the source, hex
}
