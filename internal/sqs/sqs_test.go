package sqs_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"

	"plumbline/alert"
	own "plumbline/internal/sqs"
	"plumbline/scan"
)

// queue stands in for the service.
type queue struct {
	sent   []*sqs.SendMessageInput
	hidden []*sqs.ChangeMessageVisibilityInput
	err    error
}

func (q *queue) SendMessage(_ context.Context, in *sqs.SendMessageInput, _ ...func(*sqs.Options)) (*sqs.SendMessageOutput, error) {
	q.sent = append(q.sent, in)
	return &sqs.SendMessageOutput{}, q.err
}

func (q *queue) ChangeMessageVisibility(_ context.Context, in *sqs.ChangeMessageVisibilityInput, _ ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityOutput, error) {
	q.hidden = append(q.hidden, in)
	return &sqs.ChangeMessageVisibilityOutput{}, q.err
}

func TestSend(t *testing.T) {
	channels := []alert.Channel{{Name: "jira", Kind: alert.KindJira}, {Name: "chat", Kind: alert.KindSlack}, {Name: "hook", Kind: alert.KindWebhook}}
	update := scan.Notice{ID: "s1/t/update/high/\u00fc owner", Kind: scan.NoticeUpdate, Ticket: strings.Repeat("a", 32)}
	q := new(queue)
	to := own.New(q, "https://queue", channels)
	for range 2 {
		if err := to.Send(t.Context(), update); err != nil {
			t.Fatal(err)
		}
	}
	if len(q.sent) != 4 {
		t.Fatalf("%d messages, want one for Jira and one for the webhook, twice", len(q.sent))
	}
	var d alert.Delivery
	if err := json.Unmarshal([]byte(*q.sent[0].MessageBody), &d); err != nil || d.Channel != "jira" || d.Notice.ID != update.ID {
		t.Errorf("%s, %v", *q.sent[0].MessageBody, err)
	}
	if *q.sent[0].MessageDeduplicationId != *q.sent[2].MessageDeduplicationId || *q.sent[0].MessageDeduplicationId == *q.sent[1].MessageDeduplicationId {
		t.Error("a repetition, and nothing else, has the same deduplication id")
	}
	if *q.sent[0].MessageGroupId != *q.sent[2].MessageGroupId || *q.sent[0].MessageGroupId == *q.sent[1].MessageGroupId {
		t.Error("channels wait for each other, or messages of one ticket do not")
	}
	for _, id := range []string{*q.sent[0].MessageGroupId, *q.sent[0].MessageDeduplicationId} {
		if len(id) > 128 || strings.Trim(id, "0123456789abcdef") != "" {
			t.Errorf("SQS does not take the id %q", id)
		}
	}
}

func TestPostpone(t *testing.T) {
	q := new(queue)
	to := own.New(q, "https://queue", nil)
	for d, want := range map[time.Duration]int32{0: 0, -time.Second: 0, time.Millisecond: 1, time.Minute: 60, 100 * time.Hour: 43200} {
		if err := to.Postpone(t.Context(), "r", d); err != nil {
			t.Fatal(err)
		}
		if got := q.hidden[len(q.hidden)-1].VisibilityTimeout; got != want {
			t.Errorf("%s: %d seconds, want %d", d, got, want)
		}
	}
}

func TestThrottled(t *testing.T) {
	q := &queue{err: &smithy.GenericAPIError{Code: "RequestThrottled", Message: "slow"}}
	err := own.New(q, "https://queue", nil).Park(t.Context(), alert.Delivery{Channel: "jira"})
	if !errors.Is(err, scan.ErrThrottled) || !strings.Contains(err.Error(), `"jira"`) {
		t.Errorf("error = %v", err)
	}
}
