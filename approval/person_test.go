package approval_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"plumbline/approval"
)

func TestSamePerson(t *testing.T) {
	const session = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Deploy_0123456789abcdef/ann@example.com"
	for _, row := range []struct {
		a, b string
		want bool
	}{
		{"ann", "ann", true}, {"ann", "bob", false}, {"ann", "Ann ", true},
		{session, "ann@example.com", true}, {session, "arn:aws:iam::111122223333:user/ann@example.com", true},
		{session, "bob@example.com", false}, {"team/ann", "ann", false}, // only an ARN has a short name
	} {
		if got := approval.SamePerson(row.a, row.b); got != row.want {
			t.Errorf("%q and %q: %v", row.a, row.b, got)
		}
	}
}

// TestOnePersonOfTwoNames neither decides on a change that they asked for under
// the other name, nor counts as two.
func TestOnePersonOfTwoNames(t *testing.T) {
	const ann, bob = "arn:aws:sts::111122223333:assumed-role/Deploy/ann@example.com", "arn:aws:sts::111122223333:assumed-role/Deploy/bob@example.com"
	o := newOffice()
	id := o.ask(t, ann)
	if _, err := o.Decide(context.Background(), id, "plan-1", person("ann@example.com"), true, "x"); !errors.Is(err, approval.ErrOwn) {
		t.Errorf("who asked decides: %v", err)
	}
	o = newOffice()
	id = o.ask(t, "")
	if _, err := o.Decide(context.Background(), id, "plan-1", person("bob@example.com"), true, "x"); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Decide(context.Background(), id, "plan-1", person(bob), true, "x"); !errors.Is(err, approval.ErrTwice) {
		t.Errorf("one person counts twice: %v", err)
	}
	if o.granted(t, 2, "") {
		t.Error("the ledger grants it")
	}
}

// TestForgotten: a reminder that was not sent is due again.
func TestForgotten(t *testing.T) {
	o := newOffice()
	o.ask(t, "ann")
	o.clock = o.clock.Add(40 * time.Hour)
	for i := range 2 {
		due, err := o.Sweep(context.Background())
		if err != nil || len(due) != 1 {
			t.Fatalf("sweep %d: %d reminders, %v", i+1, len(due), err)
		}
		if err := o.Forgotten(context.Background(), due[0]); err != nil {
			t.Fatal(err)
		}
	}
}
