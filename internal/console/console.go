// Package console shows a data folder in a browser: an overview, the findings
// with their history and plans, approvals, executions and rules. Pages are made
// on the server and need no script; they change nothing, but for the approval
// pages, which are handed over.
package console

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"sync"
	"time"

	"plumbline/finding"
	"plumbline/internal/local"
	"plumbline/internal/report"
	"plumbline/ruleset"
)

// Options is what a console shows. Data, Rules and Describe are required.
type Options struct {
	Data     *local.Reader
	Rules    *ruleset.Set
	Describe func(rule string) *report.Rule // nil for one that is not known
	// Frameworks are those to show what is open of, in their order.
	Frameworks []report.Framework
	// Due is when a violation should be settled by the policy; zero for no term.
	Due func(finding.Severity, time.Time) time.Time
	// Approvals returns what serves /approvals and all below it: nil as long as no
	// change was planned in the folder. It may be nil itself.
	Approvals func() http.Handler
	// Hosts are the names, without port, that requests may be for. Empty: those of
	// this machine alone, so that no foreign name can be made to lead here.
	Hosts   []string
	Version string
	Log     *log.Logger      // nil: nothing is logged
	Now     func() time.Time // nil: time.Now
}

// Server is the console, an http.Handler. It is safe for concurrent use.
type Server struct {
	o       Options
	handler http.Handler
	views   *views
	asked   *questions
	titles  map[string]string

	mu      sync.Mutex
	current *board
	loading chan struct{} // closed when the board that is being read is there; nil: none is
	failed  error         // why the last one could not be read
}

// New makes a console, which reads the data when it is first asked for a page.
func New(o Options) (*Server, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	v, err := newViews()
	if err != nil {
		return nil, err
	}
	s := &Server{o: o, views: v, asked: newQuestions(o.Frameworks), titles: map[string]string{}}
	s.handler = s.guard(s.routes())
	return s, nil
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

func (s *Server) routes() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /{$}", s.page(s.overview))
	m.HandleFunc("GET /findings", s.page(s.findings))
	m.HandleFunc("GET /findings/{key}", s.page(s.finding))
	m.HandleFunc("GET /rules", s.page(s.rules))
	m.HandleFunc("GET /rules/{id}", s.page(s.rule))
	m.HandleFunc("GET /frameworks/{id}", s.page(s.framework))
	m.HandleFunc("GET /executions", s.page(s.executions))
	m.HandleFunc("GET /executions/{id}", s.page(s.execution))
	m.HandleFunc("GET /executions/{id}/graph.svg", s.graph)
	m.HandleFunc("GET /charts/trend.svg", s.trendChart)
	m.HandleFunc("GET /static/{file}", s.static)
	m.HandleFunc("/approvals", s.approvals)
	m.HandleFunc("/approvals/", s.approvals)
	m.HandleFunc("/", s.page(func(*http.Request, *board) (*view, error) { return nil, notFound("There is no such page.") }))
	return m
}

// approvals hands over to the approval pages, or says that nothing waits.
func (s *Server) approvals(w http.ResponseWriter, r *http.Request) {
	if s.o.Approvals != nil {
		if h := s.o.Approvals(); h != nil {
			h.ServeHTTP(w, r)
			return
		}
	}
	s.page(func(*http.Request, *board) (*view, error) {
		if r.URL.Path != "/approvals" || r.Method != http.MethodGet && r.Method != http.MethodHead {
			return nil, notFound("There is no such request for approval.")
		}
		return &view{name: "approvals", Title: "Approvals"}, nil
	})(w, r)
}

// patience is how long a page waits for findings that have changed before it
// shows those that it has, and says so.
const patience = 30 * time.Millisecond

// board returns the findings. What a scan has just kept is read once, whoever
// asks first; stale says that it is being read and that this is what was there before.
func (s *Server) board(ctx context.Context) (b *board, stale bool, err error) {
	changed, err := s.o.Data.Changed(ctx)
	if err != nil {
		return nil, false, err
	}
	s.mu.Lock()
	if s.current != nil && s.current.changed == changed {
		defer s.mu.Unlock()
		return s.current, false, nil
	}
	if s.loading == nil {
		s.loading = make(chan struct{})
		go s.load(changed)
	}
	loading, before := s.loading, s.current
	s.mu.Unlock()
	var enough <-chan time.Time
	if before != nil {
		t := time.NewTimer(patience)
		defer t.Stop()
		enough = t.C
	}
	select {
	case <-loading:
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.current == nil {
			return nil, false, s.failed
		}
		return s.current, s.failed != nil, nil
	case <-enough:
		return before, true, nil
	case <-ctx.Done():
		return nil, false, ctx.Err()
	}
}

// load reads the findings. A scan that commits meanwhile moves the number once
// more, and the next page reads again.
func (s *Server) load(changed int64) {
	b, err := newBoard(s.o.Data.Records(context.Background()), s.title)
	if err == nil {
		b.changed = changed
		// What most pages need, before the first asks for it.
		_ = b.orders[mostSevere]()
		b.summarize.Do(func() { s.summarize(b) })
		_, err = s.terms(b)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed = err; err == nil {
		s.current = b
	} else {
		s.logf("read the findings: %v", err)
	}
	close(s.loading)
	s.loading = nil
}

// Warm reads the findings, so that the first page need not wait. The error says
// why they cannot be read.
func (s *Server) Warm(ctx context.Context) error {
	_, _, err := s.board(ctx)
	return err
}

// title is a rule's title, its id where it is not known. It is called by load alone.
func (s *Server) title(id string) string {
	t, ok := s.titles[id]
	if !ok {
		t = id
		if r := s.o.Describe(id); r != nil {
			t = r.Title
		}
		s.titles[id] = t
	}
	return t
}

func (s *Server) logf(format string, args ...any) {
	if s.o.Log != nil {
		s.o.Log.Printf(format, args...)
	}
}

// problem is an error that a page tells in words, with its status.
type problem struct {
	status int
	words  string
}

func (p *problem) Error() string { return p.words }

func notFound(format string, args ...any) error {
	return &problem{http.StatusNotFound, fmt.Sprintf(format, args...)}
}

// page makes a handler of what fills a page. The board is the same for all of it.
func (s *Server) page(fill func(*http.Request, *board) (*view, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		b, stale, err := s.board(r.Context())
		var v *view
		if err == nil {
			v, err = fill(r, b)
		}
		status := http.StatusOK
		if err != nil {
			var p *problem
			switch {
			case r.Context().Err() != nil:
				return // nobody waits for it
			case errors.As(err, &p):
				status = p.status
			default:
				s.logf("%s: %v", r.URL.Path, err)
				status, p = http.StatusServiceUnavailable, &problem{words: err.Error()}
			}
			v = &view{name: "problem", Title: http.StatusText(status), Data: p.words}
		}
		v.Path, v.Version, v.Folder, v.Stale = r.URL.Path, s.o.Version, s.o.Data.Dir(), stale
		if b != nil {
			v.AsOf = b.newest
		}
		if err := s.views.write(w, r, status, v); err != nil {
			s.logf("%s: %v", r.URL.Path, err)
			http.Error(w, "the page could not be made; the log of plumbline serve says why", http.StatusInternalServerError)
		}
	}
}
