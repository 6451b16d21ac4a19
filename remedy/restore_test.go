package remedy_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/cfn"
	"plumbline/remedy"
)

func TestRestore(t *testing.T) {
	before := `{"A":1,"B":{"C":[1]},"Other":"x"}`
	patch, undo, after, err := remedy.PatchModel([]byte(before), []cfn.Op{{Do: "set", Path: []string{"A"}, Value: 2}, {Do: "set", Path: []string{"B", "D"}, Value: true}, {Do: "remove", Path: []string{"B", "C"}}})
	if err != nil {
		t.Fatal(err)
	}
	p := &remedy.Plan{Before: []byte(before), After: after, Patch: patch, Undo: undo}
	for _, row := range []struct{ name, model, want string }{
		{"nothing made", `{"A":1,"B":{"C":[1]},"Other":"y"}`, `null []`},
		{"all made", `{"A":2,"B":{"D":true},"Other":"y"}`, `[{"op":"test","path":"/A","value":2},{"op":"replace","path":"/A","value":1},{"op":"add","path":"/B/C","value":[1]},{"op":"test","path":"/B/D","value":true},{"op":"remove","path":"/B/D"}] []`},
		{"half made", `{"A":2,"B":{"C":[1]}}`, `[{"op":"test","path":"/A","value":2},{"op":"replace","path":"/A","value":1}] []`},
		{"set by somebody else", `{"A":3,"B":{"C":[1],"D":false}}`, `null ["A","B.D"]`},
	} {
		t.Run(row.name, func(t *testing.T) {
			patch, foreign, err := p.Restore([]byte(row.model))
			if err != nil {
				t.Fatal(err)
			}
			a, _ := json.Marshal(patch)
			if foreign == nil {
				foreign = []string{}
			}
			b, _ := json.Marshal(foreign)
			if diff := cmp.Diff(row.want, string(a)+" "+string(b)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
	for model, want := range map[string]bool{before: false, string(after): true} {
		if made, err := p.Made([]byte(model)); err != nil || made != want {
			t.Errorf("%s is made: %v %v", model, made, err)
		}
	}
}
