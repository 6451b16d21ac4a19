// Package evaluate judges a snapshot by the rules of one domain. Seven
// functions of the catalogue share it and differ in their environment.
package evaluate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"plumbline/blob"
	"plumbline/cfn"
	"plumbline/finding"
	"plumbline/scan"
	"plumbline/tasks"
	"plumbline/tasks/catalog"
)

// Rules judge models; *ruleset.Set is one. Safe for concurrent use.
type Rules interface {
	// Judge returns one verdict for each rule of the domain and resource it
	// applies to, worlds merged; counts hold all, findings what keep allows.
	Judge(ctx context.Context, domain finding.Domain, models []*cfn.Model, keep func(status string) bool) ([]finding.Finding, finding.Counts, error)
	// Unmet returns a skip without a resource for each rule of the domain that
	// has nothing to judge.
	Unmet(domain finding.Domain, models []*cfn.Model) ([]finding.Finding, error)
	// Regions are those in which the policy lets stacks be, as names or globs; none: any.
	Regions() []string
	// InForce is the severity of a reserved rule by the policy; false where the
	// policy turns it off.
	InForce(rule string) (finding.Severity, bool)
}

// Config says what one function of the seven is for.
type Config struct {
	Domain finding.Domain
	// Keep says which statuses become findings rather than mere counts; nil keeps what needs attention.
	Keep   func(status string) bool
	Bucket string // on AWS: of reports and of what states hand on
	Bundle string // on AWS: key of the organisation's policy and rules; "": the built-in rules and no policy
}

// ConfigFromEnv reads the configuration from the environment.
func ConfigFromEnv(lookup func(string) (string, bool)) (Config, error) {
	var c Config
	err := tasks.Environment(lookup,
		tasks.Variable{Name: catalog.BucketVar, Value: &c.Bucket, Meaning: tasks.BucketMeaning},
		tasks.Variable{Name: catalog.BundleVar, Value: &c.Bundle, Meaning: tasks.BundleMeaning, Optional: true},
	)
	v, _ := lookup(catalog.DomainVar)
	if c.Domain = finding.Domain(v); !slices.Contains(finding.Domains, c.Domain) {
		var all []string
		for _, d := range finding.Domains {
			all = append(all, string(d))
		}
		c.Domain = ""
		err = errors.Join(err, fmt.Errorf("environment variable %s is %q. allowed are %s", catalog.DomainVar, v, strings.Join(all, ", ")))
	}
	return c, err
}

// Attention keeps the statuses that a person must look at.
func Attention(status string) bool {
	return status != string(finding.Pass) && status != string(finding.Skip)
}

// Judged keeps every status that says something of a resource: all but skip.
func Judged(status string) bool { return status != string(finding.Skip) }

// Handler is the task. It only reads; called twice it judges again.
type Handler struct {
	rules   Rules
	blobs   blob.Store
	config  Config
	key     string
	observe func(scan.Phase, time.Duration)
}

// New returns the task. observe, where not nil, is told what processor time each judgement took.
func New(r Rules, blobs blob.Store, c Config, observe func(scan.Phase, time.Duration)) *Handler {
	if c.Keep == nil {
		c.Keep = Attention
	}
	return &Handler{rules: r, blobs: blobs, config: c, key: "/verdicts-" + string(c.Domain), observe: observe}
}

// In names the scan and the snapshot.
type In struct {
	ScanID   string   `json:"scanId"`
	Snapshot blob.Ref `json:"snapshot"`
}

// Out refers to the domain's verdicts.
type Out struct {
	Domain   finding.Domain `json:"domain"`
	Verdicts blob.Ref       `json:"verdicts"`
}

// Handle judges the snapshot's models. A template that cannot be read has no
// models: assess says so once, for all domains.
func (h *Handler) Handle(ctx context.Context, in In) (Out, error) {
	snap, err := blob.Get[scan.Snapshot](ctx, h.blobs, in.Snapshot)
	if err != nil {
		return Out{}, tasks.StoreError(err)
	}
	v := &scan.Verdicts{Domain: h.config.Domain}
	if _, unreadable := snap.Template(); unreadable == nil && !snap.Gone {
		models, err := snap.ModelsIn(h.rules.Regions())
		if err != nil {
			return Out{}, fmt.Errorf("resolve %s: %w", snap.Target, err)
		}
		var took func() time.Duration
		if h.observe != nil {
			took = scan.Measure()
		}
		v.Findings, v.Counts, err = h.judge(ctx, snap, models)
		if h.observe != nil {
			h.observe(scan.PhaseJudge, took())
		}
		if err == nil && h.config.Keep(string(finding.Skip)) {
			var unmet []finding.Finding
			unmet, err = h.rules.Unmet(h.config.Domain, models)
			v.Findings = append(v.Findings, unmet...)
		}
		if err != nil {
			if ctx.Err() != nil {
				return Out{}, ctx.Err()
			}
			return Out{}, fmt.Errorf("judge %s by the rules of domain %s: %w", snap.Target, h.config.Domain, tasks.Named(catalog.RulesBroken, err))
		}
		place(v.Findings, snap.Target)
	}
	ref, err := h.blobs.Put(ctx, scan.WorkFolder(in.ScanID, snap.Target)+h.key, v)
	if err != nil {
		return Out{}, fmt.Errorf("store verdicts: %w", tasks.StoreError(err))
	}
	return Out{Domain: h.config.Domain, Verdicts: ref}, nil
}

// place adds to each finding what the rules do not know: which account, region
// and stack the template belongs to.
func place(fs []finding.Finding, t scan.Target) {
	for i := range fs {
		r := &fs[i].Resource
		r.Account, r.Region, r.Stack = t.Account, t.Region, t.Stack
		fs[i].Place.Path = t.Path
	}
}
