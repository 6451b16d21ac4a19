package ruleset

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAllowedRegions(t *testing.T) {
	tests := []struct {
		name, region, err, warning string
	}{
		{"known", "eu-west-1", "", ""},
		{"of GovCloud", "us-gov-west-1", "", ""},
		{"of the European Sovereign Cloud", "eusc-de-east-1", "", ""},
		{"glob", "eu-*", "", ""},
		{"direction misspelt", "eu-wst-1", `p.yaml:1:18: allowedRegions[0]: no region "eu-wst-1" is known. did you mean "eu-west-1"?`, ""},
		{"area misspelt", "ue-west-1", `p.yaml:1:18: allowedRegions[0]: no region "ue-west-1" is known. did you mean "eu-west-1"?`, ""},
		{"upper case", "EU-WEST-1", `p.yaml:1:18: allowedRegions[0]: no region "EU-WEST-1" is known. did you mean "eu-west-1"?`, ""},
		{"no region", "Ireland", `p.yaml:1:18: allowedRegions[0]: want a region such as eu-west-1 or a glob such as eu-*, got "Ireland"`, ""},
		{"newer number", "eu-west-4", "", `p.yaml: allowedRegions[0]: region "eu-west-4" is not known. is it newer than this plumbline, or misspelt?`},
		{"newer direction", "sa-northeast-2", "", `p.yaml: allowedRegions[0]: region "sa-northeast-2" is not known. is it newer than this plumbline, or misspelt?`},
		{"glob of none", "eu-wst-*", "", `p.yaml: allowedRegions[0]: no known region matches "eu-wst-*". is it newer than this plumbline, or misspelt?`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := ReadPolicy("p.yaml", []byte("allowedRegions: ["+tt.region+"]\n"))
			got := ""
			if err != nil {
				got = err.Error()
			} else if w := p.Warnings(); len(w) > 0 {
				got = w[0]
			}
			want := tt.err + tt.warning
			if diff := cmp.Diff(want, got); diff != "" || (err != nil) != (tt.err != "") {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
