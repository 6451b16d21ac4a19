// Package writereport renders the report of one target and stores it.
package writereport

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

// Handler is the task. It mutates; called twice it writes the same report again.
type Handler struct {
	blobs      blob.Store
	render     scan.Render
	provenance scan.Provenance
	now        func() time.Time
}

// New returns the task. A nil render writes no report. p is what every report
// says of the tool, the rules and the policy; the times are filled in.
func New(blobs blob.Store, render scan.Render, p scan.Provenance, now func() time.Time) *Handler {
	return &Handler{blobs: blobs, render: render, provenance: p, now: now}
}

// In names the scan and refers to the assessment.
type In struct {
	ScanID     string    `json:"scanId"`
	Started    time.Time `json:"started,omitzero"`
	Assessment blob.Ref  `json:"assessment"`
}

// Out is the folder of the stored report: "" where none was written.
type Out struct {
	Report string `json:"report"`
}

// Handle renders and stores the report.
func (h *Handler) Handle(ctx context.Context, in In) (Out, error) {
	if h.render == nil {
		return Out{}, nil
	}
	a, err := blob.Get[scan.Assessment](ctx, h.blobs, in.Assessment)
	if err != nil {
		return Out{}, tasks.StoreError(err)
	}
	p := h.provenance
	p.Finished = h.now().UTC()
	if p.Started = in.Started.UTC(); in.Started.IsZero() {
		p.Started = p.Finished
	}
	r := &scan.Report{Provenance: p, Assessments: []scan.Assessment{*a}, Counts: a.Counts}
	folder := scan.ReportFolder(in.ScanID, p.Started, a.Target)
	if err := scan.StoreReport(ctx, h.blobs, h.render, folder, r); err != nil {
		return Out{}, fmt.Errorf("report of %s: %w", a.Target, tasks.StoreError(err))
	}
	return Out{Report: folder}, nil
}
