package notify_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/finding"
	"plumbline/scan"
	"plumbline/tasks"
	"plumbline/tasks/catalog"
	"plumbline/tasks/notify"
)

type channel struct {
	sent []scan.Notice
	err  error
}

func (c *channel) Send(_ context.Context, n scan.Notice) error {
	if c.err != nil {
		return c.err
	}
	c.sent = append(c.sent, n)
	return nil
}

var (
	now    = time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)
	target = scan.Target{Stack: "Payments", Region: "eu-west-1"}
)

func failed() *scan.FailureInput {
	f := &scan.FailureInput{Workflow: "scan-stack", ScanID: "s1", Target: target}
	f.Error.Error, f.Error.Cause = "StoreFailed", "disk full"
	return f
}

func TestHandle(t *testing.T) {
	counts := scan.Alerts{Critical: 1, High: 2, Low: 3, Others: 5, Types: map[finding.Severity][]string{finding.High: {"AWS::S3::Bucket"}}}
	rest := []finding.Severity{finding.Low, finding.High, finding.Medium}
	estate := failed()
	estate.Target = scan.Target{}
	for _, tc := range []struct {
		name string
		in   notify.In
		want []string // kind severity count subject
	}{
		{"critical ones alone", notify.In{ScanID: "s1", Target: target, Severities: []finding.Severity{finding.Critical}, Counts: counts},
			[]string{"findings critical: 1 new violation in stack Payments in eu-west-1"}},
		{"one message a severity, the worst first", notify.In{ScanID: "s1", Target: target, Severities: rest, Counts: counts},
			[]string{"findings high: 2 new violations in stack Payments in eu-west-1", "findings low: 3 new violations in stack Payments in eu-west-1"}},
		{"lost domains", notify.In{ScanID: "s1", Target: target, Partial: []finding.Domain{finding.Network, finding.Logging}},
			[]string{"partial partial scan of stack Payments in eu-west-1: 2 domains not judged"}},
		{"a failure", notify.In{Failure: failed()}, []string{"failure scan failed: stack Payments in eu-west-1: StoreFailed"}},
		{"a failure of the estate", notify.In{Failure: estate}, []string{"failure scan failed: the whole estate: StoreFailed"}},
		{"nothing to tell", notify.In{ScanID: "s1", Target: target}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := new(channel)
			out, err := notify.New(c, func() time.Time { return now }).Handle(t.Context(), tc.in)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			ids := map[string]bool{}
			for _, n := range c.sent {
				got = append(got, n.Kind+" "+n.Subject)
				ids[n.ID] = true
				if n.Kind == scan.NoticeFindings && n.Severity == finding.High && !slices.Equal(n.ResourceTypes, []string{"AWS::S3::Bucket"}) {
					t.Errorf("resource types %v", n.ResourceTypes)
				}
				if n.ScanID != "s1" || !n.Time.Equal(now) || n.Body == "" {
					t.Errorf("message %+v is not complete", n)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if out.Sent != len(tc.want) || len(ids) != len(tc.want) {
				t.Errorf("sent %d under %d IDs, want %d", out.Sent, len(ids), len(tc.want))
			}
		})
	}
}

func TestTheSameIDEachTime(t *testing.T) {
	in := notify.In{ScanID: "s1", Target: target, Severities: finding.Severities, Counts: scan.Alerts{High: 1, Others: 1}}
	a, err := notify.Notices(in, now)
	if err != nil {
		t.Fatal(err)
	}
	b, err := notify.Notices(in, now.Add(time.Hour))
	if err != nil || a[0].ID != b[0].ID {
		t.Errorf("%q then %q, %v", a[0].ID, b[0].ID, err)
	}
}

func TestSubjectsFitSNS(t *testing.T) {
	in := notify.In{ScanID: "s1", Target: scan.Target{Path: "vorlagen/ü\n" + strings.Repeat("x", 200)}, Partial: []finding.Domain{finding.Network}}
	n, err := notify.Notices(in, now)
	if err != nil {
		t.Fatal(err)
	}
	if s := n[0].Subject; len(s) > 100 || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
		t.Errorf("subject %q is longer than 100 or not printable ASCII", s)
	}
}

func TestErrors(t *testing.T) {
	in := notify.In{ScanID: "s1", Target: target, Partial: []finding.Domain{finding.Network}}
	for _, tc := range []struct {
		channel notify.Channel
		in      notify.In
		want    string
	}{
		{&channel{err: errors.New("topic is gone")}, in, catalog.ChannelFailed},
		{&channel{err: fmt.Errorf("publish: %w", scan.ErrThrottled)}, in, catalog.Throttled},
		{&channel{err: tasks.Named(catalog.Throttled, errors.New("slow"))}, in, catalog.Throttled},
		{new(channel), notify.In{}, catalog.BadInput},
		{new(channel), notify.In{Failure: new(scan.FailureInput)}, catalog.BadInput},
	} {
		_, err := notify.New(tc.channel, func() time.Time { return now }).Handle(t.Context(), tc.in)
		var named *tasks.Error
		if !errors.As(err, &named) || named.Name != tc.want {
			t.Errorf("error = %v, want %s", err, tc.want)
		}
	}
	if out, err := notify.New(nil, func() time.Time { return now }).Handle(t.Context(), in); err != nil || out.Sent != 0 {
		t.Errorf("without a channel: %+v, %v", out, err)
	}
}
