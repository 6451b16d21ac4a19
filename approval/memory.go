package approval

import (
	"context"
	"iter"
	"maps"
	"slices"
	"sync"
)

// Memory is a Store in memory. The zero Memory is empty.
type Memory struct {
	mu   sync.Mutex
	byID map[string]Stored
}

// Add is Store's.
func (m *Memory) Add(_ context.Context, r Stored) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, old := range m.byID {
		if old.ID == r.ID || old.Plan == r.Plan && old.State == Waiting {
			return ErrConflict
		}
	}
	if m.byID == nil {
		m.byID = map[string]Stored{}
	}
	m.byID[r.ID] = r
	return nil
}

// Find is Store's.
func (m *Memory) Find(_ context.Context, id string) (Stored, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.byID[id]
	if !ok {
		return Stored{}, refuse(ErrUnknown, "there is no such request")
	}
	return r, nil
}

// Save is Store's.
func (m *Memory) Save(_ context.Context, r Stored) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.byID[r.ID].Version != r.Version {
		return ErrConflict
	}
	r.Version++
	m.byID[r.ID] = r
	return nil
}

// Open is Store's.
func (m *Memory) Open(context.Context) iter.Seq2[Stored, error] {
	m.mu.Lock()
	var open []Stored
	for _, id := range slices.Sorted(maps.Keys(m.byID)) {
		if r := m.byID[id]; r.State == Waiting || !r.Told {
			open = append(open, r)
		}
	}
	m.mu.Unlock()
	return func(yield func(Stored, error) bool) {
		for _, r := range open {
			if !yield(r, nil) {
				return
			}
		}
	}
}
