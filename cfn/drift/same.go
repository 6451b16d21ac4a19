package drift

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"plumbline/cfn"
	"plumbline/cfn/schema"
)

// same reports whether a value of the template, and what is deployed, are one;
// also where that cannot be told. name is the property's path in the schema,
// parent what it stands in.
func (c *comparison) same(t *schema.Type, name string, parent, want, have *cfn.Value) bool {
	if c.equal(t, name, want, have) {
		return true
	}
	for i := range c.schema.Transforms {
		x := &c.schema.Transforms[i]
		if x.Path == name {
			return transformed(x.Expression, parent, want, have)
		}
	}
	return false
}

func (c *comparison) equal(t *schema.Type, name string, want, have *cfn.Value) bool {
	switch {
	case want.IsKind(cfn.Unknown):
		return !c.decides(want) || c.fits(want.Unknown, have)
	case nothing(want) && nothing(have):
		return true
	case want == nil || have == nil:
		return false
	}
	kind, elem := schema.Any, (*schema.Type)(nil)
	if t != nil {
		kind, elem = t.Kind, t.Elem
	}
	if kind == schema.List && want.Kind != cfn.List && have.Kind == cfn.List {
		want = &cfn.Value{Kind: cfn.List, Items: []*cfn.Value{want}} // CloudFormation takes a value for a list of one
	}
	if kind == schema.Any {
		want, have = document(want), document(have)
		if (want.Kind == cfn.List) != (have.Kind == cfn.List) { // a policy's Action: s3:Get or [s3:Get]
			want, have = listOf(want), listOf(have)
		}
	}
	switch {
	case want.Kind == cfn.Map && have.Kind == cfn.Map:
		return c.equalMaps(t, name, want, have)
	case want.Kind == cfn.List && have.Kind == cfn.List:
		return c.equalLists(elem, name, want, have)
	case scalar(want) && scalar(have):
		return equalText(t, want.Text, have.Text)
	}
	return false
}

// equalMaps compares within a list or a document: what the template leaves out
// is not compared in typed objects, where the service fills in defaults.
func (c *comparison) equalMaps(t *schema.Type, name string, want, have *cfn.Value) bool {
	typed := t != nil && t.Kind == schema.Object
	for _, f := range want.Fields {
		var inner *schema.Type
		at := name + "/" + f.Key
		switch {
		case typed:
			p := t.Property(f.Key)
			if p == nil || listed(c.schema.ReadOnly, at) || listed(c.schema.WriteOnly, at) {
				continue
			}
			inner = p.Type
		case t != nil && t.Kind == schema.Map:
			inner, at = t.Elem, name+"/*"
		}
		if !c.same(inner, at, want, f.Value, have.Get(f.Key)) {
			return false
		}
	}
	return typed || !slices.ContainsFunc(have.Fields, func(f cfn.Field) bool { return want.Get(f.Key) == nil && !nothing(f.Value) })
}

// equalLists reports whether each item of one list has a partner in the other.
func (c *comparison) equalLists(elem *schema.Type, name string, want, have *cfn.Value) bool {
	if slices.ContainsFunc(want.Items, func(v *cfn.Value) bool { return v.Kind == cfn.Unknown && !c.decides(v) }) {
		return true // it may stand for any number of items
	}
	if len(want.Items) != len(have.Items) {
		return false
	}
	taken := make([]bool, len(have.Items))
	for _, w := range want.Items {
		found := false
		for i, h := range have.Items {
			if !taken[i] && c.same(elem, name+"/*", want, w, h) {
				taken[i], found = true, true
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// setTags compares tags by their keys: those of the stack and AWS's own are not
// the template's affair.
func (c *comparison) setTags(path []string, want, have *cfn.Value) {
	if want.IsKind(cfn.List) && slices.ContainsFunc(want.Items, func(v *cfn.Value) bool { return v.Kind == cfn.Unknown || !scalar(v.Get("Key")) }) {
		return // which tags there are is not known
	}
	w, h := tags(want), tags(have)
	var differ bool
	for k, v := range w {
		differ = differ || h[k] == nil || !c.equal(nil, "", v, h[k])
	}
	for k, v := range h {
		of, stacks := c.tags[k]
		if w[k] == nil && !strings.HasPrefix(k, "aws:") && (!stacks || of != v.Text) {
			differ = true
		}
	}
	if differ {
		c.out = append(c.out, Difference{Path: path, Want: want, Have: have, Unset: want == nil})
	}
}

func tags(v *cfn.Value) map[string]*cfn.Value {
	out := map[string]*cfn.Value{}
	switch {
	case v.IsKind(cfn.Map):
		for _, f := range v.Fields {
			out[f.Key] = f.Value
		}
	case v.IsKind(cfn.List):
		for _, i := range v.Items {
			if k := i.Get("Key"); scalar(k) {
				if out[k.Text] = i.Get("Value"); out[k.Text] == nil {
					out[k.Text] = &cfn.Value{Kind: cfn.String}
				}
			}
		}
	}
	return out
}

// document is a text that is JSON as what it says: services hand policies back
// as either.
func document(v *cfn.Value) *cfn.Value {
	if v.Kind != cfn.String || !strings.HasPrefix(strings.TrimSpace(v.Text), "{") {
		return v
	}
	r, err := cfn.Live("document", "", []byte(v.Text))
	if err != nil {
		return v
	}
	return r.Properties
}

func listOf(v *cfn.Value) *cfn.Value {
	if v.Kind == cfn.List {
		return v
	}
	return &cfn.Value{Kind: cfn.List, Items: []*cfn.Value{v}}
}

// equalText compares scalars as their type does: 60, "60" and 60.0 are one number.
func equalText(t *schema.Type, a, b string) bool {
	if a == b {
		return true
	}
	if t == nil {
		return false
	}
	switch t.Kind {
	case schema.Integer, schema.Double:
		x, err := strconv.ParseFloat(a, 64)
		y, err2 := strconv.ParseFloat(b, 64)
		return err == nil && err2 == nil && x == y
	case schema.Bool:
		return strings.EqualFold(a, b)
	case schema.String:
		return t.EnumFold && strings.EqualFold(a, b)
	}
	return false
}

// decides reports whether of an unknown value enough is known to compare it:
// it refers to resources of the stack whose physical ids are known.
func (c *comparison) decides(v *cfn.Value) bool {
	u := v.Unknown
	if u == nil || c.physical == nil {
		return false
	}
	if u.Ref != nil {
		return u.Ref.Attribute == "" && c.physical(u.Ref.LogicalID) != ""
	}
	return len(u.Shape) > 0 && !u.Secret
}

// fits reports whether a text may be the unknown value.
func (c *comparison) fits(u *cfn.Unknowing, have *cfn.Value) bool {
	if !scalar(have) {
		return have != nil // of a list or an object nothing is said
	}
	if u.Ref != nil {
		return have.Text == c.physical(u.Ref.LogicalID)
	}
	rest, gap := have.Text, false
	for i := range u.Shape {
		piece := &u.Shape[i]
		text := piece.Literal
		if piece.Gap {
			text = ""
			if piece.Ref != nil && piece.Ref.Attribute == "" {
				text = c.physical(piece.Ref.LogicalID)
			}
			if text == "" {
				gap = true
				continue
			}
		}
		at := strings.Index(rest, text)
		if at < 0 || !gap && at > 0 {
			return false
		}
		if i == len(u.Shape)-1 && gap {
			return strings.HasSuffix(rest, text)
		}
		rest, gap = rest[at+len(text):], false
	}
	return gap || rest == ""
}

// Text is a value as a message shows it: JSON, cut after 120 bytes.
func Text(v *cfn.Value) string {
	if v == nil {
		return "nothing"
	}
	b, err := json.Marshal(plain(v))
	if err != nil {
		return "a value"
	}
	s := string(b)
	if scalar(v) {
		s = v.Text
	}
	if len(s) > 120 {
		s = strings.ToValidUTF8(s[:117], "") + "…"
	}
	return s
}

func plain(v *cfn.Value) any {
	switch v.Kind {
	case cfn.Map:
		out := map[string]any{}
		for _, f := range v.Fields {
			out[f.Key] = plain(f.Value)
		}
		return out
	case cfn.List:
		out := []any{}
		for _, i := range v.Items {
			out = append(out, plain(i))
		}
		return out
	case cfn.Number:
		return json.Number(v.Text)
	case cfn.Bool:
		return v.Text == "true"
	case cfn.Unknown:
		if len(v.Unknown.Needs) > 0 {
			return "(" + strings.Join(v.Unknown.Needs, ", ") + ")"
		}
		return "(not known)"
	case cfn.Null, cfn.Absent:
		return nil
	}
	return v.Text
}
