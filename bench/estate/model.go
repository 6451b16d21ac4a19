package main

import (
	"container/heap"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"plumbline/asl/engine"
	"plumbline/scan"
	"plumbline/scan/deployed"
	"plumbline/tasks/catalog"
)

// model stands in for the functions: it answers each call of a workflow when
// the function would, by what the account's limits leave it.
type model struct {
	o        options
	clock    engine.Clock
	begin    time.Time
	objects  *engine.MemoryObjects
	accounts map[string]*account
	targets  map[string][]scan.Target // by account

	persisted map[string]map[scan.Target]span // by scan: whose findings were written
	fetched   map[string]time.Duration        // by scan and stack: when its reading began
	summed    map[string]time.Duration        // by account: when its sweep was summed up
	lambda    float64                         // GB-seconds
	requests  int
	writes    int // of rows
	failures  int // targets without a result
}

// span is how long the scan of one target took.
type span struct{ from, to time.Duration }

// size is how many resources a target has: most stacks are small, a few as
// large as CloudFormation lets them be. The mean is 30.
func size(t scan.Target) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(t.Account + t.Stack)) // never fails
	switch n := h.Sum32() % 400; {
	case n == 0:
		return 500
	case n < 20:
		return 110
	case n < 100:
		return 45
	case n < 300:
		return 24
	default:
		return 12
	}
}

// wrong is how many violations a target has.
func wrong(t scan.Target) int { return size(t) / 3 }

// Invoke is never asked: Prompt answers all calls.
func (m *model) Invoke(context.Context, engine.Call) (json.RawMessage, error) {
	return nil, errors.New("the model answers by Prompt")
}

// payload is what functions are called with, as far as the model reads it.
type payload struct {
	ScanID   string                         `json:"scanId"`
	Target   scan.Target                    `json:"target"`
	Targets  string                         `json:"targets"`
	Snapshot struct{ Key string }           `json:"snapshot"`
	Changes  struct{ Key string }           `json:"changes"`
	Assessed struct{ Key string }           `json:"assessment"`
	RuleSets []struct{ Verdicts *struct{} } `json:"ruleSets"`
}

// Prompt answers a call: what comes of it is known at once, and comes later.
func (m *model) Prompt(c engine.Call) (json.RawMessage, error, bool) {
	now := m.clock.Now().Sub(m.begin)
	var in struct {
		FunctionName string
		Payload      payload
	}
	if err := json.Unmarshal(c.Input, &in); err != nil {
		return nil, err, true
	}
	name := strings.TrimSuffix(strings.TrimPrefix(in.FunctionName, "${"), "Arn}")
	p := &in.Payload
	for _, key := range []string{p.Snapshot.Key, p.Changes.Key, p.Assessed.Key} {
		if key != "" {
			p.ScanID, p.Target = parse(key)
		}
	}
	if p.Target.Account == "" {
		p.Target.Account, _, _ = strings.Cut(p.ScanID, "-")
	}
	a := m.accounts[p.Target.Account]
	if a == nil {
		return nil, fmt.Errorf("%s is called for account %q, which is not in the estate", name, p.Target.Account), true
	}
	if !a.enter(now) {
		return nil, &engine.Later{After: answer, Err: &engine.Error{Name: "Lambda.TooManyRequestsException", Cause: "Rate Exceeded."}}, true
	}
	end, out, err := m.answer(a, name, p, now)
	limit := timeout(name)
	if end-now > limit {
		end, out, err = now+limit, nil, &engine.Error{Name: "States.TaskFailed", Cause: "Task timed out"}
	}
	heap.Push(&a.calls, end)
	t, _ := catalog.Find(name)
	m.lambda += (end - now).Seconds() * float64(t.MemoryMB) / 1024
	m.requests++
	if err != nil {
		return nil, &engine.Later{After: end - now, Err: err}, true
	}
	b, failed := json.Marshal(map[string]any{"StatusCode": 200, "Payload": out})
	if failed != nil {
		return nil, failed, true
	}
	return nil, &engine.Later{After: end - now, Output: b}, true
}

// throttled is what a function reports that was asked to slow down to the end.
var throttled = &engine.Error{Name: catalog.Throttled, Cause: "asked to slow down"}

// answer says when a function ends, and with what.
func (m *model) answer(a *account, name string, p *payload, now time.Duration) (time.Duration, map[string]any, error) {
	end := now + overhead
	n := size(p.Target)
	ref := map[string]any{"key": p.ScanID + "/" + p.Target.Account + "/" + p.Target.Stack, "count": n}
	switch {
	case name == "ListTargets":
		return m.list(a, p, end)
	case name == "FetchStack":
		return m.fetch(a, p, now, ref)
	case strings.HasPrefix(name, "Evaluate"):
		domain := strings.ToLower(strings.TrimPrefix(name, "Evaluate"))
		return end + 2*answer + time.Duration(n)*perJudging, map[string]any{"domain": domain, "verdicts": ref}, nil
	case name == "Assess":
		for _, b := range p.RuleSets {
			if b.Verdicts == nil {
				a.unread++
			}
		}
		changed := m.changes(p.Target)
		return end + 4*answer, map[string]any{
			"assessment": ref, "changes": map[string]any{"key": ref["key"], "count": changed}, "partial": []string{}, "lost": 0,
			"alerts": scan.Alerts{High: changed, Others: changed}, "new": changed, "open": wrong(p.Target), "resolved": 0, "settled": 0,
		}, nil
	case name == "PersistFindings":
		return m.persist(a, p, end+answer)
	case name == "WriteReport":
		return end + 3*answer + time.Duration(n)*perJudging, map[string]any{"report": ref}, nil
	case name == "Summarize":
		m.summed[p.Target.Account] = now
		count := len(m.targets[p.Target.Account])
		return end + time.Duration(count/16+1)*2*gather, map[string]any{
			"report": ref, "targets": count, "failing": 0, "failed": 0, "partial": 0, "stored": "reports/estate", "digest": ref, "tell": true,
		}, nil
	case name == "RecordFailure":
		m.failures++
		return end + answer, map[string]any{}, nil
	case name == "SelectReviews":
		return end + 2*answer, map[string]any{"reviews": []any{}, "count": 0, "left": 0}, nil
	case name == "Notify":
		return end + 2*answer, map[string]any{}, nil
	}
	return 0, nil, fmt.Errorf("the model knows no function %q", name)
}

// gather is one read of what a target has left, from within the region: an
// assessment or its absence. Summarize reads those of sixteen targets at once.
const gather = 15 * time.Millisecond

// list reads the account's stacks, a hundred a page, and leaves the list.
func (m *model) list(a *account, p *payload, at time.Duration) (time.Duration, map[string]any, error) {
	list := m.targets[p.Target.Account]
	for range len(list)/100 + 1 {
		var ok bool
		if at, ok = a.call(a.stacks, at, 1, answer); !ok {
			return at, nil, throttled
		}
	}
	b, err := json.Marshal(list)
	if err != nil {
		return at, nil, err
	}
	key := scan.TargetsKey(p.ScanID)
	if err := m.objects.Put(context.Background(), "${ReportBucket}", key, b); err != nil {
		return at, nil, err
	}
	return at + answer, map[string]any{"key": key, "count": len(list), "concurrency": m.o.concurrency, "started": m.begin}, nil
}

// fetch reads a stack and its resources.
func (m *model) fetch(a *account, p *payload, now time.Duration, ref map[string]any) (time.Duration, map[string]any, error) {
	if key := p.ScanID + "/" + p.Target.Stack; m.fetched[key] == 0 { // else it is tried again
		m.fetched[key] = max(now, 1)
	}
	limit, n := timeout("FetchStack"), size(p.Target)
	at := now + overhead
	for range 3 + n/100 { // the stack, its template, its resources by the hundred
		var ok bool
		if at, ok = a.call(a.stacks, at, 1, answer); !ok {
			return at, nil, throttled
		}
	}
	e := a.environment(now)
	if m.o.around > 0 && now-e.listed > max(deployed.Fresh, deployed.Worth*e.took) {
		var unread int
		e.listed = now
		if at, unread = a.read(at, now+limit-reserve, m.o.around); unread == 0 {
			e.took = at - now
		}
	}
	end, unread := a.read(at, now+limit-reserve, n)
	e.until = end
	a.unread += unread
	return end + answer, map[string]any{"snapshot": ref}, nil
}

// changes is how many rows a scan of a target changes.
func (m *model) changes(t scan.Target) int {
	if m.o.first {
		return wrong(t)
	}
	return wrong(t) / 10
}

// persist writes rows, eight at a time: a claim and the row of what is new, and
// what is known once more.
func (m *model) persist(a *account, p *payload, at time.Duration) (time.Duration, map[string]any, error) {
	changed := m.changes(p.Target)
	rows := wrong(p.Target)
	var end time.Duration
	for writer := range 8 {
		at := at
		for i := writer; i < rows; i += 8 {
			var ok bool
			if i < changed { // the claim, a unit
				if at, ok = a.call(a.table, at, 1, written); !ok {
					return at, nil, throttled
				}
				m.writes++
			}
			if at, ok = a.call(a.table, at, rowUnits, written); !ok {
				return at, nil, throttled
			}
			if at, ok = a.call(a.index[i%severities], at, rowUnits, 0); !ok {
				return at, nil, throttled
			}
			m.writes += 3 * rowUnits // the row, and its two indexes
		}
		end = max(end, at)
	}
	end = max(end, at)
	if m.persisted[p.ScanID] == nil {
		m.persisted[p.ScanID] = map[scan.Target]span{}
	}
	m.persisted[p.ScanID][p.Target] = span{m.fetched[p.ScanID+"/"+p.Target.Stack], end}
	return end, map[string]any{"written": rows}, nil
}

// rowUnits are what writing one row takes: a row is between one and two kilobytes.
const rowUnits = 2

// parse reads scan and target of a reference that the model has given out.
func parse(key string) (string, scan.Target) {
	scanID, rest, _ := strings.Cut(key, "/")
	account, stack, _ := strings.Cut(rest, "/")
	return scanID, scan.Target{Account: account, Region: region, Stack: stack}
}

const region = "us-east-1"
