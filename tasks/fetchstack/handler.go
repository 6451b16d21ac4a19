// Package fetchstack makes a snapshot of a target: the template, the
// parameters it is deployed with, and its live resources.
package fetchstack

import (
	"context"
	"fmt"

	"plumbline/blob"
	"plumbline/scan"
	"plumbline/tasks"
	"plumbline/tasks/catalog"
)

// Source reads a target. What is wrong with the target itself stands in the
// snapshot (Failed, Gone); an error means that the source could not answer.
type Source interface {
	Fetch(ctx context.Context, t scan.Target) (*scan.Snapshot, error)
}

// Config says what the function works with on AWS.
type Config struct {
	Bucket string // of reports and of what states hand on
	Bundle string // key of the organisation's policy and rules; "": the built-in rules and no policy
}

// ConfigFromEnv reads the configuration from the environment.
func ConfigFromEnv(lookup func(string) (string, bool)) (Config, error) {
	var c Config
	err := tasks.Environment(lookup,
		tasks.Variable{Name: catalog.BucketVar, Value: &c.Bucket, Meaning: tasks.BucketMeaning},
		tasks.Variable{Name: catalog.BundleVar, Value: &c.Bundle, Meaning: tasks.BundleMeaning, Optional: true},
	)
	return c, err
}

// Handler is the task. It only reads; called twice it makes the snapshot again.
type Handler struct {
	source Source
	blobs  blob.Store
}

// New returns the task.
func New(s Source, blobs blob.Store) *Handler { return &Handler{source: s, blobs: blobs} }

// In names the scan and what to fetch.
type In struct {
	ScanID string      `json:"scanId"`
	Target scan.Target `json:"target"`
}

// Out refers to the snapshot.
type Out struct {
	Snapshot blob.Ref `json:"snapshot"`
}

// Handle fetches the target and stores its snapshot.
func (h *Handler) Handle(ctx context.Context, in In) (Out, error) {
	switch {
	case in.ScanID == "":
		return Out{}, tasks.Named(catalog.BadInput, fmt.Errorf("scanId is missing"))
	case in.Target.Where() == "":
		return Out{}, tasks.Named(catalog.BadInput, fmt.Errorf("target names neither a path nor a stack"))
	}
	s, err := h.source.Fetch(ctx, in.Target)
	if err != nil {
		return Out{}, fmt.Errorf("fetch %s: %w", in.Target, tasks.StoreError(err))
	}
	ref, err := h.blobs.Put(ctx, scan.WorkFolder(in.ScanID, in.Target)+"/snapshot", s)
	if err != nil {
		return Out{}, fmt.Errorf("store the snapshot of %s: %w", in.Target, tasks.StoreError(err))
	}
	return Out{Snapshot: ref}, nil
}
