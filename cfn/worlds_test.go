package cfn

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// picture writes each world in a line: what it assumes, then its resources.
func picture(models []*Model) []string {
	var out []string
	for _, m := range models {
		var b strings.Builder
		b.WriteString(assumed(m.Assumed))
		b.WriteString(" |")
		for _, r := range m.Resources {
			b.WriteString(" " + r.LogicalID)
			if v := r.Properties.Get("V"); v != nil {
				b.WriteString("=" + render(v))
			}
		}
		out = append(out, b.String())
	}
	return out
}

func assumed(list []Assumption) string {
	parts := make([]string, len(list))
	for i, a := range list {
		parts[i] = a.Name + "=" + a.Value
		if a.Default {
			parts[i] += "(default)"
		}
	}
	return strings.Join(parts, " ")
}

func TestWorlds(t *testing.T) {
	tests := []struct {
		name, src  string
		in         Inputs
		want       []string
		determined bool
	}{
		{
			name: "no conditions",
			src: `
Parameters: {Env: {Type: String, Default: prod}}
Resources:
  A: {Type: T, Properties: {V: !Ref Env}}
`,
			want:       []string{` | A="prod"`},
			determined: true,
		},
		{
			name: "right by default, other elsewhere",
			src: `
Parameters: {Env: {Type: String, Default: prod, AllowedValues: [dev, prod, test]}}
Conditions: {Prod: !Equals [!Ref Env, prod]}
Resources:
  A: {Type: T, Properties: {V: !If [Prod, one, two]}}
  B: {Type: T, Properties: {V: !Ref Env}}
`,
			want:       []string{`Env=prod(default) | A="one" B="prod"`, `Env=dev | A="two" B="dev"`},
			determined: true,
		},
		{
			name: "given value is not explored",
			src: `
Parameters: {Env: {Type: String, Default: prod}}
Conditions: {Prod: !Equals [!Ref Env, prod]}
Resources:
  A: {Type: T, Properties: {V: !If [Prod, one, two]}}
`,
			in:         Inputs{Parameters: map[string]string{"Env": "dev"}},
			want:       []string{` | A="two"`},
			determined: true,
		},
		{
			name: "no default: first consistent world",
			src: `
Parameters: {Env: {Type: String}}
Conditions: {Prod: !Equals [!Ref Env, prod]}
Resources:
  A: {Type: T, Condition: Prod}
  B: {Type: T, Properties: {V: !Ref Env}}
`,
			want: []string{`Env=prod | A B="prod"`, `Env=other than prod | B=<parameter Env | *>`},
		},
		{
			name: "some other value is not empty where empty is compared",
			src: `
Parameters: {Key: {Type: String, Default: ""}}
Conditions: {HasKey: !Not [!Equals [!Ref Key, ""]]}
Resources:
  A: {Type: T, Properties: {V: !If [HasKey, !Ref Key, none]}}
`,
			want:       []string{`Key=(default) | A="none"`, `Key=not empty | A=<parameter Key | +>`},
			determined: true,
		},
		{
			name: "other value is named by what it is not",
			src: `
Parameters: {Key: {Type: String, Default: a}}
Conditions: {C: !Or [!Equals [!Ref Key, a], !Equals [!Ref Key, ""], !Equals [b, !Ref Key]]}
Resources:
  A: {Type: T, Condition: C}
`,
			want:       []string{`Key=a(default) | A`, `Key=neither empty nor a, b |`},
			determined: true,
		},
		{
			name: "dependent conditions",
			src: `
Parameters:
  Env: {Type: String, Default: dev}
  Multi: {Type: String, Default: "true", AllowedValues: ["true", "false"]}
Conditions:
  Prod: !Equals [!Ref Env, prod]
  ProdMulti: !And [!Condition Prod, !Equals [!Ref Multi, "true"]]
Resources:
  A: {Type: T, Properties: {V: !If [ProdMulti, multi, single]}}
`,
			want:       []string{`Env=dev(default) Multi=true(default) | A="single"`, `Env=prod Multi=true(default) | A="multi"`},
			determined: true,
		},
		{
			name: "every truth of a resource's conditions",
			src: `
Parameters:
  X: {Type: String, Default: "no", AllowedValues: ["yes", "no"]}
  Y: {Type: String, Default: "no", AllowedValues: ["yes", "no"]}
Conditions:
  CX: !Equals [!Ref X, "yes"]
  CY: !Equals [!Ref Y, "yes"]
Resources:
  A: {Type: T, Properties: {V: [!If [CX, 1, 0], !If [CY, 1, 0]]}}
  B: {Type: T, Condition: CX}
`,
			want: []string{
				`X=no(default) Y=no(default) | A=[0, 0]`,
				`X=yes Y=no(default) | A=[1, 0] B`,
				`X=no(default) Y=yes | A=[0, 1]`,
				`X=yes Y=yes | A=[1, 1] B`,
			},
			determined: true,
		},
		{
			name: "not the product of unrelated conditions",
			src: `
Parameters:
  X: {Type: String, Default: "no", AllowedValues: ["yes", "no"]}
  Y: {Type: String, Default: "no", AllowedValues: ["yes", "no"]}
Conditions:
  CX: !Equals [!Ref X, "yes"]
  CY: !Equals [!Ref Y, "yes"]
Resources:
  A: {Type: T, Condition: CX}
  B: {Type: T, Condition: CY}
`,
			want: []string{
				`X=no(default) Y=no(default) |`,
				`X=yes Y=no(default) | A`,
				`X=no(default) Y=yes | B`,
			},
			determined: true,
		},
		{
			name: "the bound merges what it can",
			src: `
Parameters:
  X: {Type: String, Default: "no", AllowedValues: ["yes", "no"]}
  Y: {Type: String, Default: "no", AllowedValues: ["yes", "no"]}
Conditions:
  CX: !Equals [!Ref X, "yes"]
  CY: !Equals [!Ref Y, "yes"]
Resources:
  A: {Type: T, Condition: CX}
  B: {Type: T, Condition: CY}
`,
			in:         Inputs{MaxWorlds: 2},
			want:       []string{`X=no(default) Y=no(default) |`, `X=yes Y=yes | A B`},
			determined: true,
		},
		{
			name: "the bound of one world",
			src: `
Parameters: {X: {Type: String, Default: "no"}}
Conditions: {CX: !Equals [!Ref X, "yes"]}
Resources:
  A: {Type: T, Condition: CX}
`,
			in:         Inputs{MaxWorlds: 1},
			want:       []string{`X=no(default) |`},
			determined: true,
		},
		{
			name: "a merge that would lose a truth is left out",
			src: `
Parameters: {X: {Type: String, Default: a, AllowedValues: [a, b, c]}}
Conditions: {B: !Equals [!Ref X, b], C: !Equals [!Ref X, c]}
Resources:
  A: {Type: T, Properties: {V: !If [B, b, !If [C, c, a]]}}
`,
			in:         Inputs{MaxWorlds: 2},
			want:       []string{`X=a(default) | A="a"`, `X=b | A="b"`},
			determined: true,
		},
		{
			name: "a condition on what cannot be enumerated",
			src: `
Conditions:
  Shared: !Equals [!ImportValue shared, "true"]
  Own: !Not [!Condition Shared]
Resources:
  A: {Type: T, Condition: Shared}
  B: {Type: T, Condition: Own}
`,
			want: []string{`Shared=false | B`, `Shared=true | A`},
		},
		{
			name: "the same comparison in two conditions has one outcome",
			src: `
Conditions:
  Shared: !Equals [!ImportValue shared, "true"]
  Own: !Not [!Equals [!ImportValue shared, "true"]]
Resources:
  A: {Type: T, Condition: Shared}
  B: {Type: T, Condition: Own}
`,
			want: []string{`Shared=false | B`, `Shared=true | A`},
		},
		{
			name: "a parameter of the parameter store",
			src: `
Parameters: {Env: {Type: "AWS::SSM::Parameter::Value<String>", Default: /env}}
Conditions: {Prod: !Equals [!Ref Env, prod]}
Resources:
  A: {Type: T, Properties: {V: !Ref Env}}
  B: {Type: T, Condition: Prod}
`,
			want: []string{`Env=prod | A="prod" B`, `Env=other than prod | A=<SSM parameter /env | +>`},
		},
		{
			name: "regions are those compared with, and one other",
			src: `
Conditions:
  East: !Equals [!Ref AWS::Region, us-east-1]
  China: !Equals [!Ref AWS::Partition, aws-cn]
Resources:
  A: {Type: T, Condition: East}
  B: {Type: T, Properties: {V: !Sub "${AWS::Region}.${AWS::URLSuffix}"}}
  C: {Type: T, Condition: China}
`,
			want: []string{`AWS::Region=us-east-1 | A B="us-east-1.amazonaws.com"`, `AWS::Region=other than us-east-1 | B=<AWS::Region | +.amazonaws.com>`},
		},
		{
			name: "region given",
			src: `
Conditions: {East: !Equals [!Ref AWS::Region, us-east-1]}
Resources:
  A: {Type: T, Condition: East}
`,
			in:         Inputs{Region: "eu-west-1"},
			want:       []string{` |`},
			determined: true,
		},
		{
			name: "an account compared with a literal",
			src: `
Conditions: {Main: !Equals [!Ref AWS::AccountId, "111122223333"]}
Resources:
  A: {Type: T, Properties: {V: !If [Main, !Ref AWS::AccountId, 2]}}
`,
			want: []string{`AWS::AccountId=111122223333 | A="111122223333"`, `AWS::AccountId=other than 111122223333 | A=2`},
		},
		{
			name: "keys of a mapping",
			src: `
Parameters: {Env: {Type: String, Default: dev}}
Mappings: {M: {dev: {Big: "no"}, test: {Big: "no"}, prod: {Big: "yes"}}}
Conditions: {Big: !Equals [!FindInMap [M, !Ref Env, Big], "yes"]}
Resources:
  A: {Type: T, Condition: Big}
`,
			want:       []string{`Env=dev(default) |`, `Env=prod | A`},
			determined: true,
		},
		{
			name: "second keys of a mapping",
			src: `
Parameters: {Kind: {Type: String}}
Mappings: {M: {all: {a: "no", b: "yes"}}}
Conditions: {B: !Equals [!FindInMap [M, all, !Ref Kind], "yes"]}
Resources:
  A: {Type: T, Condition: B}
`,
			want: []string{`Kind=a |`, `Kind=b | A`},
		},
		{
			name: "a text made of parameters",
			src: `
Parameters: {A: {Type: String, Default: ""}, B: {Type: String, Default: ""}}
Conditions: {Any: !Not [!Equals [!Join ["", [!Ref A, !Ref B]], ""]]}
Resources:
  R: {Type: T, Properties: {V: !If [Any, 1, 0]}}
`,
			want:       []string{`A=(default) B=(default) | R=0`, `A=not empty B=(default) | R=1`},
			determined: true,
		},
		{
			name: "a list that is empty or not",
			src: `
Parameters: {Ids: {Type: CommaDelimitedList, Default: ""}}
Conditions: {Some: !Not [!Equals [!Join ["", !Ref Ids], ""]]}
Resources:
  R: {Type: T, Properties: {V: !If [Some, !Ref Ids, 0]}}
`,
			want:       []string{`Ids=(default) | R=0`, `Ids=not empty | R=<parameter Ids>`},
			determined: true,
		},
		{
			name: "two parameters compared",
			src: `
Parameters: {A: {Type: String, Default: x}, B: {Type: String, Default: x}}
Conditions: {Same: !Equals [!Ref A, !Ref B]}
Resources:
  R: {Type: T, Condition: Same}
`,
			want:       []string{`A=x(default) B=x(default) | R`, `A=other than x B=x(default) |`},
			determined: true,
		},
		{
			name: "a condition that its other part decides",
			src: `
Parameters: {On: {Type: String, Default: "no", AllowedValues: ["yes", "no"]}, X: {Type: String}}
Conditions: {Both: !And [!Equals [!Ref On, "yes"], !Equals [!Ref X, a]]}
Resources:
  R: {Type: T, Condition: Both}
`,
			want:       []string{`On=no(default) X=a |`, `On=yes X=a | R`},
			determined: true,
		},
		{
			name: "conditions of outputs are not explored",
			src: `
Parameters: {X: {Type: String}}
Conditions: {C: !Equals [!Ref X, a]}
Resources:
  R: {Type: T}
`,
			want:       []string{` | R`},
			determined: true,
		},
		{
			name: "a cycle of conditions is false",
			src: `
Conditions: {A: !Not [!Condition B], B: !Condition A}
Resources:
  R: {Type: T, Condition: A}
  S: {Type: T}
`,
			want: []string{` | R S`},
		},
		{
			name: "odd conditions",
			src: `
Conditions:
  Yep: true
  List: [a]
  NotOne: !Not []
  AndNone: !And []
  Nope: !Condition Nowhere
  Const: !Equals [a, a]
  NotMap: {"Fn::Not": {"Fn::Equals": [a, b]}}
  Wide: {"Fn::Equals": [a]}
  Number: !Equals [1, "1"]
Resources:
  R: {Type: T, Properties: {V: [!If [Yep, 1, 0], !If [Const, 1, 0], !If [NotMap, 1, 0], !If [Number, 1, 0]]}}
  S: {Type: T, Condition: List}
  U: {Type: T, Condition: Undeclared}
`,
			want: []string{`List=false | R=[1, 1, 1, 1] U`, `List=true | R=[1, 1, 1, 1] S U`},
		},
		{
			name: "the default of a secret parameter is not shown",
			src: `
Parameters: {P: {Type: String, NoEcho: true, Default: hunter2}}
Conditions: {C: !Equals [!Ref P, hunter2]}
Resources:
  R: {Type: T, Condition: C}
`,
			want:       []string{`P=****(default) | R`, `P=another value |`},
			determined: true,
		},
		{
			name: "one allowed value is determined",
			src: `
Parameters: {P: {Type: String, AllowedValues: [a]}}
Conditions: {C: !Equals [!Ref P, a]}
Resources:
  R: {Type: T, Condition: C}
`,
			want:       []string{`P=a(default) | R`},
			determined: true,
		},
		{
			name: "conditions of a loop",
			src: `
Transform: AWS::LanguageExtensions
Parameters: {Env: {Type: String, Default: a}}
Conditions:
  "Fn::ForEach::L": [X, [a, b], {"Is${X}": !Equals [!Ref Env, {Ref: X}]}]
Resources:
  R: {Type: T, Properties: {V: !If [Isa, 1, 0]}}
  S: {Type: T, Condition: Isb}
`,
			want:       []string{`Env=a(default) | R=1`, `Env=b | R=0 S`},
			determined: true,
		},
		{
			name: "resources of a loop",
			src: `
Transform: AWS::LanguageExtensions
Parameters: {Names: {Type: CommaDelimitedList, Default: "a-1,b"}, Other: {Type: CommaDelimitedList}}
Conditions: {C: !Equals [a, b]}
Resources:
  "Fn::ForEach::L":
    - X
    - !Ref Names
    - "R&{X}": {Type: T, Properties: {V: !Sub "${X}.${AWS::Partition}"}}
      "N&{X}": {Type: T, Condition: C}
      "Fn::ForEach::M": [Y, [p], {"Q&{X}${Y}": {Type: T, Properties: {V: !Ref "Rb"}}}]
      NoType: {Properties: {}}
  "Fn::ForEach::U": [X, !Ref Other, {"U${X}": {Type: T, Properties: {V: !Sub "${X}.${AWS::Partition}"}}}]
  "Fn::ForEach::Wrong": [X]
`,
			want: []string{
				` | Ra1="a-1.aws" Qa1p=<resource Rb | + @Rb> Rb="b.aws" Qbp=<resource Rb | + @Rb> U${X}=<parameter Other | +.aws>`,
			},
			determined: true,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			models := parse(t, tt.src).Worlds(tt.in)
			if diff := cmp.Diff(tt.want, picture(models)); diff != "" {
				t.Error(diff)
			}
			if models[0].Determined != tt.determined {
				t.Errorf("determined %v, want %v", models[0].Determined, tt.determined)
			}
			for _, m := range models[1:] {
				if m.Determined {
					t.Error("a further world is determined")
				}
			}
		})
	}
}

func TestResourcesThatAreEqualAreShared(t *testing.T) {
	models := parse(t, `
Parameters:
  X: {Type: String, Default: "no", AllowedValues: ["yes", "no"]}
  Y: {Type: String, Default: "no", AllowedValues: ["yes", "no"]}
Conditions:
  CX: !Equals [!Ref X, "yes"]
  CY: !Equals [!Ref Y, "yes"]
Resources:
  A: {Type: T, Properties: {V: !If [CX, 1, 0]}}
  B: {Type: T, Properties: {V: !If [CY, 1, !If [CX, 2, 3]]}}
  C: {Type: T, Properties: {V: !Ref A}}
  D: {Type: T, Properties: {V: !Ref X}}
`).Worlds(Inputs{})
	got := map[string]int{}
	for _, id := range []string{"A", "B", "C", "D"} {
		distinct := map[*Resource]bool{}
		for _, m := range models {
			distinct[m.Resource(id)] = true
		}
		got[id] = len(distinct)
	}
	if diff := cmp.Diff(map[string]int{"A": 2, "B": 3, "C": 1, "D": 2}, got); diff != "" {
		t.Error(diff)
	}
}

func TestAssumedFor(t *testing.T) {
	models := parse(t, `
Parameters:
  Env: {Type: String, Default: prod, AllowedValues: [prod, dev]}
  Big: {Type: String, Default: "no", AllowedValues: ["yes", "no"]}
  X: {Type: String}
Conditions:
  Prod: !Equals [!Ref Env, prod]
  ProdBig: !And [!Condition Prod, !Equals [!Ref Big, "yes"]]
  Never: !And [!Equals [!Ref Env, dev], !Equals [!Ref Env, prod]]
  HasX: !Equals [!Ref X, a]
  Shared: !Equals [!ImportValue a, b]
Resources:
  Plain: {Type: T}
  A: {Type: T, Properties: {V: !If [Prod, 1, 0]}}
  B: {Type: T, Properties: {V: !If [ProdBig, 1, 0]}}
  C: {Type: T, Properties: {V: !If [Never, 1, 0]}}
  D: {Type: T, Properties: {V: !Ref Env}}
  E: {Type: T, Properties: {V: !If [HasX, 1, !If [Shared, 2, 3]]}}
`).Worlds(Inputs{})
	got := map[string]string{}
	for i, m := range models {
		for _, r := range m.Resources {
			if i == 0 || m.Resource(r.LogicalID) != models[0].Resource(r.LogicalID) {
				got[fmt.Sprint(i, " ", r.LogicalID)] = assumed(m.AssumedFor(r))
			}
		}
	}
	want := map[string]string{
		"0 Plain": "", "0 A": "Env=prod(default)", "0 B": "Big=no(default)", "0 C": "Env=prod(default)",
		"0 D": "Env=prod(default)", "0 E": "X=a",
		"1 A": "Env=dev", "1 D": "Env=dev",
		"2 B": "Env=prod(default) Big=yes",
		"3 E": "X=other than a Shared=false",
		"4 E": "X=other than a Shared=true",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	settled := map[string]bool{}
	for i, m := range models {
		for _, r := range m.Resources {
			settled[fmt.Sprint(i, " ", r.LogicalID)] = m.DeterminedFor(r)
		}
	}
	for key, want := range map[string]bool{
		"0 Plain": true, "0 A": true, "0 B": true, "0 C": true, "0 D": true, "0 E": false,
		"1 Plain": true, "1 A": false, "1 B": true, "1 D": false, "2 A": true, "2 B": false, "3 A": true, "3 E": false,
	} {
		if settled[key] != want {
			t.Errorf("%s: determined %v", key, settled[key])
		}
	}
	if models[0].DeterminedFor(&Resource{LogicalID: "A"}) || !(&Model{Determined: true}).DeterminedFor(&Resource{}) {
		t.Error("a resource of no world is determined, or one of a model made by hand is not")
	}
	if got := models[0].AssumedFor(&Resource{LogicalID: "A"}); got != nil {
		t.Errorf("a resource of no world: %v", got)
	}
	hand := &Model{Assumed: []Assumption{{Name: "X"}}}
	if diff := cmp.Diff(hand.Assumed, hand.AssumedFor(&Resource{})); diff != "" {
		t.Error("a model made by hand: ", diff)
	}
}
