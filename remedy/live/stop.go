package live

import (
	"context"
	"fmt"
	"time"
)

// Stop is the word of a person that plumbline is to change nothing more.
type Stop struct {
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
}

// String is the stop in a sentence's part.
func (s *Stop) String() string {
	return fmt.Sprintf("all changes were stopped by %s at %s: %s", s.By, s.At.UTC().Format(time.RFC3339), s.Reason)
}

// Switch tells whether all changes are stopped. Each step of a change asks it
// before it does anything; what cannot be read is no permission to go on.
type Switch interface {
	// Stopped is who stopped them; nil: changes go on.
	Stopped(ctx context.Context) (*Stop, error)
}

// Brake stops all changes, and lets them go on. Both may be said twice: the
// first stop is kept until changes go on again.
type Brake interface {
	Switch
	Stop(ctx context.Context, s Stop) error
	Resume(ctx context.Context) error
}
