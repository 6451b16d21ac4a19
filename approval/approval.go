// Package approval lets a person decide on a planned change. A request is bound
// to the hash of the plan that is shown, and what was decided stands in the
// ledger: the workflow that waits is told to go on, and reads the decision there.
package approval

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"plumbline/finding"
)

// Request is one question to the people who may decide.
type Request struct {
	ID        string // SHA-256 of the opaque id that people are given, hex: who reads the store cannot decide
	Plan      string // hash of the plan
	Rule      string
	Severity  finding.Severity
	Resource  finding.Resource
	Execution string // of the workflow that waits

	// Requester asked for the change: a person, or for a machine's request the
	// stack's last deployer. "" : not known, so two people must approve.
	Requester string
	Groups    []string // one of these may decide; empty: nobody is asked for a group
	Asked     time.Time
	Expires   time.Time
	Reminded  time.Time // zero: not yet

	State     State
	Decisions []Decision
	Told      bool // the workflow has heard of the outcome

	// Token is the workflow's. It stays here: it is in no page, message, log or address.
	Token string `json:"-"`
}

// State is how a request stands.
type State string

// The states of a request.
const (
	Waiting  State = "waiting"
	Approved State = "approved"
	Denied   State = "denied"
	Expired  State = "expired" // nobody decided in time, which means no
	// Accepted: the violation is left as it is, until a day. Nothing is changed.
	Accepted State = "accepted"
	// Withdrawn: the same question is asked again under another id, as the answer
	// to the first asking was lost on its way.
	Withdrawn State = "withdrawn"
)

// Decision is one person's word.
type Decision struct {
	By      string // verified identity
	Approve bool
	Accept  bool `json:",omitempty"` // instead of a change: the violation does not count until a day
	Reason  string
	At      time.Time
	Until   string `json:",omitempty"` // with Accept: the last day on which it does not count, YYYY-MM-DD
}

// Person is who decides, as an identity provider vouches for.
type Person struct {
	Name   string // unique and verified: the subject or mail address of the token
	Groups []string
}

// Needed is how many people must approve.
func (r *Request) Needed() int {
	if r.Requester == "" {
		return 2
	}
	return 1
}

// Missing is how many more people must approve; 0 once it is decided.
func (r *Request) Missing() int {
	if r.State != Waiting {
		return 0
	}
	n := r.Needed()
	for _, d := range r.Decisions {
		if d.Approve {
			n--
		}
	}
	return max(n, 0)
}

// accepting is how many more people must accept the violation; 0: enough did.
func (r *Request) accepting() int {
	n := r.Needed()
	for _, d := range r.Decisions {
		if d.Accept {
			n--
		}
	}
	return max(n, 0)
}

// Refusal says why a decision does not count. Nothing has changed.
type Refusal struct {
	Kind   error // one of the errors below
	Reason string
}

func (r *Refusal) Error() string { return r.Reason }
func (r *Refusal) Unwrap() error { return r.Kind }

// Why a decision is refused.
var (
	ErrUnknown   = errors.New("there is no such request")
	ErrDecided   = errors.New("the request is decided")
	ErrExpired   = errors.New("the request has expired")
	ErrOtherPlan = errors.New("the decision is about another plan")
	ErrOwn       = errors.New("nobody decides on a change of their own")
	ErrTwice     = errors.New("one person counts once")
	ErrGroup     = errors.New("the person is in none of the groups that may decide")
	ErrReason    = errors.New("a decision needs a reason")
	ErrUntil     = errors.New("an acceptance needs a day on which it ends")
	ErrNobody    = errors.New("the person is not known")
	ErrConflict  = errors.New("the request was changed meanwhile")
)

func refuse(kind error, format string, args ...any) error {
	return &Refusal{kind, fmt.Sprintf(format, args...)}
}

// Store keeps requests. Save stores a request whose Version is that of the
// stored one and counts it up, or reports ErrConflict. Safe for concurrent use.
type Store interface {
	// Add stores a new request; a second one of the same plan that still waits
	// is ErrConflict.
	Add(ctx context.Context, r Stored) error
	// Find gives the request of a hashed id, or ErrUnknown.
	Find(ctx context.Context, id string) (Stored, error)
	Save(ctx context.Context, r Stored) error
	// Open gives those that wait, and those whose workflow has not been told.
	Open(ctx context.Context) iter.Seq2[Stored, error]
}

// Stored is a request as a store keeps it.
type Stored struct {
	Request
	Version int64
}
