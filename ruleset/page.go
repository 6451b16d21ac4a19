package ruleset

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"plumbline/finding"
)

// Page is what there is to know of a rule, as Markdown: what it asks and why,
// a template that is wrong and one that is right, both from its cases, what to
// do, and where the same check stands elsewhere. A *UnknownRuleError says that
// there is no such rule; another error that its file or its cases cannot be read.
func (s *Set) Page(id string) ([]byte, error) {
	r, err := s.Rule(id)
	if err != nil {
		return nil, err
	}
	p := page{rule: r}
	p.printf("# %s\n\n%s.\n\n| | |\n|---|---|\n| severity | %s |\n| domain | %s |\n", r.ID, strings.TrimSuffix(r.Title, "."), r.Severity, r.Domain)
	switch {
	case r.Reserved:
	case r.Match == MatchTypes:
		p.printf("| types | %s |\n", strings.Join(r.Types, ", "))
	case r.Match == MatchTaggable:
		p.printf("| types | every type that takes tags |\n")
	case r.Match == MatchUnknown:
		p.printf("| types | every type of AWS's that is not known |\n")
	default:
		p.printf("| types | every type |\n")
	}
	p.printf("| fix | %s |\n", p.fix())
	if e := s.entry(id); e != nil {
		folder := e.prefix
		if folder == "" {
			folder = "rules"
		}
		p.printf("| file | %s |\n", path.Join(folder, e.File))
	}
	if r.Deprecated {
		p.printf("\nIt is retired: it judges nothing, and its id is not used again.\n")
	}
	p.what()
	p.why(s.Frameworks())
	if e := s.entry(id); e != nil && !r.Deprecated {
		if err := p.examples(e.fs, e.File); err != nil {
			return nil, err
		}
	}
	if r.Remediation != "" {
		p.printf("\n## Remediation\n\n%s\n", strings.TrimSpace(r.Remediation))
		if r.Breaks != "" {
			p.printf("\nMind: %s\n", strings.TrimSpace(r.Breaks))
		}
		if r.CutsOff {
			p.printf("\nThe change may cut somebody off, so it always needs approval.\n")
		}
		if r.Permanent != "" {
			p.printf("\nThe change cannot be taken back, so it always needs approval: %s.\n", r.Permanent)
		}
	}
	p.elsewhere()
	return p.Bytes(), nil
}

// page is a rule's page while it is written.
type page struct {
	bytes.Buffer
	rule *Rule
}

func (p *page) printf(format string, args ...any) { fmt.Fprintf(&p.Buffer, format, args...) }

// fix is what the rule's fix does, in a line of a table.
func (p *page) fix() string {
	if len(p.rule.Fix) == 0 {
		return "none"
	}
	var steps []string
	for i := range p.rule.Fix {
		f := &p.rule.Fix[i]
		steps = append(steps, f.words())
	}
	return strings.ReplaceAll(strings.Join(steps, "; "), "|", `\|`)
}

// what shows the rule's expressions as they stand in its file.
func (p *page) what() {
	r := p.rule
	if r.Reserved {
		return
	}
	p.printf("\n## What\n\n```\n")
	for i := range r.Relations {
		x := &r.Relations[i]
		how := "any of the template"
		switch {
		case x.By != "":
			how = "by its " + x.By
		case x.From != "":
			how = "from " + x.From
		}
		if x.Of != "" {
			how += " of " + x.Of
		}
		p.printf("%-12s %s, %s\n", x.Name, x.Type, how)
	}
	row := func(name, text string) {
		if text != "" {
			p.printf("%-12s %s\n", name, strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n"+strings.Repeat(" ", 13)))
		}
	}
	for i := range r.Let {
		row(r.Let[i].Name, r.Let[i].Text)
	}
	row("applies when", r.When.Text)
	row("passes if", r.Pass.Text)
	p.printf("```\n")
}

// why lists the requirements that a failure bears on.
func (p *page) why(all Frameworks) {
	var lines []string
	for _, f := range all {
		for i := range f.Requirements {
			q := &f.Requirements[i]
			for _, m := range q.Rules {
				if m.Rule == p.rule.ID {
					lines = append(lines, fmt.Sprintf("- %s %s (%s): %s", f.ID, q.ID, m.Fit, q.Title))
				}
			}
		}
	}
	if len(lines) > 0 {
		p.printf("\n## Why\n\n%s\n", strings.Join(lines, "\n"))
	}
}

// examples shows one failing and one passing case as templates.
func (p *page) examples(files fs.FS, file string) error {
	name := strings.TrimSuffix(file, ".yaml") + caseSuffix
	src, err := fs.ReadFile(files, name)
	if err != nil {
		return nil // a user's rule may have no cases yet; `rules test` says so
	}
	cases, err := ReadCases(name, src)
	if err != nil {
		return err
	}
	for _, x := range []struct {
		title string
		want  finding.Verdict
	}{{"Bad", finding.Fail}, {"Good", finding.Pass}} {
		k := example(cases, x.want)
		if k == nil {
			continue
		}
		typ := k.Type
		if typ == "" && len(p.rule.Types) > 0 {
			typ = p.rule.Types[0]
		}
		text, err := k.template(typ)
		if err != nil {
			return fmt.Errorf("%s: case %q: %w", name, k.Name, err)
		}
		p.printf("\n## %s\n\n```yaml\n%s```\n", x.title, text)
		if k.Want == finding.Fail && k.Message != "" {
			p.printf("\n> %s\n", strings.ReplaceAll(k.Message, "\n", " "))
		}
	}
	return nil
}

// example is the case with the verdict that shows most with least around it:
// the first that sets properties and needs no policy file, else the first.
func example(cases []Case, want finding.Verdict) *Case {
	var of []*Case
	for i := range cases {
		if cases[i].Want == want {
			of = append(of, &cases[i])
		}
	}
	for _, plain := range []func(*Case) bool{
		func(k *Case) bool {
			return len(k.Properties.Content) > 0 && k.Policy.IsZero() && k.Conditions.IsZero() && (want == finding.Pass || k.Message != "")
		},
		func(k *Case) bool { return k.Policy.IsZero() },
		func(*Case) bool { return true },
	} {
		if i := slices.IndexFunc(of, plain); i >= 0 {
			return of[i]
		}
	}
	return nil
}

// elsewhere lists the same check in other tools, and what to read.
func (p *page) elsewhere() {
	r := p.rule
	if len(r.Equivalents) > 0 {
		p.printf("\n## Elsewhere\n\n| tool | check |\n|---|---|\n")
		for _, tool := range EquivalentTools {
			if ids := r.Equivalents[tool]; len(ids) > 0 {
				p.printf("| %s | %s |\n", tool, strings.Join(ids, ", "))
			}
		}
	}
	if len(r.References) > 0 {
		p.printf("\n## References\n\n")
		for _, x := range r.References {
			p.printf("- %s\n", x)
		}
	}
}

// PageURL is where the page of a built-in rule is served: below the policy's
// rulePages, else its path in plumbline's repository.
func (p *Policy) PageURL(id string) string {
	base := "docs/rules"
	if p != nil && p.RulePages != "" {
		base = strings.TrimSuffix(p.RulePages, "/")
	}
	return base + "/" + id + ".md"
}
