package engine

import (
	"errors"
	"fmt"
	"strings"
)

// Error is a failure as a workflow sees it: what Retry and Catch match, and
// what a failed execution ends with.
type Error struct {
	Name  string // States.TaskFailed, or any name a task gives; may be ""
	Cause string // often JSON; may be ""

	heartbeat bool // a time-out because no heartbeat came
	fatal     bool // neither retried nor caught, whatever its name
}

func (e *Error) Error() string {
	if e.Cause == "" {
		return e.Name
	}
	return e.Name + ": " + e.Cause
}

// Names of the errors that the engine itself raises or gives a meaning. The
// language has more names than the service uses: a path that finds nothing, an
// intrinsic function that fails and a choice that matches nothing are all
// States.Runtime there, which nothing retries or catches.
const (
	ErrAll                   = "States.ALL" // matches only
	ErrTimeout               = "States.Timeout"
	ErrHeartbeatTimeout      = "States.HeartbeatTimeout" // matches only; the error itself is States.Timeout
	ErrTaskFailed            = "States.TaskFailed"
	ErrRuntime               = "States.Runtime"
	ErrDataLimitExceeded     = "States.DataLimitExceeded"
	ErrReferencePathConflict = "States.ReferencePathConflict"
	ErrExceedTolerated       = "States.ExceedToleratedFailureThreshold"
	ErrItemReaderFailed      = "States.ItemReaderFailed"
	ErrResultWriterFailed    = "States.ResultWriterFailed"
	ErrPanic                 = "Panic" // a task's Go code panicked; not a name of AWS's
)

// Errors of the engine's own functions.
var (
	ErrTaskDoesNotExist = errors.New("no task has this token")
	ErrTaskTimedOut     = errors.New("the task of this token is no longer waiting")
	ErrExecutionExists  = errors.New("an execution of this name exists with another input or machine")
)

// DeadlockError says that executions wait for what can no longer happen: the
// clock is virtual, no call is in flight and no timer is left.
type DeadlockError struct {
	Waiting []Waiting
}

// Waiting is one place where an execution waits.
type Waiting struct {
	Execution string // ARN
	State     string
	For       string // token, call, child, timer, activity, branches
	Token     string // of a callback
}

func (e *DeadlockError) Error() string {
	parts := make([]string, 0, len(e.Waiting))
	for _, w := range e.Waiting {
		parts = append(parts, fmt.Sprintf("state %q of %s waits for its %s", w.State, w.Execution, w.For))
	}
	return "no timer is left and no call is in flight: " + strings.Join(parts, "; ")
}
