package sqlite_test

import (
	"testing"

	"plumbline/remedy/live"
	"plumbline/remedy/live/livetest"
)

func TestBrake(t *testing.T) {
	livetest.Brake(t, func(t *testing.T) live.Brake { return openChanges(t) })
}
