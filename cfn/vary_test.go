package cfn

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const varied = `
Parameters:
  Env: {Type: String, Default: prod, AllowedValues: [dev, prod, test]}
  Size: {Type: Number, AllowedValues: [1, 2]}
  Only: {Type: String, AllowedValues: [x]}
  Free: {Type: String, Default: a}
  Stored: {Type: "AWS::SSM::Parameter::Value<String>", Default: /a, AllowedValues: [/a, /b]}
  Zones: {Type: CommaDelimitedList, Default: "a,b", AllowedValues: [a, b]}
Mappings: {M: {dev: {k: 1}, prod: {k: 2}, test: {k: 3}}}
Resources:
  Plain: {Type: T, Properties: {V: !Ref Free}}
  A: {Type: T, Properties: {V: !Ref Env, W: !Sub "${Env}-${Size}", X: !Ref Only, Y: !Ref Stored, Z: !Ref Zones, Deep: {Of: !Ref Env, Free: !Ref Free}}}
  B: {Type: T, Properties: {V: !FindInMap [M, !Ref Env, k], W: 1}}
`

func TestVarying(t *testing.T) {
	models := parse(t, varied).Worlds(Inputs{})
	if len(models) != 1 {
		t.Fatalf("%d worlds, and no condition", len(models))
	}
	base := models[0]
	got := map[string]Variation{}
	for _, r := range base.Resources {
		got[r.LogicalID] = base.Varying(r)[r.Properties]
	}
	want := map[string]Variation{
		"Plain": nil, "A": {"V": {"Env"}, "W": {"Env", "Size"}, "Deep": {"Env"}}, "B": {"V": {"Env"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	a := base.Resource("A")
	if diff := cmp.Diff(Variation{"Of": {"Env"}}, base.Varying(a)[a.Properties.Get("Deep")]); diff != "" {
		t.Error(diff)
	}
	for name, want := range map[string]string{"Env": "[dev test] true", "Size": "[1 2] false", "Only": "[] false", "Free": "[] false", "Nothing": "[] false"} {
		others, known := base.Values(name)
		if got := fmt.Sprint(others, known); got != want {
			t.Errorf("Values(%s) = %s, want %s", name, got, want)
		}
	}
	given := parse(t, varied).Worlds(Inputs{Parameters: map[string]string{"Env": "dev", "Size": "1"}})[0]
	if got := given.Varying(given.Resource("A")); got != nil {
		t.Errorf("given values vary: %v", got)
	}
	if got := base.Varying(&Resource{LogicalID: "A"}); got != nil {
		t.Errorf("a resource of no world varies: %v", got)
	}
}

func TestWith(t *testing.T) {
	base := parse(t, varied).Worlds(Inputs{})[0]
	dev := base.With("Env", "dev")
	if diff := cmp.Diff([]string{` | Plain="a" A="dev" B=1`}, picture([]*Model{dev})); diff != "" {
		t.Error(diff)
	}
	if dev.Resource("Plain") != base.Resource("Plain") {
		t.Error("a resource that does not read the parameter is made anew")
	}
	if base.With("Env", "dev") != dev || dev.With("Env", "prod") == nil || base.With("Env", "prod") != base {
		t.Error("the same world is another model")
	}
	if got := base.Resource("A").Properties.Get("W"); got.Kind != Unknown {
		t.Errorf("a parameter without a default is %v", got)
	}
	if got := render(dev.With("Size", "2").Resource("A").Properties.Get("W")); got != `"dev-2"` {
		t.Errorf("Env dev, Size 2: %s", got)
	}
	if base.With("Free", "b") != nil || base.With("Nothing", "b") != nil || (&Model{}).With("Env", "dev") != nil {
		t.Error("a parameter that does not vary is set")
	}
	if diff := cmp.Diff("Env=dev", assumed(dev.Because([]*Model{base}, []string{"A", "Plain", "Nothing"}))); diff != "" {
		t.Error(diff)
	}
	if got := dev.Because([]*Model{base}, []string{"Plain"}); len(got) != 0 {
		t.Errorf("a resource that is the same: %v", got)
	}
}

func TestBecause(t *testing.T) {
	const conditions = `
Parameters:
  A: {Type: String, Default: "y"}
  B: {Type: String, Default: "y"}
  C: {Type: String, Default: "y"}
Conditions:
  Both: !And [!Equals [!Ref A, x], !Equals [!Ref B, x]]
  Any: !Or [!Equals [!Ref A, x], !Equals [!Ref B, x], !Equals [!Ref C, x]]
  Deep: !Not [!Condition Both]
Resources:
  R: {Type: T, Properties: {V: !If [Both, 1, 0]}}
  S: {Type: T, Properties: {V: !If [Any, 1, 0]}}
  D: {Type: T, Properties: {V: !If [Deep, 1, 0]}}
  P: {Type: T, Condition: Both}
`
	models := parse(t, conditions).Worlds(Inputs{})
	for id, want := range map[string]string{"R": "A=x B=x", "S": "A=x", "D": "A=x B=x", "P": "A=x B=x"} {
		got := "no such world"
		for _, m := range models[1:] {
			here, there := m.Resource(id), models[0].Resource(id)
			if here != there {
				got = assumed(m.Because(models[:1], []string{id}))
				break
			}
		}
		if got != want {
			t.Errorf("%s differs because %s, want %s", id, got, want)
		}
	}
}
