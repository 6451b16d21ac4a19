package engine

import (
	"encoding/json"
	"time"
)

// Journal keeps the inputs of the engine's loop, in order, before they are acted upon.
type Journal interface {
	Append(Entry) error
}

// Entry is one input of an execution.
type Entry struct {
	Execution string          `json:"execution"`
	Kind      string          `json:"kind"`
	Time      time.Time       `json:"time"`
	Data      json.RawMessage `json:"data,omitempty"`
}

func (e *Engine) entry(h *happening, now time.Time) Entry {
	return Entry{Execution: h.x.ARN, Time: now}
}
