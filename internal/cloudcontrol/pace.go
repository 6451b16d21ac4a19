package cloudcontrol

import (
	"context"
	"sync"
	"time"
)

// pace spaces calls out: each takes the next free moment, and moments that
// nobody took are saved for a burst. When the service asks to slow down the space
// doubles and nothing is saved; it shrinks again with each call that is
// answered. Safe for concurrent use.
type pace struct {
	mu    sync.Mutex
	least time.Duration // the space at full pace
	space time.Duration
	next  time.Time
}

// burst is how many calls may be made at once after a pause.
const burst = 10

// slowest is the longest space between two calls.
const slowest = 2 * time.Second

func newPace(perSecond int) *pace {
	space := time.Second / time.Duration(perSecond)
	return &pace{least: space, space: space}
}

// wait returns when the call's turn has come, or with ctx's error.
func (p *pace) wait(ctx context.Context) error {
	p.mu.Lock()
	now := time.Now()
	if saved := now.Add(-burst * p.space); p.next.Before(saved) && p.space == p.least {
		p.next = saved
	} else if p.next.Before(now) && p.space > p.least {
		p.next = now
	}
	at := p.next
	p.next = at.Add(p.space)
	p.mu.Unlock()
	if !at.After(now) {
		return ctx.Err()
	}
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func (p *pace) slow() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.space = min(2*p.space, slowest)
}

func (p *pace) good() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.space = max(p.space-p.space/8, p.least)
}
