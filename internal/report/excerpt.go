package report

import (
	"strings"

	"plumbline/finding"
	"plumbline/scan"
)

// excerpts cuts the lines around a place out of one template. A report goes
// where the template may not, so what looks like a secret is masked.
type excerpts struct {
	lines []string
	masks []mask // one a line
}

// credentials is the requirement whose rules look for secrets in the text:
// PCI DSS 8.6.2, passwords are not in scripts, files or code.
const credentials = "8.6.2"

func newExcerpts(d *Document, a *scan.Assessment) *excerpts {
	e := &excerpts{}
	if d.Source == nil || a.Target.Path == "" {
		return e
	}
	src := d.Source(a.Target.Path)
	if len(src) == 0 {
		return e
	}
	e.lines = strings.Split(string(src), "\n")
	var secret []int
	for i := range a.Findings {
		f := &a.Findings[i]
		if f.Verdict != finding.Pass && f.Verdict != finding.Skip && d.findsSecrets(f.Rule) {
			secret = append(secret, f.Place.Line)
		}
	}
	e.masks = masksOf(e.lines, secret)
	return e
}

// findsSecrets reports whether a rule looks for secrets that stand in a template.
func (d *Document) findsSecrets(rule string) bool {
	for _, c := range d.Rules[rule].Controls {
		if c.ID == credentials && c.Fit == "direct" {
			return true
		}
	}
	return false
}

// Lines of context before and after the line of a finding, and the longest line shown.
const (
	linesBefore   = 2
	linesAfter    = 4
	longestLine   = 160
	longestRemark = "…"
)

// span is the first and the last line of the excerpt around a place; the first
// is after the last where there is none.
func (e *excerpts) span(p finding.Place) (first, last int) {
	if p.Line < 1 || p.Line > len(e.lines) {
		return 1, 0
	}
	return max(1, p.Line-linesBefore), min(len(e.lines), p.Line+linesAfter)
}

// line is a line as it is shown: secrets masked, and cut where it is long.
func (e *excerpts) line(n int) string {
	text := e.masks[n-1].apply(strings.ToValidUTF8(strings.TrimRight(e.lines[n-1], "\r"), "\uFFFD"))
	if len(text) <= longestLine {
		return text
	}
	runes := 0
	for i := range text {
		if runes++; runes > longestLine {
			return text[:i] + longestRemark
		}
	}
	return text
}

// Line is a line of an excerpt.
type Line struct {
	Number int
	Text   string // secrets masked, cut where it is long
	Hit    bool   // it is the line of the finding
}

// Excerpt cuts the lines around a place out of a template. What looks like a
// secret is masked, and so is each line in which one of the template's findings
// has found one; rule describes their rules and may return nil.
func Excerpt(src []byte, at finding.Place, findings []finding.Finding, rule func(id string) *Rule) []Line {
	d := &Document{Rules: map[string]Rule{}, Source: func(string) []byte { return src }}
	for i := range findings {
		if r := rule(findings[i].Rule); r != nil {
			d.Rules[r.ID] = *r
		}
	}
	e := newExcerpts(d, &scan.Assessment{Target: scan.Target{Path: "template"}, Findings: findings})
	var out []Line
	for first, last := e.span(at); first <= last; first++ {
		out = append(out, Line{first, e.line(first), first == at.Line})
	}
	return out
}
