// Command lambda is the function Deliver: the queue of deliveries calls it. It
// alone runs outside the VPC, and may read the secrets of its channels and
// nothing else.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"

	"plumbline/alert"
	"plumbline/internal/environment"
	"plumbline/internal/sqs"
	"plumbline/internal/webhook"
	"plumbline/tasks"
	"plumbline/tasks/deliver"
)

func main() {
	c, err := deliver.ConfigFromEnv(os.LookupEnv)
	if err != nil {
		log.Fatal(err)
	}
	account, err := environment.Config(os.LookupEnv)
	if err != nil {
		log.Fatal(err)
	}
	queues := awssqs.NewFromConfig(account)
	s := &senders{config: c, secrets: secretsmanager.NewFromConfig(account), made: map[string]made{}}
	lambda.Start(tasks.Of(deliver.New(deliver.Options{
		Sender: s.of, Queue: sqs.New(queues, c.Queue, nil), Parking: sqs.New(queues, c.Letters, nil),
		Failed: func(d alert.Delivery, err error) {
			log.Printf("message %q to channel %q: %v", d.Notice.ID, d.Channel, err)
		},
	}).Handle))
}

// fresh is how long a secret is taken as read: a new one holds within minutes.
const fresh = 5 * time.Minute

// senders makes the sender of a channel when it is first needed.
type senders struct {
	config  deliver.Config
	secrets *secretsmanager.Client

	mu   sync.Mutex
	made map[string]made
}

type made struct {
	sender *webhook.Sender
	at     time.Time
}

func (s *senders) of(ctx context.Context, channel string) (deliver.Sender, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m, ok := s.made[channel]; ok && time.Since(m.at) < fresh {
		return m.sender, nil
	}
	i := slices.IndexFunc(s.config.Channels, func(c alert.Channel) bool { return c.Name == channel })
	name := s.config.Secrets[channel]
	if i < 0 || name == "" {
		return nil, &alert.RefusedError{Err: fmt.Errorf("channel %q is not configured any more", channel)}
	}
	v, err := s.secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &name})
	if err != nil {
		return nil, fmt.Errorf("read secret %q: %w", name, err)
	}
	if v.SecretString == nil {
		return nil, fmt.Errorf("secret %q is binary. a text is needed, JSON as docs/alerts.md says", name)
	}
	var secret webhook.Secret
	if json.Unmarshal([]byte(*v.SecretString), &secret) != nil { // its error quotes what it read
		return nil, errors.New("secret " + name + " is not the JSON that docs/alerts.md describes")
	}
	sender, err := webhook.New(s.config.Channels[i].Kind, secret, time.Now)
	if err != nil {
		return nil, err
	}
	s.made[channel] = made{sender, time.Now()}
	return sender, nil
}
