package engine_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/asl/engine"
)

// Variables have quotas: one Assign's, and all of an execution's.
func TestVariableLimits(t *testing.T) {
	text := func(n int) string { return `{"v":"` + strings.Repeat("x", n-2) + `","n":0}` }
	// chain assigns in one state after the other.
	chain := func(assign string, names ...string) string {
		var b strings.Builder
		b.WriteString(`{"StartAt":"` + names[0] + `","States":{`)
		for i, n := range names {
			next := `"End":true,"OutputPath":null`
			if i+1 < len(names) {
				next = `"Next":"` + names[i+1] + `"`
			}
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(`"` + n + `":{"Type":"Pass","Assign":{` + strings.ReplaceAll(assign, "NAME", n) + `},` + next + `}`)
		}
		return b.String() + `}}`
	}
	names := func(n int) (list []string) {
		for i := range n {
			list = append(list, "s"+string(rune('A'+i/26))+string(rune('A'+i%26)))
		}
		return list
	}
	tooLarge := func(state string) engine.Result {
		return engine.Result{Status: engine.Failed, Error: "States.DataLimitExceeded",
			Cause: "The state/task '" + state + "' returned a result with a size exceeding the maximum number of bytes service limit."}
	}
	fine := engine.Result{Status: engine.Succeeded, Output: json.RawMessage(`{}`)}
	const quarter = 256 * 1024
	// held has so many branches that keep what they have assigned while they wait.
	held := func(n int) string {
		one := `{"StartAt":"b","States":{"b":{"Type":"Pass","Assign":{"v.$":"$.v"},"OutputPath":null,"Next":"w"},"w":{"Type":"Wait","Seconds":1,"End":true}}}`
		return `{"StartAt":"P","States":{"P":{"Type":"Parallel","Branches":[` + strings.Repeat(one+",", n-1) + one + `],"ResultPath":null,"OutputPath":null,"End":true}}}`
	}
	tests := []struct {
		name, src string
		size      int
		want      engine.Result
	}{
		{"two that fill one Assign", chain(`"a.$":"$.v","b.$":"$.v"`, "s"), quarter / 2, fine},
		{"two that are a byte too much each", chain(`"a.$":"$.v","b.$":"$.v"`, "s"), quarter/2 + 1, tooLarge("s")},
		{"one that is too large", chain(`"a.$":"States.Array($.v,$.v)"`, "s"), quarter / 2, tooLarge("s")},
		{"one that grows in a loop", `{"StartAt":"A","States":{"A":{"Type":"Pass","Assign":{"v.$":"$.v"},"Next":"B"},
			"B":{"Type":"Pass","Assign":{"v.$":"States.Array($v,$v)"},"Next":"B"}}}`, 1000, tooLarge("B")},
		{"text that grows in one call", chain(`"a.$":"States.Hash(States.JsonToString(States.Array(`+strings.Repeat("$.v,", 99)+`$.v)),'MD5')"`, "s"), 200_000, tooLarge("s")},
		{"Parameters of a state that is no task", `{"StartAt":"s","States":{"s":{"Type":"Pass","Parameters":{"a.$":"$.v","b.$":"$.v"},"ResultPath":null,"OutputPath":null,"End":true}}}`, 200_000, tooLarge("s")},
		{"so many as an execution may have", chain(`"NAME.$":"$.v"`, names(52)...), 200_000, fine},
		{"one more", chain(`"NAME.$":"$.v"`, names(53)...), 200_000, tooLarge("sCA")},
		{"the same again and again", chain(`"v.$":"$.v"`, names(80)...), 200_000, fine},
		{"branches one after the other", `{"StartAt":"M","States":{"M":{"Type":"Map","MaxConcurrency":1,"ItemsPath":"$.items","ItemSelector":{"v.$":"$.v"},
			"ItemProcessor":` + chain(`"v.$":"$.v"`, "b") + `,"ResultPath":null,"OutputPath":null,"End":true}}}`, 200_000, fine},
		{"branches that hold as much as they may", held(52), 200_000, fine},
		{"and one more", held(53), 200_000, tooLarge("b")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			input := strings.TrimSuffix(text(tt.size), "}") + `,"items":[` + strings.Repeat("1,", 99) + `1]}`
			x := run(t, tt.src, input, engine.Options{})
			if d := cmp.Diff(tt.want, x.Result()); d != "" {
				t.Error(d)
			}
		})
	}
}
