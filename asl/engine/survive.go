package engine

import "time"

// step applies a happening. A panic on the way is a fault of the engine's own,
// or of who watches it: it ends this execution, which says so, and no other.
func (x *Execution) step(h *happening, now time.Time) {
	defer func() {
		if p := recover(); p != nil {
			x.broken(p)
		}
	}()
	x.apply(h, now)
}

// broken ends an execution whose frames cannot be trusted any more.
func (x *Execution) broken(p any) {
	x.ready = x.ready[:0]
	x.effects = x.effects[:0]
	err := panicError(p)
	err.Name = ErrRuntime
	defer func() {
		_ = recover() // not even its end can be told as it should be
		if len(x.effects) > 0 && x.effects[len(x.effects)-1].kind == finish {
			return
		}
		x.root = nil
		x.ending, x.ended = Result{Status: Failed, Error: err.Name, Cause: err.Cause}, x.now
		x.effects = append(x.effects, effect{kind: finish})
	}()
	x.fail(err)
}
