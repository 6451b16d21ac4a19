package report

import (
	"bufio"
	"embed"
	"html/template"
	"io"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"

	"plumbline/finding"
	"plumbline/scan"
)

//go:embed report.html.tmpl style.css
var assets embed.FS

// htmlTemplate is parsed when the first page is written: the other formats never pay for it.
var htmlTemplate = sync.OnceValues(func() (*template.Template, error) {
	return template.New("report.html.tmpl").Funcs(template.FuncMap{
		"plural": plural,
		"join":   strings.Join,
	}).ParseFS(assets, "report.html.tmpl")
})

type htmlPage struct {
	Doc          *Document
	Provenance   scan.Provenance
	Style        template.CSS
	Templates    int
	Cards        []htmlCard
	Partial      []string
	Frameworks   []htmlFramework
	Stacks       []htmlStack
	Suppressed   []htmlFinding
	Skipped      []scan.Skipped
	Since        string
	Hashes       []jsonTemplate
	NothingFound bool
}

type htmlCard struct {
	Label, Class string
	Count        int
}

type htmlFramework struct {
	ID, Title    string
	Requirements []htmlRequirement
}

type htmlRequirement struct {
	Requirement
	Class, Result string
	Violations    []htmlFinding
}

type htmlStack struct {
	Anchor, Path, Stack, Hash string
	Partial                   []string
	Counts                    []htmlCard
	Findings                  []htmlFinding
	Passed                    int
}

type htmlFinding struct {
	*finding.Finding
	Anchor, Title, Class, Label string
	Controls                    []Control
	Excerpt                     []htmlLine
}

type htmlLine struct {
	Number int
	Text   string
	Hit    bool
}

// writeHTML writes one self-contained page: no script, no outside resource.
func writeHTML(w io.Writer, d *Document) error {
	t, err := htmlTemplate()
	if err != nil {
		return err
	}
	css, err := assets.ReadFile("style.css")
	if err != nil {
		return err
	}
	p := d.page()
	p.Style = template.CSS(css)
	b := bufio.NewWriterSize(w, 64<<10)
	if err := t.Execute(b, p); err != nil {
		return err
	}
	return b.Flush()
}

func (d *Document) page() *htmlPage {
	r := d.Report
	p := &htmlPage{Doc: d, Provenance: r.Provenance, Templates: judgedTemplates(r), Partial: partial(r), Skipped: r.Skipped}
	tally := map[string]*requirementTally{}
	sev := map[finding.Severity]int{}
	number := 0
	fresh, gone := 0, 0
	for i := range r.Assessments {
		a := &r.Assessments[i]
		fresh += len(a.New)
		gone += len(a.Resolved)
		s := htmlStack{Anchor: "t" + strconv.Itoa(i+1), Path: a.Target.Path, Stack: a.Target.Stack, Hash: a.Hash, Partial: domainNames(a.Partial), Passed: a.Counts[string(finding.Pass)]}
		src := newExcerpts(d, a.Target.Path)
		mine := map[finding.Severity]int{}
		passed := 0
		for j := range a.Findings {
			f := &a.Findings[j]
			if d.Only != nil && !d.Only(*f) {
				continue
			}
			count(tally, f)
			status := f.Status()
			if status == string(finding.Pass) {
				passed++
			}
			if status == string(finding.Pass) || status == string(finding.Skip) {
				continue
			}
			number++
			h := htmlFinding{Finding: f, Anchor: "f" + strconv.Itoa(number), Title: d.title(f.Rule), Class: status, Label: status, Controls: d.Rules[f.Rule].Controls}
			if status == string(finding.Fail) {
				h.Class, h.Label = string(f.Severity), string(f.Severity)
				sev[f.Severity]++
				mine[f.Severity]++
			}
			if status == finding.StatusSuppressed {
				p.Suppressed = append(p.Suppressed, h)
				continue
			}
			if d.Show == nil || d.Show[status] {
				h.Excerpt = src.around(f.Place)
				s.Findings = append(s.Findings, h)
			}
		}
		if d.Only != nil {
			s.Passed = passed
		}
		for _, x := range finding.Severities {
			if mine[x] > 0 {
				s.Counts = append(s.Counts, htmlCard{string(x), string(x), mine[x]})
			}
		}
		sort.SliceStable(s.Findings, func(x, y int) bool { return order(s.Findings[x]) < order(s.Findings[y]) })
		p.Stacks = append(p.Stacks, s)
	}
	total := 0
	for _, x := range finding.Severities {
		p.Cards = append(p.Cards, htmlCard{string(x), string(x), sev[x]})
		total += sev[x]
	}
	c := d.counts()
	p.Cards = append(p.Cards,
		htmlCard{"undecided", "unknown", c[string(finding.Unknown)]},
		htmlCard{"not judged", "error", c[string(finding.Error)]},
		htmlCard{"suppressed", "suppressed", c[finding.StatusSuppressed]},
		htmlCard{"checks passed", "pass", c[string(finding.Pass)]})
	p.NothingFound = total == 0
	if fresh+gone > 0 {
		p.Since = plural(fresh, "finding is new", "findings are new") + " since the last scan, " + plural(gone, "is", "are") + " resolved"
	}
	for _, fw := range d.Frameworks {
		p.Frameworks = append(p.Frameworks, frameworkPage(fw, tally, p))
	}
	for _, a := range r.Assessments {
		p.Hashes = append(p.Hashes, jsonTemplate{Path: a.Target.Path, Stack: a.Target.Stack, SHA256: a.Hash})
	}
	return p
}

// order puts failures first, by severity, then what was not judged, then what is undecided.
func order(f htmlFinding) int {
	switch f.Verdict {
	case finding.Fail:
		return f.Severity.Rank()
	case finding.Error:
		return 5
	}
	return 6
}

// requirementTally counts one rule's verdicts over all targets.
type requirementTally struct{ fail, pass, open, suppressed int }

func count(tally map[string]*requirementTally, f *finding.Finding) {
	t := tally[f.Rule]
	if t == nil {
		t = &requirementTally{}
		tally[f.Rule] = t
	}
	switch f.Status() {
	case string(finding.Fail):
		t.fail++
	case string(finding.Pass):
		t.pass++
	case string(finding.Unknown), string(finding.Error):
		t.open++
	case finding.StatusSuppressed:
		t.suppressed++
	}
}

// frameworkPage says what was found for each requirement. Rules look at a part
// of a requirement at most, so the best result is that no violation was found
// by so many checks over so many resources; a requirement is never called met.
func frameworkPage(fw Framework, tally map[string]*requirementTally, p *htmlPage) htmlFramework {
	out := htmlFramework{ID: fw.ID, Title: fw.Title}
	for _, q := range fw.Requirements {
		r := htmlRequirement{Requirement: q}
		var sum requirementTally
		checks := 0
		for _, id := range q.Rules {
			t := tally[id]
			if t == nil || t.fail+t.pass+t.open+t.suppressed == 0 {
				continue
			}
			checks++
			sum.fail += t.fail
			sum.pass += t.pass
			sum.open += t.open
			sum.suppressed += t.suppressed
		}
		over := " by " + plural(checks, "check", "checks") + " over " + plural(sum.fail+sum.pass+sum.open+sum.suppressed, "judgement", "judgements")
		switch {
		case checks == 0 && len(q.Rules) == 0:
			r.Class, r.Result = "skip", "no rule looks at this"
		case checks == 0:
			r.Class, r.Result = "skip", "nothing in these templates to check"
		case sum.fail > 0:
			r.Class, r.Result = "fail", plural(sum.fail, "violation", "violations")+over
		case sum.open > 0:
			r.Class, r.Result = "unknown", plural(sum.open, "judgement", "judgements")+" open; no violation found"+over
		default:
			r.Class, r.Result = "pass", "no violation found"+over
		}
		if sum.suppressed > 0 {
			r.Result += ", " + strconv.Itoa(sum.suppressed) + " suppressed"
		}
		for _, s := range p.Stacks {
			for _, f := range s.Findings {
				if f.Verdict == finding.Fail && slices.Contains(q.Rules, f.Rule) {
					r.Violations = append(r.Violations, f)
				}
			}
		}
		out.Requirements = append(out.Requirements, r)
	}
	return out
}

// excerpts cuts the lines around a place out of one template.
type excerpts struct{ lines []string }

func newExcerpts(d *Document, path string) *excerpts {
	if d.Source == nil || path == "" {
		return &excerpts{}
	}
	src := d.Source(path)
	if len(src) == 0 {
		return &excerpts{}
	}
	return &excerpts{strings.Split(string(src), "\n")}
}

// Lines of context before and after the line of a finding, and the longest line shown.
const (
	linesBefore   = 2
	linesAfter    = 4
	longestLine   = 160
	longestRemark = "…"
)

func (e *excerpts) around(p finding.Place) []htmlLine {
	if p.Line < 1 || p.Line > len(e.lines) {
		return nil
	}
	var out []htmlLine
	for n := max(1, p.Line-linesBefore); n <= min(len(e.lines), p.Line+linesAfter); n++ {
		text := []rune(strings.ToValidUTF8(strings.TrimRight(e.lines[n-1], "\r"), "\uFFFD"))
		if len(text) > longestLine {
			text = append(text[:longestLine:longestLine], []rune(longestRemark)...)
		}
		out = append(out, htmlLine{n, string(text), n == p.Line})
	}
	return out
}
