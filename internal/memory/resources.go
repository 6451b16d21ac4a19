package memory

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	"plumbline/remedy/live"
)

// Resources are live resources in memory that keep Cloud Control's documented
// contract: an update is asynchronous and one at a time for a resource, its
// client token is remembered, a patch is applied whole or not at all, and a type
// or a property may refuse to be changed. The zero value is empty. Safe for
// concurrent use.
type Resources struct {
	// Delay is how often an update that goes on is still pending when it is asked
	// for; 0: it is done at once.
	Delay int
	// Refuse says why an update is not made; nil, or "": it is. Code is a handler's
	// error code, such as NotUpdatable.
	Refuse func(typ, identifier string) (code, message string)
	// Half makes an update fail after the first so many operations that change
	// something; 0: none fails. Real handlers call several APIs in turn.
	Half int
	// Changed is told of each model that an update has changed; may be nil.
	Changed func(typ, identifier string)

	mu       sync.Mutex
	models   map[string][]byte
	requests map[string]*request // by client token
	running  map[string]*request // by resource
	log      []string
}

type request struct {
	id, key, patch string
	left           int
	state          live.State
	code, message  string
}

// Put makes a resource, or gives it another model, as its owner would.
func (r *Resources) Put(typ, identifier string, model []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.models == nil {
		r.models, r.requests, r.running = map[string][]byte{}, map[string]*request{}, map[string]*request{}
	}
	r.models[typ+"\x00"+identifier] = model
}

// Delete takes a resource away.
func (r *Resources) Delete(typ, identifier string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.models, typ+"\x00"+identifier)
}

// Updates are the updates that were made, in order: one line each.
func (r *Resources) Updates() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.log...)
}

// Get is live.Resources'.
func (r *Resources) Get(ctx context.Context, typ, identifier string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	model, ok := r.models[typ+"\x00"+identifier]
	if !ok {
		return nil, fmt.Errorf("%s %q: %w", typ, identifier, live.ErrGone)
	}
	return bytes.Clone(model), nil
}

// Busy is live.Resources'.
func (r *Resources) Busy(_ context.Context, typ, identifier string) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	q := r.running[typ+"\x00"+identifier]
	if q != nil {
		r.step(q) // time passes
	}
	return q != nil && q.state == live.Pending, nil
}

// Update is live.Resources'.
func (r *Resources) Update(ctx context.Context, typ, identifier string, patch []byte, token string) (live.Progress, error) {
	if err := ctx.Err(); err != nil {
		return live.Progress{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	key := typ + "\x00" + identifier
	q := r.requests[token]
	switch {
	case q != nil && (q.key != key || q.patch != string(patch)):
		return live.Progress{}, &live.Refused{Code: "ClientTokenConflict", Message: "the token was used for another request"}
	case q != nil:
		r.step(q)
		return q.progress(), nil
	case r.models[key] == nil:
		return live.Progress{}, fmt.Errorf("%s %q: %w", typ, identifier, live.ErrGone)
	case r.running[key] != nil && r.running[key].state == live.Pending:
		return live.Progress{}, fmt.Errorf("%s %q: %w", typ, identifier, live.ErrBusy)
	}
	q = &request{id: fmt.Sprintf("request-%d", len(r.requests)+1), key: key, patch: string(patch), left: r.Delay, state: live.Pending}
	if r.Refuse != nil {
		if code, message := r.Refuse(typ, identifier); code != "" {
			q.state, q.code, q.message = live.Failed, code, message
		}
	}
	r.requests[token], r.running[key] = q, q
	r.step(q)
	return q.progress(), nil
}

func (q *request) progress() live.Progress {
	return live.Progress{Request: q.id, State: q.state, Code: q.code, Message: q.message}
}

// step lets a request come nearer to its end.
func (r *Resources) step(q *request) {
	if q.state != live.Pending {
		return
	}
	if q.left > 0 {
		q.left--
		return
	}
	after, err := live.Patch(r.models[q.key], []byte(q.patch), r.Half)
	switch {
	case err != nil:
		q.state, q.code, q.message = live.Failed, "InvalidRequest", err.Error()
		return
	case r.Half > 0:
		q.state, q.code, q.message = live.Failed, "GeneralServiceException", "the handler failed half way"
	default:
		q.state = live.Succeeded
	}
	if !bytes.Equal(after, r.models[q.key]) {
		r.models[q.key] = after
		r.log = append(r.log, q.id+" "+q.patch)
		if r.Changed != nil {
			typ, identifier, _ := bytes.Cut([]byte(q.key), []byte{0})
			r.Changed(string(typ), string(identifier))
		}
	}
}

// Leases give keys to owners, in memory. The zero value is empty. Safe for
// concurrent use.
type Leases struct {
	mu   sync.Mutex
	held map[string]lease
	stop *live.Stop
}

type lease struct {
	owner string
	until time.Time
}

// Take is live.Leases'.
func (l *Leases) Take(_ context.Context, key, owner string, now, until time.Time) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if x, ok := l.held[key]; ok && x.owner != owner && now.Before(x.until) {
		return x.owner, nil
	}
	if l.held == nil {
		l.held = map[string]lease{}
	}
	l.held[key] = lease{owner, until}
	return owner, nil
}

// Drop is live.Leases'.
func (l *Leases) Drop(_ context.Context, key, owner string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held[key].owner == owner {
		delete(l.held, key)
	}
	return nil
}

// Stopped is live.Switch's.
func (l *Leases) Stopped(ctx context.Context) (*live.Stop, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stop == nil {
		return nil, ctx.Err()
	}
	s := *l.stop
	return &s, ctx.Err()
}

// Stop is live.Brake's.
func (l *Leases) Stop(_ context.Context, s live.Stop) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stop == nil {
		l.stop = &s
	}
	return nil
}

// Resume is live.Brake's.
func (l *Leases) Resume(context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stop = nil
	return nil
}
