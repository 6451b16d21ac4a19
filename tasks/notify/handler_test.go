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

	"plumbline/blob"
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

// store holds what a scan changed: a new violation of a stack, and one that ended.
func store(t *testing.T) *blob.Memory {
	t.Helper()
	row := func(id string, s finding.Severity, state finding.State) finding.Record {
		return finding.Record{Finding: finding.Finding{Rule: "r", Severity: s, Verdict: finding.Fail, Resource: finding.Resource{Stack: "Payments", LogicalID: id, Type: "AWS::S3::Bucket"}}, State: state, FirstSeen: now, LastSeen: now}
	}
	m := new(blob.Memory)
	changes := &scan.Changes{Records: []finding.Record{row("A", finding.High, finding.New), row("B", finding.Critical, finding.Resolved), row("C", finding.Critical, finding.Open)}}
	digest := &scan.Digest{Audiences: []scan.DigestAudience{{Audience: "cards", Counts: map[finding.Severity]int{finding.Low: 3, finding.Medium: 1}, Targets: 2}}, Lost: []finding.Domain{finding.Network}, Partial: 2}
	for key, v := range map[string]any{"changes": changes, "digest": digest} {
		if _, err := m.Put(t.Context(), key, v); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// sent is what a call sends.
func sent(t *testing.T, in notify.In, at time.Time) []scan.Notice {
	t.Helper()
	c := new(channel)
	if _, err := notify.New(c, store(t), func() time.Time { return at }).Handle(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	return c.sent
}

func TestChanges(t *testing.T) {
	rest := []finding.Severity{finding.High, finding.Medium, finding.Low}
	in := notify.In{ScanID: "s1", Target: target, Severities: rest, Settle: finding.Severities, Changes: &blob.Ref{Key: "changes"}, Partial: []finding.Domain{finding.Network}}
	swept := in
	swept.Input.Digest = true
	for name, tc := range map[string]struct {
		in   notify.In
		want []string
	}{
		"what is new, what ended, what is lost": {in, []string{"update critical false 1 ended 1 open", "findings high false 0 ended 1 open", "partial high false 0 ended 0 open"}},
		"in a sweep, for tickets alone":         {swept, []string{"update critical false 1 ended 1 open", "findings high true 0 ended 1 open", "partial high true 0 ended 0 open"}},
		"the critical ones are not new":         {notify.In{ScanID: "s1", Target: target, Severities: []finding.Severity{finding.Critical}, Changes: in.Changes}, nil},
		"the digest of a sweep":                 {notify.In{ScanID: "s1", Digest: &blob.Ref{Key: "digest"}}, []string{"digest medium false 0 ended 0 open", "partial high false 0 ended 0 open"}},
	} {
		var got []string
		for _, n := range sent(t, tc.in, now) {
			got = append(got, fmt.Sprintf("%s %s %v %d ended %d open", n.Kind, n.Severity, n.Digested, n.EndedAll, n.Remaining))
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
}

func TestChannelsInOrder(t *testing.T) {
	a, b, broken := new(channel), new(channel), &channel{err: errors.New("down")}
	if err := (notify.Channels{a, broken, b}).Send(t.Context(), scan.Notice{ID: "n"}); err == nil || len(a.sent) != 1 || len(b.sent) != 0 {
		t.Errorf("%v, %d and %d messages", err, len(a.sent), len(b.sent))
	}
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
			out, err := notify.New(c, store(t), func() time.Time { return now }).Handle(t.Context(), tc.in)
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
	a, b := sent(t, in, now), sent(t, in, now.Add(time.Hour))
	if len(a) != 1 || len(b) != 1 || a[0].ID != b[0].ID {
		t.Errorf("%v then %v", a, b)
	}
}

func TestSubjectsFitSNS(t *testing.T) {
	in := notify.In{ScanID: "s1", Target: scan.Target{Path: "vorlagen/ü\n" + strings.Repeat("x", 200)}, Partial: []finding.Domain{finding.Network}}
	n := sent(t, in, now)
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
		{new(channel), notify.In{ScanID: "s1", Target: target, Changes: &blob.Ref{Key: "lost"}}, catalog.ObjectLost},
		{new(channel), notify.In{ScanID: "s1", Digest: &blob.Ref{Key: "lost"}}, catalog.ObjectLost},
		{new(channel), notify.In{Failure: new(scan.FailureInput)}, catalog.BadInput},
	} {
		_, err := notify.New(tc.channel, store(t), func() time.Time { return now }).Handle(t.Context(), tc.in)
		var named *tasks.Error
		if !errors.As(err, &named) || named.Name != tc.want {
			t.Errorf("error = %v, want %s", err, tc.want)
		}
	}
	if out, err := notify.New(nil, nil, func() time.Time { return now }).Handle(t.Context(), in); err != nil || out.Sent != 0 {
		t.Errorf("without a channel: %+v, %v", out, err)
	}
}
