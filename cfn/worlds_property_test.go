package cfn

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"plumbline/internal/sharedtest"
)

// A template without conditions has one world, whatever its parameters are.
func TestWorldsWithoutConditions(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		src := "Parameters:\n"
		n := rapid.IntRange(1, 5).Draw(rt, "parameters")
		for i := range n {
			src += fmt.Sprintf("  P%d: {Type: String", i)
			if rapid.Bool().Draw(rt, "default") {
				src += ", Default: d"
			}
			src += "}\n"
		}
		src += "Resources:\n"
		for i := range rapid.IntRange(1, 4).Draw(rt, "resources") {
			src += fmt.Sprintf("  R%d: {Type: T, Properties: {V: !Sub \"x${P%d}\"}}\n", i, rapid.IntRange(0, n-1).Draw(rt, "ref"))
		}
		models := parse(t, src).Worlds(Inputs{})
		if len(models) != 1 || !models[0].Determined || models[0].Assumed != nil {
			rt.Fatalf("%d worlds, determined %v, assumed %v", len(models), models[0].Determined, models[0].Assumed)
		}
	})
}

// Random conditions: the same inputs give the same worlds, in the bound; every
// world is one that its assumptions make when they are given as parameters; and
// where the bound leaves room each truth of each resource's condition is shown.
func TestWorldsAreConsistent(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		parameters := rapid.IntRange(1, 4).Draw(rt, "parameters")
		src := "Parameters:\n"
		for i := range parameters {
			src += fmt.Sprintf("  P%d: {Type: String, Default: %q, AllowedValues: [a, b, c]}\n", i, rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "default"))
		}
		src += "Conditions:\n"
		conditions := rapid.IntRange(1, 5).Draw(rt, "conditions")
		for i := range conditions {
			atom := func() string {
				if i > 0 && rapid.Bool().Draw(rt, "nested") {
					return fmt.Sprintf("{Condition: C%d}", rapid.IntRange(0, i-1).Draw(rt, "condition"))
				}
				return fmt.Sprintf("!Equals [!Ref P%d, %s]", rapid.IntRange(0, parameters-1).Draw(rt, "parameter"), rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(rt, "value"))
			}
			switch rapid.IntRange(0, 3).Draw(rt, "operator") {
			case 0:
				src += fmt.Sprintf("  C%d: %s\n", i, atom())
			case 1:
				src += fmt.Sprintf("  C%d: !Not [%s]\n", i, atom())
			case 2:
				src += fmt.Sprintf("  C%d: !And [%s, %s]\n", i, atom(), atom())
			case 3:
				src += fmt.Sprintf("  C%d: !Or [%s, %s]\n", i, atom(), atom())
			}
		}
		src += "Resources:\n  Always: {Type: T}\n"
		for i := range conditions {
			src += fmt.Sprintf("  R%d: {Type: T, Condition: C%d, Properties: {V: !Ref P0}}\n", i, i)
		}
		tpl := parse(t, src)
		most := rapid.IntRange(1, 40).Draw(rt, "bound")
		models := tpl.Worlds(Inputs{MaxWorlds: most})
		if len(models) > most {
			rt.Fatalf("%d worlds of %d", len(models), most)
		}
		again := parse(t, src).Worlds(Inputs{MaxWorlds: most})
		if diff := cmp.Diff(picture(models), picture(again)); diff != "" {
			rt.Fatal("not the same twice: ", diff)
		}
		shown := map[string]bool{}
		for _, m := range models {
			given := map[string]string{}
			for _, a := range m.Assumed {
				given[a.Name] = a.Value
			}
			alone := tpl.Worlds(Inputs{Parameters: given})
			have, want := picture([]*Model{m})[0], picture(alone[:1])[0]
			if _, rest, _ := strings.Cut(have, "|"); " |"+rest != want && len(given) == parameters {
				rt.Fatalf("world %s is %s when its values are given\n%s", have, want, src)
			}
			for i := range conditions {
				shown[fmt.Sprint(i, m.Resource(fmt.Sprintf("R%d", i)) != nil)] = true
			}
		}
		if most < 2*conditions+1 {
			return
		}
		for n := range 81 { // all assignments of up to four parameters
			given := map[string]string{}
			for i, rest := 0, n; i < parameters; i, rest = i+1, rest/3 {
				given[fmt.Sprintf("P%d", i)] = string("abc"[rest%3])
			}
			m := tpl.Worlds(Inputs{Parameters: given})[0]
			for i := range conditions {
				if key := fmt.Sprint(i, m.Resource(fmt.Sprintf("R%d", i)) != nil); !shown[key] {
					rt.Fatalf("no world shows %s\n%s", key, src)
				}
			}
		}
	})
}

func TestWorldsOfManyConditionsAreQuick(t *testing.T) {
	var b strings.Builder
	b.WriteString("Parameters:\n")
	for i := range 60 {
		fmt.Fprintf(&b, "  P%d: {Type: String, Default: \"no\"}\n", i)
	}
	b.WriteString("Conditions:\n")
	for i := range 60 {
		fmt.Fprintf(&b, "  C%d: !Or [!Equals [!Ref P%d, \"yes\"], !Equals [!Ref P%d, maybe]]\n", i, i, (i+7)%60)
	}
	b.WriteString("Resources:\n")
	for i := range 400 {
		fmt.Fprintf(&b, "  R%d: {Type: T, Properties: {A: !If [C%d, 1, 0], B: !If [C%d, 1, 0], C: !If [C%d, 1, 0]}}\n", i, i%60, (i*7)%60, (i*13)%60)
	}
	tpl := parse(t, b.String())
	start := time.Now()
	models := tpl.Worlds(Inputs{})
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("took %v", took)
	}
	if len(models) != DefaultMaxWorlds {
		t.Errorf("%d worlds", len(models))
	}
}

func TestWorldsOfTheCorpus(t *testing.T) {
	for _, folder := range []string{"realworld-dev", "malformed"} {
		yamls, jsons := corpusFiles(t, folder)
		for _, sources := range []map[string][]byte{yamls, jsons} {
			for path, src := range sources {
				tpl, err := Parse(path, src)
				if err != nil {
					continue
				}
				for _, m := range tpl.Worlds(Inputs{}) {
					for _, r := range m.Resources {
						checkResolved(t, path, r.LogicalID, r.Properties, 0)
					}
				}
			}
		}
	}
}

// checkResolved holds what is promised of resolved values: no function is left,
// and what is unknown says what it needs.
func checkResolved(t *testing.T, path, id string, v *Value, depth int) {
	t.Helper()
	if v == nil {
		return
	}
	if v.dynamic && v.Kind == Map && len(v.Fields) == 1 && strings.HasPrefix(v.Fields[0].Key, "Fn::") {
		t.Errorf("%s: %s: %s is left", path, id, v.Fields[0].Key)
	}
	if v.Kind == Unknown && (v.Unknown == nil || len(v.Unknown.Needs) == 0) {
		t.Errorf("%s: %s: an unknown value at %v needs nothing", path, id, v.Pos)
	}
	for _, item := range v.Items {
		checkResolved(t, path, id, item, depth+1)
	}
	for _, f := range v.Fields {
		checkResolved(t, path, id, f.Value, depth+1)
	}
}

func FuzzWorlds(f *testing.F) {
	f.Add([]byte(strings.ReplaceAll(frame, "VALUE", `!Sub "${Name}-{{resolve:ssm:${Env}}}"`)))
	f.Add([]byte(strings.ReplaceAll(frame, "VALUE", `{"Fn::ForEach::L": [X, !Ref Zones, {"${X}": !Select [0, !Split [",", !Ref Name]]}]}`)))
	f.Add([]byte(samFixture))
	if dir := os.Getenv("PLUMBLINE_SHARED"); dir != "" {
		paths, _ := filepath.Glob(filepath.Join(sharedtest.Dir(f, "corpus/malformed"), "*", "*"))
		for _, p := range paths {
			if src, err := os.ReadFile(p); err == nil && len(src) < 20_000 {
				f.Add(src)
			}
		}
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		tpl, err := Parse("fuzz.yaml", src)
		if err != nil {
			return
		}
		start := time.Now()
		for _, m := range tpl.Worlds(Inputs{}) {
			for _, r := range m.Resources {
				m.AssumedFor(r)
			}
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// One template is resolved, and its models asked, by many at once.
func TestWorldsAtOnce(t *testing.T) {
	tpl := parse(t, samFixture+`
Conditions: {Live: !Equals [!Ref Stage, live], Never: !Equals [!ImportValue a, b]}
`+"Outputs: {}\n")
	want := picture(tpl.Worlds(Inputs{}))
	shared := tpl.Worlds(Inputs{})
	done := make(chan []string)
	for range 8 {
		go func() {
			for _, m := range shared {
				for _, r := range m.Resources {
					m.AssumedFor(r)
					m.Resource(r.LogicalID)
				}
			}
			done <- picture(tpl.Worlds(Inputs{}))
		}()
	}
	for range 8 {
		if diff := cmp.Diff(want, <-done); diff != "" {
			t.Error(diff)
		}
	}
}
