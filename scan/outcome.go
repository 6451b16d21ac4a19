package scan

import (
	"time"

	"plumbline/finding"
)

// Failure is why a domain, a target or a whole scan has no result. It is
// recorded, told, and makes the exit code 3; it never reads as clean.
type Failure struct {
	ScanID   string         `json:"scanId,omitempty"`
	Workflow string         `json:"workflow,omitempty"` // scan-stack; "" within an assessment
	Target   Target         `json:"target"`             // zero: the whole estate
	Domain   finding.Domain `json:"domain,omitempty"`   // set where one domain's branch failed
	Error    string         `json:"error"`              // a name of tasks/catalog, States.… or Lambda.…
	Cause    string         `json:"cause,omitempty"`
	Time     time.Time      `json:"time"`
}

// Notice is one message to people: one a scan and severity, so that a stack
// with forty findings does not ring forty times.
type Notice struct {
	// ID is the same for the same scan, target and kind: a channel that has
	// seen it may drop a repetition.
	ID       string           `json:"id"`
	Kind     string           `json:"kind"` // NoticeFindings, NoticePartial or NoticeFailure
	ScanID   string           `json:"scanId"`
	Target   Target           `json:"target"`
	Severity finding.Severity `json:"severity"`
	Count    int              `json:"count"`             // findings of this severity that want attention; 0 for the other kinds
	Subject  string           `json:"subject"`           // one line, at most 100 characters (SNS's limit for a subject)
	Body     string           `json:"body"`              // a few lines
	Domains  []finding.Domain `json:"domains,omitempty"` // NoticePartial: the lost domains
	// ResourceTypes are those of the violations, sorted; none for the other kinds.
	ResourceTypes []string  `json:"resourceTypes,omitempty"`
	Time          time.Time `json:"time"`
}

// The kinds of notices.
const (
	NoticeFindings = "findings" // violations that were not open before
	NoticePartial  = "partial"  // domains that could not be judged
	NoticeFailure  = "failure"  // a workflow that ended without a result
)

// Summary is one scan in a few figures; History shows it.
type Summary struct {
	ScanID   string           `json:"scanId"`
	Started  time.Time        `json:"started"`
	Finished time.Time        `json:"finished"`
	Targets  int              `json:"targets"`
	Counts   finding.Counts   `json:"counts"`
	Failing  map[string]int   `json:"failing"` // failures that count, by severity
	New      int              `json:"new"`
	Open     int              `json:"open"` // active records after the scan, of the scanned targets
	Resolved int              `json:"resolved"`
	Partial  []finding.Domain `json:"partial,omitempty"`
	Failures []Failure        `json:"failures,omitempty"` // targets without a result
	Report   string           `json:"report,omitempty"`   // key prefix of the stored report
}
