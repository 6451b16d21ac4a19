package report

import "bufio"

// writeFrameworks writes what was found by requirement, a section for each framework.
func (p *htmlPage) writeFrameworks(b *bufio.Writer) {
	for i := range p.Frameworks {
		fw := &p.Frameworks[i]
		b.WriteString(`<section id="`)
		escape(b, fw.ID)
		b.WriteString("\">\n")
		element(b, "h2", fw.Title)
		b.WriteByte('\n')
		if i == 0 {
			b.WriteString("<p class=\"quiet\">A rule looks at a part of a requirement. Where no violation was found, this report says so and no more: it never calls a requirement met.</p>\n")
		}
		for j := range fw.Sections {
			fw.Sections[j].write(b)
		}
		b.WriteString("</section>\n")
	}
}

// write writes a heading over requirements, and them in a table that a reader unfolds.
func (s *htmlSection) write(b *bufio.Writer) {
	b.WriteString("<details class=\"group\">\n<summary>")
	dot(b, s.Class)
	b.WriteString("<b>")
	if s.ID != "" {
		escape(b, s.ID)
		b.WriteByte(' ')
	}
	escape(b, s.Title)
	b.WriteString(`</b> <span class="quiet">`)
	escape(b, s.Result)
	b.WriteString("</span></summary>\n<table class=\"requirements\">\n<thead><tr><th scope=\"col\">Requirement</th><th scope=\"col\">What was found</th></tr></thead>\n<tbody>")
	for i := range s.Requirements {
		s.Requirements[i].write(b)
	}
	b.WriteString("</tbody></table>\n</details>\n")
}

func (q *htmlRequirement) write(b *bufio.Writer) {
	b.WriteString(`<tr><th scope="row">`)
	element(b, "b", q.ID)
	b.WriteByte(' ')
	escape(b, q.Title)
	b.WriteString("</th><td>")
	dot(b, q.Class)
	escape(b, q.Result)
	if len(q.Where) > 0 {
		b.WriteString("<details><summary>Where</summary><ul>")
		for _, w := range q.Where {
			b.WriteString(`<li><a href="#`)
			escape(b, w.Anchor)
			b.WriteString(`">`)
			escape(b, w.Name)
			b.WriteString("</a>: ")
			escape(b, w.Text)
			b.WriteString("</li>")
		}
		b.WriteString("</ul></details>")
	}
	if q.NotCovered != "" {
		b.WriteString(`<p class="uncovered">Not covered: `)
		escape(b, q.NotCovered)
		b.WriteString("</p>")
	}
	b.WriteString("</td></tr>\n")
}

// dot writes a spot in the colour of a class.
func dot(b *bufio.Writer, class string) {
	b.WriteString(`<span class="dot `)
	escape(b, class)
	b.WriteString(`" aria-hidden="true"></span>`)
}
