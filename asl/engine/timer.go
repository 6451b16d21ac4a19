package engine

import (
	"container/heap"
	"time"
)

// timer is one entry of the engine's timers.
type timer struct {
	at    time.Time
	seq   uint64
	x     *Execution
	frame *frame // nil: the execution's own time-out
	gen   uint32
	which timerKind
	index int32 // in the heap; -1: out of it
}

// due is what happens when the timer goes off.
func (t *timer) due() happening {
	return happening{kind: onTimer, x: t.x, frame: t.frame, gen: t.gen, which: t.which}
}

// timers is a heap.
type timers struct {
	list []*timer
	seq  uint64
}

func (t *timers) Len() int { return len(t.list) }
func (t *timers) Less(i, j int) bool {
	a, b := t.list[i], t.list[j]
	if !a.at.Equal(b.at) {
		return a.at.Before(b.at)
	}
	return a.seq < b.seq
}
func (t *timers) Swap(i, j int) {
	t.list[i], t.list[j] = t.list[j], t.list[i]
	t.list[i].index, t.list[j].index = int32(i), int32(j)
}
func (t *timers) Push(x any) {
	n := x.(*timer)
	n.index = int32(len(t.list))
	t.list = append(t.list, n)
}
func (t *timers) Pop() any {
	last := len(t.list) - 1
	n := t.list[last]
	t.list[last] = nil
	t.list = t.list[:last]
	n.index = -1
	return n
}

func (e *Engine) arm(x *Execution, ef *effect) {
	e.timers.seq++
	t := &timer{at: ef.at, seq: e.timers.seq, x: x, frame: ef.frame, gen: ef.gen, which: ef.which}
	switch ef.which {
	case timerExecution:
		x.timer = t
	case timerBeat:
		if ef.wait.beatTimer != nil {
			e.disarm(ef.wait.beatTimer)
		}
		ef.wait.beatTimer = t
	case timerLater:
		ef.wait.laterTimer = t
	default:
		ef.wait.timer = t
	}
	heap.Push(&e.timers, t)
}

func (e *Engine) disarm(t *timer) {
	if t.index >= 0 {
		heap.Remove(&e.timers, int(t.index))
	}
}

// fire moves due timers to the inbox and has the clock wake the engine for the next.
func (e *Engine) fire() {
	if e.timers.Len() == 0 {
		e.rest()
		return
	}
	now := e.clock.Now()
	e.mu.Lock()
	for e.timers.Len() > 0 && !e.timers.list[0].at.After(now) {
		e.inbox = append(e.inbox, heap.Pop(&e.timers).(*timer).due())
	}
	e.mu.Unlock()
	if e.timers.Len() == 0 || e.timers.list[0].at.Equal(e.wakeAt) {
		return
	}
	if e.unwake != nil {
		e.unwake()
	}
	e.wakeAt = e.timers.list[0].at
	e.unwake = e.clock.At(e.wakeAt, func() { e.post(happening{}) })
}

// rest takes back the clock's wake-up where no timer is left.
func (e *Engine) rest() {
	if e.timers.Len() == 0 && e.unwake != nil {
		e.unwake()
		e.unwake, e.wakeAt = nil, time.Time{}
	}
}

// deferCall has the outcome of a call come later, or never. Both what the call
// has answered at first and the outcome go into the journal now: a call that
// has returned is not made again.
func (e *Engine) deferCall(h *happening, now time.Time) {
	w, later := h.frame.wait, h.later
	if later.Submitted != nil {
		c := outcomeOf(true, later.Submitted, nil)
		e.handle(&happening{kind: onSubmit, x: h.x, frame: h.frame, gen: h.gen, completion: c})
	}
	if h.frame.wait != w {
		return
	}
	next := happening{kind: onLater, x: h.x, frame: h.frame, gen: h.gen, completion: outcomeOf(w.call.spec.token, later.Output, later.Err)}
	if later.After >= 0 {
		next.at = now.Add(later.After)
	}
	e.handle(&next)
}
