package local

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"plumbline/asl"
	"plumbline/asl/engine"
	"plumbline/blob"
	"plumbline/remedy/change"
	"plumbline/scan"
)

// ExecutionsPrefix is where a data folder keeps what its executions did: an
// object for each run of a command, executions/<time>-<name>.json.
const ExecutionsPrefix = "executions/"

// Recording is what one command ran: an execution, and those that it started.
type Recording struct {
	Name       string      // of the object, without prefix and suffix
	Executions []Execution // in the order in which they were started; the first started the others
	Left       int         // executions that ended well and of which nothing is kept, for there were so many
}

// Execution is one execution of a workflow.
type Execution struct {
	Workflow string
	About    string // the template, stack or resource; "" for a whole scan
	Started  time.Time
	Stopped  time.Time
	Status   engine.Status
	Error    string         `json:",omitempty"`
	Cause    string         `json:",omitempty"`
	Events   []HistoryEvent `json:",omitempty"` // none where only the outcome is kept
	// Items are the events of the first items of a Distributed Map, which are
	// executions of their own; ItemsLeft counts the items whose events are not kept.
	Items     []HistoryEvent `json:",omitempty"`
	ItemsLeft int            `json:",omitempty"`
}

// HistoryEvent is an event of an execution's history, without what states were
// given and gave back: that may hold what a template keeps secret.
type HistoryEvent struct {
	Item     int    `json:"n,omitempty"` // of Items: from 1
	ID       int64  `json:"i"`
	Previous int64  `json:"p"`
	Millis   int64  `json:"t"` // since the execution's start
	Type     string `json:"y"`
	State    string `json:"s,omitempty"`
	Length   int    `json:"l,omitempty"`
	Resource string `json:"r,omitempty"`
	Error    string `json:"e,omitempty"`
	Cause    string `json:"c,omitempty"`
}

// Bounds of what is kept of one run: whole histories, of executions that ended
// well and of those that did not, and outcomes.
const (
	historiesKept       = 50
	failedHistoriesKept = 250
	executionsKept      = 2000
	itemsKept           = 500  // of a Distributed Map
	longestCause        = 2000 // bytes
)

// recorder collects what a run's executions did. A nil recorder collects
// nothing. It is safe for concurrent use.
type recorder struct {
	mu           sync.Mutex
	run          Recording
	well, failed int // histories kept
}

// items collects the events of a Distributed Map's items, which the execution
// that has the Map does not keep. It is used on the engine's loop.
type items struct {
	main   string         // ARN of the execution
	number map[string]int // of an item, by ARN
	began  time.Time
	events []HistoryEvent
	next   func(engine.Event) // may be nil
}

func (w *items) watch(e engine.Event) {
	if w.next != nil {
		w.next(e)
	}
	switch {
	case w.main == "":
		w.main, w.began = e.Execution, e.Time
		return
	case e.Execution == w.main:
		return
	case w.number == nil:
		w.number = map[string]int{}
	}
	n, known := w.number[e.Execution]
	if !known {
		n = len(w.number) + 1
		w.number[e.Execution] = n
	}
	if n <= itemsKept {
		x := historyEvent(&e, w.began)
		x.Item = n
		w.events = append(w.events, x)
	}
}

// watching is what an execution runs with, so that add can keep what it did.
func (r *recorder) watching(next func(engine.Event)) (*items, func(engine.Event)) {
	if r == nil {
		return nil, next
	}
	w := &items{next: next}
	return w, w.watch
}

// add takes an execution that has ended, and what its items did.
func (r *recorder) add(x *engine.Execution, w *items, input []byte) {
	if r == nil {
		return
	}
	r.take(x, w, about(input))
}

// take is add with what the execution is about.
func (r *recorder) take(x *engine.Execution, w *items, about string) {
	res := x.Result()
	e := Execution{
		Workflow: x.Machine().Name, About: about, Started: x.Started.UTC(), Stopped: x.Stopped().UTC(),
		Status: res.Status, Error: res.Error, Cause: clip(scan.Cause(res.Cause)),
	}
	if x.Stopped().IsZero() {
		e.Stopped = e.Started // it goes on: nothing is known of its end
	}
	well := res.Status == engine.Succeeded
	r.mu.Lock()
	defer r.mu.Unlock()
	if well && len(r.run.Executions) >= executionsKept && about != "" {
		r.run.Left++
		return
	}
	switch {
	case about == "", well && r.well < historiesKept, !well && r.failed < failedHistoriesKept:
		if well {
			r.well++
		} else {
			r.failed++
		}
		e.Events = historyOf(x)
		e.Items, e.ItemsLeft = w.events, max(0, len(w.number)-itemsKept)
	}
	r.run.Executions = append(r.run.Executions, e)
}

func historyOf(x *engine.Execution) []HistoryEvent {
	all := x.History()
	out := make([]HistoryEvent, len(all))
	for i := range all {
		out[i] = historyEvent(&all[i], x.Started)
	}
	return out
}

func historyEvent(e *engine.Event, began time.Time) HistoryEvent {
	return HistoryEvent{
		ID: e.ID, Previous: e.PreviousID, Millis: e.Time.Sub(began).Milliseconds(), Type: e.Type, State: e.Details.Name, Length: e.Details.Length,
		Resource: e.Details.Resource, Error: e.Details.Error, Cause: clip(scan.Cause(e.Details.Cause)),
	}
}

func clip(s string) string {
	if len(s) > longestCause {
		return strings.ToValidUTF8(s[:longestCause], "") + "…"
	}
	return s
}

// keep stores what was collected under the name of the run.
func (r *recorder) keep(ctx context.Context, to blob.Store, name string, started time.Time) error {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.run.Executions) == 0 {
		return nil
	}
	slices.SortStableFunc(r.run.Executions, func(a, b Execution) int { return a.Started.Compare(b.Started) })
	_, err := to.Put(ctx, ExecutionsPrefix+started.UTC().Format("20060102T150405Z")+"-"+blob.Segment(name)+".json", &r.run)
	return err
}

// keepExecutions stores what the executions of a change did, also of one that
// was stopped because people have to decide.
func keepExecutions(ctx context.Context, to blob.Store, e *engine.Engine, about change.Request, began time.Time) error {
	r := new(recorder)
	for _, x := range e.Executions() {
		select {
		case <-x.Done():
		case <-time.After(time.Second): // of an end that does not come, what there is so far
		}
		r.take(x, new(items), strings.TrimPrefix(about.Resource.Stack+"/", "/")+about.Resource.LogicalID)
	}
	return r.keep(ctx, to, "change-"+about.Change, began)
}

// Trace is what the execution did in the states of its workflow.
func (e *Execution) Trace(d *asl.Definition) *asl.Trace {
	const main = "arn:aws:states:::execution:Main:it"
	t := asl.NewTrace(d)
	items := e.Items
	add := func(execution string, x *HistoryEvent) {
		t.Add(asl.TraceEvent{Execution: execution, ID: x.ID, Previous: x.Previous, Type: x.Type, State: x.State, Length: x.Length})
	}
	for i := range e.Events {
		x := &e.Events[i]
		for len(items) > 0 && items[0].Millis < x.Millis {
			add(itemARN(items[0].Item), &items[0])
			items = items[1:]
		}
		add(main, x)
	}
	for i := range items {
		add(itemARN(items[i].Item), &items[i])
	}
	return t
}

// itemARN names an item so that a trace takes it for one of the execution's.
func itemARN(n int) string { return "arn:aws:states:::execution:Main/Map:" + strconv.Itoa(n) }

// Recordings lists the names of the runs that a folder keeps, the latest first.
func (r *Reader) Recordings(ctx context.Context) ([]string, error) {
	var out []string
	for key, err := range r.bucket.Keys(ctx, strings.TrimSuffix(ExecutionsPrefix, "/")) {
		if err != nil {
			return nil, err
		}
		out = append(out, strings.TrimSuffix(strings.TrimPrefix(key, ExecutionsPrefix), ".json"))
	}
	slices.Reverse(out)
	return out, nil
}

// Recording reads a run by its name; blob.ErrNotFound where there is none.
func (r *Reader) Recording(ctx context.Context, name string) (*Recording, error) {
	if name != blob.Segment(name) {
		return nil, blob.ErrNotFound
	}
	run, err := blob.Get[Recording](ctx, r.bucket, blob.Ref{Key: ExecutionsPrefix + name + ".json"})
	if err != nil {
		return nil, err
	}
	run.Name = name
	return run, nil
}

// about says in a few words what an execution is about, from its input.
func about(input []byte) string {
	var in struct {
		Target *scan.Target `json:"target"`
	}
	if json.Unmarshal(input, &in) != nil || in.Target == nil {
		return ""
	}
	return in.Target.String()
}
