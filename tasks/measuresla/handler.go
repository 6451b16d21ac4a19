// Package measuresla measures how long violations stay open against the terms
// of the policy, keeps the report, and writes the metrics of it.
package measuresla

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"plumbline/blob"
	"plumbline/finding"
	"plumbline/scan"
	"plumbline/sla"
	"plumbline/tasks"
	"plumbline/tasks/catalog"
)

// Table is the findings table as far as this task reads it.
type Table interface {
	All(ctx context.Context) iter.Seq2[finding.Record, error]
}

// Options are what the task works with. Due is required.
type Options struct {
	Due        func(finding.Severity, time.Time) time.Time
	Frameworks func(rule string) []string // that ask for a rule; nil: none do
	Metrics    io.Writer                  // where the metrics go, in the embedded metric format; nil: nowhere
	Now        func() time.Time           // nil: time.Now
}

// Config says what the function works with on AWS.
type Config struct {
	Bucket string // of reports
	Table  string // of findings
	Bundle string // key of the organisation's policy and rules; "": the built-in rules and no policy
}

// ConfigFromEnv reads the configuration from the environment.
func ConfigFromEnv(lookup func(string) (string, bool)) (Config, error) {
	var c Config
	err := tasks.Environment(lookup,
		tasks.Variable{Name: catalog.BucketVar, Value: &c.Bucket, Meaning: tasks.BucketMeaning},
		tasks.Variable{Name: catalog.FindingsVar, Value: &c.Table, Meaning: tasks.FindingsMeaning},
		tasks.Variable{Name: catalog.BundleVar, Value: &c.Bundle, Meaning: tasks.BundleMeaning, Optional: true},
	)
	return c, err
}

// Handler is the task. It mutates; called twice for the same time it writes the
// same report under the same key, and the same metrics.
type Handler struct {
	table Table
	blobs blob.Store
	o     Options
}

// New returns the task. A nil table holds nothing.
func New(t Table, blobs blob.Store, o Options) *Handler {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Handler{table: t, blobs: blobs, o: o}
}

// In names the report.
type In struct {
	ReportID string    `json:"scanId"`
	At       time.Time `json:"started,omitzero"` // zero: now
}

// Out refers to the report and counts what the next states branch on.
type Out struct {
	Report  blob.Ref `json:"report"`
	Open    int      `json:"open"`
	Overdue int      `json:"overdue"`
}

// Handle measures.
func (h *Handler) Handle(ctx context.Context, in In) (Out, error) {
	if in.ReportID == "" {
		return Out{}, tasks.Named(catalog.BadInput, errors.New("scanId is missing"))
	}
	at := in.At.UTC()
	if in.At.IsZero() {
		at = h.o.Now().UTC()
	}
	records := func(func(finding.Record, error) bool) {}
	if h.table != nil {
		records = h.table.All(ctx)
	}
	r, err := sla.Measure(records, sla.Options{Now: at, Due: h.o.Due, Frameworks: memo(h.o.Frameworks)})
	if err != nil {
		return Out{}, fmt.Errorf("read the findings: %w", tasks.StoreError(err))
	}
	out := Out{Overdue: r.Overdue}
	for _, s := range r.Severities {
		out.Open += s.Open
	}
	if out.Report, err = h.blobs.Put(ctx, scan.SLAKey(in.ReportID, at), r); err != nil {
		return Out{}, fmt.Errorf("store the report: %w", tasks.StoreError(err))
	}
	if h.o.Metrics != nil {
		if err := sla.WriteMetrics(h.o.Metrics, r); err != nil {
			return Out{}, fmt.Errorf("write metrics: %w", err)
		}
	}
	return out, nil
}

// memo asks for a rule once: a table has thousands of rows of few rules.
func memo(f func(string) []string) func(string) []string {
	if f == nil {
		return nil
	}
	asked := map[string][]string{}
	return func(rule string) []string {
		fs, ok := asked[rule]
		if !ok {
			fs = f(rule)
			asked[rule] = fs
		}
		return fs
	}
}
