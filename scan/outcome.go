package scan

import (
	"fmt"
	"strings"
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

// Notice is one message to people: one a scan, severity and audience, so that a
// stack with forty findings does not ring forty times. Package alert composes
// it and renders it for each channel.
type Notice struct {
	// ID is the same for the same scan, target, kind, severity and audience: a
	// channel that has seen it may drop a repetition.
	ID       string           `json:"id"`
	Kind     string           `json:"kind"` // one of the kinds below
	ScanID   string           `json:"scanId"`
	Target   Target           `json:"target"`
	Severity finding.Severity `json:"severity"`
	Audience string           `json:"audience,omitempty"` // owner of the resources; "" for those of nobody in particular
	Count    int              `json:"count"`              // violations that were not open before; 0 for kinds that are about none
	Subject  string           `json:"subject"`            // one line, at most 100 characters (SNS's limit for a subject)
	Body     string           `json:"body"`               // plain text, as a mail shows it
	Domains  []finding.Domain `json:"domains,omitempty"`  // NoticePartial: the lost domains
	// ResourceTypes are those of the violations, sorted; none for kinds that are about none.
	ResourceTypes []string  `json:"resourceTypes,omitempty"`
	Frameworks    []string  `json:"frameworks,omitempty"` // that ask for what is violated, sorted
	Time          time.Time `json:"time"`

	// Ticket names the ticket that the message is about, the same for each scan of
	// the target: 32 hexadecimal digits; "" where there is to be none.
	Ticket    string    `json:"ticket,omitempty"`
	Seen      time.Time `json:"seen,omitzero"`       // start of the scan: of two messages about a ticket the later one decides
	Items     []Item    `json:"items,omitempty"`     // of Count, in the order of the template, as many as fit
	Ended     []Item    `json:"ended,omitempty"`     // no longer open, as many as fit
	EndedAll  int       `json:"endedAll,omitempty"`  // no longer open, all of them
	Remaining int       `json:"remaining,omitempty"` // still open after the scan, those of Count included
	Report    string    `json:"report,omitempty"`    // folder of the stored report
	// Digested messages are told to people in the digest of the whole scan;
	// by themselves they bring tickets up to date.
	Digested bool `json:"digested,omitempty"`
}

// Item is one violation in a message.
type Item struct {
	Rule     string           `json:"rule"`
	Severity finding.Severity `json:"severity"`
	Resource string           `json:"resource"`       // logical id; "" for a template as a whole
	Type     string           `json:"type,omitempty"` // of the resource
	Where    string           `json:"where"`          // stack, or the template's name
	Line     int              `json:"line,omitempty"` // in the template; 0 where not known
	Message  string           `json:"message,omitempty"`
	State    finding.State    `json:"state"` // new or reopened; of an ended one resolved, suppressed, or open where it moved to another message
	Due      time.Time        `json:"due,omitzero"`
}

// The kinds of notices.
const (
	NoticeFindings = "findings" // violations that were not open before
	NoticeUpdate   = "update"   // nothing new, but violations ended: tickets alone take it
	NoticeDigest   = "digest"   // what is new in the whole scan of an estate, but for the critical ones
	NoticePartial  = "partial"  // domains that could not be judged
	NoticeFailure  = "failure"  // a workflow that ended without a result
	NoticeSLA      = "sla"      // how long violations stay open, and which are overdue
)

// Summary is one scan in a few figures; History shows it.
type Summary struct {
	ScanID   string           `json:"scanId"`
	Started  time.Time        `json:"started"`
	Finished time.Time        `json:"finished"`
	Targets  int              `json:"targets"`
	Counts   finding.Counts   `json:"counts"`
	Failing  map[string]int   `json:"failing"` // failures that count, by severity
	Types    map[string]int   `json:"types"`   // the same by type of resource: those of metric.Types, and metric.Other
	New      int              `json:"new"`
	Open     int              `json:"open"` // active records after the scan, of the scanned targets
	Resolved int              `json:"resolved"`
	Partial  []finding.Domain `json:"partial,omitempty"`
	Failures []Failure        `json:"failures,omitempty"` // targets without a result
	Report   string           `json:"report,omitempty"`   // key prefix of the stored report
}

// The kinds of notices about changes of live resources.
const (
	NoticeApproval = "approval" // people are asked to decide on a change
	NoticeChange   = "change"   // how a change ended
)

// maxSubject is SNS's limit for a subject, in characters; it takes printable ASCII only.
const maxSubject = 100

// Subject is a notice's one line as every channel takes it.
func Subject(format string, args ...any) string {
	s := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, fmt.Sprintf(format, args...))
	if len(s) > maxSubject {
		s = s[:maxSubject-3] + "..."
	}
	return s
}
