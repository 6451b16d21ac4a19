// Package persistfindings writes what a scan changed to the findings table.
package persistfindings

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"plumbline/blob"
	"plumbline/finding"
	"plumbline/metric"
	"plumbline/scan"
	"plumbline/tasks"
	"plumbline/tasks/catalog"
)

// Store takes records. Put is idempotent and never moves a record's LastSeen
// back, so a repeated or late call does no harm.
type Store interface {
	Put(ctx context.Context, records []finding.Record) error
}

// Config says what the function works with on AWS.
type Config struct {
	Bucket string // of reports and of what states hand on
	Table  string // of findings
}

// ConfigFromEnv reads the configuration from the environment.
func ConfigFromEnv(lookup func(string) (string, bool)) (Config, error) {
	var c Config
	err := tasks.Environment(lookup,
		tasks.Variable{Name: catalog.BucketVar, Value: &c.Bucket, Meaning: tasks.BucketMeaning},
		tasks.Variable{Name: catalog.FindingsVar, Value: &c.Table, Meaning: tasks.FindingsMeaning},
	)
	return c, err
}

// Handler is the task. It mutates; called twice it writes the same again,
// which changes nothing.
type Handler struct {
	store   Store
	blobs   blob.Store
	metrics io.Writer // nil: nowhere
	now     func() time.Time
}

// New returns the task. A nil store remembers nothing.
func New(s Store, blobs blob.Store) *Handler { return &Handler{store: s, blobs: blobs} }

// WriteMetrics makes the task write the metrics of what it has written, and returns
// it. A call whose answer is lost counts twice: metrics show trends, the table the truth.
func (h *Handler) WriteMetrics(w io.Writer, now func() time.Time) *Handler {
	h.metrics, h.now = w, now
	return h
}

// In refers to the changes.
type In struct {
	Changes blob.Ref `json:"changes"`
}

// Out is how many records were written.
type Out struct {
	Written int `json:"written"`
}

// Handle writes the changes.
func (h *Handler) Handle(ctx context.Context, in In) (Out, error) {
	if h.store == nil || in.Changes.Count == 0 {
		return Out{}, nil
	}
	c, err := blob.Get[scan.Changes](ctx, h.blobs, in.Changes)
	if err != nil {
		return Out{}, tasks.StoreError(err)
	}
	if err := h.store.Put(ctx, c.Records); err != nil {
		return Out{}, fmt.Errorf("write %d findings: %w", len(c.Records), tasks.StoreError(err))
	}
	if err := h.measure(c.Records); err != nil {
		return Out{}, fmt.Errorf("write metrics: %w", err)
	}
	return Out{Written: len(c.Records)}, nil
}

// measure counts what came and went.
func (h *Handler) measure(records []finding.Record) error {
	if h.metrics == nil {
		return nil
	}
	found, resolved, types := map[finding.Severity]int{}, map[finding.Severity]int{}, map[string]int{}
	for i := range records {
		switch r := &records[i]; r.State {
		case finding.New, finding.Reopened:
			found[r.Severity]++
			types[metric.Type(r.Resource.Type)]++
		case finding.Resolved:
			resolved[r.Severity]++
		}
	}
	at := h.now()
	return errors.Join(
		metric.WriteEach(h.metrics, at, metric.Found, finding.Severities, found),
		metric.WriteEach(h.metrics, at, metric.Resolved, finding.Severities, resolved),
		metric.WriteEach(h.metrics, at, metric.FoundByType, metric.AllTypes(), types),
	)
}
