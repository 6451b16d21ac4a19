package function

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// outcome is how a call has ended.
type outcome struct {
	payload []byte
	failed  bool
	untaken bool // the process ended before it took the call, having done others
}

// invocation is one call on its way through a process.
type invocation struct {
	id       string
	payload  []byte
	deadline time.Time
	done     chan outcome // holds one
}

// instance is one process of a function, and the runtime API that it talks to.
type instance struct {
	function *function
	arn      string
	cmd      *exec.Cmd
	api      *http.Server
	next     chan *invocation
	exited   chan struct{} // closed when the process has ended, with why in exit
	exit     error
	used     bool // it has taken a call; one call at a time looks here

	mu       sync.Mutex
	current  *invocation
	initFail *outcome // what the process said of why it could not begin
}

// start starts a process. What goes wrong with that the call hears of.
func (f *Functions) start(n *function) *instance {
	p := &instance{function: n, next: make(chan *invocation), exited: make(chan struct{})}
	p.arn = "arn:aws:lambda:" + f.options.Region + ":" + f.options.Account + ":function:" + n.name
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		p.fail("Runtime.ExitError", "the server is ending")
		close(p.exited)
		return p
	}
	f.live[p] = true
	if err := p.begin(f); err != nil {
		p.fail("Runtime.InvalidEntrypoint", err.Error())
		close(p.exited)
	}
	return p
}

func (p *instance) begin(f *Functions) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it is at once
	if err != nil {
		return err
	}
	p.api = &http.Server{Handler: p.routes(), ReadHeaderTimeout: time.Minute}
	p.cmd = exec.Command(p.function.path) //nolint:gosec,noctx // the program is the user's own, and lives on over calls
	p.cmd.Dir = filepath.Dir(p.function.path)
	p.cmd.Env = append(f.options.Environ[:len(f.options.Environ):len(f.options.Environ)], p.environ(f, listener.Addr().String())...)
	out := f.log.prefixed(p.function.name)
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.WaitDelay = time.Second
	if err := p.cmd.Start(); err != nil {
		return errors.Join(err, listener.Close())
	}
	go func() { _ = p.api.Serve(listener) }() // until it is closed
	go func() {
		p.exit = p.cmd.Wait()
		_ = p.api.Close() // nobody is left to talk to
		out.flush()
		close(p.exited)
	}()
	return nil
}

// environ is what Lambda sets. Source: Lambda developer guide, "Defined runtime
// environment variables".
func (p *instance) environ(f *Functions, api string) []string {
	name := p.function.name
	return []string{
		"AWS_LAMBDA_RUNTIME_API=" + api,
		"AWS_LAMBDA_FUNCTION_NAME=" + name,
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=1024",
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/" + name,
		"AWS_LAMBDA_LOG_STREAM_NAME=plumbline",
		"AWS_EXECUTION_ENV=AWS_Lambda_provided.al2023",
		"AWS_REGION=" + f.options.Region,
		"AWS_DEFAULT_REGION=" + f.options.Region,
		"LAMBDA_TASK_ROOT=" + p.cmd.Dir,
		"LAMBDA_RUNTIME_DIR=" + p.cmd.Dir,
		"_HANDLER=" + bootstrap,
		"TZ=:UTC",
	}
}

// run has the process do one call. A process that fails to answer is over.
func (p *instance) run(v *invocation, timeout time.Duration) outcome {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	v.deadline = time.Now().Add(timeout)
	late := func() outcome {
		p.end()
		return failure("Sandbox.Timedout", fmt.Sprintf("RequestId: %s Error: Task timed out after %.2f seconds", v.id, timeout.Seconds()))
	}
	select {
	case p.next <- v:
		p.used = true
	case <-p.exited:
		if p.used {
			return outcome{untaken: true}
		}
		return p.ended(v)
	case <-timer.C:
		return late()
	}
	select {
	case o := <-v.done:
		return o
	case <-p.exited:
		select {
		case o := <-v.done: // it has answered before it ended
			return o
		default:
			return p.ended(v)
		}
	case <-timer.C:
		return late()
	}
}

// ended is the outcome of a call whose process has ended.
func (p *instance) ended(v *invocation) outcome {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.initFail != nil {
		return *p.initFail
	}
	why := "without providing a reason"
	if p.exit != nil {
		why = "with error: " + p.exit.Error()
	}
	return failure("Runtime.ExitError", "RequestId: "+v.id+" Error: Runtime exited "+why)
}

func failure(name, message string) outcome {
	b, _ := json.Marshal(struct { // of strings, which never fails
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}{name, message})
	return outcome{payload: b, failed: true}
}

func (p *instance) fail(name, message string) {
	o := failure(name, message)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.initFail = &o
}

// end kills the process and waits until it is gone.
func (p *instance) end() {
	if p.cmd != nil && p.cmd.Process != nil {
		_ = p.cmd.Process.Kill() // it may be gone already
	}
	<-p.exited
}

func (p *instance) isOver() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// maxResponse is Lambda's limit of a response, in bytes. Source: Lambda quotas,
// "Invocation payload".
const maxResponse = 6 << 20

const apiVersion = "/2018-06-01/runtime"

// routes is the runtime API. Source: Lambda developer guide, "Using the Lambda
// runtime API for custom runtimes".
func (p *instance) routes() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET "+apiVersion+"/invocation/next", p.serveNext)
	m.HandleFunc("POST "+apiVersion+"/invocation/{id}/response", p.serveOutcome(false))
	m.HandleFunc("POST "+apiVersion+"/invocation/{id}/error", p.serveOutcome(true))
	m.HandleFunc("POST "+apiVersion+"/init/error", func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(io.LimitReader(r.Body, maxResponse))
		if err != nil || !json.Valid(b) {
			b = failure("Runtime.Unknown", "the function failed to begin and did not say why").payload
		}
		p.mu.Lock()
		p.initFail = &outcome{payload: b, failed: true}
		p.mu.Unlock()
		accept(w)
	})
	return m
}

func accept(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"OK"}`) // who left does not read it
}

// serveNext gives the process its next call, as soon as there is one.
func (p *instance) serveNext(w http.ResponseWriter, r *http.Request) {
	select {
	case v := <-p.next:
		p.mu.Lock()
		p.current = v
		p.mu.Unlock()
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Lambda-Runtime-Aws-Request-Id", v.id)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(v.deadline.UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", p.arn)
		h.Set("Lambda-Runtime-Trace-Id", "Root=1-"+strings.Repeat("0", 8)+"-"+strings.Repeat("0", 24)+";Sampled=0")
		_, _ = w.Write(v.payload)
	case <-r.Context().Done():
	case <-p.exited:
	}
}

// serveOutcome takes what a call has come to.
func (p *instance) serveOutcome(failed bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		v := p.current
		if v != nil && v.id == r.PathValue("id") {
			p.current = nil
		} else {
			v = nil
		}
		p.mu.Unlock()
		if v == nil {
			refuse(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
			return
		}
		b, err := io.ReadAll(io.LimitReader(r.Body, maxResponse+1))
		switch {
		case err != nil:
			v.done <- failure("Runtime.TruncatedResponse", "the response of the function ended early: "+err.Error())
			return
		case len(b) > maxResponse:
			v.done <- failure("Function.ResponseSizeTooLarge", fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", maxResponse))
			refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "Exceeded maximum allowed payload size")
			return
		}
		accept(w)
		v.done <- outcome{payload: b, failed: failed}
	}
}

func refuse(w http.ResponseWriter, status int, name, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(failure(name, message).payload) // who left does not read it
}
