package deployment_test

import (
	"strings"
	"testing"

	"plumbline/infra/deployment"
)

func TestRead(t *testing.T) {
	for _, c := range []struct {
		name, in, regions, err string
	}{
		{"defaults", `{"account":"111122223333"}`, "us-east-1 eu-west-1", ""},
		{"one region", `{"account":"111122223333","primary":"eu-west-1"}`, "eu-west-1", ""},
		{"no secondary on purpose", `{"account":"111122223333","secondary":[]}`, "us-east-1", ""},
		{"more regions", `{"account":"111122223333","primary":"eu-central-1","secondary":["us-east-1","ap-southeast-2"]}`, "eu-central-1 us-east-1 ap-southeast-2", ""},
		{"misspelt key", `{"acount":"111122223333"}`, "", `unknown field "acount"`},
		{"no account", `{}`, "", `account "": 12 digits`},
		{"twice", `{"account":"111122223333","secondary":["us-east-1"]}`, "", `region "us-east-1" stands twice`},
		{"no region name", `{"account":"111122223333","primary":"Virginia"}`, "", `region "Virginia"`},
		{"all problems at once", `{"account":"1","primary":"Virginia"}`, "", `region "Virginia"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := deployment.Read(strings.NewReader(c.in))
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("error %v, want one that says %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(d.Regions(), " "); got != c.regions {
				t.Errorf("regions %q, want %q", got, c.regions)
			}
		})
	}
}
