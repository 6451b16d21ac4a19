// Package description says of rules and frameworks what reports print of them.
// It is apart from package bundle for the sake of functions that judge and write no report: a
// template of HTML in their binary costs 0.2 MB of it, zipped.
package description

import (
	"io"
	"sync"

	"plumbline/finding"
	"plumbline/internal/bundle"
	"plumbline/internal/report"
	"plumbline/ruleset"
	"plumbline/scan"
)

// Descriptions are what reports say of rules and frameworks under a policy. It
// looks each up once: a scan with a data folder writes some hundred reports.
// Safe for concurrent use.
type Descriptions struct {
	set    *ruleset.Set
	policy *ruleset.Policy
	own    bool

	mu         sync.Mutex
	rules      map[string]*report.Rule // nil for one that is not known
	frameworks []report.Framework
}

// Of returns the descriptions under a policy, which may be nil; own says
// that the set holds more than the built-in rules.
func Of(set *ruleset.Set, p *ruleset.Policy, own bool) *Descriptions {
	d := &Descriptions{set: set, policy: p, own: own, rules: map[string]*report.Rule{}}
	for _, r := range []*ruleset.Rule{ruleset.TemplateReadable, ruleset.LiveReadable, ruleset.LiveMatchesTemplate, ruleset.SuppressionCurrent} {
		d.rules[r.ID] = &report.Rule{ID: r.ID, Title: r.Title, Severity: r.Severity, Domain: r.Domain, Remediation: r.Remediation, Page: p.PageURL(r.ID)}
	}
	return d
}

// Rules describes the rules that a report's findings name, and the one that
// every template is held to.
func (d *Descriptions) Rules(r *scan.Report) map[string]report.Rule {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := map[string]report.Rule{finding.TemplateReadable: *d.rules[finding.TemplateReadable]}
	for _, a := range r.Assessments {
		for i := range a.Findings {
			id := a.Findings[i].Rule
			if _, ok := out[id]; ok {
				continue
			}
			x, ok := d.rules[id]
			if !ok {
				x = d.rule(id)
				d.rules[id] = x
			}
			if x != nil {
				out[id] = *x
			}
		}
	}
	return out
}

// Rule describes one rule; nil for one that is not known.
func (d *Descriptions) Rule(id string) *report.Rule {
	d.mu.Lock()
	defer d.mu.Unlock()
	x, ok := d.rules[id]
	if !ok {
		x = d.rule(id)
		d.rules[id] = x
	}
	return x
}

func (d *Descriptions) rule(id string) *report.Rule {
	e := d.set.Index().Entry(id)
	if e == nil {
		return nil
	}
	details, err := e.Details()
	if err != nil {
		return nil // the index is generated and tested; a title less is no reason to lose a report
	}
	x := &report.Rule{ID: id, Title: details.Title, Severity: d.policy.SeverityOf(id, details.Severity), Domain: e.Domain, Types: e.Types}
	if d.set.Builtin(id) {
		x.Page = d.policy.PageURL(id)
	}
	controls := details.Controls
	if d.own {
		controls = d.set.Frameworks().Controls(id)
	}
	for _, c := range controls {
		x.Controls = append(x.Controls, report.Control{Framework: c.Framework, ID: c.ID, Fit: string(c.Fit)})
	}
	return x
}

// Frameworks is the set's frameworks, the built-in ones and the organisation's
// own, for a report by requirement.
func (d *Descriptions) Frameworks() []report.Framework {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.frameworks == nil {
		d.frameworks = frameworks(d.set)
	}
	return d.frameworks
}

func frameworks(set *ruleset.Set) []report.Framework {
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

// Renderer writes reports that list everything which needs attention, by the
// rules and the policy of a bundle.
func Renderer(b *bundle.Bundle) scan.Render {
	d := Of(b.Set, b.Policy, b.Own())
	return func(w io.Writer, format string, r *scan.Report) error {
		return report.Write(w, format, &report.Document{
			Report: r, Rules: d.Rules(r), Frameworks: d.Frameworks(), Show: report.StoredShow(), ByRequirement: true,
		})
	}
}
