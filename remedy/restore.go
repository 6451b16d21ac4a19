package remedy

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Restore is the JSON patch that gives a model back what the plan's change took,
// however much of the change was made; empty where the model has it. foreign are
// properties that are neither as they were before the change nor as the change
// leaves them: somebody else has set them since, and they stay. A service may
// hand back what was written in a form of its own, which is the same.
func (p *Plan) Restore(model []byte) (patch []PatchOp, foreign []string, err error) {
	return p.towards(model, p.Before, p.After)
}

// Made reports whether everything that the plan changes is as the change leaves it.
func (p *Plan) Made(model []byte) (bool, error) {
	patch, foreign, err := p.towards(model, p.After, p.Before)
	return len(patch)+len(foreign) == 0, err
}

// towards leads what the plan touches from the one image to the other.
func (p *Plan) towards(model, to, from []byte) (patch []PatchOp, foreign []string, err error) {
	var images [3]any
	for i, src := range [][]byte{model, to, from} {
		if images[i], err = decode(src); err != nil {
			return nil, nil, fmt.Errorf("read the live model: %w", err)
		}
	}
	for _, op := range p.Patch {
		if op.Op == "test" {
			continue
		}
		now, is := at(images[0], op.Path)
		want, there := at(images[1], op.Path)
		other, otherwise := at(images[2], op.Path)
		switch settled := is == there && (!is || same(now, want)); {
		case settled:
		case is == otherwise && (!is || same(now, other)), !p.reads(op.Path, now, want) && p.reads(op.Path, now, other):
			patch = append(patch, step(op.Path, now, is, want, there)...)
		case p.reads(op.Path, now, want):
		default:
			foreign = append(foreign, dotted(op.Path))
		}
	}
	return patch, foreign, nil
}

// step leads one property from what it is to what it is to be.
func step(path string, now any, is bool, want any, there bool) []PatchOp {
	switch {
	case !there && !is:
		return nil
	case !there:
		return []PatchOp{{"test", path, now}, {Op: "remove", Path: path}}
	case !is:
		return []PatchOp{{"add", path, want}}
	}
	return []PatchOp{{"test", path, now}, {"replace", path, want}}
}

// remnants are what a service leaves of a property that is taken away, by type
// and pointer. Source: Amazon S3 User Guide, "Using versioning in S3 buckets".
var remnants = map[string]any{
	"AWS::S3::Bucket /VersioningConfiguration": map[string]any{"Status": "Suspended"},
}

// reads reports whether a value that was read may be what a service makes of
// one that was written; nil stands for none.
func (p *Plan) reads(pointer string, read, written any) bool {
	if left, ok := remnants[p.Resource.Type+" "+pointer]; ok && written == nil && same(read, left) {
		return true
	}
	return alike(read, written)
}

// alike compares what was read with what was written, as services hand it
// back: what is empty may be left away, defaults that turn something off may be
// filled in, and items of a list may come in another order.
func alike(read, written any) bool {
	switch w := written.(type) {
	case nil:
		return blank(read)
	case map[string]any:
		r, ok := read.(map[string]any)
		if !ok {
			return len(w) == 0 && blank(read)
		}
		for key, v := range w {
			if !alike(r[key], v) {
				return false
			}
		}
		for key, v := range r {
			if _, ok := w[key]; !ok && !blank(v) {
				return false
			}
		}
		return true
	case []any:
		r, ok := read.([]any)
		if !ok || len(r) != len(w) {
			return !ok && len(w) == 0 && blank(read)
		}
		left := slices.Clone(r)
		for _, v := range w {
			i := slices.IndexFunc(left, func(x any) bool { return alike(x, v) })
			if i < 0 {
				return false
			}
			left = slices.Delete(left, i, i+1)
		}
		return true
	}
	return same(read, written)
}

// blank reports whether a value says no more than its absence.
func blank(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v
	case string:
		return v == ""
	case json.Number:
		return v == "0"
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return false
}

// Document is a patch as services take it.
func Document(patch []PatchOp) ([]byte, error) { return json.Marshal(patch) }
