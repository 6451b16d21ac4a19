package approval

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"plumbline/ledger"
)

// MaxAcceptance is the longest that a violation may be left as it is by one
// decision: a year, in which PCI DSS has a targeted risk analysis repeated
// (v4.0.1, 12.3.1).
const MaxAcceptance = 366 * 24 * time.Hour

// Accept takes one person's word that the violation is to be left as it is:
// nothing is changed, and it does not count up to and with a day. As many people
// must accept as would have to approve. Else it is as Decide.
func (d *Desk) Accept(ctx context.Context, id, plan string, by Person, until time.Time, reason string) (Request, error) {
	return d.AcceptListed(ctx, Hashed(id), plan, by, until, reason)
}

// AcceptListed is to Accept what DecideListed is to Decide.
func (d *Desk) AcceptListed(ctx context.Context, hashed, plan string, by Person, until time.Time, reason string) (Request, error) {
	return d.take(ctx, hashed, plan, by, Decision{Accept: true, Until: until.UTC().Format(time.DateOnly), Reason: reason})
}

// endsInTime refuses an acceptance that is over, or that outlasts MaxAcceptance.
func endsInTime(until string, now time.Time) error {
	day, err := time.Parse(time.DateOnly, until)
	switch today := now.UTC().Truncate(24 * time.Hour); {
	case err != nil:
		return refuse(ErrUntil, "an acceptance needs the day on which it ends, as YYYY-MM-DD; got %q", until)
	case day.Before(today):
		return refuse(ErrUntil, "an acceptance until %s is over already", until)
	case day.Sub(today) > MaxAcceptance:
		return refuse(ErrUntil, "an acceptance until %s is longer than a year. look at it again by then", until)
	}
	return nil
}

// Acceptance is what the ledger holds of people who leave the violation of a
// plan as it is; nil where not enough of them do, or somebody said no to it.
// Of several, By lists all, and Until is the earliest of their days.
func Acceptance(ctx context.Context, l ledger.Store, plan string, needed int, requester string) (*Decision, error) {
	var all *Decision
	var by []string
	for e, err := range l.OfPlan(ctx, plan) {
		if err != nil {
			return nil, err
		}
		switch e.Kind {
		case ledger.Expired:
			return nil, nil
		case ledger.Decided:
			var x Decision
			if err := json.Unmarshal(e.Detail, &x); err != nil {
				return nil, fmt.Errorf("entry %d of the ledger: %w", e.Seq, err)
			}
			switch {
			case x.Accept && x.By == e.Actor && (requester == "" || !SamePerson(x.By, requester)) && !slices.ContainsFunc(by, func(o string) bool { return SamePerson(o, x.By) }):
				by = append(by, x.By)
				if all == nil {
					all = &x
					continue
				}
				all.By, all.At = all.By+", "+x.By, x.At
				if x.Reason != all.Reason {
					all.Reason += "; " + x.Reason
				}
				all.Until = min(all.Until, x.Until)
			case !x.Accept && !x.Approve:
				return nil, nil
			}
		}
	}
	if len(by) < max(needed, 1) {
		return nil, nil
	}
	return all, nil
}
