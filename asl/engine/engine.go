// Package engine runs state machines of the Amazon States Language as Step
// Functions does, in process.
//
// An execution is data: frames, one for each path of control, which one loop
// advances. What happens outside (a call has returned, a timer is due, a token
// has come) is an input of that loop, and what the loop wants done outside is
// its output; goroutines carry task calls and nothing else. So a journal of
// the inputs rebuilds an execution, a seed can order what is ready, many
// executions wait in little memory, and a virtual clock jumps as soon as no
// call is in flight.
package engine

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"plumbline/asl/value"
)

// Options are an engine's surroundings. The zero value: real time, everything
// in memory, and each task fails with States.Runtime.
type Options struct {
	Tasks   Invoker
	Objects Objects // for ItemReader and ResultWriter; nil: those states fail
	Clock   Clock   // nil: real time

	// Seed decides jitter, States.UUID, States.MathRandom and the order among
	// ready branches: under a virtual clock two engines of one seed and the same
	// calls give the same histories. 0: a random seed, and ready branches in their
	// natural order.
	Seed uint64
	// Ordered keeps ready branches in their natural order although there is a
	// Seed, so that scripted answers meet the branches in the order of the text.
	Ordered bool

	// Journal is where inputs are kept; nil: nowhere. With a Committer, Start,
	// Stop, Succeed, Fail, Heartbeat and Poll return when what they tell is kept.
	Journal Journal
	Watch   func(Event) // gets every event, on the engine's loop: it must not block or call the engine
	History bool        // keep the events for Execution.History

	// Machines are the state machines that tasks of this engine may start, by
	// the StateMachineArn as written: an ARN, or a placeholder "${ScanStackArn}".
	// Others go to Tasks.
	Machines map[string]*Machine
	// Find is asked for those that are not among Machines, by the call without
	// its input and the StateMachineArn; nil: none, so that Tasks gets the call. It
	// runs on the engine's loop, and must not block or call the engine.
	Find func(c Call, arn string) *Machine
	// Disturb, where not nil, is asked before a task starts one of Machines; what
	// it returns, where not nil, goes wrong with the start. It is for tests, runs
	// on the engine's loop, and must not block or call the engine.
	Disturb func(Call) *Disturbance

	// Patience is how long, in real time, a clock that jumps stands still after a
	// token or an activity's task has been given out: who answers it lives in real
	// time, and should not find it timed out before he could look. 0: not at all.
	Patience time.Duration

	Workers         int    // how many calls run at once; 0: no bound
	Region, Account string // in ARNs; "" is us-east-1, 123456789012
}

// Engine runs executions. Its methods are safe for concurrent use. It holds no
// goroutine while it is idle, so it need not be closed.
type Engine struct {
	options Options
	clock   Clock
	jumper  Jumper // nil: time passes by itself
	seed    uint64

	ids      *rand.PCG // guarded by mu
	mu       sync.Mutex
	inbox    []happening
	returned []happening // calls under a virtual clock, until all are back
	backlog  []effect    // calls that wait for a worker
	inflight int
	calls    uint64
	looping  bool
	idle     chan struct{} // closed when a virtual engine has nothing left to do
	isIdle   bool
	execs    map[string]*Execution
	machines map[*Machine]*Machine // with the identities they have here
	tokens   map[string]tokenHolder
	patient  time.Time // real time until which the clock does not jump while there are tokens
	waking   bool      // the loop will be woken then
	mapRuns  map[string]*MapRun
	children map[string]*Child
	workers  activities

	// What follows is the loop's own.
	timers    timers
	work      *work
	turn      turn
	wakeAt    time.Time
	unwake    func()
	replaying bool                       // a journal is being read
	resumed   map[tokenHolder]*Execution // children that another engine has begun, by who waits for them
	started   atomic.Uint64
}

type tokenHolder struct {
	frame *frame
	gen   uint32
}

// New returns an engine.
func New(o Options) *Engine {
	e := &Engine{options: o, clock: o.Clock, seed: o.Seed, execs: map[string]*Execution{}, tokens: map[string]tokenHolder{}, machines: map[*Machine]*Machine{}, idle: make(chan struct{}), work: newWork()}
	if e.seed == 0 {
		e.seed = rand.Uint64()
	}
	e.ids = rand.NewPCG(e.seed, 0)
	if e.clock == nil {
		e.clock = realClock{}
	}
	e.jumper, _ = e.clock.(Jumper)
	e.turn.committer, _ = o.Journal.(Committer)
	if e.options.Region == "" {
		e.options.Region = "us-east-1"
	}
	if e.options.Account == "" {
		e.options.Account = "123456789012"
	}
	return e
}

// Run runs one execution of m to its end. A failed execution is no error: see
// Execution.Result. The error says that the input is not JSON, that ctx ended,
// which aborts the execution, or that it waits for what can never come
// (*DeadlockError, under a virtual clock).
func Run(ctx context.Context, m *Machine, input json.RawMessage, o Options) (*Execution, error) {
	e := New(o)
	x, err := e.Start(m, "", input)
	if err != nil {
		return nil, err
	}
	if _, err = x.Wait(ctx); err != nil {
		e.Stop(x.ARN, "", "")
		select {
		case <-x.done:
		case <-time.After(time.Second):
		}
	}
	return x, err
}

// Start begins an execution. name "" is a new unique name; a name that exists
// with the same machine and input is that execution, and else ErrExecutionExists.
// The error may also be that the input is not JSON.
func (e *Engine) Start(m *Machine, name string, input json.RawMessage) (*Execution, error) {
	var v any = &value.Object{}
	if len(input) > 0 {
		var err error
		if v, err = value.Decode(input); err != nil {
			return nil, fmt.Errorf("read the input: %w", err)
		}
	}
	x, err := e.start(m, name, v, nil, nil)
	e.keep(happening{})
	return x, err
}

// start begins an execution, which p waits for and which by's task starts; both
// nil: neither.
func (e *Engine) start(m *Machine, name string, input any, p *parent, by *Execution) (*Execution, error) {
	given := name
	e.mu.Lock()
	m = e.identifyLocked(m)
	for name == "" || name != given && e.execs[m.executionARN(name)] != nil {
		name = e.newID()
	}
	arn := m.executionARN(name)
	if m.Express {
		arn += ":" + e.newID()
	}
	if old := e.execs[arn]; old != nil {
		e.mu.Unlock()
		if !old.machine.same(m) || !value.Equal(old.run.input, input) {
			return nil, fmt.Errorf("start %q: %w", name, ErrExecutionExists)
		}
		return old, nil
	}
	l := newLineage(m.ARN)
	if by != nil {
		if l = by.below(m.ARN, p != nil, e.clock.Now()); l == nil {
			e.mu.Unlock()
			return nil, fmt.Errorf("start %q: %w", name, errTooManyExecutions)
		}
	}
	x := e.newExecution(m, name, arn, input)
	x.parent, x.lineage = p, l
	e.execs[arn] = x
	e.postLocked(happening{kind: onStart, x: x})
	e.mu.Unlock()
	return x, nil
}

func (e *Engine) newExecution(m *Machine, name, arn string, input any) *Execution {
	x := &Execution{
		ARN: arn, Name: name, Started: e.clock.Now(), engine: e, machine: m,
		done: make(chan struct{}), result: Result{Status: Running}, seed: e.seed, shuffle: e.options.Seed != 0 && !e.options.Ordered,
		keep: e.options.History, watch: e.options.Watch, work: e.work, Number: e.started.Add(1),
	}
	x.recording = x.keep || x.watch != nil
	x.run = run{arn: arn, name: name, input: input}
	return x
}

// identifyLocked fills in what the machine's identity leaves open.
func (e *Engine) identifyLocked(m *Machine) *Machine {
	if m.Name != "" && m.ARN != "" && m.RoleARN != "" {
		return m
	}
	if known := e.machines[m]; known != nil {
		return known
	}
	id := m.Identity
	if id.Name == "" {
		id.Name = "StateMachine"
	}
	if id.ARN == "" {
		id.ARN = "arn:aws:states:" + e.options.Region + ":" + e.options.Account + ":stateMachine:" + id.Name
	}
	if id.RoleARN == "" {
		id.RoleARN = "arn:aws:iam::" + e.options.Account + ":role/" + id.Name
	}
	known := m.As(id)
	e.machines[m] = known
	return known
}

func (m *Machine) executionARN(name string) string {
	if m.Express {
		return strings.Replace(m.ARN, ":stateMachine:", ":express:", 1) + ":" + name
	}
	return strings.Replace(m.ARN, ":stateMachine:", ":execution:", 1) + ":" + name
}

// newID is a new UUID of the engine's own sequence. The caller holds mu.
func (e *Engine) newID() string { return uuidOf(e.ids.Uint64(), e.ids.Uint64()) }

// uuidOf makes a version 4 UUID of two random numbers.
func uuidOf(a, b uint64) string {
	var raw [16]byte
	binary.BigEndian.PutUint64(raw[:8], a)
	binary.BigEndian.PutUint64(raw[8:], b)
	raw[6], raw[8] = raw[6]&0x0f|0x40, raw[8]&0x3f|0x80
	var text [36]byte
	at := 0
	for _, part := range [...][]byte{raw[:4], raw[4:6], raw[6:8], raw[8:10], raw[10:]} {
		if at > 0 {
			text[at] = '-'
			at++
		}
		at += hex.Encode(text[at:], part)
	}
	return string(text[:])
}

// Execution returns the execution of this ARN, nil if there is none.
func (e *Engine) Execution(arn string) *Execution {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.execs[arn]
}

// Executions returns all executions, by ARN.
func (e *Engine) Executions() []*Execution {
	e.mu.Lock()
	defer e.mu.Unlock()
	list := make([]*Execution, 0, len(e.execs))
	for _, x := range e.execs {
		list = append(list, x)
	}
	slices.SortFunc(list, func(a, b *Execution) int { return strings.Compare(a.ARN, b.ARN) })
	return list
}

// Forget drops an execution that has ended, so that an engine which runs for
// long does not keep them all. Its name may be used again.
func (e *Engine) Forget(arn string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if x := e.execs[arn]; x != nil && x.Result().Status != Running {
		delete(e.execs, arn)
		e.forgetMapRunsLocked(x)
	}
}

// Stop aborts a running execution, with an error and cause that may be "".
// False: there is none of this ARN, or it has ended.
func (e *Engine) Stop(arn, name, cause string) bool {
	x := e.Execution(arn)
	if x == nil || x.Result().Status != Running {
		return false
	}
	e.keep(happening{kind: onStop, x: x, completion: completion{err: &Error{Name: name, Cause: cause}}})
	return true
}

// Succeed ends the task that waits for token. The error says that the output
// is not JSON, or is ErrTaskTimedOut or ErrTaskDoesNotExist.
func (e *Engine) Succeed(token string, output json.RawMessage) error {
	v, err := value.Decode(output)
	if err != nil {
		return fmt.Errorf("read the output: %w", err)
	}
	return e.callback(token, onToken, completion{output: v})
}

// Fail ends the task that waits for token with an error.
func (e *Engine) Fail(token, name, cause string) error {
	return e.callback(token, onToken, completion{err: &Error{Name: name, Cause: cause}})
}

// Heartbeat says that the task of token is still at work.
func (e *Engine) Heartbeat(token string) error {
	return e.callback(token, onHeartbeat, completion{})
}

func (e *Engine) callback(token string, kind inputKind, c completion) error {
	e.mu.Lock()
	h, ok := e.tokens[token]
	if !ok {
		e.mu.Unlock()
		if tokenIsOurs(token) {
			return ErrTaskTimedOut
		}
		return ErrTaskDoesNotExist
	}
	if kind == onToken {
		delete(e.tokens, token)
	}
	e.waitForAnswersLocked()
	e.mu.Unlock()
	e.keep(happening{kind: kind, x: h.frame.x, frame: h.frame, gen: h.gen, completion: c})
	return nil
}
