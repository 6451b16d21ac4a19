package engine

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"time"
)

// post gives the loop an input, and starts the loop where it rests.
func (e *Engine) post(h happening) {
	e.mu.Lock()
	e.postLocked(h)
	e.mu.Unlock()
}

func (e *Engine) postLocked(h happening) {
	e.inbox = append(e.inbox, h)
	e.kickLocked()
}

func (e *Engine) kickLocked() {
	if e.isIdle {
		e.isIdle = false
		e.idle = make(chan struct{})
	}
	if !e.looping {
		e.looping = true
		go e.loop()
	}
}

// loop handles inputs until there is none. It is the only goroutine that
// touches frames and timers.
func (e *Engine) loop() {
	var batch []happening
	for {
		e.mu.Lock()
		batch, e.inbox = e.inbox, batch[:0]
		if len(batch) == 0 {
			if e.inflight > 0 || len(e.backlog) > 0 {
				e.looping = false
				e.mu.Unlock()
				return
			}
			if e.jumper == nil {
				e.looping = false
				e.mu.Unlock()
				return
			}
			if e.isPatientLocked() {
				e.looping = false
				e.mu.Unlock()
				return
			}
			e.mu.Unlock()
			if e.jumper.Jump() {
				continue
			}
			e.mu.Lock()
			if len(e.inbox) > 0 {
				e.mu.Unlock()
				continue
			}
			e.looping, e.isIdle = false, true
			close(e.idle)
			e.mu.Unlock()
			return
		}
		e.mu.Unlock()
		for i := range batch {
			e.handle(&batch[i])
			batch[i] = happening{}
		}
		e.endTurn()
		e.fire()
	}
}

// handle applies one input and does what the execution then wants done.
func (e *Engine) handle(h *happening) {
	x := h.x
	if h.kept != nil {
		e.turn.kept = append(e.turn.kept, h.kept)
	}
	if h.ask != nil {
		e.endTurn()
		h.ask()
	}
	if x == nil || h.kind != onStart && !x.live() {
		return
	}
	if h.frame != nil && (h.frame.gen != h.gen || h.frame.wait == nil) {
		return
	}
	now := e.clock.Now()
	if h.kind == onStart {
		now = x.Started
	}
	if h.later != nil {
		e.deferCall(h, now)
		return
	}
	if e.options.Journal != nil {
		if err := e.options.Journal.Append(h.entry(now)); err != nil {
			x.now = now
			if h.kind == onStart {
				x.begin()
			}
			x.fail(&Error{Name: ErrRuntime, Cause: "append to the journal: " + err.Error()})
			e.moved(x)
			return
		}
	}
	if (h.kind == onCall || h.kind == onLater) && h.frame.wait.cancel != nil {
		h.frame.wait.cancel = nil // what is over need not be kept
	}
	x.step(h, now)
	e.moved(x)
}

// perform does what an execution wants done: effects is what there is of it.
func (e *Engine) perform(x *Execution, effects []effect) {
	for i := range effects {
		ef := &effects[i]
		switch ef.kind {
		case startCall:
			if ef.frame.gen == ef.gen { // else it was over within the turn
				e.startCall(ef)
			}
		case armTimer:
			e.arm(x, ef)
		case dropTimers:
			e.drop(ef.wait)
		case cancelCall:
			if ef.wait.cancel != nil {
				ef.wait.cancel()
			}
		case stopChild:
			if child := e.Execution(ef.wait.child); child != nil {
				e.post(happening{kind: onStop, x: child, completion: completion{err: &Error{}}})
			}
		case hold:
			e.holdToken(ef)
		case offerTask:
			e.holdToken(ef)
			e.offer(ef)
		case finish:
			if x.timer != nil {
				e.disarm(x.timer)
			}
			x.publish()
			if x.parent != nil {
				e.settle(x)
			}
			e.rest() // who waits for the end must not find a clock that still means to wake us
			close(x.done)
		}
	}
}

func (e *Engine) holdToken(ef *effect) {
	if ef.wait.token == "" {
		return
	}
	e.mu.Lock()
	e.tokens[ef.wait.token] = tokenHolder{ef.frame, ef.gen}
	e.waitForAnswersLocked()
	e.mu.Unlock()
}

// drop forgets the timers and the token of a wait that is over.
func (e *Engine) drop(w *wait) {
	if w.timer != nil {
		e.disarm(w.timer)
	}
	if w.beatTimer != nil {
		e.disarm(w.beatTimer)
	}
	if w.laterTimer != nil {
		e.disarm(w.laterTimer)
	}
	if w.token != "" {
		e.mu.Lock()
		delete(e.tokens, w.token)
		e.mu.Unlock()
	}
}

// startCall sends a call on its way, or to the backlog.
func (e *Engine) startCall(ef *effect) {
	if ef.wait.call.kind == callChild {
		e.holdToken(ef)
		e.startNested(ef)
		return
	}
	e.holdToken(ef)
	if p, ok := e.options.Tasks.(Prompter); ok && ef.wait.call.kind == callTask {
		if done, ok := e.prompt(p, ef); ok {
			e.post(happening{kind: onCall, x: ef.frame.x, frame: ef.frame, gen: ef.gen, completion: done})
			return
		}
	}
	e.mu.Lock()
	if e.options.Workers > 0 && e.inflight >= e.options.Workers {
		e.backlog = append(e.backlog, *ef)
		e.mu.Unlock()
		return
	}
	e.launchLocked(*ef)
	e.mu.Unlock()
}

// launchLocked begins a call on a goroutine of its own.
func (e *Engine) launchLocked(ef effect) {
	e.inflight++
	e.calls++
	order := e.calls
	ctx, cancel := context.WithCancel(context.Background())
	ef.wait.cancel = cancel
	job := e.job(&ef)
	go func() {
		c := job(ctx)
		cancel()
		e.back(happening{kind: onCall, x: ef.frame.x, frame: ef.frame, gen: ef.gen, completion: c, order: order})
	}()
}

// back is the return of a call. Under a virtual clock the loop gets the calls
// that were in flight together only when all have returned, in the order they
// began or in one the seed gives: so the machine's load cannot change histories.
func (e *Engine) back(h happening) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.inflight--
	for len(e.backlog) > 0 && e.inflight < e.options.Workers {
		next := e.backlog[0]
		e.backlog = e.backlog[1:]
		if next.frame.gen == next.gen {
			e.launchLocked(next)
		}
	}
	if e.jumper == nil {
		e.postLocked(h)
		return
	}
	e.returned = append(e.returned, h)
	if e.inflight == 0 {
		slices.SortFunc(e.returned, func(a, b happening) int {
			if a.order < b.order {
				return -1
			}
			return 1
		})
		e.inbox = append(e.inbox, e.returned...)
		e.returned = nil
		e.kickLocked()
	}
}

// waitForAnswersLocked has a clock that jumps stand still for those who answer tokens.
func (e *Engine) waitForAnswersLocked() {
	if e.options.Patience > 0 && e.jumper != nil {
		e.patient = time.Now().Add(e.options.Patience)
	}
}

// isPatientLocked reports whether the clock stands still for answers that may
// come; if so the loop is woken when it no longer does.
func (e *Engine) isPatientLocked() bool {
	if e.options.Patience == 0 || len(e.tokens) == 0 {
		return false
	}
	left := time.Until(e.patient)
	if left <= 0 {
		return false
	}
	if !e.waking {
		e.waking = true
		time.AfterFunc(left, func() {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.waking = false
			e.postLocked(happening{})
		})
	}
	return true
}

// quiet is closed when a virtual engine has nothing left to do; nil, which is
// never ready, where time passes by itself or somebody else moves the clock.
func (e *Engine) quiet() <-chan struct{} {
	if e.jumper == nil {
		return nil
	}
	if v, ok := e.jumper.(*VirtualClock); ok && v.isHeld() {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.idle
}

// Advance moves a virtual clock on by d, timer by timer, and returns when
// nothing is left to do until then. The clock is held from then on. On any
// other clock it does nothing.
func (e *Engine) Advance(d time.Duration) {
	v, ok := e.jumper.(*VirtualClock)
	if !ok {
		return
	}
	v.allow(d)
	e.mu.Lock()
	e.postLocked(happening{})
	idle := e.idle
	e.mu.Unlock()
	<-idle
	v.settle()
}

// Settle waits until a virtual engine has nothing to do at the present time.
func (e *Engine) Settle() { e.Advance(0) }

func (c *VirtualClock) isHeld() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.held
}

// tokenIsOurs reports whether an engine may have made the token: its last
// bytes are a hash of the others.
func tokenIsOurs(token string) bool {
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) != tokenBytes+tokenCheck {
		return false
	}
	sum := sha256.Sum256(b[:tokenBytes])
	return bytes.Equal(sum[:tokenCheck], b[tokenBytes:])
}

// ask runs f on the loop and returns when it has.
func (e *Engine) ask(f func()) {
	done := make(chan struct{})
	e.post(happening{ask: func() {
		f()
		close(done)
	}})
	<-done
}

// Waiting lists where running executions wait, in order of their ARNs.
func (e *Engine) Waiting() []Waiting {
	var list []Waiting
	e.ask(func() {
		for _, x := range e.Executions() {
			if x.live() {
				x.root.waiting(&list)
			}
		}
	})
	return list
}

func (f *frame) waiting(list *[]Waiting) {
	if f.state == nil || f.wait == nil {
		return
	}
	if f.wait.kind == waitFork {
		for _, child := range f.wait.fork.live {
			child.waiting(list)
		}
		return
	}
	*list = append(*list, Waiting{Execution: f.run.arn, State: f.state.name, For: waitNames[f.wait.kind], Token: f.wait.token})
}
