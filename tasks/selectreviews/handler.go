// Package selectreviews picks from what a scan found new the violations that
// are to be reviewed: those that the policy lets be settled on the live resource.
package selectreviews

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"plumbline/blob"
	"plumbline/finding"
	"plumbline/remedy"
	"plumbline/remedy/change"
	"plumbline/ruleset"
	"plumbline/scan"
	"plumbline/tasks"
	"plumbline/tasks/catalog"
)

// Most bounds what one scan of a target starts, whatever the policy allows: as
// many as fit a state's payload by far.
const Most = 100

// Live is a live resource as reviews name it.
type Live struct {
	Resource   finding.Resource
	Identifier string // Cloud Control's primary identifier
	Model      []byte
}

// Locator finds the live resource of a finding by other means than the
// snapshot of a deployed stack. known is false where there is none, or more than one.
type Locator interface {
	Locate(ctx context.Context, r finding.Resource) (l Live, known bool, err error)
}

// Handler is the task. It only reads; called twice it names the same changes, so
// that a second start of one is none.
type Handler struct {
	blobs  blob.Store
	policy *ruleset.Policy
	locate Locator
	on     bool
}

// New returns the task. on says that there is a remediation to start; policy
// and locate may be nil, which leaves the shipped policy and the snapshot.
func New(blobs blob.Store, policy *ruleset.Policy, locate Locator, on bool) *Handler {
	return &Handler{blobs: blobs, policy: policy, locate: locate, on: on}
}

// In refers to what the states of the scan made.
type In struct {
	Snapshot blob.Ref `json:"snapshot"`
	Changes  blob.Ref `json:"changes"` // to the findings table
}

// Out lists the reviews to start.
type Out struct {
	Reviews []change.Request `json:"reviews"`
	Count   int              `json:"count"` // of Reviews
	Left    int              `json:"left"`  // over the policy's limit: the daily check of the resource, or a person, starts them
}

// Handle selects the reviews, the most severe violations first.
func (h *Handler) Handle(ctx context.Context, in In) (Out, error) {
	out := Out{Reviews: []change.Request{}}
	if !h.on || in.Changes.Count == 0 {
		return out, nil
	}
	if in.Snapshot.Key == "" {
		return out, tasks.Named(catalog.BadInput, errors.New("want snapshot"))
	}
	changes, err := blob.Get[scan.Changes](ctx, h.blobs, in.Changes)
	if err != nil {
		return out, tasks.StoreError(err)
	}
	var wanted []finding.Record
	for _, r := range changes.Records {
		if h.wants(r) {
			wanted = append(wanted, r)
		}
	}
	if len(wanted) == 0 {
		return out, nil
	}
	slices.SortStableFunc(wanted, func(a, b finding.Record) int {
		return cmp.Or(cmp.Compare(a.Severity.Rank(), b.Severity.Rank()), strings.Compare(a.Rule, b.Rule), strings.Compare(a.Resource.LogicalID, b.Resource.LogicalID))
	})
	snap, err := blob.Get[scan.Snapshot](ctx, h.blobs, in.Snapshot)
	if err != nil {
		return out, tasks.StoreError(err)
	}
	most := min(h.policy.Limits().PerScan, Most)
	for _, r := range wanted {
		l, known, err := h.live(ctx, snap, r.Resource)
		if err != nil {
			return out, fmt.Errorf("find the live resource of %s: %w", r.Resource.LogicalID, tasks.StoreError(err))
		}
		if !known {
			continue
		}
		if _, excluded := h.policy.Excluded(l.Resource, remedy.Tags(l.Resource.Type, l.Model)); excluded {
			continue
		}
		if len(out.Reviews) == most {
			out.Left++
			continue
		}
		q := change.Request{Change: name(r, l.Identifier), Rule: r.Rule, Severity: r.Severity, Resource: l.Resource, Identifier: l.Identifier}
		if where := r.Where(); where != l.Resource.Stack {
			q.Where = where
		}
		out.Reviews = append(out.Reviews, q)
	}
	out.Count = len(out.Reviews)
	return out, nil
}

// wants reports whether a row is of a violation that was not open before, and
// that the policy lets be settled where it is.
func (h *Handler) wants(r finding.Record) bool {
	if r.Verdict != finding.Fail || r.Suppressed != nil || r.Fix != finding.FixAvailable || r.Resource.LogicalID == "" ||
		r.State != finding.New && r.State != finding.Reopened || r.Deployed == finding.Pass { // the template alone is wrong
		return false
	}
	mode, _ := h.policy.Remediate(r.Rule, r.Severity, r.Resource.Type)
	return mode == ruleset.ModeLive || mode == ruleset.ModeApproval
}

// live is the deployed resource of a finding: by CloudFormation's physical id,
// from which the snapshot has Cloud Control's identifier, or by the locator.
func (h *Handler) live(ctx context.Context, snap *scan.Snapshot, r finding.Resource) (Live, bool, error) {
	if snap.Live != nil {
		for i := range snap.Live.Resources {
			x := &snap.Live.Resources[i]
			if x.LogicalID == r.LogicalID && x.Type == r.Type {
				return Live{r, x.Identifier, x.Model}, x.Identifier != "" && x.Model != nil && !x.Gone, nil
			}
		}
	}
	if h.locate == nil {
		return Live{}, false, nil
	}
	return h.locate.Locate(ctx, r)
}

// name is the change that this life of a violation asks for: the same for every
// call of every scan that sees it begin.
func name(r finding.Record, identifier string) string {
	begun := r.FirstSeen
	if r.State == finding.Reopened {
		begun = r.LastSeen
	}
	sum := sha256.Sum256([]byte(r.Fingerprint() + "\x00" + identifier + "\x00" + begun.UTC().Format(time.RFC3339Nano)))
	return "change-" + hex.EncodeToString(sum[:12])
}
