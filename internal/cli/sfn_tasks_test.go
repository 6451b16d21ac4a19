package cli_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
)

// ChargeRefused is an error of the function below, whose type is its name.
type ChargeRefused struct{}

func (ChargeRefused) Error() string { return "no money" }

// testFunction is the program of a function: a process as on Lambda.
func testFunction() {
	lambda.Start(func(_ context.Context, in struct{ Amount int }) (any, error) {
		if in.Amount > 100 {
			return nil, ChargeRefused{}
		}
		return map[string]int{"charged": in.Amount}, nil
	})
}

// TestSfnTasks runs a machine whose tasks are a function's binary and a queue.
func TestSfnTasks(t *testing.T) {
	program, err := exec.LookPath("testfunction")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var messages []string
	queue := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		mu.Lock()
		messages = append(messages, r.Header.Get("X-Amz-Target")+" "+string(b))
		mu.Unlock()
		_, _ = io.WriteString(w, `{"MessageId":"m"}`)
	}))
	defer queue.Close()
	p := startSfn(t, []string{"SQS_ENDPOINT=" + queue.URL}, "--function", "Charge="+program)
	definition := `{"StartAt":"Charge","States":{
		"Charge":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"${ChargeArn}","Payload.$":"$"},"ResultSelector":{"p.$":"$.Payload.charged"},"Catch":[{"ErrorEquals":["ChargeRefused"],"Next":"Refused"}],"Next":"Tell"},
		"Refused":{"Type":"Pass","Parameters":{"refused.$":"$.Cause"},"End":true},
		"Tell":{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken","Parameters":{"QueueUrl":"q","MessageBody":{"t.$":"$$.Task.Token","p.$":"$.p"}},"End":true}}}`
	text, err := json.Marshal(definition)
	if err != nil {
		t.Fatal(err)
	}
	p.call("CreateStateMachine", `{"name":"M","roleArn":"arn:aws:iam::1:role/r","definition":`+string(text)+`}`)
	start := func(name, input string) {
		t.Helper()
		if out := p.call("StartExecution", `{"stateMachineArn":"arn:aws:states:us-east-1:123456789012:stateMachine:M","name":"`+name+`","input":"`+input+`"}`); !strings.Contains(out, "executionArn") {
			t.Fatal(out)
		}
	}
	of := `{"executionArn":"arn:aws:states:us-east-1:123456789012:execution:M:`
	start("refused", `{\"Amount\":200}`)
	if out := p.until("SUCCEEDED", "DescribeExecution", of+`refused"}`); !strings.Contains(out, `no money`) {
		t.Error(out)
	}
	start("paid", `{\"Amount\":7}`)
	p.until("TaskSubmitted", "GetExecutionHistory", of+`paid"}`)
	mu.Lock()
	defer mu.Unlock()
	var body struct{ MessageBody string }
	var message struct {
		T string
		P int
	}
	if len(messages) != 1 || !strings.HasPrefix(messages[0], "AmazonSQS.SendMessage ") {
		t.Fatal(messages)
	}
	if err := json.Unmarshal([]byte(strings.TrimPrefix(messages[0], "AmazonSQS.SendMessage ")), &body); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(body.MessageBody), &message); err != nil || message.P != 7 {
		t.Fatal(body, err)
	}
	p.call("SendTaskSuccess", `{"taskToken":"`+message.T+`","output":"1"}`)
	p.until("SUCCEEDED", "DescribeExecution", of+`paid"}`)
}
