package signin

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"time"

	"plumbline/approval/identity"
	"plumbline/internal/approvalpage"
)

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

// secret is a text that nobody guesses.
func secret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // it never fails: crypto/rand ends the process instead
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// ByCookie tells who sends a request by the session of its browser, for the
// approval page.
func ByCookie(s identity.Sessions, vouched string, now func() time.Time) func(*http.Request) (approvalpage.Visitor, error) {
	return func(r *http.Request) (approvalpage.Visitor, error) {
		c, err := r.Cookie(sessionCookie)
		if err != nil || len(c.Value) != base64.RawURLEncoding.EncodedLen(32) {
			return approvalpage.Visitor{}, approvalpage.ErrSignIn
		}
		session, err := s.Session(r.Context(), identity.SessionID(c.Value))
		switch {
		case errors.Is(err, identity.ErrNoSession) || err == nil && !now().Before(session.Expires):
			return approvalpage.Visitor{}, approvalpage.ErrSignIn
		case err != nil:
			return approvalpage.Visitor{}, err
		}
		key := sha256.Sum256([]byte("secret of the session " + c.Value)) // another hash than the one that is stored
		return approvalpage.Visitor{Person: session.Person, Secret: key[:], Vouched: vouched}, nil
	}
}
