package local

import "sync"

// pool runs task functions on goroutines that stay. A function decodes JSON and
// evaluates rules, which needs a deep stack; a new goroutine for each of a
// scan's thousands of calls would spend a quarter of the time on growing it.
type pool struct {
	jobs chan func()
	work sync.WaitGroup
}

// newPool starts a pool. Functions do not call functions, so any size will do.
func newPool(size int) *pool {
	p := &pool{jobs: make(chan func())}
	for range size {
		p.work.Go(func() {
			for job := range p.jobs {
				job()
			}
		})
	}
	return p
}

// run runs f on one of the pool's goroutines and returns when it has returned.
func (p *pool) run(f func()) {
	done := make(chan struct{})
	p.jobs <- func() {
		defer close(done)
		f()
	}
	<-done
}

// close ends the goroutines. Nothing may run any more.
func (p *pool) close() {
	close(p.jobs)
	p.work.Wait()
}
