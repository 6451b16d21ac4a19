package stack_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/metric"
)

var update = flag.Bool("update", false, "write docs/monitoring.md")

// TestMonitoringPage: the page lists what is deployed where all is deployed
// that can be.
func TestMonitoringPage(t *testing.T) {
	const file = "../../docs/monitoring.md"
	want := monitoring(t, everything()[suiteStack])
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("docs/monitoring.md is not what is deployed. run go test ./stack -run TestMonitoringPage -update in infra/ (-want +got):\n%s", diff)
	}
}

// monitoring is docs/monitoring.md.
func monitoring(t *testing.T, s template) string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format, args...) }
	p("# Dashboard, alarms and metrics\n\nGenerated from the synthesized stacks; do not edit. What is only there with remediation\n")
	p("or with webhooks is listed as well.\n\n## Dashboard\n\n")
	p("The dashboard `Plumbline` is in the primary region and shows all regions; of tables and\nqueues, whose names CloudFormation makes, those of its own.\n")
	for _, w := range pictures(t, s) {
		if w.Type == "text" {
			p("\n### %s\n\n| shows | metrics | by |\n|---|---|---|\n", strings.TrimPrefix(w.Properties.Markdown, "## "))
			continue
		}
		var names, by []string
		for _, x := range w.metrics(t) {
			names, by = append(names, "`"+x.name+"`"), append(by, x.by)
		}
		slices.Sort(names)
		slices.Sort(by)
		space := w.metrics(t)[0].namespace
		p("| %s | %s in `%s`, the %s | %s |\n", w.Properties.Title, strings.Join(slices.Compact(names), ", "), space, strings.ToLower(w.Properties.Stat), strings.Join(slices.Compact(by), ", "))
	}
	p("\n## Alarms\n\nIn each region. An alarm tells its topic when it begins and when it ends.\n\n| alarm | says | topic |\n|---|---|---|\n")
	alarms := s.of("AWS::CloudWatch::Alarm")
	for _, id := range slices.SortedFunc(maps.Keys(alarms), func(a, b string) int { return strings.Compare(alarmName(a), alarmName(b)) }) {
		a := alarms[id]
		topic := "warning"
		if strings.Contains(text(a.Properties["AlarmActions"]), "AlertingCritical") {
			topic = "critical"
		}
		p("| %s | %s | %s |\n", alarmName(id), strings.TrimPrefix(a.Properties["AlarmDescription"].(string), "plumbline: "), topic)
	}
	p("\n`Overdue…` keep what the last report of terms said until the next one. `NoSweep` and\n`NoReport` are there where the schedules come each day: CloudWatch looks back a week at\nmost, so one that comes each week is not watched.\n")
	p("\n## Metrics\n\nFunctions write them into their logs in CloudWatch's embedded metric format, in the\nnamespace `%s`. The table of findings is the truth: a function whose answer was lost is\ncalled again, and counts twice.\n\n", metric.Namespace)
	p("| metric | by | unit | written by | is |\n|---|---|---|---|---|\n")
	for _, m := range metric.All {
		by := string(m.By)
		if by == "" {
			by = "–"
		}
		p("| `%s` | %s | %s | %s | %s |\n", m.Name, by, m.Unit, m.Task, m.Meaning)
	}
	p("\n`ResourceType` has %d values, those below and `%s`; `Framework` at most %d; `Severity` four.\nSo the metrics of a region are under 150, whatever the estate.\n\n", len(metric.AllTypes()), metric.Other, metric.MaxFrameworks)
	for _, kind := range metric.Types {
		p("- `%s`\n", kind)
	}
	p("\nOn a laptop the same figures stand in the summary of each scan below `scans/` of the data\nfolder (`failing`, `types`, `new`, `open`, `resolved`, `partial`), and `plumbline sla --data DIR\n--format emf` prints those of terms.\n")
	return b.String()
}

// alarmName is an alarm's logical id without CDK's additions.
func alarmName(id string) string {
	return strings.TrimRight(strings.TrimPrefix(id, "Monitoring"), "0123456789ABCDEF")
}

// TestMetricsAreFew: a bound on what CloudWatch bills.
func TestMetricsAreFew(t *testing.T) {
	values := map[metric.Dimension]int{metric.Whole: 1, metric.Severity: 4, metric.ResourceType: len(metric.AllTypes()), metric.Framework: metric.MaxFrameworks, metric.Outcome: 20}
	n := 0
	for _, m := range metric.All {
		n += values[m.By]
	}
	if n >= 150 {
		t.Errorf("%d metrics a region; docs/monitoring.md says under 150", n)
	}
}
