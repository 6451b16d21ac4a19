package assess

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"plumbline/finding"
	"plumbline/scan"
	"plumbline/tasks"
)

// comparison holds a target's findings against what the table knows of it.
//
// The table holds violations, one row for each life. What could not be judged
// neither opens a row nor ends one: a lost domain, a template that is partly
// unreadable, a verdict that is unknown or error leave rows as they are.
type comparison struct {
	target     scan.Target
	at         time.Time
	partial    []finding.Domain
	broken     bool // a part of the template was not judged
	accept     bool // what people have accepted does not count
	gone       bool // the stack does not exist any more
	inForce    func(rule string) bool
	due        func(finding.Severity, time.Time) time.Time
	frameworks func(rule string) []string
	changes    *scan.Changes
	assessment *scan.Assessment
	out        *Out
}

func (c *comparison) run(ctx context.Context, known Known) error {
	rows, order, err := c.read(ctx, known)
	if err != nil {
		return err
	}
	seen := make(map[string]bool, len(c.assessment.Findings))
	for i := range c.assessment.Findings {
		f := &c.assessment.Findings[i]
		if f.Verdict == finding.Pass || f.Verdict == finding.Skip {
			continue
		}
		fp := f.Fingerprint()
		c.accepted(f, rows[fp])
		if f.Verdict != finding.Fail {
			if !seen[fp] && rows[fp].State.Active() && rows[fp].State != "" {
				c.left(rows[fp])
			}
			seen[fp] = true
			continue
		}
		if seen[fp] { // a rule may speak twice of one resource; the row is one
			continue
		}
		seen[fp] = true
		old, was := rows[fp]
		c.found(i, fp, old, was)
	}
	for _, fp := range order {
		if !seen[fp] {
			c.missing(rows[fp])
		}
	}
	return nil
}

// read returns the target's rows by fingerprint, and the fingerprints in the
// table's order. Of several lives the latest counts; of two rows of one life,
// which scans of before stores knew of finding.SameLife have left, the earlier
// one, and the other is ended in silence.
func (c *comparison) read(ctx context.Context, known Known) (map[string]finding.Record, []string, error) {
	rows, order := map[string]finding.Record{}, []string(nil)
	for r, err := range known.OfStack(ctx, c.target.Where()) {
		if err != nil {
			return nil, nil, fmt.Errorf("read what was known of %s: %w", c.target, tasks.StoreError(err))
		}
		if r.Resource.Account != c.target.Account || r.Resource.Region != c.target.Region {
			continue
		}
		fp := r.Fingerprint()
		old, ok := rows[fp]
		if !ok {
			order = append(order, fp)
		}
		switch {
		case !ok:
			rows[fp] = r
		case old.State.Active() && r.State.Active():
			early, late := old, r
			if late.FirstSeen.Before(early.FirstSeen) {
				early, late = late, early
			}
			rows[fp] = early
			late.State, late.LastSeen, late.ExpiresAt = finding.Resolved, c.at, c.at.Add(finding.Retention)
			c.changes.Records = append(c.changes.Records, late)
		case old.State.Active():
		case r.State.Active(), old.FirstSeen.Before(r.FirstSeen):
			rows[fp] = r
		}
	}
	return rows, order, nil
}

// found writes the row of a violation that this scan sees.
func (c *comparison) found(at int, fp string, old finding.Record, was bool) {
	f := c.assessment.Findings[at]
	r := finding.Record{Finding: f, FirstSeen: c.at, LastSeen: c.at}
	if was {
		r.FirstSeen = old.FirstSeen // the clock of a violation never starts again
	}
	if c.due != nil { // from the same day, by the severity and the terms of today
		r.Due = c.due(r.Severity, r.FirstSeen)
	}
	switch {
	case f.Suppressed != nil:
		r.State = finding.Suppressed
	case old.AcceptedOn(c.at): // whoever wants to see suppressed findings takes back no decision
		r.State, r.Suppressed = finding.Suppressed, old.Suppressed
	case old.State == finding.InRemediation && (c.overdue(old) || c.takenBack(f, old)):
		r.State = finding.Reopened
	case !was:
		r.State = finding.New
		c.assessment.New = append(c.assessment.New, fp)
		c.out.New++
	case old.State == finding.New && old.LastSeen.Equal(c.at): // this scan's own write, met again
		r.State = finding.New
		c.assessment.New = append(c.assessment.New, fp)
		c.out.New++
	case old.State == finding.Resolved, old.State == finding.Suppressed,
		old.State == finding.Reopened && old.LastSeen.Equal(c.at):
		r.State = finding.Reopened
	case old.State == finding.Acknowledged, old.State == finding.InRemediation:
		r.State = old.State
	default:
		r.State = finding.Open
	}
	if was && old.State.Active() && r.State.Active() && !c.takenBack(f, old) {
		r.FollowBy, r.Changed = old.FollowBy, old.Changed
		if c.overdue(old) {
			r.Message = notFollowed(r.Message, old.FollowBy)
			c.assessment.Findings[at].Message = r.Message
		}
	}
	if r.State == finding.New || r.State == finding.Reopened {
		c.out.Alerts.Add(f.Severity, f.Resource.Type)
		c.asked(r.Rule)
		if r.State == finding.Reopened {
			c.assessment.Reopened = append(c.assessment.Reopened, fp)
		}
	}
	if was && old.State.Active() && (!r.State.Active() || old.Severity != r.Severity || old.Owner != r.Owner) {
		c.settled(old)
		if r.State.Active() { // new to those who are told of it from now on
			c.out.Alerts.Add(f.Severity, f.Resource.Type)
			c.asked(r.Rule)
			c.assessment.Moved = append(c.assessment.Moved, fp)
		}
	}
	if r.State.Active() {
		c.out.Open++
	}
	c.changes.Records = append(c.changes.Records, r)
}

// overdue reports whether a live resource was changed and the term is over in
// which its template was to follow.
func (c *comparison) overdue(r finding.Record) bool {
	return !r.FollowBy.IsZero() && c.at.After(r.FollowBy)
}

// takenBack reports whether the live resource, which was changed, is wrong again:
// a deployment of the template has taken the change back, or somebody has.
func (c *comparison) takenBack(f finding.Finding, r finding.Record) bool {
	return !r.FollowBy.IsZero() && f.Deployed == finding.Fail && c.at.After(r.Changed)
}

// accepted marks a violation that people have left as it is, until their day is over.
func (c *comparison) accepted(f *finding.Finding, row finding.Record) {
	if !c.accept || f.Verdict != finding.Fail || f.Suppressed != nil || !row.AcceptedOn(c.at) {
		return
	}
	s := *row.Suppressed
	f.Suppressed = &s
	c.assessment.Counts[string(finding.Fail)]--
	c.assessment.Counts[finding.StatusSuppressed]++
}

// notFollowed is the message of a violation that was settled on the live
// resource alone, and whose template has not followed in its term.
func notFollowed(message string, by time.Time) string {
	const mark = " (the live resource was changed, and the template was to follow until "
	message, _, _ = strings.Cut(message, mark)
	return message + mark + by.UTC().Format(time.DateOnly) + ")"
}

// missing ends the row of a violation that this scan does not see, if the scan
// was able to see it.
func (c *comparison) missing(r finding.Record) {
	switch {
	case r.State == finding.Resolved && r.LastSeen.Equal(c.at): // this scan's own write, met again
		c.resolved(r)
		return
	case r.State == finding.Resolved:
		return
	case c.gone && (c.target.Path == "" || c.same(r)): // a template takes along its own findings, not those of another of the same stack name
	case !c.same(r), c.broken, slices.Contains(c.partial, r.Domain):
		if r.State.Active() {
			c.left(r)
		}
		return
	case c.inForce != nil && !c.inForce(r.Rule):
		if r.State != finding.Suppressed {
			if r.State.Active() {
				c.settled(r)
			}
			r.State, r.LastSeen = finding.Suppressed, c.at
			r.Suppressed = &finding.Suppression{Reason: "the rule is no longer in force", Source: "rules"}
			c.changes.Records = append(c.changes.Records, r)
		}
		return
	}
	r.State, r.LastSeen, r.ExpiresAt = finding.Resolved, c.at, c.at.Add(finding.Retention)
	c.resolved(r)
}

// asked notes which frameworks ask for a rule.
func (c *comparison) asked(rule string) {
	if _, noted := c.changes.Frameworks[rule]; noted || c.frameworks == nil {
		return
	}
	if c.changes.Frameworks == nil {
		c.changes.Frameworks = map[string][]string{}
	}
	c.changes.Frameworks[rule] = c.frameworks(rule)
}

// left notes a row that stays as it is, active: nothing was judged of it.
func (c *comparison) left(r finding.Record) {
	c.out.Open++
	c.changes.Left = append(c.changes.Left, r)
}

// settled notes a row, as it was, that stopped to count in silence, or that
// counts from now on for another severity or owner.
func (c *comparison) settled(r finding.Record) {
	c.out.Settled++
	c.changes.Settled = append(c.changes.Settled, r)
}

// resolved notes that the scan ends the row.
func (c *comparison) resolved(r finding.Record) {
	c.changes.Records = append(c.changes.Records, r)
	c.assessment.Resolved = append(c.assessment.Resolved, r)
	c.out.Resolved++
}

// same reports whether a row is about this very target: the stack of a known
// account and region, else the template at the same path. Two templates that
// both say "AppStack" must not resolve each other's findings.
func (c *comparison) same(r finding.Record) bool {
	if c.target.Stack != "" && c.target.Account != "" && c.target.Region != "" {
		return true
	}
	return r.Place.Template() == c.target.Template()
}
