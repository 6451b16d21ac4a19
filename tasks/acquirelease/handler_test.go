package acquirelease_test

import (
	"fmt"
	"testing"
	"time"

	"plumbline/blob"
	"plumbline/finding"
	"plumbline/internal/memory"
	"plumbline/remedy"
	"plumbline/remedy/change"
	"plumbline/remedy/live"
	"plumbline/ruleset"
	"plumbline/tasks/acquirelease"
)

// bench asks for leases of resources at a time.
type bench struct {
	t        *testing.T
	leases   memory.Leases
	blobs    blob.Memory
	patience time.Duration
	now      time.Time
	limits   ruleset.RemediationLimits
}

var begin = time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)

// claim asks for the lease of a resource for a change that was asked for at since.
func (b *bench) claim(name, resource string, since time.Time, undo bool) acquirelease.Out {
	b.t.Helper()
	p := &change.Planned{Change: name, Limits: b.limits, Seconds: 3600, Plan: remedy.Plan{
		Identifier: resource, Resource: finding.Resource{Account: "111122223333", Region: "eu-west-1", Type: "AWS::SQS::Queue", LogicalID: resource},
	}}
	hash, err := change.Keep(b.t.Context(), &b.blobs, p)
	if err != nil {
		b.t.Fatal(err)
	}
	h := acquirelease.New(&b.leases, &b.blobs, b.patience, func() time.Time { return b.now })
	out, err := h.Handle(b.t.Context(), acquirelease.In{Scope: acquirelease.Resource, Plan: hash, Since: since, Request: change.Request{Change: name, Plan: hash, Undo: undo}})
	if err != nil {
		b.t.Fatal(err)
	}
	return out
}

// TestChangesPerHour: in no hour do more begin than the policy allows, and who
// asks again finds its own place.
func TestChangesPerHour(t *testing.T) {
	b := &bench{t: t, patience: acquirelease.Patience, now: begin, limits: ruleset.RemediationLimits{ChangesPerHour: 5, PerResourcePerDay: 10}}
	var begun []time.Time
	waiting := map[int]bool{}
	for i := range 40 {
		waiting[i] = true
	}
	for ; len(waiting) > 0; b.now = b.now.Add(5 * time.Minute) {
		for i := range 40 {
			if !waiting[i] {
				continue
			}
			name := fmt.Sprintf("change-%d", i)
			out := b.claim(name, name, b.now, false)
			if again := b.claim(name, name, b.now, false); again.Held != out.Held {
				t.Fatalf("%s: held %v, asked again %v", name, out.Held, again.Held)
			}
			switch {
			case out.Held:
				begun = append(begun, b.now)
				delete(waiting, i)
			case out.Outcome != change.Limited:
				t.Fatalf("%+v", out)
			}
		}
		if b.now.Sub(begin) > 24*time.Hour {
			t.Fatalf("%d still wait after a day", len(waiting))
		}
	}
	for i, at := range begun {
		n := 0
		for _, other := range begun[i:] {
			if other.Sub(at) < time.Hour {
				n++
			}
		}
		if n > 5 {
			t.Errorf("%d changes have begun within the hour from %s", n, at)
		}
	}
	if took := begun[len(begun)-1].Sub(begin); took > 8*time.Hour {
		t.Errorf("40 changes at 5 an hour took %s", took)
	}
}

func TestChangesPerResource(t *testing.T) {
	b := &bench{t: t, patience: acquirelease.Patience, now: begin, limits: ruleset.RemediationLimits{ChangesPerHour: 100, PerResourcePerDay: 2}}
	ctx := t.Context()
	drop := func(name string) {
		p := change.Planned{Plan: remedy.Plan{Identifier: "jobs", Resource: finding.Resource{Account: "111122223333", Region: "eu-west-1", Type: "AWS::SQS::Queue"}}}
		if err := b.leases.Drop(ctx, p.ResourceKey(), name); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []bool{true, true, false} {
		name := fmt.Sprintf("change-%d", i)
		if out := b.claim(name, "jobs", begin, false); out.Held != want || !want && out.Outcome != change.Limited {
			t.Errorf("change %d: %+v", i, out)
		}
		drop(name)
	}
	if out := b.claim("change-9", "other", begin, false); !out.Held {
		t.Errorf("another resource: %+v", out)
	}
	if out := b.claim("change-3", "jobs", begin, true); !out.Held {
		t.Errorf("what is taken back counts: %+v", out)
	}
	drop("change-3")
	b.now = begin.Add(24*time.Hour + time.Minute)
	if out := b.claim("change-2", "jobs", begin.Add(2*time.Hour), false); !out.Held {
		t.Errorf("a day later: %+v", out)
	}
}

// TestPostponed: a change does not wait for its turn for ever, and without
// patience not at all.
func TestPostponed(t *testing.T) {
	b := &bench{t: t, patience: acquirelease.Patience, now: begin, limits: ruleset.RemediationLimits{ChangesPerHour: 1, PerResourcePerDay: 1}}
	b.claim("change-0", "a", begin, false)
	for after, want := range map[time.Duration]change.Outcome{time.Minute: change.Limited, 25*time.Hour + time.Minute: change.Postponed} {
		if out := b.claim("change-1", "b", begin.Add(-after), false); out.Held || out.Outcome != want {
			t.Errorf("after %s: %+v, want %s", after, out, want)
		}
	}
	b.patience = 0
	if out := b.claim("change-1", "b", begin, false); out.Outcome != change.Postponed || out.Reason == "" {
		t.Errorf("without patience: %+v", out)
	}
}

func TestStopped(t *testing.T) {
	b := &bench{t: t, now: begin, limits: ruleset.RemediationLimits{ChangesPerHour: 1, PerResourcePerDay: 1}}
	if err := b.leases.Stop(t.Context(), live.Stop{By: "ann", Reason: "too much", At: begin}); err != nil {
		t.Fatal(err)
	}
	const want = "all changes were stopped by ann at 2026-03-01T06:00:00Z: too much"
	for _, undo := range []bool{false, true} {
		if out := b.claim("change-0", "a", begin, undo); out.Held || out.Outcome != change.Stopped || out.Reason != want {
			t.Errorf("undo %v: %+v", undo, out)
		}
	}
	if err := b.leases.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	if out := b.claim("change-0", "a", begin, false); !out.Held {
		t.Errorf("after it: %+v", out)
	}
}
