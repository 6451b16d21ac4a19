// Package listtargets lists what a scan of an estate goes through and leaves
// the list as an object, which the workflow's Map reads: an estate's list does
// not fit into a state.
package listtargets

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"plumbline/blob"
	"plumbline/scan"
	"plumbline/tasks"
	"plumbline/tasks/catalog"
)

// Lister lists targets, in any order.
type Lister interface {
	Targets(ctx context.Context) ([]scan.Target, error)
}

// DefaultConcurrency is how many targets are scanned at once unless the
// configuration says otherwise. Most of a scan's time goes into reading live
// resources, of which an account may read some 25 a second: five at five a
// second. More are not faster, only slower each, until they run out of time;
// docs/scale.md has the figures.
const DefaultConcurrency = 5

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

// Handler is the task. It changes nothing but its own list; called twice it
// writes the list again.
type Handler struct {
	lister      Lister
	blobs       blob.Store
	concurrency int
	now         func() time.Time
}

// New returns the task. A concurrency of 0 means DefaultConcurrency.
func New(l Lister, blobs blob.Store, concurrency int, now func() time.Time) *Handler {
	return &Handler{lister: l, blobs: blobs, concurrency: cmp.Or(concurrency, DefaultConcurrency), now: now}
}

// In names the scan.
type In struct {
	ScanID  string    `json:"scanId"`
	Started time.Time `json:"started,omitzero"` // zero: now
}

// Out is where the list lies, and how the Map is to go through it.
type Out struct {
	Key         string    `json:"key"`
	Count       int       `json:"count"`
	Concurrency int       `json:"concurrency"`
	Started     time.Time `json:"started"` // when the scan began: first and last seen of all its findings
}

// Handle lists the targets, each once, sorted by path, account, region and stack.
func (h *Handler) Handle(ctx context.Context, in In) (Out, error) {
	if in.ScanID == "" {
		return Out{}, tasks.Named(catalog.BadInput, fmt.Errorf("scanId is missing"))
	}
	list, err := h.lister.Targets(ctx)
	if err != nil {
		return Out{}, fmt.Errorf("list targets: %w", tasks.StoreError(err))
	}
	targets := scan.Targets(slices.Clone(list))
	slices.SortFunc(targets, scan.CompareTargets)
	targets = slices.Compact(targets)
	ref, err := h.blobs.Put(ctx, scan.TargetsKey(in.ScanID), &targets)
	if err != nil {
		return Out{}, fmt.Errorf("store the list of targets: %w", tasks.StoreError(err))
	}
	if in.Started.IsZero() {
		in.Started = h.now()
	}
	return Out{Key: ref.Key, Count: len(targets), Concurrency: h.concurrency, Started: in.Started.UTC()}, nil
}
