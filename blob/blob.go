// Package blob stores the values that workflow states only refer to: Step
// Functions refuses a payload over 256 KiB, so states carry a Ref and counts.
package blob

import (
	"context"
	"errors"
)

// MaxPayload is the largest payload that Step Functions lets a state pass on, in bytes.
// Source: Step Functions quotas, "Maximum input or output size".
const MaxPayload = 256 * 1024

// Ref names one stored value. It is what states pass to each other.
type Ref struct {
	Key       string `json:"key"`
	SHA256    string `json:"sha256,omitempty"`    // hex, of the stored bytes; empty where the store keeps values, not bytes
	SizeBytes int64  `json:"sizeBytes,omitempty"` // of the stored bytes; 0 where the store keeps values
	Count     int    `json:"count"`               // how many items the value holds, where that has a meaning
}

// Errors that callers branch on.
var (
	ErrNotFound = errors.New("no such object")
	ErrChanged  = errors.New("object is not the one that was stored")
)

// Store keeps values by key. A value put is never changed again, by either
// side: Memory hands back the same pointer, other stores an equal value.
// Implementations are safe for concurrent use.
type Store interface {
	// Put stores v under key and replaces what was there.
	Put(ctx context.Context, key string, v any) (Ref, error)
	// Get reads the value of r into v, a pointer. It returns ErrNotFound, or
	// ErrChanged where the stored bytes do not have the reference's hash.
	Get(ctx context.Context, r Ref, v any) error
}
