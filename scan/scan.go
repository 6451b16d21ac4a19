// Package scan holds what the tasks of a scan hand on to each other: what is
// scanned, the snapshot of it, each domain's verdicts, the assessment, the
// changes to the findings table, and the report of all targets. States of a
// workflow carry references to these values, never the values themselves.
package scan

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"plumbline/blob"
	"plumbline/finding"
)

// Target is one thing to scan: a template file, or a deployed stack.
type Target struct {
	Path    string `json:"path,omitempty"`    // of a template as it was given; "-" is standard input
	Name    string `json:"name,omitempty"`    // of the template, the same however its path was typed; "" where that is Path
	Stack   string `json:"stack,omitempty"`   // stack name
	Account string `json:"account,omitempty"` // 12 digits
	Region  string `json:"region,omitempty"`
}

// Where is what names the target to the findings table: the stack, or the name
// of a template that belongs to no stack.
func (t Target) Where() string {
	if t.Stack != "" {
		return t.Stack
	}
	return t.Template()
}

// Template names the template across scans: its Name, or Path where it has none.
func (t Target) Template() string {
	if t.Name != "" {
		return t.Name
	}
	return t.Path
}

// String names the target in a message: "stack Payments in us-east-1", or the path.
func (t Target) String() string {
	switch {
	case t.Path != "":
		return t.Path
	case t.Region != "":
		return "stack " + t.Stack + " in " + t.Region
	}
	return "stack " + t.Stack
}

// ID names the target in object keys: 16 hexadecimal digits, the same for the
// same target in every scan.
func (t Target) ID() string {
	sum := sha256.Sum256([]byte(strings.Join([]string{t.Account, t.Region, t.Stack, t.Path}, "\x00")))
	return hex.EncodeToString(sum[:8])
}

// Keys of the objects of a scan. Everything below WorkPrefix is handed from
// state to state and may be deleted a day later; the rest is kept.
const (
	WorkPrefix     = "work/"
	ReportsPrefix  = "reports/"  // reports/<stack>/<time>-<scan>/report.json, report.html
	ScansPrefix    = "scans/"    // scans/<time>-<scan>.json: one Summary a scan
	SLAPrefix      = "sla/"      // sla/<time>-<report>.json: one report of terms each
	FailuresPrefix = "failures/" // failures/<scan>/<target>.json: one Failure a lost target
)

// WorkFolder is the folder of what the states of one target's scan hand on.
func WorkFolder(scanID string, t Target) string {
	return WorkPrefix + blob.Segment(scanID) + "/" + t.ID()
}

// AssessmentKey is where Assess leaves a target's assessment for the summary of the scan.
func AssessmentKey(scanID string, t Target) string {
	return WorkPrefix + blob.Segment(scanID) + "/assessments/" + t.ID()
}

// TargetsKey is where ListTargets leaves what a scan of an estate goes through.
func TargetsKey(scanID string) string { return WorkPrefix + blob.Segment(scanID) + "/targets.json" }

// FailureKey is where a failure of a workflow is recorded. A zero target means
// the scan of the whole estate.
func FailureKey(scanID string, t Target) string {
	name := "estate"
	if t != (Target{}) {
		name = t.ID()
	}
	return FailuresPrefix + blob.Segment(scanID) + "/" + name + ".json"
}

// Verdicts is what one domain's rules say about one snapshot.
type Verdicts struct {
	Domain   finding.Domain
	Findings []finding.Finding // without passes and skips unless they were asked for
	Counts   finding.Counts    // all of them, by status
}

// Len is the number of findings.
func (v *Verdicts) Len() int { return len(v.Findings) }

// Assessment is the merged result of a target's scan.
type Assessment struct {
	Target   Target
	Scope    string            // of the target in PCI DSS by the policy: cde, connected or out; "" where the policy says nothing of scope
	Findings []finding.Finding // sorted by place, then rule, then resource
	Counts   finding.Counts    // of all verdicts, also those that Findings leaves out
	Partial  []finding.Domain  // domains whose branch failed: the scan is partial, never clean
	Failures []Failure         // why: one a lost domain; or one for the whole target, with every domain in Partial
	Gone     bool              // the target does not exist any more: nothing was judged
	Warnings []string          // suppressions that do not count: expired, without a reason
	New      []string          // fingerprints first seen in this scan, where a store of findings was given
	Reopened []string          // fingerprints that are back in this scan
	Moved    []string          // fingerprints that were open, and are of another severity or owner now
	// Frameworks lists, by rule of what is new, back or moved, those that ask for it.
	Frameworks map[string][]string
	Resolved   []finding.Record // open before, gone now
	Open       int              // violations that want attention after this scan, where a store of findings was given
	Hash       string           // SHA-256 of the source, hex
}

// Len is the number of findings.
func (a *Assessment) Len() int { return len(a.Findings) }

// Changes is what one scan of a target writes to the findings table, and what
// messages about the target need to know beside that.
type Changes struct {
	Records []finding.Record // to write, as they are after the scan
	Left    []finding.Record // active, and not judged by this scan: they stay as they are
	// Settled are violations, as they were before, that do not count any more
	// though they are not mended, or that changed severity or owner.
	Settled    []finding.Record
	Frameworks map[string][]string // by rule of a new or reopened record: the frameworks that ask for it, sorted
}

// Len is the number of records to write.
func (c *Changes) Len() int { return len(c.Records) }

// Targets is what a scan of an estate goes through.
type Targets []Target

// Len is the number of targets.
func (t *Targets) Len() int { return len(*t) }
