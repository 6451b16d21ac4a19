package alert

import (
	"fmt"
	"strings"

	"plumbline/finding"
	"plumbline/scan"
)

// Limits of the ticketing systems, in characters. Sources: Jira Cloud's field
// "summary" (255) and text fields (32,767); ServiceNow's incident table,
// short_description (160) and description (4,000).
const (
	maxSummary          = 255
	maxShortDescription = 160
	maxDescription      = 4000
)

// title is the name of a ticket: what it is about, without a count, since it
// stays while the count moves.
func title(n scan.Notice, max int) string {
	s := fmt.Sprintf("%s violations in %s", n.Severity, text(n.Target.String(), 150))
	if n.Audience != "" {
		s += " of " + text(n.Audience, 50)
	}
	return text(s, max)
}

// paragraphs is what a ticket, or a comment on it, says: lines of text, each
// list as one of them.
func paragraphs(n scan.Notice) (intro string, lists []listing, outro string) {
	switch {
	case n.Count > 0 && n.EndedAll > 0:
		intro = fmt.Sprintf("%s, and %s ended.", plural(n.Count, "new violation"), plural(n.EndedAll, "violation"))
	case n.Count > 0:
		intro = plural(n.Count, "new violation") + "."
	default:
		intro = plural(n.EndedAll, "violation") + " ended."
	}
	if n.Count > 0 {
		lists = append(lists, listing{"New", lines(n, n.Items, n.Count)})
	}
	if n.EndedAll > 0 {
		lists = append(lists, listing{"Ended", lines(n, n.Ended, n.EndedAll)})
	}
	outro = fmt.Sprintf("Open after scan %s: %d.", text(n.ScanID, 100), n.Remaining)
	if n.Report != "" {
		outro += " Report: " + text(n.Report, 500) + "/report.html"
	}
	return intro, lists, outro
}

// listing is a titled list of lines.
type listing struct {
	title string
	lines []string
}

func lines(n scan.Notice, items []scan.Item, all int) []string {
	var out []string
	for _, it := range items {
		out = append(out, line(n, it))
	}
	if more := all - len(items); more > 0 {
		out = append(out, fmt.Sprintf("and %d more, which the report lists", more))
	}
	return out
}

// node is a node of the Atlassian Document Format.
type node map[string]any

// JiraTicket is what an issue is made of, beside its project and type.
type JiraTicket struct {
	Summary     string
	Description any    // a document in ADF
	Label       string // by which the issue is found again
}

// Jira is the message as a new issue. Foreign text stands in ADF's text nodes
// without marks, in which Jira reads no markup and makes no mention.
func Jira(n scan.Notice) JiraTicket {
	return JiraTicket{Summary: title(n, maxSummary), Description: JiraComment(n), Label: JiraLabel(n)}
}

// JiraLabel is the label of the issue that a message is about.
func JiraLabel(n scan.Notice) string { return "plumbline-" + n.Ticket }

// maxADF is how many characters of lists a document has: Jira refuses a text
// field of more than 32,767.
const maxADF = 24000

// JiraComment is the message as a document in ADF.
func JiraComment(n scan.Notice) any {
	words := func(s string) node { return node{"type": "text", "text": s} }
	paragraph := func(s string) node { return node{"type": "paragraph", "content": []any{words(s)}} }
	intro, lists, outro := paragraphs(n)
	content := []any{paragraph(intro)}
	size := 0
	for _, l := range lists {
		content = append(content, paragraph(l.title+":"))
		var items []any
		for i, s := range l.lines {
			if size += len(s); size > maxADF {
				items = append(items, node{"type": "listItem", "content": []any{paragraph(fmt.Sprintf("and more, from line %d of the list on, which the report lists", i+1))}})
				break
			}
			items = append(items, node{"type": "listItem", "content": []any{paragraph(s)}})
		}
		content = append(content, node{"type": "bulletList", "content": items})
	}
	return node{"type": "doc", "version": 1, "content": append(content, paragraph(outro))}
}

// Incident is the fields of an incident in ServiceNow that a message decides.
type Incident struct {
	ShortDescription string `json:"short_description,omitempty"`
	Description      string `json:"description,omitempty"`
	CorrelationID    string `json:"correlation_id,omitempty"`
	Impact           string `json:"impact,omitempty"`
	Urgency          string `json:"urgency,omitempty"`
	WorkNotes        string `json:"work_notes,omitempty"`
}

// ServiceNow is the message as a new incident. ServiceNow makes the priority of
// impact and urgency, 1 to 3.
func ServiceNow(n scan.Notice) Incident {
	level := "3"
	switch n.Severity {
	case finding.Critical:
		level = "1"
	case finding.High:
		level = "2"
	}
	return Incident{ShortDescription: journal(title(n, maxShortDescription)), Description: WorkNotes(n), CorrelationID: "plumbline-" + n.Ticket, Impact: level, Urgency: level}
}

// WorkNotes is the message as a comment on an incident.
func WorkNotes(n scan.Notice) string {
	intro, lists, outro := paragraphs(n)
	var b strings.Builder
	b.WriteString(intro)
	room := maxDescription - len(intro) - len(outro) - 200
	for _, l := range lists {
		fmt.Fprintf(&b, "\n\n%s:", l.title)
		for i, s := range l.lines {
			if b.Len()+len(s) > room {
				fmt.Fprintf(&b, "\n- and more, from line %d of the list on, which the report lists", i+1)
				break
			}
			b.WriteString("\n- " + s)
		}
	}
	return journal(b.String() + "\n\n" + outro)
}

// journal takes from a text what ServiceNow's journal fields read as HTML: what
// stands between [code] and [/code]. Source: ServiceNow, "Journal fields",
// system property glide.ui.security.allow_codetag.
func journal(s string) string {
	for from := 0; ; {
		at := indexFold(s[from:], "code]")
		if at < 0 {
			return s
		}
		at += from + len("code")
		s = s[:at] + ")" + s[at+1:]
		from = at
	}
}
