// Package notify tells people what a scan found: one message a scan, severity
// and audience, one for lost domains, one for a workflow that ended without a
// result, and one digest for the scan of an estate.
package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"plumbline/alert"
	"plumbline/blob"
	"plumbline/finding"
	"plumbline/scan"
	"plumbline/sla"
	"plumbline/tasks"
	"plumbline/tasks/catalog"
)

// Channel takes messages, also those that people are not told of: it leaves out
// what is not for it. A message that comes again has the same ID; a channel
// that can tell drops it.
type Channel interface {
	Send(ctx context.Context, n scan.Notice) error
}

// Channels are several channels, each of which gets every message, in their order.
type Channels []Channel

// Send sends to each; the first that fails ends it.
func (cs Channels) Send(ctx context.Context, n scan.Notice) error {
	for _, c := range cs {
		if err := c.Send(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// Config says what the function works with on AWS.
type Config struct {
	Critical string // ARN of the topic of critical violations
	Warning  string // ARN of the topic of all other messages
	Bucket   string // of what states hand on
	Queue    string // URL of the queue of what is delivered to Channels; "": there is none
	Channels []alert.Channel
}

// ConfigFromEnv reads the configuration from the environment.
func ConfigFromEnv(lookup func(string) (string, bool)) (Config, error) {
	var c Config
	var channels string
	err := tasks.Environment(lookup,
		tasks.Variable{Name: catalog.CriticalVar, Value: &c.Critical, Meaning: "the ARN of the topic of critical violations"},
		tasks.Variable{Name: catalog.BucketVar, Value: &c.Bucket, Meaning: tasks.BucketMeaning},
		tasks.Variable{Name: catalog.QueueVar, Value: &c.Queue, Meaning: "the URL of the queue of messages to ticketing systems and webhooks", Optional: true},
		tasks.Variable{Name: catalog.ChannelsVar, Value: &channels, Meaning: "those systems, as JSON", Optional: true},
		tasks.Variable{Name: catalog.WarningVar, Value: &c.Warning, Meaning: "the ARN of the topic of all other messages"},
	)
	if err == nil && channels != "" {
		if err = json.Unmarshal([]byte(channels), &c.Channels); err != nil {
			err = fmt.Errorf("environment variable %s: %w. give a list of channels as JSON", catalog.ChannelsVar, err)
		}
	}
	return c, err
}

// Handler is the task. It mutates; called twice it sends the same messages
// under the same IDs.
type Handler struct {
	channel Channel
	blobs   blob.Store
	now     func() time.Time
}

// New returns the task. A nil channel tells nobody.
func New(c Channel, blobs blob.Store, now func() time.Time) *Handler {
	return &Handler{channel: c, blobs: blobs, now: now}
}

// In says what to tell. Severities name which to tell of, so that the critical
// ones can go first and alone; lost domains are told of together with any
// severity but critical. A Failure is told of alone, and so is a Digest.
type In struct {
	ScanID     string             `json:"scanId,omitempty"`
	Target     scan.Target        `json:"target,omitzero"`
	Severities []finding.Severity `json:"severities,omitempty"`
	Settle     []finding.Severity `json:"settle,omitempty"`  // of which tickets are brought up to date though nothing is new
	Changes    *blob.Ref          `json:"changes,omitempty"` // what the scan changed
	Counts     scan.Alerts        `json:"counts,omitzero"`   // instead of Changes, by executions that began before there were any
	Partial    []finding.Domain   `json:"partial,omitempty"`
	Report     string             `json:"report,omitempty"` // folder of the stored report
	Input      struct {
		Digest bool `json:"digest,omitempty"`
	} `json:"input,omitzero"` // of the execution: with digest, people are told by the digest of the whole scan
	Digest  *blob.Ref          `json:"digestOf,omitempty"` // what is new in a scan of the whole estate
	SLA     *blob.Ref          `json:"sla,omitempty"`      // a report of terms
	Failure *scan.FailureInput `json:"failure,omitempty"`
}

// Out is how many messages were handed to the channel.
type Out struct {
	Sent int `json:"sent"`
}

// Handle sends the messages, the most severe first.
func (h *Handler) Handle(ctx context.Context, in In) (Out, error) {
	notices, err := h.notices(ctx, in)
	if err != nil {
		return Out{}, err
	}
	if h.channel == nil {
		return Out{}, nil
	}
	for i, n := range notices {
		if err := h.channel.Send(ctx, n); err != nil {
			name := catalog.ChannelFailed
			if errors.Is(err, scan.ErrThrottled) {
				name = catalog.Throttled
			}
			return Out{Sent: i}, fmt.Errorf("send %q: %w", n.ID, tasks.Named(name, err))
		}
	}
	return Out{Sent: len(notices)}, nil
}

// notices composes the messages.
func (h *Handler) notices(ctx context.Context, in In) ([]scan.Notice, error) {
	now := h.now().UTC()
	if in.Failure != nil {
		f, err := in.Failure.Failure(now)
		if err != nil {
			return nil, tasks.Named(catalog.BadInput, err)
		}
		return []scan.Notice{alert.Failure(f)}, nil
	}
	if in.ScanID == "" {
		return nil, tasks.Named(catalog.BadInput, errors.New("scanId is missing"))
	}
	if in.Digest != nil {
		d, err := blob.Get[scan.Digest](ctx, h.blobs, *in.Digest)
		if err != nil {
			return nil, tasks.StoreError(err)
		}
		return alert.OfEstate(in.ScanID, in.Report, d, now), nil
	}
	if in.SLA != nil {
		r, err := blob.Get[sla.Report](ctx, h.blobs, *in.SLA)
		if err != nil {
			return nil, tasks.StoreError(err)
		}
		return alert.OfSLA(in.ScanID, in.SLA.Key, r), nil
	}
	var out []scan.Notice
	if in.Changes != nil {
		changes, err := blob.Get[scan.Changes](ctx, h.blobs, *in.Changes)
		if err != nil {
			return nil, tasks.StoreError(err)
		}
		out = alert.OfTarget(alert.Scanned{ID: in.ScanID, Target: in.Target, Report: in.Report, Changes: changes}, in.Severities, in.Settle, now)
	} else {
		out = counted(in, now)
	}
	if len(in.Partial) > 0 {
		out = append(out, alert.Complete(scan.Notice{
			Kind: scan.NoticePartial, ScanID: in.ScanID, Target: in.Target, Severity: finding.High, Domains: in.Partial, Report: in.Report, Time: now,
		}))
	}
	for i := range out {
		out[i].Digested = in.Input.Digest && (out[i].Kind == scan.NoticePartial || out[i].Severity != finding.Critical)
	}
	return out, nil
}

// counted composes messages of counts alone.
func counted(in In, now time.Time) []scan.Notice {
	var out []scan.Notice
	for _, s := range finding.Severities {
		if n := in.Counts.Of(s); n > 0 && slices.Contains(in.Severities, s) {
			out = append(out, alert.Complete(scan.Notice{
				Kind: scan.NoticeFindings, ScanID: in.ScanID, Target: in.Target, Severity: s, Count: n, ResourceTypes: in.Counts.Types[s], Report: in.Report, Time: now,
			}))
		}
	}
	return out
}
