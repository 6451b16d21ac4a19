package blob

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"sync"
)

// Memory is a Store that keeps values, not bytes: Get, the function, hands
// back the pointer that was put, so what a value computes once (a snapshot its
// template) is computed once for all readers. The zero value is ready to use.
type Memory struct {
	mu      sync.RWMutex
	folders map[string]map[string]any // by folder, so that Drop costs nothing for the others
}

// Put keeps v itself. The caller must not change it again.
func (m *Memory) Put(_ context.Context, key string, v any) (Ref, error) {
	if err := ValidKey(key); err != nil {
		return Ref{}, err
	}
	dir, name := split(key)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.folders == nil {
		m.folders = make(map[string]map[string]any)
	}
	f := m.folders[dir]
	if f == nil {
		f = make(map[string]any)
		m.folders[dir] = f
	}
	f[name] = v
	return Ref{Key: key, Count: count(v)}, nil
}

// Get copies the value of r into v, one level deep.
func (m *Memory) Get(_ context.Context, r Ref, v any) error {
	held, err := m.held(r)
	if err != nil {
		return err
	}
	dst, src := reflect.ValueOf(v), reflect.ValueOf(held)
	if dst.Kind() != reflect.Pointer || dst.IsNil() {
		return fmt.Errorf("read object %q into a %T: a pointer is wanted", r.Key, v)
	}
	if src.Kind() == reflect.Pointer && src.Type() == dst.Type() {
		src = src.Elem()
	}
	if src.Type() != dst.Type().Elem() {
		return fmt.Errorf("object %q holds a %T, not a %s", r.Key, held, dst.Type().Elem())
	}
	dst.Elem().Set(src)
	return nil
}

// Drop forgets the values directly in a folder ("work/s1/t1" has
// "work/s1/t1/snapshot"), so that a long scan does not keep the snapshots of
// what it has assessed. References to them then answer ErrNotFound.
func (m *Memory) Drop(folder string) {
	m.mu.Lock()
	delete(m.folders, folder)
	m.mu.Unlock()
}

// Len is the number of values held.
func (m *Memory) Len() int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	n := 0
	for _, f := range m.folders {
		n += len(f)
	}
	return n
}

func (m *Memory) held(r Ref) (any, error) {
	dir, name := split(r.Key)
	m.mu.RLock()
	v, ok := m.folders[dir][name]
	m.mu.RUnlock()
	if !ok {
		return nil, fmt.Errorf("read object %q: %w", r.Key, ErrNotFound)
	}
	return v, nil
}

func split(key string) (dir, name string) {
	i := strings.LastIndexByte(key, '/')
	if i < 0 {
		return "", key
	}
	return key[:i], key[i+1:]
}

// Split is a Store of two: keys that start with Prefix go to Under, all others
// to Rest. A laptop's scan keeps what states hand on in memory and what people
// read later in files, under the keys that one bucket has on AWS.
type Split struct {
	Prefix      string
	Under, Rest Store
}

func (s Split) of(key string) Store {
	if strings.HasPrefix(key, s.Prefix) {
		return s.Under
	}
	return s.Rest
}

// Put stores v on the side that key belongs to.
func (s Split) Put(ctx context.Context, key string, v any) (Ref, error) {
	return s.of(key).Put(ctx, key, v)
}

// Get reads from the side that r's key belongs to.
func (s Split) Get(ctx context.Context, r Ref, v any) error { return s.of(r.Key).Get(ctx, r, v) }

func (s Split) held(r Ref) (any, error) {
	if k, ok := s.of(r.Key).(keeper); ok {
		return k.held(r)
	}
	return nil, nil
}
