// Package intake turns an event into a scan: it validates what EventBridge
// delivers, makes sure that an event that is delivered twice starts nothing
// twice, and starts the workflow.
package intake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"plumbline/scan"
	"plumbline/tasks"
	"plumbline/tasks/catalog"
)

// Events remembers which events were acted on.
type Events interface {
	// Claim records id and reports whether it was new. Of several that claim
	// one id at once, exactly one is told so.
	Claim(ctx context.Context, id string, at time.Time) (bool, error)
	// Release forgets id, since what it asked for could not be started.
	Release(ctx context.Context, id string) error
}

// Starter starts an execution. A name that is taken is no error and starts
// nothing: the execution it belongs to was started for the same event.
type Starter interface {
	Start(ctx context.Context, workflow, name string, input any) error
}

// Owners says which stack a resource belongs to, and by which logical id; false
// where none owns it.
type Owners interface {
	OwnerOf(ctx context.Context, resourceType, resourceID string) (owner scan.Owner, owned bool, err error)
}

// Config says which workflows to start.
type Config struct {
	Scan   string // ARN of scan-stack
	Estate string // ARN of scan-estate
	Check  string // ARN of check-resource; "": resources that AWS Config tells of are not checked by themselves
	Table  string // on AWS: of the ids of events
}

// ConfigFromEnv reads the configuration from the environment.
func ConfigFromEnv(lookup func(string) (string, bool)) (Config, error) {
	var c Config
	err := tasks.Environment(lookup,
		tasks.Variable{Name: catalog.EventsVar, Value: &c.Table, Meaning: "the name of the table of event ids"},
		tasks.Variable{Name: catalog.ScanVar, Value: &c.Scan, Meaning: "the ARN of the state machine scan-stack"},
		tasks.Variable{Name: catalog.EstateVar, Value: &c.Estate, Meaning: "the ARN of the state machine scan-estate"},
		tasks.Variable{Name: catalog.CheckVar, Value: &c.Check, Meaning: "the ARN of the state machine check-resource", Optional: true},
	)
	return c, err
}

// Handler is the task. It mutates: it records the event and starts an
// execution. Called twice with one event, it starts one.
type Handler struct {
	events  Events
	starter Starter
	owners  Owners // nil: a Config event about anything but a stack is left to the daily sweep
	config  Config
	now     func() time.Time
}

// New returns the task.
func New(events Events, starter Starter, owners Owners, c Config, now func() time.Time) *Handler {
	return &Handler{events: events, starter: starter, owners: owners, config: c, now: now}
}

// In is an EventBridge event.
type In struct {
	ID         string          `json:"id"`
	Source     string          `json:"source"`
	DetailType string          `json:"detail-type"`
	Account    string          `json:"account"`
	Region     string          `json:"region"`
	Time       time.Time       `json:"time"`
	Detail     json.RawMessage `json:"detail"`
}

// Out says what was started, or why nothing was.
type Out struct {
	Started   bool   `json:"started"`
	Execution string `json:"execution,omitempty"` // the name it was started under
	Reason    string `json:"reason,omitempty"`    // why nothing was started
}

// request is what an event asks for.
type request struct {
	workflow string
	subject  string // what the execution's name begins with
	identity string // what else makes the name: the stack's id
	input    any
}

// scanInput is the input of scan-stack and, without a target, of scan-estate.
type scanInput struct {
	ScanID  string       `json:"scanId"`
	Started time.Time    `json:"started"`
	Target  *scan.Target `json:"target,omitempty"`
}

// Handle starts a scan for an event that asks for one. An event that was claimed
// before is started again under its name, which does nothing where it was
// started: should the process have died between claim and start, its next
// delivery makes up for it.
func (h *Handler) Handle(ctx context.Context, in In) (Out, error) {
	if in.ID == "" {
		return Out{}, bad("event without an id")
	}
	target, reason, err := h.read(ctx, in)
	if err != nil {
		return Out{}, err
	}
	checked, check := h.check(in, target)
	if reason != "" {
		if !check {
			return Out{Reason: reason}, nil
		}
		return h.start(ctx, in, checked)
	}
	if check { // beside the scan of its stack, and under a name of its own: it is one however often the event comes
		if err := h.starter.Start(ctx, checked.workflow, Name(checked.subject, checked.identity, in.ID), checked.input); err != nil {
			return Out{}, fmt.Errorf("start the check of %q: %w", checked.subject, tasks.StoreError(err))
		}
	}
	return h.start(ctx, in, h.request(in, target))
}

// start claims the event and starts what it asks for.
func (h *Handler) start(ctx context.Context, in In, r request) (Out, error) {
	first, err := h.events.Claim(ctx, in.ID, h.now())
	if err != nil {
		return Out{}, fmt.Errorf("claim event %q: %w", in.ID, tasks.StoreError(err))
	}
	name := Name(r.subject, r.identity, in.ID)
	if err := h.starter.Start(ctx, r.workflow, name, r.input); err != nil {
		err = fmt.Errorf("start %q: %w", name, tasks.StoreError(err))
		if !first {
			return Out{}, err
		}
		// Without its claim the event's next delivery is the first.
		return Out{}, errors.Join(err, h.events.Release(context.WithoutCancel(ctx), in.ID))
	}
	if !first {
		return Out{Reason: fmt.Sprintf("event %q was delivered before", in.ID)}, nil
	}
	return Out{Started: true, Execution: name}, nil
}

// request makes the execution's input. A nil target means the whole estate.
func (h *Handler) request(in In, target *stack) request {
	at := in.Time
	if at.IsZero() {
		at = h.now()
	}
	if target == nil {
		return request{h.config.Estate, "sweep", "", scanInput{ScanID: Name("sweep", "", in.ID), Started: at.UTC()}}
	}
	t := target.Target
	return request{h.config.Scan, t.Stack, target.id, scanInput{ScanID: Name(t.Stack, target.id, in.ID), Started: at.UTC(), Target: &t}}
}

// Name makes an execution's name of a readable subject, the stack's id and the
// event's id: the same event gives the same name, and two stacks of one name do
// not share one. It has at most 80 characters, of those that Step Functions takes.
func Name(subject, identity, eventID string) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		}
		return '-'
	}, subject)
	if len(clean) > 60 {
		clean = clean[:60]
	}
	sum := sha256.Sum256([]byte(identity + "\x00" + eventID))
	return clean + "-" + hex.EncodeToString(sum[:8])
}

func bad(format string, args ...any) error {
	return tasks.Named(catalog.BadInput, fmt.Errorf(format, args...))
}
