package approval

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"plumbline/ledger"
)

// Callback tells the workflow that waits for a token to go on. What it is told
// decides nothing: the state after the gate reads the ledger.
type Callback interface {
	// Decided ends the wait. A token that no longer waits is no error: it was told before.
	Decided(ctx context.Context, token string) error
}

// Desk takes requests and decisions. Safe for concurrent use, also by several
// desks on one store.
type Desk struct {
	Store    Store
	Ledger   *ledger.Ledger
	Callback Callback
	Now      func() time.Time // nil: time.Now
}

// MaxReason bounds a reason, in bytes.
const MaxReason = 2000

func (d *Desk) now() time.Time {
	if d.Now != nil {
		return d.Now().UTC()
	}
	return time.Now().UTC()
}

// Hashed is the id that a store keeps for the opaque one that a person has.
func Hashed(id string) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:])
}

// Ask opens a request and returns the opaque id for people. Asked, State and ID
// are set here. plan is kept with the question in the ledger.
func (d *Desk) Ask(ctx context.Context, r Request, plan any) (id string, err error) {
	for id == "" || id[0] == '-' { // which a command line would take for a flag
		var secret [32]byte
		if _, err := rand.Read(secret[:]); err != nil {
			return "", fmt.Errorf("ask for approval: %w", err)
		}
		id = base64.RawURLEncoding.EncodeToString(secret[:])
	}
	r.ID, r.State, r.Decisions, r.Told = Hashed(id), Waiting, nil, false
	r.Asked = d.now()
	if !r.Expires.After(r.Asked) {
		return "", fmt.Errorf("ask for approval: it would expire at %s, before it is asked", r.Expires.Format(time.RFC3339))
	}
	for range withdrawals {
		if err = d.Store.Add(ctx, Stored{Request: r}); !errors.Is(err, ErrConflict) {
			break
		}
		// The same plan waits already: who asked did not hear so, and his token has
		// changed. Nobody has two ids that decide on one plan.
		if err := d.withdraw(ctx, r); err != nil {
			return "", fmt.Errorf("ask for approval: %w", err)
		}
	}
	if err != nil {
		return "", fmt.Errorf("ask for approval: %w", err)
	}
	if _, err := d.Ledger.Append(ctx, ledger.Asked, r.Plan, r.Requester, plan); err != nil {
		return "", err
	}
	return id, nil
}

// withdrawals bounds how often Ask makes way for itself.
const withdrawals = 3

// withdraw takes back the request of a plan that waits. One of another workflow
// is ErrConflict.
func (d *Desk) withdraw(ctx context.Context, r Request) error {
	var found []Stored
	for s, err := range d.Store.Open(ctx) {
		if err != nil {
			return err
		}
		if s.Plan != r.Plan || s.State != Waiting {
			continue
		}
		if s.Execution == "" || s.Execution != r.Execution {
			return ErrConflict
		}
		found = append(found, s)
	}
	for _, s := range found {
		s.State, s.Told = Withdrawn, true
		if err := d.save(ctx, &s); err != nil && !errors.Is(err, ErrConflict) {
			return err
		}
	}
	return nil
}

// Show gives a request to whoever has its id. It changes nothing.
func (d *Desk) Show(ctx context.Context, id string) (Request, error) {
	s, err := d.Store.Find(ctx, Hashed(id))
	return s.Request, err
}

// Decide takes one person's decision on the plan of this hash: the one that
// the person was shown. The answer is the request as it stands then. A repeated
// decision of the same person finishes what was left, such as a workflow that
// was not told. The error is a *Refusal, or that of a store.
func (d *Desk) Decide(ctx context.Context, id, plan string, by Person, approve bool, reason string) (Request, error) {
	return d.DecideListed(ctx, Hashed(id), plan, by, approve, reason)
}

// DecideListed is Decide by the hashed id, for who has the store itself and hands
// out no ids: a command line, and a page that sealed the hash for one visitor.
// What takes an id from people must take Decide.
func (d *Desk) DecideListed(ctx context.Context, hashed, plan string, by Person, approve bool, reason string) (Request, error) {
	return d.take(ctx, hashed, plan, by, Decision{Approve: approve, Reason: reason})
}

func (d *Desk) take(ctx context.Context, hashed, plan string, by Person, x Decision) (Request, error) {
	for {
		s, err := d.Store.Find(ctx, hashed)
		if err != nil {
			return Request{}, err
		}
		err = d.decide(ctx, &s, plan, by, x)
		if errors.Is(err, ErrConflict) {
			continue // somebody else decided meanwhile: look again
		}
		return s.Request, err
	}
}

func (d *Desk) decide(ctx context.Context, s *Stored, plan string, by Person, x Decision) error {
	now := d.now()
	x.By, x.Reason, x.At = by.Name, strings.TrimSpace(x.Reason), now
	switch {
	case strings.TrimSpace(by.Name) == "":
		return refuse(ErrNobody, "who decides is not known. sign in first")
	case plan != s.Plan:
		return refuse(ErrOtherPlan, "the plan that was shown is no longer the one that is asked about. look at it again")
	case s.State == Waiting && !now.Before(s.Expires):
		if err := d.expire(ctx, s); err != nil {
			return err
		}
		return refuse(ErrExpired, "the request expired at %s, which means no", s.Expires.Format(time.RFC3339))
	case s.State != Waiting:
		if s.said(x) {
			return d.tell(ctx, s) // the same decision once more: finish it
		}
		if s.State == Expired {
			return refuse(ErrExpired, "the request expired at %s, which means no", s.Expires.Format(time.RFC3339))
		}
		return refuse(ErrDecided, "the request is %s already", s.State)
	}
	if err := s.Bars(by); err != nil {
		return err
	}
	switch {
	case x.Reason == "":
		return refuse(ErrReason, "a decision needs a reason")
	case len(x.Reason) > MaxReason || !utf8.ValidString(x.Reason):
		return refuse(ErrReason, "a reason is text of up to %d bytes", MaxReason)
	}
	if x.Accept {
		if err := endsInTime(x.Until, now); err != nil {
			return err
		}
	}
	s.Decisions = append(slices.Clone(s.Decisions), x)
	switch {
	case x.Accept:
		if s.accepting() == 0 {
			s.State = Accepted
		}
	case !x.Approve:
		s.State = Denied
	case s.Missing() == 0:
		s.State = Approved
	}
	// The store first: it lets one of two through who decide at the same time.
	// Should the process end before the ledger has it, recorded makes up for it
	// before any workflow goes on.
	if err := d.save(ctx, s); err != nil {
		return err
	}
	if _, err := d.Ledger.Append(ctx, ledger.Decided, s.Plan, by.Name, x); err != nil {
		return err
	}
	return d.tell(ctx, s)
}

// said reports whether a person has decided so.
func (r *Request) said(x Decision) bool {
	return slices.ContainsFunc(r.Decisions, func(o Decision) bool { return o.By == x.By && o.Approve == x.Approve && o.Accept == x.Accept })
}

func (d *Desk) expire(ctx context.Context, s *Stored) error {
	s.State = Expired
	if err := d.save(ctx, s); err != nil {
		return err
	}
	if _, err := d.Ledger.Append(ctx, ledger.Expired, s.Plan, "", map[string]time.Time{"expired": s.Expires}); err != nil {
		return err
	}
	return d.tell(ctx, s)
}

func (d *Desk) save(ctx context.Context, s *Stored) error {
	if err := d.Store.Save(ctx, *s); err != nil {
		return err
	}
	s.Version++
	return nil
}

// tell lets the workflow go on, once it is decided and unless it was told.
func (d *Desk) tell(ctx context.Context, s *Stored) error {
	if s.State == Waiting || s.Told {
		return nil
	}
	if err := d.recorded(ctx, s); err != nil {
		return err
	}
	if err := d.Callback.Decided(ctx, s.Token); err != nil {
		return fmt.Errorf("the decision is kept, and the workflow was not told: %w. decide once more, or wait for the sweep", err)
	}
	s.Told = true
	return d.save(ctx, s)
}

// recorded makes up for a ledger that missed a decision which the store has: the
// process ended between the two.
func (d *Desk) recorded(ctx context.Context, s *Stored) error {
	have := map[string]bool{}
	for e, err := range d.Ledger.Store.OfPlan(ctx, s.Plan) {
		if err != nil {
			return err
		}
		if e.Kind == ledger.Decided || e.Kind == ledger.Expired {
			have[e.Actor] = true
		}
	}
	if s.State == Expired && !have[""] {
		_, err := d.Ledger.Append(ctx, ledger.Expired, s.Plan, "", map[string]time.Time{"expired": s.Expires})
		return err
	}
	for _, x := range s.Decisions {
		if !have[x.By] {
			if _, err := d.Ledger.Append(ctx, ledger.Decided, s.Plan, x.By, x); err != nil {
				return err
			}
		}
	}
	return nil
}

// Sweep ends what has expired and tells workflows that were not told. It
// returns what is due for a reminder: requests that wait, half of whose time is
// over and that nobody was reminded of; each is given once, also where two sweep
// at a time. One whose message could not be sent goes back by Forgotten.
func (d *Desk) Sweep(ctx context.Context) ([]Request, error) { return d.sweep(ctx, true) }

// Settle is Sweep without reminders: who reminds nobody uses up none.
func (d *Desk) Settle(ctx context.Context) error {
	_, err := d.sweep(ctx, false)
	return err
}

func (d *Desk) sweep(ctx context.Context, remind bool) ([]Request, error) {
	var errs []error
	var due []Request
	now := d.now()
	var open []Stored
	for s, err := range d.Store.Open(ctx) {
		if err != nil {
			return nil, err
		}
		open = append(open, s)
	}
	for _, s := range open {
		var err error
		switch {
		case s.State != Waiting:
			err = d.tell(ctx, &s)
		case !now.Before(s.Expires):
			err = d.expire(ctx, &s)
		case remind && s.Reminded.IsZero() && now.Sub(s.Asked) >= s.Expires.Sub(s.Asked)/2:
			s.Reminded = now
			if err = d.save(ctx, &s); err == nil {
				due = append(due, s.Request)
			}
		}
		if err != nil && !errors.Is(err, ErrConflict) { // who changed it saw to it
			errs = append(errs, err)
		}
	}
	return due, errors.Join(errs...)
}

// Forgotten takes back that people were reminded of a request, so that the next
// sweep gives it again. One that was decided meanwhile stays as it is.
func (d *Desk) Forgotten(ctx context.Context, r Request) error {
	s, err := d.Store.Find(ctx, r.ID)
	if err != nil || s.State != Waiting || !s.Reminded.Equal(r.Reminded) {
		return err
	}
	s.Reminded = time.Time{}
	if err := d.save(ctx, &s); !errors.Is(err, ErrConflict) {
		return err
	}
	return nil
}

// Granted reports whether the ledger holds an approval of the plan: enough
// people said yes, none no, and none of them asked for it. It is what the state
// after the gate goes by.
func Granted(ctx context.Context, l ledger.Store, plan string, needed int, requester string) (bool, error) {
	var yes []string
	for e, err := range l.OfPlan(ctx, plan) {
		if err != nil {
			return false, err
		}
		switch e.Kind {
		case ledger.Expired:
			return false, nil
		case ledger.Decided:
			var x Decision
			if err := json.Unmarshal(e.Detail, &x); err != nil {
				return false, fmt.Errorf("entry %d of the ledger: %w", e.Seq, err)
			}
			if x.Accept {
				continue // it is neither a yes nor a no to the change
			}
			if !x.Approve {
				return false, nil
			}
			if x.By == e.Actor && (requester == "" || !SamePerson(x.By, requester)) && !slices.ContainsFunc(yes, func(by string) bool { return SamePerson(by, x.By) }) {
				yes = append(yes, x.By)
			}
		}
	}
	return len(yes) >= max(needed, 1), nil
}
