package approval_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"plumbline/approval"
)

func TestAccept(t *testing.T) {
	day := func(s string) time.Time {
		d, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	ctx := context.Background()
	for name, tc := range map[string]struct {
		requester string
		by        []string // one after another
		until     []string
		errs      []error
		state     approval.State
		accepted  string // until; "": not
	}{
		"by another":                {"ann", []string{"bob"}, []string{"2026-06-01"}, []error{nil}, approval.Accepted, "2026-06-01"},
		"by who asked":              {"ann", []string{"ann"}, []string{"2026-06-01"}, []error{approval.ErrOwn}, approval.Waiting, ""},
		"nobody knows who asked":    {"", []string{"bob"}, []string{"2026-06-01"}, []error{nil}, approval.Waiting, ""},
		"two, nobody knows who":     {"", []string{"bob", "cleo"}, []string{"2026-06-01", "2026-05-01"}, []error{nil, nil}, approval.Accepted, "2026-05-01"},
		"one twice":                 {"", []string{"bob", "bob"}, []string{"2026-06-01", "2026-06-01"}, []error{nil, approval.ErrTwice}, approval.Waiting, ""},
		"until yesterday":           {"ann", []string{"bob"}, []string{"2026-02-28"}, []error{approval.ErrUntil}, approval.Waiting, ""},
		"until today":               {"ann", []string{"bob"}, []string{"2026-03-01"}, []error{nil}, approval.Accepted, "2026-03-01"},
		"for longer than a year":    {"ann", []string{"bob"}, []string{"2027-03-03"}, []error{approval.ErrUntil}, approval.Waiting, ""},
		"once more after it counts": {"ann", []string{"bob", "bob"}, []string{"2026-06-01", "2026-06-01"}, []error{nil, nil}, approval.Accepted, "2026-06-01"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice()
			id := o.ask(t, tc.requester)
			var r approval.Request
			for i, by := range tc.by {
				var err error
				r, err = o.Accept(ctx, id, "plan-1", person(by), day(tc.until[i]), "the queue is empty")
				if !errors.Is(err, tc.errs[i]) || (err == nil) != (tc.errs[i] == nil) {
					t.Fatalf("%s: %v, want %v", by, err, tc.errs[i])
				}
			}
			if r.State != tc.state {
				t.Errorf("it is %s, want %s", r.State, tc.state)
			}
			needed := 1
			if tc.requester == "" {
				needed = 2
			}
			d, err := approval.Acceptance(ctx, o.ledger, "plan-1", needed, tc.requester)
			if err != nil || (d == nil) != (tc.accepted == "") || d != nil && d.Until != tc.accepted {
				t.Errorf("accepted: %+v %v", d, err)
			}
			if o.granted(t, needed, tc.requester) {
				t.Error("an acceptance grants the change")
			}
			if (len(o.flow.tokens) > 0) != (tc.state == approval.Accepted) {
				t.Errorf("the workflow was told %d times", len(o.flow.tokens))
			}
		})
	}
}

// TestNoAcceptanceAgainstADenial: who said no is not overruled by who accepts.
func TestNoAcceptanceAgainstADenial(t *testing.T) {
	o, ctx := newOffice(), context.Background()
	id := o.ask(t, "")
	until := o.clock.AddDate(0, 1, 0)
	if _, err := o.Accept(ctx, id, "plan-1", person("bob"), until, "so be it"); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Decide(ctx, id, "plan-1", person("cleo"), false, "no"); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Accept(ctx, id, "plan-1", person("dan"), until, "so be it"); !errors.Is(err, approval.ErrDecided) {
		t.Errorf("accepted after a no: %v", err)
	}
	if d, err := approval.Acceptance(ctx, o.ledger, "plan-1", 1, ""); err != nil || d != nil {
		t.Errorf("%+v %v", d, err)
	}
}
