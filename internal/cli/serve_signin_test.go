package cli

import (
	"bytes"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"plumbline/approval/identity"
)

// TestTheDoor: with an issuer, no page is shown to who has not signed in, and a
// token that is not the issuer's opens nothing.
func TestTheDoor(t *testing.T) {
	var said bytes.Buffer
	f := signInFlags{site: "https://plumbline.example", want: identity.Expected{Issuer: "https://127.0.0.1:1", ClientID: "p"}} // nobody listens there
	shown := false
	h := f.door(log.New(&said, "", 0)).before(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { shown = true }))
	for _, row := range []struct {
		method, path, authorization string
		status                      int
		location                    string
	}{
		{"GET", "/", "", http.StatusSeeOther, "/sign-in"},
		{"GET", "/findings/abc", "", http.StatusSeeOther, "/sign-in"},
		{"POST", "/approvals/abc", "", http.StatusUnauthorized, ""},
		{"GET", "/", "Bearer a.b.c", http.StatusSeeOther, "/sign-in"}, // malformed, for which no issuer is asked
		{"GET", "/", "Basic YTpi", http.StatusSeeOther, "/sign-in"},
		{"GET", "/", "Bearer e30.e30.c2ln", http.StatusServiceUnavailable, ""},
		{"GET", "/sign-in", "", http.StatusBadGateway, ""},
		{"GET", "/sign-in/callback?code=x&state=y", "", http.StatusBadRequest, ""},
		{"POST", "/sign-out", "", http.StatusOK, ""},
	} {
		r := httptest.NewRequest(row.method, row.path, nil)
		r.Header.Set("Authorization", row.authorization)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != row.status || w.Header().Get("Location") != row.location || shown {
			t.Errorf("%s %s with %q: status %d to %q, shown %v", row.method, row.path, row.authorization, w.Code, w.Header().Get("Location"), shown)
		}
	}
	if strings.Contains(said.String(), "e30.e30") {
		t.Errorf("the log has a token:\n%s", &said)
	}
	if got := f.hosts(); len(got) != 1 || got[0] != "plumbline.example" {
		t.Errorf("hosts %v", got)
	}
}

func TestSignInFlags(t *testing.T) {
	want := identity.Expected{Issuer: "https://id.example", ClientID: "p"}
	for _, row := range []struct {
		flags signInFlags
		says  string // "": taken
	}{
		{signInFlags{}, ""},
		{signInFlags{site: "https://p.example", want: want}, ""},
		{signInFlags{site: "https://p.example"}, "are given together"},
		{signInFlags{want: want}, "are given together"},
		{signInFlags{want: identity.Expected{GroupsClaim: "roles"}}, "are given together"},
		{signInFlags{site: "http://p.example", want: want}, `--site "http://p.example"`},
		{signInFlags{site: "https://p.example/x", want: want}, `--site "https://p.example/x"`},
		{signInFlags{site: "https://p.example", want: identity.Expected{Issuer: "id.example", ClientID: "p"}}, `--oidc-issuer "id.example"`},
	} {
		err := row.flags.check()
		if (err == nil) != (row.says == "") || err != nil && !strings.Contains(err.Error(), row.says) {
			t.Errorf("%+v: %v, want %q", row.flags, err, row.says)
		}
	}
}
