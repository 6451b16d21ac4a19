package remedy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"plumbline/cfn"
)

// PatchOp is one operation of a JSON patch (RFC 6902), as Cloud Control takes it.
type PatchOp struct {
	Op    string `json:"op"`   // test, add, replace, remove
	Path  string `json:"path"` // a JSON pointer
	Value any    `json:"value,omitempty"`
}

// MarshalJSON keeps a value that is null, false or 0; a removal has none.
func (o PatchOp) MarshalJSON() ([]byte, error) {
	if o.Op == "remove" {
		return json.Marshal(struct {
			Op   string `json:"op"`
			Path string `json:"path"`
		}{o.Op, o.Path})
	}
	return json.Marshal(struct {
		Op    string `json:"op"`
		Path  string `json:"path"`
		Value any    `json:"value"`
	}{o.Op, o.Path, o.Value})
}

// PatchModel is the JSON patch that makes the operations on a live resource's model,
// and the patch that undoes it. Each begins with tests of what it replaces, so
// that neither is made on a model that has changed meanwhile. after is the
// model as the patch leaves it. Both are empty where the model is right already.
//
// The error says which operation does not fit the model.
func PatchModel(model []byte, ops []cfn.Op) (patch, undo []PatchOp, after []byte, err error) {
	before, err := decode(model)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("read the live model: %w", err)
	}
	root, ok := before.(map[string]any)
	if !ok {
		return nil, nil, nil, fmt.Errorf("read the live model: it is no object of properties")
	}
	changed, _ := clone(root).(map[string]any)
	for _, op := range ops {
		out, err := apply(changed, op.Path, op)
		if err != nil {
			return nil, nil, nil, fmt.Errorf("%s: %w", Words(op), err)
		}
		changed, _ = out.(map[string]any)
	}
	if after, err = json.Marshal(changed); err != nil {
		return nil, nil, nil, err
	}
	patch = difference(nil, root, changed)
	undo = difference(nil, changed, root)
	return patch, undo, after, nil
}

// difference are the operations that lead from one model to another: what the
// two share stays, lists that differ are replaced whole, as a list's order and
// numbers would otherwise have to be known.
func difference(at []string, from, to any) []PatchOp {
	a, isMap := from.(map[string]any)
	b, both := to.(map[string]any)
	if !isMap || !both {
		if same(from, to) {
			return nil
		}
		return []PatchOp{{"test", pointer(at), from}, {"replace", pointer(at), to}}
	}
	var out []PatchOp
	for _, key := range slices.Sorted(maps.Keys(a)) {
		path := append(slices.Clone(at), key)
		if v, ok := b[key]; ok {
			out = append(out, difference(path, a[key], v)...)
		} else {
			out = append(out, PatchOp{"test", pointer(path), a[key]}, PatchOp{Op: "remove", Path: pointer(path)})
		}
	}
	for _, key := range slices.Sorted(maps.Keys(b)) {
		if _, ok := a[key]; !ok {
			out = append(out, PatchOp{"add", pointer(append(slices.Clone(at), key)), b[key]})
		}
	}
	return out
}

func pointer(at []string) string {
	var b strings.Builder
	for _, key := range at {
		b.WriteByte('/')
		b.WriteString(strings.NewReplacer("~", "~0", "/", "~1").Replace(key))
	}
	return b.String()
}

// apply makes an operation at a path below v, which is changed in place where
// it can be.
func apply(v any, at []string, op cfn.Op) (any, error) {
	if len(at) == 0 {
		value, err := normal(op.Value)
		if err != nil {
			return nil, err
		}
		if op.Do == cfn.OpSet {
			return value, nil
		}
		list, ok := v.([]any)
		if v != nil && !ok {
			return nil, fmt.Errorf("it is no list")
		}
		if slices.ContainsFunc(list, func(x any) bool { return same(x, value) }) {
			return list, nil
		}
		return append(slices.Clip(list), value), nil
	}
	switch in := v.(type) {
	case nil, map[string]any:
		m, _ := in.(map[string]any)
		if op.Do == cfn.OpRemove {
			if _, ok := m[at[0]]; !ok {
				return v, nil
			}
			if len(at) == 1 {
				delete(m, at[0])
				return m, nil
			}
		}
		if m == nil {
			m = map[string]any{}
		}
		x, err := apply(m[at[0]], at[1:], op)
		if err != nil {
			return nil, err
		}
		m[at[0]] = x
		return m, nil
	case []any:
		i, err := strconv.Atoi(at[0])
		if err != nil || i < 0 || i >= len(in) {
			return nil, fmt.Errorf("there is no item %s", at[0])
		}
		if op.Do == cfn.OpRemove && len(at) == 1 {
			return slices.Delete(in, i, i+1), nil
		}
		if in[i], err = apply(in[i], at[1:], op); err != nil {
			return nil, err
		}
		return in, nil
	}
	return nil, fmt.Errorf("%s is asked of what is no object", at[0])
}

func decode(src []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(src))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	return v, err
}

// normal is a plain value as decode would give it.
func normal(v any) (any, error) {
	src, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return decode(src)
}

func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, x := range v {
			out[key] = clone(x)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = clone(x)
		}
		return out
	}
	return v
}

func same(a, b any) bool {
	x, errA := json.Marshal(a)
	y, errB := json.Marshal(b)
	return errA == nil && errB == nil && bytes.Equal(x, y)
}
