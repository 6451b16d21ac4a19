package engine

import (
	"math"
	"time"

	"plumbline/asl"
	"plumbline/asl/jsonpath"
	"plumbline/asl/value"
)

// retrier is a compiled entry of Retry.
type retrier struct {
	errors      []string
	interval    float64 // seconds
	backoff     float64
	maxAttempts int
	maxDelay    float64 // seconds; 0: none
	fullJitter  bool
}

// catcher is a compiled entry of Catch.
type catcher struct {
	errors     []string
	next       *state
	resultPath pathField
	assign     *jsonpath.Template
}

func newRetrier(r *asl.Retrier) retrier {
	out := retrier{errors: r.ErrorEquals, interval: 1, backoff: 2, maxAttempts: 3, fullJitter: r.JitterStrategy == "FULL"}
	if r.IntervalSeconds != nil {
		out.interval = *r.IntervalSeconds
	}
	if r.BackoffRate != nil {
		out.backoff = *r.BackoffRate
	}
	if r.MaxAttempts != nil {
		out.maxAttempts = int(*r.MaxAttempts)
	}
	if r.MaxDelaySeconds != nil {
		out.maxDelay = *r.MaxDelaySeconds
	}
	return out
}

// delay is the wait before the retry of this number, from 0, without jitter.
func (r *retrier) delay(n int) time.Duration {
	d := r.interval * math.Pow(r.backoff, float64(n))
	if r.maxDelay > 0 {
		d = min(d, r.maxDelay)
	}
	return seconds(d)
}

// matches reports whether an ErrorEquals list takes the error. Source: Amazon
// States Language, "Errors"; what States.ALL leaves out: Step Functions
// developer guide, "Handling errors in Step Functions workflows".
func (e *Error) matches(names []string) bool {
	if e.fatal || e.Name == ErrRuntime {
		return false
	}
	for _, n := range names {
		switch n {
		case e.Name:
			return true
		case ErrAll:
			if e.Name != ErrDataLimitExceeded {
				return true
			}
		case ErrTaskFailed:
			if e.Name != ErrTimeout && e.Name != ErrDataLimitExceeded {
				return true
			}
		case ErrHeartbeatTimeout:
			if e.heartbeat {
				return true
			}
		}
	}
	return false
}

// value is the error as a catcher passes it on: what is not known is null,
// except that of a time-out, which has no cause to tell, the cause is "".
func (e *Error) value() *value.Object {
	orNull := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	if e.Name == ErrTimeout && e.Cause == "" {
		return value.Of("Error", e.Name, "Cause", "")
	}
	return value.Of("Error", orNull(e.Name), "Cause", orNull(e.Cause))
}

// retryDelay says whether the frame's state is tried again after err, and when.
func (f *frame) retryDelay(err *Error) (time.Duration, bool) {
	for i := range f.state.retry {
		r := &f.state.retry[i]
		if !err.matches(r.errors) {
			continue
		}
		if f.retries == nil {
			f.retries = make([]int, len(f.state.retry))
		}
		n := f.retries[i]
		if n >= r.maxAttempts {
			return 0, false
		}
		f.retries[i]++
		f.attempt++
		d := r.delay(n)
		if r.fullJitter && d > 0 {
			d = time.Duration(f.x.random() % uint64(d))
		}
		return d, true
	}
	return 0, false
}
