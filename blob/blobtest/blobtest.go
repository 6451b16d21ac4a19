// Package blobtest is the conformance test of blob.Store: what every task
// relies on, run on each backend in the same words.
package blobtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/blob"
)

// value is what the test stores.
type value struct {
	Name  string
	Items []string
}

// Len is the number of items, which a reference counts.
func (v *value) Len() int { return len(v.Items) }

// Run holds the stores that open returns to the interface's promises. open is
// called once for each part and returns an empty store.
func Run(t *testing.T, open func(t *testing.T) blob.Store) {
	t.Helper()
	ctx := context.Background()

	t.Run("a value comes back equal", func(t *testing.T) {
		s := open(t)
		want := &value{Name: "one", Items: []string{"a", "b"}}
		ref := put(t, s, "work/s1/one", want)
		if ref.Key != "work/s1/one" || ref.Count != 2 {
			t.Errorf("reference = %+v, want the key and a count of 2", ref)
		}
		got, err := blob.Get[value](ctx, s, ref)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("blob.Get (-want +got):\n%s", diff)
		}
		var plain value
		if err := s.Get(ctx, ref, &plain); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(*want, plain); diff != "" {
			t.Errorf("Store.Get (-want +got):\n%s", diff)
		}
	})

	t.Run("raw bytes are kept as they are", func(t *testing.T) {
		s := open(t)
		want := blob.Raw("<!doctype html>\n\x00\xff")
		ref := put(t, s, "reports/a/report.html", want)
		got, err := blob.Get[blob.Raw](ctx, s, ref)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, *got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})

	t.Run("a reference of the key alone reads what is there", func(t *testing.T) {
		s := open(t)
		put(t, s, "scans/a", &value{Name: "one"})
		got, err := blob.Get[value](ctx, s, blob.Ref{Key: "scans/a"})
		if err != nil || got.Name != "one" {
			t.Errorf("got %+v, %v", got, err)
		}
	})

	t.Run("what is missing is not found", func(t *testing.T) {
		s := open(t)
		for _, key := range []string{"nowhere", "no/where"} {
			if _, err := blob.Get[value](ctx, s, blob.Ref{Key: key}); !errors.Is(err, blob.ErrNotFound) {
				t.Errorf("key %q: %v, want ErrNotFound", key, err)
			}
			if err := s.Get(ctx, blob.Ref{Key: key}, new(value)); !errors.Is(err, blob.ErrNotFound) {
				t.Errorf("key %q: %v, want ErrNotFound", key, err)
			}
		}
	})

	t.Run("a replaced object is not the one referred to", func(t *testing.T) {
		s := open(t)
		old := put(t, s, "k", &value{Name: "old"})
		put(t, s, "k", &value{Name: "new"})
		got, err := blob.Get[value](ctx, s, old)
		if old.SHA256 == "" { // keeps values: the newest answers
			if err != nil || got.Name != "new" {
				t.Errorf("got %+v, %v", got, err)
			}
			return
		}
		if !errors.Is(err, blob.ErrChanged) {
			t.Errorf("got %+v, %v, want ErrChanged", got, err)
		}
	})

	t.Run("keys stay inside the store", func(t *testing.T) {
		s := open(t)
		for _, key := range []string{"", "/etc/x", "../x", "a/../x", "a//b", "a/", "a\\b", "a\x00b", "a b", ".hidden", strings.Repeat("x", 300), strings.Repeat("xx/", 500)} {
			if _, err := s.Put(ctx, key, &value{}); err == nil {
				t.Errorf("key %q was taken", key)
			}
		}
	})

	t.Run("many at once", func(t *testing.T) {
		s := open(t)
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				own, shared := fmt.Sprintf("many/%d", i), "many/shared"
				if _, err := s.Put(ctx, own, &value{Name: own}); err != nil {
					t.Error(err)
				}
				if _, err := s.Put(ctx, shared, &value{Name: shared}); err != nil {
					t.Error(err)
				}
				for _, key := range []string{own, shared} {
					if got, err := blob.Get[value](ctx, s, blob.Ref{Key: key}); err != nil || got.Name != key {
						t.Errorf("key %q: %+v, %v", key, got, err)
					}
				}
			})
		}
		wg.Wait()
	})
}

func put(t *testing.T, s blob.Store, key string, v any) blob.Ref {
	t.Helper()
	ref, err := s.Put(context.Background(), key, v)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}
