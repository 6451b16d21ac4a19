package engine

import (
	"encoding/json"
	"strings"
	"time"

	"plumbline/asl"
	"plumbline/asl/jsonpath"
	"plumbline/asl/value"
)

// mapSpec is a compiled Map state, beyond its item processor.
type mapSpec struct {
	itemsPath   *jsonpath.Path // nil: the effective input
	selector    *jsonpath.Template
	concurrency numberField
	distributed bool
	express     bool // the children are
	failCount   numberField
	failPercent numberField
	label       string
	reader      *readerSpec
	batcher     *batchSpec
	writer      *writerSpec
}

func (c *compiler) mapSpec(s *asl.State) *mapSpec {
	m := &mapSpec{
		selector:    c.template(s, "ItemSelector", s.ItemSelector),
		concurrency: c.number(s, "MaxConcurrency", s.MaxConcurrency, s.MaxConcurrencyPath),
		failCount:   c.number(s, "ToleratedFailureCount", s.ToleratedFailureCount, s.ToleratedFailureCountPath),
		failPercent: c.number(s, "ToleratedFailurePercentage", s.ToleratedFailurePercentage, s.ToleratedFailurePercentagePath),
		label:       s.Label,
	}
	if m.selector == nil {
		m.selector = c.template(s, "Parameters", s.Parameters)
	}
	if s.ItemsPath != nil {
		var text string
		if err := json.Unmarshal(s.ItemsPath, &text); err != nil {
			c.problem(s.Pos, "ItemsPath of state %q must be a path", s.Name)
		} else {
			m.itemsPath = c.path(s, "ItemsPath", text)
		}
	}
	if p := s.ItemProcessor.Processor; p != nil {
		m.distributed = p.Mode == "DISTRIBUTED"
		m.express = p.ExecutionType == "EXPRESS"
	}
	m.reader = c.readerSpec(s)
	m.batcher = c.batchSpec(s)
	m.writer = c.writerSpec(s)
	return m
}

// iteration is what a fork holds for a Map state.
type iteration struct {
	spec      *mapSpec
	effective any // the state's
	items     []any
	keys      []string // of an object's fields
	source    string
	batches   [][]any // nil: one item each
	batchBase any     // BatchInput
	hasBase   bool
	next      int // the first that has not been started
	limit     int // how many at once
	failed    int
	tolerated tolerance
	failedAt  []bool        // which results are missing
	run       string        // the map run's ARN; distributed only
	runID     string        // the last part of it
	childOf   string        // what the children's ARNs begin with; distributed only
	children  []childRecord // where a ResultWriter wants them
	kept      *MapRun       // nil: nobody asks for it
}

// childRecord is what a ResultWriter writes of a child execution.
type childRecord struct {
	run     *run
	output  any
	err     *Error
	stopped time.Time
}

// total is the number of iterations.
func (it *iteration) total() int {
	if it.batches != nil {
		return len(it.batches)
	}
	return len(it.items)
}

func (f *frame) performMap(effective any) bool {
	m := f.state.mapping
	it := &iteration{spec: m, effective: effective}
	var err error
	if m.reader == nil {
		if it.items, it.keys, err = f.itemsOf(m, effective); err != nil {
			return f.failed(err)
		}
	}
	if it.limit, err = f.concurrency(m, effective); err != nil {
		return f.failed(err)
	}
	f.emit("MapStateStarted", func(d *Details) { d.Length, d.HasLength = len(it.items), true })
	if it.tolerated, err = f.tolerance(m, effective); err != nil {
		return f.failed(err)
	}
	if m.distributed {
		it.source = "STATE_DATA"
		it.runID = f.uuid()
		it.run = f.mapRunARN(m, it.runID)
		f.newMapRun(it)
		f.emit("MapRunStarted", func(d *Details) { d.MapRunARN = it.run })
	}
	if m.reader != nil {
		return f.readItems(it)
	}
	return f.startMap(it)
}

// itemsOf finds the array, or in a distributed Map the object, to iterate over.
func (f *frame) itemsOf(m *mapSpec, effective any) (items []any, keys []string, err error) {
	v, path := effective, "$"
	if m.itemsPath != nil {
		path = m.itemsPath.Rooted()
		if v, err = m.itemsPath.Step(f.scope(effective)); err != nil {
			if _, ok := err.(*jsonpath.StepError); ok {
				return nil, nil, &Error{Name: ErrReferencePathConflict, Cause: err.Error()}
			}
			return nil, nil, f.wrong(err)
		}
	}
	switch x := v.(type) {
	case []any:
		return x, nil, nil
	case *value.Object:
		if m.distributed {
			items, keys = objectItems(x)
			return items, keys, nil
		}
	}
	return nil, nil, f.runtime("Reference path \"%s\" must point to array.", path)
}

func objectItems(o *value.Object) (items []any, keys []string) {
	for _, fd := range o.Fields() {
		items = append(items, fd.Value)
		keys = append(keys, fd.Key)
	}
	return items, keys
}

// startMap begins the iterations.
func (f *frame) startMap(it *iteration) bool {
	if it.spec.batcher != nil {
		if err := f.batch(it); err != nil {
			return f.failed(err)
		}
	}
	n := it.total()
	k := &fork{frame: f, results: make([]any, n), open: n, last: f.last, items: it}
	if it.spec.writer != nil {
		it.children = make([]childRecord, n)
	}
	if n == 0 {
		k.results = []any{}
		return f.completeMap(k)
	}
	f.await(&wait{kind: waitFork, fork: k})
	it.kept.begin(it, f.gen)
	k.startIterations(f.last)
	return false
}

// startIterations starts as many as may run, their first events following prev.
func (k *fork) startIterations(prev int64) {
	f, it := k.frame, k.items
	var started []*frame
	var inputs []any
	for it.next < it.total() && len(k.live) < it.limit {
		i := it.next
		it.next++
		child, input, err := k.iterationFrame(i)
		if err != nil {
			k.abort()
			f.rest()
			f.carry(f.failed(err))
			return
		}
		if !it.spec.distributed {
			child.last = f.x.emit(f.run, "MapIterationStarted", prev, f.iterationDetails(i))
		}
		k.live = append(k.live, child)
		started, inputs = append(started, child), append(inputs, input)
	}
	for i, child := range started {
		f.x.enter(child, child.program.start, inputs[i])
	}
}

func (f *frame) iterationDetails(i int) func(*Details) {
	name := f.state.name
	return func(d *Details) { d.Name, d.Index, d.HasIndex = name, i, true }
}

// iterationFrame makes the frame of iteration i and its input.
func (k *fork) iterationFrame(i int) (*frame, any, error) {
	f, it := k.frame, k.items
	m := it.spec
	var input any
	var item *mapItem
	if it.batches != nil {
		input = it.batchInput(i)
	} else {
		var err error
		if input, item, err = f.itemInput(it, i); err != nil {
			return nil, nil, err
		}
	}
	if !m.distributed {
		child := f.x.newFrame(k, i, f.state.branches[0], f.run, f.vars)
		child.item = item
		return child, input, nil
	}
	name := f.uuid()
	if it.childOf == "" {
		it.childOf = childARN(f.x.machine.ARN, m, f.state.name)
	}
	r := &run{arn: it.childOf + name, name: name, input: input, start: f.x.now}
	child := f.x.newFrame(k, i, f.state.branches[0], r, nil)
	child.item = item
	child.vars.outer = nil
	it.kept.child(i, r)
	f.x.emit(r, "ExecutionStarted", 0, func(d *Details) {
		d.Input, d.HasInput, d.RoleARN = input, true, f.x.machine.RoleARN
	})
	return child, input, nil
}

// itemInput is the input of the iteration for one item, after ItemSelector.
func (f *frame) itemInput(it *iteration, i int) (any, *mapItem, error) {
	item := &mapItem{index: i, value: it.items[i], source: it.source}
	if !it.spec.distributed {
		item.source = ""
	}
	if it.keys != nil {
		item.key, item.hasKey = it.keys[i], true
	}
	if it.spec.selector == nil {
		if item.hasKey {
			return value.Of("Key", item.key, "Value", item.value), item, nil
		}
		return item.value, item, nil
	}
	outer := f.item
	f.item = item
	v, err := f.fill(it.spec.selector, it.effective)
	f.item = outer
	return v, item, err
}

// iterated goes on after an iteration has ended well.
func (k *fork) iterated(child *frame) {
	f, it := k.frame, k.items
	if it.spec.distributed {
		f.x.emit(child.run, "ExecutionSucceeded", child.last, func(d *Details) {
			d.Output, d.HasOutput = k.results[child.index], true
		})
		child.run.child.end(Succeeded, k.results[child.index], nil, f.x.now)
		if it.children != nil {
			it.children[child.index] = childRecord{run: child.run, output: k.results[child.index], stopped: f.x.now}
		}
		k.proceed(f.last)
		return
	}
	k.last = f.x.emit(f.run, "MapIterationSucceeded", child.last, f.iterationDetails(child.index))
	k.proceed(child.last)
}

// proceed starts what may start now, or completes the state.
func (k *fork) proceed(prev int64) {
	if k.open > 0 {
		k.startIterations(prev)
		return
	}
	f := k.frame
	f.rest()
	if !k.items.spec.distributed {
		f.last = k.last
	}
	f.carry(f.completeMap(k))
}

// completeMap ends the state whose iterations have all ended.
func (f *frame) completeMap(k *fork) bool {
	it := k.items
	if it.failedAt != nil {
		kept := []any{}
		for i, v := range k.results {
			if !it.failedAt[i] {
				kept = append(kept, v)
			}
		}
		k.results = kept
	}
	if it.spec.writer != nil {
		return f.writeResults(k)
	}
	return f.mapDone(it, k.results)
}

// mapDone makes the last events of a Map and ends the state with its result.
func (f *frame) mapDone(it *iteration, result any) bool {
	if it.spec.distributed {
		it.kept.succeed(it, f.x.now)
		f.emit("MapRunSucceeded", nil)
	}
	f.x.emit(f.run, "MapStateSucceeded", f.last, nil)
	return f.succeed(result)
}

// tolerates reports whether the Map goes on although an iteration has failed.
func (k *fork) tolerates(child *frame, err *Error) bool {
	f, it := k.frame, k.items
	if !it.spec.distributed {
		child.failing = true
		return false
	}
	f.x.emit(child.run, "ExecutionFailed", child.last, func(d *Details) { d.setError(err) })
	child.run.child.end(Failed, nil, err, f.x.now)
	it.failed++
	if it.children != nil {
		it.children[child.index] = childRecord{run: child.run, err: err, stopped: f.x.now}
	}
	if !it.tolerated.allows(it.failed, it.total()) {
		k.remove(child)
		k.abort()
		f.rest()
		e := &Error{Name: ErrExceedTolerated, Cause: "The specified tolerated failure threshold was exceeded"}
		f.endMapRun(Failed)
		f.emit("MapRunFailed", func(d *Details) { d.setError(e) })
		f.carry(f.fail(e))
		return true
	}
	if it.failedAt == nil {
		it.failedAt = make([]bool, it.total())
	}
	it.failedAt[child.index] = true
	k.remove(child)
	child.cancel()
	k.open--
	k.proceed(f.last)
	return true
}

// uuid is a random UUID of the execution's own sequence.
func (f *frame) uuid() string { return uuidOf(f.x.random(), f.x.random()) }

func (f *frame) mapRunARN(m *mapSpec, id string) string {
	label := m.label
	if label == "" {
		label = f.uuid()
	}
	return strings.Replace(f.x.machine.ARN, ":stateMachine:", ":mapRun:", 1) + "/" + label + ":" + id
}

// childARN is the ARN of the child execution of an iteration, up to its name.
func childARN(machine string, m *mapSpec, state string) string {
	label := m.label
	if label == "" {
		label = state
	}
	kind := ":execution:"
	if m.express {
		kind = ":express:"
	}
	return strings.Replace(machine, ":stateMachine:", kind, 1) + "/" + label + ":"
}
