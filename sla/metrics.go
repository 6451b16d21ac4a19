package sla

import (
	"encoding/json"
	"io"
	"time"
)

// Namespace is where CloudWatch keeps the metrics.
const Namespace = "Plumbline"

// Metrics by severity, with the dimension Severity, and by framework, with the
// dimension Framework. Their number is bounded by the four severities and
// MaxFrameworks: no resource, rule, stack or owner is a dimension, since
// CloudWatch bills each value of one.
const (
	MetricOpen       = "OpenViolations"       // Count, by severity
	MetricOverdue    = "OverdueViolations"    // Count, by severity
	MetricOldest     = "OldestViolationDays"  // None, by severity
	MetricRemediated = "RemediatedViolations" // Count, by severity
	MetricMean       = "MeanDaysToRemediate"  // None, by severity; absent where nothing was remediated
	MetricWithin     = "WithinTermPercent"    // Percent, by framework

	DimensionSeverity  = "Severity"
	DimensionFramework = "Framework"
)

// MaxFrameworks is how many frameworks have metrics, by id; the report has all.
const MaxFrameworks = 20

// metric is one metric of a document.
type metric struct {
	Name string `json:"Name"`
	Unit string `json:"Unit,omitempty"`
}

// WriteMetrics writes the report's metrics in CloudWatch's embedded metric
// format, one document a line: written to a function's log, they become metrics.
// Source: CloudWatch User Guide, "Embedded metric format specification".
func WriteMetrics(w io.Writer, r *Report) error {
	for _, s := range r.Severities {
		values := map[string]any{DimensionSeverity: string(s.Severity), MetricOpen: s.Open, MetricOverdue: s.Overdue, MetricOldest: s.OldestDays, MetricRemediated: s.Remediated}
		metrics := []metric{{MetricOpen, "Count"}, {MetricOverdue, "Count"}, {MetricOldest, "None"}, {MetricRemediated, "Count"}}
		if s.Remediated > 0 {
			values[MetricMean] = s.MeanDays
			metrics = append(metrics, metric{MetricMean, "None"})
		}
		if err := document(w, r.At, DimensionSeverity, metrics, values); err != nil {
			return err
		}
	}
	for _, f := range r.Frameworks[:min(len(r.Frameworks), MaxFrameworks)] {
		values := map[string]any{DimensionFramework: f.Framework, MetricWithin: f.Percent()}
		if err := document(w, r.At, DimensionFramework, []metric{{MetricWithin, "Percent"}}, values); err != nil {
			return err
		}
	}
	return nil
}

// document writes one document; values are the members beside _aws.
func document(w io.Writer, at time.Time, dimension string, metrics []metric, values map[string]any) error {
	values["_aws"] = map[string]any{
		"Timestamp":         at.UnixMilli(),
		"CloudWatchMetrics": []any{map[string]any{"Namespace": Namespace, "Dimensions": [][]string{{dimension}}, "Metrics": metrics}},
	}
	b, err := json.Marshal(values)
	if err != nil {
		return err
	}
	_, err = w.Write(append(b, '\n'))
	return err
}
