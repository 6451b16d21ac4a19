package ruleset

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/cfn"
	"plumbline/finding"
)

func TestAllowedValuesAreWorlds(t *testing.T) {
	s := open(t, nil, ruleText("encrypted", "[AWS::RDS::DBInstance]", encrypted))
	for _, tt := range []struct {
		name, head, properties string
		params                 map[string]string
		want                   said
	}{
		{
			name:       "a default that is right, another value that is not",
			head:       `Parameters: {Enc: {Type: String, Default: "true", AllowedValues: ["true", "false"]}}`,
			properties: `{StorageEncrypted: !Ref Enc}`,
			want:       said{"R", "fail", "storage is not encrypted when Enc is false", nil, []string{"Enc=false"}},
		},
		{
			name:       "a default that is wrong",
			head:       `Parameters: {Enc: {Type: String, Default: "false", AllowedValues: ["true", "false"]}}`,
			properties: `{StorageEncrypted: !Ref Enc}`,
			want:       said{"R", "fail", "storage is not encrypted", nil, nil},
		},
		{
			name:       "a value that was given",
			head:       `Parameters: {Enc: {Type: String, Default: "true", AllowedValues: ["true", "false"]}}`,
			params:     map[string]string{"Enc": "true"},
			properties: `{StorageEncrypted: !Ref Enc}`,
			want:       said{"R", "pass", "", nil, nil},
		},
		{
			name:       "no default",
			head:       `Parameters: {Enc: {Type: String, AllowedValues: ["true", "false"]}}`,
			properties: `{StorageEncrypted: !Ref Enc}`,
			want:       said{"R", "unknown", "encrypted: fails when Enc is false", []string{"parameter Enc"}, nil},
		},
		{
			name:       "no default, all values right",
			head:       `Parameters: {Enc: {Type: String, AllowedValues: ["true", "True"]}}`,
			properties: `{StorageEncrypted: !Ref Enc}`,
			want:       said{"R", "pass", "", nil, nil},
		},
		{
			name:       "one value is the value",
			head:       `Parameters: {Enc: {Type: String, AllowedValues: ["true"]}}`,
			properties: `{StorageEncrypted: !Ref Enc}`,
			want:       said{"R", "pass", "", nil, nil},
		},
		{
			name: "through a mapping",
			head: `
Parameters: {Environment: {Type: String, Default: prod, AllowedValues: [prod, test, dev]}}
Mappings: {By: {prod: {enc: true}, test: {enc: true}, dev: {enc: false}}}`,
			properties: `{StorageEncrypted: !FindInMap [By, !Ref Environment, enc]}`,
			want:       said{"R", "fail", "storage is not encrypted when Environment is dev", nil, []string{"Environment=dev"}},
		},
		{
			name: "a value that no condition compares",
			head: `
Parameters: {Environment: {Type: String, Default: prod, AllowedValues: [prod, test, dev]}}
Conditions: {IsProd: !Equals [!Ref Environment, prod]}
Mappings: {By: {prod: {enc: true}, test: {enc: true}, dev: {enc: false}}}`,
			properties: `{MultiAZ: !If [IsProd, true, false], StorageEncrypted: !FindInMap [By, !Ref Environment, enc]}`,
			want:       said{"R", "fail", "storage is not encrypted when Environment is dev", nil, []string{"Environment=dev"}},
		},
		{
			name: "a condition beside it that nothing determines",
			head: `
Parameters: {Enc: {Type: String, Default: "true", AllowedValues: ["true", "false"]}, Big: {Type: String}}
Conditions: {IsBig: !Equals [!Ref Big, "yes"]}`,
			properties: `{MultiAZ: !If [IsBig, true, false], StorageEncrypted: !Ref Enc}`,
			want:       said{"R", "fail", "storage is not encrypted when Enc is false", nil, []string{"Enc=false"}},
		},
		{
			name: "wrong by default beside a condition that nothing determines",
			head: `
Parameters: {Enc: {Type: String, Default: "false", AllowedValues: ["true", "false"]}, Big: {Type: String}}
Conditions: {IsBig: !Equals [!Ref Big, "yes"]}`,
			properties: `{MultiAZ: !If [IsBig, true, false], StorageEncrypted: !Ref Enc}`,
			want:       said{"R", "fail", "storage is not encrypted", nil, nil},
		},
		{
			name:       "a property that the rule does not read",
			head:       `Parameters: {Class: {Type: String, Default: a, AllowedValues: [a, b]}}`,
			properties: `{DBInstanceClass: !Ref Class, StorageEncrypted: true}`,
			want:       said{"R", "pass", "", nil, nil},
		},
		{
			name: "both of two",
			head: `
Parameters: {A: {Type: String, AllowedValues: [x, "y"]}, B: {Type: String, AllowedValues: [x, "y"]}}
Conditions: {Both: !And [!Equals [!Ref A, x], !Equals [!Ref B, x]]}`,
			properties: `{StorageEncrypted: !If [Both, false, true]}`,
			want:       said{"R", "unknown", "encrypted: fails when A is x and B is x", []string{"parameter A", "parameter B"}, nil},
		},
		{
			name: "both of two, other by default",
			head: `
Parameters: {A: {Type: String, Default: "y"}, B: {Type: String, Default: "y"}}
Conditions: {Both: !And [!Equals [!Ref A, x], !Equals [!Ref B, x]]}`,
			properties: `{StorageEncrypted: !If [Both, false, true]}`,
			want:       said{"R", "fail", "storage is not encrypted when A is x and B is x", nil, []string{"A=x", "B=x"}},
		},
		{
			name: "either of two suffices",
			head: `
Parameters: {A: {Type: String, Default: "y"}, B: {Type: String, Default: "y"}}
Conditions: {Any: !Or [!Equals [!Ref A, x], !Equals [!Ref B, x]]}`,
			properties: `{StorageEncrypted: !If [Any, false, true]}`,
			want:       said{"R", "fail", "storage is not encrypted when A is x", nil, []string{"A=x"}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := models(t, cfn.Inputs{Parameters: tt.params}, tt.head+"\nResources:\n  R: {Type: AWS::RDS::DBInstance, Properties: "+tt.properties+"}\n")
			findings, _, err := s.Judge(context.Background(), finding.Network, m, nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]said{tt.want}, saidOf(findings)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What a related resource takes from a parameter is seen as well.
func TestAllowedValuesOfRelated(t *testing.T) {
	s := open(t, nil, ruleText("versioned", "[AWS::S3::Bucket]", `
relations:
  policies: {type: AWS::S3::BucketPolicy, by: Bucket}
pass: policies.all(p, !string(p.PolicyDocument.Id).startsWith("open"))
message: '"open"'
`))
	m := models(t, cfn.Inputs{}, `
Parameters: {Id: {Type: String, Default: closed, AllowedValues: [closed, open]}}
Resources:
  B: {Type: AWS::S3::Bucket}
  P: {Type: AWS::S3::BucketPolicy, Properties: {Bucket: !Ref B, PolicyDocument: {Id: !Ref Id}}}
`)
	findings, _, err := s.Judge(context.Background(), finding.Network, m, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []said{{"B", "fail", "open when Id is open", nil, []string{"Id=open"}}}
	if diff := cmp.Diff(want, saidOf(findings)); diff != "" {
		t.Error(diff)
	}
}

// The bound is a bound: more values than are looked at leave open what has no default.
func TestAllowedValuesAreBounded(t *testing.T) {
	s := open(t, nil, ruleText("classed", "[AWS::RDS::DBInstance]", `
pass: resource.DBInstanceClass != "c0"
`))
	var values []string
	for i := range 4 * maxVaried {
		values = append(values, fmt.Sprint("c", i))
	}
	m := models(t, cfn.Inputs{}, `
Parameters: {Class: {Type: String, AllowedValues: [`+strings.Join(values, ", ")+`]}}
Resources:
  R: {Type: AWS::RDS::DBInstance, Properties: {DBInstanceClass: !Ref Class}}
`)
	findings, _, err := s.Judge(context.Background(), finding.Network, m, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(findings) != 1 || findings[0].Verdict != finding.Unknown || findings[0].Needs[0] != "parameter Class" {
		t.Errorf("findings %+v", findings)
	}
}

// Two switches that are wrong together only.
func TestAllowedValuesTogether(t *testing.T) {
	s := open(t, nil, ruleText("either", "[AWS::RDS::DBInstance]", `
pass: resource.StorageEncrypted || resource.MultiAZ || resource.PubliclyAccessible
message: '"neither"'
`))
	m := models(t, cfn.Inputs{}, `
Parameters:
  A: {Type: String, Default: "true", AllowedValues: ["true", "false"]}
  B: {Type: String, Default: "true", AllowedValues: ["true", "false"]}
  C: {Type: String, Default: "false", AllowedValues: ["true", "false"]}
Resources:
  R: {Type: AWS::RDS::DBInstance, Properties: {StorageEncrypted: !Ref A, MultiAZ: !Ref B, PubliclyAccessible: !Ref C}}
`)
	findings, _, err := s.Judge(context.Background(), finding.Network, m, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []said{{"R", "fail", "neither when A is false and B is false", nil, []string{"A=false", "B=false"}}}
	if diff := cmp.Diff(want, saidOf(findings)); diff != "" {
		t.Error(diff)
	}
}

// What a rule read is told of the world that it fails in, also where no
// condition makes it one.
func TestExplainAnAllowedValue(t *testing.T) {
	s := open(t, nil, ruleText("encrypted", "[AWS::RDS::DBInstance]", encrypted))
	m := models(t, cfn.Inputs{}, `
Parameters: {Enc: {Type: String, Default: "true", AllowedValues: ["true", "false"]}}
Resources:
  R: {Type: AWS::RDS::DBInstance, Properties: {StorageEncrypted: !Ref Enc}}
`)
	e, err := s.Explain(context.Background(), "encrypted", "R", m)
	if err != nil {
		t.Fatal(err)
	}
	var worlds []string
	for _, w := range e.Worlds {
		worlds = append(worlds, fmt.Sprint(w.Verdict, w.Assuming))
	}
	if diff := cmp.Diff([]string{"pass[]", "fail[Enc=false]"}, worlds); diff != "" {
		t.Error(diff)
	}
	if len(e.Reads) != 1 || len(e.Steps) == 0 {
		t.Errorf("reads %v, steps %v", e.Reads, e.Steps)
	}
}
