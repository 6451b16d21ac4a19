package sla

import (
	"io"

	"plumbline/metric"
)

// WriteMetrics writes the report's metrics in CloudWatch's embedded metric
// format. Their number is bounded by the severities, metric.Types and
// metric.MaxFrameworks.
func WriteMetrics(w io.Writer, r *Report) error {
	for _, s := range r.Severities {
		samples := []metric.Sample{
			{Metric: metric.Open, Value: float64(s.Open)}, {Metric: metric.Overdue, Value: float64(s.Overdue)},
			{Metric: metric.Oldest, Value: s.OldestDays}, {Metric: metric.Remediated, Value: float64(s.Remediated)},
		}
		if s.Remediated > 0 {
			samples = append(samples, metric.Sample{Metric: metric.Mean, Value: s.MeanDays})
		}
		if err := metric.Write(w, r.At, string(s.Severity), samples...); err != nil {
			return err
		}
	}
	if err := metric.WriteEach(w, r.At, metric.OpenByType, metric.AllTypes(), r.Types); err != nil {
		return err
	}
	for _, f := range r.Frameworks[:min(len(r.Frameworks), metric.MaxFrameworks)] {
		if err := metric.Write(w, r.At, f.Framework, metric.Sample{Metric: metric.Within, Value: f.Percent()}); err != nil {
			return err
		}
	}
	return nil
}
