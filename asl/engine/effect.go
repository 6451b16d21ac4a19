package engine

import (
	"time"
)

// effectKind says what the loop has to do for an execution.
type effectKind uint8

const (
	startCall effectKind = iota
	armTimer
	dropTimers
	cancelCall
	startChild
	stopChild
	offerTask // to workers of an activity
	hold      // a token
	finish
)

// effect is one thing to be done outside an execution. A replay drops them.
type effect struct {
	kind  effectKind
	frame *frame
	gen   uint32
	wait  *wait
	which timerKind
	at    time.Time
}

type timerKind uint8

const (
	timerWait timerKind = iota // Wait state, retry
	timerTask                  // TimeoutSeconds
	timerBeat                  // HeartbeatSeconds
	timerExecution
	timerLater // the outcome of a call that comes later
)

// await makes the frame wait, and asks for what that needs.
func (f *frame) await(w *wait) {
	x := f.x
	f.gen++
	f.wait = w
	switch w.kind {
	case waitTimer, waitRetry:
		x.effects = append(x.effects, effect{kind: armTimer, frame: f, gen: f.gen, wait: w, which: timerWait, at: w.until})
		return
	case waitCall:
		x.effects = append(x.effects, effect{kind: startCall, frame: f, gen: f.gen, wait: w})
	case waitWorker:
		x.effects = append(x.effects, effect{kind: offerTask, frame: f, gen: f.gen, wait: w})
	case waitFork:
		return
	}
	f.armLimits()
}

// armLimits arms the time-out and heartbeat of what the frame waits for.
func (f *frame) armLimits() {
	w := f.wait
	if !w.timeout.IsZero() {
		f.x.effects = append(f.x.effects, effect{kind: armTimer, frame: f, gen: f.gen, wait: w, which: timerTask, at: w.timeout})
	}
	if !w.beat.IsZero() {
		f.x.effects = append(f.x.effects, effect{kind: armTimer, frame: f, gen: f.gen, wait: w, which: timerBeat, at: w.beat})
	}
}

// rest ends the frame's waiting, whatever it waited for: calls are cancelled,
// timers dropped, children it waits for stopped.
func (f *frame) rest() {
	w := f.wait
	if w == nil {
		return
	}
	f.wait = nil
	f.gen++
	x := f.x
	switch w.kind {
	case waitCall:
		x.effects = append(x.effects, effect{kind: cancelCall, wait: w})
	case waitChild:
		x.effects = append(x.effects, effect{kind: stopChild, wait: w})
	case waitFork:
		return
	}
	x.effects = append(x.effects, effect{kind: dropTimers, wait: w})
}

// cancel ends everything the frame and those below it wait for, without events.
func (f *frame) cancel() {
	if f.wait != nil && f.wait.kind == waitFork {
		k := f.wait.fork
		for _, child := range k.live {
			child.cancel()
		}
		k.live = nil
	}
	f.endMapRun(Aborted)
	f.rest()
	f.dropVariables()
	f.state = nil
}
