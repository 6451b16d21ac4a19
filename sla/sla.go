// Package sla measures how long violations stay open against the terms of the
// policy: ages, breaches, times to remediate, and the share within term of each
// framework. It reads the findings table as it is handed over and writes
// nothing.
package sla

import (
	"cmp"
	"iter"
	"slices"
	"time"

	"plumbline/finding"
	"plumbline/metric"
)

// Period is how far back remediations are counted: a quarter, so that the mean
// of critical ones, which are few, is of more than one week.
const Period = 90 * 24 * time.Hour

// MaxBreaches is how many breaches a report lists; it counts all.
const MaxBreaches = 100

// Options are what is measured by. Due is required.
type Options struct {
	Now        time.Time
	Period     time.Duration                               // 0: Period
	Due        func(finding.Severity, time.Time) time.Time // of rows that have no due date of their own
	Frameworks func(rule string) []string                  // that ask for a rule; nil: none do
	Skip       func(r *finding.Record) bool                // rows that do not count; nil: none
}

// Report is the state of all violations at one time.
type Report struct {
	At         time.Time      `json:"at"`
	From       time.Time      `json:"from"` // remediations since then are counted
	Severities []BySeverity   `json:"severities"`
	Types      map[string]int `json:"types"`      // open violations by type of resource: those of metric.Types, and metric.Other
	Frameworks []ByFramework  `json:"frameworks"` // by id
	Breaches   []Breach       `json:"breaches"`   // the worst severity first, then the longest overdue
	Owners     map[string]int `json:"owners"`     // overdue violations by owner; "" is nobody in particular
	Overdue    int            `json:"overdue"`    // all breaches that are open
}

// BySeverity is the state of the violations of one severity. Suppressed ones do
// not count.
type BySeverity struct {
	Severity   finding.Severity `json:"severity"`
	Open       int              `json:"open"`
	Overdue    int              `json:"overdue"`    // open beyond their due date
	OldestDays float64          `json:"oldestDays"` // age of the oldest open one; 0 where none is
	Remediated int              `json:"remediated"` // in the period
	Late       int              `json:"late"`       // of those, after their due date
	MeanDays   float64          `json:"meanDays"`   // mean time to remediate in the period; 0 where nothing was
}

// ByFramework is how many violations of what a framework asks for are, or were
// mended, within their term.
type ByFramework struct {
	Framework  string `json:"framework"`
	Violations int    `json:"violations"` // open ones, and those mended in the period
	Within     int    `json:"within"`
}

// Percent is the share within term; 100 where there is no violation.
func (f ByFramework) Percent() float64 {
	if f.Violations == 0 {
		return 100
	}
	return 100 * float64(f.Within) / float64(f.Violations)
}

// Breach is one violation that is open beyond its due date.
type Breach struct {
	Rule      string           `json:"rule"`
	Severity  finding.Severity `json:"severity"`
	Resource  string           `json:"resource"` // account/region/stack/logical id, as the findings table has it
	Owner     string           `json:"owner,omitempty"`
	FirstSeen time.Time        `json:"firstSeen"`
	Due       time.Time        `json:"due"`
}

// Measure measures the records of a findings table. It returns the first error
// of the table.
func Measure(records iter.Seq2[finding.Record, error], o Options) (*Report, error) {
	if o.Period == 0 {
		o.Period = Period
	}
	m := measure{o: o, severities: map[finding.Severity]*BySeverity{}, frameworks: map[string]*ByFramework{}, total: map[finding.Severity]time.Duration{}}
	r := &Report{At: o.Now.UTC(), From: o.Now.Add(-o.Period).UTC(), Owners: map[string]int{}, Types: map[string]int{}, Frameworks: []ByFramework{}, Breaches: []Breach{}}
	for _, s := range finding.Severities {
		m.severities[s] = &BySeverity{Severity: s}
	}
	for rec, err := range records {
		if err != nil {
			return nil, err
		}
		if o.Skip == nil || !o.Skip(&rec) {
			m.add(r, &rec)
		}
	}
	for _, s := range finding.Severities {
		b := m.severities[s]
		if b.Remediated > 0 {
			b.MeanDays = days(m.total[s] / time.Duration(b.Remediated))
		}
		r.Severities = append(r.Severities, *b)
	}
	for _, f := range m.frameworks {
		r.Frameworks = append(r.Frameworks, *f)
	}
	slices.SortFunc(r.Frameworks, func(a, b ByFramework) int { return cmp.Compare(a.Framework, b.Framework) })
	slices.SortFunc(r.Breaches, func(a, b Breach) int {
		return cmp.Or(cmp.Compare(a.Severity.Rank(), b.Severity.Rank()), a.Due.Compare(b.Due), cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Rule, b.Rule))
	})
	r.Breaches = slices.Clip(r.Breaches[:min(len(r.Breaches), MaxBreaches)])
	return r, nil
}

// measure is a report in the making.
type measure struct {
	o          Options
	severities map[finding.Severity]*BySeverity
	frameworks map[string]*ByFramework
	total      map[finding.Severity]time.Duration // to remediate
}

func (m *measure) add(r *Report, rec *finding.Record) {
	b := m.severities[rec.Severity]
	if b == nil {
		b = m.severities[finding.Low]
	}
	due := rec.Due
	if due.IsZero() {
		due = m.o.Due(rec.Severity, rec.FirstSeen)
	}
	var within bool
	switch {
	case rec.State.Active():
		b.Open++
		r.Types[metric.Type(rec.Resource.Type)]++
		b.OldestDays = max(b.OldestDays, days(m.o.Now.Sub(rec.FirstSeen)))
		if within = !m.o.Now.After(due); !within {
			b.Overdue++
			r.Overdue++
			r.Owners[rec.Owner]++
			r.Breaches = append(r.Breaches, Breach{rec.Rule, rec.Severity, rec.ResourceID(), rec.Owner, rec.FirstSeen.UTC(), due.UTC()})
		}
	case rec.State == finding.Resolved && rec.LastSeen.After(r.From) && !rec.LastSeen.After(m.o.Now):
		b.Remediated++
		m.total[b.Severity] += rec.LastSeen.Sub(rec.FirstSeen)
		if within = !rec.LastSeen.After(due); !within {
			b.Late++
		}
	default:
		return
	}
	if m.o.Frameworks == nil {
		return
	}
	for _, id := range m.o.Frameworks(rec.Rule) {
		f := m.frameworks[id]
		if f == nil {
			f = &ByFramework{Framework: id}
			m.frameworks[id] = f
		}
		f.Violations++
		if within {
			f.Within++
		}
	}
}

// days is a duration in days, to a hundredth.
func days(d time.Duration) float64 {
	return float64(int64(d.Hours()/24*100+0.5)) / 100
}
