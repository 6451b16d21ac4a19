package identity

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"sync"
	"time"

	"plumbline/approval"
)

// Lifetime is how long a session lasts, whether it is used or not. Source: PCI
// DSS v4.0.1, 8.2.8: after 15 idle minutes people sign in again; the issuer may
// do that without asking them.
const Lifetime = 15 * time.Minute

// Session is one browser that somebody has signed in with.
type Session struct {
	ID      string // SHA-256 of the cookie's value, hex: who reads the store cannot use it
	Person  approval.Person
	Expires time.Time
}

// ErrNoSession says that a store has no session of an id.
var ErrNoSession = errors.New("there is no such session")

// Sessions keeps sessions. One that has expired may be given, and is not used.
// Safe for concurrent use.
type Sessions interface {
	Open(ctx context.Context, s Session) error
	// Session gives that of an id, or ErrNoSession.
	Session(ctx context.Context, id string) (Session, error)
	// Close forgets one; one that is not there is no error.
	Close(ctx context.Context, id string) error
}

// Memory keeps the sessions of one process. The zero Memory has none.
type Memory struct {
	mu   sync.Mutex
	byID map[string]Session
}

// Open is Sessions'. It forgets those that have expired.
func (m *Memory) Open(_ context.Context, s Session) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.byID == nil {
		m.byID = map[string]Session{}
	}
	for id, old := range m.byID {
		if old.Expires.Before(s.Expires.Add(-Lifetime)) {
			delete(m.byID, id)
		}
	}
	m.byID[s.ID] = s
	return nil
}

// Session is Sessions'.
func (m *Memory) Session(_ context.Context, id string) (Session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.byID[id]
	if !ok {
		return s, ErrNoSession
	}
	return s, nil
}

// Close is Sessions'.
func (m *Memory) Close(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.byID, id)
	return nil
}

// SessionID is what a store knows a session's cookie by.
func SessionID(cookie string) string {
	sum := sha256.Sum256([]byte(cookie))
	return hex.EncodeToString(sum[:])
}
