package console

import (
	"net/http"
	"time"

	"plumbline/finding"
	"plumbline/internal/local"
	"plumbline/internal/report"
	"plumbline/remedy/change"
)

// findingPage is one finding.
type findingPage struct {
	finding.Record
	Title    string
	Rule     *report.Rule // nil: not known any more
	Breaks   string
	Excerpt  []report.Line
	Controls []controlLine
	Lives    []finding.Record // of this finding, the latest first
	Beside   []item           // others of the resource that want attention
	Plans    []planView
	Overdue  bool
	List     string // address of the findings of the same rule
}

// controlLine is a requirement that the rule looks at.
type controlLine struct {
	Framework, ID, Title, Fit, NotCovered, Address string
}

// planView is a plan as a page shows it.
type planView struct {
	local.Plan
	Diff     []diffLine
	Standing string
	Story    []storyLine
}

// diffLine is a line of a plan's diff: "+", "-" or " ", and the text.
type diffLine struct{ Sign, Text string }

type storyLine struct {
	Seq         int64
	Time        time.Time
	Actor, What string
}

func (s *Server) finding(r *http.Request, b *board) (*view, error) {
	key := r.PathValue("key")
	at, ok := b.byKey[key]
	if !ok {
		return nil, notFound("This folder knows no finding %q. It may have been removed a year after it was resolved, or belong to another data folder.", key)
	}
	x := &b.rows[at]
	id := x.account + "/" + x.region + "/" + b.value(x, byStack) + "/" + x.logical
	p := &findingPage{}
	now := s.o.Now()
	for rec, err := range s.o.Data.OfResource(r.Context(), id) {
		if err != nil {
			return nil, err
		}
		if rec.Fingerprint() == key {
			p.Lives = append([]finding.Record{rec}, p.Lives...)
			p.Record = rec
		}
	}
	if len(p.Lives) == 0 {
		return nil, notFound("This finding is gone.")
	}
	for i := range b.rows {
		y := &b.rows[i]
		if y.active && y.key != key && y.logical == x.logical && y.code[byStack] == x.code[byStack] && y.account == x.account && y.region == x.region {
			p.Beside = append(p.Beside, s.item(b, y, now))
		}
	}
	p.Title, p.Rule = s.titleOf(p.Record.Rule), s.o.Describe(p.Record.Rule)
	p.Overdue = p.State.Active() && !p.Due.IsZero() && p.Due.Before(now)
	p.List = filter{}.with(byRule, p.Record.Rule).address()
	if rule, err := s.o.Rules.Rule(p.Record.Rule); err == nil {
		p.Breaks = rule.Breaks
	}
	if src := s.o.Data.Template(r.Context(), &p.Finding); src != nil {
		p.Excerpt = report.Excerpt(src, p.Place, b.inTemplate(&p.Finding), s.o.Describe)
	}
	p.Controls = s.controls(p.Rule)
	plans, err := s.o.Data.Plans(r.Context(), p.Record.Rule, p.Resource)
	if err != nil {
		return nil, err
	}
	for i := len(plans) - 1; i >= 0; i-- {
		p.Plans = append(p.Plans, newPlanView(plans[i]))
	}
	return &view{name: "finding", Title: p.Title, Data: p}, nil
}

// controls are the requirements that a rule looks at, which may be nil.
func (s *Server) controls(rule *report.Rule) []controlLine {
	if rule == nil {
		return nil
	}
	var out []controlLine
	for _, c := range rule.Controls {
		line := controlLine{Framework: c.Framework, ID: c.ID, Fit: c.Fit, Address: filter{framework: c.Framework, control: c.ID}.address()}
		if fw := s.asked.framework(c.Framework); fw != nil {
			line.Framework = fw.Title
		}
		if q := s.asked.requirement(c.Framework, c.ID); q != nil {
			line.Title, line.NotCovered = q.Title, q.NotCovered
		}
		out = append(out, line)
	}
	return out
}

func newPlanView(p local.Plan) planView {
	v := planView{Plan: p, Standing: p.Story.Standing()}
	for _, line := range p.Planned.Plan.Diff {
		d := diffLine{" ", line}
		if len(line) > 1 && (line[0] == '+' || line[0] == '-') {
			d = diffLine{line[:1], line[1:]}
		}
		v.Diff = append(v.Diff, d)
	}
	for _, e := range p.Story.Entries() {
		v.Story = append(v.Story, storyLine{e.Seq, e.Time, e.Actor, change.Words(e)})
	}
	return v
}

// inTemplate lists the findings of the template that one was found in, as far as
// an excerpt of it needs them: which lines hold secrets.
func (b *board) inTemplate(f *finding.Finding) []finding.Finding {
	var out []finding.Finding
	for i := range b.rows {
		if x := &b.rows[i]; x.place.Template() == f.Place.Template() {
			out = append(out, finding.Finding{Rule: b.value(x, byRule), Verdict: finding.Fail, Place: x.place})
		}
	}
	return out
}
