package cfn

import (
	"bytes"
	"encoding/json"
	"strings"
)

// toJSON resolves Fn::ToJsonString: exact where all is known; otherwise a text
// whose gaps stand for what is not.
func (r *resolver) toJSON(v *Value, f *Field) *Value {
	x := r.value(f.Value)
	switch {
	case x.IsKind(List), x.IsKind(Map):
	case x.IsKind(Unknown):
		out := derive(x, v.Pos)
		out.Unknown.Shape = []Piece{{Gap: true, NonEmpty: true}}
		return out
	default:
		return r.refused(v, f)
	}
	b := r.text()
	b.json(x)
	return b.value(v.Pos, f.Key)
}

// json appends the JSON text of a resolved value, without spaces.
func (b *textBuilder) json(v *Value) {
	switch v.Kind {
	case Null:
		b.literal("null")
	case String:
		b.literal(jsonString(v.Text))
	case Number, Bool:
		b.literal(v.Text)
	case List:
		b.literal("[")
		for i, item := range v.Items {
			if i > 0 {
				b.literal(",")
			}
			b.json(item)
		}
		b.literal("]")
	case Map:
		b.literal("{")
		for i := range v.Fields {
			if i > 0 {
				b.literal(",")
			}
			b.literal(jsonString(v.Fields[i].Key) + ":")
			b.json(v.Fields[i].Value)
		}
		b.literal("}")
	case Unknown:
		u := v.Unknown
		b.need(u.Needs...)
		b.secret = b.secret || u.Secret
		if u.Shape == nil {
			b.gap(Piece{Gap: true, NonEmpty: true})
			return
		}
		b.literal(`"`)
		for _, p := range u.Shape {
			if p.Gap {
				b.gap(p)
				continue
			}
			q := jsonString(p.Literal)
			b.literal(q[1 : len(q)-1])
		}
		b.literal(`"`)
	}
}

// jsonString is a JSON string; letters such as < stay as they are.
func jsonString(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil { // no string fails
		return `""`
	}
	return strings.TrimSuffix(b.String(), "\n")
}
