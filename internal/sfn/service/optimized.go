package service

import (
	"math"
	"net/http"
	"slices"
	"strings"

	"plumbline/asl/engine"
	"plumbline/asl/value"
)

// The backends of the optimized integrations. Step Functions Local names the
// first variable of each but EVENTS_ENDPOINT.
var (
	lambdaBackend = backend{local: "LAMBDA_ENDPOINT", sdk: "LAMBDA", signing: "lambda", prefix: "Lambda", general: "AWSLambdaException", named: "AWSLambda"}
	sqsBackend    = backend{local: "SQS_ENDPOINT", sdk: "SQS", signing: "sqs", prefix: "SQS", general: "AmazonSQSException", named: "AmazonSQS"}
	snsBackend    = backend{local: "SNS_ENDPOINT", sdk: "SNS", signing: "sns", prefix: "SNS", general: "AmazonSNSException", named: "AmazonSNS"}
	dynamoBackend = backend{local: "DYNAMODB_ENDPOINT", sdk: "DYNAMODB", signing: "dynamodb", prefix: "DynamoDB", general: "AmazonDynamoDBException", named: "AmazonDynamoDBv2"}
	eventsBackend = backend{local: "EVENTS_ENDPOINT", sdk: "EVENTBRIDGE", signing: "events", prefix: "EventBridge", general: "AmazonEventBridgeException", named: "AmazonEventBridge"}
	statesBackend = backend{local: "STEP_FUNCTIONS_ENDPOINT", sdk: "SFN", signing: "states", prefix: "StepFunctions", general: "AWSStepFunctionsException", named: "AWSStepFunctions"}
)

// asText has a field that services take as text hold the JSON of what it has,
// where that is no text.
func asText(o *value.Object, key string) *value.Object {
	v, ok := o.Get(key)
	if _, text := v.(string); !ok || text || v == nil {
		return o
	}
	return o.With(key, value.Text(v))
}

// postJSON calls an action of a JSON service and returns its answer, with the
// metadata that optimized integrations have.
func (s *Services) postJSON(c *call, b *backend, target, version string, in *value.Object) (*value.Object, *answer, error) {
	a, err := s.send(c, b, "/", http.Header{"X-Amz-Target": {target}, "Content-Type": {"application/x-amz-json-" + version}}, value.Encode(in))
	if err != nil {
		return nil, nil, err
	}
	if a.status/100 != 2 {
		return nil, nil, b.jsonFailure(a)
	}
	if len(a.body) == 0 {
		return &value.Object{}, a, nil
	}
	v, err := value.Decode(a.body)
	if o, ok := v.(*value.Object); ok && err == nil {
		return o, a, nil
	}
	return nil, nil, &engine.Error{Name: b.prefix + ".SdkClientException", Cause: "Unable to unmarshall response: it is no JSON object"}
}

// withMetadata adds what optimized integrations tell of the answer.
func (a *answer) withMetadata(o *value.Object) *value.Object {
	names := make([]string, 0, len(a.header))
	for name := range a.header {
		names = append(names, name)
	}
	slices.Sort(names)
	all, first := make([]value.Field, 0, len(names)), make([]value.Field, 0, len(names))
	for _, name := range names {
		values := a.header.Values(name)
		list := make([]any, len(values))
		for i, v := range values {
			list[i] = v
		}
		shown := name
		if strings.EqualFold(name, "x-amzn-requestid") {
			shown = "x-amzn-RequestId" // as the service writes it
		}
		all = append(all, value.Field{Key: shown, Value: list})
		first = append(first, value.Field{Key: shown, Value: values[0]})
	}
	return o.With("SdkHttpMetadata", value.Of("AllHttpHeaders", value.NewObject(all...), "HttpHeaders", value.NewObject(first...), "HttpStatusCode", int64(a.status))).
		With("SdkResponseMetadata", value.Of("RequestId", a.header.Get("X-Amzn-Requestid")))
}

func (s *Services) sendMessage(c *call) (any, error) {
	o, a, err := s.postJSON(c, &sqsBackend, "AmazonSQS.SendMessage", "1.0", asText(c.input, "MessageBody"))
	if err != nil {
		return nil, err
	}
	return a.withMetadata(o), nil
}

// item is DynamoDB's getItem, putItem, updateItem or deleteItem.
func (s *Services) item(c *call) (any, error) {
	o, a, err := s.postJSON(c, &dynamoBackend, "DynamoDB_20120810."+exported(c.action), "1.0", c.input)
	if err != nil {
		return nil, err
	}
	return a.withMetadata(o), nil
}

// putEvents sends events, and fails where one of them is refused. Each says
// among its Resources which execution and state machine it comes from.
func (s *Services) putEvents(c *call) (any, error) {
	in := c.input
	if list, ok := listOf(in, "Entries"); ok {
		entries := make([]any, len(list))
		for i, e := range list {
			entries[i] = e
			if o, ok := e.(*value.Object); ok {
				resources, _ := listOf(o, "Resources")
				entries[i] = asText(o, "Detail").With("Resources", append(slices.Clone(resources), c.Execution, machineARN(c.Execution)))
			}
		}
		in = in.With("Entries", entries)
	}
	o, a, err := s.postJSON(c, &eventsBackend, "AWSEvents.PutEvents", "1.1", in)
	if err != nil {
		return nil, err
	}
	if failed, _ := o.Get("FailedEntryCount"); failed != nil {
		if n, ok := value.Int(failed); ok && n > 0 {
			return nil, &engine.Error{Name: "EventBridge.FailedEntry", Cause: value.Text(o)}
		}
	}
	return a.withMetadata(o), nil
}

func listOf(o *value.Object, key string) ([]any, bool) {
	v, _ := o.Get(key)
	list, ok := v.([]any)
	return list, ok
}

// machineARN is the state machine of an execution.
func machineARN(execution string) string {
	arn := strings.Replace(execution, ":execution:", ":stateMachine:", 1)
	if i := strings.LastIndexByte(arn, ':'); i > 0 {
		arn = arn[:i]
	}
	return arn
}

// startExecution starts an execution of another server.
func (s *Services) startExecution(c *call) (any, error) {
	in := lowered(asText(c.input, "Input"), false)
	o, a, err := s.postJSON(c, &statesBackend, "AWSStepFunctions.StartExecution", "1.0", in.(*value.Object))
	if err != nil {
		return nil, err
	}
	o = raised(o).(*value.Object)
	if at, _ := o.Get("StartDate"); at != nil { // in seconds, and the integration has milliseconds
		if seconds, ok := value.Float(at); ok {
			o = o.With("StartDate", int64(math.Round(seconds*1000)))
		}
	}
	return a.withMetadata(o), nil
}

// exported is a name with its first letter as a capital.
func exported(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// lowered is a value whose objects' keys begin with a small letter, as some
// services have them; deep: not only those of the outermost.
func lowered(v any, deep bool) any {
	return rename(v, deep, func(k string) string {
		if k == "" {
			return k
		}
		return strings.ToLower(k[:1]) + k[1:]
	})
}

// raised is a value whose objects' keys begin with a capital.
func raised(v any) any { return rename(v, true, exported) }

func rename(v any, deep bool, name func(string) string) any {
	switch v := v.(type) {
	case *value.Object:
		fields := make([]value.Field, 0, v.Len())
		for _, f := range v.Fields() {
			inner := f.Value
			if deep {
				inner = rename(inner, true, name)
			}
			fields = append(fields, value.Field{Key: name(f.Key), Value: inner})
		}
		return value.NewObject(fields...)
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = rename(v[i], deep, name)
		}
		return list
	}
	return v
}
