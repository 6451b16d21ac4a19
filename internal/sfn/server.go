package sfn

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"plumbline/asl"
	"plumbline/asl/engine"
	"plumbline/asl/value"
)

// Config is a server's surroundings. The zero value: real time, nothing mocked,
// nothing kept, and a task that no mock answers fails its execution.
type Config struct {
	Tasks   engine.Invoker // what answers where no mock does; nil: nothing
	Mocks   *Mocks         // nil: none
	Objects engine.Objects // for ItemReader and ResultWriter; nil: memory, with the mock file's S3Objects

	Virtual bool   // time jumps as soon as nothing is in flight
	Seed    uint64 // see engine.Options; 0: random

	// Region and Account stand in ARNs; "" is us-east-1 and 123456789012.
	Region, Account string

	Journal engine.Journal // nil: executions end with the process
	Store   Store          // nil: state machines and activities end with the process

	Log *log.Logger // of what should not happen: a handler's panic, a Store that fails; nil: none
}

// patience is how long virtual time stands still for who answers a token: a
// client that polls and answers needs a few milliseconds, and a test that waits
// for a time-out should not notice.
const patience = 150 * time.Millisecond

// goSDKPause is how long an answer to AWS's SDK for Go waits. The SDK closes its
// request as soon as an answer begins, and smithy-go 1.28 then fails the write that
// net/http may still be ending, which takes the connection with it in the middle
// of the answer. No server on a network is quick enough for that.
const goSDKPause = time.Millisecond

// Server is the API. It is an http.Handler, safe for concurrent use. Make one by New.
type Server struct {
	config Config
	engine *engine.Engine
	tasks  *tasks
	clock  func() time.Time

	starts atomic.Uint64

	mu         sync.RWMutex
	machines   map[string]*machine // by ARN
	activities map[string]*activity
	revisions  map[*asl.Definition]*revision // of executions that may be asked for
}

// New returns a server with what its Store has. The error is the Store's, or
// says which record of it cannot be used.
func New(c Config) (*Server, error) {
	if c.Region == "" {
		c.Region = "us-east-1"
	}
	if c.Account == "" {
		c.Account = "123456789012"
	}
	s := &Server{config: c, clock: time.Now, machines: map[string]*machine{}, activities: map[string]*activity{}, revisions: map[*asl.Definition]*revision{}}
	s.tasks = &tasks{server: s, mocks: c.Mocks, base: c.Tasks}
	o := engine.Options{
		Tasks: s.tasks, Find: s.tasks.find, Objects: c.Objects, History: true, Journal: c.Journal,
		Seed: c.Seed, Ordered: c.Mocks != nil, Region: c.Region, Account: c.Account,
	}
	if o.Objects == nil {
		o.Objects = c.Mocks.objects()
	}
	if c.Virtual {
		clock := engine.NewVirtualClock(time.Now().Truncate(time.Millisecond))
		o.Clock, o.Patience, s.clock = clock, patience, clock.Now
	}
	s.engine = engine.New(o)
	if err := s.load(); err != nil {
		return nil, err
	}
	return s, nil
}

// Engine is what runs the server's executions, for who hands in what answers
// tokens by itself.
func (s *Server) Engine() *engine.Engine { return s.engine }

const target = "AWSStepFunctions."

// ServeHTTP answers one call.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("x-amzn-RequestId", requestID())
	defer func() {
		if p := recover(); p != nil {
			s.logf("%s: %v\n%s", r.Header.Get("X-Amz-Target"), p, debug.Stack())
			refuse(w, http.StatusInternalServerError, faultf("InternalFailure", "the server has a fault: %v. its log has more", p))
		}
	}()
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, "plumbline sfn: the AWS Step Functions API. see \"plumbline sfn --help\"\n") // who left early does not read it
		return
	}
	action, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), target)
	call := actions[action]
	if !ok || call == nil {
		refuse(w, http.StatusBadRequest, faultf("UnknownOperationException", "%s", unknownAction(r.Header.Get("X-Amz-Target"))))
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		if errors.As(err, new(*http.MaxBytesError)) {
			refuse(w, http.StatusRequestEntityTooLarge, faultf("RequestEntityTooLargeException", "the request is larger than %d bytes", maxRequest))
			return
		}
		refuse(w, http.StatusBadRequest, faultf("SerializationException", "read the request: %v", err))
		return
	}
	out, err := call(s, r.Context(), body)
	if strings.Contains(r.UserAgent(), "aws-sdk-go-v2") {
		time.Sleep(goSDKPause)
	}
	if err != nil {
		var f *fault
		if !errors.As(err, &f) {
			f = faultf("ValidationException", "%v", err)
		}
		status := http.StatusBadRequest
		if f.name == unavailable {
			status = http.StatusServiceUnavailable
		}
		refuse(w, status, f)
		return
	}
	write(w, http.StatusOK, out)
}

func refuse(w http.ResponseWriter, status int, f *fault) {
	out := value.AppendString([]byte(`{"__type":`), f.name)
	out = value.AppendString(append(out, `,"message":`...), f.message)
	w.Header().Set("x-amzn-ErrorType", f.name)
	write(w, status, append(out, '}'))
}

func write(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/x-amz-json-1.0")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // who left early does not read it
}

func (s *Server) logf(format string, args ...any) {
	if s.config.Log != nil {
		s.config.Log.Printf(format, args...)
	}
}

// requestID is a random UUID.
func requestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	var t [36]byte
	hex.Encode(t[0:], b[:4])
	hex.Encode(t[9:], b[4:6])
	hex.Encode(t[14:], b[6:8])
	hex.Encode(t[19:], b[8:10])
	hex.Encode(t[24:], b[10:])
	t[8], t[13], t[18], t[23] = '-', '-', '-', '-'
	return string(t[:])
}

// handler is what one action does: from the request's JSON to the answer's.
type handler func(s *Server, ctx context.Context, body []byte) ([]byte, error)

// decode reads a request, and hands it to f.
func decode[T any](f func(*Server, context.Context, *T) ([]byte, error)) handler {
	return func(s *Server, ctx context.Context, body []byte) ([]byte, error) {
		in := new(T)
		if len(body) > 0 {
			if err := json.Unmarshal(body, in); err != nil {
				return nil, unreadable(err)
			}
		}
		return f(s, ctx, in)
	}
}

func unreadable(err error) error {
	var t *json.UnmarshalTypeError
	if errors.As(err, &t) {
		return faultf("SerializationException", "%s of the request's %s cannot be read as %s", strings.ToUpper(t.Value), t.Field, t.Type)
	}
	return faultf("SerializationException", "the request is not JSON: %v", err)
}
