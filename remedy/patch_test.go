package remedy_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"plumbline/cfn"
	"plumbline/remedy"
)

func TestPatchModel(t *testing.T) {
	type ops = []cfn.Op
	for _, row := range []struct {
		name, model string
		ops         ops
		patch, undo string
	}{
		{"a property set", `{"A":{"B":1},"C":"x"}`, ops{{Do: "set", Path: []string{"A", "B"}, Value: int64(2)}},
			`[{"op":"test","path":"/A/B","value":1},{"op":"replace","path":"/A/B","value":2}]`,
			`[{"op":"test","path":"/A/B","value":2},{"op":"replace","path":"/A/B","value":1}]`},
		{"a property made, parents too", `{}`, ops{{Do: "set", Path: []string{"A", "B/~"}, Value: false}},
			`[{"op":"add","path":"/A","value":{"B/~":false}}]`,
			`[{"op":"test","path":"/A","value":{"B/~":false}},{"op":"remove","path":"/A"}]`},
		{"below a key that needs escaping", `{"a/b":{"~":1}}`, ops{{Do: "set", Path: []string{"a/b", "~"}, Value: nil}},
			`[{"op":"test","path":"/a~1b/~0","value":1},{"op":"replace","path":"/a~1b/~0","value":null}]`,
			`[{"op":"test","path":"/a~1b/~0","value":null},{"op":"replace","path":"/a~1b/~0","value":1}]`},
		{"an item removed", `{"L":[1,2]}`, ops{{Do: "remove", Path: []string{"L", "0"}}},
			`[{"op":"test","path":"/L","value":[1,2]},{"op":"replace","path":"/L","value":[2]}]`,
			`[{"op":"test","path":"/L","value":[2]},{"op":"replace","path":"/L","value":[1,2]}]`},
		{"right already", `{"L":[{"K":"v"}],"B":true}`, ops{{Do: "add", Path: []string{"L"}, Value: map[string]any{"K": "v"}}, {Do: "set", Path: []string{"B"}, Value: true}, {Do: "remove", Path: []string{"X", "Y"}}},
			`null`, `null`},
	} {
		t.Run(row.name, func(t *testing.T) {
			patch, undo, _, err := remedy.PatchModel([]byte(row.model), row.ops)
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range []struct {
				want string
				got  []remedy.PatchOp
			}{{row.patch, patch}, {row.undo, undo}} {
				got, err := json.Marshal(x.got)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(x.want, string(got)); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			}
		})
	}
}

func TestPatchModelRefuses(t *testing.T) {
	for _, op := range []cfn.Op{
		{Do: "set", Path: []string{"L", "3"}, Value: 1},
		{Do: "add", Path: []string{"S"}, Value: 1},
		{Do: "set", Path: []string{"S", "X"}, Value: 1},
	} {
		if _, _, _, err := remedy.PatchModel([]byte(`{"L":[],"S":"x"}`), []cfn.Op{op}); err == nil {
			t.Errorf("%v: no error", op)
		}
	}
	for _, model := range []string{"", "[]", "{"} {
		if _, _, _, err := remedy.PatchModel([]byte(model), nil); err == nil {
			t.Errorf("model %q: no error", model)
		}
	}
}

// TestPatchModelLeads: the patch leads from the model to what it says comes after,
// and the undo back, by the rules of RFC 6902 alone.
func TestPatchModelLeads(t *testing.T) {
	keys := rapid.SampledFrom([]string{"A", "B", "C", "a/b", "~"})
	rapid.Check(t, func(t *rapid.T) {
		model := rapid.MapOf(keys, tree(2)).Draw(t, "model")
		src, err := json.Marshal(model)
		if err != nil {
			t.Fatal(err)
		}
		op := cfn.Op{Do: rapid.SampledFrom([]string{"set", "add", "remove"}).Draw(t, "do"), Path: rapid.SliceOfN(keys, 1, 3).Draw(t, "path"), Value: tree(1).Draw(t, "value")}
		patch, undo, after, err := remedy.PatchModel(src, []cfn.Op{op})
		if err != nil {
			return // it does not fit
		}
		if diff := cmp.Diff(canonical(t, after), canonical(t, applyPatch(t, src, patch))); diff != "" {
			t.Fatalf("patch %v (-said +made)\n%s", patch, diff)
		}
		if diff := cmp.Diff(canonical(t, src), canonical(t, applyPatch(t, after, undo))); diff != "" {
			t.Fatalf("undo %v (-before +undone)\n%s", undo, diff)
		}
	})
}

func tree(depth int) *rapid.Generator[any] {
	leaf := rapid.OneOf(rapid.Just[any](nil), rapid.Just[any](true), rapid.Just[any]("x"), rapid.Just[any](7.0))
	if depth == 0 {
		return leaf
	}
	return rapid.OneOf(leaf,
		rapid.Map(rapid.SliceOfN(tree(depth-1), 0, 3), func(v []any) any { return v }),
		rapid.Map(rapid.MapOfN(rapid.SampledFrom([]string{"A", "B", "a/b"}), tree(depth-1), 0, 3), func(v map[string]any) any { return v }))
}
