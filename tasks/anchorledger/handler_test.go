package anchorledger_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"plumbline/finding"
	"plumbline/internal/files"
	"plumbline/ledger"
	"plumbline/scan"
	"plumbline/tasks"
	"plumbline/tasks/anchorledger"
	"plumbline/tasks/catalog"
)

type people struct {
	sent []scan.Notice
	fail error
}

func (p *people) Send(_ context.Context, n scan.Notice) error {
	p.sent = append(p.sent, n)
	return p.fail
}

func TestHandle(t *testing.T) {
	clock := time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)
	now := func() time.Time { return clock }
	l, kept, p := &ledger.Ledger{Store: &ledger.Memory{}, Now: now}, files.Anchors(t.TempDir()), &people{}
	for i, want := range []bool{false, true, false} {
		if i == 1 {
			if _, err := l.Append(t.Context(), ledger.Decided, "p", "bob", nil); err != nil {
				t.Fatal(err)
			}
		}
		out, err := anchorledger.New(l, kept, p, now).Handle(t.Context(), anchorledger.In{})
		if out.Anchored != want || err != nil || out.Broken != "" || len(p.sent) != 0 {
			t.Errorf("day %d: %+v, %v, %d messages", i+1, out, err, len(p.sent))
		}
	}

	// Somebody computes the ledger anew.
	forged := &ledger.Ledger{Store: &ledger.Memory{}, Now: now}
	if _, err := forged.Append(t.Context(), ledger.Decided, "p", "eve", nil); err != nil {
		t.Fatal(err)
	}
	h := anchorledger.New(forged, kept, p, now)
	out, err := h.Handle(t.Context(), anchorledger.In{})
	if out.Anchored || !strings.Contains(out.Broken, "entry 1") || err != nil {
		t.Errorf("a forged ledger: %+v, %v", out, err)
	}
	if len(p.sent) != 1 || p.sent[0].Severity != finding.Critical || !strings.Contains(p.sent[0].Body, "entry 1") {
		t.Errorf("people are told %+v", p.sent)
	}
	p.fail = errors.New("no route")
	var named *tasks.Error
	if _, err := h.Handle(t.Context(), anchorledger.In{}); !errors.As(err, &named) || named.Name != catalog.ChannelFailed {
		t.Errorf("nobody can be told: %v", err)
	}
}
