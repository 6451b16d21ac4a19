package bundle

import (
	"plumbline/finding"
	"plumbline/internal/report"
	"plumbline/ruleset"
	"plumbline/scan"
)

// Rules returns what a report says of the rules that its findings name. own
// tells that the set has frameworks beside the built-in ones, which may name
// built-in rules: a rule's controls are then looked up, not read from the index.
func Rules(set *ruleset.Set, p *ruleset.Policy, own bool, r *scan.Report) map[string]report.Rule {
	out := map[string]report.Rule{
		finding.TemplateReadable: {ID: finding.TemplateReadable, Title: ruleset.TemplateReadable.Title, Severity: ruleset.TemplateReadable.Severity,
			Domain: ruleset.TemplateReadable.Domain, Remediation: ruleset.TemplateReadable.Remediation},
	}
	for _, a := range r.Assessments {
		for i := range a.Findings {
			id := a.Findings[i].Rule
			if _, ok := out[id]; ok {
				continue
			}
			e := set.Index().Entry(id)
			if e == nil {
				continue
			}
			d, err := e.Details()
			if err != nil {
				continue // the index is generated and tested; a title less is no reason to lose a report
			}
			x := report.Rule{ID: id, Title: d.Title, Severity: p.SeverityOf(id, d.Severity), Domain: e.Domain, Types: e.Types}
			controls := d.Controls
			if own {
				controls = set.Frameworks().Controls(id)
			}
			for _, c := range controls {
				x.Controls = append(x.Controls, report.Control{Framework: c.Framework, ID: c.ID, Fit: string(c.Fit)})
			}
			out[id] = x
		}
	}
	return out
}

// Frameworks is the set's frameworks, the built-in ones and the organisation's
// own, for a report by requirement.
func Frameworks(set *ruleset.Set) []report.Framework {
	var out []report.Framework
	for _, fw := range set.Frameworks() {
		x := report.Framework{ID: fw.ID, Title: fw.Title}
		for _, h := range fw.Sections {
			x.Sections = append(x.Sections, report.Section{ID: h.ID, Title: h.Title})
		}
		for _, q := range fw.Requirements {
			y := report.Requirement{ID: q.ID, Title: q.Title, Section: fw.SectionOf(q.ID), NotCovered: q.NotCovered}
			for _, m := range q.Rules {
				y.Rules = append(y.Rules, m.Rule)
			}
			x.Requirements = append(x.Requirements, y)
		}
		out = append(out, x)
	}
	return out
}
