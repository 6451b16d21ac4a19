package ruleset

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"plumbline/cfn"
	"plumbline/cfn/schema"
	"plumbline/finding"
)

// Fix is what settles a finding: operations on the resource's properties, with
// every value worked out.
type Fix struct {
	Ops       []cfn.Op
	Others    []OtherOps    // on other resources of the template
	Companion *cfn.Resource // to be added beside it; nil: none
	Delete    bool          // the resource is to be taken out of its template; nothing else is to be done then
	Needs     []string      // what is missing: "policy value kmsKey", "parameter X"; the fix is not complete then
	Breaks    string        // what it may break, in words
}

// OtherOps are operations on a resource that the finding's refers to, or that
// refers to it: a bucket's policy.
type OtherOps struct {
	LogicalID string
	Ops       []cfn.Op
}

// itemName is the variable that stands for the item in a fix step's where and cel,
// and for the policy's value where a step has both.
const itemName = "item"

// Fix works out a failure's fix in one model. A rule without fix data gives the
// zero Fix. The error is that of an unknown rule or resource, or of an
// expression that cannot be evaluated.
func (s *Set) Fix(f finding.Finding, m *cfn.Model) (Fix, error) {
	r, err := s.Rule(f.Rule)
	if err != nil {
		return Fix{}, err
	}
	out := Fix{Breaks: r.Breaks}
	if len(r.Fix) == 0 {
		return Fix{}, nil
	}
	resource := m.Resource(f.Resource.LogicalID)
	if resource == nil {
		return Fix{}, fmt.Errorf("fix %s: the template has no resource %q", r.ID, f.Resource.LogicalID)
	}
	c, err := s.entry(r.ID).compile(resource.Type)
	if err != nil {
		return Fix{}, err
	}
	if err := c.rest(); err != nil {
		return Fix{}, err
	}
	j := s.judgement(context.Background(), []*cfn.Model{m})
	own := &owner{model: m, resource: resource}
	related := j.related(r, 0, resource)
	e := j.prepare(c, 0, own, related, 0)
	for i := range r.Fix {
		step := j.step
		if r.Fix[i].On != "" {
			step = func(out *Fix, e *evaluation, i int) error { return j.onOthers(out, e, i, related) }
		}
		if err := step(&out, e, i); err != nil {
			return Fix{}, fmt.Errorf("fix %s of %q: %w", r.ID, resource.LogicalID, err)
		}
	}
	out.Needs = mergeNeeds(out.Needs, out.parentsNeed(resource))
	return out, nil
}

// step works out the i-th step of a fix.
func (j *judgement) step(out *Fix, e *evaluation, i int) error {
	step := &e.c.rule.Fix[i]
	resource := e.owner.resource
	switch step.Do {
	case doTags:
		e.tagStep(out, j.set.policy)
		return nil
	case doDelete:
		out.Delete = true
		return nil
	}
	if step.Do == "companion" {
		if ok, err := e.holds(i); !ok {
			return err
		}
		value, needs, err := j.value(e, i)
		if err != nil || needs != nil {
			out.Needs = mergeNeeds(out.Needs, needs)
			return err
		}
		properties, ok := value.(map[string]any)
		if !ok {
			return fmt.Errorf("the companion's properties are no mapping")
		}
		typ := step.Path[0]
		name := freeID(e.owner.model, resource.LogicalID+typ[strings.LastIndex(typ, ":")+1:])
		out.Companion = &cfn.Resource{LogicalID: name, Type: typ, Properties: cfn.FromPlain(properties)}
		return nil
	}
	targets, err := e.targets(step, i)
	if err != nil {
		return err
	}
	for _, t := range targets {
		op := cfn.Op{Do: step.Do, Path: t.path}
		if step.Do != cfn.OpRemove {
			e.item = t.item
			value, needs, err := j.value(e, i)
			if err != nil {
				return err
			}
			if needs != nil {
				out.Needs = mergeNeeds(out.Needs, needs)
				continue
			}
			op.Value = value
		}
		out.Ops = append(out.Ops, op)
	}
	return nil
}

// onOthers works out the i-th step on the resources of a relation, those that
// are known to belong to it.
func (j *judgement) onOthers(out *Fix, e *evaluation, i int, related [][]member) error {
	step := &e.c.rule.Fix[i]
	n := e.c.rule.relation(step.On)
	if n < 0 || n >= len(related) {
		return nil // compiling has refused it
	}
	if ok, err := e.holds(i); !ok {
		return err
	}
	for _, m := range related[n] {
		if m.resource == nil || m.unsure {
			continue
		}
		op := cfn.Op{Do: step.Do, Path: step.Path}
		if step.Do != cfn.OpRemove {
			value, needs, err := j.value(e, i)
			if err != nil || needs != nil {
				out.Needs = mergeNeeds(out.Needs, needs)
				return err
			}
			op.Value = value
		}
		at := slices.IndexFunc(out.Others, func(o OtherOps) bool { return o.LogicalID == m.resource.LogicalID })
		if at < 0 {
			out.Others = append(out.Others, OtherOps{LogicalID: m.resource.LogicalID})
			at = len(out.Others) - 1
		}
		out.Others[at].Ops = append(out.Others[at].Ops, op)
	}
	return nil
}

// holds reports whether the i-th step's where holds; what is not known does not.
func (e *evaluation) holds(i int) (bool, error) {
	where := e.c.wheres[i]
	if where == nil {
		return true, nil
	}
	v := where.run(e.ctx, e)
	if types.IsError(v) {
		return false, fmt.Errorf("where: %v", v)
	}
	return v == types.True, nil
}

// relation is the number of a relation, -1 where there is none of this name.
func (r *Rule) relation(name string) int {
	return slices.IndexFunc(r.Relations, func(x Relation) bool { return x.Name == name })
}

// target is one place that a step changes.
type target struct {
	path []string
	item ref.Val // nil: the path goes through no list
}

// targets expands a path's [] to the items that where takes. Items of a list
// come from the last to the first, so that a removal moves none of the others.
func (e *evaluation) targets(step *FixStep, i int) ([]target, error) {
	type open struct {
		value *cfn.Value
		typ   *schema.Type
		target
	}
	list := []open{{e.owner.resource.Properties, e.c.typ, target{}}}
	for _, name := range step.Path {
		name, each := strings.CutSuffix(name, "[]")
		var next []open
		for _, o := range list {
			child := o.value.Get(name)
			typ := typeBelow(o.typ, name)
			path := append(slices.Clip(o.path), name)
			if !each {
				next = append(next, open{child, typ, target{path, o.item}})
				continue
			}
			view, ok := e.owner.convert(child, typ, name).(*listView)
			if !ok {
				continue
			}
			for k := len(view.items) - 1; k >= 0; k-- {
				next = append(next, open{view.items[k], view.typ.Elem, target{append(slices.Clip(path), strconv.Itoa(k)), view.at(k)}})
			}
		}
		list = next
	}
	var out []target
	for _, o := range list {
		e.item = o.item
		ok, err := e.holds(i)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, o.target)
		}
	}
	return out, nil
}

func typeBelow(t *schema.Type, name string) *schema.Type {
	switch t.Kind {
	case schema.Object:
		if p := t.Property(name); p != nil {
			return p.Type
		}
	case schema.Map:
		return t.Elem
	}
	return anyType
}

// value is a step's value, or what is missing to know it.
func (j *judgement) value(e *evaluation, i int) (value any, needs []string, err error) {
	step := &e.c.rule.Fix[i]
	switch {
	case step.Policy != "":
		text, ok := j.set.policy.Value(step.Policy, e.owner.model.Inputs.Region)
		if !ok {
			return nil, []string{"policy value " + step.Policy}, nil
		}
		if e.c.fixes[i] == nil {
			return text, nil, nil
		}
		e.item = types.String(text)
		fallthrough
	case e.c.fixes[i] != nil:
		v := e.c.fixes[i].run(e.ctx, e)
		if u, ok := v.(*types.Unknown); ok {
			return nil, needsOf(u), nil
		}
		value, err = toPlain(v)
		if missing := (*missingError)(nil); errors.As(err, &missing) {
			return nil, sorted(missing.needs), nil
		}
		return value, nil, err
	}
	return step.Value, nil, nil
}

// freeID is a logical id that the template does not use yet.
func freeID(m *cfn.Model, id string) string {
	id = strings.Map(func(r rune) rune { // CloudFormation takes letters and digits
		if r < '0' || r > '9' && r < 'A' || r > 'Z' && r < 'a' || r > 'z' {
			return -1
		}
		return r
	}, id)
	free := id
	for n := 2; m.Resource(free) != nil; n++ {
		free = id + strconv.Itoa(n)
	}
	return free
}

// fixTarget checks a step's path against the type and returns the type of the
// item that its last [] stands for; nil where it goes through no list.
func (r *Rule) fixTarget(step *FixStep, typ *schema.Type) (item *schema.Type, err error) {
	if step.Do == "companion" {
		if !schema.Known(step.Path[0]) {
			return nil, r.at("fix", Expression{Line: step.Line, Column: 3, folded: true}, 1, 1,
				fmt.Sprintf("type %q is not known%s", step.Path[0], suggestType(step.Path[0])))
		}
		return nil, nil
	}
	if step.On != "" {
		n := r.relation(step.On)
		if n < 0 {
			return nil, r.at("fix", Expression{Line: step.Line, Column: 3, folded: true}, 1, 1, fmt.Sprintf("on is %q, and there is no relation of this name", step.On))
		}
		s := schema.Lookup(r.Relations[n].Type)
		if s == nil {
			return nil, nil
		}
		typ = s.Type
	}
	if step.Do == doTags || step.Do == doDelete || typ == openType {
		return nil, nil
	}
	for i, name := range step.Path {
		name, each := strings.CutSuffix(name, "[]")
		if typ.Kind == schema.Any {
			if strings.Contains(strings.Join(step.Path[i:], "."), "[]") {
				item = anyType
			}
			return item, nil
		}
		var next *schema.Type
		switch {
		case typ.Kind == schema.Object:
			if p := typ.Property(name); p != nil {
				next = p.Type
			}
		case typ.Kind == schema.Map:
			next = typ.Elem
		}
		if next == nil {
			message := fmt.Sprintf("undefined property %q of %s", name, describeOwner(typ))
			if near := typ.Nearest(name); near != "" {
				message += ". did you mean " + near + "?"
			}
			return nil, r.at("fix", Expression{Line: step.Line, Column: 3, folded: true}, 1, 1, message)
		}
		if each {
			if next.Kind != schema.List {
				return nil, r.at("fix", Expression{Line: step.Line, Column: 3, folded: true}, 1, 1, fmt.Sprintf("property %q is no list, so [] does not apply", name))
			}
			next = next.Elem
			item = next
		}
		typ = next
	}
	return item, nil
}

func describeOwner(t *schema.Type) string {
	if t.Name != "" {
		return t.Name
	}
	return describeType(t)
}
