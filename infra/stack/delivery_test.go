package stack_test

import (
	"slices"
	"strings"
	"testing"

	"plumbline/tasks/catalog"
)

// TestDelivery: what is told outside waits in a queue in its order, and is
// told by one function alone, which reads its secrets and nothing else.
func TestDelivery(t *testing.T) {
	s := everything()[suiteStack]
	deliver := functionNamed(t, s, "Deliver")
	queues := map[string]resource{}
	for id, q := range s.of("AWS::SQS::Queue") {
		if q.Properties["FifoQueue"] == true {
			queues[id] = q
		}
	}
	if len(queues) != 2 {
		t.Fatalf("%d queues keep an order, want those of deliveries and of letters", len(queues))
	}
	sources := s.of("AWS::Lambda::EventSourceMapping")
	if len(sources) != 1 {
		t.Fatalf("%d queues call functions, want 1", len(sources))
	}
	for _, source := range sources {
		id, _ := items(at(source.Properties["EventSourceArn"], "Fn::GetAtt"))[0].(string)
		queue, ok := queues[id]
		if !ok || text(source.Properties["FunctionResponseTypes"]) != `["ReportBatchItemFailures"]` {
			t.Errorf("the queue calls by %s", text(source.Properties))
		}
		if pause, timeout := queue.Properties["VisibilityTimeout"].(float64), deliver.Properties["Timeout"].(float64); pause < 6*timeout {
			t.Errorf("a message comes again after %v seconds while the function may still have it for %v", pause, timeout)
		}
		letters, _ := items(at(queue.Properties["RedrivePolicy"], "deadLetterTargetArn", "Fn::GetAtt"))[0].(string)
		attempts, _ := at(queue.Properties["RedrivePolicy"], "maxReceiveCount").(float64)
		if _, ok := queues[letters]; !ok || letters == id {
			t.Errorf("what nobody takes goes to %q", letters)
		}
		if day := 24 * 3600.0; attempts*queue.Properties["VisibilityTimeout"].(float64) < day {
			t.Errorf("a receiver that is away for a day loses messages after %v attempts", attempts)
		}
	}

	var outside []string
	for _, f := range s.of("AWS::Lambda::Function") {
		variables, _ := at(f.Properties["Environment"], "Variables").(map[string]any)
		if f.Properties["VpcConfig"] == nil || variables["SECRETS"] != nil {
			outside = append(outside, f.Properties["FunctionName"].(string))
		}
		for name, value := range variables {
			said := []string{catalog.ConsoleVar, catalog.InboxVar, catalog.IssuerVar, catalog.SiteVar} // in messages and tokens, and called by SignIn alone
			if strings.Contains(text(value), "https://") && !slices.Contains(said, name) {
				t.Errorf("%v has an address outside in %s", f.Properties["FunctionName"], name)
			}
		}
	}
	slices.Sort(outside)
	if !slices.Equal(outside, []string{"PlumblineDeliver", "PlumblineSignIn"}) {
		t.Errorf("outside of the VPC, or with secrets: %v", outside)
	}
	for a := range allowed(s, roleOf(deliver, "Role")) {
		if service, _, _ := strings.Cut(a, ":"); !slices.Contains([]string{"kms", "logs", "secretsmanager", "sqs"}, service) {
			t.Errorf("Deliver may %s", a)
		}
	}
	for _, name := range []string{"plumbline/jira", "plumbline/chat"} {
		if !allowed(s, roleOf(deliver, "Role"))[`secretsmanager:GetSecretValue "arn:aws:secretsmanager:us-east-1:111122223333:secret:`+name+`-??????"`] {
			t.Errorf("Deliver may not read the secret %s", name)
		}
	}
	if n := len(example()[suiteStack].of("AWS::Lambda::EventSourceMapping")); n != 0 {
		t.Error("there is a queue although nobody outside is told")
	}
}

// functionNamed is the function of a task.
func functionNamed(t *testing.T, s template, task string) resource {
	t.Helper()
	for _, f := range s.of("AWS::Lambda::Function") {
		if f.Properties["FunctionName"] == "Plumbline"+task {
			return f
		}
	}
	t.Fatalf("there is no function %s", task)
	return resource{}
}
