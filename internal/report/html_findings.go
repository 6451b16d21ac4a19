package report

import (
	"bufio"
	"strconv"

	"plumbline/finding"
)

// Findings are nearly all of a large page's text, requirements of a small one's.
// They are written piece by piece, a finding's excerpt cut when its turn comes:
// a template engine would take several times as long, and all excerpts at once
// several times the memory.

// writeFindings writes the findings of each stack that has some.
func (p *htmlPage) writeFindings(b *bufio.Writer, d *Document) {
	for i := range p.Stacks {
		s := &p.Stacks[i]
		if len(s.Findings) == 0 {
			continue
		}
		b.WriteString(`<section class="stack" id="`)
		escape(b, s.Anchor)
		b.WriteString("\">\n<h3>")
		escape(b, s.Name)
		if s.Path != "" && s.Stack != "" {
			b.WriteString(" <small>")
			if s.Dir != "" {
				b.WriteString(`<span class="dir">`)
				escape(b, s.Dir)
				b.WriteString("</span>")
			}
			escape(b, s.Base)
			b.WriteString("</small>")
		}
		b.WriteString("</h3>\n")
		src := newExcerpts(d, s.assessment)
		for j := range s.Findings {
			s.Findings[j].write(b, src, s.Scope)
		}
		b.WriteString("</section>\n")
	}
}

// write writes one finding, which a reader unfolds. stack is the scope of its stack.
func (f *htmlFinding) write(b *bufio.Writer, src *excerpts, stack string) {
	b.WriteString(`<details class="finding `)
	escape(b, f.Class)
	b.WriteByte('"')
	if f.Urgent {
		b.WriteString(" open")
	}
	b.WriteString(">\n<summary><span class=\"badge ")
	escape(b, f.Class)
	b.WriteString(`">`)
	escape(b, f.Label)
	b.WriteString(`</span><span class="what"><b>`)
	escape(b, where(f.Finding))
	b.WriteString("</b>: ")
	if f.Message != "" {
		escape(b, f.Message)
		b.WriteString(`<br><span class="quiet">`)
		escape(b, f.Title)
		b.WriteString("</span>")
	} else {
		escape(b, f.Title)
	}
	b.WriteString("</span></summary>\n<div class=\"body\" id=\"")
	escape(b, f.Anchor)
	b.WriteString("\">\n<p class=\"meta\">")
	if f.Resource.Type != "" {
		element(b, "span", f.Resource.Type)
	}
	if f.Place.Line > 0 {
		b.WriteString("<span>line " + strconv.Itoa(f.Place.Line) + ", column " + strconv.Itoa(f.Place.Column) + "</span>")
	}
	element(b, "code", f.Rule)
	if f.Scope != "" && f.Scope != stack {
		b.WriteString("<span>PCI DSS scope: ")
		escape(b, f.Scope)
		b.WriteString("</span>")
	}
	b.WriteString("</p>\n")
	list(b, "<p>Settled by: ", f.Needs)
	list(b, `<p class="quiet">Assuming `, f.Assuming)
	src.write(b, f.Place)
	if f.Remediation != "" {
		b.WriteString(`<p class="fix"><b>What to do:</b> `)
		escape(b, f.Remediation)
		b.WriteString("</p>\n")
	}
	f.writeControls(b)
	b.WriteString("</div>\n</details>\n")
}

// writeControls names the requirements that the rule looks at, and the construct.
func (f *htmlFinding) writeControls(b *bufio.Writer) {
	if len(f.Controls) == 0 && f.Resource.ConstructPath == "" {
		return
	}
	b.WriteString(`<p class="meta">`)
	for _, c := range f.Controls {
		b.WriteString(`<span class="tag">`)
		escape(b, c.Framework)
		b.WriteByte(' ')
		escape(b, c.ID)
		b.WriteByte(' ')
		element(b, "small", c.Fit)
		b.WriteString("</span>")
	}
	if f.Resource.ConstructPath != "" {
		b.WriteString("<span>construct ")
		element(b, "code", f.Resource.ConstructPath)
		b.WriteString("</span>")
	}
	b.WriteString("</p>\n")
}

// write writes the lines around a place, the place's own marked.
func (e *excerpts) write(b *bufio.Writer, p finding.Place) {
	first, last := e.span(p)
	if first > last {
		return
	}
	b.WriteString(`<pre tabindex="0">`)
	for n := first; n <= last; n++ {
		if n == p.Line {
			b.WriteString("<mark>")
		}
		b.WriteString("<i>" + strconv.Itoa(n) + "</i>")
		escape(b, e.line(n))
		b.WriteByte('\n')
		if n == p.Line {
			b.WriteString("</mark>")
		}
	}
	b.WriteString("</pre>\n")
}

// list writes a paragraph that ends in a list, nothing for an empty one.
func list(b *bufio.Writer, begin string, items []string) {
	for i, x := range items {
		if i == 0 {
			b.WriteString(begin)
		} else {
			b.WriteString(", ")
		}
		escape(b, x)
	}
	if len(items) > 0 {
		b.WriteString(".</p>\n")
	}
}

// element writes a text in an element without attributes.
func element(b *bufio.Writer, name, text string) {
	b.WriteString("<" + name + ">")
	escape(b, text)
	b.WriteString("</" + name + ">")
}

// escape writes a text so that it is nothing but text, between tags as well as
// in an attribute's double quotes. A NUL is no character of HTML.
func escape(b *bufio.Writer, text string) {
	done := 0
	for i := range len(text) {
		var as string
		switch text[i] {
		case '&':
			as = "&amp;"
		case '<':
			as = "&lt;"
		case '>':
			as = "&gt;"
		case '"':
			as = "&#34;"
		case '\'':
			as = "&#39;"
		case 0:
			as = "\uFFFD"
		default:
			continue
		}
		b.WriteString(text[done:i])
		b.WriteString(as)
		done = i + 1
	}
	b.WriteString(text[done:])
}
