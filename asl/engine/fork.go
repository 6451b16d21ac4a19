package engine

import (
	"slices"
)

// fork is a Parallel or Map state at work: the frames below it and what they
// have given so far.
type fork struct {
	frame   *frame // whose state it is
	live    []*frame
	results []any
	open    int   // branches that have not ended
	last    int64 // event id: of the last branch that ended

	items *iteration // Map only
}

// finished is the end of a branch or iteration.
func (k *fork) finished(child *frame, out any) {
	k.remove(child)
	child.dropVariables()
	k.results[child.index] = out
	k.open--
	k.last = child.last
	if k.items != nil {
		k.iterated(child)
		return
	}
	if k.open == 0 {
		k.complete()
	}
}

func (k *fork) remove(child *frame) {
	if i := slices.Index(k.live, child); i >= 0 {
		k.live = without(k.live, i)
	}
}

// complete ends the state whose branches have all ended.
func (k *fork) complete() {
	f := k.frame
	f.rest()
	f.last = k.last
	f.x.emit(f.run, kindNames[f.state.kind]+"StateSucceeded", k.last, nil)
	f.carry(f.succeed(k.results))
}

// failed is a branch or iteration that has ended with an error.
func (k *fork) failed(child *frame, err *Error) {
	k.last = child.last
	if k.items != nil && k.tolerates(child, err) {
		return
	}
	f := k.frame
	f.last = child.last
	k.abort()
	f.rest()
	f.carry(f.fail(err))
}

// abort ends the branches that have not ended because one has failed. The one
// that failed is among them: its state was entered and has not been exited.
func (k *fork) abort() {
	k.aborted(k.frame.last)
	for _, child := range k.live {
		child.cancel()
	}
	k.live = nil
}

// aborted makes the events of branches that are ended from outside.
func (k *fork) aborted(prev int64) {
	f := k.frame
	for _, child := range k.live {
		if child.run != f.run { // a child execution
			f.x.emit(child.run, "ExecutionAborted", child.last, nil)
			continue
		}
		if k.items != nil {
			typ := "MapIterationAborted"
			if child.failing {
				typ = "MapIterationFailed"
			}
			f.x.emit(f.run, typ, prev, f.iterationDetails(child.index))
		}
		child.abort(prev)
	}
}

// abort makes the events of a state that is ended from outside.
func (f *frame) abort(prev int64) {
	if f.wait != nil && f.wait.kind == waitFork {
		f.wait.fork.aborted(prev)
	}
	if f.state != nil && abortedEvents[f.state.kind] != "" {
		f.x.emit(f.run, abortedEvents[f.state.kind], prev, nil)
	}
}
