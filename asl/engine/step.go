package engine

import "plumbline/asl/value"

// maxPayload is the largest input or output of a state, in bytes of JSON.
// Source: Step Functions quotas, "Maximum input or output size for a task,
// state, or execution".
const maxPayload = 256 * 1024

// maxAssign is the most that one Assign field may give its variables together,
// and so one of them, and maxVariables the most that all of an execution's may
// hold, both in bytes of JSON. Source: Step Functions developer guide, "Passing
// data between states with variables", Limits. It names no error for them: the
// quota of a state's data has States.DataLimitExceeded.
const maxAssign, maxVariables = 256 * 1024, 10 << 20

// enter puts the frame into a state; advance then performs it.
func (x *Execution) enter(f *frame, s *state, input any) {
	f.state, f.input = s, input
	f.since = x.now
	f.attempt, f.retries = 0, nil
	f.entered = f.emit(enteredEvents[s.kind], func(d *Details) {
		d.Name, d.Input, d.HasInput = s.name, input, true
	})
	x.ready = append(x.ready, f)
}

var (
	enteredEvents = [...]string{"TaskStateEntered", "PassStateEntered", "ChoiceStateEntered", "WaitStateEntered",
		"SucceedStateEntered", "FailStateEntered", "ParallelStateEntered", "MapStateEntered"}
	exitedEvents = [...]string{"TaskStateExited", "PassStateExited", "ChoiceStateExited", "WaitStateExited",
		"SucceedStateExited", "", "ParallelStateExited", "MapStateExited"}
	abortedEvents = [...]string{kindTask: "TaskStateAborted", kindWait: "WaitStateAborted",
		kindParallel: "ParallelStateAborted", kindMap: "MapStateAborted"}
)

// advance performs the frame's state, and those after it, until it waits or ends.
func (f *frame) advance() {
	x := f.x
	for x.live() && f.state != nil && f.wait == nil {
		if x.steps++; x.steps > maxSteps {
			x.fail(f.runtime("The execution entered %d states without waiting for anything.", maxSteps))
			return
		}
		again := f.perform()
		if f.run.log.full {
			x.overflow(f)
			return
		}
		if !again {
			return
		}
	}
}

// perform does what the state does. False: the frame waits or is no more; else
// it has entered the next state.
func (f *frame) perform() bool {
	effective, err := f.state.flow.input(f)
	if err != nil {
		return f.failed(err)
	}
	switch f.state.kind {
	case kindPass:
		return f.performPass(effective)
	case kindSucceed:
		return f.performSucceed(effective)
	case kindChoice:
		return f.performChoice(effective)
	case kindFail:
		return f.performFail(effective)
	case kindWait:
		return f.performWait(effective)
	case kindTask:
		return f.performTask(effective)
	case kindParallel:
		return f.performParallel(effective)
	}
	return f.performMap(effective)
}

// succeed ends the state with its result.
func (f *frame) succeed(result any) bool {
	out, vars, err := f.state.flow.output(f, result)
	if err != nil {
		return f.failed(err)
	}
	return f.leave(out, vars, f.state.next)
}

// leave ends the state with its output and goes on to next, nil for the end.
func (f *frame) leave(out any, vars *value.Object, next *state) bool {
	if value.Exceeds(out, maxPayload) || !f.keepVariables(vars) {
		return f.failed(f.tooLarge())
	}
	f.emit(exitedEvents[f.state.kind], func(d *Details) {
		d.Name, d.Output, d.HasOutput, d.Variables = f.state.name, out, true, vars
	})
	if next != nil {
		f.state, f.input = next, out
		f.since = f.x.now
		f.attempt, f.retries = 0, nil
		f.entered = f.emit(enteredEvents[next.kind], func(d *Details) {
			d.Name, d.Input, d.HasInput = next.name, out, true
		})
		return true
	}
	f.state = nil
	if f.fork != nil {
		f.fork.finished(f, out)
	} else {
		f.x.end(Succeeded, out, nil, "ExecutionSucceeded")
	}
	return false
}

// failed is fail for an error of any type, as the flow returns them.
func (f *frame) failed(err error) bool {
	e, ok := err.(*Error)
	if !ok {
		e = f.runtime("%v", err)
	}
	return f.fail(e)
}

// fail lets Retry and Catch have the error, and where none takes it ends the
// branch. True: the frame has entered the state that a catcher names.
func (f *frame) fail(err *Error) bool {
	if delay, again := f.retryDelay(err); again {
		f.await(&wait{kind: waitRetry, until: f.x.now.Add(delay)})
		return false
	}
	if f.state.kind == kindMap || f.state.kind == kindParallel {
		if !err.fatal && err.Name != ErrRuntime {
			f.emit(kindNames[f.state.kind]+"StateFailed", nil)
		}
	}
	for i := range f.state.catch {
		if c := &f.state.catch[i]; err.matches(c.errors) {
			out, vars, bad := f.state.flow.caught(f, c, err.value())
			if bad != nil {
				return f.end(bad.(*Error))
			}
			return f.leave(out, vars, c.next)
		}
	}
	return f.end(err)
}

// end ends the branch with an error.
func (f *frame) end(err *Error) bool {
	if f.fork == nil {
		f.x.fail(err)
	} else {
		f.fork.failed(f, err)
	}
	return false
}

// wake gives a frame what it waits for.
func (x *Execution) wake(h *happening) {
	f := h.frame
	switch h.kind {
	case onTimer:
		f.due(h.which)
	case onCall:
		f.returned(&h.completion)
	case onLater:
		f.postponed(h.at, &h.completion)
	case onSubmit:
		f.submitted(h.submitted)
	case onToken:
		f.called(&h.completion)
	case onHeartbeat:
		f.beats()
	case onChild:
		f.settled(&h.completion)
	case onWorker:
		f.taken(h.worker)
	case onLimits:
		f.wait.fork.relimit(h.output)
	}
}

// due is a timer that has gone off.
func (f *frame) due(which timerKind) {
	if which == timerLater {
		c := f.wait.later.completion
		f.wait.later = nil
		f.returned(&c)
		return
	}
	switch f.wait.kind {
	case waitTimer:
		f.wait = nil
		f.gen++
		effective, err := f.state.flow.input(f)
		if err != nil {
			f.carry(f.failed(err))
			return
		}
		f.carry(f.succeed(effective))
	case waitRetry:
		f.wait = nil
		f.gen++
		f.x.ready = append(f.x.ready, f)
	default:
		f.timedOut(which == timerBeat)
	}
}

// carry goes on with the frame where it has entered another state.
func (f *frame) carry(entered bool) {
	if entered {
		f.x.ready = append(f.x.ready, f)
	}
}
