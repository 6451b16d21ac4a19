package remedy_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/remedy"
)

func TestTagsOfALiveModel(t *testing.T) {
	for _, row := range []struct {
		typ, model string
		want       map[string]string
	}{
		{"AWS::SQS::Queue", `{"Tags":[{"Key":"owner","Value":"shop"},{"Key":"x"}]}`, map[string]string{"owner": "shop", "x": ""}},
		{"AWS::SSM::Parameter", `{"Tags":{"owner":"shop"}}`, map[string]string{"owner": "shop"}},
		{"AWS::SQS::Queue", `{}`, map[string]string{}},
		{"AWS::SQS::Queue", `{"Tags":{"owner":"shop"}}`, map[string]string{}},
		{"AWS::SQS::Queue", `[`, nil},
		{"AWS::Nothing::Here", `{"Tags":[]}`, nil},
	} {
		if diff := cmp.Diff(row.want, remedy.Tags(row.typ, []byte(row.model))); diff != "" {
			t.Errorf("%s %s (-want +got)\n%s", row.typ, row.model, diff)
		}
	}
}
