// Package recordchange writes into the ledger how a change ended.
package recordchange

import (
	"context"

	"plumbline/blob"
	"plumbline/ledger"
	"plumbline/remedy/change"
	"plumbline/tasks"
)

// Handler is the task. It appends to the ledger; called twice it appends once.
type Handler struct {
	ledger *ledger.Ledger
	blobs  blob.Store
}

// New returns the task.
func New(l *ledger.Ledger, blobs blob.Store) *Handler { return &Handler{ledger: l, blobs: blobs} }

// In is how it ended.
type In struct {
	Plan   string        `json:"plan"` // hash
	Result change.Result `json:"result"`
}

// Out is empty.
type Out struct{}

// Handle writes the entries.
func (h *Handler) Handle(ctx context.Context, in In) (Out, error) {
	p, err := change.Load(ctx, h.blobs, in.Plan)
	if err != nil {
		return Out{}, tasks.StoreError(err)
	}
	story, err := change.Tell(ctx, h.ledger.Store, in.Plan)
	if err != nil {
		return Out{}, tasks.StoreError(err)
	}
	note := change.Note{Change: p.Change, Outcome: in.Result.Outcome, Reason: in.Result.Reason, Proof: in.Result.Proof, End: true}
	write := func(kind ledger.Kind, n change.Note) error {
		return tasks.StoreError(change.Write(ctx, h.ledger, story, kind, in.Plan, p.Change, n))
	}
	switch in.Result.Outcome {
	case change.Applied:
		if err := write(ledger.Applied, change.Note{Change: p.Change}); err != nil {
			return Out{}, err
		}
		return Out{}, write(ledger.Verified, note)
	case change.Undone:
		return Out{}, write(ledger.Undone, note)
	case change.Used:
		return Out{}, nil // how it ended stands there already
	}
	return Out{}, write(ledger.Failed, note)
}
