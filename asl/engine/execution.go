package engine

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"plumbline/asl/value"
)

// Status of an execution.
type Status string

// The statuses.
const (
	Running   Status = "RUNNING"
	Succeeded Status = "SUCCEEDED"
	Failed    Status = "FAILED"
	TimedOut  Status = "TIMED_OUT"
	Aborted   Status = "ABORTED"
)

// Result is how an execution ended, or that it runs.
type Result struct {
	Status Status
	Output json.RawMessage // Succeeded only
	Error  string          // Failed, TimedOut, Aborted; may be ""
	Cause  string          // may be ""; often JSON
}

// Execution is one run of a machine. Its methods are safe for concurrent use.
type Execution struct {
	ARN, Name string
	Started   time.Time
	Number    uint64 // in the order in which the engine's executions were started, from 1

	engine  *Engine
	machine *Machine
	done    chan struct{} // closed at the end

	mu      sync.Mutex // guards what follows up to the loop's own
	result  Result
	stopped time.Time
	mapRuns []*MapRun

	// What follows is the loop's own.
	*work
	run       run
	root      *frame // nil: it has not begun, or has ended
	frames    uint32 // ids given
	seed      uint64
	numbers   map[string]int // calls so far, by state; nil: none, or not counted
	shuffle   bool           // the seed orders ready frames, too
	recording bool
	keep      bool
	watch     func(Event)
	rng       *rand.PCG
	output    any // Succeeded
	ended     time.Time
	ending    Result  // what the result is once the end is in the journal
	timer     *timer  // of the whole execution
	parent    *parent // nil: nobody waits for it inside the engine
	lineage   *lineage
}

// parent is the frame that started an execution and wants to hear of its end.
type parent struct {
	frame *frame
	gen   uint32
}

// Machine is what the execution runs.
func (x *Execution) Machine() *Machine { return x.machine }

// Input is the execution's input.
func (x *Execution) Input() json.RawMessage { return value.Encode(x.run.input) }

// Result is how the execution ended; Status is Running before.
func (x *Execution) Result() Result {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.result
}

// Stopped is when the execution ended, on the engine's clock; zero before.
func (x *Execution) Stopped() time.Time {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.stopped
}

// Done is closed when the execution has ended.
func (x *Execution) Done() <-chan struct{} { return x.done }

// Wait returns the result once there is one. The error is ctx's, or, where the
// engine's clock is virtual, a *DeadlockError. Neither ends the execution.
func (x *Execution) Wait(ctx context.Context) (Result, error) {
	for {
		stuck := x.engine.quiet()
		select {
		case <-x.done:
			return x.Result(), nil
		case <-ctx.Done():
			return x.Result(), ctx.Err()
		case <-stuck:
			select {
			case <-x.done:
				return x.Result(), nil
			default:
				return x.Result(), &DeadlockError{x.engine.Waiting()}
			}
		}
	}
}

// History is the events so far; empty where the engine does not keep them.
func (x *Execution) History() []Event {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Concat(x.run.log.events...)
}

// random is the next number of the execution's own sequence, which begins at
// its seed, so that a replay draws the same.
func (x *Execution) random() uint64 {
	if x.rng == nil {
		sum := x.secret("random numbers")
		x.rng = rand.NewPCG(binary.LittleEndian.Uint64(sum[:]), binary.LittleEndian.Uint64(sum[8:]))
	}
	return x.rng.Uint64()
}

// secret is a number for one use, which nobody can tell who does not know the seed.
func (x *Execution) secret(use string) [sha256.Size]byte {
	b := binary.LittleEndian.AppendUint64(nil, x.seed)
	b = append(append(b, x.ARN...), 0)
	return sha256.Sum256(append(b, use...))
}

// inputKind says what has happened, as far as an execution is concerned.
type inputKind uint8

const (
	onStart     inputKind = iota
	onCall                // a call has returned
	onToken               // a callback has come
	onHeartbeat           // of a token
	onTimer               // a timer is due
	onChild               // a child execution has ended
	onWorker              // a worker has taken an activity's task
	onStop                // the execution is to be aborted
	onSubmit              // a call whose outcome comes later has been taken on
	onLimits              // a map run gets other limits
	onLater               // a call has told an outcome that comes later
	onDamage              // the journal has lost what came next
)

// happening is one input of the loop: it is all that moves an execution, so a
// journal of them rebuilds it.
type happening struct {
	kind  inputKind
	x     *Execution
	frame *frame
	gen   uint32 // of the frame when what now happens was set going; else stale
	which timerKind
	completion
	order uint64        // of calls under a virtual clock
	at    time.Time     // of onLater: when the outcome comes; zero: never
	ask   func()        // to be run on the loop; no execution is concerned
	kept  chan struct{} // closed when the journal has kept it; nil: nobody waits for that
}

// completion is the outcome of a call, token or child.
type completion struct {
	output    any
	err       *Error
	submitted any // what a call with a token, or .sync, answered at first
	hasSubmit bool
	worker    string
	later     *Later // the outcome comes later
}

// apply moves the execution by one happening, to the point where every frame
// waits or it has ended. It calls nothing outside: what is to be done is in
// x.effects afterwards.
func (x *Execution) apply(h *happening, now time.Time) {
	x.now = now
	x.steps = 0
	switch h.kind {
	case onStart:
		x.begin()
	case onStop:
		x.abortExecution(h.err)
	case onDamage:
		x.fail(h.err)
	default:
		if h.frame == nil {
			x.timeOut()
		} else if h.frame.gen == h.gen && h.frame.wait != nil {
			x.wake(h)
		}
	}
	x.pump()
}

// live reports whether the execution still runs.
func (x *Execution) live() bool { return x.root != nil }

func (x *Execution) begin() {
	x.run.start = x.now
	x.root = x.newFrame(nil, 0, x.machine.root, &x.run, nil)
	x.emit(&x.run, "ExecutionStarted", 0, func(d *Details) {
		d.Input, d.HasInput, d.RoleARN = x.run.input, true, x.machine.RoleARN
	})
	if limit := x.machine.limit(); limit > 0 {
		x.effects = append(x.effects, effect{kind: armTimer, which: timerExecution, at: x.now.Add(limit)})
	}
	x.enter(x.root, x.machine.root.start, x.run.input)
}

func (x *Execution) newFrame(k *fork, index int, p *program, r *run, vars *scope) *frame {
	x.frames++
	return &frame{id: x.frames, x: x, fork: k, index: index, program: p, run: r, vars: &scope{outer: vars}}
}

// maxSteps bounds what one happening may set going: a loop of states that
// never waits would otherwise keep the engine for ever.
const maxSteps = 1_000_000

// pump advances ready frames until none is left. A seed picks among them.
func (x *Execution) pump() {
	for len(x.ready) > 0 && x.live() {
		i := 0
		if x.shuffle && len(x.ready) > 1 {
			i = int(x.random() % uint64(len(x.ready)))
		}
		f := x.ready[i]
		x.ready = without(x.ready, i)
		f.advance()
	}
	x.ready = x.ready[:0]
}

// few is up to how many frames are moved up where one before them goes.
const few = 32

// without takes the frame at i from the list and keeps the order of the others.
// The first of many, as it is in a Map of many items, costs no more than of few.
func without(list []*frame, i int) []*frame {
	if i == 0 && len(list) > few {
		list[0] = nil
		return list[1:]
	}
	copy(list[i:], list[i+1:])
	list[len(list)-1] = nil
	return list[:len(list)-1]
}

// end ends the execution.
func (x *Execution) end(s Status, out any, err *Error, event string) {
	if !x.live() {
		return
	}
	prev := x.root.last
	x.endMapRuns()
	if err != nil && len(err.Cause) > maxCause {
		err = &Error{Name: err.Name, Cause: cut(err.Cause)}
	}
	if s == TimedOut {
		prev = 0
	}
	x.root = nil
	x.ready = x.ready[:0]
	x.emit(&x.run, event, prev, func(d *Details) {
		if s == Succeeded {
			d.Output, d.HasOutput = out, true
		} else if err != nil {
			d.setError(err)
		}
	})
	r := Result{Status: s}
	if s == Succeeded {
		x.output = out
		r.Output = value.Encode(out)
	} else if err != nil {
		r.Error, r.Cause = err.Name, err.Cause
	}
	x.ending, x.ended = r, x.now
	x.effects = append(x.effects, effect{kind: finish})
}

// publish makes the end known to those who ask for it.
func (x *Execution) publish() {
	x.mu.Lock()
	x.result, x.stopped = x.ending, x.ended
	x.mu.Unlock()
}

// fail ends the execution with an error.
func (x *Execution) fail(err *Error) {
	if !x.live() {
		return
	}
	x.root.cancel()
	x.end(Failed, nil, err, "ExecutionFailed")
}

// overflow ends what has made too many events.
func (x *Execution) overflow(f *frame) {
	err := &Error{Name: ErrRuntime, fatal: true,
		Cause: fmt.Sprintf("The execution reached the maximum number of history events (%d).", maxEvents)}
	if f.run == &x.run {
		x.fail(err)
		return
	}
	for f.fork != nil && f.fork.frame.run == f.run {
		f = f.fork.frame
	}
	f.end(err)
}

// timeOut ends the execution because its TimeoutSeconds are over.
func (x *Execution) timeOut() {
	if !x.live() {
		return
	}
	x.root.cancel()
	x.end(TimedOut, nil, &Error{Name: ErrTimeout}, "ExecutionTimedOut")
}

// abortExecution ends the execution because it was told to stop.
func (x *Execution) abortExecution(err *Error) {
	if !x.live() {
		return
	}
	x.root.cancel()
	x.end(Aborted, nil, err, "ExecutionAborted")
}
