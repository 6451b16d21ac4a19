// Package anchorledger verifies the ledger of changes each day against what was
// anchored before, and anchors its head where nobody who writes it can change
// that. A ledger that does not hold is told at once.
package anchorledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"plumbline/finding"
	"plumbline/ledger"
	"plumbline/scan"
	"plumbline/tasks"
	"plumbline/tasks/catalog"
)

// Channel takes messages.
type Channel interface {
	Send(ctx context.Context, n scan.Notice) error
}

// Handler is the task. It mutates; called twice, it anchors once.
type Handler struct {
	ledger  *ledger.Ledger
	anchors ledger.Anchors
	channel Channel
	now     func() time.Time
}

// New returns the task. A nil channel tells nobody.
func New(l *ledger.Ledger, a ledger.Anchors, c Channel, now func() time.Time) *Handler {
	return &Handler{ledger: l, anchors: a, channel: c, now: now}
}

// In is a schedule's event, of which nothing matters.
type In struct{}

// Out says what was anchored.
type Out struct {
	Anchored bool   `json:"anchored"` // false: nothing was recorded since the last time, or the ledger does not hold
	Seq      int64  `json:"seq"`      // the newest entry
	Hash     string `json:"hash"`
	Broken   string `json:"broken,omitempty"` // why the ledger does not hold
}

// Handle anchors. That a ledger does not hold is a result, which is told; that
// it cannot be read or anchored is an error, which a retry may heal.
func (h *Handler) Handle(ctx context.Context, _ In) (Out, error) {
	a, done, err := h.ledger.Anchor(ctx, h.anchors, "plumbline")
	if ledger.Broken(err) {
		return Out{Broken: err.Error()}, h.tell(ctx, err)
	}
	return Out{Anchored: done, Seq: a.Seq, Hash: a.Hash}, tasks.StoreError(err)
}

func (h *Handler) tell(ctx context.Context, broken error) error {
	if h.channel == nil {
		return nil
	}
	now := h.now().UTC()
	err := h.channel.Send(ctx, scan.Notice{
		ID: "ledger/" + now.Format(time.DateOnly), Kind: scan.NoticeFailure, ScanID: "ledger", Severity: finding.Critical, Time: now,
		Subject: "the ledger of changes does not hold",
		Body:    fmt.Sprintf("The ledger of changes does not hold: %v.\n\nSomebody has changed or removed what was recorded of changes and their approvals, or a table was restored. Nothing is anchored until it holds again. Restrict who writes the table, keep it as it is for an inquiry, and compare it with its point-in-time backup.\n", broken),
	})
	if err == nil {
		return nil
	}
	name := catalog.ChannelFailed
	if errors.Is(err, scan.ErrThrottled) {
		name = catalog.Throttled
	}
	return tasks.Named(name, fmt.Errorf("tell that the ledger does not hold: %w", err))
}
