package local

import "sync"

// inflight counts calls under way. Unlike a WaitGroup it may be closed while
// calls still come in, as they do when a scan is cancelled: those are refused.
type inflight struct {
	mu     sync.Mutex
	n      int
	closed bool
	idle   chan struct{} // closed once closed and n is 0
}

func newInflight() *inflight { return &inflight{idle: make(chan struct{})} }

// begin is false once close was called; else end must follow.
func (f *inflight) begin() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return false
	}
	f.n++
	return true
}

func (f *inflight) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n--
	if f.closed && f.n == 0 {
		close(f.idle)
	}
}

// close refuses further calls and waits for those under way. It is called once.
func (f *inflight) close() {
	f.mu.Lock()
	f.closed = true
	if f.n == 0 {
		close(f.idle)
	}
	f.mu.Unlock()
	<-f.idle
}
