package memory_test

import (
	"testing"

	"plumbline/internal/memory"
	"plumbline/remedy/live"
	"plumbline/remedy/live/livetest"
)

func TestResources(t *testing.T) {
	for _, delay := range []int{0, 2} {
		livetest.Resources(t, func(*testing.T) live.Resources {
			r := &memory.Resources{Delay: delay}
			r.Put(livetest.Type, livetest.Identifier, []byte(livetest.Model))
			return r
		})
	}
}

func TestBrake(t *testing.T) {
	livetest.Brake(t, func(*testing.T) live.Brake { return new(memory.Leases) })
}
