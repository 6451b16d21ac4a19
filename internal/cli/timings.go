package cli

import (
	"fmt"
	"io"
	"sync"
	"time"

	"plumbline/scan"
)

// timings adds up what each phase of a scan took. A nil *timings measures nothing.
type timings struct {
	mu   sync.Mutex
	took map[scan.Phase]time.Duration
}

// phasePrint is the writing of the report, which the scan itself does not see.
const phasePrint scan.Phase = "print"

// phases is the order in which they are printed.
var phases = []scan.Phase{scan.PhaseRead, scan.PhaseLoad, scan.PhaseResolve, scan.PhaseJudge, scan.PhaseOrchestrate, phasePrint}

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
	start := time.Now()
	return func() { t.add(p, time.Since(start)) }
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
