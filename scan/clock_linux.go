package scan

import (
	"time"

	"golang.org/x/sys/unix"
)

// threadTime is the processor time of the calling thread so far. Rusage tells
// the same in steps too coarse for a template.
func threadTime() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t) != nil {
		return 0 // Linux refuses no such call
	}
	return time.Duration(t.Nano())
}
