package engine

import "sync/atomic"

// Committer is a Journal that gathers entries: those appended are durable only
// once Commit has returned. The engine calls it once a turn of its loop, and does
// outside what the turn's entries lead to only after it. Where it fails, the
// executions that moved in the turn fail.
type Committer interface {
	Journal
	Commit() error
}

// turn is one turn of the loop: what moved in it, and what that asks for. It is
// empty where no Committer gathers entries, since each input is then acted upon at once.
type turn struct {
	committer Committer
	moved     []moved
	kept      []chan struct{} // of those who wait for the turn to be durable
	prompting atomic.Bool     // the loop asks a Prompter, which must not be made to wait for the loop
}

// moved is an execution that has moved, and where the effects of that end
// among those of the turn.
type moved struct {
	x   *Execution
	end int
}

// moved does what an execution wants done, or leaves it to the end of the turn.
func (e *Engine) moved(x *Execution) {
	if e.turn.committer == nil {
		e.perform(x, x.effects)
		clear(x.effects)
		x.effects = x.effects[:0]
		return
	}
	e.turn.moved = append(e.turn.moved, moved{x, len(e.work.effects)})
}

// endTurn makes the turn durable and does then what it asks for.
func (e *Engine) endTurn() {
	t := &e.turn
	if len(t.moved) > 0 {
		if err := t.committer.Commit(); err != nil {
			e.lose(err)
		}
		from := 0
		for _, m := range t.moved {
			e.perform(m.x, e.work.effects[from:m.end])
			from = m.end
		}
		clear(e.work.effects)
		e.work.effects = e.work.effects[:0]
		clear(t.moved)
		t.moved = t.moved[:0]
	}
	for i, c := range t.kept {
		close(c)
		t.kept[i] = nil
	}
	t.kept = t.kept[:0]
}

// lose fails what has moved in a turn that could not be kept: nothing of it may
// begin outside, and no end may be told that a restart would not know of.
func (e *Engine) lose(err error) {
	failure := &Error{Name: ErrRuntime, Cause: "append to the journal: " + err.Error()}
	begun := e.work.effects[:0:0]
	t := &e.turn
	ends := t.moved[:0:0]
	from := 0
	for _, m := range t.moved {
		for _, ef := range e.work.effects[from:m.end] {
			switch ef.kind {
			case cancelCall, dropTimers, stopChild, finish:
				begun = append(begun, ef)
			}
		}
		from = m.end
		ends = append(ends, moved{m.x, len(begun)})
	}
	e.work.effects = begun
	for _, m := range t.moved {
		switch {
		case m.x.live():
			m.x.fail(failure)
			ends = append(ends, moved{m.x, len(e.work.effects)})
		case m.x.Result().Status == Running:
			m.x.ending = Result{Status: Failed, Error: failure.Name, Cause: failure.Cause}
		}
	}
	t.moved = ends
}

// keep gives the loop an input and returns when the journal has kept what it
// leads to; at once where the journal need not be waited for.
func (e *Engine) keep(h happening) {
	if e.turn.committer == nil || e.turn.prompting.Load() {
		if h.x != nil {
			e.post(h)
		}
		return
	}
	h.kept = make(chan struct{})
	e.post(h)
	<-h.kept
}
