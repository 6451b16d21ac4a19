package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"plumbline/scan"
)

func estate(t *testing.T, o options) *result {
	t.Helper()
	r, err := run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestEstate: an estate is swept within the limits of its accounts, nothing is
// lost, and stacks that change meanwhile are scanned meanwhile.
func TestEstate(t *testing.T) {
	r := estate(t, options{accounts: 3, stacks: 150, concurrency: five, first: true, events: 10})
	if r.targets != 150 || len(r.scans) != 150 || len(r.events) != 30 || r.lost != 0 || r.unsuccessful != 0 {
		t.Errorf("%d of %d stacks scanned, %d of 30 that changed, %d lost, %d executions did not succeed", len(r.scans), r.targets, len(r.events), r.lost, r.unsuccessful)
	}
	if r.unread > r.resources/1000 {
		t.Errorf("%d of %d resources were not read in time", r.unread, r.resources)
	}
	within(t, r)
	if first, last := r.events[0], share(r.events, 1); first <= 0 || last > 2*time.Minute || last > r.sweep[0] {
		t.Errorf("stacks that changed were scanned after %v to %v; the sweep took %v", first, last, r.sweep[0])
	}
	again := estate(t, options{accounts: 3, stacks: 150, concurrency: five, first: true, events: 10})
	if diff := cmp.Diff(r, again, cmp.AllowUnexported(result{}, cost{}), cmpopts.IgnoreFields(result{}, "took")); diff != "" {
		t.Errorf("two runs differ:\n%s", diff)
	}
}

// within holds a run to the limits.
func within(t *testing.T, r *result) {
	t.Helper()
	for _, x := range []struct {
		what      string
		got, most int
	}{
		{"CloudFormation", r.stacks, readStacks.perSecond}, {"Cloud Control", r.cloud, readResources.perSecond},
		{"the table", r.table, writeTable.perSecond}, {"an index", r.index, writeIndex.perSecond},
		{"starts", r.starts, startStandard.perSecond}, {"transitions", r.transitions, transitions.perSecond}, {"functions", r.functions, concurrentCalls},
	} {
		if x.got > x.most || x.got == 0 {
			t.Errorf("%s: %d in the busiest second, the limit is %d", x.what, x.got, x.most)
		}
	}
}

// TestNoAccountStarves: an account with half of the estate takes the time of
// no other.
func TestNoAccountStarves(t *testing.T) {
	r := estate(t, options{accounts: 5, stacks: 400, skewed: true, concurrency: five, first: true})
	alone := estate(t, options{accounts: 1, stacks: 50, concurrency: five, first: true})
	for _, took := range r.sweep[:4] {
		if took > alone.sweep[0]*5/4 {
			t.Errorf("an account of 50 stacks took %v, alone %v", took, alone.sweep[0])
		}
	}
	if len(r.sweep) != 5 || r.sweep[4] < 3*alone.sweep[0] || r.lost != 0 {
		t.Errorf("sweeps took %v, %d lost", r.sweep, r.lost)
	}
	within(t, r)
}

// TestLimitsAreFelt: where more is asked than there is, calls are refused, and
// what could not be had is counted.
func TestLimitsAreFelt(t *testing.T) {
	r := estate(t, options{accounts: 1, stacks: 250, concurrency: 40, first: true, events: 250, functions: 60})
	if r.refused["Lambda"] == 0 || r.refused["CloudFormation"] == 0 || r.refused["Cloud Control"] == 0 {
		t.Errorf("refused %v", r.refused)
	}
	if r.lost == 0 || r.unread == 0 || r.unsuccessful == 0 {
		t.Errorf("250 stacks change at once: %d lost, %d not read, %d executions did not succeed", r.lost, r.unread, r.unsuccessful)
	}
	if r.functions > 60 || r.cloud > readResources.perSecond {
		t.Errorf("%d functions at once, %d calls in the busiest second", r.functions, r.cloud)
	}
}

// TestThousands is the estate of docs/scale.md; `make scale` runs it.
func TestThousands(t *testing.T) {
	if os.Getenv("SCALE") == "" {
		t.Skip("10,000 stacks take some seconds. set SCALE=1, or run make scale")
	}
	r := estate(t, options{accounts: 20, stacks: 10000, concurrency: five, first: true, events: 20})
	if r.lost != 0 || r.unsuccessful != 0 || len(r.scans) != 10000 || len(r.events) != 400 {
		t.Errorf("%d of 10,000 stacks scanned, %d of 400 that changed, %d lost", len(r.scans), len(r.events), r.lost)
	}
	within(t, r)
	t.Logf("in %v", r.took.Round(time.Millisecond))
}

func TestCalendar(t *testing.T) {
	c := newCalendar(limit{perSecond: 25}, 1)
	var taken []time.Duration
	for at := time.Duration(0); at < 3*time.Second; at += 7 * time.Millisecond {
		if c.take(at, 1) {
			taken = append(taken, at)
		}
	}
	if len(taken) != 75 || c.busiest() != 25 || c.made != 75 || c.refused != 354 {
		t.Errorf("%d taken, %d made, %d refused, %d in the busiest second", len(taken), c.made, c.refused, c.busiest())
	}
	if c.take(0, 1) {
		t.Error("a slot that is full takes another")
	}
	if !newCalendar(limit{perSecond: 25}, 2).take(0, 10) || newCalendar(limit{perSecond: 25}, 1).take(0, 6) {
		t.Error("a call of several units")
	}
}

// TestSizes: the mean is what the page says.
func TestSizes(t *testing.T) {
	total := 0
	for n := range 4000 {
		total += size(scan.Target{Account: "111122223333", Stack: fmt.Sprint("s", n)})
	}
	mean := float64(total) / 4000
	if mean < 28 || mean > 32 {
		t.Errorf("a stack has %.1f resources in the mean", mean)
	}
}

// TestPageIsCurrent: a state more in a workflow, or another time-out, is another
// figure in the page. One line stands for all.
func TestPageIsCurrent(t *testing.T) {
	w := &writer{ctx: t.Context()}
	w.line("5", options{accounts: 1, stacks: 500, concurrency: five, first: true})
	if w.err != nil {
		t.Fatal(w.err)
	}
	got, err := os.ReadFile("../../docs/scale.md")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(strings.Split(string(got), "\n"), strings.TrimSpace(w.String())) {
		t.Errorf("docs/scale.md has no line %q. run make scale", strings.TrimSpace(w.String()))
	}
}
