// Package deliver takes messages to ticketing systems, chats and webhooks, as
// they come from a queue: in order for each ticket, again where a receiver asks
// for it, and aside where it will never take them.
package deliver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"plumbline/alert"
	"plumbline/scan"
	"plumbline/tasks"
	"plumbline/tasks/catalog"
)

// Sender delivers to one channel. Its errors are *alert.RefusedError, where no
// repetition can help, or others.
type Sender interface {
	Deliver(ctx context.Context, n scan.Notice) error
}

// Queue is where messages come from.
type Queue interface {
	// Postpone hides a message, and those behind it in its order, for a while.
	Postpone(ctx context.Context, receipt string, wait time.Duration) error
}

// Parking keeps what cannot be delivered, for a person to look at.
type Parking interface {
	Park(ctx context.Context, d alert.Delivery) error
}

// Config says what the function works with on AWS.
type Config struct {
	Queue    string // URL of the queue
	Letters  string // URL of the queue of dead letters
	Channels []alert.Channel
	Secrets  map[string]string // by channel: name of its secret in Secrets Manager
}

// ConfigFromEnv reads the configuration from the environment.
func ConfigFromEnv(lookup func(string) (string, bool)) (Config, error) {
	var c Config
	var channels, secrets string
	err := tasks.Environment(lookup,
		tasks.Variable{Name: catalog.QueueVar, Value: &c.Queue, Meaning: "the URL of the queue of messages"},
		tasks.Variable{Name: catalog.LettersVar, Value: &c.Letters, Meaning: "the URL of the queue of messages that cannot be delivered"},
		tasks.Variable{Name: catalog.ChannelsVar, Value: &channels, Meaning: "the channels, as JSON"},
		tasks.Variable{Name: catalog.SecretsVar, Value: &secrets, Meaning: "the names of the channels' secrets, as JSON"},
	)
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal([]byte(channels), &c.Channels); err != nil {
		return c, fmt.Errorf("environment variable %s: %w. give a list of channels as JSON", catalog.ChannelsVar, err)
	}
	if err := json.Unmarshal([]byte(secrets), &c.Secrets); err != nil {
		return c, fmt.Errorf("environment variable %s: %w. give an object of channel and name of its secret", catalog.SecretsVar, err)
	}
	return c, nil
}

// Options are what the task works with. Senders and Parking are required.
type Options struct {
	// Sender returns the sender of a channel; an error where there is none, or
	// its secret cannot be read.
	Sender  func(ctx context.Context, channel string) (Sender, error)
	Queue   Queue // nil: nothing is postponed, the queue has a pause of its own
	Parking Parking
	Failed  func(d alert.Delivery, err error)                // told of each message that was not taken; may be nil
	Wait    func(ctx context.Context, d time.Duration) error // nil: waits
	Now     func() time.Time                                 // nil: time.Now
}

// Handler is the task. It mutates; a message that comes again is delivered
// under the same idempotency key.
type Handler struct{ o Options }

// New returns the task.
func New(o Options) *Handler {
	if o.Wait == nil {
		o.Wait = wait
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Handler{o}
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// In is a batch of messages as Lambda hands it on from SQS.
// Source: AWS Lambda Developer Guide, "Using Lambda with Amazon SQS".
type In struct {
	Records []Record `json:"Records"`
}

// Record is one message of the queue.
type Record struct {
	MessageID     string `json:"messageId"`
	ReceiptHandle string `json:"receiptHandle"`
	Body          string `json:"body"`
	Attributes    struct {
		Group string `json:"MessageGroupId"`
	} `json:"attributes"`
}

// Out names the messages that stay in the queue.
type Out struct {
	Failures []Failure `json:"batchItemFailures"`
}

// Failure names one message that stays in the queue.
type Failure struct {
	ID string `json:"itemIdentifier"`
}

// Handle delivers the messages in their order. Behind one that is not taken,
// those of the same group stay in the queue with it, and behind one at which a
// channel closed, those of the channel: credentials that were refused are not
// tried again and again.
func (h *Handler) Handle(ctx context.Context, in In) (Out, error) {
	out := Out{Failures: []Failure{}}
	held, closed := map[string]bool{}, map[string]bool{}
	for _, r := range in.Records {
		channel, _, _ := strings.Cut(r.Attributes.Group, "/") // alert.Delivery.Order
		if !held[r.Attributes.Group] && !closed[channel] {
			err := h.deliver(ctx, r)
			if err == nil {
				continue
			}
			var later *alert.LaterError
			closed[channel] = errors.As(err, &later) && later.Closed
		}
		held[r.Attributes.Group] = true
		out.Failures = append(out.Failures, Failure{r.MessageID})
	}
	return out, nil
}

// deliver delivers a message or parks it. An error leaves it in the queue.
func (h *Handler) deliver(ctx context.Context, r Record) error {
	var d alert.Delivery
	err := json.Unmarshal([]byte(r.Body), &d)
	if err == nil && (d.Channel == "" || d.Notice.ID == "") {
		err = errors.New("it names no channel, or is no message")
	}
	if err != nil { // nothing of ours, but a person may make something of it
		return h.o.Parking.Park(ctx, alert.Delivery{Notice: scan.Notice{ID: r.MessageID, Body: r.Body}, Reason: err.Error()})
	}
	sender, err := h.o.Sender(ctx, d.Channel)
	if err == nil {
		err = h.attempt(ctx, sender, d.Notice)
	}
	if err != nil && h.o.Failed != nil {
		h.o.Failed(d, err)
	}
	var refused *alert.RefusedError
	var later *alert.LaterError
	switch {
	case errors.As(err, &refused):
		d.Reason = err.Error()
		return h.o.Parking.Park(ctx, d)
	case errors.As(err, &later) && later.After > 0 && h.o.Queue != nil:
		return errors.Join(err, h.o.Queue.Postpone(ctx, r.ReceiptHandle, later.After))
	}
	return err
}

// Attempts on one message while the function runs, and the pause before the
// second; each further one is twice as long. After them the queue's own pause
// comes, as often as its redrive policy allows.
const (
	attempts   = 4
	firstPause = time.Second
	reserve    = 12 * time.Second // of the function's time for one more attempt: the adapter's time-out and a little
)

// attempt sends a message until it is taken, refused, or time is short. What
// the receiver asks to wait is waited, or the message goes back to the queue.
func (h *Handler) attempt(ctx context.Context, s Sender, n scan.Notice) error {
	pause := firstPause
	for try := 1; ; try++ {
		err := s.Deliver(ctx, n)
		var later *alert.LaterError
		if err == nil || !errors.As(err, &later) || try == attempts || later.Closed && later.After == 0 {
			return err
		}
		d := max(pause, later.After)
		if end, ok := ctx.Deadline(); ok && h.o.Now().Add(d+reserve).After(end) || d > 10*firstPause {
			return err
		}
		if h.o.Wait(ctx, d) != nil {
			return err
		}
		pause *= 2
	}
}
