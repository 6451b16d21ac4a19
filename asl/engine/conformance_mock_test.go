package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"plumbline/asl/engine"
)

// mocks is the Invoker that answers with what was recorded.
type mocks struct {
	c      *recorded
	engine *engine.Engine

	mu   sync.Mutex
	used map[string][]bool
}

func (m *mocks) Invoke(ctx context.Context, c engine.Call) (json.RawMessage, error) {
	e, err := m.entry(c)
	if err != nil {
		return nil, err
	}
	if e.Timeout != nil {
		if c.Token != "" && e.Submitted != nil {
			return e.Submitted, nil
		}
		return nil, &engine.Later{After: -1, Submitted: e.Submitted}
	}
	var failure *engine.Error
	if e.Throw != nil {
		failure = &engine.Error{Cause: causeText(e.Throw.Cause)}
		if e.Throw.Error != nil {
			failure.Name = *e.Throw.Error
		}
	}
	out := e.Return
	if e.Echo {
		out = c.Input
	}
	if c.Token != "" && (e.Submitted != nil || failure == nil) {
		if failure != nil {
			err = m.engine.Fail(c.Token, failure.Name, failure.Cause)
		} else {
			err = m.engine.Succeed(c.Token, out)
		}
		if e.Submitted == nil {
			return json.RawMessage("{}"), err
		}
		return e.Submitted, err
	}
	if e.Submitted != nil {
		later := &engine.Later{Submitted: e.Submitted, Output: out}
		if failure != nil {
			later.Err = failure
		}
		return nil, later
	}
	if failure != nil {
		return nil, failure
	}
	return out, nil
}

// entry picks the recorded answer: the first unused one whose recorded input
// fits, else the first unused one.
func (m *mocks) entry(c engine.Call) (*mockEntry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := c.State
	entries := m.c.Mocks[key]
	if entries == nil {
		for k, list := range m.c.Mocks {
			if k == "*" || k == c.Resource || strings.HasSuffix(c.Resource, ":::"+k) {
				key, entries = k, list
			}
		}
	}
	used := m.used[key]
	if used == nil {
		used = make([]bool, len(entries))
		m.used[key] = used
	}
	pick := -1
	for i := range entries {
		if used[i] {
			continue
		}
		if pick < 0 {
			pick = i
		}
		want := entries[i].Match.Parameters
		if want == nil {
			want = entries[i].Match.Input
		}
		if want != nil && (matcher{wildcards: m.c.Wildcards}).match(decode(want), decode(c.Input), false) {
			pick = i
			break
		}
	}
	if pick < 0 {
		return nil, fmt.Errorf("no recorded answer is left for state %q", c.State)
	}
	used[pick] = true
	return &entries[pick], nil
}
