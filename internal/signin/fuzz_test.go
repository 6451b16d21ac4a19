package signin_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"plumbline/approval/identity"
	"plumbline/internal/signin"
	"plumbline/internal/signin/session"
)

// away is an issuer that no call reaches.
type away struct{}

func (away) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("no route") }

// FuzzRequests: whatever a browser sends, nothing panics, no session is opened,
// and nobody is led to another site.
func FuzzRequests(f *testing.F) {
	const flow = "eyJTdGF0ZSI6InMiLCJOb25jZSI6Im4iLCJWZXJpZmllciI6InYifQ" // state s, nonce n, verifier v
	f.Add("/sign-in/callback?state=s&code=c", flow, "/approvals/x", "Bearer a.b.c")
	f.Add("/sign-in/callback?state=&code=c", "e30", "//evil.example", "")
	f.Add("/sign-in?x", "%%", "/a\r\nSet-Cookie: a=b", "bearer")
	f.Fuzz(func(t *testing.T, target, flow, back, authorization string) {
		r, err := http.NewRequest(http.MethodGet, "https://approve.example", nil)
		if err != nil {
			t.Fatal(err)
		}
		if u, err := r.URL.Parse(target); err == nil {
			r.URL.Path, r.URL.RawQuery = u.Path, u.RawQuery
		}
		r.Header["Cookie"] = []string{"__Host-plumbline-sign-in=" + flow + "; " + session.ReturnCookie + "=" + back + "; " + session.Cookie + "=" + flow}
		r.Header["Authorization"] = []string{authorization}
		issuer := &signin.Issuer{Expected: identity.Expected{Issuer: "https://id.example", ClientID: client}, Client: &http.Client{Transport: away{}}}
		sessions := &opened{}
		w := httptest.NewRecorder()
		signin.Handler(signin.Config{Issuer: issuer, Sessions: sessions, Site: site}).ServeHTTP(w, r)
		if sessions.n != 0 || w.Code == http.StatusOK {
			t.Errorf("status %d, %d sessions", w.Code, sessions.n)
		}
		if to := w.Header().Get("Location"); len(to) > 1 && (to[0] != '/' || to[1] == '/' || to[1] == '\\') {
			t.Errorf("led to %q", to)
		}
	})
}

// opened counts the sessions that are opened.
type opened struct {
	identity.Memory
	n int
}

func (o *opened) Open(context.Context, identity.Session) error {
	o.n++
	return nil
}
