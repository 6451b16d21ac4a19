package approvalpage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"plumbline/blob"
	"plumbline/finding"
)

// planned is what of a change.Planned is shown. Its own package would bring
// along the rules' language, which makes the function half as large again.
type planned struct {
	Plan struct {
		Rule          string
		Title         string
		Message       string
		Resource      finding.Resource
		Identifier    string
		Before, After json.RawMessage
		Diff          []string
		Destructive   []string
		Irreversible  []string
		Breaks        string
		ReferredBy    []string
	}
	Why []string
}

// plansAt is where the store of objects has plans: change.Prefix.
const plansAt = "changes/"

// loadPlan reads the plan of a hash. One that is not what the hash says is
// blob.ErrChanged: it was not asked about.
func loadPlan(ctx context.Context, from blob.Store, of string) (*planned, error) {
	src, err := blob.Get[blob.Raw](ctx, from, blob.Ref{Key: plansAt + of + ".json"})
	if err != nil {
		return nil, fmt.Errorf("plan %s: %w", of, err)
	}
	if sum := sha256.Sum256(*src); hex.EncodeToString(sum[:]) != of {
		return nil, fmt.Errorf("plan %s: %w: it is not what is asked about", of, blob.ErrChanged)
	}
	var p planned
	if err := json.Unmarshal(*src, &p); err != nil {
		return nil, fmt.Errorf("plan %s: %w", of, err)
	}
	return &p, nil
}
