package asltest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"plumbline/asl"
)

// Reply is one answer of a task.
type Reply struct {
	Line   string // where it stands, for messages
	State  string
	After  time.Duration
	Output json.RawMessage // the result as the service gives it
	Error  string          // the task fails with it; Cause may be ""
	Cause  string
	Silent bool // no answer ever
	Echo   bool // the task's own input

	function bool // Output is what a function returns
	throttle bool // Error is the service's own
}

// Script is what the tasks of a machine answer: the replies of each state in
// order, then its standing one. It is safe for concurrent use.
type Script struct {
	mu     sync.Mutex
	queue  map[string][]Reply
	always map[string]Reply
	calls  map[string]int
	missed []string
}

// newScript fits replies to the tasks they answer.
func newScript(d *asl.Definition, queue, always []Reply) *Script {
	s := &Script{queue: map[string][]Reply{}, always: map[string]Reply{}, calls: map[string]int{}}
	states := map[string]*asl.State{}
	for _, st := range d.All() {
		states[st.Name] = st
	}
	fit := func(r Reply) Reply {
		st := states[r.State]
		if st == nil || st.Type != "Task" {
			return r
		}
		service, action, _, ok := asl.Integration(st.Resource)
		if r.throttle {
			r.Error = throttled(service, ok)
		}
		if r.function && ok && service == "lambda" && action == "invoke" && !st.Callback() {
			r.Output = slices.Concat([]byte(`{"ExecutedVersion":"$LATEST","Payload":`), r.Output, []byte(`,"StatusCode":200}`))
		}
		return r
	}
	for _, r := range queue {
		s.queue[r.State] = append(s.queue[r.State], fit(r))
	}
	for _, r := range always {
		s.always[r.State] = fit(r)
	}
	return s
}

// throttled is the error of a service that is asked too often.
func throttled(service string, integrated bool) string {
	name := strings.TrimPrefix(service, "aws-sdk:")
	switch {
	case !integrated || name == "lambda":
		return "Lambda.TooManyRequestsException"
	case name == "dynamodb":
		return "DynamoDB.ProvisionedThroughputExceededException"
	case name == "sqs":
		return "SQS.RequestThrottled"
	case name == "sns":
		return "SNS.ThrottledException"
	case service == "states":
		return "StepFunctions.ThrottlingException"
	case name == "sfn":
		return "Sfn.SfnException" // the API's model does not name throttling
	}
	return strings.ToUpper(name[:1]) + name[1:] + ".ThrottlingException"
}

// Next is the answer to the state's next call; false where the scenario has none.
func (s *Script) Next(state string, input json.RawMessage) (Reply, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[state]++
	if q := s.queue[state]; len(q) > 0 {
		s.queue[state] = q[1:]
		return q[0], true
	}
	if r, ok := s.always[state]; ok {
		return r, true
	}
	s.missed = append(s.missed, fmt.Sprintf("state %q was called %s time with %s, and no reply is left for it. add: reply %s …", state, ordinal(s.calls[state]), clip(string(input)), state))
	return Reply{}, false
}

// All are the replies of every state in order, also of those that wait for a
// token, for endpoints that want them beforehand, and the standing ones.
func (s *Script) All() (queue map[string][]Reply, always map[string]Reply) { return s.queue, s.always }

// take hands over the next reply to a state that waits for a token.
func (s *Script) take(state string) (Reply, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.always[state]; ok {
		return r, true
	}
	return Reply{}, false
}

func (s *Script) misses() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.missed)
}

func ordinal(n int) string {
	switch {
	case n%100 >= 11 && n%100 <= 13:
		return fmt.Sprintf("the %dth", n)
	case n%10 == 1:
		return fmt.Sprintf("the %dst", n)
	case n%10 == 2:
		return fmt.Sprintf("the %dnd", n)
	case n%10 == 3:
		return fmt.Sprintf("the %drd", n)
	}
	return fmt.Sprintf("the %dth", n)
}

// clip cuts long data for a message.
func clip(s string) string {
	const most = 300
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
