package cfn

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// Small templates that ask for much: each must end soon, in little memory, with
// the rest of the template resolved.
func TestResolvingIsBounded(t *testing.T) {
	repeat := func(n int, open, inner, end string) string {
		return strings.Repeat(open, n) + inner + strings.Repeat(end, n)
	}
	many := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	resource := func(value string) string {
		return "Resources:\n  R: {Type: T, Properties: {V: " + value + "}}\n  S: {Type: T, Properties: {V: ok}}\n"
	}
	tests := []struct{ name, src string }{
		{"texts that double", resource(repeat(200, `{"Fn::Sub": ["${A}${A}", {A: `, "x", `}]}`))},
		{"gaps that double", "Parameters: {P: {Type: String}}\n" + resource(repeat(200, `{"Fn::Sub": ["${A}${A}", {A: `, "!Ref P", `}]}`))},
		{"base64 of base64", resource(repeat(300, `{"Fn::Base64": `, "abc", `}`))},
		{"json of json", resource(repeat(300, `{"Fn::ToJsonString": {a: `, `"\""`, `}}`))},
		{"loops in loops", "Transform: AWS::LanguageExtensions\n" + resource(
			repeat(12, `{"Fn::ForEach::L": [X, [a, b, c, d, e, f, g, h], {"K${X}": `, "1", `}]}`))},
		{"loops of resources", "Transform: AWS::LanguageExtensions\nResources:\n  S: {Type: T, Properties: {V: ok}}\n  " + strings.TrimSuffix(
			repeat(8, `"Fn::ForEach::L": [X, [a, b, c, d, e, f, g, h], {`, `"R${X}": {Type: T}`, `}]`), "\n") + "\n"},
		{"splits of a long text", "Parameters: {P: {Type: String, Default: \"" + strings.Repeat(",", 100_000) + "\"}}\n" +
			resource("["+strings.Repeat(`!Split [",", !Ref P], `, 300)+"]")},
		{"joins of a long list", "Parameters: {P: {Type: CommaDelimitedList, Default: \"" + strings.Repeat("a,", 50_000) + "\"}}\n" +
			resource("["+strings.Repeat(`!Join [",", !Ref P], `, 2000)+"]")},
		{"blocks", resource("[" + strings.Repeat(`!Cidr [10.0.0.0/8, 256, 8], `, 5000) + "]")},
		{"many variables of a text", resource(`{"Fn::Sub": ["` + many(8000, "${V%d}") + `", {` + many(8000, "V%d: !Ref X, ") + `}]}`)},
		{"large mapping", "Mappings: {M: {" + many(3000, "k%d: {a: 1}, ") + "}}\nParameters: {P: {Type: String}}\n" +
			resource("["+strings.Repeat("!FindInMap [M, !Ref P, a], ", 3000)+"]")},
		{"chain of conditions", "Conditions:\n  C0: !Equals [!ImportValue a, b]\n" + func() string {
			var b strings.Builder
			for i := range 8000 {
				fmt.Fprintf(&b, "  C%d: !Not [!Condition C%d]\n", i+1, i)
			}
			return b.String()
		}() + resource("!If [C8000, 1, 2]")},
		{"many parameters in conditions", "Parameters:\n" + many(4000, "  P%d: {Type: String, Default: a}\n") + "Conditions:\n" +
			func() string {
				var b strings.Builder
				for i := range 4000 {
					fmt.Fprintf(&b, "  C%d: !And [!Equals [!Ref P%d, b], !Equals [!Ref P%d, !ImportValue x%d]]\n", i, i, (i*7)%4000, i)
				}
				return b.String()
			}() + resource("["+many(4000, "!If [C%d, 1, 2], ")+"]")},
		{"globals for many", "Transform: AWS::Serverless-2016-10-31\nGlobals: {Function: {Environment: {Variables: {" + many(3000, "V%d: a, ") +
			"}}}}\nResources:\n  S: {Type: T, Properties: {V: ok}}\n" + many(1000, "  F%d: {Type: AWS::Serverless::Function, Properties: {Environment: {Variables: {A: b}}}}\n")},
		{"references to nothing", resource("[" + many(30_000, "!Ref X%d, ") + "]")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tpl := parse(t, tt.src)
			start := time.Now()
			models := tpl.Worlds(Inputs{})
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("took %v", took)
			}
			if got := render(models[0].Resource("S").Properties.Get("V")); got != `"ok"` {
				t.Errorf("the other resource is %s", got)
			}
			for _, m := range models {
				for _, r := range m.Resources {
					checkResolved(t, tt.name, r.LogicalID, r.Properties, 0)
				}
			}
		})
	}
}
