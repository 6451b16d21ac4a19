package console

import (
	"net/http"
	"strings"

	"plumbline/finding"
	"plumbline/internal/report"
	"plumbline/ruleset"
)

// rulesPage is the list of rules.
type rulesPage struct {
	Query, Domain, Severity, Framework string
	Domains                            []finding.Domain
	Severities                         []finding.Severity
	Frameworks                         []frameworkChoice
	Rules                              []ruleLine
	All                                int
}

type ruleLine struct {
	ID, Title, Severity, Domain string
	Types                       []string
	Open                        int
	List                        string
}

func (s *Server) rules(r *http.Request, b *board) (*view, error) {
	q := r.URL.Query()
	p := &rulesPage{Query: q.Get("q"), Domain: q.Get("domain"), Severity: q.Get("severity"), Framework: q.Get("framework"), Domains: finding.Domains, Severities: finding.Severities}
	for i := range s.asked.frameworks {
		p.Frameworks = append(p.Frameworks, frameworkChoice{ID: s.asked.frameworks[i].ID, Title: s.asked.frameworks[i].Title})
	}
	open := b.openByRule()
	words := wordsOf(p.Query)
	for _, id := range s.o.Rules.Index().RuleIDs() {
		d := s.o.Describe(id)
		if d == nil {
			continue
		}
		p.All++
		if p.Domain != "" && string(d.Domain) != p.Domain || p.Severity != "" && string(d.Severity) != p.Severity ||
			p.Framework != "" && !s.asked.rulesOf(p.Framework, "")[id] || !hasAll(strings.ToLower(id+"\n"+d.Title+"\n"+strings.Join(d.Types, "\n")), words) {
			continue
		}
		p.Rules = append(p.Rules, ruleLine{id, d.Title, string(d.Severity), string(d.Domain), d.Types, open[id], filter{}.with(byRule, id).address()})
	}
	return &view{name: "rules", Title: plural(len(p.Rules), "rule", "rules"), Data: p}, nil
}

func hasAll(text string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

// rulePage is one rule.
type rulePage struct {
	*ruleset.Rule
	Described   *report.Rule
	Controls    []controlLine
	Equivalents []equivalent
	Fixes       []string
	Open        int
	List        string
}

type equivalent struct{ Tool, IDs string }

func (s *Server) rule(r *http.Request, b *board) (*view, error) {
	id := r.PathValue("id")
	d := s.o.Describe(id)
	rule, err := s.o.Rules.Rule(id)
	if d == nil || err != nil {
		return nil, notFound("There is no rule %q.", id)
	}
	p := &rulePage{Rule: rule, Described: d, Controls: s.controls(d), Open: b.openByRule()[id], List: filter{}.with(byRule, id).address()}
	for _, tool := range ruleset.EquivalentTools {
		if ids := rule.Equivalents[tool]; len(ids) > 0 {
			p.Equivalents = append(p.Equivalents, equivalent{tool, strings.Join(ids, ", ")})
		}
	}
	for _, f := range rule.Fix {
		step := f.Do + " " + strings.Join(f.Path, ".")
		if f.Policy != "" {
			step += " (value " + f.Policy + " of the policy file)"
		}
		p.Fixes = append(p.Fixes, step)
	}
	return &view{name: "rule", Title: rule.Title, Data: p}, nil
}

// frameworkPage is a framework, requirement by requirement.
type frameworkPage struct {
	ID, Title string
	Sections  []sectionView
	Violated  int
	All       int
}

type sectionView struct {
	Title        string
	Requirements []requirementView
	Violations   int
}

type requirementView struct {
	report.Requirement
	Violations int
	List       string
}

func (s *Server) framework(r *http.Request, b *board) (*view, error) {
	fw := s.asked.framework(r.PathValue("id"))
	if fw == nil {
		return nil, notFound("There is no framework %q.", r.PathValue("id"))
	}
	open := b.openByRule()
	titles := map[string]string{}
	for _, x := range fw.Sections {
		titles[x.ID] = x.Title
	}
	p := &frameworkPage{ID: fw.ID, Title: fw.Title, All: len(fw.Requirements)}
	at := map[string]int{}
	for _, q := range fw.Requirements {
		x := requirementView{Requirement: q, List: filter{framework: fw.ID, control: q.ID}.address()}
		for _, rule := range q.Rules {
			x.Violations += open[rule]
		}
		if x.Violations > 0 {
			p.Violated++
		}
		i, ok := at[q.Section]
		if !ok {
			i = len(p.Sections)
			at[q.Section] = i
			title := titles[q.Section]
			if title == "" {
				title = fw.Title
			}
			p.Sections = append(p.Sections, sectionView{Title: strings.TrimSpace(q.Section + " " + title)})
		}
		p.Sections[i].Requirements = append(p.Sections[i].Requirements, x)
		p.Sections[i].Violations += x.Violations
	}
	return &view{name: "framework", Title: fw.Title, Data: p}, nil
}
