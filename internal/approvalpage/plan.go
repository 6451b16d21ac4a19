package approvalpage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

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
	Why      []string
	Alias    string // of the account
	Controls []control
	FollowIn int // seconds in which the template follows
	Template *template
}

// control is a requirement that asks for the rule.
type control struct {
	Framework string `json:"framework"`
	ID        string `json:"id"`
}

// template is what the owners of the template change in it.
type template struct {
	ConstructPath string // of a CDK app
	Diff          string // unified; "" where Why says why there is none
	Why           string
}

// requirements lists the controls by framework, PCI DSS first.
func requirements(controls []control) string {
	var order []string
	of := map[string][]string{}
	for _, c := range controls {
		if of[c.Framework] == nil {
			order = append(order, c.Framework)
		}
		of[c.Framework] = append(of[c.Framework], c.ID)
	}
	slices.SortStableFunc(order, func(a, b string) int {
		first := func(s string) int {
			if strings.HasPrefix(s, "pci-dss") {
				return 0
			}
			return 1
		}
		return first(a) - first(b)
	})
	for i, f := range order {
		order[i] = f + " " + strings.Join(of[f], ", ")
	}
	return strings.Join(order, "; ")
}

// lines are the lines of a unified diff but for its heads.
func (t *template) lines() []line {
	var out []line
	for text := range strings.Lines(t.Diff) {
		text = strings.TrimSuffix(text, "\n")
		switch {
		case strings.HasPrefix(text, "diff "), strings.HasPrefix(text, "--- "), strings.HasPrefix(text, "+++ "):
		case strings.HasPrefix(text, "-"), strings.HasPrefix(text, "+"):
			out = append(out, line{text[:1], text[1:]})
		default:
			out = append(out, line{"", text})
		}
	}
	return out
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
