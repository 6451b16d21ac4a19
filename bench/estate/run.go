package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"plumbline/asl"
	"plumbline/asl/engine"
	"plumbline/asl/value"
	"plumbline/scan"
	"plumbline/workflows"
)

// options are an estate and what happens in it.
type options struct {
	accounts, stacks int  // stacks are of all accounts
	skewed           bool // the first account has half of the stacks
	concurrency      int  // of a sweep; ListTargets says it
	around           int  // resources around stacks that each function lists, once a minute
	functions        int  // that an account runs at once; 0: concurrentCalls
	raised           int  // times the default rates of reading; 0: once
	first            bool // all violations are new; else one in ten changed
	events           int  // stacks of each account that change at once, a minute into the sweep
}

// result is what was measured.
type result struct {
	sweep                []time.Duration // by account: how long it took
	scans                []time.Duration // of targets in sweeps, sorted: from the first call to the written findings
	events               []time.Duration // of targets after events, sorted
	targets              int
	lost                 int // targets whose findings were not written
	unread, unsuccessful int // resources that were not read in time; executions that did not succeed
	resources            int

	stacks, cloud, table, index int // calls or units of the busiest second of any account
	refused                     map[string]int
	functions                   int // at once, of any account
	starts, transitions         int // the busiest second of any account
	cost                        cost
	took                        time.Duration // in real time
}

// driver starts the sweeps of all accounts at once, and in each a minute later
// scans after events.
const driver = `{"StartAt":"All","States":{"All":{"Type":"Parallel","End":true,"Branches":[
  {"StartAt":"Sweeps","States":{"Sweeps":{"Type":"Map","ItemsPath":"$.sweeps","ItemProcessor":{"StartAt":"Sweep","States":{"Sweep":{"Type":"Task",
    "Resource":"arn:aws:states:::states:startExecution","Parameters":{"StateMachineArn":"${ScanEstateArn}","Input.$":"$"},"End":true}}},"End":true}}},
  {"StartAt":"Minute","States":{"Minute":{"Type":"Wait","Seconds":60,"Next":"Events"},"Events":{"Type":"Map","ItemsPath":"$.events","ItemProcessor":{"StartAt":"Event","States":{"Event":{"Type":"Task",
    "Resource":"arn:aws:states:::states:startExecution","Parameters":{"StateMachineArn":"${ScanStackArn}","Input.$":"$"},"End":true}}},"End":true}}}]}}}`

// run runs the estate through the workflows to the end.
func run(ctx context.Context, o options) (*result, error) {
	began := time.Now()
	machines, err := compile()
	if err != nil {
		return nil, err
	}
	begin := time.Date(2026, 6, 1, 3, 0, 0, 0, time.UTC)
	clock := engine.NewVirtualClock(begin)
	m := &model{
		o: o, clock: clock, begin: begin, objects: new(engine.MemoryObjects), accounts: map[string]*account{}, targets: map[string][]scan.Target{},
		persisted: map[string]map[scan.Target]span{}, fetched: map[string]time.Duration{}, summed: map[string]time.Duration{},
	}
	type input struct {
		ScanID string       `json:"scanId"`
		Start  time.Time    `json:"started"`
		Target *scan.Target `json:"target,omitempty"`
	}
	var in struct {
		Sweeps []input `json:"sweeps"`
		Events []input `json:"events"`
	}
	in.Events = []input{}
	for i := range o.accounts {
		id := fmt.Sprintf("%012d", 100000000000+i)
		m.accounts[id] = newAccount(uint64(i), max(1, o.raised))
		if o.functions > 0 {
			m.accounts[id].functions = o.functions
		}
		for n := range o.of(i) {
			m.targets[id] = append(m.targets[id], scan.Target{Account: id, Region: region, Stack: fmt.Sprintf("stack-%05d", n)})
		}
		in.Sweeps = append(in.Sweeps, input{ScanID: id + "-sweep", Start: begin})
		for n := range min(o.events, len(m.targets[id])) {
			t := m.targets[id][len(m.targets[id])-1-n]
			in.Events = append(in.Events, input{ScanID: fmt.Sprintf("%s-event%d", id, n), Start: begin.Add(time.Minute), Target: &t})
		}
	}
	src, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	w := watch{begin: begin, account: map[string]int{}, byID: map[string]int{}, perSecond: map[[2]int]int{}, entered: map[[2]int]int{}, since: map[string]time.Time{}}
	for i, id := range sortedKeys(m.accounts) {
		w.byID[id] = i
	}
	e := engine.New(engine.Options{Tasks: m, Objects: m.objects, Clock: clock, Seed: 1, Machines: machines, Watch: w.note})
	x, err := e.Start(machines["driver"], "estate", src)
	if err != nil {
		return nil, err
	}
	if _, err := x.Wait(ctx); err != nil {
		return nil, err
	}
	if err := drained(ctx, e); err != nil {
		return nil, err
	}
	r := m.result(&w)
	r.took = time.Since(began)
	return r, nil
}

// of is how many stacks an account has.
func (o options) of(account int) int {
	if !o.skewed {
		return o.stacks / o.accounts
	}
	if account == 0 {
		return o.stacks / 2
	}
	return o.stacks / 2 / (o.accounts - 1)
}

// compile makes the machines of the workflows as they are deployed, and the driver.
func compile() (map[string]*engine.Machine, error) {
	out := map[string]*engine.Machine{}
	add := func(key, name string, src []byte, express bool) error {
		d, err := asl.Parse(src)
		if err != nil {
			return fmt.Errorf("workflow %s: %w", name, err)
		}
		m, err := engine.Compile(d)
		if err != nil {
			return fmt.Errorf("workflow %s: %w", name, err)
		}
		out[key] = m.As(engine.Identity{Name: name, Express: express})
		return nil
	}
	for _, m := range workflows.Machines {
		src, err := workflows.Source(m.File)
		if err != nil {
			return nil, err
		}
		if err := add(m.Placeholder(), m.Name, src, m.Express); err != nil {
			return nil, err
		}
	}
	return out, add("driver", "Driver", []byte(driver), true)
}

// drained waits for all executions, those that are begun meanwhile included.
func drained(ctx context.Context, e *engine.Engine) error {
	for seen := map[string]bool{}; ; {
		left := 0
		for _, x := range e.Executions() {
			if seen[x.ARN] {
				continue
			}
			left++
			if _, err := x.Wait(ctx); err != nil {
				return err
			}
			seen[x.ARN] = true
		}
		if left == 0 {
			return nil
		}
	}
}

// watch counts what Step Functions counts.
type watch struct {
	begin   time.Time
	account map[string]int // by execution of a Standard machine
	byID    map[string]int

	perSecond    map[[2]int]int // starts by account and second
	entered      map[[2]int]int // transitions of Standard machines
	transitions  int
	express      int           // executions
	duration     time.Duration // of those, together
	since        map[string]time.Time
	unsuccessful int
}

// note is called on the engine's loop.
func (w *watch) note(e engine.Event) {
	machine := ""
	if parts := strings.Split(e.Execution, ":"); len(parts) > 6 {
		machine = parts[6]
	}
	second := int(e.Time.Sub(w.begin) / time.Second)
	standard := machine == "ScanStack" || machine == "ScanEstate" || machine == "ReportFailure"
	switch {
	case machine == "Driver":
	case e.Type == "ExecutionStarted" && standard:
		id, _, _ := strings.Cut(scanOf(e), "-")
		w.account[e.Execution] = w.byID[id]
		w.perSecond[[2]int{w.byID[id], second}]++
	case e.Type == "ExecutionStarted":
		w.express++
		w.since[e.Execution] = e.Time
	case standard && strings.HasSuffix(e.Type, "StateEntered"):
		w.transitions++
		w.entered[[2]int{w.account[e.Execution], second}]++
	case strings.HasPrefix(e.Type, "Execution"):
		if from, ok := w.since[e.Execution]; ok {
			// Source: AWS Step Functions pricing: duration is rounded up to 100 ms.
			w.duration += (e.Time.Sub(from) + 99*time.Millisecond).Truncate(100 * time.Millisecond)
			delete(w.since, e.Execution)
		}
		if e.Type != "ExecutionSucceeded" {
			w.unsuccessful++
		}
	}
}

// scanOf is the id of the scan that an execution was started with.
func scanOf(e engine.Event) string {
	if o, ok := e.Details.Input.(*value.Object); ok {
		id, _ := o.Get("scanId")
		s, _ := id.(string)
		return s
	}
	return ""
}

// result is what the model and the watch have seen.
func (m *model) result(w *watch) *result {
	r := &result{refused: map[string]int{}, unsuccessful: w.unsuccessful}
	for _, id := range sortedKeys(m.accounts) {
		a := m.accounts[id]
		sweep := m.persisted[id+"-sweep"]
		r.sweep = append(r.sweep, m.summed[id])
		for _, t := range m.targets[id] {
			r.targets++
			r.resources += size(t)
			s, ok := sweep[t]
			if !ok {
				r.lost++
				continue
			}
			r.scans = append(r.scans, s.to-s.from)
		}
		r.unread += a.unread
		r.stacks, r.cloud, r.table = max(r.stacks, a.stacks.busiest()), max(r.cloud, a.cloud.busiest()), max(r.table, a.table.busiest())
		for _, c := range a.index {
			r.index = max(r.index, c.busiest())
			r.refused["index"] += c.refused
		}
		r.refused["CloudFormation"] += a.stacks.refused
		r.refused["Cloud Control"] += a.cloud.refused
		r.refused["table"] += a.table.refused
		r.refused["Lambda"] += a.refused
		r.functions = max(r.functions, a.most)
		for n := range m.o.events {
			for _, s := range m.persisted[fmt.Sprintf("%s-event%d", id, n)] {
				r.events = append(r.events, s.to-time.Minute)
			}
		}
		r.lost += min(m.o.events, len(m.targets[id]))
	}
	r.lost -= len(r.events)
	for _, n := range w.perSecond {
		r.starts = max(r.starts, n)
	}
	for _, n := range w.entered {
		r.transitions = max(r.transitions, n)
	}
	slices.Sort(r.scans)
	slices.Sort(r.events)
	slices.Sort(r.sweep)
	r.cost = costOf(m, w)
	return r
}

// share is the value below which a share of sorted durations lies; 0 of none.
func share(list []time.Duration, part float64) time.Duration {
	if len(list) == 0 {
		return 0
	}
	return list[min(len(list)-1, int(part*float64(len(list))))]
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, cmp.Compare[string])
	return keys
}
