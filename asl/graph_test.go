package asl

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestChoiceText(t *testing.T) {
	tests := []struct{ rule, want string }{
		{`{"Variable":"$.a","StringEquals":"x"}`, `$.a = "x"`},
		{`{"Variable":"$.a","StringEqualsPath":"$.b"}`, `$.a = $.b`},
		{`{"Variable":"$.a","StringMatches":"x*"}`, `$.a matches "x*"`},
		{`{"Variable":"$.n","NumericLessThan":1}`, `$.n < 1`},
		{`{"Variable":"$.n","NumericLessThanEquals":1}`, `$.n ≤ 1`},
		{`{"Variable":"$.n","NumericGreaterThan":1}`, `$.n > 1`},
		{`{"Variable":"$.n","NumericGreaterThanEqualsPath":"$.m"}`, `$.n ≥ $.m`},
		{`{"Variable":"$.a","IsPresent":true}`, `$.a is present`},
		{`{"Variable":"$.a","IsPresent":false}`, `$.a is absent`},
		{`{"Variable":"$.a","IsNull":false}`, `$.a is not null`},
		{`{"Variable":"$.a","IsNumeric":true}`, `$.a is a number`},
		{`{"Variable":"$.a","IsString":true}`, `$.a is a string`},
		{`{"Variable":"$.a","IsBoolean":true}`, `$.a is a boolean`},
		{`{"Variable":"$.a","IsTimestamp":false}`, `$.a is not a timestamp`},
		{`{"Variable":"$.a"}`, `$.a`},
		{`{"Not":{"And":[{"Variable":"$.a","IsNull":true},{"Or":[{"Variable":"$.b","BooleanEquals":true},{"Variable":"$.c","BooleanEquals":false}]}]}}`,
			`not ($.a is null and ($.b = true or $.c = false))`},
		{`{"Condition":"{% $states.input.n > 5 %}"}`, `$states.input.n > 5`},
		{`{"Comment":"Long ones are told in words","Or":[{"Variable":"$.first.long.path","StringEquals":"something"},{"Variable":"$.second.long.path","StringEquals":"else"}]}`, `Long ones are told in words`},
		{`{"Comment":"Short ones are not","Variable":"$.a","IsNull":true}`, `$.a is null`},
	}
	for _, tt := range tests {
		d := mustParse(t, machineOf(`{"Type":"Choice","Choices":[`+tt.rule+`]}`))
		if got := d.State("S").Choices[0].label(); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.rule, got, tt.want)
		}
	}
}

func TestAbout(t *testing.T) {
	tests := []struct{ state, want string }{
		{`{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken","Retry":[{"MaxAttempts":0}]}`, "Task · sqs:sendMessage.waitForTaskToken"},
		{`{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:1:function:fetch","Retry":[{}]}`, "Task · fetch ↻"},
		{`{"Type":"Wait","Seconds":5}`, "Wait · 5 s"},
		{`{"Type":"Wait","SecondsPath":"$.n"}`, "Wait · $.n s"},
		{`{"Type":"Wait","Timestamp":"2030-01-01T00:00:00Z"}`, "Wait · until 2030-01-01T00:00:00Z"},
		{`{"Type":"Wait","TimestampPath":"$.t"}`, "Wait · until $.t"},
		{`{"Type":"Map","MaxConcurrency":1}`, "Map · one at a time"},
		{`{"Type":"Map","MaxConcurrency":8,"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED"}}}`, "Map · distributed · 8 at a time"},
		{`{"Type":"Parallel","Branches":[{},{}]}`, "Parallel · 2 branches"},
		{`{"Type":"Fail","Error":"Lost"}`, "Fail · Lost"},
		{`{"Type":"Pass"}`, "Pass"},
	}
	for _, tt := range tests {
		d := mustParse(t, machineOf(tt.state))
		if got := d.State("S").about(); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.state, got, tt.want)
		}
	}
}

func TestMermaid(t *testing.T) {
	const want = `flowchart TD
  start(( )) --> s1
  s1["FetchBuckets<br/><small>Task · lambda:invoke ↻</small>"]
  s2{"HasBuckets"}
  subgraph s3["ForEachBucket · Map"]
    s3b1(( )) --> s4
    s4(["WaitForTurn<br/><small>Wait · 1 s</small>"])
    s5["WaitForApproval<br/><small>Task · sqs:sendMessage.waitForTaskToken</small>"]
    s6["SetApproved<br/><small>Pass</small>"]
    s4 --> s5
    s5 --> s6
  end
  subgraph s7["AllChecks · Parallel · 1 branches"]
    subgraph s7b1g[" "]
      s7b1(( )) --> s8
      s8["SetDomain<br/><small>Pass</small>"]
    end
  end
  s9(["FetchFailed"]):::bad
  s10(["ScanDone"]):::good
  s1 --> s2
  s1 -.->|"States.ALL"| s9
  s2 -->|"$.buckets[0] is present"| s3
  s2 -->|"otherwise"| s10
  s3 --> s7
  s7 --> s10
  classDef good stroke:#1a7f37,stroke-width:2px
  classDef bad stroke:#cf222e,stroke-width:2px
`
	got := mustParse(t, tidy).Mermaid()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	odd := mustParse(t, `{"StartAt":"a\"b<#","States":{"a\"b<#":{"Type":"Map","Next":"a\"b<#"}}}`).Mermaid()
	if !strings.Contains(odd, `["a#quot;b#lt;#35; · Map"]`) || !strings.Contains(odd, `["nothing inside"]`) {
		t.Errorf("text that Mermaid would read as its own:\n%s", odd)
	}
}

func wellFormed(t *testing.T, svg []byte) {
	t.Helper()
	dec := xml.NewDecoder(bytes.NewReader(svg))
	for {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("not well-formed: %v\n%s", err, svg)
		}
	}
}

func TestSVG(t *testing.T) {
	d := mustParse(t, tidy)
	svg := d.SVG()
	wellFormed(t, svg)
	for _, s := range d.All() {
		if !bytes.Contains(svg, []byte(`data-state="`+s.Name+`"`)) {
			t.Errorf("state %s is not drawn", s.Name)
		}
	}
	for _, want := range []string{"$.buckets[0] is present", "otherwise", `aria-label="Runs once a day; safe to run twice."`, "prefers-color-scheme:dark", "<title>Read only.</title>"} {
		if !bytes.Contains(svg, []byte(want)) {
			t.Errorf("%q is not in the drawing", want)
		}
	}
	if !bytes.Equal(svg, mustParse(t, tidy).SVG()) {
		t.Error("two drawings of one definition differ")
	}
	if bytes.Contains(svg, []byte("entered")) || bytes.Contains(svg, []byte("walked")) || bytes.Contains(svg, []byte("badge")) {
		t.Error("a run is marked where none was given")
	}
}

func TestSVGOfOddMachines(t *testing.T) {
	for _, src := range []string{
		`{}`,
		`{"StartAt":"A","States":{}}`,
		`{"StartAt":"Nobody","States":{"A":{"Type":"What","Next":"Nobody"}}}`,
		`{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"A"}}}`,
		`{"StartAt":"A","States":{"A":{"Type":"Parallel","Branches":[],"Catch":[{"Next":"A"}]}}}`,
		`{"StartAt":"A","States":{"A":{"Type":"Map","ItemProcessor":{}}}}`,
		`{"StartAt":"<&\">","Comment":"\u0001\u0002","States":{"<&\">":{"Type":"Succeed","Comment":"<!--\u0000"}}}`,
	} {
		wellFormed(t, mustParse(t, src).SVG())
	}
}

// randomMachine is a machine of n states with all kinds of edges, loops and
// nested machines among them.
func randomMachine(r *rand.Rand, n, depth int, prefix string) string {
	name := func() string { return fmt.Sprintf("%s%d", prefix, r.IntN(n)) }
	var states []string
	for i := range n {
		me := fmt.Sprintf("%s%d", prefix, i)
		next := fmt.Sprintf(`"Next":%q`, name())
		if r.IntN(4) == 0 {
			next = `"End":true`
		}
		caught := ""
		if r.IntN(2) == 0 {
			caught = fmt.Sprintf(`,"Catch":[{"ErrorEquals":["Throttled%d"],"Next":%q}]`, i, name())
		}
		switch k := r.IntN(7); {
		case k == 0:
			states = append(states, fmt.Sprintf(`%q:{"Type":"Choice","Choices":[{"Variable":"$.some.quite.long.path","IsPresent":true,"Next":%q},{"Variable":"$.b","IsNull":true,"Next":%q}],"Default":%q}`, me, name(), name(), name()))
		case k == 1 && depth > 0:
			states = append(states, fmt.Sprintf(`%q:{"Type":"Map","ItemProcessor":%s,%s%s}`, me, randomMachine(r, 1+r.IntN(4), depth-1, me+"m"), next, caught))
		case k == 2 && depth > 0:
			states = append(states, fmt.Sprintf(`%q:{"Type":"Parallel","Branches":[%s,%s],%s%s}`, me, randomMachine(r, 1+r.IntN(3), depth-1, me+"p"), randomMachine(r, 2, depth-1, me+"q"), next, caught))
		case k == 3:
			states = append(states, fmt.Sprintf(`%q:{"Type":"Fail"}`, me))
		default:
			states = append(states, fmt.Sprintf(`%q:{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke",%s%s}`, me, next, caught))
		}
	}
	return fmt.Sprintf(`{"StartAt":"%s0","States":{%s}}`, prefix, strings.Join(states, ","))
}

// Nothing covers anything: states and labels of a machine stand apart, inside
// its bounds, each below what leads to it.
func TestLayoutIsReadable(t *testing.T) {
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 1))
		src := randomMachine(r, 2+int(seed%14), 2, "S")
		d := mustParse(t, src)
		checkLayout(t, seed, lay(d))
		wellFormed(t, d.SVG())
	}
}

func checkLayout(t *testing.T, seed uint64, l *layout) {
	t.Helper()
	const slack = 0.5
	var solid []*vertex
	for _, layer := range l.layers {
		for _, v := range layer {
			if v.w > 0 {
				solid = append(solid, v)
			}
		}
	}
	describe := func(v *vertex) string {
		if v.state != nil {
			return v.state.Name
		}
		return strings.Join(v.label, " ")
	}
	for i, v := range solid {
		if v.x-v.w/2 < -slack || v.x+v.w/2 > l.w+slack || v.y-v.h/2 < -slack || v.y+v.h/2 > l.h+slack {
			t.Errorf("seed %d: %s is out of bounds", seed, describe(v))
		}
		for _, o := range solid[i+1:] {
			if abs(v.x-o.x) < (v.w+o.w)/2-slack && abs(v.y-o.y) < (v.h+o.h)/2-slack {
				t.Errorf("seed %d: %s covers %s", seed, describe(v), describe(o))
			}
		}
		for _, in := range v.inner {
			if in.x < 0 || in.y < headerHeight-slack || in.x+in.w > v.w+slack || in.y+in.h > v.h+slack {
				t.Errorf("seed %d: what is inside %s stands outside", seed, v.state.Name)
			}
			checkLayout(t, seed, in.layout)
		}
	}
	for _, w := range l.wires {
		if !w.back && w.dst.y-w.dst.h/2 < w.src.y+w.src.h/2 {
			t.Errorf("seed %d: %s stands above what leads to it", seed, w.dst.state.Name)
		}
		if (w.back || w.bus) && (w.lane < 0 || w.lane > l.w) {
			t.Errorf("seed %d: a lane at %v of %v", seed, w.lane, l.w)
		}
	}
}

func abs(x float64) float64 { return max(x, -x) }

func TestWrap(t *testing.T) {
	tests := []struct {
		text         string
		width, lines int
		want         []string
	}{
		{"one two three", 8, 3, []string{"one two", "three"}},
		{"one two three four", 8, 2, []string{"one two", "three…"}},
		{"abcdefghijkl", 5, 3, []string{"abcde", "fghij", "kl"}},
		{"a abcdefgh", 5, 3, []string{"a", "abcde", "fgh"}},
		{"first\nor second", 20, 3, []string{"first", "or second"}},
		{"", 5, 2, nil},
	}
	for _, tt := range tests {
		if got := wrap(tt.text, tt.width, tt.lines); !slices.Equal(got, tt.want) {
			t.Errorf("%q: %q, want %q", tt.text, got, tt.want)
		}
	}
	if got := shorten("abcdef", 4); got != "abc…" {
		t.Error(got)
	}
	if textWidth("漢", 10) != 10 {
		t.Error("an ideograph is not square")
	}
}

func BenchmarkSVG(b *testing.B) {
	d := mustParse(b, randomMachine(rand.New(rand.NewPCG(7, 1)), 20, 2, "S"))
	for b.Loop() {
		d.SVG()
	}
}

func BenchmarkParse(b *testing.B) {
	src := []byte(tidy)
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		if _, err := Parse(src); err != nil {
			b.Fatal(err)
		}
	}
}
