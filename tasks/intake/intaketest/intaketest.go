// Package intaketest is the conformance test of intake.Events, run on each backend.
package intaketest

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"plumbline/tasks/intake"
)

// Run holds the stores that open returns to the interface's promises. open is
// called once for each part and returns an empty store.
func Run(t *testing.T, open func(t *testing.T) intake.Events) {
	t.Helper()
	at := time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)

	claim := func(t *testing.T, e intake.Events, id string) bool {
		t.Helper()
		first, err := e.Claim(t.Context(), id, at)
		if err != nil {
			t.Fatal(err)
		}
		return first
	}

	t.Run("an id is new once", func(t *testing.T) {
		e := open(t)
		for i, want := range []bool{true, false, false} {
			if got := claim(t, e, "a"); got != want {
				t.Errorf("claim %d = %v, want %v", i+1, got, want)
			}
		}
		if !claim(t, e, "b") {
			t.Error("another id is not new")
		}
	})

	t.Run("a released id is new again", func(t *testing.T) {
		e := open(t)
		claim(t, e, "a")
		for range 2 { // releasing what is not claimed is no error
			if err := e.Release(t.Context(), "a"); err != nil {
				t.Fatal(err)
			}
		}
		if !claim(t, e, "a") {
			t.Error("the id is still taken")
		}
	})

	t.Run("of many at once one is first", func(t *testing.T) {
		e := open(t)
		var wg sync.WaitGroup
		var firsts atomic.Int32
		for range 16 {
			wg.Go(func() {
				first, err := e.Claim(t.Context(), "a", at)
				if err != nil {
					t.Error(err)
				}
				if first {
					firsts.Add(1)
				}
			})
		}
		wg.Wait()
		if n := firsts.Load(); n != 1 {
			t.Errorf("%d were first, want 1", n)
		}
	})
}
