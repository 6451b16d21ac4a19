package cfn

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPlain(t *testing.T) {
	want := map[string]any{"s": "x", "b": true, "n": int64(7), "f": 0.25, "l": []any{"1", nil}, "m": map[string]any{}}
	if diff := cmp.Diff(any(want), FromPlain(want).Plain()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
