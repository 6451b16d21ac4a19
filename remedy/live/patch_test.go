package live_test

import (
	"testing"

	"plumbline/remedy/live"
)

func TestPatch(t *testing.T) {
	for _, row := range []struct{ name, model, patch, want string }{
		{"all kinds", `{"A":1,"B":{"C":true}}`, `[{"op":"test","path":"/A","value":1},{"op":"replace","path":"/A","value":12345678901234567890},{"op":"remove","path":"/B/C"},{"op":"add","path":"/B/x~1y","value":[1.0]}]`, `{"A":12345678901234567890,"B":{"x/y":[1.0]}}`},
		{"a test fails", `{"A":1}`, `[{"op":"test","path":"/A","value":2},{"op":"remove","path":"/A"}]`, ""},
		{"nothing to replace", `{}`, `[{"op":"replace","path":"/A","value":2}]`, ""},
		{"no object on the way", `{"A":1}`, `[{"op":"add","path":"/A/B","value":2}]`, ""},
		{"no such operation", `{"A":1}`, `[{"op":"move","path":"/A"}]`, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := live.Patch([]byte(row.model), []byte(row.patch), 0)
			if string(got) != row.want || (err == nil) != (row.want != "") {
				t.Errorf("%s %v, want %s", got, err, row.want)
			}
			before, err := live.Patched([]byte(row.model), []byte(row.patch))
			if err != nil || before {
				t.Errorf("patched before: %v %v", before, err)
			}
			if row.want != "" {
				if after, err := live.Patched(got, []byte(row.patch)); err != nil || !after {
					t.Errorf("patched after: %v %v", after, err)
				}
			}
		})
	}
}
