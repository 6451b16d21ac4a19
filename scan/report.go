package scan

import (
	"time"

	"plumbline/finding"
)

// Report is the whole result of one scan: every target's assessment and what
// it was judged with. internal/report renders it; tasks/writereport stores it.
type Report struct {
	Provenance  Provenance
	Assessments []Assessment // sorted by target path, then stack
	Skipped     []Skipped    // files that were found but are not templates
	Counts      finding.Counts
	Warnings    []string // suppressions that do not count or select nothing; with their places
}

// Provenance says what made a report, so that an auditor can make it again.
type Provenance struct {
	Tool       string // "plumbline"
	Version    string
	RulesHash  string    // SHA-256 over the rule files, hex
	Rules      int       // how many rules were in force
	RulesOff   []RuleOff // those that the policy turns off, by id
	PolicyPath string    // "" where no policy file was used
	PolicyHash string
	Started    time.Time
	Finished   time.Time
	Inputs     map[string]string // parameters given on the command line (NoEcho ones never)
}

// RuleOff is a rule that the policy turns off, and why.
type RuleOff struct {
	Rule   string
	Reason string
}

// Skipped is a file that was looked at and left out, with the reason.
type Skipped struct {
	Path   string
	Reason string
}
