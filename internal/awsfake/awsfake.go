// Package awsfake is an AWS account for tests: the parts of CloudFormation,
// Cloud Control, AWS Config and STS that no emulator has, over HTTP and by their
// documented contract, so that the SDK and the built programs can be pointed at
// it by AWS_ENDPOINT_URL. It checks no signatures. What tests put into it stands
// in plain Go values.
package awsfake

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
)

// Account is one account and region. The zero value is empty. Safe for
// concurrent use; what tests read and write is guarded by Lock and Unlock.
type Account struct {
	sync.Mutex
	ID, Region string
	Stacks     []*Stack
	Resources  map[string]map[string]string // type → Cloud Control's identifier → properties as JSON
	// Source has the resources of Cloud Control; nil: Resources has them.
	Source Source
	// Parents are the types that are listed below a parent only, with the
	// property that names it.
	Parents map[string]string
	// Deny answers a call with AccessDenied where it names a permission: of the
	// action of the API ("cloudformation:GetResource"), and the type it is for.
	Deny func(action, typ string) (permission string)
	// Throttle is how many calls more are answered with "slow down", and Rate after
	// how many calls one is, for ever; 0: none.
	Throttle, Rate int
	// PageSize of lists; 0: 2, so that no list of tests is one page.
	PageSize int
	// Calls counts calls by action.
	Calls map[string]int
	// Evaluations are those that were put to AWS Config, by result token.
	Evaluations map[string][]Evaluation
	// Recording says that Config's recorder is on; Rules are its custom rules.
	Recording bool
	// Role is the role whose session the last AssumeRole gave out.
	Role string
	// Delay is how often a request of Cloud Control is still in progress when it
	// is asked for.
	Delay int

	Subscriptions map[string][]string // of a topic, by its ARN: ARNs, or PendingConfirmation
	Queues        map[string]int      // messages by the queue's URL
	Function      Function            // nil: there is none

	requests map[string]*request // by client token and by request token
	calls    int
}

// Stack is a deployed stack.
type Stack struct {
	Name, Status, Template string // Status "": CREATE_COMPLETE
	ID                     string // ARN; "": one is made of the name
	Parameters, Tags       map[string]string
	Resources              []StackResource
}

// StackResource is a resource as CloudFormation lists it.
type StackResource struct {
	LogicalID, Type, Physical string
	Status                    string // "": CREATE_COMPLETE
}

// ARN is the stack's id.
func (a *Account) ARN(s *Stack) string {
	if s.ID != "" {
		return s.ID
	}
	return fmt.Sprintf("arn:aws:cloudformation:%s:%s:stack/%s/0a1b2c3d", a.Region, a.ID, s.Name)
}

// Put makes a live resource.
func (a *Account) Put(typ, identifier, properties string) {
	a.Lock()
	defer a.Unlock()
	if a.Resources == nil {
		a.Resources = map[string]map[string]string{}
	}
	if a.Resources[typ] == nil {
		a.Resources[typ] = map[string]string{}
	}
	a.Resources[typ][identifier] = properties
}

// failure is an error of a service.
type failure struct {
	status        int
	code, message string
}

func refuse(code, format string, args ...any) *failure {
	return &failure{http.StatusBadRequest, code, fmt.Sprintf(format, args...)}
}

// ServeHTTP answers the JSON protocols by X-Amz-Target, and the query protocol
// by the form's Action.
func (a *Account) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	a.Lock()
	defer a.Unlock()
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		a.serveJSON(w, target, body)
		return
	}
	if name, ok := strings.CutPrefix(r.URL.Path, "/2015-03-31/functions/"); ok {
		a.invoke(w, strings.TrimSuffix(name, "/invocations"), body)
		return
	}
	a.serveQuery(w, body)
}

func (a *Account) serveJSON(w http.ResponseWriter, target string, body []byte) {
	service, action, _ := strings.Cut(target, ".")
	var in map[string]any
	if err := json.Unmarshal(body, &in); err != nil {
		answerJSON(w, nil, refuse("SerializationException", "%s", err))
		return
	}
	prefix := map[string]string{"CloudApiService": "cloudformation", "StarlingDoveService": "config", "AmazonSQS": "sqs"}[service]
	typ, _ := in["TypeName"].(string)
	if fail := a.gate(prefix+":"+action, typ); fail != nil {
		answerJSON(w, nil, fail)
		return
	}
	handlers := map[string]func(map[string]any) (any, *failure){
		"CloudApiService.GetResource": a.getResource, "CloudApiService.ListResources": a.listResources, "CloudApiService.UpdateResource": a.updateResource,
		"CloudApiService.GetResourceRequestStatus": a.requestStatus, "CloudApiService.ListResourceRequests": a.listRequests,
		"AmazonSQS.GetQueueAttributes":       a.queueAttributes,
		"StarlingDoveService.PutEvaluations": a.putEvaluations, "StarlingDoveService.DescribeConfigurationRecorderStatus": a.recorderStatus,
	}
	handle := handlers[target]
	if handle == nil {
		answerJSON(w, nil, refuse("UnknownOperationException", "%s is not part of this fake", target))
		return
	}
	out, fail := handle(in)
	answerJSON(w, out, fail)
}

// gate counts a call, and answers throttling and missing permissions.
func (a *Account) gate(action, typ string) *failure {
	if a.Calls == nil {
		a.Calls = map[string]int{}
	}
	a.Calls[action]++
	a.calls++
	if a.Throttle > 0 || a.Rate > 0 && a.calls%a.Rate == 0 {
		a.Throttle = max(a.Throttle-1, 0)
		return refuse("ThrottlingException", "Rate exceeded")
	}
	if a.Deny == nil {
		return nil
	}
	if permission := a.Deny(action, typ); permission != "" {
		return refuse("AccessDeniedException", "User: arn:aws:iam::%s:user/tester is not authorized to perform: %s on resource: *", a.ID, permission)
	}
	return nil
}

func answerJSON(w http.ResponseWriter, out any, fail *failure) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if fail != nil {
		w.WriteHeader(fail.status)
		out = map[string]string{"__type": fail.code, "message": fail.message}
	}
	_ = json.NewEncoder(w).Encode(out) // the client has gone
}

func answerXML(w http.ResponseWriter, action string, result any, fail *failure) {
	w.Header().Set("Content-Type", "text/xml")
	if fail != nil {
		w.WriteHeader(fail.status)
		fmt.Fprintf(w, "<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>r</RequestId></ErrorResponse>", fail.code, escape(fail.message))
		return
	}
	fmt.Fprintf(w, "<%sResponse><%sResult>", action, action)
	_ = xml.NewEncoder(w).Encode(result) // the client has gone
	fmt.Fprintf(w, "</%sResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></%sResponse>", action, action)
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // never fails
	return b.String()
}

func (a *Account) page() int {
	if a.PageSize > 0 {
		return a.PageSize
	}
	return 2
}
