package finding

import (
	"errors"
	"time"
)

// ErrThrottled is wrapped by a store of findings that asks its callers to slow
// down, or whose database another process holds; trying again later may help.
var ErrThrottled = errors.New("findings table asks to slow down")

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

// Decided reports whether a person put a finding into this state; a scan that
// sees the finding again does not take that back.
func (s State) Decided() bool { return s == Acknowledged || s == InRemediation || s == Suppressed }

// SourceAcceptance is the source of a suppression that people decided on when
// they were asked for a change: it stands in the finding's row alone.
const SourceAcceptance = "acceptance"

// Accepted reports whether people have left the violation as it is.
func (r Record) Accepted() bool {
	return r.State == Suppressed && r.Suppressed != nil && r.Suppressed.Source == SourceAcceptance
}

// AcceptedOn reports whether that still holds on a day: Until is the last.
func (r Record) AcceptedOn(at time.Time) bool {
	return r.Accepted() && (r.Suppressed.Until == "" || at.UTC().Format(time.DateOnly) <= r.Suppressed.Until)
}

// Retention is how long a resolved finding stays in the table: one year, which
// PCI DSS 10.5.1 asks of audit logs.
const Retention = 365 * 24 * time.Hour

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
	// FollowBy is until when the template may still say otherwise, after the live
	// resource was changed: set while the finding is InRemediation by such a change.
	FollowBy time.Time `json:",omitzero"`
	// Changed is when the live resource was changed, with FollowBy.
	Changed time.Time `json:",omitzero"`
}

// ResourceID is the table's partition key: account, region, stack (or template
// path) and logical id, joined with "/". Empty parts stay empty.
func (r Record) ResourceID() string {
	return r.Resource.Account + "/" + r.Resource.Region + "/" + r.Where() + "/" + r.Resource.LogicalID
}

// SortKey is the table's sort key: FirstSeen as RFC 3339 with nanoseconds in
// UTC, "#", and the rule's id, since one instant may find several violations.
func (r Record) SortKey() string {
	return r.FirstSeen.UTC().Format("2006-01-02T15:04:05.000000000Z") + "#" + r.Rule
}

// SameLife is how far apart two scans may have begun that see a violation for
// the first time and mean one life of it: more than any scan lasts, less than
// the year for which a resolved one is kept.
const SameLife = 7 * 24 * time.Hour

// First reports whether r is of the scan that saw the finding first, as far as
// that scan could know.
func (r Record) First() bool { return r.FirstSeen.Equal(r.LastSeen) }

// Joins reports whether r belongs to the life that began at first, though its
// scan did not know of it: another scan was faster.
func (r Record) Joins(first time.Time) bool {
	d := r.FirstSeen.Sub(first)
	return r.First() && -SameLife < d && d < SameLife
}

// Since is r as a row of the life that began at first: it has its key, and is
// due as many days after.
func (r Record) Since(first time.Time) Record {
	if !r.Due.IsZero() {
		r.Due = r.Due.Add(first.Sub(r.FirstSeen))
	}
	r.FirstSeen = first
	return r
}

// Merge is what a store keeps when it holds old and next is put under the same
// key. It holds whatever the order in which scans finish: LastSeen never moves
// back, the state that a person decided is not taken back by a scan that
// merely sees the finding again, and only a resolved finding expires. Putting
// the same record twice changes nothing.
func Merge(old, next Record) Record {
	if next.LastSeen.Before(old.LastSeen) {
		return old
	}
	if old.State.Decided() && (next.State == New || next.State == Open) {
		next.State, next.FollowBy, next.Changed = old.State, old.FollowBy, old.Changed
		if old.Accepted() && next.Suppressed == nil {
			next.Suppressed = old.Suppressed
		}
	}
	if old.LastSeen.Equal(next.LastSeen) && next.State == Open && old.State == New {
		next.State = New // the same scan, put again after it read its own first write
	}
	return next.Clean()
}

// Clean returns r as stores keep it: times in UTC, no expiry unless resolved.
func (r Record) Clean() Record {
	r.FirstSeen, r.LastSeen = r.FirstSeen.UTC(), r.LastSeen.UTC()
	if !r.Due.IsZero() {
		r.Due = r.Due.UTC()
	}
	if r.State != Resolved {
		r.ExpiresAt = time.Time{}
	} else if !r.ExpiresAt.IsZero() {
		r.ExpiresAt = r.ExpiresAt.UTC()
	}
	return r
}
