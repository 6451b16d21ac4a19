// Package blob stores the values that workflow states only refer to: Step
// Functions refuses a payload over 256 KiB, so states carry a Ref and counts.
package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// MaxPayload is the largest payload that Step Functions lets a state pass on, in bytes.
// Source: Step Functions quotas, "Maximum input or output size".
const MaxPayload = 256 * 1024

// Ref names one stored value. It is what states pass to each other.
type Ref struct {
	Key       string `json:"key"`
	SHA256    string `json:"sha256,omitempty"`    // hex, of the stored bytes; empty where the store keeps values, or where the reader takes what is there
	SizeBytes int64  `json:"sizeBytes,omitempty"` // of the stored bytes; 0 where the store keeps values
	Count     int    `json:"count"`               // how many items the value holds, where that has a meaning
}

// Errors that callers branch on.
var (
	ErrNotFound = errors.New("no such object")
	ErrChanged  = errors.New("object is not the one that was stored")
	// ErrThrottled is wrapped by a store that asks its callers to slow down; trying again later may help.
	ErrThrottled = errors.New("store asks to slow down")
)

// Store keeps values by key. A value put is never changed again, by either
// side: Memory hands back the same pointer, other stores an equal value.
// Implementations are safe for concurrent use.
type Store interface {
	// Put stores v under key and replaces what was there. A Raw is stored as it
	// is, anything else as JSON where the store keeps bytes. A key that ValidKey
	// refuses is an error.
	Put(ctx context.Context, key string, v any) (Ref, error)
	// Get reads the value of r into v, a pointer. It returns ErrNotFound, or
	// ErrChanged where the stored bytes do not have the reference's hash; a
	// reference without a hash takes what is there. Prefer the function Get,
	// which does not copy what Memory holds.
	Get(ctx context.Context, r Ref, v any) error
}

// Streamer is a store that takes an object while it is written, so that a large
// one is never whole in memory. The reference has no hash.
type Streamer interface {
	// PutStream stores what write writes. The error is write's own, unless the
	// store cannot take it.
	PutStream(ctx context.Context, key string, write func(io.Writer) error) (Ref, error)
}

// Stream stores what write writes under a key, as it comes where the store is a
// Streamer, else as Raw.
func Stream(ctx context.Context, s Store, key string, write func(io.Writer) error) (Ref, error) {
	if sp, ok := s.(Split); ok {
		return Stream(ctx, sp.of(key), key, write)
	}
	if to, ok := s.(Streamer); ok {
		return to.PutStream(ctx, key, write)
	}
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return Ref{}, err
	}
	return s.Put(ctx, key, Raw(b.Bytes()))
}

// Raw is bytes that a store keeps as they are, such as an HTML page.
type Raw []byte

// Get returns the value of r. From a store that keeps values it is the pointer
// that was put, shared by all who ask; from another it is a new value.
func Get[T any](ctx context.Context, s Store, r Ref) (*T, error) {
	if k, ok := s.(keeper); ok {
		v, err := k.held(r)
		if err != nil {
			return nil, err
		}
		switch v := v.(type) {
		case *T:
			return v, nil
		case T:
			return &v, nil
		case nil: // a store that keeps only some of its values
		default:
			return nil, fmt.Errorf("object %q holds a %T, not a %T", r.Key, v, *new(T))
		}
	}
	v := new(T)
	if err := s.Get(ctx, r, v); err != nil {
		return nil, err
	}
	return v, nil
}

// keeper is a store that keeps values rather than bytes. held returns nil and
// no error for a key whose value it keeps as bytes.
type keeper interface{ held(Ref) (any, error) }

// counted is a value that knows how many items it holds; Ref.Count is that number.
type counted interface{ Len() int }

// Encode returns the bytes that a store of bytes keeps for v, and the reference to them.
func Encode(key string, v any) ([]byte, Ref, error) {
	if err := ValidKey(key); err != nil {
		return nil, Ref{}, err
	}
	var b []byte
	switch v := v.(type) {
	case Raw:
		b = v
	case *Raw:
		b = *v
	default:
		var err error
		if b, err = json.Marshal(v); err != nil {
			return nil, Ref{}, fmt.Errorf("encode object %q: %w", key, err)
		}
	}
	sum := sha256.Sum256(b)
	return b, Ref{Key: key, SHA256: hex.EncodeToString(sum[:]), SizeBytes: int64(len(b)), Count: count(v)}, nil
}

// Decode checks stored bytes against their reference and reads them into v, a
// pointer. It returns ErrChanged where they are not the ones that were stored.
func Decode(r Ref, b []byte, v any) error {
	if r.SHA256 != "" {
		if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != r.SHA256 {
			return fmt.Errorf("read object %q: %w", r.Key, ErrChanged)
		}
	}
	if raw, ok := v.(*Raw); ok {
		*raw = b
		return nil
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("decode object %q: %w", r.Key, err)
	}
	return nil
}

func count(v any) int {
	if c, ok := v.(counted); ok {
		return c.Len()
	}
	return 0
}
