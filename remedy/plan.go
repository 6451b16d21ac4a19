package remedy

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"plumbline/cfn"
	"plumbline/finding"
	"plumbline/ruleset"
)

// Plan is what would be done to one live resource, all that a person is shown
// before deciding, and all that is needed to do it, verify it and undo it.
// Decisions are bound to its Hash. It is plain data, for JSON.
type Plan struct {
	Finding     string // fingerprint
	Rule        string
	Title       string // of the rule: what is right
	Severity    finding.Severity
	Message     string // what was found
	Resource    finding.Resource
	Identifier  string // Cloud Control's primary identifier
	Ops         []Op
	Before      json.RawMessage // the live model when the plan was made
	After       json.RawMessage
	Patch, Undo []PatchOp // Undo is empty where the service never takes such a change back
	Diff        []string  // one line a changed property: "- A.B: 1", "+ A.B: 2"
	Reads       []Read    // what the rule read: a change of it makes the plan stale

	Destructive  []string // reasons, such as what is replaced or cut off; empty: not destructive
	Irreversible []string // why the undo cannot restore all; empty: it does
	TemplateOnly []string // why it cannot be made live; empty: it can
	Breaks       string   // what it may break, in the rule's words
	ReferredBy   []string // logical ids of the stack's resources that refer to this one
}

// Op is an operation as it is kept in a plan.
type Op struct {
	Do    string   `json:"do"`
	Path  []string `json:"path"`
	Value any      `json:"value,omitempty"`
}

// Read is one value that the rule looked at when the plan was made.
type Read struct{ Path, Value string }

// Final reports whether nothing takes the change back, so that the plan has no undo.
func (p *Plan) Final() bool { return len(p.Undo) == 0 && len(p.Irreversible) > 0 }

// Hash identifies everything that a person was shown: SHA-256, hex. Two plans
// of one hash do the same to the same model.
func (p *Plan) Hash() string {
	src, err := json.Marshal(p)
	if err != nil { // no value of a plan is anything that JSON has no form for
		return ""
	}
	sum := sha256.Sum256(src)
	return hex.EncodeToString(sum[:])
}

// ErrNothingToDo says that the resource passes the rule, or is as the fix would
// leave it.
var ErrNothingToDo = errors.New("the resource is as the rule asks for already")

// NeedsError says what must be supplied before a fix can be worked out.
type NeedsError struct{ Needs []string }

func (e *NeedsError) Error() string { return "the fix needs " + strings.Join(e.Needs, ", ") }

// Make works out the plan for one finding on a live resource: model is what
// Cloud Control gives of it. around are the other resources of its stack, which
// relations and ReferredBy look at; nil where they are not known.
//
// The error is ErrNothingToDo, a *NeedsError, or says that the rule has no fix
// or does not fit the model.
func Make(ctx context.Context, set *ruleset.Set, f finding.Finding, identifier string, model []byte, around *cfn.Model) (*Plan, error) {
	id := f.Resource.LogicalID
	world, err := worldOf(f.Resource, model, around)
	if err != nil {
		return nil, err
	}
	var referred []string
	for _, r := range world.Resources[1:] {
		if refersTo(r.Properties, id, identifier) {
			referred = append(referred, r.LogicalID)
		}
	}
	x, err := set.Explain(ctx, f.Rule, id, []*cfn.Model{world})
	switch {
	case err != nil:
		return nil, err
	case x.Finding.Verdict == finding.Pass || x.Finding.Verdict == finding.Skip:
		return nil, ErrNothingToDo
	case x.Finding.Verdict != finding.Fail:
		return nil, fmt.Errorf("rule %s says %s of the live resource, so nothing may be changed: %s", f.Rule, x.Finding.Verdict, x.Finding.Message)
	}
	fix, err := set.Fix(x.Finding, world)
	switch {
	case err != nil:
		return nil, err
	case len(fix.Needs) > 0:
		return nil, &NeedsError{fix.Needs}
	case len(fix.Ops) == 0 && (fix.Delete || len(fix.Others) > 0 || fix.Companion != nil):
		return nil, fmt.Errorf("rule %s is settled in the template only: its fix adds, changes or deletes another resource. %s", f.Rule, x.Rule.Remediation)
	case len(fix.Ops) == 0:
		return nil, fmt.Errorf("rule %s has no change of a property that settles it live: %s", f.Rule, x.Rule.Remediation)
	}
	p := &Plan{
		Finding: f.Fingerprint(), Rule: f.Rule, Title: x.Rule.Title, Severity: f.Severity, Message: x.Finding.Message,
		Resource: f.Resource, Identifier: identifier, Breaks: fix.Breaks, ReferredBy: referred,
	}
	for _, op := range fix.Ops {
		p.Ops = append(p.Ops, Op(op))
	}
	if p.Patch, p.Undo, p.After, err = PatchModel(model, fix.Ops); err != nil {
		return nil, err
	}
	if len(p.Patch) == 0 {
		return nil, ErrNothingToDo
	}
	if p.Before, err = compact(model); err != nil {
		return nil, err
	}
	for _, r := range x.Reads {
		p.Reads = append(p.Reads, Read{r.Resource + "." + r.Path, r.Value})
	}
	p.Diff = lines(p.Undo, p.Patch)
	before, err := decode(model)
	if err != nil {
		return nil, err // PatchModel has read it
	}
	c := consequencesFor(p.Resource.Type, fix.Ops, before, p.Patch)
	c.OfRule(x.Rule)
	if x.Rule.Permanent != "" {
		p.Undo = nil
	}
	p.Destructive, p.Irreversible, p.TemplateOnly = c.Destructive, c.Irreversible, c.TemplateOnly
	after, err := Verify(ctx, set, p, p.After, around)
	if err != nil {
		return nil, err
	}
	if after.Verdict != finding.Pass {
		return nil, fmt.Errorf("the change would not settle rule %s: %s", f.Rule, after.Message)
	}
	return p, nil
}

// worldOf is a live resource first, then what stands around it.
func worldOf(r finding.Resource, model []byte, around *cfn.Model) (*cfn.Model, error) {
	live, err := cfn.Live(r.Type, r.LogicalID, model)
	if err != nil {
		return nil, err
	}
	world := &cfn.Model{Resources: []*cfn.Resource{live}, Inputs: cfn.Inputs{Account: r.Account, Region: r.Region, Stack: r.Stack}}
	if around != nil {
		for _, other := range around.Resources {
			if other.LogicalID != r.LogicalID {
				world.Resources = append(world.Resources, other)
			}
		}
	}
	return world, nil
}

// Verify says what the plan's rule says of a model: how a change is judged
// after it was made, and an undo after that.
func Verify(ctx context.Context, set *ruleset.Set, p *Plan, model []byte, around *cfn.Model) (finding.Finding, error) {
	world, err := worldOf(p.Resource, model, around)
	if err != nil {
		return finding.Finding{}, err
	}
	return set.Verdict(ctx, p.Rule, p.Resource.LogicalID, []*cfn.Model{world})
}

// Stale reports what has changed of what the plan touches or its rule read
// since it was made; empty: nothing, and the plan may be applied.
func (p *Plan) Stale(ctx context.Context, set *ruleset.Set, model []byte, around *cfn.Model) ([]string, error) {
	var out []string
	now, err := decode(model)
	if err != nil {
		return nil, fmt.Errorf("read the live model: %w", err)
	}
	for _, op := range p.Patch {
		v, there := at(now, op.Path)
		switch {
		case op.Op == "test" && !(there && same(v, op.Value)), op.Op == "add" && there:
			out = append(out, dotted(op.Path))
		}
	}
	world, err := worldOf(p.Resource, model, around)
	if err != nil {
		return nil, err
	}
	x, err := set.Explain(ctx, p.Rule, p.Resource.LogicalID, []*cfn.Model{world})
	if err != nil {
		return nil, err
	}
	before := map[string]string{}
	for _, r := range p.Reads {
		before[r.Path] = r.Value
	}
	for _, r := range x.Reads {
		path := r.Resource + "." + r.Path
		if was, ok := before[path]; ok && was != r.Value && !slices.Contains(out, r.Path) {
			out = append(out, r.Path)
		}
	}
	return out, nil
}

// refersTo reports whether a resolved value refers to a resource of the
// template, or names a live one by its identifier.
func refersTo(v *cfn.Value, id, identifier string) bool {
	if v == nil {
		return false
	}
	if v.Kind == cfn.String && identifier != "" && v.Text == identifier {
		return true
	}
	if u := v.Unknown; u != nil {
		if u.Ref != nil && u.Ref.LogicalID == id {
			return true
		}
		if slices.ContainsFunc(u.Shape, func(p cfn.Piece) bool { return p.Ref != nil && p.Ref.LogicalID == id }) {
			return true
		}
	}
	return slices.ContainsFunc(v.Items, func(x *cfn.Value) bool { return refersTo(x, id, identifier) }) ||
		slices.ContainsFunc(v.Fields, func(f cfn.Field) bool { return refersTo(f.Value, id, identifier) })
}

// lines are the two patches as a diff that people read.
func lines(undo, patch []PatchOp) []string {
	before := map[string]any{}
	for _, op := range undo {
		if op.Op != "test" {
			before[op.Path] = op.Value
		}
	}
	var out []string
	for _, op := range patch {
		if op.Op == "test" {
			continue
		}
		if old, ok := before[op.Path]; ok && op.Op != "add" {
			out = append(out, "- "+dotted(op.Path)+": "+value(old))
		}
		if op.Op != "remove" {
			out = append(out, "+ "+dotted(op.Path)+": "+value(op.Value))
		}
	}
	return out
}

// dotted is a JSON pointer as rules write paths.
func dotted(pointer string) string {
	parts := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i := range parts {
		parts[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(parts[i])
	}
	return strings.Join(parts, ".")
}

// at is the value at a JSON pointer through objects.
func at(v any, pointer string) (any, bool) {
	for _, key := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil, false
		}
		if v, ok = m[strings.NewReplacer("~1", "/", "~0", "~").Replace(key)]; !ok {
			return nil, false
		}
	}
	return v, true
}

func compact(src []byte) (json.RawMessage, error) {
	var b bytes.Buffer
	if err := json.Compact(&b, src); err != nil {
		return nil, fmt.Errorf("read the live model: %w", err)
	}
	return b.Bytes(), nil
}
