package engine

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"plumbline/asl"
	"plumbline/asl/jsonpath"
	"plumbline/asl/value"
)

// taskSpec is what a Task's Resource says.
type taskSpec struct {
	resource string // as written
	service  string // sqs, aws-sdk:sfn; "" for a function or an activity
	action   string // sendMessage.waitForTaskToken
	token    bool   // it ends by a callback
	sync     bool   // .sync: it may end by a callback, too
	activity bool

	credentials *jsonpath.Template
}

func (c *compiler) taskSpec(s *asl.State) *taskSpec {
	t := &taskSpec{resource: s.Resource, credentials: c.template(s, "Credentials", s.Credentials)}
	parts := strings.SplitN(s.Resource, ":", 7)
	switch {
	case len(parts) >= 7 && parts[0] == "arn" && parts[2] == "states" && parts[3] == "" && parts[4] == "":
		t.service, t.action = parts[5], parts[6]
		if name, action, ok := strings.Cut(t.action, ":"); ok && t.service == "aws-sdk" {
			t.service, t.action = t.service+":"+name, action
		}
		t.token = strings.HasSuffix(t.action, ".waitForTaskToken")
		t.sync = strings.Contains(t.action, ".sync")
	case len(parts) == 7 && parts[0] == "arn" && parts[2] == "states" && parts[5] == "activity":
		t.activity = true
	}
	return t
}

// callKind says what a pending call does.
type callKind uint8

const (
	callTask  callKind = iota
	callChild          // start an execution inside the engine
	callRead           // ItemReader
	callWrite          // ResultWriter
)

// pendingCall is a call that is in flight or has to be made again after a restart.
type pendingCall struct {
	kind    callKind
	spec    *taskSpec
	input   any
	role    string // of Credentials
	attempt int
	number  int // among the state's calls, where the machine has a variant
	reader  *readRequest
	writer  *writeRequest
	name    string   // of the child
	machine *Machine // that the child runs
}

// Call is one task as the invoker gets it.
type Call struct {
	Resource  string          // as written: arn:aws:states:::lambda:invoke.waitForTaskToken
	Input     json.RawMessage // after Parameters
	Token     string          // of a callback; "" for none
	Execution string          // ARN
	Root      string          // ARN of the execution that was started; another than Execution's for a child of a distributed Map
	Variant   string          // of the machine
	State     string
	Key       string // the same for every attempt of this state entry: the idempotency key
	Attempt   int    // from 0
	Number    int    // of the call among those of the State in Root, from 0; counted only where there is a Variant
	RoleARN   string // of Credentials; "" for none
}

func (f *frame) performTask(effective any) bool {
	spec, fl, x := f.state.task, f.state.flow, f.x
	w := &wait{kind: waitCall}
	if spec.token || spec.activity {
		w.token = f.newToken()
	}
	f.wait = w // $$.Task.Token
	timeout, beat, err := fl.limits(f, effective)
	var args any
	if err == nil {
		args, err = fl.arguments(f, effective)
	}
	var role string
	if err == nil && spec.credentials != nil {
		role, err = f.roleOf(spec, effective)
	}
	f.wait = nil
	if err != nil {
		return f.failed(err)
	}
	if value.Exceeds(args, maxPayload) {
		return f.fail(f.tooLarge())
	}
	w.timeoutAfter = time.Duration(timeout) * time.Second
	w.beatEvery = time.Duration(beat) * time.Second
	if !spec.activity { // whose time begins when a worker takes it
		w.begin(x.now)
	}
	w.call = &pendingCall{kind: callTask, spec: spec, input: args, attempt: f.attempt}
	w.call.role = role
	w.call.number = f.number()
	f.scheduled(w.call, timeout, beat)
	switch {
	case spec.activity:
		w.kind = waitWorker
	case f.state.nested != nil:
		f.startsChild(w.call, f.gen+1)
	}
	f.await(w)
	return false
}

// number counts the calls of the frame's state in the whole execution. Scripted
// answers go by it, so a replay counts the same.
func (f *frame) number() int {
	x := f.x
	if x.machine.Variant == "" {
		return 0
	}
	if x.numbers == nil {
		x.numbers = map[string]int{}
	}
	n := x.numbers[f.state.name]
	x.numbers[f.state.name]++
	return n
}

func (f *frame) tooLarge() *Error {
	return &Error{Name: ErrDataLimitExceeded, Cause: fmt.Sprintf(
		"The state/task '%s' returned a result with a size exceeding the maximum number of bytes service limit.", f.state.name)}
}

// roleOf is the role that Credentials name.
func (f *frame) roleOf(t *taskSpec, effective any) (string, error) {
	v, err := f.fill(t.credentials, effective)
	if err != nil {
		return "", err
	}
	o, _ := v.(*value.Object)
	return o.String("RoleArn"), nil
}

// A task token is so many secret bytes, and so many that tell it from other text.
const tokenBytes, tokenCheck = 18, 3

// newToken makes the token of what the frame is about to wait for: a replay
// makes the same.
func (f *frame) newToken() string {
	secret := f.x.secret(fmt.Sprintf("token %d %d", f.id, f.gen+1))
	check := sha256.Sum256(secret[:tokenBytes])
	return base64.RawURLEncoding.EncodeToString(append(secret[:tokenBytes:tokenBytes], check[:tokenCheck]...))
}

// scheduled makes the events of a task's start.
func (f *frame) scheduled(c *pendingCall, timeout, beat int64) {
	t, args := c.spec, c.input
	if t.service != "" {
		f.emit("TaskScheduled", func(d *Details) {
			t.describe(d)
			d.Region = f.x.engine.options.Region
			d.Parameters, d.HasParameters = args, true
			d.TimeoutSeconds, d.HeartbeatSeconds = timeout, beat
			d.CredentialsARN = c.role
		})
		f.emit("TaskStarted", t.describe)
		return
	}
	f.emit(t.family()+"Scheduled", func(d *Details) {
		d.Resource = t.resource
		d.Input, d.HasInput = args, true
		d.TimeoutSeconds, d.HeartbeatSeconds = timeout, beat
		d.CredentialsARN = c.role
	})
	if !t.activity {
		f.emit("LambdaFunctionStarted", nil)
	}
}

// family is how the task's event types begin.
func (t *taskSpec) family() string {
	switch {
	case t.service != "":
		return "Task"
	case t.activity:
		return "Activity"
	}
	return "LambdaFunction"
}

// describe fills in what all events of a service's task have.
func (t *taskSpec) describe(d *Details) {
	if t.service != "" {
		d.Resource, d.ResourceType = t.action, t.service
	}
}

// returned is the outcome of a call.
func (f *frame) returned(c *completion) {
	w := f.wait
	switch w.call.kind {
	case callRead:
		f.itemsRead(c)
		return
	case callWrite:
		f.resultsWritten(c)
		return
	}
	if c.hasSubmit {
		f.submitted(c.submitted)
		switch {
		case !w.call.spec.token: // a child's start: nothing else answers so
			w.kind = waitChild
		case w.call.spec.token:
			w.kind = waitToken
			if w.early != nil {
				f.outcome(w.early)
			}
		}
		return
	}
	f.outcome(c)
}

// postponed is a call that has returned and told its outcome, which counts at
// a later time, the zero time being never.
func (f *frame) postponed(at time.Time, c *completion) {
	f.wait.later = &deferred{at, *c}
	f.armLater()
}

// armLater arms the timer of an outcome that comes later.
func (f *frame) armLater() {
	if w := f.wait; !w.later.at.IsZero() {
		f.x.effects = append(f.x.effects, effect{kind: armTimer, frame: f, gen: f.gen, wait: w, which: timerLater, at: w.later.at})
	}
}

// submitted is the first answer of a call whose outcome comes otherwise.
func (f *frame) submitted(answer any) {
	if f.wait.submitted {
		return // a call made again after a restart
	}
	f.wait.submitted = true
	spec := f.wait.call.spec
	f.emit("TaskSubmitted", func(d *Details) {
		spec.describe(d)
		d.Output, d.HasOutput = answer, true
	})
}

// called is a callback: it may come before the call that sent the token returns.
func (f *frame) called(c *completion) {
	if f.wait.kind == waitCall {
		early := *c
		f.wait.early = &early
		return
	}
	f.outcome(c)
}

// settled is the end of a child execution.
func (f *frame) settled(c *completion) { f.outcome(c) }

// taken is a worker that has begun an activity's task.
func (f *frame) taken(worker string) {
	f.wait.kind = waitToken
	f.emit("ActivityStarted", func(d *Details) { d.WorkerName = worker })
	f.wait.begin(f.x.now)
	f.armLimits()
}

// begin sets the times at which the time-out and the first heartbeat are due.
func (w *wait) begin(now time.Time) {
	if w.timeoutAfter > 0 {
		w.timeout = now.Add(w.timeoutAfter)
	}
	if w.beatEvery > 0 {
		w.beat = now.Add(w.beatEvery)
	}
}

// beats moves the heartbeat on.
func (f *frame) beats() {
	w := f.wait
	if w.beatEvery == 0 {
		return
	}
	w.beat = f.x.now.Add(w.beatEvery)
	f.x.effects = append(f.x.effects, effect{kind: armTimer, frame: f, gen: f.gen, wait: w, which: timerBeat, at: w.beat})
}

// outcome ends the task.
func (f *frame) outcome(c *completion) {
	spec := f.wait.call.spec
	f.rest()
	if c.err == nil && value.Exceeds(c.output, maxPayload) {
		c.err = f.tooLarge()
	}
	if c.err != nil {
		f.emit(spec.family()+"Failed", func(d *Details) {
			spec.describe(d)
			d.setError(c.err)
		})
		f.carry(f.fail(c.err))
		return
	}
	f.emit(spec.family()+"Succeeded", func(d *Details) {
		spec.describe(d)
		d.Output, d.HasOutput = c.output, true
	})
	f.carry(f.succeed(c.output))
}

// timedOut ends the task because its time or its heartbeat is over.
func (f *frame) timedOut(heartbeat bool) {
	spec := f.wait.call.spec
	f.rest()
	err := &Error{Name: ErrTimeout, heartbeat: heartbeat}
	f.emit(spec.family()+"TimedOut", func(d *Details) {
		spec.describe(d)
		d.setError(err)
	})
	f.carry(f.fail(err))
}
