// Package memory keeps the findings table and the ids of events in memory: the
// backend by which tasks are tested. A scan that is to remember nothing has no
// findings table at all.
package memory

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"sync"
	"time"

	"plumbline/finding"
)

// Findings is the findings table. The zero value is empty and ready to use;
// all methods are safe for concurrent use.
type Findings struct {
	mu    sync.RWMutex
	rows  map[key]finding.Record
	lives map[key]time.Time // by resource and rule: when the latest began
}

type key struct{ resource, sort string }

// Put writes the records as finding.Merge says.
func (f *Findings) Put(ctx context.Context, records []finding.Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rows == nil {
		f.rows, f.lives = make(map[key]finding.Record), make(map[key]time.Time)
	}
	for _, r := range records {
		life := key{r.ResourceID(), r.Rule}
		first, ok := f.lives[life]
		if ok && r.Joins(first) {
			r = r.Since(first)
		}
		if !ok || r.FirstSeen.After(first) {
			f.lives[life] = r.FirstSeen
		}
		k := key{r.ResourceID(), r.SortKey()}
		if old, ok := f.rows[k]; ok {
			r = finding.Merge(old, r)
		}
		f.rows[k] = r.Clean()
	}
	return nil
}

// OfStack yields the records of a stack, or of a template path without one, by resource and first seen.
func (f *Findings) OfStack(ctx context.Context, stack string) iter.Seq2[finding.Record, error] {
	return f.where(ctx, func(r *finding.Record) bool { return r.Where() == stack }, byKey)
}

// Open yields the active records of a severity, "" for all, oldest first.
func (f *Findings) Open(ctx context.Context, severity finding.Severity) iter.Seq2[finding.Record, error] {
	return f.where(ctx, func(r *finding.Record) bool {
		return r.State.Active() && (severity == "" || r.Severity == severity)
	}, byAge)
}

// History yields every record of a resource, oldest first.
func (f *Findings) History(ctx context.Context, resourceID string) iter.Seq2[finding.Record, error] {
	return f.where(ctx, func(r *finding.Record) bool { return r.ResourceID() == resourceID }, byKey)
}

// where yields a sorted copy, so that a reader may write meanwhile.
func (f *Findings) where(ctx context.Context, keep func(*finding.Record) bool, order func(a, b finding.Record) int) iter.Seq2[finding.Record, error] {
	return func(yield func(finding.Record, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(finding.Record{}, err)
			return
		}
		f.mu.RLock()
		var out []finding.Record
		for _, r := range f.rows {
			if keep(&r) {
				out = append(out, r)
			}
		}
		f.mu.RUnlock()
		slices.SortFunc(out, order)
		for _, r := range out {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func byKey(a, b finding.Record) int {
	return cmp.Or(cmp.Compare(a.ResourceID(), b.ResourceID()), cmp.Compare(a.SortKey(), b.SortKey()))
}

func byAge(a, b finding.Record) int {
	return cmp.Or(cmp.Compare(a.SortKey(), b.SortKey()), cmp.Compare(a.ResourceID(), b.ResourceID()))
}

// Events remembers the ids of events, so that one that is delivered twice
// starts nothing twice. The zero value is ready to use; safe for concurrent use.
type Events struct {
	mu  sync.Mutex
	ids map[string]time.Time
}

// Claim records id and reports whether it was new.
func (e *Events) Claim(ctx context.Context, id string, at time.Time) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, ok := e.ids[id]; ok {
		return false, nil
	}
	if e.ids == nil {
		e.ids = make(map[string]time.Time)
	}
	e.ids[id] = at
	return true, nil
}

// Release forgets id, since what it asked for could not be started.
func (e *Events) Release(_ context.Context, id string) error {
	e.mu.Lock()
	delete(e.ids, id)
	e.mu.Unlock()
	return nil
}
