package engine

import (
	"encoding/json"
	"slices"
	"sync"
	"time"

	"plumbline/asl/value"
)

// MapRun is one run of a distributed Map state. An engine keeps them where it
// keeps the History. Its methods are safe for concurrent use.
type MapRun struct {
	ARN       string
	Execution *Execution // whose state it is
	Started   time.Time

	frame *frame // for the loop
	gen   uint32

	mu       sync.Mutex // guards what follows
	status   Status
	stopped  time.Time
	limits   MapLimits
	children []*Child
	items    int // 0 until they have been read
	size     int // items a child has, but for the last
	counts   MapCounts
	written  bool // there is a ResultWriter, and it has written
}

// MapLimits is how many children a map run has at once, and how many may fail.
type MapLimits struct {
	MaxConcurrency             int
	ToleratedFailureCount      int
	ToleratedFailurePercentage float64 // 0 to 100
}

// MapCounts tells how many children, or items, stand where.
type MapCounts struct {
	Pending, Running, Succeeded, Failed, Aborted, Total, ResultsWritten int
}

// Child is the execution of one iteration, or one batch, of a map run.
type Child struct {
	MapRun  *MapRun
	index   int
	run     *run
	result  Result
	output  any
	stopped time.Time
}

// newMapRun keeps the run that begins.
func (f *frame) newMapRun(it *iteration) {
	x, e := f.x, f.x.engine
	if !x.keep {
		return
	}
	r := &MapRun{ARN: it.run, Execution: x, Started: x.now, frame: f, status: Running, size: 1}
	r.limits = MapLimits{MaxConcurrency: it.limit, ToleratedFailureCount: int(it.tolerated.count), ToleratedFailurePercentage: it.tolerated.percent}
	it.kept = r
	x.mu.Lock()
	x.mapRuns = append(x.mapRuns, r)
	x.mu.Unlock()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.mapRuns == nil {
		e.mapRuns, e.children = map[string]*MapRun{}, map[string]*Child{}
	}
	e.mapRuns[r.ARN] = r
}

// begin says how many iterations there are, and at which wait of its frame.
func (r *MapRun) begin(it *iteration, gen uint32) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gen, r.items, r.counts.Total, r.counts.Pending = gen, len(it.items), it.total(), it.total()
	if len(it.batches) > 0 {
		r.size = len(it.batches[0])
	}
}

// child keeps the execution of an iteration that begins.
func (r *MapRun) child(index int, c *run) {
	if r == nil {
		return
	}
	child := &Child{MapRun: r, index: index, run: c, result: Result{Status: Running}}
	c.child = child
	r.mu.Lock()
	r.children = append(r.children, child)
	r.counts.Pending--
	r.counts.Running++
	r.mu.Unlock()
	e := r.Execution.engine
	e.mu.Lock()
	e.children[c.arn] = child
	e.mu.Unlock()
}

// end keeps how the child has ended.
func (c *Child) end(s Status, out any, err *Error, now time.Time) {
	if c == nil {
		return
	}
	r := c.MapRun
	r.mu.Lock()
	defer r.mu.Unlock()
	if c.result.Status != Running {
		return
	}
	c.result = Result{Status: s}
	if err != nil {
		c.result.Error, c.result.Cause = err.Name, err.Cause
	}
	c.output, c.stopped = out, now
	r.counts.Running--
	switch s {
	case Succeeded:
		r.counts.Succeeded++
	case Failed:
		r.counts.Failed++
	default:
		r.counts.Aborted++
	}
}

// end keeps how the run has ended; children that still run have been aborted.
func (r *MapRun) end(s Status, now time.Time) {
	if r == nil {
		return
	}
	r.mu.Lock()
	if r.status != Running {
		r.mu.Unlock()
		return
	}
	r.status, r.stopped = s, now
	r.counts.Aborted += r.counts.Pending
	r.counts.Pending = 0
	open := slices.Clone(r.children)
	r.mu.Unlock()
	for _, c := range open {
		c.end(Aborted, nil, nil, now)
	}
}

// succeed keeps that the run has ended well.
func (r *MapRun) succeed(it *iteration, now time.Time) {
	if r == nil {
		return
	}
	r.mu.Lock()
	r.written = it.spec.writer != nil
	r.mu.Unlock()
	r.end(Succeeded, now)
}

// endMapRun ends the frame's map run, where it has one that is kept.
func (f *frame) endMapRun(s Status) {
	if f.state == nil || f.state.mapping == nil || !f.state.mapping.distributed {
		return
	}
	for _, r := range f.x.mapRuns {
		if r.frame == f {
			r.end(s, f.x.now)
		}
	}
}

// endMapRuns ends those that run when their execution does.
func (x *Execution) endMapRuns() {
	for _, r := range x.mapRuns {
		r.end(Aborted, x.now)
	}
}

// MapRuns returns the execution's map runs in the order of their beginning.
func (x *Execution) MapRuns() []*MapRun {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Clone(x.mapRuns)
}

// MapRun returns the map run of this ARN, nil if there is none.
func (e *Engine) MapRun(arn string) *MapRun {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.mapRuns[arn]
}

// Child returns the child execution of this ARN, nil if there is none.
func (e *Engine) Child(arn string) *Child {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.children[arn]
}

func (e *Engine) forgetMapRunsLocked(x *Execution) {
	for _, r := range x.MapRuns() {
		delete(e.mapRuns, r.ARN)
		for _, c := range r.Children() {
			delete(e.children, c.run.arn)
		}
	}
}

// Status is how the run stands, and Stopped when it ended; zero before.
func (r *MapRun) Status() (s Status, stopped time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.status, r.stopped
}

// Limits are the run's present limits.
func (r *MapRun) Limits() MapLimits {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.limits
}

// Children returns the children that have been started, in their order.
func (r *MapRun) Children() []*Child {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.children)
}

// Counts tells how many children, and how many items, stand where. The items
// of a batch stand where their child does.
func (r *MapRun) Counts() (children, items MapCounts) {
	r.mu.Lock()
	defer r.mu.Unlock()
	children = r.counts
	if r.written {
		children.ResultsWritten = children.Succeeded + children.Failed
	}
	n := r.size
	items = MapCounts{
		Pending: n * children.Pending, Running: n * children.Running, Succeeded: n * children.Succeeded, Failed: n * children.Failed,
		Aborted: n * children.Aborted, ResultsWritten: n * children.ResultsWritten, Total: r.items,
	}
	if over := n*children.Total - r.items; over > 0 { // the last batch is shorter
		r.shorten(&items, over)
	}
	return children, items
}

// shorten takes what the last batch lacks off the count it stands in.
func (r *MapRun) shorten(items *MapCounts, over int) {
	at := &items.Pending
	if len(r.children) == r.counts.Total {
		switch r.children[len(r.children)-1].result.Status {
		case Running:
			at = &items.Running
		case Succeeded:
			at = &items.Succeeded
		case Failed:
			at = &items.Failed
		default:
			at = &items.Aborted
		}
	} else if r.status != Running {
		at = &items.Aborted
	}
	*at = max(0, *at-over)
	if items.ResultsWritten > 0 {
		items.ResultsWritten = max(0, items.ResultsWritten-over)
	}
}

// SetLimits changes the limits of a run that is under way.
func (r *MapRun) SetLimits(l MapLimits) {
	r.mu.Lock()
	gen, running := r.gen, r.status == Running
	if running {
		r.limits = l
	}
	r.mu.Unlock()
	if !running {
		return
	}
	out := value.Of("MaxConcurrency", int64(l.MaxConcurrency), "ToleratedFailureCount", int64(l.ToleratedFailureCount), "ToleratedFailurePercentage", l.ToleratedFailurePercentage)
	r.Execution.engine.keep(happening{kind: onLimits, x: r.Execution, frame: r.frame, gen: gen, completion: completion{output: out}})
}

// relimit gives the iterations other limits.
func (k *fork) relimit(v any) {
	o, _ := v.(*value.Object)
	number := func(key string) float64 {
		n, _ := o.Get(key)
		f, _ := value.Float(n)
		return f
	}
	it := k.items
	if n := int(number("MaxConcurrency")); n > 0 && n <= maxDistributed {
		it.limit = n
	} else {
		it.limit = maxDistributed
	}
	t := &it.tolerated
	t.count, t.percent = number("ToleratedFailureCount"), number("ToleratedFailurePercentage")
	t.byCount, t.byPercent = t.byCount || t.count > 0, t.byPercent || t.percent > 0
	k.startIterations(k.frame.last)
}

// ARN of the child.
func (c *Child) ARN() string { return c.run.arn }

// Name of the child.
func (c *Child) Name() string { return c.run.name }

// Started is when the child began.
func (c *Child) Started() time.Time { return c.run.start }

// Input is the child's input.
func (c *Child) Input() json.RawMessage { return value.Encode(c.run.input) }

// Result is how the child has ended, and when; Status is Running and the time zero before.
func (c *Child) Result() (Result, time.Time) {
	r := c.MapRun
	r.mu.Lock()
	defer r.mu.Unlock()
	res := c.result
	if res.Status == Succeeded {
		res.Output = value.Encode(c.output)
	}
	return res, c.stopped
}

// Events returns up to n events of the child's history from the one with the ID from on.
func (c *Child) Events(from int64, n int) []Event {
	x := c.MapRun.Execution
	x.mu.Lock()
	defer x.mu.Unlock()
	return c.run.log.events.page(from, n)
}

// Last is the ID of the child's latest event.
func (c *Child) Last() int64 {
	x := c.MapRun.Execution
	x.mu.Lock()
	defer x.mu.Unlock()
	return c.run.log.events.len()
}

// Events returns up to n events of the history from the one with the ID from on.
func (x *Execution) Events(from int64, n int) []Event {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.run.log.events.page(from, n)
}

// Last is the ID of the latest event that is kept.
func (x *Execution) Last() int64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.run.log.events.len()
}

// page copies up to n events from the one with the ID from on: events are kept
// in the order of their IDs, which begin with 1.
func (c chunks) page(from int64, n int) []Event {
	skip := int(max(from, 1) - 1)
	var out []Event
	for _, events := range c {
		if skip >= len(events) {
			skip -= len(events)
			continue
		}
		part := events[skip:]
		skip = 0
		if len(part) > n {
			part = part[:n]
		}
		out = append(out, part...)
		if n -= len(part); n == 0 {
			break
		}
	}
	return out
}

func (c chunks) len() int64 {
	n := 0
	for _, events := range c {
		n += len(events)
	}
	return int64(n)
}
