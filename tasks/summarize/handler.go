// Package summarize closes the scan of an estate: it collects what was found
// of every target, says of which there is no result, and keeps a summary.
package summarize

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"plumbline/alert"
	"plumbline/blob"
	"plumbline/finding"
	"plumbline/metric"
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

// Handler is the task. It mutates; called twice it writes the same summary and
// report again.
type Handler struct {
	blobs      blob.Store
	render     scan.Render
	provenance scan.Provenance
	scope      Scope
	now        func() time.Time
	metrics    io.Writer // nil: nowhere
}

// Scope sorts a target into the scope of PCI DSS by what is known of it without
// its template.
type Scope func(scan.Target) string

// New returns the task. A nil render stores no report. p is what
// the report says of the tool, the rules and the policy; the times are filled in.
// scope is asked for targets that were not assessed; nil: nothing is said of it.
func New(blobs blob.Store, render scan.Render, p scan.Provenance, scope Scope, now func() time.Time) *Handler {
	return &Handler{blobs: blobs, render: render, provenance: p, scope: scope, now: now}
}

// WriteMetrics makes the task write the metrics of the scan, and returns it.
func (h *Handler) WriteMetrics(w io.Writer) *Handler {
	h.metrics = w
	return h
}

// In names the scan and where ListTargets left the targets.
type In struct {
	ScanID  string    `json:"scanId"`
	Started time.Time `json:"started"`
	Targets string    `json:"targets"` // key
}

// Out refers to the whole report and says in a few figures what is in it.
type Out struct {
	Report  blob.Ref `json:"report"`
	Targets int      `json:"targets"`
	Failing int      `json:"failing"` // violations that count
	Failed  int      `json:"failed"`  // targets without a result
	Partial int      `json:"partial"` // targets with lost domains
	Stored  string   `json:"stored"`  // folder of the stored report: "" where none was written
	Digest  blob.Ref `json:"digest"`  // what people are told of the whole scan
	Tell    bool     `json:"tell"`    // whether there is anything to tell in it
}

// Handle collects the assessments. The store is the truth: the Map's own
// results are not read, so an estate of any size fits through the state.
func (h *Handler) Handle(ctx context.Context, in In) (Out, error) {
	if in.ScanID == "" {
		return Out{}, tasks.Named(catalog.BadInput, fmt.Errorf("scanId is missing"))
	}
	targets, err := blob.Get[scan.Targets](ctx, h.blobs, blob.Ref{Key: in.Targets})
	if err != nil {
		return Out{}, tasks.StoreError(err)
	}
	p := h.provenance
	p.Started, p.Finished = in.Started.UTC(), h.now().UTC()
	r := &scan.Report{Provenance: p, Counts: finding.Counts{}, Assessments: make([]scan.Assessment, 0, len(*targets))}
	sum := &scan.Summary{
		ScanID: in.ScanID, Started: p.Started, Finished: p.Finished,
		Targets: len(*targets), Counts: r.Counts, Failing: map[string]int{}, Types: map[string]int{},
	}
	out := Out{Targets: len(*targets)}
	digest := new(scan.Digest)
	for some := range slices.Chunk(*targets, atOnce) {
		if err := ctx.Err(); err != nil {
			return Out{}, err
		}
		for _, x := range h.collectAll(ctx, in.ScanID, some) {
			if x.err != nil {
				return Out{}, x.err
			}
			told := *x.assessment
			if x.failed { // report-failure tells of it
				told.Partial = nil
			}
			alert.Gather(digest, &told)
			r.Assessments = append(r.Assessments, *x.assessment)
			add(sum, &out, x.assessment, x.failed)
		}
	}
	if h.render != nil {
		out.Stored = scan.ReportFolder(in.ScanID, p.Started, scan.Target{})
		if err := scan.StoreReport(ctx, h.blobs, h.render, out.Stored, r); err != nil {
			return Out{}, fmt.Errorf("report of the estate: %w", tasks.StoreError(err))
		}
		sum.Report = out.Stored
	}
	if _, err := h.blobs.Put(ctx, scan.SummaryKey(in.ScanID, p.Started), sum); err != nil {
		return Out{}, fmt.Errorf("store summary: %w", tasks.StoreError(err))
	}
	if out.Report, err = h.blobs.Put(ctx, scan.WorkPrefix+blob.Segment(in.ScanID)+"/report", r); err != nil {
		return Out{}, fmt.Errorf("hand over the report: %w", tasks.StoreError(err))
	}
	if out.Digest, err = h.blobs.Put(ctx, scan.WorkPrefix+blob.Segment(in.ScanID)+"/digest", digest); err != nil {
		return Out{}, fmt.Errorf("hand over the digest: %w", tasks.StoreError(err))
	}
	out.Tell = !digest.Empty()
	if err := h.measure(sum, &out); err != nil {
		return Out{}, fmt.Errorf("write metrics: %w", err)
	}
	return out, nil
}

// measure writes the metrics of the scan.
func (h *Handler) measure(sum *scan.Summary, out *Out) error {
	if h.metrics == nil {
		return nil
	}
	failing := make(map[finding.Severity]int, len(sum.Failing))
	for s, n := range sum.Failing {
		failing[finding.Severity(s)] = n
	}
	return errors.Join(
		metric.Write(h.metrics, sum.Finished, "", metric.Sample{Metric: metric.SweptTargets, Value: float64(out.Targets)},
			metric.Sample{Metric: metric.LostTargets, Value: float64(out.Failed)}, metric.Sample{Metric: metric.SweptPartial, Value: float64(out.Partial)}),
		metric.WriteEach(h.metrics, sum.Finished, metric.Failing, finding.Severities, failing),
	)
}

// atOnce is how many targets are collected at once: of thousands, two reads
// each, one after the other, outlast the function.
const atOnce = 16

// collected is what is known of a target.
type collected struct {
	assessment *scan.Assessment
	failed     bool
	err        error
}

// collectAll collects targets at once, in their order.
func (h *Handler) collectAll(ctx context.Context, scanID string, targets []scan.Target) []collected {
	out := make([]collected, len(targets))
	if len(targets) == 1 {
		out[0].assessment, out[0].failed, out[0].err = h.collect(ctx, scanID, targets[0])
		return out
	}
	var wg sync.WaitGroup
	for i := range targets {
		wg.Go(func() { out[i].assessment, out[i].failed, out[i].err = h.collect(ctx, scanID, targets[i]) })
	}
	wg.Wait()
	return out
}

// collect reads what is known of a target: its assessment, its failure, or
// both where it was assessed but a later state failed. A target with neither is
// a failure too.
func (h *Handler) collect(ctx context.Context, scanID string, t scan.Target) (*scan.Assessment, bool, error) {
	a, err := blob.Get[scan.Assessment](ctx, h.blobs, blob.Ref{Key: scan.AssessmentKey(scanID, t)})
	if err != nil && !errors.Is(err, blob.ErrNotFound) {
		return nil, false, tasks.StoreError(err)
	}
	assessed := err == nil
	f, err := blob.Get[scan.Failure](ctx, h.blobs, blob.Ref{Key: scan.FailureKey(scanID, t)})
	switch {
	case err == nil:
	case !errors.Is(err, blob.ErrNotFound):
		return nil, false, tasks.StoreError(err)
	case assessed:
		return a, false, nil
	default:
		f = &scan.Failure{ScanID: scanID, Target: t, Error: catalog.ObjectLost, Cause: "neither an assessment nor a failure was recorded", Time: h.now().UTC()}
	}
	both := scan.Assessment{Target: t, Counts: finding.Counts{}, Partial: finding.Domains}
	if h.scope != nil {
		both.Scope = h.scope(t)
	}
	switch {
	case assessed:
		both = *a // what was found stands, though it was not stored or told
	case t.Path == "": // a deployed stack: its one finding is that it could not be read, and why
		both.Findings = []finding.Finding{{
			Rule: finding.LiveReadable, Severity: finding.High, Domain: finding.Configuration, Verdict: finding.Error, Fix: finding.FixNone,
			Resource: finding.Resource{Account: t.Account, Region: t.Region, Stack: t.Stack}, Place: finding.Place{Path: t.String()},
			Message: f.Cause, Scope: both.Scope,
		}}
		both.Counts[string(finding.Error)] = 1
	}
	both.Failures = append(both.Failures[:len(both.Failures):len(both.Failures)], *f)
	return &both, true, nil
}

// add counts one target's assessment.
func add(sum *scan.Summary, out *Out, a *scan.Assessment, failed bool) {
	sum.Counts.Add(a.Counts)
	for i := range a.Findings {
		if f := &a.Findings[i]; f.Verdict == finding.Fail && f.Suppressed == nil {
			sum.Failing[string(f.Severity)]++
			sum.Types[metric.Type(f.Resource.Type)]++
			out.Failing++
		}
	}
	sum.New += len(a.New)
	sum.Open += a.Open
	sum.Resolved += len(a.Resolved)
	if failed {
		out.Failed++
		sum.Failures = append(sum.Failures, a.Failures[len(a.Failures)-1])
	}
	if len(a.Partial) > 0 {
		out.Partial++
		var all []finding.Domain // in the order of the workflow's branches
		for _, d := range finding.Domains {
			if slices.Contains(sum.Partial, d) || slices.Contains(a.Partial, d) {
				all = append(all, d)
			}
		}
		sum.Partial = all
	}
}
