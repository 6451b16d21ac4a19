package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"plumbline/finding"
	"plumbline/scan"
)

// style paints text for a terminal; the zero style leaves it as it is.
type style struct{ on bool }

func (s style) paint(code, text string) string {
	if !s.on || text == "" || code == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

var severityCode = map[finding.Severity]string{
	finding.Critical: "1;35", finding.High: "1;31", finding.Medium: "33", finding.Low: "36",
}

// writeTable lists findings by template, each with its place, and a summary.
func writeTable(w io.Writer, d *Document) error {
	b := bufio.NewWriterSize(w, 32<<10)
	st := style{d.Color}
	var last *scan.Assessment
	told := map[string]bool{} // rules whose remediation has been said: once is enough
	for a, f := range d.listed {
		if a != last {
			if last != nil {
				b.WriteByte('\n')
			}
			writeHead(b, st, d, a)
			last = a
		}
		writeRow(b, st, d, a, f, told)
	}
	if last != nil {
		b.WriteByte('\n')
	}
	writeSummary(b, st, d)
	return b.Flush()
}

// writeHead names a template, its stack and its scope, one below the other
// where they have no room side by side.
func writeHead(b *bufio.Writer, st style, d *Document, a *scan.Assessment) {
	head, more := Plain(a.Target.Path), []string(nil)
	if a.Target.Stack != "" && a.Target.Path != "" {
		more = append(more, "stack "+Plain(a.Target.Stack))
	} else if head == "" {
		head = "stack " + Plain(a.Target.Stack)
	}
	if a.Scope != "" {
		more = append(more, "scope "+Plain(a.Scope))
	}
	gap := "  "
	if d.Width > 0 && utf8.RuneCountInString(head+gap+strings.Join(more, gap)) > d.Width {
		gap = "\n  "
	}
	b.WriteString(st.paint("1;4", head))
	for _, x := range more {
		b.WriteString(gap + st.paint("2", x))
	}
	b.WriteByte('\n')
}

func writeRow(b *bufio.Writer, st style, d *Document, a *scan.Assessment, f *finding.Finding, told map[string]bool) {
	label := string(f.Severity)
	code := severityCode[f.Severity]
	if s := f.Status(); s != string(finding.Fail) {
		label = s
		code = map[string]string{"error": "1;31", "unknown": "34", "pass": "32", "skip": "2", "suppressed": "2"}[s]
	}
	place := "live"
	switch {
	case f.Place.Line > 0:
		place = fmt.Sprintf("%d:%d", f.Place.Line, f.Place.Column)
	case f.Place.Path != "":
		place = "-" // about the template as a whole
	}
	const indent = "           "
	what, typ := Plain(f.Resource.LogicalID), ""
	if what != "" && f.Resource.Type != "" {
		typ = "(" + Plain(f.Resource.Type) + ")"
	}
	// A resource that has no room beside the rule goes below it.
	used := 2 + max(7, len(place)) + 2 + max(8, len(label)) + 2 + len(f.Rule) + 2 + utf8.RuneCountInString(what+typ) + 1
	beside := "  "
	if d.Width > 0 && used > d.Width {
		beside = "\n" + indent
	}
	fmt.Fprintf(b, "  %s  %s  %s", st.paint("2", fmt.Sprintf("%7s", place)), st.paint(code, fmt.Sprintf("%-8s", label)), st.paint("1", f.Rule))
	if what != "" {
		b.WriteString(beside + what)
		if typ != "" && d.Width > 0 && len(indent)+utf8.RuneCountInString(what+typ)+1 > d.Width {
			b.WriteString("\n" + indent + st.paint("2", typ))
		} else if typ != "" {
			b.WriteString(" " + st.paint("2", typ))
		}
	}
	if f.Scope != a.Scope && f.Scope != "" {
		b.WriteString("  " + st.paint("2", "scope "+Plain(f.Scope)))
	}
	b.WriteByte('\n')
	text := f.Message
	if text == "" {
		text = d.title(f.Rule)
	}
	writeWrapped(b, indent, st, "", text, d.Width)
	if len(f.Needs) > 0 {
		writeWrapped(b, indent, st, "", "settled by "+strings.Join(f.Needs, ", "), d.Width)
	}
	if len(f.Assuming) > 0 {
		writeWrapped(b, indent, st, "2", "assuming "+strings.Join(f.Assuming, ", "), d.Width)
	}
	if s := f.Suppressed; s != nil {
		writeWrapped(b, indent, st, "2", "suppressed: "+suppressionText(s), d.Width)
	}
	if f.Status() == string(finding.Fail) && f.Remediation != "" && !told[f.Rule] {
		told[f.Rule] = true
		writeWrapped(b, indent, st, "2", "→ "+f.Remediation, d.Width)
	}
}

// suppressionText is why a violation does not count, who says so and until when.
func suppressionText(s *finding.Suppression) string {
	text := s.Reason
	if s.Approver != "" {
		text += ", approved by " + s.Approver
	}
	if s.Until != "" {
		text += ", until " + s.Until
	}
	if s.Control != "" {
		text += ", instead: " + s.Control
	}
	return text
}

// Plain is a text of a template without the control characters by which it
// could move a terminal's cursor or colour what stands after it.
func Plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// writeWrapped writes text behind an indent, painted line by line, broken at
// spaces where a width is set and the terminal is wide enough for that to help.
func writeWrapped(b *bufio.Writer, indent string, st style, code, text string, width int) {
	room := width - len(indent)
	text = Plain(strings.Join(strings.Fields(text), " "))
	for width > 0 && room >= 20 && utf8.RuneCountInString(text) > room {
		cut := 0
		for i, n := 0, 0; i < len(text) && n <= room; n++ {
			if text[i] == ' ' {
				cut = i
			}
			_, size := utf8.DecodeRuneInString(text[i:])
			i += size
		}
		if cut == 0 { // one word is wider than the terminal
			if cut = strings.IndexByte(text, ' '); cut < 0 {
				break
			}
		}
		b.WriteString(indent + st.paint(code, text[:cut]) + "\n")
		text = text[cut+1:]
	}
	b.WriteString(indent + st.paint(code, text) + "\n")
}

// writeSince says what has changed since the last scan of the same data folder.
func writeSince(b *bufio.Writer, r *scan.Report) {
	fresh, resolved := 0, 0
	var gone []string
	for i := range r.Assessments {
		a := &r.Assessments[i]
		fresh += len(a.New)
		resolved += len(a.Resolved)
		if a.Gone {
			gone = append(gone, Plain(a.Target.String()))
		}
	}
	if fresh+resolved > 0 {
		fmt.Fprintf(b, "since the last scan: %d new, %d resolved\n", fresh, resolved)
	}
	if len(gone) > 0 {
		fmt.Fprintf(b, "not there any more, so resolved: %s\n", strings.Join(gone, ", "))
	}
}

// visible is how many columns a painted text takes.
func visible(text string) int {
	n, code := 0, false
	for _, r := range text {
		switch {
		case r == '\x1b':
			code = true
		case !code:
			n++
		case r == 'm':
			code = false
		}
	}
	return n
}

func writeSummary(b *bufio.Writer, st style, d *Document) {
	r := d.Report
	c := d.counts()
	sev := map[finding.Severity]int{}
	for _, a := range r.Assessments {
		for _, f := range a.Findings {
			if f.Status() == string(finding.Fail) && (d.Only == nil || d.Only(f)) {
				sev[f.Severity]++
			}
		}
	}
	fails := 0
	var parts []string
	for _, s := range finding.Severities {
		if n := sev[s]; n > 0 {
			parts = append(parts, st.paint(severityCode[s], fmt.Sprintf("%d %s", n, s)))
			fails += n
		}
	}
	head := plural(judgedTemplates(r), "template", "templates") + ", " + plural(d.rules(), "rule", "rules") + ":"
	found := plural(fails, "violation", "violations") + " (" + strings.Join(parts, ", ") + ")"
	switch {
	case fails > 0:
	case c[string(finding.Pass)] == 0 && c[string(finding.Error)] > 0:
		found = "nothing was judged"
	default:
		found = st.paint("32", "no violation found")
	}
	rest := ""
	for _, s := range []string{"unknown", "error", "suppressed"} {
		if n := c[s]; n > 0 {
			rest += fmt.Sprintf("%d %s, ", n, map[string]string{"unknown": "undecided", "error": "not judged", "suppressed": "suppressed"}[s])
		}
	}
	rest += plural(c[string(finding.Pass)], "check", "checks") + " passed"
	if line := head + " " + found + ", " + rest; d.Width == 0 || visible(line) <= d.Width {
		b.WriteString(line + "\n")
	} else {
		b.WriteString(head + "\n  " + found + ",\n")
		writeWrapped(b, "  ", st, "", rest, d.Width)
	}
	left := 0
	for s, n := range sev {
		if d.Floor != "" && !s.AtLeast(d.Floor) {
			left += n
		}
	}
	if left > 0 {
		fmt.Fprintf(b, "%s below %s not listed\n", plural(left, "violation", "violations"), d.Floor)
	}
	writeSince(b, r)
	if lost := partial(r); len(lost) > 0 {
		b.WriteString(st.paint("1;31", "partial: ") + "the rules of " + strings.Join(lost, ", ") + " could not be run, so nothing is said about them\n")
	}
	for _, w := range r.Warnings {
		b.WriteString(st.paint("33", "warning: ") + Plain(w) + "\n")
	}
	if len(r.Skipped) > 0 {
		fmt.Fprintf(b, "left out: %s", plural(len(r.Skipped), "file", "files"))
		for i, s := range r.Skipped {
			if i == 5 {
				fmt.Fprintf(b, "\n  and %d more (--format json lists them)", len(r.Skipped)-5)
				break
			}
			fmt.Fprintf(b, "\n  %s: %s", Plain(s.Path), Plain(s.Reason))
		}
		b.WriteByte('\n')
	}
}
