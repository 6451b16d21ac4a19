package console

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
)

// policy is the content security policy of each page: everything is a file of
// this server, nothing is inline, and nobody may frame it.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// picturePolicy is that of a picture, which has styles of its own and nothing that acts.
const picturePolicy = "default-src 'none'; style-src 'unsafe-inline'; sandbox"

// guard lets through only what a person's browser asks this server for by its
// own name. A page of another site can be made to reach a server on this
// machine: by a form or a script, which the check of origins refuses, or by a
// name of its own that leads to 127.0.0.1, which the check of hosts does.
func (s *Server) guard(next http.Handler) http.Handler {
	next = http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		h.Set("Cache-Control", "private, no-cache")
		if !s.mayBeFor(r.Host) {
			http.Error(w, fmt.Sprintf("this console is not served as %q. open it by the address that plumbline serve printed", r.Host), http.StatusMisdirectedRequest)
			return
		}
		defer func() {
			if cause := recover(); cause != nil && cause != http.ErrAbortHandler { //nolint:errorlint // the very value, as net/http compares it
				s.logf("%s %s: %v\n%s", r.Method, r.URL.Path, cause, debug.Stack())
				http.Error(w, "the page could not be made; the log of plumbline serve says why", http.StatusInternalServerError)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// mayBeFor reports whether a Host header names this server: one of Hosts, or,
// where those are not given, this machine.
func (s *Server) mayBeFor(host string) bool {
	name := host
	if h, port, err := net.SplitHostPort(host); err == nil {
		if strings.Trim(port, "0123456789") != "" {
			return false
		}
		name = h
	} else {
		name = strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	}
	if len(s.o.Hosts) > 0 {
		return slices.ContainsFunc(s.o.Hosts, func(h string) bool { return strings.EqualFold(h, name) })
	}
	if strings.EqualFold(name, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(name)
	return err == nil && ip.IsLoopback()
}
