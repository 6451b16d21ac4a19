package asl

import (
	"bytes"
	"fmt"
	"html"
	"strconv"
	"strings"
)

// Drawing says what a drawing shows beside the states themselves. The zero
// value shows the definition alone.
type Drawing struct {
	Title string // read out in place of the picture; default: the machine's comment
	Trace *Trace // of an execution of this definition; nil: none is marked
}

// SVG draws the state machine: a complete SVG document that follows the
// reader's light or dark colour scheme. The same definition gives the same bytes.
func (d *Definition) SVG() []byte { return d.Draw(Drawing{}) }

// Draw is SVG with an execution marked in it: states are coloured, and signed for
// those who do not see colours, by what happened in them, how often and with how
// many retries; the ways it took are marked, and what it did not enter is pale.
func (d *Definition) Draw(o Drawing) []byte {
	const margin = 12.0
	l := lay(d)
	p := &painter{trace: o.Trace}
	title := o.Title
	if title == "" {
		title = d.Comment
	}
	if title == "" {
		title = "State machine that starts at " + d.StartAt
	}
	class, style := "asl", svgStyle
	if p.trace != nil {
		class, style = "asl traced", svgStyle+traceStyle
	}
	w, h := l.w+2*margin, l.h+2*margin
	fmt.Fprintf(&p.b, `<svg xmlns="http://www.w3.org/2000/svg" class="%s" width="%s" height="%s" viewBox="0 0 %s %s" role="img" aria-label="%s">`+"\n",
		class, num(w), num(h), num(w), num(h), escape(title))
	p.b.WriteString("<style>" + style + "</style>\n")
	fmt.Fprintf(&p.b, `<rect class="paper" width="%s" height="%s" rx="10"/>`+"\n", num(w), num(h))
	p.machine(l, margin, margin)
	p.b.WriteString("</svg>\n")
	return p.b.Bytes()
}

type painter struct {
	b     bytes.Buffer
	trace *Trace
}

// num prints a coordinate with one decimal at most.
func num(x float64) string {
	s := strconv.FormatFloat(x, 'f', 1, 64)
	s = strings.TrimSuffix(s, ".0")
	if s == "-0" {
		return "0"
	}
	return s
}

// escape makes text safe inside SVG; characters that XML forbids are dropped.
func escape(s string) string {
	return html.EscapeString(strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, s))
}

func (p *painter) machine(l *layout, x, y float64) {
	fmt.Fprintf(&p.b, `<g transform="translate(%s %s)">`+"\n", num(x), num(y))
	routes := l.routes()
	for _, w := range l.wires { // below the states
		p.wire(w, routes[w])
	}
	for _, v := range l.vertices {
		if v.start {
			fmt.Fprintf(&p.b, `<circle class="dot" cx="%s" cy="%s" r="5"/>`+"\n", num(v.x), num(v.y))
			continue
		}
		p.state(v)
	}
	for _, w := range l.wires { // above everything, so that they can be read
		if len(w.label) > 0 {
			p.label(w, routes[w].label)
		}
	}
	p.b.WriteString("</g>\n")
}

func (p *painter) wire(w *wire, r route) {
	class := "edge"
	if w.kind == edgeCatch {
		class = "edge catch"
	}
	from, to := "", w.dst.state.Name
	if w.src.state != nil {
		from = w.src.state.Name
	}
	path := r.path
	switch {
	case p.trace.took(from, to, w.kind == edgeCatch):
		class += " walked"
	case r.stub != "": // drawn once, or the dashes of several edges fill up
		path = r.stub
	}
	fmt.Fprintf(&p.b, `<g class="%s"><path d="%s"/>`, class, path)
	t := r.tip
	switch r.angle {
	case 90:
		fmt.Fprintf(&p.b, `<path class="tip" d="M%s %sl-4 -7h8z"/>`, num(t.x), num(t.y))
	case 180:
		fmt.Fprintf(&p.b, `<path class="tip" d="M%s %sl7 -4v8z"/>`, num(t.x), num(t.y))
	default:
		fmt.Fprintf(&p.b, `<path class="tip" d="M%s %sl-7 -4v8z"/>`, num(t.x), num(t.y))
	}
	if w.bus {
		fmt.Fprintf(&p.b, `<title>%s catches %s</title>`, escape(from), escape(w.edge.label))
	}
	p.b.WriteString("</g>\n")
}

func (p *painter) label(w *wire, at point) {
	width, height := labelSize(w.label)
	class := "label"
	if w.kind == edgeCatch {
		class = "label catch"
	}
	fmt.Fprintf(&p.b, `<g class="%s"><rect x="%s" y="%s" width="%s" height="%s" rx="4"/><text text-anchor="middle">`,
		class, num(at.x-width/2), num(at.y-height/2), num(width), num(height))
	for i, line := range w.label {
		fmt.Fprintf(&p.b, `<tspan x="%s" y="%s">%s</tspan>`, num(at.x), num(at.y-height/2+13+float64(i)*labelLeading), escape(line))
	}
	p.b.WriteString("</text></g>\n")
}

// state draws one state and what is inside it.
func (p *painter) state(v *vertex) {
	s := v.state
	class := "state " + strings.ToLower(s.Type)
	switch s.Type {
	case "Task", "Pass", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map":
	default:
		class = "state"
	}
	if outcome := p.trace.outcome(s.Name); outcome != NotEntered {
		class += " entered " + string(outcome)
	}
	x, y := v.x-v.w/2, v.y-v.h/2
	fmt.Fprintf(&p.b, `<g class="%s" data-state="%s">`, class, escape(s.Name))
	if about := p.trace.about(s, s.Comment); about != "" {
		fmt.Fprintf(&p.b, `<title>%s</title>`, escape(about))
	}
	if s.Type == "Map" { // a second sheet: it happens many times
		fmt.Fprintf(&p.b, `<rect class="box sheet" x="%s" y="%s" width="%s" height="%s" rx="8"/>`, num(x+4), num(y+4), num(v.w), num(v.h))
	}
	switch s.Type {
	case "Choice":
		const cut = 13.0
		fmt.Fprintf(&p.b, `<path class="box" d="M%s %sH%sL%s %sL%s %sH%sL%s %sz"/>`,
			num(x+cut), num(y), num(x+v.w-cut), num(x+v.w), num(v.y), num(x+v.w-cut), num(y+v.h), num(x+cut), num(x), num(v.y))
	case "Succeed", "Fail", "Wait":
		fmt.Fprintf(&p.b, `<rect class="box" x="%s" y="%s" width="%s" height="%s" rx="%s"/>`, num(x), num(y), num(v.w), num(v.h), num(v.h/2))
	default:
		fmt.Fprintf(&p.b, `<rect class="box" x="%s" y="%s" width="%s" height="%s" rx="8"/>`, num(x), num(y), num(v.w), num(v.h))
		if len(v.inner) == 0 {
			fmt.Fprintf(&p.b, `<rect class="mark" x="%s" y="%s" width="3" height="%s" rx="1.5"/>`, num(x+6), num(y+10), num(v.h-20))
		}
	}
	fmt.Fprintf(&p.b, `<text class="name" text-anchor="middle" x="%s" y="%s">%s</text>`, num(v.x), num(y+20), escape(s.Name))
	fmt.Fprintf(&p.b, `<text class="note" text-anchor="middle" x="%s" y="%s">%s</text>`, num(v.x), num(y+35), escape(s.note()))
	if s.End {
		fmt.Fprintf(&p.b, `<circle class="end" cx="%s" cy="%s" r="5"/><circle class="dot" cx="%s" cy="%s" r="2.2"/>`, num(v.x), num(y+v.h), num(v.x), num(y+v.h))
	}
	p.badges(s, x, y, v.w)
	p.b.WriteString("</g>\n")
	for _, in := range v.inner {
		fmt.Fprintf(&p.b, `<rect class="branch" x="%s" y="%s" width="%s" height="%s" rx="6"/>`+"\n", num(x+in.x-6), num(y+in.y-2), num(in.w+12), num(in.h+4))
		p.machine(in.layout, x+in.x, y+in.y)
	}
}

// svgStyle colours the drawing, light and dark. Colours are written out at
// each rule, since not every viewer of SVG knows variables.
const svgStyle = `
.asl{font-family:system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif}
.asl .paper{fill:#fff}.asl .box{fill:#f6f8fa;stroke:#8c959f;stroke-width:1.2}.asl .branch{fill:#fff;stroke:#d0d7de;stroke-dasharray:1 3;stroke-linecap:round}
.asl .map>.box,.asl .parallel>.box{fill:#f6f8fa;stroke:#afb8c1}
.asl .name{font-size:13px;font-weight:600;fill:#1f2328}.asl .note{font-size:11px;fill:#59636e}
.asl .edge path{fill:none;stroke:#6e7781;stroke-width:1.3}.asl .edge .tip{fill:#6e7781;stroke:none}
.asl .catch path{stroke:#cf222e;stroke-opacity:.6;stroke-dasharray:4 3}.asl .catch .tip{fill:#cf222e;fill-opacity:.75}
.asl .label rect{fill:#fff;fill-opacity:.92}.asl .label text{font-size:11px;fill:#414a53}.asl .label.catch text{fill:#a40e26}
.asl .dot{fill:#424a53}.asl .end{fill:#fff;stroke:#424a53;stroke-width:1.3}
.asl .mark{fill:#0969da}.asl .pass .mark{fill:#8c959f}
.asl .choice>.box{fill:#fff8e5;stroke:#bf8700}.asl .wait>.box{fill:#f5efff;stroke:#8250df}
.asl .succeed>.box{fill:#e6f6ea;stroke:#1a7f37}.asl .fail>.box{fill:#ffeef0;stroke:#cf222e}
@media(prefers-color-scheme:dark){
.asl .paper{fill:#0d1117}.asl .box{fill:#161b22;stroke:#6e7681}.asl .branch{fill:#0d1117;stroke:#30363d}
.asl .map>.box,.asl .parallel>.box{fill:#161b22;stroke:#484f58}
.asl .name{fill:#e6edf3}.asl .note{fill:#9198a1}
.asl .edge path{stroke:#8b949e}.asl .edge .tip{fill:#8b949e;stroke:none}
.asl .catch path{stroke:#f85149}.asl .catch .tip{fill:#f85149}
.asl .label rect{fill:#0d1117}.asl .label text{fill:#c9d1d9}.asl .label.catch text{fill:#ff7b72}
.asl .dot{fill:#c9d1d9}.asl .end{fill:#0d1117;stroke:#c9d1d9}
.asl .mark{fill:#4493f8}.asl .pass .mark{fill:#8b949e}
.asl .choice>.box{fill:#2a2111;stroke:#d29922}.asl .wait>.box{fill:#221833;stroke:#a371f7}
.asl .succeed>.box{fill:#12261a;stroke:#3fb950}.asl .fail>.box{fill:#2d1417;stroke:#f85149}
}
`
