package memory_test

import (
	"testing"

	"plumbline/finding/findingtest"
	"plumbline/internal/memory"
	"plumbline/tasks/intake"
	"plumbline/tasks/intake/intaketest"
)

func TestFindings(t *testing.T) {
	findingtest.Run(t, func(*testing.T) findingtest.Store { return new(memory.Findings) })
}

func TestEvents(t *testing.T) {
	intaketest.Run(t, func(*testing.T) intake.Events { return new(memory.Events) })
}
