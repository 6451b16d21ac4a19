package engine

import "context"

// Objects is where ItemReader reads and ResultWriter writes.
type Objects interface{}

func (e *Engine) objectJob(c *pendingCall) func(context.Context) completion {
	return func(context.Context) completion { return completion{} }
}

type activities struct{}

func (e *Engine) offer(ef *effect) {}
