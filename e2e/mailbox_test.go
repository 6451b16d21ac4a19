//go:build e2e

package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// mailboxes are queues in the place of the subscribed mail addresses, which no
// emulator delivers to: each has the subscription, topic and filter policy,
// that the address has.
type mailboxes struct {
	region *region
	queues map[string]string // URL, by address and topic
	read   []letter
}

// letter is a message as a subscriber has it.
type letter struct {
	To      string // address, " of " and the topic's display name
	Subject string
	Body    string

	attributes map[string]string
}

var mailboxNumber atomic.Int64

// subscribe opens a mailbox for each mail address that is subscribed in a region.
func subscribe(t *testing.T, r *region) *mailboxes {
	t.Helper()
	m := &mailboxes{region: r, queues: map[string]string{}}
	pages := sns.NewListSubscriptionsPaginator(r.sns, &sns.ListSubscriptionsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range page.Subscriptions {
			if aws.ToString(s.Protocol) == "email" {
				m.add(t, aws.ToString(s.Endpoint), aws.ToString(s.TopicArn), aws.ToString(s.SubscriptionArn))
			}
		}
	}
	return m
}

// add opens the mailbox of one subscription.
func (m *mailboxes) add(t *testing.T, address, topic, subscription string) {
	t.Helper()
	ctx := t.Context()
	shown, err := m.region.sns.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: &topic})
	if err != nil {
		t.Fatal(err)
	}
	like, err := m.region.sns.GetSubscriptionAttributes(ctx, &sns.GetSubscriptionAttributesInput{SubscriptionArn: &subscription})
	if err != nil {
		t.Fatal(err)
	}
	if like.Attributes["FilterPolicy"] == "" {
		t.Errorf("%s is told everything of %s: the subscription has no filter policy", address, topic)
	}
	q, err := m.region.sqs.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String(fmt.Sprintf("mailbox-%d", mailboxNumber.Add(1)))})
	if err != nil {
		t.Fatal(err)
	}
	a, err := m.region.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: q.QueueUrl, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameQueueArn}})
	if err != nil {
		t.Fatal(err)
	}
	attributes := map[string]string{}
	for _, name := range []string{"FilterPolicy", "FilterPolicyScope"} {
		if v := like.Attributes[name]; v != "" {
			attributes[name] = v
		}
	}
	s, err := m.region.sns.Subscribe(ctx, &sns.SubscribeInput{
		TopicArn: &topic, Protocol: aws.String("sqs"), Endpoint: aws.String(a.Attributes["QueueArn"]), Attributes: attributes, ReturnSubscriptionArn: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	m.queues[address+" of "+shown.Attributes["DisplayName"]] = aws.ToString(q.QueueUrl)
	r := m.region
	t.Cleanup(func() {
		background := context.WithoutCancel(t.Context())
		if _, err := r.sns.Unsubscribe(background, &sns.UnsubscribeInput{SubscriptionArn: s.SubscriptionArn}); err != nil {
			t.Error(err)
		}
		if _, err := r.sqs.DeleteQueue(background, &sqs.DeleteQueueInput{QueueUrl: q.QueueUrl}); err != nil {
			t.Error(err)
		}
	})
}

// letters are what has arrived about a stack ("": about none), sorted.
func (m *mailboxes) letters(t *testing.T, stack string) []letter {
	t.Helper()
	for to, url := range m.queues {
		for {
			out, err := m.region.sqs.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10, VisibilityTimeout: 600})
			if err != nil {
				t.Fatal(err)
			}
			if len(out.Messages) == 0 {
				break
			}
			for _, msg := range out.Messages {
				m.read = append(m.read, open(t, to, aws.ToString(msg.Body)))
			}
		}
	}
	var of []letter
	for _, l := range m.read {
		if l.attributes["stack"] == stack {
			of = append(of, l)
		}
	}
	slices.SortFunc(of, func(a, b letter) int { return strings.Compare(a.To+a.Subject, b.To+b.Subject) })
	return of
}

func open(t *testing.T, to, body string) letter {
	t.Helper()
	var envelope struct {
		Subject, Message  string
		MessageAttributes map[string]struct{ Value string }
	}
	if err := json.Unmarshal([]byte(body), &envelope); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	l := letter{To: to, Subject: envelope.Subject, Body: envelope.Message, attributes: map[string]string{}}
	for name, a := range envelope.MessageAttributes {
		l.attributes[name] = a.Value
	}
	return l
}
