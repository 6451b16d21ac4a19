package edit

import (
	"fmt"
	"slices"
	"strconv"

	"plumbline/cfn"
)

// changed is a tree after an operation at a path: what an edit is held to.
// Values that the operation does not touch are shared.
func changed(v *cfn.Value, at []string, do string, value any) (*cfn.Value, error) {
	key, last := at[0], len(at) == 1
	switch {
	case v.IsKind(cfn.List):
		i, err := strconv.Atoi(key)
		if err != nil || i < 0 || i >= len(v.Items) {
			return nil, fmt.Errorf("there is no item %s", key)
		}
		if do == cfn.OpRemove && last {
			return &cfn.Value{Kind: cfn.List, Items: slices.Delete(slices.Clone(v.Items), i, i+1)}, nil
		}
		item, err := below(v.Items[i], at[1:], do, value)
		if err != nil {
			return nil, err
		}
		out := &cfn.Value{Kind: cfn.List, Items: slices.Clone(v.Items)}
		out.Items[i] = item
		return out, nil
	case v == nil, v.Kind == cfn.Null:
		if do == cfn.OpRemove {
			return v, nil
		}
		v = &cfn.Value{Kind: cfn.Map}
	case v.Kind != cfn.Map:
		return nil, fmt.Errorf("%s is asked of what is no mapping", key)
	}
	i := slices.IndexFunc(v.Fields, func(f cfn.Field) bool { return f.Key == key })
	if do == cfn.OpRemove && (last || i < 0) {
		if i < 0 {
			return v, nil
		}
		return &cfn.Value{Kind: cfn.Map, Fields: slices.Delete(slices.Clone(v.Fields), i, i+1)}, nil
	}
	var old *cfn.Value
	if i >= 0 {
		old = v.Fields[i].Value
	}
	made, err := below(old, at[1:], do, value)
	if err != nil {
		return nil, err
	}
	out := &cfn.Value{Kind: cfn.Map, Fields: slices.Clone(v.Fields)}
	if i < 0 {
		out.Fields = append(out.Fields, cfn.Field{Key: key, Value: made})
	} else {
		out.Fields[i].Value = made
	}
	return out, nil
}

// below is v after the operation at the rest of the path.
func below(v *cfn.Value, at []string, do string, value any) (*cfn.Value, error) {
	switch {
	case len(at) > 0:
		return changed(v, at, do, value)
	case do == cfn.OpSet:
		return cfn.FromPlain(value), nil
	case v == nil || v.Kind == cfn.Null:
		return cfn.FromPlain([]any{value}), nil
	case v.Kind != cfn.List:
		return nil, fmt.Errorf("it is no list")
	}
	item := cfn.FromPlain(value)
	if slices.ContainsFunc(v.Items, func(x *cfn.Value) bool { return equal(x, item) }) {
		return v, nil
	}
	return &cfn.Value{Kind: cfn.List, Items: append(slices.Clone(v.Items), item)}, nil
}

// equal compares two trees by what they say: neither places nor the order of
// keys matter.
func equal(a, b *cfn.Value) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a == b {
		return true
	}
	if a.Kind != b.Kind || a.Text != b.Text || len(a.Items) != len(b.Items) || len(a.Fields) != len(b.Fields) {
		return false
	}
	for i := range a.Items {
		if !equal(a.Items[i], b.Items[i]) {
			return false
		}
	}
	for i := range a.Fields {
		if a.Fields[i].Key == b.Fields[i].Key {
			if !equal(a.Fields[i].Value, b.Fields[i].Value) {
				return false
			}
		} else if x := b.Get(a.Fields[i].Key); x == nil || !equal(a.Fields[i].Value, x) {
			return false
		}
	}
	return true
}
