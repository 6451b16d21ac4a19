// Package alert says what people are told of a scan, and how each channel puts
// it: mail, Slack, Jira, ServiceNow, and webhooks. It composes messages from
// what a scan changed and renders them; sending them is others' work. A
// finding's text comes from templates that anyone may write, so every renderer
// takes it as text and never as markup.
package alert

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"plumbline/finding"
	"plumbline/scan"
)

// A message lists MaxItems violations at most, and at most so many that each of
// its two lists takes MaxBytes as JSON; it counts all. So it stays below the 256
// KiB that a topic and a queue take, also where it is copied into another text.
const (
	MaxItems = 50
	MaxBytes = 48 * 1024
)

// Scanned is what a message needs to know of the scan of a target.
type Scanned struct {
	ID      string
	Target  scan.Target
	Report  string // folder of the stored report, "" for none
	Changes *scan.Changes
}

// group is what one message is about.
type group struct {
	severity finding.Severity
	audience string
}

// tally is what a scan changed of one group.
type tally struct {
	fresh, ended []scan.Item
	remaining    int
	types        []string
	frameworks   []string
	seen         time.Time
}

// OfTarget composes the messages about a target, the worst severity first, then
// by audience: one for each severity in tell of which something is new, and a
// silent one for each in settle of which nothing is new and something ended.
// The same changes make the same messages.
func OfTarget(s Scanned, tell, settle []finding.Severity, now time.Time) []scan.Notice {
	groups := tallies(s.Changes)
	keys := make([]group, 0, len(groups))
	for k := range groups {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b group) int {
		return cmp.Or(cmp.Compare(a.severity.Rank(), b.severity.Rank()), cmp.Compare(a.audience, b.audience))
	})
	var out []scan.Notice
	for _, k := range keys {
		t := groups[k]
		n := scan.Notice{
			ScanID: s.ID, Target: s.Target, Severity: k.severity, Audience: k.audience, Time: now.UTC(), Report: s.Report,
			Ticket: Ticket(s.Target, k.severity, k.audience), Seen: t.seen, Remaining: t.remaining,
			Count: len(t.fresh), Items: first(t.fresh), Ended: first(t.ended), EndedAll: len(t.ended),
		}
		switch {
		case n.Count > 0 && slices.Contains(tell, k.severity):
			n.Kind, n.ResourceTypes, n.Frameworks = scan.NoticeFindings, t.types, t.frameworks
		case n.Count == 0 && n.EndedAll > 0 && slices.Contains(settle, k.severity):
			n.Kind = scan.NoticeUpdate
		default:
			continue
		}
		out = append(out, Complete(n))
	}
	return out
}

// Complete gives a message its identity and its words as a mail.
func Complete(n scan.Notice) scan.Notice {
	at := "estate"
	if n.Target != (scan.Target{}) {
		at = n.Target.ID()
	}
	parts := []string{n.ScanID, at, n.Kind, string(n.Severity)}
	if n.Audience != "" {
		parts = append(parts, n.Audience)
	}
	n.ID = strings.Join(parts, "/")
	n.Subject, n.Body = Mail(n)
	return n
}

// Ticket names the ticket of a target's violations of one severity and audience.
func Ticket(t scan.Target, s finding.Severity, audience string) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{t.ID(), string(s), audience}, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// tallies sorts what a scan changed by severity and audience.
func tallies(c *scan.Changes) map[group]*tally {
	out := map[group]*tally{}
	of := func(r *finding.Record) *tally {
		k := group{known(r.Severity), r.Owner}
		if out[k] == nil {
			out[k] = &tally{}
		}
		return out[k]
	}
	moved := map[string]bool{} // rows that were told under another severity or owner
	for i := range c.Settled {
		moved[key(&c.Settled[i])] = true
	}
	states := map[string]finding.State{}
	var at time.Time
	for i := range c.Records {
		r := &c.Records[i]
		t := of(r)
		states[key(r)] = r.State
		if r.State.Active() {
			t.remaining++
		}
		if at.Before(r.LastSeen) {
			at = r.LastSeen
		}
		switch {
		case r.State == finding.New, r.State == finding.Reopened, r.State.Active() && moved[key(r)]:
			t.fresh = append(t.fresh, item(r, r.State))
			t.types = insert(t.types, r.Resource.Type)
			for _, f := range c.Frameworks[r.Rule] {
				t.frameworks = insert(t.frameworks, f)
			}
		case r.State == finding.Resolved:
			t.ended = append(t.ended, item(r, finding.Resolved))
		}
	}
	for i := range c.Left {
		of(&c.Left[i]).remaining++
	}
	for i := range c.Settled {
		r := &c.Settled[i]
		state := finding.Open // it moved to another severity or owner, whose message lists it as new
		if states[key(r)] == finding.Suppressed {
			state = finding.Suppressed
		}
		t := of(r)
		t.ended = append(t.ended, item(r, state))
	}
	for _, t := range out {
		t.seen = at
		for _, items := range [][]scan.Item{t.fresh, t.ended} {
			slices.SortStableFunc(items, compareItems)
		}
	}
	return out
}

// key names a row of the findings table.
func key(r *finding.Record) string { return r.ResourceID() + "#" + r.SortKey() }

func compareItems(a, b scan.Item) int {
	return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Rule, b.Rule))
}

// known is the severity under which a violation is told: one that is not known is low.
func known(s finding.Severity) finding.Severity {
	if s.Rank() < len(finding.Severities) {
		return s
	}
	return finding.Low
}

func item(r *finding.Record, s finding.State) scan.Item {
	return scan.Item{
		Rule: r.Rule, Severity: known(r.Severity), Resource: text(r.Resource.LogicalID, 255), Type: text(r.Resource.Type, 200), Where: text(r.Where(), 200),
		Line: r.Place.Line, Message: text(r.Message, 300), State: s, Due: r.Due,
	}
}

// insert adds a word to a sorted list in which it is not yet; "" is none.
func insert(list []string, word string) []string {
	if at, found := slices.BinarySearch(list, word); !found && word != "" {
		return slices.Insert(list, at, word)
	}
	return list
}

// first is as many items as a message lists.
func first(items []scan.Item) []scan.Item {
	size := 0
	for i := range items {
		b, err := json.Marshal(items[i])
		if size += len(b); err != nil || i == MaxItems || size > MaxBytes {
			return items[:i:i]
		}
	}
	return items
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
