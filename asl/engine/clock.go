package engine

import (
	"container/heap"
	"sync"
	"time"
)

// Clock is the engine's time.
type Clock interface {
	Now() time.Time
	// At calls f once, at t or as soon as possible after it, on a goroutine of
	// the clock's choice. stop keeps f from being called, if it is not too late.
	At(t time.Time, f func()) (stop func())
}

// Jumper is a Clock that moves only when it is told to. The engine asks it to
// jump when it has nothing to do and no call is in flight.
type Jumper interface {
	Clock
	// Jump moves to the next timer and calls what waits there. False: there is
	// none, or it lies beyond where the clock may go.
	Jump() bool
}

// realClock is the zero Options' clock.
type realClock struct{}

func (realClock) Now() time.Time { return time.Now() }

func (realClock) At(t time.Time, f func()) func() {
	timer := time.AfterFunc(time.Until(t), f)
	return func() { timer.Stop() }
}

// VirtualClock is a clock for tests: waits of any length pass at once. It is
// safe for concurrent use, and engines may share one.
type VirtualClock struct {
	mu     sync.Mutex
	now    time.Time
	until  time.Time // held: no jump goes beyond
	held   bool
	timers clockTimers
	seq    int
}

// NewVirtualClock returns a clock that stands at start and jumps to the next
// timer whenever an engine is idle.
func NewVirtualClock(start time.Time) *VirtualClock { return &VirtualClock{now: start} }

// Now is the time the clock stands at.
func (c *VirtualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// At registers f for t.
func (c *VirtualClock) At(t time.Time, f func()) func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seq++
	timer := &clockTimer{at: t, seq: c.seq, f: f}
	heap.Push(&c.timers, timer)
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if timer.index >= 0 {
			heap.Remove(&c.timers, timer.index)
		}
	}
}

// Jump moves to the next timer and calls it.
func (c *VirtualClock) Jump() bool {
	c.mu.Lock()
	if len(c.timers) == 0 || c.held && c.timers[0].at.After(c.until) {
		c.mu.Unlock()
		return false
	}
	timer := heap.Pop(&c.timers).(*clockTimer)
	if timer.at.After(c.now) {
		c.now = timer.at
	}
	c.mu.Unlock()
	timer.f()
	return true
}

// Hold keeps the clock from jumping beyond where it stands now; Engine.Advance
// then moves it.
func (c *VirtualClock) Hold() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held, c.until = true, c.now
}

// allow lets a held clock jump as far as d from where it was held.
func (c *VirtualClock) allow(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.held {
		c.held, c.until = true, c.now
	}
	c.until = c.until.Add(d)
}

// settle moves a held clock to where it may go, once no timer is left before.
func (c *VirtualClock) settle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held && c.now.Before(c.until) {
		c.now = c.until
	}
}

// Timers is the number of timers that wait. An engine has one at a time, for
// the next thing that it waits for; what that is, Engine.Waiting tells.
func (c *VirtualClock) Timers() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.timers)
}

type clockTimer struct {
	at    time.Time
	seq   int
	f     func()
	index int
}

type clockTimers []*clockTimer

func (h clockTimers) Len() int { return len(h) }
func (h clockTimers) Less(i, j int) bool {
	if !h[i].at.Equal(h[j].at) {
		return h[i].at.Before(h[j].at)
	}
	return h[i].seq < h[j].seq
}
func (h clockTimers) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}
func (h *clockTimers) Push(x any) {
	t := x.(*clockTimer)
	t.index = len(*h)
	*h = append(*h, t)
}
func (h *clockTimers) Pop() any {
	old := *h
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	t.index = -1
	return t
}
