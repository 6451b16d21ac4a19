package cli

import (
	"fmt"
	"io"
	"sync"
	"syscall"
	"time"

	"plumbline/scan"
)

// timings adds up the processor time that each phase of a scan took. A nil *timings measures nothing.
type timings struct {
	mu   sync.Mutex
	took map[scan.Phase]time.Duration
}

// phasePrint is the writing of the report, which the scan itself does not see.
const phasePrint scan.Phase = "print"

// phaseStored is the writing of the reports that a data folder keeps.
const phaseStored scan.Phase = "stored-reports"

// phases is the order in which they are printed.
var phases = []scan.Phase{scan.PhaseRead, scan.PhaseLoad, scan.PhaseResolve, scan.PhaseCompile, scan.PhaseJudge, phaseStored, scan.PhaseOrchestrate, phasePrint}

func newTimings(on bool) *timings {
	if !on {
		return nil
	}
	return &timings{took: map[scan.Phase]time.Duration{}}
}

func (t *timings) add(p scan.Phase, d time.Duration) {
	t.mu.Lock()
	t.took[p] += d
	t.mu.Unlock()
}

// observer is what a scan reports to, nil where nothing is measured.
func (t *timings) observer() func(scan.Phase, time.Duration) {
	if t == nil {
		return nil
	}
	return t.add
}

// begin starts the clock of a phase; the function it returns stops it.
func (t *timings) begin(p scan.Phase) func() {
	if t == nil {
		return func() {}
	}
	took := scan.Measure()
	return func() { t.add(p, took()) }
}

// scanned completes what a scan reported of itself: compiling is part of what
// it calls judging, and orchestration is all the rest of the processor time that
// the process took: workflow, tasks, stores, and collecting
// garbage in the background, of which most is the judging's. It is therefore never
// less than what orchestration took; and since each phase is measured in processor
// time of its own thread, a negative rest would be a fault of the measurement, and
// is shown as one.
func (t *timings) scanned(compiling, processor time.Duration) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.took[scan.PhaseCompile] = compiling
	t.took[scan.PhaseJudge] -= compiling
	var rest time.Duration
	for _, d := range t.took {
		rest += d
	}
	t.took[scan.PhaseOrchestrate] = processor - rest
}

// processorTime is the user and system time of this process so far.
func processorTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func (t *timings) print(w io.Writer) {
	if t == nil {
		return
	}
	for _, p := range phases {
		if d, ok := t.took[p]; ok {
			fmt.Fprintf(w, "timing %s %.1f ms\n", p, float64(d.Microseconds())/1000)
		}
	}
}
