package console

import (
	"fmt"
	"html/template"
	"net/url"
	"strings"
	"time"

	"plumbline/internal/approvalpage"
	"plumbline/internal/report"
	"plumbline/scan"
)

// functions are what templates call.
var functions = template.FuncMap{
	"file": file, "plural": plural, "join": strings.Join, "day": day, "moment": moment, "iso": iso, "cause": scan.Cause,
	"segment": pathSegment, "stateWord": stateWord, "plain": report.Plain, "nav": func() []approvalpage.Link { return Nav }, "took": took,
	"list": func(d string, value string) string {
		for i, name := range dimensionNames {
			if name == d {
				return filter{}.with(dimension(i), value).address()
			}
		}
		return "/findings"
	},
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func day(t time.Time) string    { return t.UTC().Format("2 January 2006") }
func moment(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04:05 UTC") }
func iso(t time.Time) string    { return t.UTC().Format(time.RFC3339) }

func percent(p float64) string { return fmt.Sprintf("%.0f %%", p) }

// pathSegment is a text as one segment of a path.
func pathSegment(s string) string { return url.PathEscape(s) }

// stateWord is a state of a finding's life as people read it.
func stateWord(state string) string {
	if state == "in-remediation" {
		return "in remediation"
	}
	return state
}

// Nav leads to the parts of the console, from every page, the approval pages included.
var Nav = []approvalpage.Link{{Name: "Overview", Href: "/"}, {Name: "Findings", Href: "/findings"}, {Name: "Approvals", Href: "/approvals"}, {Name: "Executions", Href: "/executions"}, {Name: "Rules", Href: "/rules"}}

// took is a duration as people read it.
func took(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return d.Round(100 * time.Millisecond).String()
}
