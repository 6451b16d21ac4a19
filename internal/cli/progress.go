package cli

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// progress shows how far a scan is on one line of a terminal's stderr. Nothing
// is shown in the first third of a second: most scans are over by then.
type progress struct {
	w     io.Writer
	start time.Time

	mu    sync.Mutex
	shown bool
	last  time.Time
}

// quietFor is how long a scan may take before it says how far it is; refresh is
// how often the line is drawn again.
const (
	quietFor = 300 * time.Millisecond
	refresh  = 100 * time.Millisecond
)

func newProgress(w io.Writer) *progress { return &progress{w: w, start: time.Now()} }

// step is called from any goroutine.
func (p *progress) step(done, total int) {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Sub(p.start) < quietFor || now.Sub(p.last) < refresh {
		return
	}
	p.last, p.shown = now, true
	fmt.Fprintf(p.w, "\r\x1b[Kscanned %d of %d", done, total)
}

// clear removes the line before the result is written.
func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.shown = false
	}
}
