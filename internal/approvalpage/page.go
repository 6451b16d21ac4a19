// Package approvalpage is the page on which people decide on planned changes,
// one for the browser and for programs: behind API Gateway, in the console of
// `plumbline serve`, or in a test. Who somebody is, it is told by whom it is
// mounted; that nobody decides who must not, the desk of package approval sees
// to. It shows everything that a decision rests on, works without scripts, and
// changes nothing but by POST.
package approvalpage

import (
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"plumbline/approval"
	"plumbline/approval/identity"
	"plumbline/blob"
	"plumbline/internal/signin/session"
)

// Path is where the page is mounted, with all that is below it.
const Path = session.Home

// maxBody bounds what is read of a request: a reason and a few short fields.
const maxBody = 16 << 10

// Visitor is who sends a request.
type Visitor = session.Visitor

// Link is one entry of a navigation.
type Link struct{ Name, Href string }

// Config is what a page works with.
type Config struct {
	Desk  *approval.Desk
	Plans blob.Store // of package remedy/change
	// Identify says who sends a request. session.ErrNone: nobody yet; any other error: it
	// cannot be told now.
	Identify func(*http.Request) (Visitor, error)
	SignIn   string           // path that signs people in and leads back; "": there is none
	SignOut  string           // path that takes a POST; "": there is none
	Nav      []Link           // of the console around it; may be empty
	Log      *slog.Logger     // nil: nothing is logged
	Now      func() time.Time // nil: time.Now
}

// page answers requests. Safe for concurrent use.
type page struct {
	Config
	cross *http.CrossOriginProtection
}

// Handler returns the page, which answers Path and what is below it. It is safe
// for concurrent use.
func Handler(c Config) http.Handler {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	p := &page{Config: c, cross: http.NewCrossOriginProtection()}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+Path, p.list)
	mux.HandleFunc("GET "+Path+"/{id}", p.show)
	mux.HandleFunc("POST "+Path+"/{id}", p.decide)
	mux.HandleFunc("GET "+Path+"/style.css", style)
	return p.guard(mux)
}

// headers are sent with every answer. Everything comes from this site, nothing
// is a script, and nobody may frame it. The referrer stays within the site: with
// "no-referrer" a browser would send the Origin "null" with its own forms.
var headers = map[string]string{
	"Content-Security-Policy":      "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
	"Referrer-Policy":              "same-origin",
	"X-Content-Type-Options":       "nosniff",
	"X-Frame-Options":              "DENY",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Permissions-Policy":           "camera=(), geolocation=(), microphone=()",
	"Cache-Control":                "no-store",
	"Strict-Transport-Security":    "max-age=31536000",
}

// guard sends the headers, refuses what comes from another site, bounds the
// body, and answers a panic, which costs one request.
func (p *page) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range headers {
			w.Header().Set(name, value)
		}
		defer func() {
			if x := recover(); x != nil {
				p.Log.ErrorContext(r.Context(), "the approval page panicked", "panic", x, "stack", string(debug.Stack()))
				p.refuse(w, r, Visitor{}, http.StatusInternalServerError, "Something is wrong with this page. Nothing was decided.")
			}
		}()
		if err := p.cross.Check(r); err != nil {
			p.refuse(w, r, Visitor{}, http.StatusForbidden, "This request comes from another site. Nothing was decided.")
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		next.ServeHTTP(w, r)
	})
}

// visitor tells who sends a request, or answers it: false.
func (p *page) visitor(w http.ResponseWriter, r *http.Request) (Visitor, bool) {
	v, err := p.Identify(r)
	switch {
	case err == nil && v.Name != "":
		return v, true
	case err != nil && !errors.Is(err, session.ErrNone):
		p.Log.ErrorContext(r.Context(), "who sends a request cannot be told", "error", err)
		p.refuse(w, r, Visitor{}, http.StatusServiceUnavailable, "Who you are cannot be told now. Nothing was decided. Try again in a minute.")
	case p.SignIn != "" && r.Method == http.MethodGet && !wantsJSON(r):
		// A cookie, so that no address but the request's own has the id.
		session.Set(w, session.ReturnCookie, r.URL.EscapedPath(), identity.Lifetime)
		http.Redirect(w, r, p.SignIn, http.StatusSeeOther)
	default:
		p.refuse(w, r, Visitor{}, http.StatusUnauthorized, "You are not signed in. Nothing was decided.")
	}
	return Visitor{}, false
}
