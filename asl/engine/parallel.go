package engine

import "slices"

// performParallel begins all branches with the state's Parameters or input.
func (f *frame) performParallel(effective any) bool {
	args, err := f.state.flow.arguments(f, effective)
	if err != nil {
		return f.failed(err)
	}
	started := f.emit("ParallelStateStarted", nil)
	n := len(f.state.branches)
	k := &fork{frame: f, results: make([]any, n), open: n, last: started}
	f.await(&wait{kind: waitFork, fork: k})
	for i, p := range f.state.branches {
		child := f.x.newFrame(k, i, p, f.run, f.vars)
		child.last = started
		k.live = append(k.live, child)
	}
	for _, child := range slices.Clone(k.live) {
		f.x.enter(child, child.program.start, args)
	}
	return false
}
