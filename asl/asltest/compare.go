package asltest

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// compare holds what came out against what the scenario wants: the path first,
// since it explains the rest.
func (o *outcome) compare(s *scenario, virtual bool) {
	for _, m := range s.script.misses() {
		o.problem(s.file, "%s", m)
	}
	for _, w := range s.paths {
		o.comparePath(w)
	}
	if got := o.description.Status; got != s.status {
		o.problem(s.file, "status %s, want %s%s", got, s.status, o.why())
	}
	if s.errorLine != "" {
		if got := o.description.Error; got != s.error {
			o.problem(s.errorLine, "error %q, want %q%s", got, s.error, o.why())
		} else if s.cause != "" && !strings.Contains(o.description.Cause, s.cause) {
			o.problem(s.errorLine, "the cause is %q, want one that contains %q", clip(o.description.Cause), s.cause)
		}
	}
	if s.output != nil {
		o.compareOutput(s)
	}
	for _, w := range s.events {
		o.compareEvent(w)
	}
	for _, w := range s.calls {
		o.compareCall(w)
	}
	if s.tookLine != "" && virtual {
		if from, to := s.took[0], s.took[1]; o.took < from || o.took > to {
			o.problem(s.tookLine, "the execution took %s, want %s", o.took, spanned(from, to))
		}
	}
	o.compareReplies(s)
}

func spanned(from, to time.Duration) string {
	if from == to {
		return from.String()
	}
	return from.String() + " to " + to.String()
}

// why is the error and cause of the execution, for messages.
func (o *outcome) why() string {
	d := o.description
	if d.Error == "" && d.Cause == "" {
		return ""
	}
	return fmt.Sprintf(" (%s: %s)", d.Error, clip(d.Cause))
}

func (o *outcome) comparePath(w wantPath) {
	if o.history.hidden("", w.owner) {
		o.unseen++
		return
	}
	got, ok := o.history.path(), true
	where := ""
	if w.owner != "" {
		got, ok = o.history.inner(w.owner, w.index)
		where = fmt.Sprintf(" of %s[%d]", w.owner, w.index)
	}
	if !ok {
		o.problem(w.line, "the execution had no %s[%d]", w.owner, w.index)
		return
	}
	if slices.Equal(got, w.states) {
		return
	}
	n := 0
	for n < len(got) && n < len(w.states) && got[n] == w.states[n] {
		n++
	}
	from := "the beginning"
	if n > 0 {
		from = w.states[n-1]
	}
	o.problem(w.line, "the path%s differs after %s:\n\tgot  %s\n\twant %s", where, from, strings.Join(got, " "), strings.Join(w.states, " "))
}

func (o *outcome) compareOutput(s *scenario) {
	want, err := decode(s.output)
	if err != nil {
		o.problem(s.file, "the wanted output: %v", err)
		return
	}
	if o.description.Output == nil {
		o.problem(s.file, "no output, want %s", clip(compact(want)))
		return
	}
	got, err := decode(o.description.Output)
	if err != nil {
		o.problem(s.file, "the output is not JSON: %v", err)
		return
	}
	if diff := difference(want, got); diff != "" {
		o.problem(s.file, "the output differs (-want +got):\n%s", diff)
	}
}

func (o *outcome) compareEvent(w wantEvent) {
	if o.history.hidden(w.state, "") {
		o.unseen++
		return
	}
	n := 0
	var seen []string
	for i := range o.history.events {
		e := &o.history.events[i]
		if !slices.Contains(seen, e.Type) {
			seen = append(seen, e.Type)
		}
		if e.Type == w.typ && (w.state == "" || o.history.stateOf(e) == w.state) && strings.Contains(string(e.Text), w.text) {
			n++
		}
	}
	what := w.typ
	if w.state != "" {
		what += " in " + w.state
	}
	if w.text != "" {
		what += " with " + w.text
	}
	switch {
	case w.none && n > 0:
		o.problem(w.line, "%d events %s, want none", n, what)
	case !w.none && w.times == 0 && n == 0:
		slices.Sort(seen)
		o.problem(w.line, "no event %s. there are %s", what, strings.Join(seen, ", "))
	case w.times > 0 && n != w.times:
		o.problem(w.line, "%d events %s, want %d", n, what, w.times)
	}
}

func (o *outcome) compareCall(w wantCall) {
	if o.history.hidden(w.state, "") {
		o.unseen++
		return
	}
	calls := o.history.calls(w.state)
	if slices.ContainsFunc(calls, func(got any) bool { return contains(got, w.parameters) }) {
		return
	}
	if len(calls) == 0 {
		o.problem(w.line, "state %q made no call", w.state)
		return
	}
	o.problem(w.line, "no call of state %q has %s. the last was %s", w.state, compact(w.parameters), clip(compact(calls[len(calls)-1])))
}

// compareReplies reports replies that no call asked for, by what the history
// says, so that any endpoint is held to it.
func (o *outcome) compareReplies(s *scenario) {
	asked := map[string]int{}
	for i := range o.history.events {
		if e := &o.history.events[i]; scheduled(e) {
			asked[o.history.stateOf(e)]++
		}
	}
	for _, r := range s.queued {
		if o.history.hidden(r.State, "") {
			continue
		}
		if asked[r.State] > 0 {
			asked[r.State]--
			continue
		}
		o.problem(r.Line, "this reply of state %q is never used: remove it, or see why the state was not called as often", r.State)
	}
}
