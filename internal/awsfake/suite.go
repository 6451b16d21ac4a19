package awsfake

import (
	"net/http"
	"strconv"
)

// Function answers a call of a Lambda function by its name; failed says that the
// function itself ended in an error.
type Function func(name string, payload []byte) (answer []byte, failed bool)

type subscription struct {
	SubscriptionArn, Endpoint, Protocol, TopicArn string
}

// subscriptionsOf gives the subscriptions of a topic; the ARN of one that is not
// confirmed is PendingConfirmation.
func (a *Account) subscriptionsOf(topic string) []subscription {
	var out []subscription
	for _, arn := range a.Subscriptions[topic] {
		out = append(out, subscription{arn, "team@example.com", "email", topic})
	}
	return out
}

func (a *Account) queueAttributes(in map[string]any) (any, *failure) {
	n, ok := a.Queues[text(in, "QueueUrl")]
	if !ok {
		return nil, refuse("com.amazonaws.sqs#QueueDoesNotExist", "The specified queue does not exist.")
	}
	return map[string]any{"Attributes": map[string]string{"ApproximateNumberOfMessages": strconv.Itoa(n)}}, nil
}

// invoke is Lambda's Invoke.
func (a *Account) invoke(w http.ResponseWriter, name string, payload []byte) {
	if a.Function == nil {
		w.Header().Set("X-Amzn-ErrorType", "ResourceNotFoundException")
		w.WriteHeader(http.StatusNotFound)
		return
	}
	answer, failed := a.Function(name, payload)
	if failed {
		w.Header().Set("X-Amz-Function-Error", "Unhandled")
	}
	_, _ = w.Write(answer) // the client has gone
}
