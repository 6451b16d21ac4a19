// Package service calls what tasks name: AWS services at the endpoints of the
// environment, as Step Functions Local does, and functions that run on this
// machine. Answers and errors have the form and the names that they have in a
// history on AWS.
package service

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"plumbline/asl/engine"
	"plumbline/asl/value"
	"plumbline/internal/nearest"
)

// Functions are Lambda functions on this machine.
type Functions interface {
	// Has reports whether there is a function of this name.
	Has(name string) bool
	// Call runs the function. failed says that out is an error's payload, as with
	// Lambda's X-Amz-Function-Error. requestID is the same for a call that is made
	// again after a restart. The error says that the function could not be run.
	Call(ctx context.Context, name, requestID string, payload []byte) (out []byte, failed bool, err error)
	// Names are the names of all.
	Names() []string
}

// Services is an engine.Invoker. It is safe for concurrent use.
type Services struct {
	env       func(string) string
	region    string
	functions Functions // nil: none
	client    *http.Client
	now       func() time.Time
	self      string // where this server is; "" where that is not known
}

var _ engine.Invoker = (*Services)(nil)

// New returns an invoker that finds endpoints and credentials by env, as
// os.Getenv. functions may be nil. region "" is us-east-1.
func New(env func(string) string, region string, functions Functions) *Services {
	if region == "" {
		region = "us-east-1"
	}
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:errcheck // it is one
	transport.MaxIdleConnsPerHost = 64                           // a Map's calls go to one host
	return &Services{env: env, region: region, functions: functions, client: &http.Client{Transport: transport}, now: time.Now}
}

// ServeAt says where the server is that calls are made for: aws-sdk:sfn goes there
// where the environment has no other. It is to be called before Invoke.
func (s *Services) ServeAt(url string) { s.self = url }

// Reaches reports whether the environment names another server for Step
// Functions, so that a state machine which is not here may be there.
func (s *Services) Reaches(resource string) bool {
	return strings.Contains(resource, "startExecution") && s.env(statesBackend.local)+s.env("AWS_ENDPOINT_URL_"+statesBackend.sdk) != ""
}

// integrations are the optimized ones, by what follows "arn:aws:states:::".
var integrations = map[string]func(*Services, *call) (any, error){
	"lambda:invoke":         (*Services).invokeFunction,
	"sqs:sendMessage":       (*Services).sendMessage,
	"sns:publish":           (*Services).publish,
	"dynamodb:getItem":      (*Services).item,
	"dynamodb:putItem":      (*Services).item,
	"dynamodb:updateItem":   (*Services).item,
	"dynamodb:deleteItem":   (*Services).item,
	"events:putEvents":      (*Services).putEvents,
	"states:startExecution": (*Services).startExecution,
}

// call is one call on its way.
type call struct {
	engine.Call
	ctx    context.Context //nolint:containedctx // it lives as long as the call
	input  *value.Object
	id     string // of the request
	action string
}

const callback = ".waitForTaskToken"

// Invoke makes the call.
func (s *Services) Invoke(ctx context.Context, c engine.Call) (json.RawMessage, error) {
	k := &call{Call: c, ctx: ctx, id: requestID(&c)}
	resource, ours := strings.CutPrefix(c.Resource, "arn:aws:states:::")
	if !ours {
		if functionName(c.Resource) == "" {
			return nil, s.unknown(c.Resource)
		}
		return s.bareFunction(k)
	}
	in, err := value.Decode(c.Input)
	if err != nil {
		return nil, runtime("the input of %s is not JSON: %v", c.Resource, err)
	}
	var isObject bool
	if k.input, isObject = in.(*value.Object); !isObject {
		return nil, runtime("The Parameters of '%s' are %s. give an object of what the service takes.", c.Resource, value.Kind(in))
	}
	resource = strings.TrimSuffix(resource, callback)
	if rest, sdk := strings.CutPrefix(resource, "aws-sdk:"); sdk {
		out, err := s.sdk(k, rest)
		return encode(out, err)
	}
	perform := integrations[resource]
	if perform == nil {
		return nil, s.unknown(c.Resource)
	}
	_, k.action, _ = strings.Cut(resource, ":")
	return encode(perform(s, k))
}

func encode(out any, err error) (json.RawMessage, error) {
	if err != nil {
		return nil, err
	}
	return value.Encode(out), nil
}

// runtime is the error of what no retry mends.
func runtime(format string, args ...any) *engine.Error {
	return &engine.Error{Name: engine.ErrRuntime, Cause: fmt.Sprintf(format, args...)}
}

// unknown is the error of a resource that names nothing that can be called.
func (s *Services) unknown(resource string) error {
	rest, ours := strings.CutPrefix(resource, "arn:aws:states:::")
	rest = strings.TrimSuffix(rest, callback)
	if base, sync := strings.CutSuffix(strings.TrimSuffix(rest, ":2"), ".sync"); ours && sync {
		if base == "states:startExecution" {
			return runtime("'%s' waits for an execution of another server, which plumbline sfn does not. create that state machine here, or mock the state.", resource)
		}
		return runtime("'%s' waits for a job of the service, which plumbline sfn does not. mock the state.", resource)
	}
	var known []string
	for name := range integrations {
		known = append(known, name)
	}
	slices.Sort(known)
	if near := nearest.Of(rest, known); near != "" {
		return runtime("There is no resource '%s'. did you mean 'arn:aws:states:::%s'?", resource, near)
	}
	return runtime("'%s' cannot be called here. There are the functions of Lambda, %s, and aws-sdk:<service>:<action>; mock the state to answer it otherwise.", resource, strings.Join(known, ", "))
}

// requestID is a UUID that is the same whenever the same attempt is made, so
// that who is called can tell what it has done already.
func requestID(c *engine.Call) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s#%d", c.Key, c.Attempt))
	b := sum[:16]
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	t := hex.EncodeToString(b)
	return t[:8] + "-" + t[8:12] + "-" + t[12:16] + "-" + t[16:20] + "-" + t[20:]
}
