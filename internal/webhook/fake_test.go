package webhook_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
)

// faulty answers requests by the next of its faults, then by the service
// behind it. A fault may do the work and lose the answer.
type faulty struct {
	mu      sync.Mutex
	service http.Handler
	faults  []func(http.ResponseWriter, *http.Request, http.Handler)
	calls   []string
}

func (f *faulty) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, r.Method+" "+r.URL.Path)
	if len(f.faults) > 0 {
		next := f.faults[0]
		f.faults = f.faults[1:]
		if next != nil {
			next(w, r, f.service)
			return
		}
	}
	f.service.ServeHTTP(w, r)
}

// called lists the calls so far.
func (f *faulty) called() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

// status answers with a status, headers as pairs, and a body.
func status(code int, body string, headers ...string) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
		fmt.Fprint(w, body)
	}
}

// lostAnswer does what is asked and breaks the connection.
func lostAnswer(_ http.ResponseWriter, r *http.Request, service http.Handler) {
	service.ServeHTTP(httptest.NewRecorder(), r)
	panic(http.ErrAbortHandler)
}
