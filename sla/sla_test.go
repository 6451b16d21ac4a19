package sla_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/finding"
	"plumbline/metric"
	"plumbline/ruleset"
	"plumbline/sla"
)

var now = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

// row is a violation that was first seen some days ago and last seen others ago.
func row(rule string, s finding.Severity, state finding.State, first, last int) finding.Record {
	return finding.Record{
		Finding: finding.Finding{Rule: rule, Severity: s, Owner: "cards", Resource: finding.Resource{Stack: "Payments", LogicalID: rule}},
		State:   state, FirstSeen: now.AddDate(0, 0, -first), LastSeen: now.AddDate(0, 0, -last),
	}
}

func each(rs []finding.Record) iter.Seq2[finding.Record, error] {
	return func(yield func(finding.Record, error) bool) {
		for _, r := range rs {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func options() sla.Options {
	return sla.Options{Now: now, Due: ruleset.DefaultPolicy().Due, Frameworks: func(rule string) []string { return []string{"pci", "own-" + rule[:1]} }}
}

func TestMeasure(t *testing.T) {
	prolonged := row("a7", finding.Critical, finding.Open, 10, 0)
	prolonged.Due = now.AddDate(0, 0, 1)
	r, err := sla.Measure(each([]finding.Record{
		row("a1", finding.Critical, finding.Open, 8, 0),         // overdue by a day
		row("a2", finding.Critical, finding.New, 7, 0),          // due at this moment: within
		row("a3", finding.Critical, finding.Resolved, 20, 16),   // mended in 4 days
		row("a4", finding.Critical, finding.Resolved, 30, 20),   // mended in 10: late
		row("a5", finding.Critical, finding.Resolved, 200, 199), // before the period
		row("a6", finding.Critical, finding.Suppressed, 300, 0), // accepted
		prolonged,
		row("b1", finding.Medium, finding.Reopened, 100, 0),  // overdue
		row("b2", finding.High, finding.Acknowledged, 31, 0), // a person's word does not prolong
		row("b3", "odd", finding.Open, 1, 0),
	}), options())
	if err != nil {
		t.Fatal(err)
	}
	want := []sla.BySeverity{
		{Severity: finding.Critical, Open: 3, Overdue: 1, OldestDays: 10, Remediated: 2, Late: 1, MeanDays: 7},
		{Severity: finding.High, Open: 1, Overdue: 1, OldestDays: 31},
		{Severity: finding.Medium, Open: 1, Overdue: 1, OldestDays: 100},
		{Severity: finding.Low, Open: 1, OldestDays: 1},
	}
	if diff := cmp.Diff(want, r.Severities); diff != "" {
		t.Errorf("severities (-want +got)\n%s", diff)
	}
	frameworks := []sla.ByFramework{{"own-a", 5, 3}, {"own-b", 3, 1}, {"pci", 8, 4}}
	if diff := cmp.Diff(frameworks, r.Frameworks); diff != "" {
		t.Errorf("frameworks (-want +got)\n%s", diff)
	}
	var breaches []string
	for _, b := range r.Breaches {
		breaches = append(breaches, fmt.Sprint(b.Rule, " due ", b.Due.Format("01-02")))
	}
	if diff := cmp.Diff([]string{"a1 due 05-31", "b2 due 05-31", "b1 due 05-22"}, breaches); diff != "" {
		t.Errorf("breaches (-want +got)\n%s", diff)
	}
	if r.Overdue != 3 || r.Owners["cards"] != 3 {
		t.Errorf("%d overdue, by owner %v", r.Overdue, r.Owners)
	}
	if got := r.Frameworks[2].Percent(); got != 50 {
		t.Errorf("%v %% within term", got)
	}
}

func TestMeasureOfATableThatBreaks(t *testing.T) {
	broken := errors.New("no table")
	if _, err := sla.Measure(func(yield func(finding.Record, error) bool) { yield(finding.Record{}, broken) }, options()); !errors.Is(err, broken) {
		t.Errorf("error = %v", err)
	}
}

// TestMetrics: what is written is the format that CloudWatch reads, and the
// number of metrics does not grow with the estate.
func TestMetrics(t *testing.T) {
	count := func(n int) (int, map[string]bool) {
		var rows []finding.Record
		for i := range n {
			rows = append(rows, row(fmt.Sprint("r", i), finding.Severities[i%4], finding.Open, 10, 0))
			rows = append(rows, row(fmt.Sprint("s", i), finding.Severities[i%4], finding.Resolved, 10, 5))
		}
		o := options()
		o.Frameworks = func(rule string) []string { return []string{"framework-" + rule} } // hostile: one a rule
		r, err := sla.Measure(each(rows), o)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := sla.WriteMetrics(&out, r); err != nil {
			t.Fatal(err)
		}
		names := map[string]bool{}
		lines := 0
		for line := range bytes.Lines(out.Bytes()) {
			lines++
			var doc struct {
				AWS struct {
					Timestamp         int64
					CloudWatchMetrics []struct {
						Namespace  string
						Dimensions [][]string
						Metrics    []struct{ Name, Unit string }
					}
				} `json:"_aws"`
			}
			values := map[string]any{}
			if err := errors.Join(json.Unmarshal(line, &doc), json.Unmarshal(line, &values)); err != nil {
				t.Fatal(err)
			}
			d := doc.AWS.CloudWatchMetrics[0]
			if doc.AWS.Timestamp != now.UnixMilli() || d.Namespace != metric.Namespace || len(d.Dimensions) != 1 || len(d.Dimensions[0]) != 1 {
				t.Errorf("document %s", line)
			}
			if s, ok := values[d.Dimensions[0][0]].(string); !ok || s == "" {
				t.Errorf("a dimension without its value: %s", line)
			}
			for _, m := range d.Metrics {
				names[m.Name] = true
				if _, ok := values[m.Name].(float64); !ok || !slices.Contains([]string{"Count", "None", "Percent"}, m.Unit) {
					t.Errorf("metric %s of unit %q in %s", m.Name, m.Unit, line)
				}
			}
		}
		return lines, names
	}
	small, names := count(40)
	large, _ := count(4000)
	if small != large || large > 4+len(metric.AllTypes())+metric.MaxFrameworks {
		t.Errorf("%d documents of 40 violations, %d of 4000", small, large)
	}
	want := map[string]bool{}
	for _, m := range metric.All {
		if m.Task == "MeasureSLA" {
			want[m.Name] = true
		}
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("metrics (-want +got)\n%s", diff)
	}
}
