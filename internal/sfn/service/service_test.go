package service

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/google/go-cmp/cmp"

	"plumbline/asl/engine"
)

// request is what a service has been asked.
type request struct {
	path, target, contentType, body, scope, id string
}

// fake is a service that answers the same to everything.
type fake struct {
	status  int
	header  map[string]string
	body    string
	request request
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	scope := r.Header.Get("Authorization")
	if parts := strings.Split(scope, "/"); len(parts) > 3 {
		scope = parts[2] + "/" + parts[3]
	}
	f.request = request{r.URL.RequestURI(), r.Header.Get("X-Amz-Target"), r.Header.Get("Content-Type"), string(b), scope, r.Header.Get("Amz-Sdk-Invocation-Id")}
	w.Header()["Date"] = nil
	w.Header().Set("x-amzn-RequestId", "r-1")
	for k, v := range f.header {
		w.Header().Set(k, v)
	}
	w.WriteHeader(max(f.status, 200))
	_, _ = io.WriteString(w, f.body)
}

const execution = "arn:aws:states:us-east-1:123456789012:execution:m:x"

func invoke(s *Services, resource, input string) (string, error) {
	out, err := s.Invoke(context.Background(), engine.Call{Resource: resource, Input: json.RawMessage(input), Execution: execution, Key: "k", State: "S"})
	return string(out), err
}

func env(pairs ...string) func(string) string {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return func(name string) string { return m[name] }
}

const (
	metadata = `"SdkHttpMetadata":{"AllHttpHeaders":{"Content-Length":["%d"],"Content-Type":["%s"],"x-amzn-RequestId":["r-1"]},"HttpHeaders":{"Content-Length":"%[1]d","Content-Type":"%s","x-amzn-RequestId":"r-1"},"HttpStatusCode":200},"SdkResponseMetadata":{"RequestId":"r-1"}`
	json10   = "application/x-amz-json-1.0"
	json11   = "application/x-amz-json-1.1"
)

// TestInvoke holds what goes to each service and what comes back.
func TestInvoke(t *testing.T) {
	plain := func(body, contentType string) string {
		return fmt.Sprintf(metadata, len(body), contentType, contentType)
	}
	const snsAnswer = `<PublishResponse><PublishResult><MessageId>m-1</MessageId></PublishResult><ResponseMetadata><RequestId>q</RequestId></ResponseMetadata></PublishResponse>`
	tests := []struct {
		name, variable  string
		resource, input string
		answer          fake
		want            request
		out             string
	}{
		{"function", "LAMBDA_ENDPOINT", "arn:aws:states:::lambda:invoke", `{"FunctionName":"arn:aws:lambda:us-east-1:1:function:f","Payload":{"a":1},"Qualifier":"live"}`,
			fake{header: map[string]string{"Content-Type": "application/json", "X-Amz-Executed-Version": "7"}, body: `{"b":2.0}`},
			request{"/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A1%3Afunction%3Af/invocations?Qualifier=live", "", "application/json", `{"a":1}`, "eu-west-1/lambda", ""},
			`{"ExecutedVersion":"7","Payload":{"b":2.0},"SdkHttpMetadata":{"AllHttpHeaders":{"Content-Length":["9"],"Content-Type":["application/json"],"X-Amz-Executed-Version":["7"],"x-amzn-RequestId":["r-1"]},"HttpHeaders":{"Content-Length":"9","Content-Type":"application/json","X-Amz-Executed-Version":"7","x-amzn-RequestId":"r-1"},"HttpStatusCode":200},"SdkResponseMetadata":{"RequestId":"r-1"},"StatusCode":200}`},
		{"bare function", "AWS_ENDPOINT_URL_LAMBDA", "arn:aws:lambda:us-east-1:1:function:f", `[1]`,
			fake{body: `"x"`}, request{"/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A1%3Afunction%3Af/invocations", "", "application/json", `[1]`, "eu-west-1/lambda", ""}, `"x"`},
		{"queue", "SQS_ENDPOINT", "arn:aws:states:::sqs:sendMessage.waitForTaskToken", `{"QueueUrl":"q","MessageBody":{"t":"T"}}`,
			fake{header: map[string]string{"Content-Type": json10}, body: `{"MessageId":"m"}`},
			request{"/", "AmazonSQS.SendMessage", json10, `{"QueueUrl":"q","MessageBody":"{\"t\":\"T\"}"}`, "eu-west-1/sqs", ""},
			`{"MessageId":"m",` + plain(`{"MessageId":"m"}`, json10) + `}`},
		{"topic", "SNS_ENDPOINT", "arn:aws:states:::sns:publish", `{"TopicArn":"t","Message":{"a":1},"MessageAttributes":{"k":{"DataType":"String","StringValue":"v"}}}`,
			fake{header: map[string]string{"Content-Type": "text/xml"}, body: snsAnswer},
			request{"/", "", "application/x-www-form-urlencoded; charset=utf-8", `Action=Publish&Message=%7B%22a%22%3A1%7D&MessageAttributes.entry.1.Name=k&MessageAttributes.entry.1.Value.DataType=String&MessageAttributes.entry.1.Value.StringValue=v&TopicArn=t&Version=2010-03-31`, "eu-west-1/sns", ""},
			`{"MessageId":"m-1",` + plain(snsAnswer, "text/xml") + `}`},
		{"topic by sdk", "SNS_ENDPOINT", "arn:aws:states:::aws-sdk:sns:publish", `{"TopicArn":"t","Message":"m"}`, fake{body: snsAnswer},
			request{"/", "", "application/x-www-form-urlencoded; charset=utf-8", `Action=Publish&Message=m&TopicArn=t&Version=2010-03-31`, "eu-west-1/sns", ""}, `{"MessageId":"m-1"}`},
		{"item", "DYNAMODB_ENDPOINT", "arn:aws:states:::dynamodb:putItem", `{"TableName":"t","Item":{"id":{"S":"1"}}}`,
			fake{header: map[string]string{"Content-Type": json10}, body: `{}`},
			request{"/", "DynamoDB_20120810.PutItem", json10, `{"TableName":"t","Item":{"id":{"S":"1"}}}`, "eu-west-1/dynamodb", ""},
			`{` + plain(`{}`, json10) + `}`},
		{"events", "EVENTS_ENDPOINT", "arn:aws:states:::events:putEvents", `{"Entries":[{"Detail":{"a":1},"Source":"s","Resources":["r"]}]}`,
			fake{header: map[string]string{"Content-Type": json11}, body: `{"FailedEntryCount":0}`},
			request{"/", "AWSEvents.PutEvents", json11, `{"Entries":[{"Detail":"{\"a\":1}","Source":"s","Resources":["r","` + execution + `","arn:aws:states:us-east-1:123456789012:stateMachine:m"]}]}`, "eu-west-1/events", ""},
			`{"FailedEntryCount":0,` + plain(`{"FailedEntryCount":0}`, json11) + `}`},
		{"execution", "STEP_FUNCTIONS_ENDPOINT", "arn:aws:states:::states:startExecution", `{"StateMachineArn":"m","Input":{"a":1}}`,
			fake{header: map[string]string{"Content-Type": json10}, body: `{"executionArn":"e","startDate":1.795520347758E9}`},
			request{"/", "AWSStepFunctions.StartExecution", json10, `{"stateMachineArn":"m","input":"{\"a\":1}"}`, "eu-west-1/states", ""},
			`{"ExecutionArn":"e","StartDate":1795520347758,` + plain(`{"executionArn":"e","startDate":1.795520347758E9}`, json10) + `}`},
		{"sdk", "AWS_ENDPOINT_URL", "arn:aws:states:::aws-sdk:secretsmanager:getSecretValue", `{"SecretId":"s"}`,
			fake{body: `{"SecretString":"x"}`}, request{"/", "secretsmanager.GetSecretValue", json11, `{"SecretId":"s"}`, "eu-west-1/secretsmanager", ""}, `{"SecretString":"x"}`},
		{"sdk with small letters", "AWS_ENDPOINT_URL_ECS", "arn:aws:states:::aws-sdk:ecs:runTask", `{"TaskDefinition":"d","Overrides":{"Cpu":"1"}}`,
			fake{body: `{"tasks":[{"taskArn":"t"}]}`}, request{"/", "AmazonEC2ContainerServiceV20141113.RunTask", json11, `{"taskDefinition":"d","overrides":{"cpu":"1"}}`, "eu-west-1/ecs", ""}, `{"Tasks":[{"TaskArn":"t"}]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			srv := httptest.NewServer(&tt.answer)
			defer srv.Close()
			out, err := invoke(New(env(tt.variable, srv.URL+"/"), "eu-west-1", nil), tt.resource, tt.input)
			if err != nil {
				t.Fatal(err)
			}
			tt.want.id = requestID(&engine.Call{Key: "k"})
			if d := cmp.Diff(tt.want, tt.answer.request, cmp.AllowUnexported(request{})); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(tt.out, out); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestInvokeErrors holds the names and causes that tasks fail with.
func TestInvokeErrors(t *testing.T) {
	tests := []struct {
		name            string
		resource, input string
		answer          fake
		error, cause    string
	}{
		{"function's own", "arn:aws:states:::lambda:invoke", `{"FunctionName":"f"}`, fake{header: map[string]string{"X-Amz-Function-Error": "Unhandled"}, body: `{"errorMessage":"m","errorType":"Throttled"}`},
			"Throttled", `{"errorMessage":"m","errorType":"Throttled"}`},
		{"function without a type", "arn:aws:states:::lambda:invoke", `{"FunctionName":"f"}`, fake{header: map[string]string{"X-Amz-Function-Error": "Unhandled"}, body: `{"errorMessage":"m"}`},
			"Lambda.Unknown", `The cause could not be determined because Lambda did not return an error type. Returned payload: {"errorMessage":"m"}`},
		{"too many", "arn:aws:states:::lambda:invoke", `{"FunctionName":"f"}`, fake{status: 429, header: map[string]string{"X-Amzn-Errortype": "TooManyRequestsException:http://x"}, body: `{"Reason":"x","message":"Rate Exceeded."}`},
			"Lambda.TooManyRequestsException", "Rate Exceeded. (Service: AWSLambda; Status Code: 429; Error Code: TooManyRequestsException; Request ID: r-1; Proxy: null)"},
		{"lambda is broken", "arn:aws:lambda:us-east-1:1:function:f", `{}`, fake{status: 500, body: `{"__type":"ServiceException","Message":"m"}`},
			"Lambda.ServiceException", "m (Service: AWSLambda; Status Code: 500; Error Code: ServiceException; Request ID: r-1; Proxy: null)"},
		{"no JSON", "arn:aws:states:::lambda:invoke", `{"FunctionName":"f"}`, fake{status: 502, body: "bad gateway\n"},
			"Lambda.AWSLambdaException", "bad gateway (Service: AWSLambda; Status Code: 502; Error Code: ; Request ID: r-1; Proxy: null)"},
		{"no body", "arn:aws:states:::sqs:sendMessage", `{"QueueUrl":"q","MessageBody":""}`, fake{status: 400, body: `{"__type":"com.amazonaws.sqs#MissingParameter","message":"The request must contain the parameter MessageBody."}`},
			"SQS.AmazonSQSException", "The request must contain the parameter MessageBody. (Service: AmazonSQS; Status Code: 400; Error Code: MissingParameter; Request ID: r-1; Proxy: null)"},
		{"no queue", "arn:aws:states:::sqs:sendMessage", `{}`, fake{status: 400, body: `{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"m"}`},
			"SQS.QueueDoesNotExistException", "m (Service: AmazonSQS; Status Code: 400; Error Code: QueueDoesNotExist; Request ID: r-1; Proxy: null)"},
		{"no topic", "arn:aws:states:::sns:publish", `{}`, fake{status: 404, body: `<ErrorResponse><Error><Type>Sender</Type><Code>NotFound</Code><Message>Topic does not exist</Message></Error><RequestId>q</RequestId></ErrorResponse>`},
			"SNS.NotFoundException", "Topic does not exist (Service: AmazonSNS; Status Code: 404; Error Code: NotFound; Request ID: q; Proxy: null)"},
		{"no item", "arn:aws:states:::dynamodb:putItem", `{}`, fake{status: 400, body: `{"__type":"com.amazon.coral.validate#ValidationException","message":"m"}`},
			"DynamoDB.AmazonDynamoDBException", "m (Service: AmazonDynamoDBv2; Status Code: 400; Error Code: ValidationException; Request ID: r-1; Proxy: null)"},
		{"condition", "arn:aws:states:::dynamodb:updateItem", `{}`, fake{status: 400, body: `{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"The conditional request failed"}`},
			"DynamoDB.ConditionalCheckFailedException", "The conditional request failed (Service: AmazonDynamoDBv2; Status Code: 400; Error Code: ConditionalCheckFailedException; Request ID: r-1; Proxy: null)"},
		{"sdk's table", "arn:aws:states:::aws-sdk:dynamodb:putItem", `{}`, fake{status: 400, body: `{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"Requested resource not found"}`},
			"DynamoDb.ResourceNotFoundException", "Requested resource not found (Service: DynamoDb, Status Code: 400, Request ID: r-1)"},
		{"sdk's validation", "arn:aws:states:::aws-sdk:dynamodb:putItem", `{}`, fake{status: 400, body: `{"__type":"com.amazon.coral.validate#ValidationException","message":"m"}`},
			"DynamoDb.DynamoDbException", "m (Service: DynamoDb, Status Code: 400, Request ID: r-1)"},
		{"sdk's token", "arn:aws:states:::aws-sdk:sfn:sendTaskSuccess", `{"TaskToken":"t"}`, fake{status: 400, body: `{"__type":"InvalidToken","message":"Invalid Token: 'Invalid token'"}`},
			"Sfn.InvalidTokenException", "Invalid Token: 'Invalid token' (Service: Sfn, Status Code: 400, Request ID: r-1)"},
		{"failed entry", "arn:aws:states:::events:putEvents", `{"Entries":[]}`, fake{body: `{"FailedEntryCount":1,"Entries":[{"ErrorCode":"MalformedDetail"}]}`},
			"EventBridge.FailedEntry", `{"FailedEntryCount":1,"Entries":[{"ErrorCode":"MalformedDetail"}]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			srv := httptest.NewServer(&tt.answer)
			defer srv.Close()
			out, err := invoke(New(env("AWS_ENDPOINT_URL", srv.URL), "", nil), tt.resource, tt.input)
			if d := cmp.Diff(&engine.Error{Name: tt.error, Cause: tt.cause}, err, cmp.AllowUnexported(engine.Error{})); d != "" {
				t.Errorf("%s %s", out, d)
			}
		})
	}
}

// What cannot be called says what to do about it.
func TestInvokeCannot(t *testing.T) {
	tests := []struct {
		resource, input string
		env             []string
		error, cause    string
	}{
		{"arn:aws:states:::sqs:sendMessage", `{}`, nil, "States.Runtime", "'arn:aws:states:::sqs:sendMessage' has no endpoint to go to. start plumbline sfn with SQS_ENDPOINT or AWS_ENDPOINT_URL_SQS or AWS_ENDPOINT_URL set"},
		{"arn:aws:states:::aws-sdk:kms:decrypt", `{}`, nil, "States.Runtime", "with AWS_ENDPOINT_URL_KMS or AWS_ENDPOINT_URL set"},
		{"arn:aws:lambda:us-east-1:1:function:f", `{}`, nil, "States.Runtime", "LAMBDA_ENDPOINT"},
		{"arn:aws:states:::sqs:sendMessage", `{}`, []string{"SQS_ENDPOINT", "localhost:4566"}, "States.Runtime", `SQS_ENDPOINT is "localhost:4566", which is no endpoint`},
		{"arn:aws:states:::sqs:sendMessage", `{}`, []string{"SQS_ENDPOINT", "http://127.0.0.1:1"}, "SQS.SdkClientException", "Unable to execute HTTP request: dial tcp 127.0.0.1:1"},
		{"arn:aws:states:::lamda:invoke", `{}`, nil, "States.Runtime", "did you mean 'arn:aws:states:::lambda:invoke'?"},
		{"arn:aws:states:::batch:submitJob.sync", `{}`, nil, "States.Runtime", "waits for a job of the service"},
		{"arn:aws:states:::states:startExecution.sync:2", `{}`, nil, "States.Runtime", "waits for an execution of another server"},
		{"arn:aws:states:::aws-sdk:secretmanager:getSecretValue", `{}`, nil, "States.Runtime", "did you mean 'secretsmanager'?"},
		{"arn:aws:states:::aws-sdk:iam:getRole", `{}`, nil, "States.Runtime", "those of services with a JSON protocol are there"},
		{"arn:aws:states:::aws-sdk:dynamodb", `{}`, nil, "States.Runtime", "names no action"},
		{"arn:aws:s3:::bucket", `{}`, nil, "States.Runtime", "cannot be called here"},
		{"arn:aws:states:::lambda:invoke", `{"Payload":1}`, nil, "States.Runtime", "have no FunctionName"},
		{"arn:aws:states:::lambda:invoke", `[]`, nil, "States.Runtime", "give an object"},
	}
	for _, tt := range tests {
		_, err := invoke(New(env(tt.env...), "", nil), tt.resource, tt.input)
		e, ok := err.(*engine.Error) //nolint:errorlint // as the engine gets it
		if !ok || e.Name != tt.error || !strings.Contains(e.Cause, tt.cause) {
			t.Errorf("%s: got %v, want %s: %s", tt.resource, err, tt.error, tt.cause)
		}
	}
}

// local is a set of functions that answer what they got.
type local map[string]bool

func (l local) Has(name string) bool { return l[name] }
func (l local) Names() []string      { return []string{"FetchStack"} }
func (l local) Call(_ context.Context, _, id string, payload []byte) ([]byte, bool, error) {
	if string(payload) == `{"fail":true}` {
		return []byte(`{"errorType":"Runtime.ExitError"}`), true, nil
	}
	return []byte(`{"id":"` + id + `","got":` + string(payload) + `}`), false, nil
}

// Functions on this machine are found by any of the forms of their name.
func TestInvokeLocal(t *testing.T) {
	s := New(env(), "", local{"FetchStack": true})
	id := requestID(&engine.Call{Key: "k"})
	for _, name := range []string{"FetchStack", "FetchStack:live", "${FetchStackArn}", "arn:aws:lambda:us-east-1:1:function:FetchStack:7", "1:function:FetchStack"} {
		out, err := invoke(s, "arn:aws:states:::lambda:invoke", `{"FunctionName":"`+name+`","Payload":[1]}`)
		if err != nil || !strings.HasPrefix(out, `{"ExecutedVersion":"$LATEST","Payload":{"id":"`+id+`","got":[1]},"SdkHttpMetadata":`) || !strings.HasSuffix(out, `,"StatusCode":200}`) {
			t.Errorf("%s: %s, %v", name, out, err)
		}
	}
	if out, err := invoke(s, "arn:aws:lambda:us-east-1:1:function:FetchStack", `{}`); err != nil || out != `{"id":"`+id+`","got":{}}` {
		t.Errorf("%s, %v", out, err)
	}
	if out, err := invoke(s, "${FetchStackArn}", `{"fail":true}`); err == nil || err.Error() != `Runtime.ExitError: {"errorType":"Runtime.ExitError"}` {
		t.Errorf("%s, %v", out, err)
	}
	if _, err := invoke(s, "arn:aws:states:::lambda:invoke", `{"FunctionName":"FetchStak"}`); err == nil || !strings.Contains(err.Error(), "Lambda.ResourceNotFoundException") || !strings.Contains(err.Error(), "did you mean FetchStack") {
		t.Errorf("got %v", err)
	}
}

// The signature is the one that AWS's SDK makes.
func TestSign(t *testing.T) {
	s := New(env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY", "secret", "AWS_SESSION_TOKEN", "token"), "eu-west-1", nil)
	s.now = func() time.Time { return time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC) }
	for _, url := range []string{"http://127.0.0.1:4566/", "https://lambda.eu-west-1.amazonaws.com/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A1%3Afunction%3Af/invocations?Qualifier=a%20b"} {
		body := []byte(`{"a":1}`)
		request := func() *http.Request {
			r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url, strings.NewReader(string(body)))
			if err != nil {
				t.Fatal(err)
			}
			r.ContentLength = 0 // which the SDK would sign
			r.Header.Set("X-Amz-Target", "A.B")
			r.Header.Set("Content-Type", "application/x-amz-json-1.0")
			return r
		}
		got, want := request(), request()
		s.sign(got, "lambda", body)
		err := v4.NewSigner().SignHTTP(context.Background(), aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret", SessionToken: "token"}, want, sum(body), "lambda", "eu-west-1", s.now())
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want.Header, got.Header); d != "" {
			t.Errorf("%s: %s", url, d)
		}
	}
}
