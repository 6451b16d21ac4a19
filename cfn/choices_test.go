package cfn

import "testing"

func TestAssumedRegion(t *testing.T) {
	const compared = `
Conditions: {Africa: !Equals [!Ref AWS::Region, af-south-1], Ireland: !Equals [!Ref AWS::Region, eu-west-1]}
Resources:
  A: {Type: T, Properties: {V: !If [Africa, !If [Ireland, 3, 1], !Ref AWS::Region]}}
`
	const mapped = `
Mappings: {M: {af-south-1: {x: a}, eu-west-1: {x: b}}}
Conditions: {A: !Equals [!FindInMap [M, !Ref AWS::Region, x], a]}
Resources:
  A: {Type: T, Properties: {V: !If [A, 1, 2], W: !Ref AWS::Region}}
`
	for _, tt := range []struct {
		name, src string
		in        Inputs
		want      string
	}{
		{"nothing is said", compared, Inputs{}, "AWS::Region=us-east-1"},
		{"by the policy", compared, Inputs{Regions: []string{"eu-central-1", "us-east-1"}}, "AWS::Region=eu-central-1"},
		{"by a glob, of those compared", compared, Inputs{Regions: []string{"eu-*"}}, "AWS::Region=eu-west-1"},
		{"by a glob that the usual one fits", compared, Inputs{Regions: []string{"us-*"}}, "AWS::Region=us-east-1"},
		{"by a glob that none fits", compared, Inputs{Regions: []string{"ap-*"}}, "AWS::Region=us-east-1"},
		{"given", compared, Inputs{Region: "eu-west-1"}, ""},
		{"a mapping without the usual one", mapped, Inputs{}, "AWS::Region=af-south-1"},
		{"a mapping with one of the policy", mapped, Inputs{Regions: []string{"us-*", "eu-west-1"}}, "AWS::Region=eu-west-1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := assumed(parse(t, tt.src).Worlds(tt.in)[0].Assumed); got != tt.want {
				t.Errorf("assumed %q, want %q", got, tt.want)
			}
		})
	}
}
