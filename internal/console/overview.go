package console

import (
	"net/http"
	"slices"

	"plumbline/finding"
	"plumbline/scan"
	"plumbline/sla"
)

// overviewPage is what stands first: what is open, since when, and for whom.
type overviewPage struct {
	Total      int
	Severities []count
	States     []count
	Last       *scan.Summary // nil: no scan came to its end yet
	Failures   []scan.Failure
	Trend      []scan.Summary
	Frameworks []frameworkRow
	Terms      *sla.Report
	Rules      []group
	Stacks     []group
}

// count is a figure that leads to the list of what it counts.
type count struct {
	Label, Class, Address string
	Count                 int
}

// frameworkRow is a framework in one line.
type frameworkRow struct {
	ID, Title              string
	Requirements, Violated int
	Violations             int
	Within                 string // the share within term, "" where nothing was measured
	Address                string
}

// Lengths of the lists of an overview.
const (
	overviewTop  = 8
	trendLongest = 40
)

func (s *Server) overview(r *http.Request, b *board) (*view, error) {
	b.summarize.Do(func() { s.summarize(b) })
	p := new(overviewPage)
	*p = b.summary
	scans, err := s.o.Data.Scans(r.Context())
	if err != nil {
		return nil, err
	}
	if n := len(scans); n > 0 {
		p.Last = &scans[n-1]
		p.Trend = scans[max(0, n-trendLongest):]
	}
	if p.Failures, err = s.o.Data.Failures(r.Context()); err != nil {
		return nil, err
	}
	slices.Reverse(p.Failures)
	p.Failures = p.Failures[:min(len(p.Failures), overviewTop)]
	if p.Terms, err = s.terms(b); err != nil {
		return nil, err
	}
	p.Frameworks = s.frameworkRows(b, p.Terms)
	return &view{name: "overview", Title: "Overview", Data: p}, nil
}

// summarize works out what of an overview changes with the findings alone.
func (s *Server) summarize(b *board) {
	p := &b.summary
	p.Total = b.active
	all := b.find(&filter{}, s.asked, s.o.Now())
	for i, x := range finding.Severities {
		p.Severities = append(p.Severities, count{string(x), string(x), filter{}.with(bySeverity, string(x)).address(), all.severities[i]})
	}
	for _, f := range all.facets[byState] {
		p.States = append(p.States, count{f.Value, f.Value, filter{}.with(byState, f.Value).address(), f.Count})
	}
	p.Rules, p.Stacks = s.top(b, byRule), s.top(b, byStack)
}

// terms is how long violations stay open against the policy's terms.
func (s *Server) terms(b *board) (*sla.Report, error) {
	return b.measure(sla.Options{Now: s.o.Now(), Due: s.o.Due, Frameworks: s.asked.frameworksOf})
}

// top lists the values of a dimension with the most severe findings that want attention.
func (s *Server) top(b *board, d dimension) []group {
	f := filter{group: dimensionNames[d]}
	found := b.find(&f, s.asked, s.o.Now())
	found.groups = found.groups[:min(len(found.groups), overviewTop)]
	var p findingsPage
	s.listGroups(&p, &f, found)
	return p.Groups
}

func (s *Server) frameworkRows(b *board, terms *sla.Report) []frameworkRow {
	open := b.openByRule() // one pass over the rows
	var out []frameworkRow
	for i := range s.asked.frameworks {
		fw := &s.asked.frameworks[i]
		x := frameworkRow{ID: fw.ID, Title: fw.Title, Requirements: len(fw.Requirements), Address: "/frameworks/" + pathSegment(fw.ID)}
		for _, q := range fw.Requirements {
			if slices.ContainsFunc(q.Rules, func(rule string) bool { return open[rule] > 0 }) {
				x.Violated++
			}
		}
		for rule := range s.asked.rulesOf(fw.ID, "") {
			x.Violations += open[rule]
		}
		for _, t := range terms.Frameworks {
			if t.Framework == fw.ID {
				x.Within = percent(t.Percent())
			}
		}
		out = append(out, x)
	}
	return out
}

// openByRule counts what wants attention, by rule.
func (b *board) openByRule() map[string]int {
	counts := make([]int, len(b.values[byRule]))
	for i := range b.rows {
		if b.rows[i].active {
			counts[b.rows[i].code[byRule]]++
		}
	}
	out := map[string]int{}
	for code, n := range counts {
		if n > 0 {
			out[b.values[byRule][code]] = n
		}
	}
	return out
}
