package tasks_test

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/blob"
	"plumbline/finding"
	"plumbline/internal/memory"
	"plumbline/ledger"
	"plumbline/metric"
	"plumbline/remedy"
	"plumbline/remedy/change"
	"plumbline/ruleset"
	"plumbline/scan"
	"plumbline/tasks/assess"
	"plumbline/tasks/measuresla"
	"plumbline/tasks/persistfindings"
	"plumbline/tasks/recordchange"
	"plumbline/tasks/summarize"
)

// written are the metrics in a function's log as "name by dimension", sorted,
// and their values by "name value-of-the-dimension".
func written(t *testing.T, log []byte) (names []string, values map[string]float64) {
	t.Helper()
	values = map[string]float64{}
	for line := range bytes.Lines(log) {
		var doc struct {
			AWS struct {
				CloudWatchMetrics []struct {
					Namespace  string
					Dimensions [][]string
					Metrics    []struct{ Name, Unit string }
				}
			} `json:"_aws"`
		}
		var members map[string]any
		if json.Unmarshal(line, &doc) != nil || json.Unmarshal(line, &members) != nil || len(doc.AWS.CloudWatchMetrics) != 1 {
			t.Fatalf("not a document: %s", line)
		}
		d := doc.AWS.CloudWatchMetrics[0]
		if d.Namespace != metric.Namespace || len(d.Dimensions) != 1 || len(d.Dimensions[0]) > 1 {
			t.Fatalf("another shape than the dashboard reads: %s", line)
		}
		by, value := "", ""
		if len(d.Dimensions[0]) == 1 {
			by = d.Dimensions[0][0]
			value = " " + members[by].(string)
		}
		for _, m := range d.Metrics {
			names = append(names, m.Name+" by "+by)
			values[m.Name+value] = members[m.Name].(float64)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), values
}

// TestMetrics: each metric that package metric lists is written by the task
// that it names, and no other is.
func TestMetrics(t *testing.T) {
	ctx, at := t.Context(), time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	now := func() time.Time { return at }
	blobs, table := new(blob.Memory), new(memory.Findings)
	put := func(key string, v any) blob.Ref {
		t.Helper()
		ref, err := blobs.Put(ctx, key, v)
		if err != nil {
			t.Fatal(err)
		}
		return ref
	}
	violation := func(id, kind string, s finding.State) finding.Record {
		return finding.Record{
			Finding:   finding.Finding{Rule: "r", Severity: finding.High, Verdict: finding.Fail, Resource: finding.Resource{Stack: "S", LogicalID: id, Type: kind}},
			FirstSeen: at.AddDate(0, 0, -40), LastSeen: at, State: s,
		}
	}
	records := []finding.Record{
		violation("A", "AWS::S3::Bucket", finding.New), violation("B", "Custom::Thing", finding.Reopened),
		violation("C", "AWS::S3::Bucket", finding.Resolved), violation("D", "AWS::S3::Bucket", finding.Open),
	}
	logs := map[string]*bytes.Buffer{}
	log := func(task string) *bytes.Buffer { logs[task] = new(bytes.Buffer); return logs[task] }
	want := map[string]float64{}

	target := scan.Target{Path: "t.json", Stack: "S"}
	snapshot := put("snapshot", &scan.Snapshot{Target: target, Source: []byte(`{"Resources":{}}`)})
	if _, err := assess.New(blobs, assess.Options{Metrics: log("Assess"), Now: now}).Handle(ctx, assess.In{ScanID: "s", Snapshot: snapshot}); err != nil {
		t.Fatal(err)
	}
	want["ScannedTargets"], want["PartialTargets"], want["UndecidedChecks"] = 1, 1, 0

	if _, err := persistfindings.New(table, blobs).WriteMetrics(log("PersistFindings"), now).Handle(ctx, persistfindings.In{Changes: put("changes", &scan.Changes{Records: records})}); err != nil {
		t.Fatal(err)
	}
	want["NewViolations high"], want["NewViolations AWS::S3::Bucket"], want["NewViolations Other"], want["ResolvedViolations high"] = 2, 1, 1, 1

	a := &scan.Assessment{Target: target, Counts: finding.Counts{}, Findings: []finding.Finding{records[0].Finding}}
	put(scan.AssessmentKey("s", target), a)
	put(scan.TargetsKey("s"), &scan.Targets{target, {Path: "lost.json"}})
	if _, err := summarize.New(blobs, nil, scan.Provenance{}, nil, now).WriteMetrics(log("Summarize")).Handle(ctx, summarize.In{ScanID: "s", Started: at, Targets: scan.TargetsKey("s")}); err != nil {
		t.Fatal(err)
	}
	want["SweptTargets"], want["LostTargets"], want["SweptPartialTargets"] = 2, 1, 1
	want["FailingChecks critical"], want["FailingChecks high"], want["FailingChecks medium"], want["FailingChecks low"] = 0, 1, 0, 0

	o := measuresla.Options{Due: ruleset.DefaultPolicy().Due, Frameworks: func(string) []string { return []string{"pci"} }, Metrics: log("MeasureSLA"), Now: now}
	if _, err := measuresla.New(census{records}, blobs, o).Handle(ctx, measuresla.In{ReportID: "w"}); err != nil {
		t.Fatal(err)
	}
	for _, s := range finding.Severities {
		for _, m := range []metric.Metric{metric.Open, metric.Overdue, metric.Oldest, metric.Remediated} {
			want[m.Name+" "+string(s)] = 0
		}
	}
	for _, kind := range metric.AllTypes() {
		want["OpenViolations "+kind] = 0
	}
	want["OpenViolations high"], want["OverdueViolations high"], want["OldestViolationDays high"], want["RemediatedViolations high"] = 3, 3, 40, 1
	want["MeanDaysToRemediate high"], want["WithinTermPercent pci"] = 40, 0
	want["OpenViolations AWS::S3::Bucket"], want["OpenViolations Other"] = 2, 1

	hash, err := change.Keep(ctx, blobs, &change.Planned{Change: "c", Plan: remedy.Plan{Rule: "r"}})
	if err != nil {
		t.Fatal(err)
	}
	h := recordchange.New(&ledger.Ledger{Store: new(ledger.Memory)}, blobs).WriteMetrics(log("RecordChange"), now)
	for _, outcome := range []change.Outcome{change.Applied, change.Used} { // the second ended before
		if _, err := h.Handle(ctx, recordchange.In{Plan: hash, Result: change.Result{Outcome: outcome}}); err != nil {
			t.Fatal(err)
		}
	}
	want["EndedChanges applied"] = 1

	listed := map[string][]string{}
	for _, m := range metric.All {
		listed[m.Task] = append(listed[m.Task], m.Name+" by "+string(m.By))
	}
	got, values := map[string][]string{}, map[string]float64{}
	for task, log := range logs {
		names, some := written(t, log.Bytes())
		got[task] = names
		for name, v := range some {
			values[name] = v
		}
		slices.Sort(listed[task])
	}
	if diff := cmp.Diff(listed, got); diff != "" {
		t.Errorf("metrics by package metric (-) and as tasks write them (+):\n%s", diff)
	}
	if diff := cmp.Diff(want, values); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}

// census is a findings table that is read as a whole.
type census struct{ rows []finding.Record }

func (c census) All(context.Context) iter.Seq2[finding.Record, error] {
	return func(yield func(finding.Record, error) bool) {
		for _, r := range c.rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}
