package stack

import (
	"slices"
	"testing"

	"plumbline/infra/deployment"
)

func TestEveryDay(t *testing.T) {
	for _, tc := range []struct {
		schedules []string
		want      bool
	}{
		{[]string{"cron(0 3 * * ? *)"}, true},
		{[]string{"cron(0 3 ? * * *)"}, true},
		{[]string{"rate(1 day)"}, true},
		{[]string{"rate(12 hours)"}, true},
		{[]string{"rate(2 days)"}, false},
		{[]string{deployment.Off}, false},
		{[]string{"cron(0 3 1 * ? *)"}, false},
		{[]string{"cron(0 3 ? JAN * *)"}, false},
		{[]string{"cron(0 3 ? * * 2027)"}, false},
		{[]string{"cron(0 7 ? * MON *)"}, false},
		{[]string{"cron(0 7 ? * MON-FRI *)"}, false},
		{[]string{"cron(0 7 ? * MON#1 *)"}, false},
		{[]string{"cron(0 7 ? * MON *)", "cron(0 7 ? * TUE-SUN *)"}, true},
		{[]string{"cron(0 7 ? * MON *)", "cron(0 7 ? * 3-7 *)"}, false},
		{[]string{"cron(0 7 ? * 2 *)", "cron(0 7 ? * 1,3-7 *)"}, true},
		{[]string{"cron(0 7 ? * MON *)", deployment.Off}, false},
		{nil, false},
	} {
		if got := everyDay(tc.schedules...); got != tc.want {
			t.Errorf("%q: %v, want %v", tc.schedules, got, tc.want)
		}
	}
	if got := weekdays("SAT-MON"); !slices.Equal(got, []string{"SAT", "SUN", "MON"}) {
		t.Errorf("SAT-MON is %v", got)
	}
}
