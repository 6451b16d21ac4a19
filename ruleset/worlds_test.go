package ruleset

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/cfn"
	"plumbline/finding"
)

// said is what a finding says, for tables.
type said struct {
	Resource string
	Verdict  finding.Verdict
	Message  string
	Needs    []string
	Assuming []string
}

func saidOf(findings []finding.Finding) []said {
	var out []said
	for _, f := range findings {
		s := said{f.Resource.LogicalID, f.Verdict, f.Message, f.Needs, f.Assuming}
		if f.Verdict == finding.Pass || f.Verdict == finding.Skip {
			s.Message = ""
		}
		out = append(out, s)
	}
	return out
}

const encrypted = `
pass: resource.StorageEncrypted
message: '"storage is not encrypted"'
`

func TestWorlds(t *testing.T) {
	s := open(t, nil, ruleText("encrypted", "[AWS::RDS::DBInstance]", encrypted))
	for _, tt := range []struct {
		name, head, resource string
		params               map[string]string
		want                 []said
	}{
		{
			name: "right by default, wrong elsewhere",
			head: `
Parameters: {Environment: {Type: String, Default: prod, AllowedValues: [prod, dev]}}
Conditions: {IsProd: !Equals [!Ref Environment, prod]}`,
			resource: `{Type: AWS::RDS::DBInstance, Properties: {StorageEncrypted: !If [IsProd, true, false]}}`,
			want:     []said{{"R", "fail", "storage is not encrypted when Environment is dev", nil, []string{"Environment=dev"}}},
		},
		{
			name: "a given value leaves no other world",
			head: `
Parameters: {Environment: {Type: String, Default: prod, AllowedValues: [prod, dev]}}
Conditions: {IsProd: !Equals [!Ref Environment, prod]}`,
			params:   map[string]string{"Environment": "prod"},
			resource: `{Type: AWS::RDS::DBInstance, Properties: {StorageEncrypted: !If [IsProd, true, false]}}`,
			want:     []said{{"R", "pass", "", nil, nil}},
		},
		{
			name: "right in every world",
			head: `
Parameters: {Environment: {Type: String, Default: prod, AllowedValues: [prod, dev]}}
Conditions: {IsProd: !Equals [!Ref Environment, prod]}`,
			resource: `{Type: AWS::RDS::DBInstance, Properties: {StorageEncrypted: true, MultiAZ: !If [IsProd, true, false]}}`,
			want:     []said{{"R", "pass", "", nil, nil}},
		},
		{
			name: "wrong by default",
			head: `
Parameters: {Environment: {Type: String, Default: dev, AllowedValues: [prod, dev]}}
Conditions: {IsProd: !Equals [!Ref Environment, prod]}`,
			resource: `{Type: AWS::RDS::DBInstance, Properties: {StorageEncrypted: !If [IsProd, true, false]}}`,
			want:     []said{{"R", "fail", "storage is not encrypted", nil, nil}},
		},
		{
			name: "nothing given, no default: worlds that differ decide nothing",
			head: `
Parameters: {Environment: {Type: String}}
Conditions: {IsProd: !Equals [!Ref Environment, prod]}`,
			resource: `{Type: AWS::RDS::DBInstance, Properties: {StorageEncrypted: !If [IsProd, true, false]}}`,
			want:     []said{{"R", "unknown", "encrypted: fails when …", []string{"parameter Environment"}, nil}},
		},
		{
			name: "nothing given, no default: the same in all worlds",
			head: `
Parameters: {Environment: {Type: String}}
Conditions: {IsProd: !Equals [!Ref Environment, prod]}`,
			resource: `{Type: AWS::RDS::DBInstance, Properties: {StorageEncrypted: false, MultiAZ: !If [IsProd, true, false]}}`,
			want:     []said{{"R", "fail", "storage is not encrypted", nil, nil}},
		},
		{
			name: "a resource that only another world has",
			head: `
Parameters: {Environment: {Type: String, Default: prod, AllowedValues: [prod, dev]}}
Conditions: {IsDev: !Equals [!Ref Environment, dev]}`,
			resource: `{Type: AWS::RDS::DBInstance, Condition: IsDev, Properties: {StorageEncrypted: false}}`,
			want:     []said{{"R", "fail", "storage is not encrypted", nil, []string{"Environment=dev"}}},
		},
		{
			name: "absent by default, wrong by the other defaults where it is there",
			head: `
Parameters: {Make: {Type: String, Default: "no", AllowedValues: ["no", "yes"]}, Key: {Type: String, Default: ""}}
Conditions: {Made: !Equals [!Ref Make, "yes"], Keyed: !Not [!Equals [!Ref Key, ""]]}`,
			resource: `{Type: AWS::RDS::DBInstance, Condition: Made, Properties: {StorageEncrypted: !If [Keyed, true, false]}}`,
			want:     []said{{"R", "fail", "storage is not encrypted", nil, []string{"Make=yes"}}},
		},
		{
			name: "absent by default, and one of those that decide has no default",
			head: `
Parameters: {Make: {Type: String, Default: "no", AllowedValues: ["no", "yes"]}, Key: {Type: String}}
Conditions: {Made: !Equals [!Ref Make, "yes"], Keyed: !Not [!Equals [!Ref Key, ""]]}`,
			resource: `{Type: AWS::RDS::DBInstance, Condition: Made, Properties: {StorageEncrypted: !If [Keyed, true, false]}}`,
			want:     []said{{"R", "unknown", "encrypted: fails when Key is empty", []string{"parameter Key"}, nil}},
		},
		{
			name:     "a condition that cannot be worked out",
			head:     `Conditions: {Far: !Equals [!ImportValue x, "y"]}`,
			resource: `{Type: AWS::RDS::DBInstance, Properties: {StorageEncrypted: !If [Far, true, false]}}`,
			want:     []said{{"R", "unknown", "encrypted: fails when …", []string{"condition Far"}, nil}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := models(t, cfn.Inputs{Parameters: tt.params}, tt.head+"\nResources:\n  R: "+tt.resource+"\n")
			findings, counts, err := s.Judge(context.Background(), finding.Network, m, nil)
			if err != nil {
				t.Fatal(err)
			}
			got := saidOf(findings)
			for i := range got {
				if i < len(tt.want) && strings.HasSuffix(tt.want[i].Message, "…") && strings.HasPrefix(got[i].Message, strings.TrimSuffix(tt.want[i].Message, "…")) {
					got[i].Message = tt.want[i].Message
				}
				if i < len(tt.want) && tt.want[i].Verdict == "unknown" {
					got[i].Assuming = tt.want[i].Assuming
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if counts[string(tt.want[0].Verdict)] != 1 {
				t.Errorf("counts %v", counts)
			}
		})
	}
}
