package alert

import (
	"fmt"
	"strings"

	"plumbline/finding"
	"plumbline/scan"
)

// maxSubject is SNS's limit for a subject, in characters; it takes printable ASCII only.
const maxSubject = 100

// maxMailed is how many violations a mail lists: one that is to be read on a
// telephone at night says where to look, and leaves the list to the report.
const maxMailed = 10

// Mail is a message as a mail: a subject of printable ASCII, and plain text.
func Mail(n scan.Notice) (subject, body string) {
	var b strings.Builder
	what := n.Target.String()
	if n.Target == (scan.Target{}) {
		what = "the whole estate"
	}
	what = text(what, 200)
	switch n.Kind {
	case scan.NoticeFindings:
		subject = fmt.Sprintf("%s: %s in %s", n.Severity, plural(n.Count, "new violation"), what)
		fmt.Fprintf(&b, "Scan %s found %s of severity %s in %s.\n", text(n.ScanID, 100), plural(n.Count, "new violation"), n.Severity, what)
	case scan.NoticeUpdate:
		subject = fmt.Sprintf("%s: %s ended in %s", n.Severity, plural(n.EndedAll, "violation"), what)
		fmt.Fprintf(&b, "Since scan %s, %s of severity %s in %s no longer counts as open.\n", text(n.ScanID, 100), plural(n.EndedAll, "violation"), n.Severity, what)
	case scan.NoticeDigest:
		subject = fmt.Sprintf("digest: %s, the worst %s", plural(n.Count, "new violation"), n.Severity)
		fmt.Fprintf(&b, "Scan %s of %s found %s, critical ones not counted.\n", text(n.ScanID, 100), what, plural(n.Count, "new violation"))
	case scan.NoticePartial:
		if n.Target == (scan.Target{}) {
			what = plural(n.Count, "target") + " of the estate"
		}
		domains := join(n.Domains)
		subject = fmt.Sprintf("partial scan of %s: %s not judged", what, plural(len(n.Domains), "domain"))
		fmt.Fprintf(&b, "Scan %s of %s is partial. Nothing is known of: %s.\n", text(n.ScanID, 100), what, domains)
	default: // others carry their own words
		return ascii(n.Subject), multiline(n.Body)
	}
	if n.Audience != "" {
		fmt.Fprintf(&b, "Owner: %s\n", text(n.Audience, 100))
	}
	if n.Kind != scan.NoticePartial { // whose count is of targets
		list(&b, n, "New", n.Items, n.Count)
	}
	list(&b, n, "Ended", n.Ended, n.EndedAll)
	if n.Ticket != "" {
		fmt.Fprintf(&b, "\nOpen after this scan: %d of severity %s.\n", n.Remaining, n.Severity)
	}
	if n.Report != "" {
		fmt.Fprintf(&b, "\nReport: %s/report.html\n", n.Report)
	}
	return ascii(subject), b.String()
}

// Failure composes the message that a workflow ended without a result.
func Failure(f scan.Failure) scan.Notice {
	what := "the whole estate"
	if f.Target != (scan.Target{}) {
		what = text(f.Target.String(), 200)
	}
	n := scan.Notice{Kind: scan.NoticeFailure, ScanID: f.ScanID, Target: f.Target, Severity: finding.High, Time: f.Time}
	n.Subject = fmt.Sprintf("scan failed: %s: %s", what, text(f.Error, 100))
	n.Body = fmt.Sprintf("Scan %s of %s ended without a result in workflow %s.\nError: %s: %s\nNothing new is known of it until it is scanned again.\n",
		text(f.ScanID, 100), what, text(f.Workflow, 100), text(f.Error, 100), text(f.Cause, 2000))
	return Complete(n)
}

func list(b *strings.Builder, n scan.Notice, title string, items []scan.Item, all int) {
	if all == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s:\n", title)
	shown := items[:min(len(items), maxMailed)]
	for _, it := range shown {
		fmt.Fprintf(b, "- %s\n", line(n, it))
	}
	if more := all - len(shown); more > 0 {
		fmt.Fprintf(b, "- and %d more\n", more)
	}
}

// line is a violation in one line of plain text; in a message about a whole
// estate it says where.
func line(n scan.Notice, it scan.Item) string {
	var b strings.Builder
	b.WriteString(text(it.Rule, 200))
	if it.Resource != "" {
		fmt.Fprintf(&b, " on %s", text(it.Resource, 255))
	}
	if n.Target == (scan.Target{}) {
		fmt.Fprintf(&b, " in %s", text(it.Where, 200))
	}
	if it.Line > 0 {
		fmt.Fprintf(&b, " (line %d)", it.Line)
	}
	switch it.State {
	case finding.Reopened:
		b.WriteString(", back again")
	case finding.Suppressed:
		b.WriteString(", suppressed")
	case finding.Resolved:
		b.WriteString(", resolved")
	case finding.Open:
		b.WriteString(", now of another severity or owner")
	}
	if it.Message != "" && it.State != finding.Resolved {
		fmt.Fprintf(&b, ": %s", text(it.Message, 300))
	}
	if !it.Due.IsZero() && it.State.Active() && it.State != finding.Open {
		fmt.Fprintf(&b, " [due %s]", it.Due.UTC().Format("2006-01-02"))
	}
	return b.String()
}

// ascii makes a subject of a text: printable ASCII, at most maxSubject characters.
func ascii(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
	if len(s) > maxSubject {
		s = s[:maxSubject-3] + "..."
	}
	return s
}

func join(ds []finding.Domain) string {
	s := make([]string, len(ds))
	for i, d := range ds {
		s[i] = text(string(d), 50)
	}
	return strings.Join(s, ", ")
}
