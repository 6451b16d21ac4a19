package measuresla_test

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"strings"
	"testing"
	"time"

	"plumbline/blob"
	"plumbline/finding"
	"plumbline/ruleset"
	"plumbline/sla"
	"plumbline/tasks"
	"plumbline/tasks/catalog"
	"plumbline/tasks/measuresla"
)

var now = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

// table is a findings table, or the error of reading it.
type table struct {
	rows []finding.Record
	err  error
}

func (x table) All(context.Context) iter.Seq2[finding.Record, error] {
	return func(yield func(finding.Record, error) bool) {
		for _, r := range x.rows {
			if !yield(r, nil) {
				return
			}
		}
		if x.err != nil {
			yield(finding.Record{}, x.err)
		}
	}
}

func handler(x measuresla.Table, blobs blob.Store, metrics *bytes.Buffer, asked *int) *measuresla.Handler {
	return measuresla.New(x, blobs, measuresla.Options{
		Due: ruleset.DefaultPolicy().Due, Metrics: metrics, Now: func() time.Time { return now },
		Frameworks: func(string) []string { *asked++; return []string{"pci"} },
	})
}

func TestHandle(t *testing.T) {
	late := finding.Record{Finding: finding.Finding{Rule: "r", Severity: finding.Critical}, State: finding.Open, FirstSeen: now.AddDate(0, 0, -8), LastSeen: now}
	early := late
	early.FirstSeen = now.AddDate(0, 0, -1)
	store, asked := new(blob.Memory), 0
	var metrics bytes.Buffer
	h := handler(table{rows: []finding.Record{late, early}}, store, &metrics, &asked)
	for range 2 {
		metrics.Reset()
		out, err := h.Handle(t.Context(), measuresla.In{ReportID: "w1", At: now})
		if err != nil || out.Open != 2 || out.Overdue != 1 || out.Report.Key != "sla/20260601T000000Z-w1.json" {
			t.Fatalf("%+v, %v", out, err)
		}
		r, err := blob.Get[sla.Report](t.Context(), store, out.Report)
		if err != nil || r.Overdue != 1 || len(r.Frameworks) != 1 || r.Frameworks[0].Within != 1 {
			t.Errorf("report %+v, %v", r, err)
		}
	}
	if store.Len() != 1 || asked != 2 {
		t.Errorf("two runs leave %d reports, and ask %d times for one rule", store.Len(), asked)
	}
	if !strings.Contains(metrics.String(), `"OverdueViolations":1`) {
		t.Errorf("metrics %s", metrics.String())
	}
}

func TestErrors(t *testing.T) {
	asked := 0
	for _, tc := range []struct {
		table measuresla.Table
		in    measuresla.In
		want  string
	}{
		{nil, measuresla.In{}, catalog.BadInput},
		{table{err: finding.ErrThrottled}, measuresla.In{ReportID: "w1"}, catalog.Throttled},
		{table{err: errors.New("gone")}, measuresla.In{ReportID: "w1"}, catalog.StoreFailed},
	} {
		_, err := handler(tc.table, new(blob.Memory), new(bytes.Buffer), &asked).Handle(t.Context(), tc.in)
		var named *tasks.Error
		if !errors.As(err, &named) || named.Name != tc.want {
			t.Errorf("error = %v, want %s", err, tc.want)
		}
	}
}
