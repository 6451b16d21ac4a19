package ruleset_test

import (
	"testing"
	"time"

	"plumbline/finding"
	"plumbline/ruleset"
)

func TestDue(t *testing.T) {
	seen := time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)
	strict := &ruleset.Policy{SLA: ruleset.SLA{Critical: 1}}
	for _, tc := range []struct {
		policy   *ruleset.Policy
		severity finding.Severity
		days     int
	}{
		{nil, finding.Critical, 7}, {nil, finding.High, 30}, {nil, finding.Medium, 90}, {nil, finding.Low, 180}, {nil, "none", 180},
		{strict, finding.Critical, 1}, {strict, finding.High, 30},
		{ruleset.DefaultPolicy(), finding.Medium, 90},
	} {
		if got, want := tc.policy.Due(tc.severity, seen), seen.AddDate(0, 0, tc.days); !got.Equal(want) {
			t.Errorf("%v %s: due %s, want %s", tc.policy, tc.severity, got, want)
		}
	}
}

func TestOwnerOf(t *testing.T) {
	p := &ruleset.Policy{Owner: ruleset.Owner{Tags: []string{"owner", "team"}, Default: "platform"}}
	for name, tc := range map[string]struct {
		policy *ruleset.Policy
		tags   map[string]string
		want   string
	}{
		"no policy":           {nil, map[string]string{"owner": "ann"}, ""},
		"the first tag":       {p, map[string]string{"owner": "ann", "team": "cards"}, "ann"},
		"the second tag":      {p, map[string]string{"team": "cards"}, "cards"},
		"an empty one":        {p, map[string]string{"owner": "", "team": "cards"}, "cards"},
		"none of the tags":    {p, map[string]string{"cost": "1"}, "platform"},
		"keys are exact":      {p, map[string]string{"Owner": "ann"}, "platform"},
		"no tags and no word": {&ruleset.Policy{}, map[string]string{"owner": "ann"}, ""},
	} {
		if got := tc.policy.OwnerOf(tc.tags); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}
