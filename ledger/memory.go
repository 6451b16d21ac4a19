package ledger

import (
	"context"
	"iter"
	"slices"
	"sync"
)

// Memory is a Store that keeps entries in memory. The zero Memory is empty.
type Memory struct {
	mu      sync.Mutex
	entries []Entry
}

// Append is Store's.
func (m *Memory) Append(_ context.Context, e Entry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e.Seq != int64(len(m.entries))+1 {
		return ErrMoved
	}
	m.entries = append(m.entries, e)
	return nil
}

// Last is Store's.
func (m *Memory) Last(context.Context) (Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.entries) == 0 {
		return Entry{}, nil
	}
	return m.entries[len(m.entries)-1], nil
}

// Entries is Store's.
func (m *Memory) Entries(_ context.Context, from int64) iter.Seq2[Entry, error] {
	return m.those(func(e Entry) bool { return e.Seq >= from })
}

// OfPlan is Store's.
func (m *Memory) OfPlan(_ context.Context, plan string) iter.Seq2[Entry, error] {
	return m.those(func(e Entry) bool { return e.Plan == plan })
}

func (m *Memory) those(keep func(Entry) bool) iter.Seq2[Entry, error] {
	m.mu.Lock()
	all := slices.Clone(m.entries)
	m.mu.Unlock()
	return func(yield func(Entry, error) bool) {
		for _, e := range all {
			if keep(e) && !yield(e, nil) {
				return
			}
		}
	}
}
