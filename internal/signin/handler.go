package signin

import (
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"golang.org/x/oauth2"

	"plumbline/approval/identity"
	"plumbline/internal/signin/session"
)

// CallbackPath is where the issuer sends browsers back to; it must know it as the
// redirect address.
const CallbackPath = session.InPath + "/callback"

// Config is what signing in works with.
type Config struct {
	Issuer   *Issuer
	Sessions identity.Sessions
	// Site is the address of this server as browsers know it, https://… without a
	// slash at its end: the issuer sends them back there.
	Site   string
	Scopes []string     // beside openid; nil: email and profile
	Log    *slog.Logger // nil: nothing is logged
}

// Handler answers session.InPath and what is below it, and session.OutPath. It is safe for
// concurrent use.
func Handler(c Config) http.Handler {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Scopes == nil {
		c.Scopes = []string{"email", "profile"}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+session.InPath, c.begin)
	mux.HandleFunc("GET "+CallbackPath, c.end)
	mux.HandleFunc("POST "+session.OutPath, c.out)
	cross := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer") // the address of the callback has a code
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cache-Control", "no-store")
		h.Set("Strict-Transport-Security", "max-age=31536000")
		if err := cross.Check(r); err != nil {
			http.Error(w, "This request comes from another site.", http.StatusForbidden)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

const flowCookie = "__Host-plumbline-sign-in"

// flow is what a browser keeps between session.InPath and CallbackPath.
type flow struct{ State, Nonce, Verifier string }

func (c *Config) oauth() (*oauth2.Config, error) {
	p, err := c.Issuer.discover()
	if err != nil {
		return nil, err
	}
	return &oauth2.Config{ClientID: c.Issuer.ClientID, Endpoint: p.Endpoint(), RedirectURL: c.Site + CallbackPath, Scopes: append([]string{"openid"}, c.Scopes...)}, nil
}

func (c *Config) begin(w http.ResponseWriter, r *http.Request) {
	o, err := c.oauth()
	if err != nil {
		c.Log.ErrorContext(r.Context(), "sign in", "error", err)
		http.Error(w, "The organisation's issuer of identities does not answer. Try again in a minute.", http.StatusBadGateway)
		return
	}
	f := flow{session.Secret(), session.Secret(), oauth2.GenerateVerifier()}
	src, err := json.Marshal(f)
	if err != nil { // three texts
		http.Error(w, "Something is wrong with signing in.", http.StatusInternalServerError)
		return
	}
	session.Set(w, flowCookie, base64.RawURLEncoding.EncodeToString(src), identity.Lifetime)
	http.Redirect(w, r, o.AuthCodeURL(f.State, oauth2.SetAuthURLParam("nonce", f.Nonce), oauth2.S256ChallengeOption(f.Verifier)), http.StatusSeeOther)
}

// flowOf reads what begin has left with the browser.
func flowOf(r *http.Request) (f flow, ok bool) {
	c, err := r.Cookie(flowCookie)
	if err != nil {
		return f, false
	}
	src, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil || json.Unmarshal(src, &f) != nil {
		return f, false
	}
	return f, f.State != "" && f.Nonce != "" && f.Verifier != ""
}

func (c *Config) end(w http.ResponseWriter, r *http.Request) {
	f, ok := flowOf(r)
	session.Set(w, flowCookie, "", 0) // it serves once
	q := r.URL.Query()
	switch {
	case !ok || subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(f.State)) != 1:
		http.Error(w, "You have not begun to sign in here, or it took too long. Open the page once more.", http.StatusBadRequest)
		return
	case q.Get("code") == "":
		http.Error(w, "The organisation's issuer of identities has not signed you in.", http.StatusForbidden)
		return
	}
	o, err := c.oauth()
	var token *oauth2.Token
	if err == nil {
		token, err = o.Exchange(c.Issuer.context(r.Context()), q.Get("code"), oauth2.VerifierOption(f.Verifier))
	}
	if err != nil {
		c.Log.ErrorContext(r.Context(), "sign in", "error", refusal(err))
		http.Error(w, "The organisation's issuer of identities does not take the code. Open the page once more.", http.StatusBadGateway)
		return
	}
	raw, _ := token.Extra("id_token").(string)
	person, err := c.Issuer.Verify(r.Context(), raw, f.Nonce)
	if err != nil {
		c.Log.WarnContext(r.Context(), "sign in", "error", err)
		http.Error(w, "The issuer's word on who you are is not taken here: see the log of this server for why.", http.StatusForbidden)
		return
	}
	value := session.Secret()
	if err := c.Sessions.Open(r.Context(), identity.Session{ID: identity.SessionID(value), Person: person, Expires: c.Issuer.now().Add(identity.Lifetime)}); err != nil {
		c.Log.ErrorContext(r.Context(), "keep a session", "error", err)
		http.Error(w, "Your session cannot be kept now. Try again in a minute.", http.StatusBadGateway)
		return
	}
	c.Log.InfoContext(r.Context(), "signed in", "by", person.Name)
	session.Set(w, session.Cookie, value, identity.Lifetime)
	http.Redirect(w, r, back(w, r), http.StatusSeeOther)
}

// refusal is what the issuer said of a code, without its answer's body, which
// may have a token.
func refusal(err error) string {
	var e *oauth2.RetrieveError
	if errors.As(err, &e) {
		return "the issuer refuses the code: " + e.ErrorCode
	}
	return err.Error()
}

// back is where the browser goes on: a path of this site, or session.Home.
func back(w http.ResponseWriter, r *http.Request) string {
	c, err := r.Cookie(session.ReturnCookie)
	if err != nil {
		return session.Home
	}
	session.Set(w, session.ReturnCookie, "", 0)
	odd := strings.ContainsFunc(c.Value, func(x rune) bool {
		return !strings.ContainsRune("/-_.", x) && (x < '0' || x > '9') && (x < 'A' || x > 'Z') && (x < 'a' || x > 'z')
	})
	if odd || !strings.HasPrefix(c.Value, "/") || strings.Contains(c.Value, "//") || strings.Contains(c.Value, "..") {
		return session.Home
	}
	return c.Value
}

func (c *Config) out(w http.ResponseWriter, r *http.Request) {
	if cookie, err := r.Cookie(session.Cookie); err == nil {
		if err := c.Sessions.Close(r.Context(), identity.SessionID(cookie.Value)); err != nil {
			c.Log.ErrorContext(r.Context(), "forget a session", "error", err)
		}
	}
	session.Set(w, session.Cookie, "", 0)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, "You are signed out of plumbline. At the organisation's issuer you may still be signed in.\n")
}
