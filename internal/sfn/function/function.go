// Package function runs Lambda functions on this machine: programs that speak
// the Lambda runtime API, as those in provided.al2023 do, each in processes of its
// own that are started when they are needed and used again.
package function

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options are the surroundings of functions. The zero value runs them with no
// variables but Lambda's own.
type Options struct {
	Environ []string      // of the processes, beside what Lambda sets
	Region  string        // "" is us-east-1
	Account string        // "" is 123456789012
	Timeout time.Duration // of a call; 0 is Lambda's longest, 15 minutes
	Most    int           // processes of one function at once; 0 is 10
	Log     io.Writer     // gets what functions write to stdout and stderr, by lines; nil: nothing does
}

// maxTimeout is Lambda's longest. Source: Lambda quotas, "Function timeout".
const maxTimeout = 15 * time.Minute

// Functions are functions by name. It is safe for concurrent use.
type Functions struct {
	options Options
	log     *lineLog

	mu     sync.Mutex
	byName map[string]*function // by folded name
	live   map[*instance]bool
	closed bool
}

// function is one program, and its processes.
type function struct {
	name, path string
	slots      chan struct{} // one for each process that may still be started
	idle       chan *instance
}

// New returns no functions yet: Add and AddFolder have them.
func New(o Options) *Functions {
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	if o.Account == "" {
		o.Account = "123456789012"
	}
	if o.Timeout == 0 {
		o.Timeout = maxTimeout
	}
	if o.Most == 0 {
		o.Most = 10
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	return &Functions{options: o, log: &lineLog{to: o.Log}, byName: map[string]*function{}, live: map[*instance]bool{}}
}

// fold makes one of the ways to write a name: folders of Go packages have no
// capitals, and names in workflows do.
func fold(name string) string {
	return strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(name))
}

// Add has the program at path be the function of this name. The error says that
// there is none, or another function of that name.
func (f *Functions) Add(name, path string) error {
	if name == "" {
		return fmt.Errorf("the function of %q has no name. write NAME=PATH", path)
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("function %s: %w", name, err)
	}
	if info.IsDir() {
		path = filepath.Join(path, bootstrap)
		if info, err = os.Stat(path); err != nil {
			return fmt.Errorf("function %s: the folder has no program called bootstrap: %w", name, err)
		}
	}
	if info.Mode()&0o111 == 0 {
		return fmt.Errorf("function %s: %q is no program: it may not be executed", name, path)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("function %s: %w", name, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if old := f.byName[fold(name)]; old != nil {
		return fmt.Errorf("function %s: there is %s at %q already. give one of them another name", name, old.name, old.path)
	}
	n := &function{name: name, path: abs, slots: make(chan struct{}, f.options.Most), idle: make(chan *instance, f.options.Most)}
	for range f.options.Most {
		n.slots <- struct{}{}
	}
	f.byName[fold(name)] = n
	return nil
}

const bootstrap = "bootstrap"

// AddFolder adds every folder in dir that has a program called bootstrap, by the
// folder's name. The error says that there is none.
func (f *Functions) AddFolder(dir string) error {
	found, err := filepath.Glob(filepath.Join(dir, "*", bootstrap))
	if err != nil {
		return fmt.Errorf("functions of %q: %w", dir, err)
	}
	if len(found) == 0 {
		return fmt.Errorf("%q has no folder with a program called bootstrap. build the functions, or give NAME=PATH", dir)
	}
	for _, path := range found {
		if err := f.Add(filepath.Base(filepath.Dir(path)), path); err != nil {
			return err
		}
	}
	return nil
}

func (f *Functions) find(name string) *function {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.byName[fold(name)]
}

// Has reports whether there is a function of this name.
func (f *Functions) Has(name string) bool { return f.find(name) != nil }

// Names are the names of all, sorted.
func (f *Functions) Names() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := make([]string, 0, len(f.byName))
	for _, n := range f.byName {
		list = append(list, n.name)
	}
	slices.Sort(list)
	return list
}

// Call runs a function. failed says that out is the payload of an error: the
// function's own, or Lambda's where its process ended or took too long. When ctx
// ends Call returns its error, and the function goes on, as on AWS. The error may
// also say that there is no such function.
func (f *Functions) Call(ctx context.Context, name, requestID string, payload []byte) (out []byte, failed bool, err error) {
	n := f.find(name)
	if n == nil {
		return nil, false, fmt.Errorf("there is no function %s", name)
	}
	for {
		p, err := f.acquire(ctx, n)
		if err != nil {
			return nil, false, err
		}
		v := &invocation{id: requestID, payload: payload, done: make(chan outcome, 1)}
		finished := make(chan outcome, 1)
		go func() { // it outlives ctx, for the process to be used again
			o := p.run(v, f.options.Timeout)
			f.release(n, p)
			finished <- o
		}()
		select {
		case o := <-finished:
			if o.untaken { // by a process that ended on its own after an earlier call
				continue
			}
			return o.payload, o.failed, nil
		case <-ctx.Done():
			return nil, false, ctx.Err()
		}
	}
}

// acquire is a process that has nothing to do: one that there is, or else a new one.
func (f *Functions) acquire(ctx context.Context, n *function) (*instance, error) {
	for {
		select {
		case p := <-n.idle:
			if !p.isOver() {
				return p, nil
			}
			f.drop(n, p)
			continue
		default:
		}
		select {
		case p := <-n.idle:
			if !p.isOver() {
				return p, nil
			}
			f.drop(n, p)
		case <-n.slots:
			return f.start(n), nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// release gives a process back.
func (f *Functions) release(n *function, p *instance) {
	if p.isOver() {
		f.drop(n, p)
		return
	}
	n.idle <- p
}

// drop forgets a process that has ended: another may be started.
func (f *Functions) drop(n *function, p *instance) {
	f.mu.Lock()
	delete(f.live, p)
	f.mu.Unlock()
	n.slots <- struct{}{}
}

// Close ends all processes, those too that are at a call, and starts no more.
func (f *Functions) Close() {
	f.mu.Lock()
	f.closed = true
	live := f.live
	f.live = map[*instance]bool{}
	f.mu.Unlock()
	for p := range live {
		p.end()
	}
}
