package change

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"plumbline/ledger"
)

// Note is the detail of the entries that a change leaves in the ledger.
type Note struct {
	Change  string   `json:"change"`
	Outcome Outcome  `json:"outcome,omitempty"`
	Reason  string   `json:"reason,omitempty"`
	Proof   string   `json:"proof,omitempty"` // SHA-256 of the live model after it, hex
	Undo    bool     `json:"undo,omitempty"`  // of taking the change back
	End     bool     `json:"end,omitempty"`   // nothing is made by this plan after it
	Plan    *Planned `json:"plan,omitempty"`  // with Started
}

// Story is what the ledger says of one plan.
type Story struct {
	Asked, Expired time.Time // zero: not
	Denied         string    // the reason, where somebody said no
	WasDenied      bool
	WasAccepted    bool // by one person at least: whether by enough, approval.Acceptance says
	Started        bool
	GivenUp        bool // it is taken back, or was not made: nothing may be made by this plan any more
	Applied        bool
	Undoing        bool // an undo was asked for
	Undone         bool
	Ended          *Note // how it ended; nil: it has not

	entries []ledger.Entry
}

// Tell reads what a ledger holds of a plan.
func Tell(ctx context.Context, from ledger.Store, plan string) (*Story, error) {
	s := &Story{}
	for e, err := range from.OfPlan(ctx, plan) {
		if err != nil {
			return nil, fmt.Errorf("read the ledger of plan %s: %w", plan, err)
		}
		s.entries = append(s.entries, e)
		var n Note
		switch e.Kind {
		case ledger.Asked:
			s.Asked = e.Time
		case ledger.Expired:
			s.Expired = e.Time
		case ledger.Decided:
			var d struct {
				Approve, Accept bool
				Reason          string
			}
			if err := json.Unmarshal(e.Detail, &d); err != nil {
				return nil, fmt.Errorf("entry %d of the ledger: %w", e.Seq, err)
			}
			s.WasAccepted = s.WasAccepted || d.Accept
			if !d.Approve && !d.Accept {
				s.WasDenied, s.Denied = true, d.Reason
			}
		case ledger.Started, ledger.Applied, ledger.Verified, ledger.Undone, ledger.Failed:
			if err := json.Unmarshal(e.Detail, &n); err != nil {
				return nil, fmt.Errorf("entry %d of the ledger: %w", e.Seq, err)
			}
			s.Started = s.Started || e.Kind == ledger.Started
			s.GivenUp = s.GivenUp || e.Kind == ledger.Failed || e.Kind == ledger.Undone
			s.Applied = s.Applied || e.Kind == ledger.Applied
			s.Undoing = s.Undoing || e.Kind == ledger.Failed && n.Undo
			s.Undone = s.Undone || e.Kind == ledger.Undone
			if n.End {
				s.Ended = &n
			}
		}
	}
	return s, nil
}

// Write appends an entry of a kind about a plan, unless the ledger has one that
// says the same: a task that is called again leaves no second one.
func Write(ctx context.Context, l *ledger.Ledger, s *Story, kind ledger.Kind, plan, actor string, n Note) error {
	src, err := json.Marshal(n)
	if err != nil {
		return err
	}
	for _, e := range s.entries {
		if e.Kind == kind && string(e.Detail) == string(src) {
			return nil
		}
	}
	e, err := l.Append(ctx, kind, plan, actor, n)
	if err == nil {
		s.entries = append(s.entries, e)
	}
	return err
}

// Entries are what the ledger holds of the plan, oldest first.
func (s *Story) Entries() []ledger.Entry { return s.entries }
