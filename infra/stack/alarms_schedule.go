package stack

import (
	"slices"
	"strconv"
	"strings"
)

// everyDay reports whether schedules come at least once each day together. Of
// those that do not nobody can say after a day that one is missing, and
// CloudWatch looks back a week at most. A schedule by months, or by days of the
// month, counts as none.
func everyDay(schedules ...string) bool {
	days := map[string]bool{}
	for _, s := range schedules {
		kind, rest, _ := strings.Cut(strings.TrimSuffix(s, ")"), "(")
		fields := strings.Fields(rest)
		switch {
		case kind == "rate" && len(fields) == 2:
			if fields[1] != "days" { // minutes and hours, and one day
				return true
			}
		case kind == "cron" && len(fields) == 6 && strings.Trim(fields[2], "*?") == "" && fields[3] == "*" && fields[5] == "*":
			for _, d := range weekdays(fields[4]) {
				days[d] = true
			}
		}
	}
	return len(days) == len(week)
}

// week is EventBridge's, which begins on Sunday.
var week = []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}

// weekdays are those of the field of a cron expression: days, lists and ranges
// of them, by name or by number from 1.
func weekdays(field string) []string {
	if strings.Trim(field, "*?") == "" {
		return week
	}
	var out []string
	for part := range strings.SplitSeq(field, ",") {
		first, last, ranged := strings.Cut(part, "-")
		if !ranged {
			last = first
		}
		from, to := weekday(first), weekday(last)
		if from < 0 || to < 0 { // such as FRI#2 or 6L: not every week
			continue
		}
		for i := from; ; i = (i + 1) % len(week) {
			out = append(out, week[i])
			if i == to {
				break
			}
		}
	}
	return out
}

// weekday is a day's place in the week; -1 of what is none.
func weekday(s string) int {
	if n, err := strconv.Atoi(s); err == nil && n >= 1 && n <= len(week) {
		return n - 1
	}
	return slices.Index(week, strings.ToUpper(s))
}
