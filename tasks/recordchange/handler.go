// Package recordchange writes into the ledger how a change ended.
package recordchange

import (
	"context"
	"fmt"
	"io"
	"time"

	"plumbline/blob"
	"plumbline/ledger"
	"plumbline/metric"
	"plumbline/remedy/change"
	"plumbline/tasks"
)

// Handler is the task. It appends to the ledger; called twice it appends once.
type Handler struct {
	ledger  *ledger.Ledger
	blobs   blob.Store
	metrics io.Writer // nil: nowhere
	now     func() time.Time
}

// New returns the task.
func New(l *ledger.Ledger, blobs blob.Store) *Handler { return &Handler{ledger: l, blobs: blobs} }

// WriteMetrics makes the task write the metric of how changes end, and returns
// it. A call whose answer is lost counts twice.
func (h *Handler) WriteMetrics(w io.Writer, now func() time.Time) *Handler {
	h.metrics, h.now = w, now
	return h
}

// In is how it ended.
type In struct {
	Plan   string        `json:"plan"` // hash
	Result change.Result `json:"result"`
}

// Out is empty.
type Out struct{}

// Handle writes the entries.
func (h *Handler) Handle(ctx context.Context, in In) (Out, error) {
	if err := h.record(ctx, in); err != nil || h.metrics == nil || in.Result.Outcome == change.Used {
		return Out{}, err
	}
	if err := metric.Write(h.metrics, h.now(), string(in.Result.Outcome), metric.Sample{Metric: metric.Changes, Value: 1}); err != nil {
		return Out{}, fmt.Errorf("write metrics: %w", err)
	}
	return Out{}, nil
}

func (h *Handler) record(ctx context.Context, in In) error {
	p, err := change.Load(ctx, h.blobs, in.Plan)
	if err != nil {
		return tasks.StoreError(err)
	}
	story, err := change.Tell(ctx, h.ledger.Store, in.Plan)
	if err != nil {
		return tasks.StoreError(err)
	}
	note := change.Note{Change: p.Change, Outcome: in.Result.Outcome, Reason: in.Result.Reason, Proof: in.Result.Proof, End: true}
	write := func(kind ledger.Kind, n change.Note) error {
		return tasks.StoreError(change.Write(ctx, h.ledger, story, kind, in.Plan, p.Change, n))
	}
	switch in.Result.Outcome {
	case change.Applied:
		if err := write(ledger.Applied, change.Note{Change: p.Change}); err != nil {
			return err
		}
		return write(ledger.Verified, note)
	case change.Undone:
		return write(ledger.Undone, note)
	case change.Used:
		return nil // how it ended stands there already
	}
	return write(ledger.Failed, note)
}
