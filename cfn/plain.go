package cfn

import (
	"maps"
	"slices"
	"strconv"
)

// FromPlain is the value of a plain one as an Op has it: string, bool, int,
// int64, float64, []any, map[string]any; anything else is Null. Keys are in order.
func FromPlain(v any) *Value {
	switch v := v.(type) {
	case string:
		return &Value{Kind: String, Text: v}
	case bool:
		return &Value{Kind: Bool, Text: strconv.FormatBool(v)}
	case int:
		return &Value{Kind: Number, Text: strconv.Itoa(v)}
	case int64:
		return &Value{Kind: Number, Text: strconv.FormatInt(v, 10)}
	case float64:
		return &Value{Kind: Number, Text: strconv.FormatFloat(v, 'f', -1, 64)}
	case []any:
		out := &Value{Kind: List}
		for _, x := range v {
			out.Items = append(out.Items, FromPlain(x))
		}
		return out
	case map[string]any:
		out := &Value{Kind: Map}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			out.Fields = append(out.Fields, Field{Key: key, Value: FromPlain(v[key])})
		}
		return out
	}
	return &Value{Kind: Null}
}

// Plain is the inverse of FromPlain: int64 for a whole number; nil for what is
// absent, null or not known.
func (v *Value) Plain() any {
	switch {
	case v == nil:
		return nil
	case v.Kind == String:
		return v.Text
	case v.Kind == Bool:
		return v.Text == "true"
	case v.Kind == Number:
		if n, err := strconv.ParseInt(v.Text, 10, 64); err == nil {
			return n
		}
		n, err := strconv.ParseFloat(v.Text, 64)
		if err != nil {
			return v.Text
		}
		return n
	case v.Kind == List:
		out := make([]any, 0, len(v.Items))
		for _, x := range v.Items {
			out = append(out, x.Plain())
		}
		return out
	case v.Kind == Map:
		out := make(map[string]any, len(v.Fields))
		for _, f := range v.Fields {
			out[f.Key] = f.Value.Plain()
		}
		return out
	}
	return nil
}
