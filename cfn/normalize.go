package cfn

import (
	"bytes"
	"strconv"
	"strings"

	"plumbline/cfn/schema"
)

// Normalize reads a value as CloudFormation does where the schema says t: a
// "true" or "False" is a boolean, "22" a number, a number or boolean is text
// where text is due, a single value where a list is due is a list of one, JSON
// text is the object it holds. It looks at the value itself, not into its items
// and fields. The same pointer comes back where nothing changes, which is so for
// a nil v or t and for what cannot be read as t. Place and origin are kept.
func Normalize(v *Value, t *schema.Type) *Value {
	if v == nil || t == nil || v.Kind == Null {
		return v
	}
	switch t.Kind {
	case schema.String:
		if v.Kind == Number || v.Kind == Bool {
			return v.as(String, v.Text)
		}
	case schema.Bool:
		if v.Kind == String {
			switch {
			case strings.EqualFold(v.Text, "true"):
				return v.as(Bool, "true")
			case strings.EqualFold(v.Text, "false"):
				return v.as(Bool, "false")
			}
		}
	case schema.Integer:
		if v.Kind == String || v.Kind == Number {
			if plainDigits(v.Text) {
				if v.Kind == Number {
					return v
				}
				return v.as(Number, v.Text)
			}
			if i, ok := v.Int(); ok {
				if text := strconv.FormatInt(i, 10); v.Kind == String || text != v.Text {
					return v.as(Number, text)
				}
			}
		}
	case schema.Double:
		if f, ok := v.Float(); ok && v.Kind == String {
			return v.as(Number, strconv.FormatFloat(f, 'f', -1, 64))
		}
	case schema.List:
		// An unknown without a shape may be a list itself.
		if isScalar(v) || v.Kind == Map || v.Kind == Unknown && v.Unknown.Shape != nil {
			return &Value{Kind: List, Pos: v.Pos, Items: []*Value{v}, Origin: v.Origin}
		}
	case schema.Map, schema.Object:
		if v.Kind == String && strings.HasPrefix(strings.TrimSpace(v.Text), "{") {
			if x, err := parseJSON([]byte(v.Text), v.Pos); err == nil && x.Kind == Map {
				x.Origin = v.Origin
				return x
			}
		}
	}
	return v
}

// as is a copy of v of another kind.
func (v *Value) as(k Kind, text string) *Value {
	return &Value{Kind: k, Pos: v.Pos, Text: text, Origin: v.Origin}
}

// plainDigits reports whether text is a whole number as Go, JSON and people write it.
func plainDigits(text string) bool {
	if text == "" || len(text) > 18 || text[0] == '0' && len(text) > 1 {
		return false
	}
	for i := range len(text) {
		if !isDigit(text[i]) {
			return false
		}
	}
	return true
}

// parseJSON reads JSON text into values that all stand at one place.
func parseJSON(src []byte, at Pos) (*Value, error) {
	l := &loader{format: JSON, src: bytes.TrimSpace(src)}
	l.store.reserve(len(src))
	v, problem := l.readJSON()
	if problem != nil {
		return nil, problem
	}
	place(v, at)
	return v, nil
}

// place sets the place of a whole tree that nobody shares yet.
func place(v *Value, at Pos) {
	v.Pos = at
	for _, item := range v.Items {
		place(item, at)
	}
	for i := range v.Fields {
		v.Fields[i].Pos = at
		place(v.Fields[i].Value, at)
	}
}
