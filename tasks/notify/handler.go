// Package notify tells people what a scan found: one message a scan and
// severity, one for lost domains, one for a workflow that ended without a result.
package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"plumbline/finding"
	"plumbline/scan"
	"plumbline/tasks"
	"plumbline/tasks/catalog"
)

// Channel takes messages. A message that comes again has the same ID; a channel
// that can tell drops it.
type Channel interface {
	Send(ctx context.Context, n scan.Notice) error
}

// Config says what the function works with on AWS.
type Config struct {
	Critical string // ARN of the topic of critical violations
	Warning  string // ARN of the topic of all other messages
}

// ConfigFromEnv reads the configuration from the environment.
func ConfigFromEnv(lookup func(string) (string, bool)) (Config, error) {
	var c Config
	err := tasks.Environment(lookup,
		tasks.Variable{Name: catalog.CriticalVar, Value: &c.Critical, Meaning: "the ARN of the topic of critical violations"},
		tasks.Variable{Name: catalog.WarningVar, Value: &c.Warning, Meaning: "the ARN of the topic of all other messages"},
	)
	return c, err
}

// Handler is the task. It mutates; called twice it sends the same messages
// under the same IDs.
type Handler struct {
	channel Channel
	now     func() time.Time
}

// New returns the task. A nil channel tells nobody.
func New(c Channel, now func() time.Time) *Handler { return &Handler{channel: c, now: now} }

// In says what to tell. Severities name which of the counts to tell of, so
// that the critical ones can go first and alone; lost domains are told of
// together with any severity but critical. A Failure is told of alone.
type In struct {
	ScanID     string             `json:"scanId,omitempty"`
	Target     scan.Target        `json:"target,omitzero"`
	Severities []finding.Severity `json:"severities,omitempty"`
	Counts     scan.Alerts        `json:"counts,omitzero"`
	Partial    []finding.Domain   `json:"partial,omitempty"`
	Report     string             `json:"report,omitempty"` // folder of the stored report
	Failure    *scan.FailureInput `json:"failure,omitempty"`
}

// Out is how many messages were sent.
type Out struct {
	Sent int `json:"sent"`
}

// Handle sends the messages, the most severe first.
func (h *Handler) Handle(ctx context.Context, in In) (Out, error) {
	notices, err := Notices(in, h.now())
	if err != nil {
		return Out{}, tasks.Named(catalog.BadInput, err)
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

// Notices composes the messages.
func Notices(in In, now time.Time) ([]scan.Notice, error) {
	if in.Failure != nil {
		f, err := in.Failure.Failure(now)
		if err != nil {
			return nil, err
		}
		return []scan.Notice{failure(f)}, nil
	}
	if in.ScanID == "" {
		return nil, fmt.Errorf("scanId is missing")
	}
	var out []scan.Notice
	base := scan.Notice{ScanID: in.ScanID, Target: in.Target, Time: now.UTC()}
	for _, s := range finding.Severities {
		n := in.Counts.Of(s)
		if n == 0 || !slices.Contains(in.Severities, s) {
			continue
		}
		m := base
		m.Kind, m.Severity, m.Count, m.ResourceTypes = scan.NoticeFindings, s, n, in.Counts.Types[s]
		m.Subject = scan.Subject("%s: %s in %s", s, plural(n, "new violation"), in.Target)
		m.Body = fmt.Sprintf("Scan %s found %s of severity %s in %s.\n%s", in.ScanID, plural(n, "new violation"), s, in.Target, where(in.Report))
		out = append(out, identify(m))
	}
	if len(in.Partial) > 0 {
		m := base
		m.Kind, m.Severity, m.Domains = scan.NoticePartial, finding.High, in.Partial
		m.Subject = scan.Subject("partial scan of %s: %s not judged", in.Target, plural(len(in.Partial), "domain"))
		m.Body = fmt.Sprintf("Scan %s of %s is partial. Nothing is known of: %s.\n%s", in.ScanID, in.Target, join(in.Partial), where(in.Report))
		out = append(out, identify(m))
	}
	return out, nil
}

func failure(f scan.Failure) scan.Notice {
	what := "the whole estate"
	if f.Target != (scan.Target{}) {
		what = f.Target.String()
	}
	return identify(scan.Notice{
		Kind: scan.NoticeFailure, ScanID: f.ScanID, Target: f.Target, Severity: finding.High, Time: f.Time,
		Subject: scan.Subject("scan failed: %s: %s", what, f.Error),
		Body:    fmt.Sprintf("Scan %s of %s ended without a result in workflow %s.\n%s: %s\nNothing new is known of it until it is scanned again.\n", f.ScanID, what, f.Workflow, f.Error, f.Cause),
	})
}

// identify gives a message the ID that it has each time it is composed.
func identify(n scan.Notice) scan.Notice {
	id := "estate"
	if n.Target != (scan.Target{}) {
		id = n.Target.ID()
	}
	n.ID = strings.Join([]string{n.ScanID, id, n.Kind, string(n.Severity)}, "/")
	return n
}

func where(report string) string {
	if report == "" {
		return ""
	}
	return "Report: " + report + "/report.html\n"
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func join(ds []finding.Domain) string {
	s := make([]string, len(ds))
	for i, d := range ds {
		s[i] = string(d)
	}
	return strings.Join(s, ", ")
}
