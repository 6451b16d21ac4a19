package finding

import "time"

// State is where a finding stands in its life.
type State string

// The states of a finding's life. Transitions: a first scan makes New, the
// next Open; a scan without it makes Resolved; its return makes Reopened.
// Acknowledged, InRemediation and Suppressed are decisions of a person.
const (
	New           State = "new"
	Open          State = "open"
	Acknowledged  State = "acknowledged"
	InRemediation State = "in-remediation"
	Resolved      State = "resolved"
	Reopened      State = "reopened"
	Suppressed    State = "suppressed"
)

// Active reports whether a finding in this state still wants attention.
func (s State) Active() bool { return s != Resolved && s != Suppressed }

// Record is one row of the findings table: one finding's life. FirstSeen is
// part of the key and never moves; LastSeen only moves forward. Due and
// ExpiresAt are zero where they do not apply: ExpiresAt is set only once the
// finding is resolved, so that the table's TTL never removes an open one.
type Record struct {
	Finding
	State     State
	FirstSeen time.Time
	LastSeen  time.Time
	Due       time.Time
	ExpiresAt time.Time
}

// ResourceID is the table's partition key: account, region, stack (or template
// path) and logical id, joined with "/". Empty parts stay empty.
func (r Record) ResourceID() string {
	where := r.Resource.Stack
	if where == "" {
		where = r.Place.Path
	}
	return r.Resource.Account + "/" + r.Resource.Region + "/" + where + "/" + r.Resource.LogicalID
}

// SortKey is the table's sort key: FirstSeen as RFC 3339 with nanoseconds in
// UTC, "#", and the rule's id, since one instant may find several violations.
func (r Record) SortKey() string {
	return r.FirstSeen.UTC().Format("2006-01-02T15:04:05.000000000Z") + "#" + r.Rule
}
