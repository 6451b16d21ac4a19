package signin_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/approval/identity"
	"plumbline/internal/signin"
	"plumbline/internal/signin/session"
)

const site = "https://approve.example"

// browser keeps the cookies of one person, and what was logged.
type browser struct {
	t        *testing.T
	p        *provider
	sessions *identity.Memory
	handler  http.Handler
	cookies  map[string]string
	log      bytes.Buffer
}

func newBrowser(t *testing.T) *browser {
	b := &browser{t: t, p: newProvider(t), sessions: &identity.Memory{}, cookies: map[string]string{}}
	b.handler = signin.Handler(signin.Config{Issuer: b.p.issuer(), Sessions: b.sessions, Site: site, Log: slog.New(slog.NewTextHandler(&b.log, nil))})
	return b
}

func (b *browser) do(method, target string, header ...string) *http.Response {
	b.t.Helper()
	r := httptest.NewRequest(method, site+target, nil)
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" || c.SameSite != http.SameSiteLaxMode || !strings.HasPrefix(c.Name, "__Host-") {
			b.t.Errorf("cookie %v", c)
		}
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
	return w.Result()
}

// begin is the way to the issuer; it returns the state.
func (b *browser) begin() string {
	b.t.Helper()
	w := b.do(http.MethodGet, "/sign-in")
	to, err := url.Parse(w.Header.Get("Location"))
	if err != nil || w.StatusCode != http.StatusSeeOther {
		b.t.Fatalf("status %d, %v", w.StatusCode, err)
	}
	q := to.Query()
	b.p.nonce, b.p.challenge = q.Get("nonce"), q.Get("code_challenge")
	want := map[string]string{"client_id": client, "response_type": "code", "redirect_uri": site + "/sign-in/callback", "code_challenge_method": "S256", "scope": "openid email profile"}
	for name, value := range want {
		if q.Get(name) != value {
			b.t.Errorf("%s is %q, want %q", name, q.Get(name), value)
		}
	}
	if !strings.HasPrefix(to.String(), b.p.URL+"/authorize?") || len(q.Get("state")) < 40 || len(b.p.nonce) < 40 || len(b.p.challenge) != 43 {
		b.t.Errorf("the way to the issuer is %s", to)
	}
	return q.Get("state")
}

func (b *browser) who() (session.Visitor, error) {
	r := httptest.NewRequest(http.MethodGet, site+"/approvals", nil)
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	return session.ByCookie(b.sessions, "The issuer says so.", func() time.Time { return b.p.clock })(r)
}

func TestSignIn(t *testing.T) {
	b := newBrowser(t)
	b.cookies[session.ReturnCookie] = "/approvals/the-id_1"
	state := b.begin()
	w := b.do(http.MethodGet, "/sign-in/callback?code=the-code&state="+state, "Sec-Fetch-Site", "cross-site") // the issuer sends the browser here
	if w.StatusCode != http.StatusSeeOther || w.Header.Get("Location") != "/approvals/the-id_1" {
		t.Fatalf("status %d to %q\n%s", w.StatusCode, w.Header.Get("Location"), &b.log)
	}
	v, err := b.who()
	if err != nil || v.Name != "bob@example.com" || len(v.Secret) < 16 || v.Explicit {
		t.Errorf("%+v, %v", v, err)
	}
	if diff := cmp.Diff([]string{"security"}, v.Groups); diff != "" {
		t.Errorf("groups (-want +got)\n%s", diff)
	}
	for name, value := range b.cookies {
		if len(b.cookies) != 1 || strings.Contains(value, ".") {
			t.Errorf("cookie %s=%s stays", name, value)
		}
		for _, kept := range []string{value, state, "the-code"} {
			if strings.Contains(b.log.String(), kept) {
				t.Errorf("the log has %q", kept)
			}
		}
	}
	kept := b.cookies
	if w := b.do(http.MethodPost, "/sign-out", "Sec-Fetch-Site", "cross-site"); w.StatusCode != http.StatusForbidden {
		t.Errorf("signed out by another site: %d", w.StatusCode)
	}
	b.do(http.MethodPost, "/sign-out", "Sec-Fetch-Site", "same-origin")
	b.cookies = kept // who has copied the cookie has nothing
	if _, err := b.who(); !errors.Is(err, session.ErrNone) {
		t.Errorf("after signing out: %v", err)
	}
}

// TestSessionsEnd after their lifetime, though the browser keeps the cookie.
func TestSessionsEnd(t *testing.T) {
	b := newBrowser(t)
	b.do(http.MethodGet, "/sign-in/callback?code=the-code&state="+b.begin())
	b.p.clock = b.p.clock.Add(identity.Lifetime - time.Second)
	if _, err := b.who(); err != nil {
		t.Errorf("before its end: %v", err)
	}
	b.p.clock = b.p.clock.Add(time.Second)
	if _, err := b.who(); !errors.Is(err, session.ErrNone) {
		t.Errorf("at its end: %v", err)
	}
}

// TestSignInRefused: nothing but the answer to this browser's own question
// makes a session.
func TestSignInRefused(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(*browser, url.Values)
		status int
	}{
		{"another state", func(_ *browser, q url.Values) { q.Set("state", "x") }, http.StatusBadRequest},
		{"no state", func(_ *browser, q url.Values) { q.Del("state") }, http.StatusBadRequest},
		{"begun in another browser", func(b *browser, _ url.Values) { clear(b.cookies) }, http.StatusBadRequest},
		{"a cookie that is none", func(b *browser, _ url.Values) { b.cookies["__Host-plumbline-sign-in"] = "e30" }, http.StatusBadRequest},
		{"the issuer says no", func(_ *browser, q url.Values) { q.Del("code"); q.Set("error", "access_denied") }, http.StatusForbidden},
		{"another code", func(_ *browser, q url.Values) { q.Set("code", "stolen") }, http.StatusBadGateway},
		{"another verifier", func(b *browser, _ url.Values) { b.p.challenge = "x" }, http.StatusBadGateway},
		{"the issuer is away", func(b *browser, _ url.Values) { b.p.down = true }, http.StatusBadGateway},
		{"a replayed token", func(b *browser, _ url.Values) { b.p.nonce = "of an earlier sign-in" }, http.StatusForbidden},
		{"a token by another key", func(b *browser, _ url.Values) {
			b.p.token = func(nonce string) string {
				return signedBy(keys()[1], map[string]any{"alg": "RS256"}, b.p.claims(nonce))
			}
		}, http.StatusForbidden},
		{"an unsigned token", func(b *browser, _ url.Values) {
			b.p.token = func(nonce string) string { return unsigned(map[string]any{"alg": "none"}, b.p.claims(nonce)) + "." }
		}, http.StatusForbidden},
		{"no token", func(b *browser, _ url.Values) { b.p.token = func(string) string { return "" } }, http.StatusForbidden},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := newBrowser(t)
			q := url.Values{"code": {"the-code"}, "state": {b.begin()}}
			row.change(b, q)
			w := b.do(http.MethodGet, "/sign-in/callback?"+q.Encode())
			if w.StatusCode != row.status {
				t.Errorf("status %d, want %d\n%s", w.StatusCode, row.status, &b.log)
			}
			if _, err := b.who(); !errors.Is(err, session.ErrNone) {
				t.Errorf("there is a session: %v", err)
			}
		})
	}
}

// TestACallbackServesOnce: the same answer of the issuer makes no second session.
func TestACallbackServesOnce(t *testing.T) {
	b := newBrowser(t)
	at := "/sign-in/callback?code=the-code&state=" + b.begin()
	b.do(http.MethodGet, at)
	if w := b.do(http.MethodGet, at); w.StatusCode != http.StatusBadRequest {
		t.Errorf("status %d", w.StatusCode)
	}
}

// TestTheWayBack is a path of this site, whatever the cookie says.
func TestTheWayBack(t *testing.T) {
	for _, evil := range []string{"https://evil.example", "//evil.example", "/approvals/../sign-out", "/approvals//evil", "/approvals/%2f", "/a?b", "findings", ""} {
		b := newBrowser(t)
		state := b.begin()
		b.cookies[session.ReturnCookie] = evil
		if got := b.do(http.MethodGet, "/sign-in/callback?code=the-code&state="+state).Header.Get("Location"); got != "/approvals" {
			t.Errorf("%q leads to %q", evil, got)
		}
	}
}

// TestCookiesThatAreNone open no session, and are not looked for where they
// have another form.
func TestCookiesThatAreNone(t *testing.T) {
	b := newBrowser(t)
	b.do(http.MethodGet, "/sign-in/callback?code=the-code&state="+b.begin())
	right := b.cookies["__Host-plumbline-session"]
	for _, value := range []string{"", "x", right[1:], strings.ToLower(right) + "a", strings.Repeat("A", len(right)), strings.Repeat("A", 4000)} {
		b.cookies["__Host-plumbline-session"] = value
		if _, err := b.who(); !errors.Is(err, session.ErrNone) {
			t.Errorf("%q: %v", value, err)
		}
	}
	broken := session.ByCookie(brokenSessions{}, "", time.Now)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.AddCookie(&http.Cookie{Name: "__Host-plumbline-session", Value: right})
	if _, err := broken(r); err == nil || errors.Is(err, session.ErrNone) {
		t.Errorf("a store that does not answer: %v", err)
	}
}

type brokenSessions struct{ identity.Sessions }

func (brokenSessions) Session(context.Context, string) (identity.Session, error) {
	return identity.Session{}, errors.New("throttled")
}

// TestByToken: a program's token is verified like a browser's; what is none
// opens nothing, and an issuer that is away is no person's fault.
func TestByToken(t *testing.T) {
	b := newBrowser(t)
	ask := signin.ByToken(b.p.issuer(), "", slog.New(slog.NewTextHandler(&b.log, nil)))
	for header, want := range map[string]bool{
		"Bearer " + b.p.sign(b.p.claims("")): true, "bearer " + b.p.sign(b.p.claims("")): true,
		"Bearer " + unsigned(map[string]any{"alg": "none"}, b.p.claims("")) + ".": false, "Bearer " + hmacSigned([]byte("x"), b.p.claims("")): false,
		"Bearer ": false, "": false, "Basic YTpi": false, b.p.sign(b.p.claims("")): false,
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Authorization", header)
		v, err := ask(r)
		if want != (err == nil) || want != (v.Name == "bob@example.com") || v.Explicit != want || err != nil && !errors.Is(err, session.ErrNone) {
			t.Errorf("%.20s…: %+v, %v", header, v, err)
		}
	}
	b.p.down = true
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Authorization", "Bearer "+b.p.sign(b.p.claims("")))
	if _, err := signin.ByToken(b.p.issuer(), "", slog.New(slog.DiscardHandler))(r); err == nil || errors.Is(err, session.ErrNone) {
		t.Errorf("the issuer is away: %v", err)
	}
}
