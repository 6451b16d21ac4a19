package signin

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"sync"
	"time"

	"plumbline/approval"
	"plumbline/internal/approvalpage"
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

// Cookies. The prefix makes browsers take them from this host over TLS alone,
// for the whole host and no other. Source: RFC 6265bis, "Cookie Name Prefixes".
const (
	sessionCookie = "__Host-plumbline-session"
	flowCookie    = "__Host-plumbline-sign-in"
)

func setCookie(w http.ResponseWriter, name, value string, life time.Duration) {
	c := &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: int(life / time.Second), Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// sessionID is what a store knows a cookie by.
func sessionID(value string) string {
	sum := sha256.Sum256([]byte(value))
	return hex.EncodeToString(sum[:])
}

// secret is a text that nobody guesses.
func secret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // it never fails: crypto/rand ends the process instead
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// ByCookie tells who sends a request by the session of its browser, for the
// approval page.
func ByCookie(s Sessions, vouched string, now func() time.Time) func(*http.Request) (approvalpage.Visitor, error) {
	return func(r *http.Request) (approvalpage.Visitor, error) {
		c, err := r.Cookie(sessionCookie)
		if err != nil || len(c.Value) != base64.RawURLEncoding.EncodedLen(32) {
			return approvalpage.Visitor{}, approvalpage.ErrSignIn
		}
		session, err := s.Session(r.Context(), sessionID(c.Value))
		switch {
		case errors.Is(err, ErrNoSession) || err == nil && !now().Before(session.Expires):
			return approvalpage.Visitor{}, approvalpage.ErrSignIn
		case err != nil:
			return approvalpage.Visitor{}, err
		}
		key := sha256.Sum256([]byte("secret of the session " + c.Value)) // another hash than the one that is stored
		return approvalpage.Visitor{Person: session.Person, Secret: key[:], Vouched: vouched}, nil
	}
}
