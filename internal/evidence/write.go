package evidence

import (
	_ "embed"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"plumbline/internal/page"
	"plumbline/internal/report"
)

// Formats are those in which evidence can be written.
var Formats = []string{"html", "json", "csv"}

// Write writes evidence in a format of Formats.
func Write(w io.Writer, format string, e *Evidence) error {
	switch format {
	case "json":
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(e)
	case "csv":
		return writeCSV(w, e)
	case "html":
		t, err := parsed()
		if err != nil {
			return err
		}
		return t.Execute(w, view{e, template.CSS(page.Style)})
	}
	return fmt.Errorf("unknown format %q. allowed are %s", format, strings.Join(Formats, ", "))
}

//go:embed evidence.html.tmpl
var text string

// classes are the stylesheet's names of the results.
var classes = map[string]string{
	ResultViolations: "fail", ResultOpen: "unknown", ResultNoneFound: "pass", ResultNothingChecked: "skip", ResultByHand: "skip",
}

var parsed = sync.OnceValues(func() (*template.Template, error) {
	return template.New("evidence").Funcs(template.FuncMap{
		"plural": plural,
		"join":   func(list []string) string { return strings.Join(list, ", ") },
		"class":  func(result string) string { return classes[result] },
		"time":   func(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") },
	}).Parse(text)
})

// view is what the page's template sees.
type view struct {
	*Evidence
	Style template.CSS
}

// Tally is how many requirements came to each result, in the order of severity.
func (e *Evidence) Tally() []Share {
	out := []Share{
		{ResultViolations, "with violations", 0}, {ResultOpen, "undecided", 0}, {ResultNoneFound, "no violation found", 0},
		{ResultNothingChecked, "nothing to check", 0}, {ResultByHand, "by hand alone", 0},
	}
	for _, r := range e.Requirements {
		for i := range out {
			if out[i].Result == r.Result {
				out[i].Count++
			}
		}
	}
	return out
}

// Share is how many requirements came to a result.
type Share struct {
	Result, Label string
	Count         int
}

// Class is the stylesheet's name of the result.
func (s Share) Class() string { return classes[s.Result] }

// writeCSV writes a line a requirement.
func writeCSV(w io.Writer, e *Evidence) error {
	c := csv.NewWriter(w)
	c.UseCRLF = true // RFC 4180
	rows := [][]string{{"framework", "requirement", "title", "result", "words", "violations", "open", "accepted", "resources", "checks", "notCovered", "since", "until"}}
	since := ""
	if !e.Period.Since.IsZero() {
		since = e.Period.Since.UTC().Format(time.RFC3339)
	}
	for _, r := range e.Requirements {
		rows = append(rows, []string{
			e.Framework, r.ID, r.Title, r.Result, r.Words, strconv.Itoa(len(r.Violations)), strconv.Itoa(r.Open), strconv.Itoa(r.Suppressed),
			strconv.Itoa(r.Resources), strings.Join(r.Checks, "; "), r.NotCovered, since, e.Period.Until.UTC().Format(time.RFC3339),
		})
	}
	for _, row := range rows {
		for i := range row {
			row[i] = report.Cell(row[i])
		}
		if err := c.Write(row); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}
