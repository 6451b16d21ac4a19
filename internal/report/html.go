package report

import (
	"bufio"
	"embed"
	"html/template"
	"io"
	"path"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"sync"

	"plumbline/finding"
	"plumbline/internal/page"
	"plumbline/scan"
)

//go:embed report.html.tmpl
var assets embed.FS

// htmlTemplate is parsed when the first page is written: the other formats never pay for it.
var htmlTemplate = sync.OnceValues(func() (*template.Template, error) {
	return template.New("report.html.tmpl").Funcs(template.FuncMap{
		"plural": plural,
		"join":   strings.Join,
	}).ParseFS(assets, "report.html.tmpl")
})

type htmlPage struct {
	Provenance   scan.Provenance
	Style        template.CSS
	Headline     string
	Rules        int
	Cards, Also  []htmlCard // violations by severity; everything else
	Partial      []string
	NotJudged    int
	Since        string
	First        []htmlFinding
	Stacks       []htmlStack
	Frameworks   []htmlFramework
	Filters      []htmlCard
	Suppressed   []htmlFinding
	Skipped      []scan.Skipped
	Hashes       []jsonTemplate
	NothingFound bool
	Listed       bool // whether there is any finding to list
}

type htmlCard struct {
	Label, Class string
	Count        int
}

type htmlStack struct {
	Anchor, Name, Path, Stack string
	Scope                     string
	Dir, Base                 string // of Path, Dir without the folder that all templates share
	Partial                   []string
	Counts                    []htmlCard
	Findings                  []htmlFinding
	Open, Errors, Passed      int
	Gone                      bool // it is not there any more
	assessment                *scan.Assessment
	fails                     map[string]int // listed violations by rule
}

type htmlFinding struct {
	*finding.Finding
	Anchor, Title, Class, Label string
	Urgent                      bool // shown open
	Controls                    []Control
}

// writeHTML writes one self-contained page: no script, no outside resource.
func writeHTML(w io.Writer, d *Document) error {
	t, err := htmlTemplate()
	if err != nil {
		return err
	}
	p := d.page()
	p.Style = template.CSS(page.Style)
	b := bufio.NewWriterSize(w, 16<<10)
	if err := t.ExecuteTemplate(b, "head", p); err != nil {
		return err
	}
	p.writeFrameworks(b)
	if err := t.ExecuteTemplate(b, "listing", p); err != nil {
		return err
	}
	p.writeFindings(b, d)
	if err := t.ExecuteTemplate(b, "tail", p); err != nil {
		return err
	}
	return b.Flush()
}

// firstListed is how many findings the page names at its top.
const firstListed = 6

// openAtMost is how many findings are shown open. A page of thousands that are
// all open is neither read nor quickly laid out.
const openAtMost = 60

// urgent reports whether findings of a class are shown open.
func urgent(class string) bool {
	return class == string(finding.Critical) || class == string(finding.High) || class == string(finding.Error)
}

func (d *Document) page() *htmlPage {
	r := d.Report
	p := &htmlPage{Provenance: r.Provenance, Rules: d.rules(), Partial: partial(r), Skipped: r.Skipped}
	t := tally{}
	fails := map[string]int{} // by severity
	listed := map[string]int{}
	number, fresh, gone, open := 0, 0, 0, 0
	shared := sharedFolder(r)
	for i := range r.Assessments {
		a := &r.Assessments[i]
		fresh += len(a.New)
		gone += len(a.Resolved)
		p.Hashes = append(p.Hashes, jsonTemplate{Path: a.Target.Path, Stack: a.Target.Stack, SHA256: a.Hash})
		s := htmlStack{Anchor: "t" + strconv.Itoa(i+1), Path: a.Target.Path, Stack: a.Target.Stack, Scope: a.Scope, Partial: domainNames(a.Partial), Passed: a.Counts[string(finding.Pass)], Gone: a.Gone}
		s.Dir, s.Base = path.Split(strings.TrimPrefix(filepath.ToSlash(a.Target.Path), shared))
		if s.Name = s.Stack; s.Name == "" {
			s.Name = s.Dir + s.Base
		}
		s.assessment, s.fails = a, map[string]int{}
		mine := map[string]int{} // by class
		for j := range a.Findings {
			f := &a.Findings[j]
			if d.Only != nil && !d.Only(*f) {
				continue
			}
			t.count(i, f)
			h := htmlFinding{Finding: f, Title: d.title(f.Rule), Class: f.Status(), Label: f.Status(), Controls: d.Rules[f.Rule].Controls}
			if h.Class == string(finding.Fail) {
				h.Class, h.Label = string(f.Severity), string(f.Severity)
				fails[h.Class]++
			}
			mine[h.Class]++
			if h.Class == string(finding.Error) {
				h.Label = "not judged"
			} else if h.Class == string(finding.Unknown) {
				h.Label = "undecided"
			}
			if f.Status() == string(finding.Pass) || f.Status() == string(finding.Skip) {
				continue
			}
			number++
			h.Anchor = "f" + strconv.Itoa(number)
			switch {
			case f.Status() == finding.StatusSuppressed:
				p.Suppressed = append(p.Suppressed, h)
			case (d.Show == nil || d.Show[f.Status()]) && !d.below(f):
				if h.Urgent = open < openAtMost && urgent(h.Class); h.Urgent {
					open++
				}
				s.Findings = append(s.Findings, h)
				listed[h.Class]++
				if f.Verdict == finding.Fail {
					s.fails[f.Rule]++
				}
			}
		}
		s.Open, s.Errors = mine[string(finding.Unknown)], mine[string(finding.Error)]
		if d.Only != nil {
			s.Passed = mine[string(finding.Pass)]
		}
		for _, x := range finding.Severities {
			if n := mine[string(x)]; n > 0 {
				s.Counts = append(s.Counts, htmlCard{string(x), string(x), n})
			}
		}
		sort.SliceStable(s.Findings, func(x, y int) bool { return order(&s.Findings[x]) < order(&s.Findings[y]) })
		p.Stacks = append(p.Stacks, s)
	}
	total := 0
	for _, x := range finding.Severities {
		p.Cards = append(p.Cards, htmlCard{string(x), string(x), fails[string(x)]})
		total += fails[string(x)]
	}
	c := d.counts()
	p.NotJudged = c[string(finding.Error)]
	p.Also = []htmlCard{
		{"checks passed", "pass", c[string(finding.Pass)]},
		{"undecided", "unknown", c[string(finding.Unknown)]},
		{"not judged", "error", p.NotJudged},
		{"suppressed", "suppressed", c[finding.StatusSuppressed]},
	}
	for _, x := range []htmlCard{{"critical", "critical", 0}, {"high", "high", 0}, {"medium", "medium", 0}, {"low", "low", 0}, {"not judged", "error", 0}, {"undecided", "unknown", 0}} {
		if x.Count = listed[x.Class]; x.Count > 0 {
			p.Filters = append(p.Filters, x)
			p.Listed = true
		}
	}
	p.NothingFound = total == 0
	p.Headline = headline(total, judgedTemplates(r), p.NotJudged > 0 || len(p.Partial) > 0)
	p.First = first(p.Stacks)
	if fresh+gone > 0 {
		p.Since = plural(fresh, "finding is new", "findings are new") + " since the last scan, " + plural(gone, "is", "are") + " resolved"
	}
	for _, fw := range d.Frameworks {
		p.Frameworks = append(p.Frameworks, t.framework(fw, p.Stacks))
	}
	// The framework with the most requirements is what the page is read for.
	sort.SliceStable(p.Frameworks, func(x, y int) bool { return p.Frameworks[x].size > p.Frameworks[y].size })
	return p
}

func headline(violations, templates int, incomplete bool) string {
	in := " in " + plural(templates, "template", "templates")
	switch {
	case violations > 0:
		return plural(violations, "violation", "violations") + in
	case incomplete:
		return "No violation found" + in + ", but not everything could be judged"
	}
	return "No violation found" + in
}

// first is what the page names at its top, as far as there is room: what could
// not be judged, then the violations that are critical or high.
func first(stacks []htmlStack) []htmlFinding {
	var out []htmlFinding
	for _, class := range []string{string(finding.Error), string(finding.Critical), string(finding.High)} {
		for i := range stacks {
			for _, f := range stacks[i].Findings {
				if f.Class == class && len(out) < firstListed {
					out = append(out, f)
				}
			}
		}
	}
	return out
}

// sharedFolder is the folder that all templates lie in, with a slash at its
// end; "" for none.
func sharedFolder(r *scan.Report) string {
	shared := ""
	for i, a := range r.Assessments {
		dir, _ := path.Split(filepath.ToSlash(a.Target.Path))
		if i == 0 {
			shared = dir
		}
		for !strings.HasPrefix(dir, shared) {
			shared, _ = path.Split(strings.TrimSuffix(shared, "/"))
		}
	}
	return shared
}

// order puts what was not judged first, then failures by severity, then what is undecided.
func order(f *htmlFinding) int {
	switch f.Verdict {
	case finding.Error:
		return -1
	case finding.Fail:
		return f.Severity.Rank()
	}
	return 6
}
