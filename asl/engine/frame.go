package engine

import (
	"time"

	"plumbline/asl/jsonpath"
	"plumbline/asl/value"
)

// frame is one path of control: the execution's own, a branch of a Parallel
// state, or an iteration of a Map. Only the engine's loop touches it.
type frame struct {
	id      uint32
	gen     uint32 // goes up whenever what the frame waits for changes
	index   int    // branch or iteration
	x       *Execution
	run     *run
	program *program
	fork    *fork // it belongs to; nil: the execution's own
	vars    *scope

	state   *state
	input   any   // raw
	entered int64 // event id
	last    int64 // event id: what the next event follows
	since   time.Time
	attempt int   // retries so far
	retries []int // by retrier
	wait    *wait // nil: nothing
	item    *mapItem
	failing bool // the iteration that fails its Map
}

// run is what $$.Execution describes: the execution itself, or the child
// execution that a Distributed Map makes of an iteration.
type run struct {
	arn, name string
	input     any
	start     time.Time
	log       eventLog
	variables int    // bytes of JSON that all its variables hold
	child     *Child // of a map run that is kept; nil: none
}

// mapItem is $$.Map.Item of an iteration.
type mapItem struct {
	index  int
	value  any
	key    string // of an object's field
	hasKey bool
	source string // STATE_DATA or the object's URI; distributed only
}

// scope is one level of variables. A level is never changed while another may
// read it: assigning makes a new object.
type scope struct {
	outer *scope
	vars  *value.Object
	size  int // bytes of JSON of the values
}

func (s *scope) get(name string) (any, bool) {
	for ; s != nil; s = s.outer {
		if v, ok := s.vars.Get(name); ok {
			return v, true
		}
	}
	return nil, false
}

// keepVariables assigns variables, nil for none. False: the execution would have
// more than it may, and nothing is assigned.
func (f *frame) keepVariables(vars *value.Object) bool {
	if vars == nil {
		return true
	}
	grown := 0
	for _, field := range vars.Fields() {
		old, had := f.vars.vars.Get(field.Key)
		if had {
			grown += value.Spend(old, maxAssign) - maxAssign
		}
		grown += maxAssign - value.Spend(field.Value, maxAssign)
	}
	if f.run.variables+grown > maxVariables {
		return false
	}
	f.run.variables += grown
	f.vars.size += grown
	f.vars.vars = f.vars.vars.Merge(vars)
	return true
}

// dropVariables gives up what a branch or iteration that has ended has assigned.
func (f *frame) dropVariables() {
	f.run.variables -= f.vars.size
	f.vars.size = 0
}

// scope prepares the one Scope there is for an expression of this frame.
func (f *frame) scope(input any) *jsonpath.Scope {
	f.x.current = f
	f.x.scope.Input = input
	return &f.x.scope
}

// work is what the loop has in hand: the executions of an engine share it,
// since one moves at a time.
type work struct {
	now     time.Time
	ready   []*frame // to advance, in order of becoming so
	effects []effect // to be done outside
	steps   int      // states performed since the last happening
	scope   jsonpath.Scope
	current *frame // whose expressions scope is evaluating
}

func newWork() *work {
	w := &work{}
	w.scope = jsonpath.Scope{
		Context:  w.contextObject,
		Variable: func(name string) (any, bool) { return w.current.vars.get(name) },
		Random:   func() uint64 { return w.current.x.random() },
	}
	return w
}

// contextObject makes $$ as it stands for the current frame, or only the field
// of it that is wanted.
func (w *work) contextObject(want string) any {
	f := w.current
	m := f.x.machine
	var fields []value.Field
	add := func(key string, v any) { fields = append(fields, value.Field{Key: key, Value: v}) }
	if want == "" || want == "Execution" {
		add("Execution", value.Of("Id", f.run.arn, "Input", f.run.input, "StartTime", timeText(f.run.start),
			"Name", f.run.name, "RoleArn", m.RoleARN, "RedriveCount", int64(0)))
	}
	if want == "" || want == "StateMachine" {
		add("StateMachine", value.Of("Id", m.ARN, "Name", m.Name))
	}
	if want == "" || want == "State" {
		add("State", f.stateObject())
	}
	if t := f.state.task; (want == "" || want == "Task") && t != nil && f.wait != nil && (t.token || t.sync) {
		if f.wait.token == "" {
			f.wait.token = f.newToken()
		}
		add("Task", value.Of("Token", f.wait.token))
	}
	if item := f.mapItem(); (want == "" || want == "Map") && item != nil {
		o := value.Of("Index", int64(item.index), "Value", item.value)
		if item.hasKey {
			o = o.With("Key", item.key)
		}
		if item.source != "" {
			o = o.With("Source", item.source)
		}
		add("Map", value.Of("Item", o))
	}
	return value.NewObject(fields...)
}

// stateObject is $$.State. Only states that may be retried have a RetryCount.
func (f *frame) stateObject() *value.Object {
	o := value.Of("Name", f.state.name, "EnteredTime", timeText(f.since))
	switch f.state.kind {
	case kindTask, kindMap, kindParallel:
		return o.With("RetryCount", int64(f.attempt))
	}
	return o
}

// mapItem is the item of the nearest Map around the frame.
func (f *frame) mapItem() *mapItem {
	for {
		if f.item != nil {
			return f.item
		}
		if f.fork == nil {
			return nil
		}
		f = f.fork.frame
	}
}

func timeText(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// waitKind says what a frame waits for.
type waitKind uint8

const (
	waitTimer  waitKind = iota // a Wait state
	waitRetry                  // the delay before another attempt
	waitCall                   // a task, or another call
	waitToken                  // a callback, after the call has returned
	waitWorker                 // an activity without a worker
	waitChild                  // an execution it has started
	waitFork                   // its branches or iterations
)

var waitNames = [...]string{"timer", "timer", "call", "token", "activity", "child", "branches"}

// wait is what a frame waits for. It holds all that is needed to begin waiting
// again after a restart.
type wait struct {
	kind         waitKind
	until        time.Time // waitTimer, waitRetry
	timeoutAfter time.Duration
	timeout      time.Time // zero: none
	beatEvery    time.Duration
	beat         time.Time // when the heartbeat is due; zero: none
	token        string
	call         *pendingCall
	child        string // ARN
	fork         *fork
	early        *completion // of a token, before the call has returned
	submitted    bool        // there has been a TaskSubmitted
	later        *deferred   // the outcome of a call that has returned; nil: none yet

	timer, beatTimer, laterTimer *timer
	cancel                       func() // of the call in flight
}

// deferred is an outcome that comes later.
type deferred struct {
	at time.Time // zero: never
	completion
}
