package readdecision_test

import (
	"strings"
	"testing"
	"time"

	"plumbline/approval"
	"plumbline/blob"
	"plumbline/ledger"
	"plumbline/remedy/change"
	"plumbline/tasks/readdecision"
)

// TestHandle: only what stands in the ledger of the very plan counts.
func TestHandle(t *testing.T) {
	asked := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	yes := func(by string) approval.Decision { return approval.Decision{By: by, Approve: true, Reason: "x"} }
	type entry struct {
		kind   ledger.Kind
		actor  string
		detail any
	}
	question := entry{ledger.Asked, "ann", nil}
	for name, tc := range map[string]struct {
		requester string
		entries   []entry
		after     time.Duration
		want      change.Outcome
	}{
		"nobody was asked":          {"ann", nil, 0, change.Undecided},
		"people have time yet":      {"ann", []entry{question}, 50 * time.Minute, change.Undecided},
		"the time is over":          {"ann", []entry{question}, time.Hour, change.Expired},
		"somebody said yes":         {"ann", []entry{question, {ledger.Decided, "bob", yes("bob")}}, time.Minute, change.Granted},
		"yes, and the time is over": {"ann", []entry{question, {ledger.Decided, "bob", yes("bob")}}, 2 * time.Hour, change.Granted},
		"a yes after the end":       {"ann", []entry{question, {ledger.Expired, "", nil}, {ledger.Decided, "bob", yes("bob")}}, 2 * time.Hour, change.Expired},
		"the requester himself":     {"ann", []entry{question, {ledger.Decided, "ann", yes("ann")}}, time.Minute, change.Undecided},
		"in another's name":         {"ann", []entry{question, {ledger.Decided, "ann", yes("bob")}}, time.Minute, change.Undecided},
		"one of two":                {"", []entry{question, {ledger.Decided, "bob", yes("bob")}}, time.Minute, change.Undecided},
		"the same person twice":     {"", []entry{question, {ledger.Decided, "bob", yes("bob")}, {ledger.Decided, "bob", yes("bob")}}, time.Minute, change.Undecided},
		"two":                       {"", []entry{question, {ledger.Decided, "bob", yes("bob")}, {ledger.Decided, "cleo", yes("cleo")}}, time.Minute, change.Granted},
		"accepted":                  {"ann", []entry{question, {ledger.Decided, "bob", approval.Decision{By: "bob", Accept: true, Until: "2026-06-01", Reason: "empty"}}}, time.Minute, change.Accepted},
		"accepted by one of two":    {"", []entry{question, {ledger.Decided, "bob", approval.Decision{By: "bob", Accept: true, Until: "2026-06-01", Reason: "empty"}}}, time.Minute, change.Undecided},
		"by a clock a bit behind":   {"ann", []entry{question}, 56 * time.Minute, change.Expired},
		"somebody said no":          {"ann", []entry{question, {ledger.Decided, "bob", approval.Decision{By: "bob", Reason: "no"}}}, time.Minute, change.Denied},
		"yes and no":                {"", []entry{question, {ledger.Decided, "bob", yes("bob")}, {ledger.Decided, "cleo", approval.Decision{By: "cleo", Reason: "no"}}}, time.Minute, change.Denied},
	} {
		t.Run(name, func(t *testing.T) {
			var blobs blob.Memory
			hash, err := change.Keep(t.Context(), &blobs, &change.Planned{Change: "c", Requester: tc.requester, Seconds: 3600})
			if err != nil {
				t.Fatal(err)
			}
			l := &ledger.Ledger{Store: new(ledger.Memory), Now: func() time.Time { return asked }}
			for _, e := range tc.entries {
				if _, err := l.Append(t.Context(), e.kind, hash, e.actor, e.detail); err != nil {
					t.Fatal(err)
				}
				if _, err := l.Append(t.Context(), ledger.Decided, "another plan", "dan", yes("dan")); err != nil {
					t.Fatal(err)
				}
			}
			h := readdecision.New(l, &blobs, func() time.Time { return asked.Add(tc.after) })
			for range 2 { // asked twice, it says the same
				got, err := h.Handle(t.Context(), readdecision.In{Plan: hash})
				if err != nil || got.Outcome != tc.want {
					t.Errorf("%+v %v, want %s", got, err, tc.want)
				}
			}
			if _, err := h.Handle(t.Context(), readdecision.In{Plan: strings.Repeat("0", len(hash))}); err == nil {
				t.Error("a plan that is not kept has a decision")
			}
		})
	}
}

// TestPlanIsWhatWasDecidedOn: a plan that was changed after it was kept is refused.
func TestPlanIsWhatWasDecidedOn(t *testing.T) {
	var blobs blob.Memory
	hash, err := change.Keep(t.Context(), &blobs, &change.Planned{Change: "c"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := blobs.Put(t.Context(), change.Prefix+hash+".json", blob.Raw(`{"Change":"other"}`)); err != nil {
		t.Fatal(err)
	}
	h := readdecision.New(&ledger.Ledger{Store: new(ledger.Memory)}, &blobs, time.Now)
	if _, err := h.Handle(t.Context(), readdecision.In{Plan: hash}); err == nil {
		t.Error("it was taken")
	}
}
