// Package evaluate judges a snapshot by the rules of one domain. Seven
// functions of the catalogue share it and differ in their environment.
package evaluate

import (
	"context"
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
}

// Config says what one function of the seven is for.
type Config struct {
	Domain finding.Domain
	// Keep says which statuses become findings rather than mere counts; nil keeps what needs attention.
	Keep func(status string) bool
}

// ConfigFromEnv reads the domain from the environment.
func ConfigFromEnv(lookup func(string) (string, bool)) (Config, error) {
	v, _ := lookup(catalog.DomainVar)
	if d := finding.Domain(v); slices.Contains(finding.Domains, d) {
		return Config{Domain: d}, nil
	}
	var all []string
	for _, d := range finding.Domains {
		all = append(all, string(d))
	}
	return Config{}, fmt.Errorf("environment variable %s is %q. allowed are %s", catalog.DomainVar, v, strings.Join(all, ", "))
}

// Attention keeps the statuses that a person must look at.
func Attention(status string) bool {
	return status != string(finding.Pass) && status != string(finding.Skip)
}

// Handler is the task. It only reads; called twice it judges again.
type Handler struct {
	rules   Rules
	blobs   blob.Store
	config  Config
	key     string
	observe func(scan.Phase, time.Duration)
}

// New returns the task. observe, where not nil, is told how long each judgement took.
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
		models, err := snap.Models()
		if err != nil {
			return Out{}, fmt.Errorf("resolve %s: %w", snap.Target, err)
		}
		var start time.Time
		if h.observe != nil {
			start = time.Now()
		}
		v.Findings, v.Counts, err = h.rules.Judge(ctx, h.config.Domain, models, h.config.Keep)
		if h.observe != nil {
			h.observe(scan.PhaseJudge, time.Since(start))
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
