package ruleset

import (
	"fmt"
	"slices"
	"strings"

	"plumbline/cfn"
	"plumbline/cfn/schema"
	"plumbline/internal/nearest"
)

// graph is the resources of one model by type, and their links. Both are made
// when first asked for, each in one pass over the resources of a type.
type graph struct {
	model  *cfn.Model
	byType map[string][]*cfn.Resource
	links  map[linkKey]*links
}

// linkKey names the links that resources of a type have at a property path.
type linkKey struct{ typ, path string }

// links are the resources of a type by what their property refers to.
type links struct {
	byRef     map[string][]*cfn.Resource // logical id
	byLiteral map[string][]*cfn.Resource // text
	open      []*openLink                // links that are not known
}

// openLink is a link that may go anywhere, with all the resources that have it:
// a template of thousands of resources has few different ones.
type openLink struct {
	from    []*cfn.Resource
	unknown *cfn.Unknowing
	text    *symbolic // what is known of it; nil: nothing
}

func newGraph(m *cfn.Model) *graph { return &graph{model: m} }

func (g *graph) ofType(typ string) []*cfn.Resource {
	if g.byType == nil {
		g.byType = make(map[string][]*cfn.Resource)
		for _, r := range g.model.Resources {
			g.byType[r.Type] = append(g.byType[r.Type], r)
		}
	}
	return g.byType[typ]
}

func (g *graph) linksOf(typ, path string) *links {
	key := linkKey{typ, path}
	if l, ok := g.links[key]; ok {
		return l
	}
	l := &links{byRef: map[string][]*cfn.Resource{}, byLiteral: map[string][]*cfn.Resource{}}
	var groups map[string]*openLink
	for _, r := range g.ofType(typ) {
		for _, v := range valuesAt(r.Properties, path) {
			ids, literal, open := linkTargets(v)
			for _, id := range ids {
				if list := l.byRef[id]; len(list) == 0 || list[len(list)-1] != r {
					l.byRef[id] = append(list, r)
				}
			}
			if literal != "" {
				l.byLiteral[literal] = append(l.byLiteral[literal], r)
			}
			if open == nil {
				continue
			}
			key := openKey(open)
			group := groups[key]
			if group == nil {
				group = &openLink{unknown: open, text: (&owner{}).symbolicOf(open)}
				if groups == nil {
					groups = map[string]*openLink{}
				}
				groups[key] = group
				l.open = append(l.open, group)
			}
			group.from = append(group.from, r)
		}
	}
	if g.links == nil {
		g.links = map[linkKey]*links{}
	}
	g.links[key] = l
	return l
}

// linkTargets is what one value of a link refers to: logical ids, a literal,
// or nothing that is known.
func linkTargets(v *cfn.Value) (ids []string, literal string, open *cfn.Unknowing) {
	switch v.Kind {
	case cfn.String, cfn.Number:
		return nil, v.Text, nil
	case cfn.Unknown:
		u := v.Unknown
		if u.Ref != nil {
			return []string{u.Ref.LogicalID}, "", nil
		}
		for i := range u.Shape {
			if r := u.Shape[i].Ref; r != nil && !slices.Contains(ids, r.LogicalID) {
				ids = append(ids, r.LogicalID)
			}
		}
		if len(ids) == 0 {
			open = u
		}
	}
	return ids, "", open
}

// valuesAt are the values at a path such as Rules[].TargetId; a list at its end
// counts item by item.
func valuesAt(v *cfn.Value, path string) []*cfn.Value {
	out := []*cfn.Value{v}
	for name := range strings.SplitSeq(path, ".") {
		name, each := strings.CutSuffix(name, "[]")
		var next []*cfn.Value
		for _, x := range out {
			child := x.Get(name)
			switch {
			case x.IsKind(cfn.Unknown):
				next = append(next, x)
			case child == nil || child.Kind == cfn.Null:
			case child.Kind == cfn.List:
				next = append(next, child.Items...)
			default:
				_ = each // a scalar where a list is due is a list of one
				next = append(next, child)
			}
		}
		out = next
	}
	return out
}

// names are the texts that refer to a resource from outside: its explicit name
// or primary identifier, where it is literal, and an unknown name's own pieces.
func names(r *cfn.Resource) (literals []string, open []*cfn.Unknowing) {
	s := schema.Lookup(r.Type)
	if s == nil || r.Properties == nil {
		return nil, nil
	}
	for _, path := range s.PrimaryIdentifier {
		switch v := r.Properties.Get(path); {
		case v == nil:
		case v.Kind == cfn.String:
			literals = append(literals, v.Text)
		case v.Kind == cfn.Unknown:
			open = append(open, v.Unknown)
		}
	}
	// A deployed resource knows its ARN and its ids, by which others refer to it;
	// no template can set what is read-only.
	for _, path := range s.ReadOnly {
		if v := r.Properties.Get(path); v.IsKind(cfn.String) && (strings.HasSuffix(path, "Arn") || strings.HasSuffix(path, "ARN") || strings.HasSuffix(path, "Id")) && !slices.Contains(literals, v.Text) {
			literals = append(literals, v.Text)
		}
	}
	return literals, open
}

// member is one element of a relation.
type member struct {
	resource *cfn.Resource // nil: not known which
	needs    []string      // resource nil: what would settle which; else what would settle whether it belongs
	unsure   bool          // the resource may belong or not; resource nil: there may be none, or several
}

// members are the elements of a relation of subject. earlier are the elements
// of the relation that it hops from.
func (g *graph) members(rel *Relation, subject *cfn.Resource, earlier []member) []member {
	if rel.Any {
		var out []member
		for _, r := range g.ofType(rel.Type) {
			out = append(out, member{resource: r})
		}
		return append(out, g.unlisted(rel)...)
	}
	if rel.Of == "" {
		return append(g.step(rel, subject), g.unlisted(rel)...)
	}
	var out []member
	for _, m := range earlier {
		if m.resource == nil {
			m.unsure = true // what stands behind an unknown resource cannot be counted
			out = append(out, m)
			continue
		}
		for _, next := range g.step(rel, m.resource) {
			next.unsure = next.unsure || m.unsure
			next.needs = mergeNeeds(next.needs, m.needs)
			if !slices.ContainsFunc(out, func(x member) bool { return x.resource == next.resource && x.resource != nil }) {
				out = append(out, next)
			}
		}
	}
	if len(earlier) > 0 {
		out = append(out, g.unlisted(rel)...)
	}
	return out
}

// unlisted stands for the resources of a type that nobody could list, whether
// there are any or not.
func (g *graph) unlisted(rel *Relation) []member {
	if rel.From != "" || !slices.Contains(g.model.Unlisted, rel.Type) {
		return nil
	}
	return []member{{needs: []string{"a list of the account's resources of type " + rel.Type + ", which Cloud Control does not give"}, unsure: true}}
}

// step follows one relation from one resource.
func (g *graph) step(rel *Relation, from *cfn.Resource) []member {
	if rel.By != "" {
		return g.referrers(rel, from)
	}
	var out []member
	add := func(m member) {
		if m.resource == nil || !slices.ContainsFunc(out, func(x member) bool { return x.resource == m.resource }) {
			out = append(out, m)
		}
	}
	// LaunchTemplateName names a launch template beside its identifier.
	name := rel.Type[strings.LastIndexByte(rel.Type, ':')+1:] + "Name"
	byName := rel.From == name || strings.HasSuffix(rel.From, "."+name)
	for _, v := range valuesAt(from.Properties, rel.From) {
		ids, literal, open := linkTargets(v)
		for _, id := range ids {
			switch target := g.model.Resource(id); {
			case target == nil:
			case target.Type == rel.Type:
				add(member{resource: target})
			case !strings.HasPrefix(target.Type, "AWS::") || target.Type == "AWS::CloudFormation::Stack" || target.Type == "AWS::CloudFormation::CustomResource":
				add(member{needs: v.Unknown.Needs}) // an output that may be such a resource
			}
		}
		if literal != "" {
			found := false
			for _, r := range g.ofType(rel.Type) {
				if literals, _ := names(r); slices.Contains(literals, literal) || byName && r.Properties.Get(name).IsKind(cfn.String) && r.Properties.Get(name).Text == literal {
					add(member{resource: r})
					found = true
				}
			}
			if !found {
				add(member{needs: []string{rel.Type + " " + literal + " outside the template"}})
			}
		}
		if open != nil {
			add(member{needs: open.Needs, unsure: open.Shape == nil}) // without a shape it may be a list
		}
	}
	return out
}

// referrers are the resources of rel.Type whose property refers to target.
func (g *graph) referrers(rel *Relation, target *cfn.Resource) []member {
	l := g.linksOf(rel.Type, rel.By)
	var out []member
	for _, r := range l.byRef[target.LogicalID] {
		out = append(out, member{resource: r})
	}
	literals, opens := names(target)
	listed := make(map[*cfn.Resource]bool, len(out))
	for _, m := range out {
		listed[m.resource] = true
	}
	add := func(m member) {
		if m.resource != target && !listed[m.resource] {
			listed[m.resource] = true
			out = append(out, m)
		}
	}
	for _, name := range literals {
		for _, r := range l.byLiteral[name] {
			add(member{resource: r})
		}
	}
	if len(l.open) == 0 || len(literals) == 0 && len(opens) == 0 {
		return out
	}
	texts := make([]*symbolic, len(opens))
	for i := range opens {
		texts[i] = (&owner{}).symbolicOf(opens[i])
	}
	unsure := 0
	var more []string // needs of those that are not listed one by one
	for _, link := range l.open {
		belongs := couldName(link, literals, opens, texts)
		if belongs == no {
			continue
		}
		for _, r := range link.from {
			switch {
			case r == target || listed[r]:
			case belongs == yes:
				add(member{resource: r})
			case unsure < maxUnsure:
				unsure++
				add(member{resource: r, needs: link.unknown.Needs, unsure: true})
			case len(more) < maxMore:
				more = mergeNeeds(more, link.unknown.Needs)
			}
			if unsure == maxUnsure && len(more) >= maxMore && belongs == maybe {
				break
			}
		}
	}
	if len(more) > 0 {
		out = append(out, member{needs: more, unsure: true})
	}
	return out
}

// maxMore is how much is named that would settle the unsure members which are
// not listed: one element stands for all of them.
const maxMore = 4

// openKey is the same for links of which the same is known.
func openKey(u *cfn.Unknowing) string {
	var b strings.Builder
	for _, n := range u.Needs {
		b.WriteString(n)
		b.WriteByte(0)
	}
	for i := range u.Shape {
		p := &u.Shape[i]
		b.WriteByte(1)
		b.WriteString(p.Literal)
		if p.NonEmpty {
			b.WriteByte(2)
		}
		if p.Ref != nil {
			b.WriteByte(3)
			b.WriteString(p.Ref.LogicalID + "." + p.Ref.Attribute)
		}
	}
	if u.Secret {
		b.WriteByte(4)
	}
	return b.String()
}

// couldName decides whether an unknown link is the target. A link of the very
// shape of the target's name is; one whose known pieces do not fit is not. A
// target without an explicit name is given one by CloudFormation when it is
// made, so no import and no parameter can have held it before. texts are what is
// known of opens.
func couldName(l *openLink, literals []string, opens []*cfn.Unknowing, texts []*symbolic) tri {
	u, link := l.unknown, l.text
	for i, open := range opens {
		name := texts[i]
		switch {
		case u == open || slices.Equal(u.Needs, open.Needs) && slices.EqualFunc(u.Shape, open.Shape, samePiece):
			return yes
		case link == nil || name == nil || link.same(name) != no:
			return maybe
		}
	}
	for _, literal := range literals {
		if link == nil || len(link.pieces) > 0 && link.equals(literal) != no {
			return maybe
		}
	}
	return no
}

func samePiece(a, b cfn.Piece) bool {
	if a.Ref != nil && b.Ref != nil {
		return *a.Ref == *b.Ref
	}
	return a == b
}

// maxUnsure is how many unsure members a rule is judged with and without; more
// of them are unknown elements.
const maxUnsure = 3

// elementsOf is the CEL list of a relation. include says for the unsure members,
// counted over all relations, which are in.
func elementsOf(members []member, typ *schema.Type, base *owner, nth *int, include int) refList {
	out := make(refList, 0, len(members))
	for _, m := range members {
		if m.resource == nil {
			u := unknownOf(m.needs)
			if m.unsure {
				u = markUnsure(u)
			}
			out = append(out, u)
			continue
		}
		if m.unsure {
			i := *nth
			*nth++
			if i >= maxUnsure {
				out = append(out, markUnsure(unknownOf(m.needs)))
				continue
			}
			if include&(1<<i) == 0 {
				continue
			}
		}
		o := &owner{model: base.model, resource: m.resource, trace: base.trace, render: base.render, policy: base.policy}
		if base.trace != nil && base.trace.only != nil {
			o.varying = base.model.Varying(m.resource)
		}
		out = append(out, &view{m.resource.Properties, typ, o})
	}
	return out
}

// checkRelation refuses paths that no schema has.
func (r *Rule) checkRelation(rel *Relation, subject *schema.Type) error {
	typ, path := subject, rel.From
	if rel.By != "" {
		typ, path = schema.Lookup(rel.Type).Type, rel.By
	} else if rel.Of != "" {
		for i := range r.Relations {
			if r.Relations[i].Name == rel.Of {
				typ = schema.Lookup(r.Relations[i].Type).Type
			}
		}
	}
	if path == "" || typ == openType {
		return nil
	}
	for name := range strings.SplitSeq(path, ".") {
		name = strings.TrimSuffix(name, "[]")
		for typ.Kind == schema.List || typ.Kind == schema.Map {
			typ = typ.Elem
		}
		if typ.Kind == schema.Any {
			return nil
		}
		p := typ.Property(name)
		if p == nil {
			var near string
			if typ.Kind == schema.Object {
				names := make([]string, len(typ.Properties))
				for i := range typ.Properties {
					names[i] = typ.Properties[i].Name
				}
				if n := nearest.Of(name, names); n != "" {
					near = ". did you mean " + n + "?"
				}
			}
			return r.at("relation "+rel.Name, Expression{Line: rel.Line, Column: 3, folded: true}, 1, 1,
				fmt.Sprintf("undefined property %q of %s%s", name, typ.Name, near))
		}
		typ = p.Type
	}
	return nil
}
