package scan

import (
	"runtime"
	"time"
)

// Measure starts measuring a piece of work of the calling goroutine; the
// function it returns, to be called by the same goroutine, says what the work
// took in processor time. Waiting, and what others do on the same processor
// meanwhile, is not counted, so that the sum over concurrent pieces of work is
// never more than the processor time of the process. Pieces may be nested. Where
// a system does not tell the time of a thread it is the time on the clock.
func Measure() func() time.Duration {
	runtime.LockOSThread()
	start := threadTime()
	return func() time.Duration {
		took := threadTime() - start
		runtime.UnlockOSThread()
		return took
	}
}
