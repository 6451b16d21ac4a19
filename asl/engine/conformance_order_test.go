package engine_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"plumbline/asl/engine"
	"plumbline/asl/value"
)

// happened is an event with those that follow it. Where branches run side by
// side the total order of events is nobody's promise, but that of each branch is.
type happened struct {
	typ  string
	what *value.Object // without ids
	prev *happened
	next []*happened
}

// tree hangs the events of a history below the ones they follow. Those of lost
// types are left out, and what follows them follows the one before.
func tree(events []any, lost string) (*happened, error) {
	root := &happened{typ: "start"}
	byID := map[int64]*happened{0: root}
	var list []*happened
	for _, v := range events {
		o, _ := v.(*value.Object)
		n, p := number(v, "id"), number(v, "previousEventId")
		h := &happened{typ: o.String("type"), what: bare(v), prev: byID[p]}
		if h.prev == nil {
			return nil, fmt.Errorf("event %d follows %d, which is not before it", n, p)
		}
		if lost != "" && h.typ == lost {
			byID[n] = h.prev
			continue
		}
		byID[n] = h
		list = append(list, h)
	}
	// Which branch ends last, and which place for an iteration becomes free first,
	// is chance: what comes after it is of the state, not of that branch.
	for _, h := range list {
		if kind := stateOf(h.typ); kind != "" {
			open := 0
			for a := h.prev; a != root; a = a.prev {
				if a.typ == kind+"StateExited" {
					open++
				} else if a.typ == kind+"StateEntered" {
					if open == 0 {
						h.prev = a
						break
					}
					open--
				}
			}
		}
	}
	for _, h := range list {
		h.prev.next = append(h.prev.next, h)
	}
	return root, nil
}

// number is a number of an event, 0 where it has none.
func number(event any, key string) int64 {
	o, _ := event.(*value.Object)
	v, _ := o.Get(key)
	n, _ := v.(int64)
	return n
}

// bare is an event without what tells its place.
func bare(event any) *value.Object {
	o, _ := event.(*value.Object)
	return o.Without("id").Without("previousEventId")
}

// sameMasked compares with a recording whose events inside branches have 0 for
// their ids. All others must be where they are; those must be among the rest,
// each state's exit behind its entry; and what nothing was recorded of must be of
// the lost type.
func (m matcher) sameMasked(want, got []any, lost string) (differs string) {
	rest := slices.Clone(got)
	for _, masked := range []bool{false, true} {
		for _, w := range want {
			id := number(w, "id")
			if (id == 0) != masked {
				continue
			}
			i := slices.IndexFunc(rest, func(g any) bool {
				return (masked || number(g, "id") == id && number(g, "previousEventId") == number(w, "previousEventId")) && m.match(bare(w), bare(g), true)
			})
			if i < 0 {
				return fmt.Sprintf("no event is\n%.600s", value.Text(w))
			}
			rest = slices.Delete(rest, i, i+1)
		}
	}
	for _, g := range rest {
		if t := g.(*value.Object).String("type"); t != lost {
			return fmt.Sprintf("nothing was recorded of\n%.600s", value.Text(g))
		}
	}
	for _, g := range got {
		o, _ := g.(*value.Object)
		exited, ok := o.Get("stateExitedEventDetails")
		prev := slices.IndexFunc(got, func(p any) bool { return number(p, "id") == number(g, "previousEventId") })
		if !ok || stateOf(o.String("type")) != "" || prev < 0 {
			continue
		}
		entered, _ := got[prev].(*value.Object).Get("stateEnteredEventDetails")
		in, _ := entered.(*value.Object)
		if out, _ := exited.(*value.Object); in.String("name") != out.String("name") {
			return fmt.Sprintf("the state is not left behind its entry:\n%.600s", value.Text(g))
		}
	}
	return ""
}

// stateOf is Map or Parallel where an event of this type belongs to the state as
// a whole although it follows a branch, else "".
func stateOf(typ string) string {
	for _, kind := range []string{"Map", "Parallel"} {
		rest, ok := strings.CutPrefix(typ, kind)
		if ok && (rest == "IterationStarted" || strings.HasPrefix(rest, "State") && rest != "StateEntered" && rest != "StateStarted") {
			return kind
		}
	}
	return ""
}

// sameTree reports whether got is what want says, in any order of what follows
// one event; differs is the first place of which that cannot be said.
func (m matcher) sameTree(want, got *happened) (differs string) {
	if want.typ != got.typ || want.what != nil && !m.match(want.what, got.what, true) {
		return fmt.Sprintf("\nwant %.600s\ngot  %.600s", value.Text(want.what), value.Text(got.what))
	}
	if len(want.next) != len(got.next) {
		return fmt.Sprintf("after %s %.300s: want %s, got %s", want.typ, value.Text(want.what), typesOf(want.next), typesOf(got.next))
	}
	left := slices.Clone(got.next)
	for _, w := range want.next {
		first := ""
		i := slices.IndexFunc(left, func(g *happened) bool {
			d := m.sameTree(w, g)
			if first == "" && g.typ == w.typ {
				first = d
			}
			return d == ""
		})
		if i < 0 {
			if first == "" {
				first = fmt.Sprintf("after %s %.300s: want %s, got %s", want.typ, value.Text(want.what), typesOf(want.next), typesOf(got.next))
			}
			return first
		}
		left = slices.Delete(left, i, i+1)
	}
	return ""
}

func typesOf(list []*happened) string {
	var types []string
	for _, h := range list {
		types = append(types, h.typ)
	}
	return "[" + strings.Join(types, " ") + "]"
}

// compareBranches compares the events of each branch, in their order there.
func (c *recorded) compareBranches(events []engine.Event, m matcher, lost string) (level, problem string) {
	var want, got []any
	for _, raw := range c.Expect.EventsFull {
		want = append(want, decode(raw))
	}
	if want == nil {
		return "", ""
	}
	for _, e := range events {
		b, err := json.Marshal(e)
		if err != nil {
			return "history", err.Error()
		}
		got = append(got, decode(bytes.ReplaceAll(b, []byte(activity), []byte("activity_arn"))))
	}
	if slices.ContainsFunc(want, func(v any) bool { return number(v, "id") == 0 }) {
		if d := m.sameMasked(want, got, lost); d != "" {
			return "history", d
		}
		return "", ""
	}
	w, err := tree(want, "")
	if err != nil {
		return "history", "recorded: " + err.Error()
	}
	g, err := tree(got, lost)
	if err != nil {
		return "history", err.Error()
	}
	if d := m.sameTree(w, g); d != "" {
		return "history", d
	}
	return "", ""
}

// The comparison sees an event that is in the wrong place of its branch, and
// only that.
func TestCompareBranches(t *testing.T) {
	event := func(id, prev int, typ, name string) any {
		return value.Of("id", int64(id), "previousEventId", int64(prev), "type", typ, "stateEnteredEventDetails", value.Of("name", name))
	}
	// Two branches, each of a and b; the second ends last.
	base := []any{
		event(1, 0, "ParallelStateEntered", "P"), event(2, 1, "ParallelStateStarted", ""),
		event(3, 2, "PassStateEntered", "a"), event(4, 3, "PassStateExited", "a"),
		event(5, 2, "WaitStateEntered", "b"), event(6, 5, "WaitStateExited", "b"),
		event(7, 6, "ParallelStateSucceeded", ""), event(8, 7, "ParallelStateExited", "P"),
	}
	changed := func(at int, v any) []any {
		list := slices.Clone(base)
		list[at] = v
		return list
	}
	tests := []struct {
		name string
		got  []any
		lost string
		same bool
	}{
		{"the same", base, "", true},
		{"branches the other way round", []any{base[0], base[1], event(3, 2, "WaitStateEntered", "b"), event(4, 2, "PassStateEntered", "a"),
			event(5, 4, "PassStateExited", "a"), event(6, 3, "WaitStateExited", "b"), event(7, 5, "ParallelStateSucceeded", ""), base[7]}, "", true},
		{"in the other branch", changed(5, event(6, 4, "WaitStateExited", "b")), "", false},
		{"at once instead of one after the other", changed(3, event(4, 2, "PassStateExited", "a")), "", false},
		{"of another state", changed(2, event(3, 2, "PassStateEntered", "x")), "", false},
		{"within the branch the other way round", []any{base[0], base[1], event(3, 2, "PassStateExited", "a"), event(4, 3, "PassStateEntered", "a"), base[4], base[5], base[6], base[7]}, "", false},
		{"one that was lost", base, "ParallelStateSucceeded", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want, err := tree(base, "")
			if err != nil {
				t.Fatal(err)
			}
			got, err := tree(tt.got, tt.lost)
			if err != nil {
				t.Fatal(err)
			}
			if d := (matcher{}).sameTree(want, got); (d == "") != tt.same {
				t.Errorf("same: %t, %s", d == "", d)
			}
		})
	}
}

// A recording that has masked ids tells less, but not nothing.
func TestCompareMasked(t *testing.T) {
	event := func(id, prev int, typ, details, name string) any {
		return value.Of("id", int64(id), "previousEventId", int64(prev), "type", typ, details, value.Of("name", name))
	}
	const in, out = "stateEnteredEventDetails", "stateExitedEventDetails"
	want := []any{
		event(1, 0, "ParallelStateEntered", in, "P"), event(0, 0, "PassStateEntered", in, "a"), event(0, 0, "PassStateEntered", in, "b"),
		event(0, 0, "PassStateExited", out, "a"), event(0, 0, "PassStateExited", out, "b"), event(7, 5, "ParallelStateExited", out, "P"),
	}
	got := func(a, b int, last int) []any {
		return []any{
			event(1, 0, "ParallelStateEntered", in, "P"), event(2, 1, "PassStateEntered", in, "b"), event(3, 1, "PassStateEntered", in, "a"),
			event(4, a, "PassStateExited", out, "a"), event(5, b, "PassStateExited", out, "b"), event(6, 5, "ParallelStateSucceeded", "x", ""),
			event(7, last, "ParallelStateExited", out, "P"),
		}
	}
	for _, tt := range []struct {
		name string
		got  []any
		lost string
		same bool
	}{
		{"the same", got(3, 2, 5), "ParallelStateSucceeded", true},
		{"not listed", got(3, 2, 5), "", false},
		{"left behind another's entry", got(2, 3, 5), "ParallelStateSucceeded", false},
		{"another end", got(3, 2, 6), "ParallelStateSucceeded", false},
		{"one too few", slices.Delete(got(3, 2, 5), 4, 5), "ParallelStateSucceeded", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if d := (matcher{}).sameMasked(want, tt.got, tt.lost); (d == "") != tt.same {
				t.Errorf("same: %t, %s", d == "", d)
			}
		})
	}
}
