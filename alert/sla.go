package alert

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"plumbline/finding"
	"plumbline/scan"
	"plumbline/sla"
)

// OfSLA composes what people are told of a report of terms: one message of the
// whole, and one for each named owner of overdue violations. key is where the
// report is kept.
func OfSLA(id, key string, r *sla.Report) []scan.Notice {
	base := scan.Notice{Kind: scan.NoticeSLA, ScanID: id, Severity: finding.Low, Time: r.At}
	for _, s := range slices.Backward(r.Severities) {
		if s.Overdue > 0 {
			base.Severity = s.Severity
		}
	}
	whole := base
	whole.Subject, whole.Body = fmt.Sprintf("terms: %s", plural(r.Overdue, "overdue violation")), slaBody(r, key)
	out := []scan.Notice{Complete(whole)}
	for _, owner := range slices.Sorted(maps.Keys(r.Owners)) {
		if owner == "" {
			continue // the message of the whole is theirs
		}
		n := base
		n.Audience, n.Severity = owner, finding.Low
		var b strings.Builder
		fmt.Fprintf(&b, "Owner: %s\n\nOverdue:\n", text(owner, 100))
		n.Severity = breaches(&b, r, r.Owners[owner], func(x sla.Breach) bool { return x.Owner == owner })
		n.Subject, n.Body = fmt.Sprintf("terms: %s of %s", plural(r.Owners[owner], "overdue violation"), text(owner, 60)), b.String()
		out = append(out, Complete(n))
	}
	return out
}

func slaBody(r *sla.Report, key string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Violations at %s, and remediations since %s.\n\n", r.At.Format("2006-01-02 15:04 MST"), r.From.Format("2006-01-02"))
	for _, s := range r.Severities {
		fmt.Fprintf(&b, "- %s: %d open, %d overdue", s.Severity, s.Open, s.Overdue)
		if s.Open > 0 {
			fmt.Fprintf(&b, ", the oldest %.0f days old", s.OldestDays)
		}
		if s.Remediated > 0 {
			fmt.Fprintf(&b, "; %d remediated, %d of them late, in %.1f days on average", s.Remediated, s.Late, s.MeanDays)
		}
		b.WriteByte('\n')
	}
	if len(r.Frameworks) > 0 {
		b.WriteString("\nWithin term:\n")
		for _, f := range r.Frameworks {
			fmt.Fprintf(&b, "- %s: %d of %d (%.0f %%)\n", text(f.Framework, 100), f.Within, f.Violations, f.Percent())
		}
	}
	if r.Overdue > 0 {
		b.WriteString("\nOverdue:\n")
		breaches(&b, r, r.Overdue, func(sla.Breach) bool { return true })
	}
	if key != "" {
		fmt.Fprintf(&b, "\nReport: %s\n", key)
	}
	return b.String()
}

// breaches lists overdue violations, of which there are all in number, and
// returns the worst severity among those listed.
func breaches(b *strings.Builder, r *sla.Report, all int, of func(sla.Breach) bool) finding.Severity {
	worst, shown := finding.Low, 0
	for _, x := range r.Breaches {
		if !of(x) {
			continue
		}
		if worst.Rank() > known(x.Severity).Rank() {
			worst = known(x.Severity)
		}
		if shown == maxMailed {
			continue
		}
		shown++
		fmt.Fprintf(b, "- %s: %s on %s, due %s, open since %s\n", x.Severity, text(x.Rule, 200), text(strings.TrimLeft(x.Resource, "/"), 500), x.Due.Format("2006-01-02"), x.FirstSeen.Format("2006-01-02"))
	}
	if more := all - shown; more > 0 {
		fmt.Fprintf(b, "- and %d more\n", more)
	}
	return worst
}
