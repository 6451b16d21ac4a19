package approval_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"testing"
	"time"

	"plumbline/approval"
	"plumbline/ledger"
)

var errFault = errors.New("the connection is lost")

// faults numbers the calls that a desk makes of what is around it, and loses
// some: before they are made, or their answer.
type faults struct {
	plan  map[int]bool // by number of the call: true, the answer is lost; false, the call
	calls int
}

func (f *faults) do(call func() error) error {
	f.calls++
	lost, hit := f.plan[f.calls]
	if hit && !lost {
		return errFault
	}
	if err := call(); err != nil {
		return err
	}
	if hit {
		return errFault
	}
	return nil
}

// shaky are the stores and the workflow with faults.
type shaky struct {
	*office
	*faults
	early bool // the workflow was told before the ledger had the decision
}

func (s *shaky) Add(ctx context.Context, r approval.Stored) error {
	return s.do(func() error { return s.store.Add(ctx, r) })
}

func (s *shaky) Find(ctx context.Context, id string) (r approval.Stored, err error) {
	err = s.do(func() error { r, err = s.store.Find(ctx, id); return err })
	return r, err
}

func (s *shaky) Save(ctx context.Context, r approval.Stored) error {
	return s.do(func() error { return s.store.Save(ctx, r) })
}

func (s *shaky) Open(ctx context.Context) iter.Seq2[approval.Stored, error] {
	if err := s.do(func() error { return nil }); err != nil {
		return func(yield func(approval.Stored, error) bool) { yield(approval.Stored{}, err) }
	}
	return s.store.Open(ctx)
}

func (s *shaky) Decided(ctx context.Context, token string) error {
	return s.do(func() error {
		told := false
		for e, err := range s.ledger.OfPlan(ctx, "plan-1") {
			told = told || err == nil && (e.Kind == ledger.Decided || e.Kind == ledger.Expired)
		}
		s.early = s.early || !told
		return s.flow.Decided(ctx, token)
	})
}

// shakyLedger is the ledger's store with the same faults.
type shakyLedger struct {
	*ledger.Memory
	*faults
}

func (l shakyLedger) Append(ctx context.Context, e ledger.Entry) error {
	return l.do(func() error { return l.Memory.Append(ctx, e) })
}

func (l shakyLedger) Last(ctx context.Context) (e ledger.Entry, err error) {
	err = l.do(func() error { e, err = l.Memory.Last(ctx); return err })
	return e, err
}

func (l shakyLedger) OfPlan(ctx context.Context, plan string) iter.Seq2[ledger.Entry, error] {
	if err := l.do(func() error { return nil }); err != nil {
		return func(yield func(ledger.Entry, error) bool) { yield(ledger.Entry{}, err) }
	}
	return l.Memory.OfPlan(ctx, plan)
}

// story is one way in which a request is decided and finished.
type story struct {
	name   string
	act    func(ctx context.Context, d *approval.Desk, o *office, id string) error // under faults
	finish func(ctx context.Context, d *approval.Desk, o *office, id string) error // without
	state  approval.State
	grants bool
}

func stories() []story {
	say := func(approve bool) func(context.Context, *approval.Desk, *office, string) error {
		return func(ctx context.Context, d *approval.Desk, _ *office, id string) error {
			_, err := d.Decide(ctx, id, "plan-1", person("bob"), approve, "seen")
			return err
		}
	}
	sweep := func(ctx context.Context, d *approval.Desk, _ *office, _ string) error {
		_, err := d.Sweep(ctx)
		return err
	}
	later := func(ctx context.Context, d *approval.Desk, o *office, _ string) error {
		o.clock = o.clock.Add(73 * time.Hour)
		_, err := d.Sweep(ctx)
		return err
	}
	again := func(act, then func(context.Context, *approval.Desk, *office, string) error) func(context.Context, *approval.Desk, *office, string) error {
		return func(ctx context.Context, d *approval.Desk, o *office, id string) error {
			return errors.Join(act(ctx, d, o, id), then(ctx, d, o, id))
		}
	}
	return []story{
		{"yes, and a second POST", say(true), say(true), approval.Approved, true},
		{"no, and a second POST", say(false), say(false), approval.Denied, false},
		{"yes, a second POST and a sweep", again(say(true), sweep), say(true), approval.Approved, true},
		{"too late, and a sweep", later, sweep, approval.Expired, false},
	}
}

// play acts under a plan of faults, finishes, and says what does not hold. A
// sweep alone finishes what the store has; what it never got, people send again.
func play(s story, plan map[int]bool) (calls int, err error) {
	o := newOffice()
	ctx := context.Background()
	id, err := o.Ask(ctx, approval.Request{Plan: "plan-1", Requester: "ann", Groups: []string{"security"}, Expires: o.clock.Add(72 * time.Hour), Token: "secret-token"}, nil)
	if err != nil {
		return 0, err
	}
	f := &faults{plan: plan}
	around := &shaky{office: o, faults: f}
	desk := &approval.Desk{Store: around, Ledger: &ledger.Ledger{Store: shakyLedger{o.ledger, f}, Now: o.Now}, Callback: around, Now: o.Now}
	// What these say is checked by what they leave: a decision, then a sweep and
	// another attempt, which faults may hit as well.
	_ = s.act(ctx, desk, o, id)
	_, _ = desk.Sweep(ctx)
	_ = s.finish(ctx, desk, o, id)
	calls = f.calls
	f.plan = nil
	if _, err := desk.Sweep(ctx); err != nil {
		return calls, fmt.Errorf("the sweep afterwards: %w", err)
	}
	swept, err := desk.Show(ctx, id)
	if err != nil {
		return calls, err
	}
	if swept.State != approval.Waiting && !swept.Told {
		return calls, fmt.Errorf("%s, and the sweep has not told the workflow", swept.State)
	}
	if err := s.finish(ctx, desk, o, id); err != nil {
		return calls, fmt.Errorf("finish it: %w", err)
	}
	r, err := desk.Show(ctx, id)
	if err != nil {
		return calls, err
	}
	granted, err := approval.Granted(ctx, o.ledger, "plan-1", 1, "ann")
	if err != nil {
		return calls, err
	}
	entries := 0
	for e, err := range o.ledger.OfPlan(ctx, "plan-1") {
		if err != nil {
			return calls, err
		}
		if e.Kind != ledger.Asked {
			entries++
		}
	}
	if _, err := ledger.Verify(o.ledger.Entries(ctx, 1), nil); err != nil {
		return calls, err
	}
	switch {
	case r.State != s.state || granted != s.grants:
		return calls, fmt.Errorf("it is %s, and granted: %v", r.State, granted)
	case len(r.Decisions) > 1:
		return calls, fmt.Errorf("%d decisions of one person", len(r.Decisions))
	case entries < 1 || entries > 3: // an entry whose answer was lost is written again, and says the same
		return calls, fmt.Errorf("%d entries in the ledger", entries)
	case len(o.flow.tokens) == 0:
		return calls, errors.New("the workflow waits for ever")
	case around.early:
		return calls, errors.New("the workflow was told before the ledger had the decision")
	}
	return calls, nil
}

// TestFaultsOfADecision takes every decision through each fault and each pair
// of faults, at every call of store, ledger and workflow: a call that is lost,
// or its answer. Afterwards it is as it would be without faults.
func TestFaultsOfADecision(t *testing.T) {
	schedules := 0
	for _, s := range stories() {
		walk := func(plan map[int]bool) int {
			t.Helper()
			schedules++
			calls, err := play(s, plan)
			if err != nil {
				t.Errorf("%s, with the faults %v: %v", s.name, plan, err)
			}
			return calls
		}
		clean := walk(nil)
		for i := 1; i <= clean; i++ {
			for _, lost := range []bool{false, true} {
				calls := walk(map[int]bool{i: lost})
				for j := i + 1; j <= calls; j++ {
					for _, too := range []bool{false, true} {
						walk(map[int]bool{i: lost, j: too})
					}
				}
			}
		}
	}
	t.Logf("%d schedules of faults", schedules)
	if schedules < 500 {
		t.Error("so few schedules explore nothing")
	}
}
