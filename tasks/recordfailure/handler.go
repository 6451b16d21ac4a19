// Package recordfailure keeps why a workflow ended without a result, so that
// the history shows it and nobody takes silence for a clean scan.
package recordfailure

import (
	"context"
	"fmt"
	"time"

	"plumbline/blob"
	"plumbline/scan"
	"plumbline/tasks"
	"plumbline/tasks/catalog"
)

// Config says what the function works with on AWS.
type Config struct {
	Bucket string // of reports and of what states hand on
}

// ConfigFromEnv reads the configuration from the environment.
func ConfigFromEnv(lookup func(string) (string, bool)) (Config, error) {
	var c Config
	err := tasks.Environment(lookup,
		tasks.Variable{Name: catalog.BucketVar, Value: &c.Bucket, Meaning: tasks.BucketMeaning},
	)
	return c, err
}

// Handler is the task. It mutates; called twice for one scan and target it
// keeps the later reason.
type Handler struct {
	blobs blob.Store
	now   func() time.Time
}

// New returns the task.
func New(blobs blob.Store, now func() time.Time) *Handler { return &Handler{blobs: blobs, now: now} }

// Out is where the failure is kept.
type Out struct {
	Key string `json:"key"`
}

// Handle stores the failure.
func (h *Handler) Handle(ctx context.Context, in scan.FailureInput) (Out, error) {
	f, err := in.Failure(h.now())
	if err != nil {
		return Out{}, tasks.Named(catalog.BadInput, err)
	}
	key := scan.FailureKey(f.ScanID, f.Target)
	if _, err := h.blobs.Put(ctx, key, &f); err != nil {
		return Out{}, fmt.Errorf("record the failure of %q: %w", f.ScanID, tasks.StoreError(err))
	}
	return Out{Key: key}, nil
}
