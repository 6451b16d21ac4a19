package approval_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/approval"
	"plumbline/ledger"
)

// told is a workflow that notes what it was told, and may not be there.
type told struct {
	mu     sync.Mutex
	tokens []string
	down   bool
}

func (c *told) Decided(_ context.Context, token string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.down {
		return errors.New("no connection")
	}
	c.tokens = append(c.tokens, token)
	return nil
}

type office struct {
	*approval.Desk
	store  *approval.Memory
	ledger *ledger.Memory
	flow   *told
	clock  time.Time
}

func newOffice() *office {
	o := &office{store: &approval.Memory{}, ledger: &ledger.Memory{}, flow: &told{}, clock: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
	now := func() time.Time { return o.clock }
	o.Desk = &approval.Desk{Store: o.store, Ledger: &ledger.Ledger{Store: o.ledger, Now: now}, Callback: o.flow, Now: now}
	return o
}

func (o *office) ask(t *testing.T, requester string) string {
	t.Helper()
	id, err := o.Ask(context.Background(), approval.Request{Plan: "plan-1", Requester: requester, Groups: []string{"security"}, Expires: o.clock.Add(72 * time.Hour), Token: "secret-token"}, map[string]string{"rule": "r"})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func person(name string) approval.Person {
	return approval.Person{Name: name, Groups: []string{"staff", "security"}}
}

func (o *office) granted(t *testing.T, needed int, requester string) bool {
	t.Helper()
	ok, err := approval.Granted(context.Background(), o.ledger, "plan-1", needed, requester)
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

func TestDecide(t *testing.T) {
	type try struct {
		plan    string
		by      approval.Person
		approve bool
		reason  string
		after   time.Duration
		want    error // nil: it counts
	}
	yes := func(name string) try { return try{"plan-1", person(name), true, "seen", 0, nil} }
	no := func(name string) try { return try{"plan-1", person(name), false, "traffic", 0, nil} }
	but := func(x try, change func(*try), want error) try { change(&x); x.want = want; return x }
	for _, row := range []struct {
		name, requester string
		tries           []try
		state           approval.State
		granted         bool
		told            int
	}{
		{"approved", "ann", []try{yes("bob")}, approval.Approved, true, 1},
		{"denied", "ann", []try{no("bob")}, approval.Denied, false, 1},
		{"by who asked", "ann", []try{but(yes("ann"), func(*try) {}, approval.ErrOwn)}, approval.Waiting, false, 0},
		{"by nobody", "ann", []try{but(yes(" "), func(*try) {}, approval.ErrNobody)}, approval.Waiting, false, 0},
		{"another plan", "ann", []try{but(yes("bob"), func(x *try) { x.plan = "plan-2" }, approval.ErrOtherPlan)}, approval.Waiting, false, 0},
		{"no reason", "ann", []try{but(yes("bob"), func(x *try) { x.reason = " \n" }, approval.ErrReason)}, approval.Waiting, false, 0},
		{"a reason without end", "ann", []try{but(yes("bob"), func(x *try) { x.reason = strings.Repeat("x", approval.MaxReason+1) }, approval.ErrReason)}, approval.Waiting, false, 0},
		{"not of the group", "ann", []try{but(yes("bob"), func(x *try) { x.by.Groups = []string{"staff"} }, approval.ErrGroup)}, approval.Waiting, false, 0},
		{"too late", "ann", []try{but(yes("bob"), func(x *try) { x.after = 72 * time.Hour }, approval.ErrExpired), but(yes("bob"), func(*try) {}, approval.ErrExpired)}, approval.Expired, false, 1},
		{"in the last moment", "ann", []try{but(yes("bob"), func(x *try) { x.after = 72*time.Hour - time.Millisecond }, nil)}, approval.Approved, true, 1},
		{"again", "ann", []try{yes("bob"), yes("bob")}, approval.Approved, true, 1},
		{"the other way after", "ann", []try{yes("bob"), but(no("bob"), func(*try) {}, approval.ErrDecided), but(no("cleo"), func(*try) {}, approval.ErrDecided)}, approval.Approved, true, 1},
		{"yes after no", "ann", []try{no("bob"), but(yes("cleo"), func(*try) {}, approval.ErrDecided)}, approval.Denied, false, 1},
		{"one of two", "", []try{yes("bob")}, approval.Waiting, false, 0},
		{"one person twice", "", []try{yes("bob"), but(yes("bob"), func(*try) {}, approval.ErrTwice)}, approval.Waiting, false, 0},
		{"two of two", "", []try{yes("bob"), yes("cleo")}, approval.Approved, true, 1},
		{"one of two says no", "", []try{yes("bob"), no("cleo")}, approval.Denied, false, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			o := newOffice()
			id := o.ask(t, row.requester)
			for i, x := range row.tries {
				o.clock = o.clock.Add(x.after)
				_, err := o.Decide(context.Background(), id, x.plan, x.by, x.approve, x.reason)
				if !errors.Is(err, x.want) || (x.want == nil && err != nil) {
					t.Errorf("try %d: error %v, want %v", i+1, err, x.want)
				}
			}
			r, err := o.Show(context.Background(), id)
			if err != nil {
				t.Fatal(err)
			}
			if r.State != row.state || len(o.flow.tokens) != row.told {
				t.Errorf("state %s, told %d times; want %s, %d", r.State, len(o.flow.tokens), row.state, row.told)
			}
			if got := o.granted(t, r.Needed(), row.requester); got != row.granted {
				t.Errorf("the ledger grants it: %v, want %v", got, row.granted)
			}
			if _, err := ledger.Verify(o.ledger.Entries(context.Background(), 1), nil); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestGuessedIDs: what is stored does not open a request, nor does anything like an id.
func TestGuessedIDs(t *testing.T) {
	o := newOffice()
	id := o.ask(t, "ann")
	for _, guess := range []string{"", approval.Hashed(id), id[:len(id)-1], id + "A", strings.ToLower(id) + "_", "secret-token"} {
		if _, err := o.Decide(context.Background(), guess, "plan-1", person("bob"), true, "x"); !errors.Is(err, approval.ErrUnknown) {
			t.Errorf("%q: %v", guess, err)
		}
	}
}

// TestLostCallback: a decision whose workflow could not be told is finished by
// the same decision once more, or by the sweep, and told once.
func TestLostCallback(t *testing.T) {
	for _, finish := range []string{"decide", "sweep"} {
		t.Run(finish, func(t *testing.T) {
			o := newOffice()
			id := o.ask(t, "ann")
			o.flow.down = true
			if _, err := o.Decide(context.Background(), id, "plan-1", person("bob"), true, "seen"); err == nil {
				t.Fatal("no error although the workflow was not told")
			}
			if !o.granted(t, 1, "ann") {
				t.Fatal("the decision is lost")
			}
			if _, err := o.Sweep(context.Background()); err == nil {
				t.Error("the sweep does not say that the workflow cannot be told")
			}
			o.flow.down = false
			if finish == "decide" {
				if _, err := o.Decide(context.Background(), id, "plan-1", person("bob"), true, "again"); err != nil {
					t.Fatal(err)
				}
			}
			for range 2 {
				if _, err := o.Sweep(context.Background()); err != nil {
					t.Fatal(err)
				}
			}
			if len(o.flow.tokens) != 1 {
				t.Errorf("told %d times", len(o.flow.tokens))
			}
			if n, err := ledger.Verify(o.ledger.Entries(context.Background(), 1), nil); n != 2 || err != nil {
				t.Errorf("%d entries, %v", n, err)
			}
		})
	}
}

// TestSweep: half of the time over, one reminder; all of it over, no.
func TestSweep(t *testing.T) {
	o := newOffice()
	id := o.ask(t, "ann")
	for _, step := range []struct {
		after    time.Duration
		reminded int
		state    approval.State
	}{{35 * time.Hour, 0, approval.Waiting}, {time.Hour, 1, approval.Waiting}, {time.Hour, 0, approval.Waiting}, {35 * time.Hour, 0, approval.Expired}, {time.Hour, 0, approval.Expired}} {
		o.clock = o.clock.Add(step.after)
		if err := o.Settle(context.Background()); err != nil { // it uses up no reminder
			t.Fatal(err)
		}
		due, err := o.Sweep(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		r, err := o.Show(context.Background(), id)
		if err != nil {
			t.Fatal(err)
		}
		if len(due) != step.reminded || r.State != step.state {
			t.Errorf("after %v: %d reminders, %s", step.after, len(due), r.State)
		}
	}
	if len(o.flow.tokens) != 1 {
		t.Errorf("told %d times", len(o.flow.tokens))
	}
}

// TestTogether: of many who decide at once, exactly one outcome is told.
func TestTogether(t *testing.T) {
	for range 20 {
		o := newOffice()
		id := o.ask(t, "")
		var wg sync.WaitGroup
		for i, name := range []string{"bob", "cleo", "dan", "eve"} {
			wg.Go(func() {
				_, err := o.Decide(context.Background(), id, "plan-1", person(name), i%2 == 0, "x")
				if err != nil && !errors.Is(err, approval.ErrDecided) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		r, err := o.Show(context.Background(), id)
		if err != nil || r.State == approval.Waiting || len(o.flow.tokens) != 1 {
			t.Fatalf("state %s, told %d times, %v", r.State, len(o.flow.tokens), err)
		}
		if got := o.granted(t, 2, ""); got != (r.State == approval.Approved) {
			t.Fatalf("state %s and the ledger grants it: %v", r.State, got)
		}
	}
}

// TestAskAgain: a workflow that did not hear that it had asked asks again. The
// first id decides nothing any more, and only the second token is told.
func TestAskAgain(t *testing.T) {
	o := newOffice()
	ctx := context.Background()
	r := approval.Request{Plan: "plan-1", Execution: "x", Requester: "ann", Token: "first", Expires: o.clock.Add(time.Hour)}
	first, err := o.Ask(ctx, r, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Token = "second"
	second, err := o.Ask(ctx, r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Decide(ctx, first, "plan-1", person("bob"), true, "x"); !errors.Is(err, approval.ErrDecided) {
		t.Errorf("the first id decides: %v", err)
	}
	if _, err := o.Decide(ctx, second, "plan-1", person("bob"), true, "x"); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"second"}, o.flow.tokens); diff != "" {
		t.Errorf("tokens told (-want +got)\n%s", diff)
	}
}

// TestAskRefuses: one question a plan, and time to answer it.
func TestAskRefuses(t *testing.T) {
	o := newOffice()
	o.ask(t, "ann")
	if _, err := o.Ask(context.Background(), approval.Request{Plan: "plan-1", Expires: o.clock.Add(time.Hour)}, nil); !errors.Is(err, approval.ErrConflict) {
		t.Errorf("a second question about one plan: %v", err)
	}
	if _, err := o.Ask(context.Background(), approval.Request{Plan: "plan-2", Expires: o.clock}, nil); err == nil {
		t.Error("a request that expires at once was taken")
	}
}
