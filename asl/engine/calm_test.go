package engine

import (
	"testing"
	"time"
)

// Where time passes by itself, a machine may begin itself anew for ever as long
// as it takes its time and does not wait for the next.
func TestCalm(t *testing.T) {
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	tests := []struct {
		name  string
		clock Clock
		waits bool
		after time.Duration
		most  int // how many it starts
	}{
		{"calm", realClock{}, false, time.Second, maxRecursion + 1},
		{"at once", realClock{}, false, time.Second - 1, maxRecursion},
		{"waits for the next", realClock{}, true, time.Second, maxDepth},
		{"a clock that jumps", NewVirtualClock(began), false, time.Second, maxRecursion},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := &Execution{engine: New(Options{Clock: tt.clock}), Started: began, lineage: newLineage("m")}
			n := 0
			for ; n <= maxRecursion; n++ {
				l := x.below("m", tt.waits, x.Started.Add(tt.after))
				if l == nil {
					break
				}
				x = &Execution{engine: x.engine, Started: x.Started.Add(tt.after), lineage: l}
			}
			if n != tt.most {
				t.Errorf("refused after %d, want %d", n, tt.most)
			}
		})
	}
}
