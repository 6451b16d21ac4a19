package cfn

import (
	"fmt"
	"slices"
	"strings"
)

// maxLooped is how many resources the loops of one template may make: four
// times what CloudFormation deploys in a stack ("CloudFormation quotas" in its
// user guide). What is beyond it is told, and not judged.
const maxLooped = 2000

// loop is one Fn::ForEach: an identifier, a collection and what is made for
// each item.
type loop struct {
	identifier string
	collection *Value
	body       *Value
}

func loopOf(v *Value) (l loop, ok bool) {
	if !v.IsKind(List) || len(v.Items) != 3 || !v.Items[0].IsKind(String) || !v.Items[2].IsKind(Map) {
		return l, false
	}
	return loop{v.Items[0].Text, v.Items[1], v.Items[2]}, true
}

// eachItem calls f with the body for each item of the collection, its
// identifier replaced. A collection that is not known gives one sample in which
// the identifier stays in keys and is unknown in values.
func (r *resolver) eachItem(l loop, f func(body *Value)) {
	list := r.value(l.collection)
	// Loops are run once, before conditions have made worlds.
	condition := conditionIn(l.collection)
	if condition != "" {
		list = nil
	}
	if !list.IsKind(List) {
		need := "collection of Fn::ForEach " + l.identifier
		if condition != "" {
			need = "condition " + condition
		}
		if list.IsKind(Unknown) && len(list.Unknown.Needs) > 0 {
			need = list.Unknown.Needs[0]
		}
		if !r.afford(sizeOf(l.body) * valueBytes) {
			r.overLoop(l)
			return
		}
		s := substitution{name: l.identifier, unknown: &Value{
			Kind: Unknown, Pos: l.collection.position(), Unknown: unknownText(need, true),
		}}
		f(s.value(l.body))
		return
	}
	size := sizeOf(l.body) * valueBytes
	for _, item := range list.Items {
		if !r.afford(size) || r.looped > maxLooped {
			r.overLoop(l)
			return
		}
		s := substitution{name: l.identifier}
		switch {
		case isScalar(item):
			s.text = item.Text
		case item.IsKind(Unknown):
			s.unknown = item
		default:
			continue
		}
		f(s.value(l.body))
	}
}

// overLoop notes that a loop makes more than is judged.
func (r *resolver) overLoop(l loop) {
	at := l.collection.position()
	if slices.ContainsFunc(r.problems, func(p *Problem) bool { return p.Pos == at }) || len(r.problems) >= MaxProblems {
		return
	}
	r.problems = append(r.problems, problemf(r.t.Path, at, "Fn::ForEach %s and the loops before it make more than is judged here: up to %d resources, and some %d MiB of values; CloudFormation deploys 500 resources of 1 MiB in all. what is beyond that is not judged. split the template", l.identifier, maxLooped, maxMade>>20))
}

// Problems are what the template's loops make and nobody judges, found while
// it was resolved; the same for all models of a template.
func (m *Model) Problems() []*Problem {
	if m.resolver == nil {
		return nil
	}
	return m.resolver.problems
}

// conditionIn is the first condition that a Fn::If below a value asks for, "" for none.
func conditionIn(v *Value) string {
	if v == nil || !v.dynamic {
		return ""
	}
	for i := range v.Fields {
		f := &v.Fields[i]
		if f.Key == "Fn::If" && f.Value.IsKind(List) && len(f.Value.Items) > 0 {
			return f.Value.Items[0].text()
		}
		if c := conditionIn(f.Value); c != "" {
			return c
		}
	}
	for _, x := range v.Items {
		if c := conditionIn(x); c != "" {
			return c
		}
	}
	return ""
}

// wrongLoop says what is wrong with the form of a loop, "" where nothing is.
func wrongLoop(v *Value) (string, Pos) {
	switch {
	case !v.IsKind(List) || len(v.Items) != 3:
		return "a loop is a list of three: an identifier, a collection, and what is made for each item of it", v.position()
	case !v.Items[0].IsKind(String):
		return "the first of a loop is its identifier, a text", v.Items[0].position()
	case !v.Items[2].IsKind(Map):
		return "the third of a loop is a map of what is made for each item", v.Items[2].position()
	case v.Items[1].IsKind(List):
		for _, x := range v.Items[1].Items {
			if x.IsKind(List) || x.IsKind(Map) && !x.dynamic || x.IsKind(Null) {
				return fmt.Sprintf("an item of the collection is a %s; a text is needed", x.Kind.noun()), x.position()
			}
		}
	}
	return "", Pos{}
}

func (v *Value) position() Pos {
	if v == nil {
		return Pos{}
	}
	return v.Pos
}

// expandFields appends the fields that a loop among properties makes.
func (r *resolver) expandFields(fields []Field, f *Field) []Field {
	l, ok := loopOf(f.Value)
	if !ok {
		return fields
	}
	r.eachItem(l, func(body *Value) {
		for i := range body.Fields {
			b := &body.Fields[i]
			if strings.HasPrefix(b.Key, forEachPrefix) {
				fields = r.expandFields(fields, b)
				continue
			}
			if x := r.value(b.Value); x != nil {
				fields = append(fields, Field{Key: b.Key, Pos: b.Pos, Value: x})
			}
		}
	})
	return fields
}

// expandConditions lists the conditions, those that loops make included.
func (r *resolver) expandConditions() []Field {
	var out []Field
	var expand func(f *Field)
	expand = func(f *Field) {
		if !strings.HasPrefix(f.Key, forEachPrefix) {
			out = append(out, *f)
			return
		}
		if l, ok := loopOf(f.Value); ok {
			r.eachItem(l, func(body *Value) {
				for i := range body.Fields {
					expand(&body.Fields[i])
				}
			})
		}
	}
	for i := range r.t.Conditions {
		expand(&r.t.Conditions[i])
	}
	return out
}

// expandResources appends the resources that a loop among resources makes.
func (r *resolver) expandResources(out []*Declared, v *Value) []*Declared {
	l, ok := loopOf(v)
	if !ok {
		return out
	}
	r.eachItem(l, func(body *Value) {
		for i := range body.Fields {
			b := &body.Fields[i]
			if strings.HasPrefix(b.Key, forEachPrefix) {
				out = r.expandResources(out, b.Value)
				continue
			}
			typ := b.Value.Get("Type")
			if !typ.IsKind(String) {
				continue
			}
			if r.looped++; r.looped > maxLooped {
				return
			}
			d := &Declared{LogicalID: b.Key, Type: typ.Text, Pos: b.Pos, Body: b.Value}
			d.Condition = b.Value.Get("Condition").text()
			out = append(out, d)
		}
	})
	return out
}

// text is the text of a String, "" of anything else.
func (v *Value) text() string {
	if v == nil || v.Kind != String {
		return ""
	}
	return v.Text
}

// substitution replaces a loop's identifier: ${Name} in any text, also in keys,
// &{Name} with what is not a letter or digit left out, and a Ref of it.
type substitution struct {
	name    string
	text    string
	unknown *Value // in place of text
	refOnly bool   // nothing but a Ref is replaced, with unknown, whatever it is
}

func (s *substitution) value(v *Value) *Value {
	if v == nil {
		return nil
	}
	switch v.Kind {
	case String:
		if s.refOnly {
			return v
		}
		return s.string(v)
	case List:
		var items []*Value
		for i, item := range v.Items {
			x := s.value(item)
			if x != item && items == nil {
				items = append(make([]*Value, 0, len(v.Items)), v.Items[:i]...)
			}
			if items != nil {
				items = append(items, x)
			}
		}
		if items == nil {
			return v
		}
		return newList(v.Pos, items)
	case Map:
		return s.mapping(v)
	}
	return v
}

func (s *substitution) string(v *Value) *Value {
	text := s.replace(v.Text)
	if s.unknown != nil && strings.Contains(v.Text, "${"+s.name+"}") {
		return &Value{Kind: Map, Pos: v.Pos, dynamic: true, Fields: []Field{{Key: "Fn::Sub", Pos: v.Pos, Value: s.bound(v)}}}
	}
	if text == v.Text {
		return v
	}
	c := *v
	c.Text = text
	c.dynamic = strings.Contains(text, dynamicReference)
	return &c
}

// bound makes the long form of a Fn::Sub in which the identifier is a variable.
func (s *substitution) bound(v *Value) *Value {
	vars := &Value{Kind: Map, Pos: v.Pos, dynamic: true, Fields: []Field{{Key: s.name, Pos: v.Pos, Value: s.unknown}}}
	return newList(v.Pos, []*Value{v, vars})
}

func (s *substitution) replace(text string) string {
	if s.unknown != nil || !strings.Contains(text, "{"+s.name+"}") {
		return text
	}
	text = strings.ReplaceAll(text, "${"+s.name+"}", s.text)
	return strings.ReplaceAll(text, "&{"+s.name+"}", alphanumeric(s.text))
}

// alphanumeric drops what may not stand in a logical id.
func alphanumeric(s string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
			return c
		}
		return -1
	}, s)
}

func (s *substitution) mapping(v *Value) *Value {
	if len(v.Fields) == 1 {
		f := &v.Fields[0]
		switch {
		case f.Key == "Ref" && f.Value.text() == s.name:
			if s.unknown != nil {
				return s.unknown
			}
			return literalAt(s.text, v.Pos)
		case f.Key == "Fn::Sub" && s.unknown != nil && !s.refOnly && f.Value.IsKind(String):
			if strings.Contains(f.Value.Text, "${"+s.name+"}") {
				return &Value{Kind: Map, Pos: v.Pos, dynamic: true, Fields: []Field{{Key: f.Key, Pos: f.Pos, Value: s.bound(f.Value)}}}
			}
			return v
		}
	}
	var fields []Field
	for i := range v.Fields {
		f := v.Fields[i]
		f.Key, f.Value = s.replace(f.Key), s.value(f.Value)
		if fields == nil && (f.Value != v.Fields[i].Value || f.Key != v.Fields[i].Key) {
			fields = append(make([]Field, 0, len(v.Fields)), v.Fields[:i]...)
		}
		if fields != nil {
			fields = append(fields, f)
		}
	}
	if fields == nil {
		return v
	}
	return newMap(v.Pos, fields)
}

// newList makes a source list of items.
func newList(pos Pos, items []*Value) *Value {
	v := &Value{Kind: List, Pos: pos, Items: items}
	for _, x := range items {
		v.dynamic = v.dynamic || x.dynamic
	}
	return v
}

// newMap makes a source map of fields.
func newMap(pos Pos, fields []Field) *Value {
	v := &Value{Kind: Map, Pos: pos, Fields: fields}
	for i := range fields {
		f := &fields[i]
		v.dynamic = v.dynamic || f.Value.dynamic || isFunction(f.Key, len(fields), f.Value)
	}
	return v
}
