package remedy_test

import (
	"encoding/json"
	"reflect"
	"strings"

	"pgregory.net/rapid"

	"plumbline/remedy"
)

// applyPatch makes a JSON patch by the letter of RFC 6902, for the operations
// and the pointers through objects that a patch of ours has.
func applyPatch(t rapid.TB, src []byte, patch []remedy.PatchOp) []byte {
	var root any
	if err := json.Unmarshal(src, &root); err != nil {
		t.Fatal(err)
	}
	for _, op := range patch {
		keys := strings.Split(strings.TrimPrefix(op.Path, "/"), "/")
		in := root
		for _, key := range keys[:len(keys)-1] {
			in = in.(map[string]any)[unescape(key)]
		}
		m, key := in.(map[string]any), unescape(keys[len(keys)-1])
		old, there := m[key]
		switch op.Op {
		case "test":
			if !there || !reflect.DeepEqual(old, through(t, op.Value)) {
				t.Fatalf("test of %s: it is %v, not %v", op.Path, old, op.Value)
			}
		case "add":
			m[key] = through(t, op.Value)
		case "replace", "remove":
			if !there {
				t.Fatalf("%s of %s, which is not there", op.Op, op.Path)
			}
			if delete(m, key); op.Op == "replace" {
				m[key] = through(t, op.Value)
			}
		}
	}
	out, err := json.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func unescape(key string) string { return strings.NewReplacer("~1", "/", "~0", "~").Replace(key) }

func through(t rapid.TB, v any) any {
	src, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(src, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func canonical(t rapid.TB, src []byte) string {
	var v any
	if err := json.Unmarshal(src, &v); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
