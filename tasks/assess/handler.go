// Package assess merges what the domains' rules said about one snapshot,
// applies suppressions, and compares the result with what was known: new,
// open, resolved.
package assess

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"time"

	"plumbline/blob"
	"plumbline/cfn"
	"plumbline/finding"
	"plumbline/metric"
	"plumbline/scan"
	"plumbline/tasks"
	"plumbline/tasks/catalog"
)

// Known is the findings table as far as assess reads it.
type Known interface {
	OfStack(ctx context.Context, stack string) iter.Seq2[finding.Record, error]
}

// Suppress marks the findings that do not count, in place. It returns a finding
// for each suppression that nothing needs any more, and a warning for each that
// was read but does not count itself.
type Suppress func(models []*cfn.Model, findings []finding.Finding, now time.Time) (stale []finding.Finding, warnings []string)

// Options are what assess works with. The zero value suppresses nothing and remembers nothing.
type Options struct {
	Known    Known    // nil: nothing is remembered, so nothing is new or resolved
	Suppress Suppress // nil: nothing is suppressed
	// InForce reports whether a rule is judged at all; nil: each is. What a rule
	// found that is no longer in force is suppressed, not resolved.
	InForce func(rule string) bool
	// Scope sorts the target, and its resources by logical id, into the scope of
	// PCI DSS; a nil map: each is as the target. nil: nothing is said of it.
	Scope func(t scan.Target, models []*cfn.Model) (whole string, of map[string]string)
	// Owners names who answers for the target, and for resources by logical id
	// where that is somebody else. nil: nobody is named.
	Owners func(models []*cfn.Model) (whole string, of map[string]string)
	// Due is when a violation first seen at a time is due; nil: never.
	Due func(s finding.Severity, firstSeen time.Time) time.Time
	// Frameworks lists the frameworks that ask for a rule, sorted; nil: none do.
	Frameworks func(rule string) []string
	// Keep says which statuses become findings rather than mere counts; nil keeps what needs attention.
	Keep func(status string) bool
	Now  func() time.Time // nil: time.Now
	// Metrics is where the metrics of the scan go; nil: nowhere.
	Metrics io.Writer
}

// Config says what the function works with on AWS.
type Config struct {
	Bucket string // of reports and of what states hand on
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

// Handler is the task. It only reads; called twice it comes to the same result.
type Handler struct {
	blobs blob.Store
	o     Options
}

// New returns the task.
func New(blobs blob.Store, o Options) *Handler {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Handler{blobs: blobs, o: o}
}

// In names the scan and refers to what the states before it made.
type In struct {
	ScanID   string    `json:"scanId"`
	Started  time.Time `json:"started,omitzero"` // first and last seen of this scan's findings; zero: now
	Snapshot blob.Ref  `json:"snapshot"`
	RuleSets []Branch  `json:"ruleSets"` // one a domain
}

// Branch is how one branch of AllRuleSets ended: with verdicts, or with a failure.
type Branch struct {
	Domain   finding.Domain `json:"domain"`
	Verdicts *blob.Ref      `json:"verdicts,omitempty"`
	Failure  *Failure       `json:"failure,omitempty"`
}

// Failure is what a Catch keeps of an error.
type Failure struct {
	Error string `json:"Error"`
	Cause string `json:"Cause"`
}

// Out refers to the assessment and counts what the next states branch on.
type Out struct {
	Assessment blob.Ref         `json:"assessment"`
	Changes    blob.Ref         `json:"changes"`
	Alerts     scan.Alerts      `json:"alerts"`  // violations that were not open before
	Partial    []finding.Domain `json:"partial"` // lost domains
	Lost       int              `json:"lost"`    // how many they are
	New        int              `json:"new"`
	Open       int              `json:"open"` // violations of the target that want attention after this scan
	Resolved   int              `json:"resolved"`
	Settled    int              `json:"settled"` // violations that stopped to count in silence: tickets are brought up to date
}

// Handle assesses the snapshot.
func (h *Handler) Handle(ctx context.Context, in In) (Out, error) {
	snap, err := blob.Get[scan.Snapshot](ctx, h.blobs, in.Snapshot)
	if err != nil {
		return Out{}, tasks.StoreError(err)
	}
	if in.ScanID == "" {
		return Out{}, tasks.Named(catalog.BadInput, fmt.Errorf("scanId is missing"))
	}
	at := in.Started.UTC()
	if in.Started.IsZero() {
		at = h.o.Now().UTC()
	}
	a := &scan.Assessment{Target: snap.Target, Counts: finding.Counts{}, Hash: snap.Hash(), Gone: snap.Gone}
	if a.Gone {
		a.Hash = ""
	}
	if err := h.merge(ctx, a, in, at); err != nil {
		return Out{}, err
	}
	broken := readable(a, snap, h.o.Keep)
	if h.o.Suppress != nil {
		h.suppress(a, snap, at)
	}
	h.describe(a, snap)
	slices.SortStableFunc(a.Findings, byPlace)

	out := Out{Partial: a.Partial, Lost: len(a.Partial)}
	changes := &scan.Changes{}
	if h.o.Known != nil {
		c := comparison{target: snap.Target, at: at, partial: a.Partial, broken: broken, accept: h.o.Suppress != nil, gone: snap.Gone, inForce: h.o.InForce, due: h.o.Due, frameworks: h.o.Frameworks, changes: changes, assessment: a, out: &out}
		if err := c.run(ctx, h.o.Known); err != nil {
			return Out{}, err
		}
		a.Open, a.Frameworks = out.Open, changes.Frameworks
	}
	if out.Changes, err = h.blobs.Put(ctx, scan.WorkFolder(in.ScanID, snap.Target)+"/changes", changes); err != nil {
		return Out{}, fmt.Errorf("store changes: %w", tasks.StoreError(err))
	}
	if out.Assessment, err = h.blobs.Put(ctx, scan.AssessmentKey(in.ScanID, snap.Target), a); err != nil {
		return Out{}, fmt.Errorf("store assessment: %w", tasks.StoreError(err))
	}
	if err := h.measure(a); err != nil {
		return Out{}, fmt.Errorf("write metrics: %w", err)
	}
	return out, nil
}

// measure writes the metrics of one target's scan.
func (h *Handler) measure(a *scan.Assessment) error {
	if h.o.Metrics == nil {
		return nil
	}
	partial := 0.0
	if len(a.Partial) > 0 {
		partial = 1
	}
	return metric.Write(h.o.Metrics, h.o.Now(), "",
		metric.Sample{Metric: metric.ScannedTargets, Value: 1}, metric.Sample{Metric: metric.PartialTargets, Value: partial},
		metric.Sample{Metric: metric.OpenChecks, Value: float64(a.Counts[string(finding.Unknown)] + a.Counts[string(finding.Error)])})
}

// merge adds each domain's verdicts. A domain whose branch failed, or that has
// no branch, makes the assessment partial.
func (h *Handler) merge(ctx context.Context, a *scan.Assessment, in In, at time.Time) error {
	verdicts := make([]*scan.Verdicts, 0, len(in.RuleSets))
	judged := make(map[finding.Domain]bool, len(finding.Domains))
	total := 1
	for _, b := range in.RuleSets {
		if b.Verdicts == nil {
			f := scan.Failure{ScanID: in.ScanID, Target: a.Target, Domain: b.Domain, Error: catalog.Unexpected, Cause: "the branch ended without verdicts", Time: at}
			if b.Failure != nil {
				f.Error, f.Cause = b.Failure.Error, scan.Cause(b.Failure.Cause)
			}
			a.Failures = append(a.Failures, f)
			continue
		}
		v, err := blob.Get[scan.Verdicts](ctx, h.blobs, *b.Verdicts)
		if err != nil {
			return tasks.StoreError(err)
		}
		judged[b.Domain] = true
		total += len(v.Findings)
		verdicts = append(verdicts, v)
	}
	a.Findings = make([]finding.Finding, 0, total)
	for _, v := range verdicts {
		a.Findings = append(a.Findings, v.Findings...)
		a.Counts.Add(v.Counts)
	}
	for _, d := range finding.Domains {
		if !judged[d] {
			a.Partial = append(a.Partial, d)
		}
	}
	return nil
}

// describe adds to the findings what the target, and not a rule, knows: the
// template's name, who answers for the resource, and the scope.
func (h *Handler) describe(a *scan.Assessment, snap *scan.Snapshot) {
	var of map[string]string
	if h.o.Scope != nil {
		models, _ := snap.Models() // where there are none, the target's names decide
		a.Scope, of = h.o.Scope(snap.Target, models)
	}
	var owner string
	var owners map[string]string
	if h.o.Owners != nil {
		models, _ := snap.Models() // where there are none, it is the default owner
		owner, owners = h.o.Owners(models)
	}
	for i := range a.Findings {
		f := &a.Findings[i]
		f.Place.Name = snap.Target.Name
		f.Owner = cmp.Or(owners[f.Resource.LogicalID], owner)
		f.Scope = a.Scope
		if scope, known := of[f.Resource.LogicalID]; known {
			f.Scope = scope
		}
	}
}

// suppress marks findings and moves them from their verdict's count to that of the suppressed.
func (h *Handler) suppress(a *scan.Assessment, snap *scan.Snapshot, at time.Time) {
	models, _ := snap.Models() // where there are none, only the policy file can suppress
	stale, warnings := h.o.Suppress(models, a.Findings, at)
	a.Warnings = warnings
	if len(a.Partial) == 0 { // else what a suppression is for may be in the domain that is lost
		for i := range stale {
			r := &stale[i].Resource
			r.Account, r.Region, r.Stack = snap.Target.Account, snap.Target.Region, snap.Target.Stack
			a.Counts[string(stale[i].Verdict)]++
		}
		a.Findings = append(a.Findings, stale...)
	}
	for i := range a.Findings {
		if f := &a.Findings[i]; f.Suppressed != nil {
			a.Counts[string(f.Verdict)]--
			a.Counts[finding.StatusSuppressed]++
		}
	}
}

// byPlace orders findings by place, then rule, then resource.
func byPlace(a, b finding.Finding) int {
	if c := cmp.Compare(a.Place.Line, b.Place.Line); c != 0 {
		return c
	}
	if c := cmp.Compare(a.Place.Column, b.Place.Column); c != 0 {
		return c
	}
	if c := cmp.Compare(a.Rule, b.Rule); c != 0 {
		return c
	}
	return cmp.Compare(a.Resource.LogicalID, b.Resource.LogicalID)
}
