package live

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// patchOp is an operation of RFC 6902, of those that remediation makes: through
// objects, never into a list.
type patchOp struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// Patch makes a patch, RFC 6902, on a model: whole or not at all, but where only
// the first so many operations that change something are wanted; 0: all.
func Patch(model, patch []byte, only int) ([]byte, error) {
	var root map[string]any
	if err := decodeNumbers(model, &root); err != nil {
		return nil, err
	}
	var ops []patchOp
	if err := decodeNumbers(patch, &ops); err != nil {
		return nil, err
	}
	made := 0
	for _, op := range ops {
		if op.Op != "test" {
			if made++; only > 0 && made > only {
				break
			}
		}
		if err := op.apply(root); err != nil {
			return nil, err
		}
	}
	return json.Marshal(root)
}

func (op patchOp) apply(root map[string]any) error {
	keys := op.keys()
	in := root
	for _, key := range keys[:len(keys)-1] {
		next, ok := in[key].(map[string]any)
		if !ok {
			return fmt.Errorf("%s %s: there is no object %s", op.Op, op.Path, key)
		}
		in = next
	}
	last := keys[len(keys)-1]
	have, there := in[last]
	switch {
	case op.Op == "add":
		in[last] = op.Value
	case !there:
		return fmt.Errorf("%s %s: it is not there", op.Op, op.Path)
	case op.Op == "remove":
		delete(in, last)
	case op.Op == "replace":
		in[last] = op.Value
	case op.Op == "test":
		a, errA := json.Marshal(have)
		b, errB := json.Marshal(op.Value)
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			return fmt.Errorf("test %s: it is %s", op.Path, a)
		}
	default:
		return fmt.Errorf("operation %q is not known", op.Op)
	}
	return nil
}

func (op patchOp) keys() []string {
	keys := strings.Split(strings.TrimPrefix(op.Path, "/"), "/")
	for i := range keys {
		keys[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(keys[i])
	}
	return keys
}

// Patched reports whether a model is as the patch leaves it already.
func Patched(model, patch []byte) (bool, error) {
	var root any
	if err := decodeNumbers(model, &root); err != nil {
		return false, err
	}
	var ops []patchOp
	if err := decodeNumbers(patch, &ops); err != nil {
		return false, err
	}
	for _, op := range ops {
		if op.Op == "test" {
			continue
		}
		at := root
		there := true
		for _, key := range op.keys() {
			in, ok := at.(map[string]any)
			if at, there = in[key]; !ok || !there {
				at, there = nil, false
			}
		}
		a, errA := json.Marshal(at)
		b, errB := json.Marshal(op.Value)
		if there != (op.Op != "remove") || there && (errA != nil || errB != nil || !bytes.Equal(a, b)) {
			return false, nil
		}
	}
	return true, nil
}

// decodeNumbers reads JSON with its numbers as they are written.
func decodeNumbers(src []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(src))
	d.UseNumber()
	return d.Decode(into)
}
