// Package change is what the tasks of a remediation hand on to each other: the
// request, the plan as it is kept and decided on, how a change ended, and
// what they ask of the surroundings.
package change

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	"plumbline/blob"
	"plumbline/cfn"
	"plumbline/finding"
	"plumbline/remedy"
	"plumbline/ruleset"
)

// Surroundings tells what stands around a resource.
type Surroundings interface {
	// Around are the resources of its stack, nil where they are not known.
	Around(ctx context.Context, r finding.Resource) (*cfn.Model, error)
	// Updating says in which state the stack is that owns the resource where
	// CloudFormation changes it now, such as UPDATE_IN_PROGRESS; else "".
	Updating(ctx context.Context, r finding.Resource) (string, error)
}

// Templates are surroundings that know the template which a resource's stack was
// deployed from; nil where they do not know it.
type Templates interface {
	Template(ctx context.Context, r finding.Resource) (*cfn.Template, cfn.Inputs, error)
}

// Request asks for one violation of one live resource to be settled. It is the
// input of the workflow remediate-finding.
type Request struct {
	Change     string           `json:"change"` // names this change; asked for twice, it is one
	Rule       string           `json:"rule"`
	Severity   finding.Severity `json:"severity,omitempty"` // "": the rule's own by the policy
	Resource   finding.Resource `json:"resource"`
	Identifier string           `json:"identifier"`          // Cloud Control's primary identifier
	Requester  string           `json:"requester,omitempty"` // a person; "": not known, so two must approve
	Where      string           `json:"where,omitempty"`     // what names the finding's target in the findings table; "": the resource's stack
	Plan       string           `json:"plan,omitempty"`      // hash of a plan that was made before; "": make one
	Undo       bool             `json:"undo,omitempty"`      // take the plan's change back
}

var changeName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// Check says what a request lacks.
func (r *Request) Check() error {
	switch {
	case !changeName.MatchString(r.Change):
		return fmt.Errorf("change %q is no name: want 1 to 80 letters, digits, - and _", r.Change)
	case r.Undo && r.Plan == "":
		return errors.New("an undo needs the plan whose change is taken back")
	case r.Plan != "" && !hash.MatchString(r.Plan):
		return fmt.Errorf("plan %q is no hash: want 64 hexadecimal digits", r.Plan)
	case r.Plan == "" && (r.Rule == "" || r.Resource.Type == "" || r.Resource.LogicalID == "" || r.Identifier == ""):
		return errors.New("want rule, resource with Type and LogicalID, and identifier")
	}
	return nil
}

// FindingKey is the lease of what a request is about: one change at a time.
func (r *Request) FindingKey() string {
	if r.Plan != "" && r.Rule == "" {
		return "plan/" + r.Plan
	}
	return "finding/" + finding.Finding{Rule: r.Rule, Resource: r.Resource}.Fingerprint() + "/" + digest(r.Identifier)
}

// Planned is a plan with all that its decision rests on. It never changes.
type Planned struct {
	Change    string // of the request: a plan is for one change, so its approval cannot be used for another
	Plan      remedy.Plan
	Mode      ruleset.Mode
	Why       []string // why the mode is stricter than the policy's
	Requester string
	Groups    []string // of which one may approve
	Seconds   int      // how long an approval is waited for

	Alias    string                    `json:",omitempty"` // of the account, by the policy
	Controls []ruleset.Control         `json:",omitempty"` // requirements that ask for the rule
	Domain   finding.Domain            `json:",omitempty"` // of the rule
	Where    string                    `json:",omitempty"` // as in the request
	Limits   ruleset.RemediationLimits // by the policy when the plan was made
	FollowIn int                       // seconds in which the template follows a live change
	Template *Source                   `json:",omitempty"` // what its owners change in the template; nil where no stack owns the resource
}

// Source is the change of the template that a resource is deployed from.
type Source struct {
	ConstructPath string      `json:",omitempty"` // of a CDK app
	Ops           []remedy.Op // on the resource's properties
	Diff          string      `json:",omitempty"` // of the template as it was deployed, unified; "" where Why says why there is none
	Why           string      `json:",omitempty"`
}

// Row says where the findings table has the violation: what names its target
// there, and the logical id. See Remembered.
func (p *Planned) Row() (where, logicalID string) {
	if p.Where != "" {
		return p.Where, p.Plan.Resource.LogicalID
	}
	return Remembered(p.Plan.Resource, p.Plan.Identifier)
}

// noStack stands for the stack of a resource that none owns. No stack can be called so.
const noStack = "(no stack)"

// Remembered says where the findings table has the violations of a live
// resource. One of no stack has no logical id that others do not have.
func Remembered(r finding.Resource, identifier string) (where, logicalID string) {
	if r.Stack == "" {
		return noStack, r.Type + " " + identifier
	}
	return r.Stack, r.LogicalID
}

// Needed is how many people must approve, as approval.Request says.
func (p *Planned) Needed() int {
	if p.Requester == "" {
		return 2
	}
	return 1
}

// ResourceKey is the lease of the resource: one change at a time.
func (p *Planned) ResourceKey() string {
	r := p.Plan.Resource
	return "resource/" + digest(r.Account+"\x00"+r.Region+"\x00"+r.Type+"\x00"+p.Plan.Identifier)
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}

// Prefix is where plans are kept in the store of objects.
const Prefix = "changes/"

var hash = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Keep stores a plan and returns its hash, the SHA-256 of what is stored in
// hex: it covers the plan and all that its decision rests on.
func Keep(ctx context.Context, to blob.Store, p *Planned) (hash string, err error) {
	src, err := json.Marshal(p)
	if err != nil {
		return "", fmt.Errorf("keep a plan: %w", err)
	}
	sum := sha256.Sum256(src)
	hash = hex.EncodeToString(sum[:])
	_, err = to.Put(ctx, Prefix+hash+".json", blob.Raw(src))
	return hash, err
}

// Load reads the plan of a hash. One that is not what the hash says is
// blob.ErrChanged.
func Load(ctx context.Context, from blob.Store, of string) (*Planned, error) {
	if !hash.MatchString(of) {
		return nil, fmt.Errorf("plan %q is no hash: want 64 hexadecimal digits", of)
	}
	src, err := blob.Get[blob.Raw](ctx, from, blob.Ref{Key: Prefix + of + ".json"})
	if err != nil {
		return nil, fmt.Errorf("plan %s: %w", of, err)
	}
	if sum := sha256.Sum256(*src); hex.EncodeToString(sum[:]) != of { // a store of values checks none
		return nil, fmt.Errorf("plan %s: %w: it is not what was decided on", of, blob.ErrChanged)
	}
	var p Planned
	d := json.NewDecoder(bytes.NewReader(*src))
	d.UseNumber() // a number stays as it is written
	if err := d.Decode(&p); err != nil {
		return nil, fmt.Errorf("plan %s: %w", of, err)
	}
	return &p, nil
}
