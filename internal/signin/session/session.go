// Package session tells who a browser is of, by a cookie that the issuer's word
// was once given for. It knows no tokens: package signin reads those.
package session

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"time"

	"plumbline/approval"
	"plumbline/approval/identity"
)

// Paths that package signin answers: one that signs people in and leads back,
// and one that takes a POST.
const (
	InPath  = "/sign-in"
	OutPath = "/sign-out"
)

// Home is the path that a browser goes on to after signing in, or below it.
const Home = "/approvals"

// ErrNone says that nobody has signed in.
var ErrNone = errors.New("nobody has signed in")

// Visitor is who sends a request.
type Visitor struct {
	approval.Person
	// Secret is known to the server and this visitor's session alone. The token of
	// forms and the addresses in the list of requests are derived from it; without
	// it the list has no addresses, and no form is taken.
	Secret []byte
	// Explicit: the request carries a proof of identity that no browser sends of its
	// own accord, so that another site cannot have caused it. Such a request decides
	// without a form's token.
	Explicit bool
	// Vouched says in words whose word is taken for who this is. It is on every page.
	Vouched string
}

// Cookies. The prefix makes browsers take them from this host over TLS alone,
// for the whole host and no other. Source: RFC 6265bis, "Cookie Name Prefixes".
const (
	Cookie       = "__Host-plumbline-session"
	ReturnCookie = "__Host-plumbline-return" // where a browser goes on after signing in: a path below Home
)

// Set gives a browser a cookie, or takes it back where the value is "".
func Set(w http.ResponseWriter, name, value string, life time.Duration) {
	c := &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: int(life / time.Second), Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// Secret is a text that nobody guesses.
func Secret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // it never fails: crypto/rand ends the process instead
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// ByCookie tells who sends a request by the session of its browser.
func ByCookie(s identity.Sessions, vouched string, now func() time.Time) func(*http.Request) (Visitor, error) {
	return func(r *http.Request) (Visitor, error) {
		c, err := r.Cookie(Cookie)
		if err != nil || len(c.Value) != base64.RawURLEncoding.EncodedLen(32) {
			return Visitor{}, ErrNone
		}
		kept, err := s.Session(r.Context(), identity.SessionID(c.Value))
		switch {
		case errors.Is(err, identity.ErrNoSession) || err == nil && !now().Before(kept.Expires):
			return Visitor{}, ErrNone
		case err != nil:
			return Visitor{}, err
		}
		key := sha256.Sum256([]byte("secret of the session " + c.Value)) // another hash than the one that is stored
		return Visitor{Person: kept.Person, Secret: key[:], Vouched: vouched}, nil
	}
}

// Require lets only those through who have signed in; a browser that has not is
// led to InPath and back.
func Require(next http.Handler, identify func(*http.Request) (Visitor, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := identify(r)
		switch {
		case err == nil && v.Name != "":
			next.ServeHTTP(w, r)
		case err != nil && !errors.Is(err, ErrNone):
			http.Error(w, "Who you are cannot be told now. Try again in a minute.", http.StatusServiceUnavailable)
		case r.Method == http.MethodGet:
			w.Header().Set("Cache-Control", "no-store")
			Set(w, ReturnCookie, r.URL.EscapedPath(), identity.Lifetime)
			http.Redirect(w, r, InPath, http.StatusSeeOther)
		default:
			http.Error(w, "You are not signed in.", http.StatusUnauthorized)
		}
	})
}
