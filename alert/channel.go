package alert

import (
	"fmt"
	"slices"
	"time"

	"plumbline/finding"
	"plumbline/scan"
)

// Kind is a kind of channel.
type Kind string

// The kinds of channels beside the topics, whose subscribers get the mail.
const (
	KindSlack      Kind = "slack"
	KindJira       Kind = "jira"
	KindServiceNow Kind = "servicenow"
	KindWebhook    Kind = "webhook"
)

// Kinds lists the kinds of channels.
var Kinds = []Kind{KindSlack, KindJira, KindServiceNow, KindWebhook}

// Channel is somewhere that messages are delivered to.
type Channel struct {
	Name       string             `json:"name"`
	Kind       Kind               `json:"kind"`
	Severities []finding.Severity `json:"severities,omitempty"` // that it is told of; none: all
}

// Takes reports whether the channel is for such messages. People who read a
// chat are told of what is new, once: what ended is quiet there, and what is in
// the digest is not told by itself. A ticket follows its target's violations
// and nothing else. A webhook gets every message but the digest, which repeats them.
func (c Channel) Takes(n scan.Notice) bool {
	if len(c.Severities) > 0 && !slices.Contains(c.Severities, n.Severity) {
		return false
	}
	switch c.Kind {
	case KindSlack:
		return Told(n)
	case KindJira, KindServiceNow:
		return n.Ticket != "" && (n.Kind == scan.NoticeFindings || n.Kind == scan.NoticeUpdate)
	case KindWebhook:
		return n.Kind != scan.NoticeDigest
	}
	return false
}

// Told reports whether people are told of the message, by mail or chat.
func Told(n scan.Notice) bool { return n.Kind != scan.NoticeUpdate && !n.Digested }

// Order names what has to be delivered in order: the messages of one ticket, or
// those about one target. Messages of different orders may overtake each other.
func Order(n scan.Notice) string {
	switch {
	case n.Ticket != "":
		return n.Ticket
	case n.Target != (scan.Target{}):
		return n.Target.ID()
	}
	return "estate"
}

// RefusedError says that a receiver will not take a message however often it is
// sent. A person has to mend the channel, or the message is lost.
type RefusedError struct{ Err error }

func (e *RefusedError) Error() string { return "refused for good: " + e.Err.Error() }
func (e *RefusedError) Unwrap() error { return e.Err }

// LaterError says that a receiver did not take a message this time. After is
// how long it asked to wait; 0: it did not say.
type LaterError struct {
	After time.Duration
	// Closed says that it takes no other message now either: it refused the
	// credentials, or asked to slow down.
	Closed bool
	Err    error
}

func (e *LaterError) Error() string {
	if e.After > 0 {
		return fmt.Sprintf("to be sent again after %s: %v", e.After, e.Err)
	}
	return e.Err.Error()
}
func (e *LaterError) Unwrap() error { return e.Err }

// Delivery is one message on its way to one channel.
type Delivery struct {
	Channel string      `json:"channel"` // its name
	Notice  scan.Notice `json:"notice"`
	Reason  string      `json:"reason,omitempty"` // why it could not be delivered, of one that is given up
}

// Order names what has to be delivered in order: deliveries to one channel
// that belong together. Channels do not wait for each other.
func (d Delivery) Order() string { return d.Channel + "/" + Order(d.Notice) }
