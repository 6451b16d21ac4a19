package askapproval_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/approval"
	"plumbline/blob"
	"plumbline/finding"
	"plumbline/ledger"
	"plumbline/remedy"
	"plumbline/remedy/change"
	"plumbline/scan"
	"plumbline/tasks"
	"plumbline/tasks/askapproval"
	"plumbline/tasks/catalog"
)

const token = "AQCsecretTaskToken"

// people take messages, and the workflow hears of decisions.
type people struct {
	sent []scan.Notice
	told []string
	fail error
}

func (p *people) Send(_ context.Context, n scan.Notice) error {
	if p.fail == nil {
		p.sent = append(p.sent, n)
	}
	return p.fail
}

func (p *people) Decided(_ context.Context, token string) error {
	p.told = append(p.told, token)
	return nil
}

// TestAsk: a message has the way to the request and nothing that decides by
// itself; asked again, the first way leads nowhere; decided, the workflow goes on.
func TestAsk(t *testing.T) {
	now := func() time.Time { return time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC) }
	p, blobs, store := &people{fail: errors.New("no route")}, &blob.Memory{}, &approval.Memory{}
	desk := &approval.Desk{Store: store, Ledger: &ledger.Ledger{Store: &ledger.Memory{}, Now: now}, Callback: p, Now: now}
	plan, err := change.Keep(t.Context(), blobs, &change.Planned{Change: "change-1", Requester: "ann", Seconds: 3600, Plan: remedy.Plan{
		Rule: "r", Title: "Bucket is private", Message: "it is open", Diff: []string{"+ A: 1"}, Before: json.RawMessage(`{}`), After: json.RawMessage(`{}`),
		Resource: finding.Resource{LogicalID: "Cards", Type: "AWS::S3::Bucket"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	h := askapproval.New(desk, blobs, p, func(id string) string { return "https://approve.example/approvals/" + id }, now)
	in := askapproval.In{Plan: plan, Token: token}
	var named *tasks.Error
	if _, err := h.Handle(t.Context(), in); !errors.As(err, &named) || named.Name != catalog.ChannelFailed {
		t.Errorf("nobody can be asked: %v", err)
	}
	p.fail = nil
	var ids []string
	for range 2 {
		out, err := h.Handle(t.Context(), in)
		if err != nil || !out.Expires.Equal(now().Add(time.Hour)) {
			t.Fatalf("%+v, %v", out, err)
		}
		n := p.sent[len(p.sent)-1]
		_, id, _ := strings.Cut(strings.TrimSpace(n.Body), "/approvals/")
		ids = append(ids, id)
		for _, text := range []string{n.ID, n.Subject, n.Body} {
			if strings.Contains(text, token) || strings.Contains(text, approval.Hashed(id)) {
				t.Errorf("the message has the token, or what the store knows the request by: %s", text)
			}
		}
		for _, want := range []string{"Bucket is private", "Cards", "AWS::S3::Bucket", "it is open", "+ A: 1", "2026-03-01T10:00:00Z"} {
			if !strings.Contains(n.Body, want) {
				t.Errorf("the message lacks %q:\n%s", want, n.Body)
			}
		}
	}
	bob := approval.Person{Name: "bob"}
	if _, err := desk.Decide(t.Context(), ids[0], plan, bob, true, "x"); !errors.Is(err, approval.ErrDecided) {
		t.Errorf("the first way decides: %v", err)
	}
	if _, err := desk.Decide(t.Context(), ids[1], plan, bob, true, "x"); err != nil {
		t.Error(err)
	}
	sent := len(p.sent)
	if _, err := h.Handle(t.Context(), askapproval.In{Plan: plan, Token: "another"}); err != nil || len(p.sent) != sent {
		t.Errorf("what is decided is asked about: %v", err)
	}
	if diff := cmp.Diff([]string{token, "another"}, p.told); diff != "" {
		t.Errorf("told (-want +got)\n%s", diff)
	}
	for name, in := range map[string]askapproval.In{"no token": {Plan: plan}, "no plan": {Plan: "x", Token: token}} {
		if _, err := h.Handle(t.Context(), in); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
