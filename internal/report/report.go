// Package report renders the result of a scan: as a table for a terminal, as
// JSON for machines, as SARIF, JUnit and GitHub annotations for CI systems, as CSV
// for spreadsheets, and as one self-contained HTML page for people. One file a format, one function
// `func(io.Writer, *Document) error` each; the format never changes what was
// found, nor the exit code.
package report

import (
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"

	"plumbline/finding"
	"plumbline/scan"
)

// SchemaVersion is the version of the JSON report's shape. A field that is
// added leaves it; one that is removed or changes its meaning moves it.
const SchemaVersion = "1.0"

// Document is a scan's report and all that is needed to show it.
type Document struct {
	Report *scan.Report
	// Rules knows each rule that a finding may name, reserved ones included, by id.
	Rules map[string]Rule
	// Frameworks are the frameworks to report by requirement; may be empty.
	Frameworks []Framework
	// ByRequirement adds to a JSON report what was found for each requirement of
	// Frameworks, as reports that are kept have it.
	ByRequirement bool
	// InForce is how many rules the report speaks of: 0 for all of the scan's,
	// fewer where a framework was asked for.
	InForce int
	// Source returns the text of a template for excerpts; nil: no excerpts.
	Source func(path string) []byte
	// Show is the set of statuses to list. Counts hold all of them.
	Show map[string]bool
	// Floor, where not empty, leaves violations below this severity out of the list. Counts hold them.
	Floor finding.Severity
	// Only, where not nil, keeps the findings for which it returns true (a framework's, those not in a baseline).
	Only func(finding.Finding) bool
	// Color turns terminal colours on; Width is the terminal's width in columns, 0 for no limit.
	Color bool
	Width int
}

// Rule is what a report says of a rule.
type Rule struct {
	ID, Title, Description string
	Severity               finding.Severity
	Domain                 finding.Domain
	Types                  []string
	Remediation            string
	Controls               []Control
	References             []string
	Page                   string // URL of the rule's page, or its path in plumbline's repository; "" for a user's rule
}

// Control is a requirement that a rule looks at, and how well it fits: direct, partial or supporting.
type Control struct {
	Framework string `json:"framework"`
	ID        string `json:"id"`
	Fit       string `json:"fit"`
}

// Framework is a set of requirements, as far as rules look at them.
type Framework struct {
	ID, Title    string
	Sections     []Section // headings over requirements; may be empty
	Requirements []Requirement
}

// Section is a heading over requirements.
type Section struct{ ID, Title string }

// Requirement is one requirement of a framework. NotCovered says in words what no rule looks at.
type Requirement struct {
	ID, Title  string
	Section    string // id of its heading; "" for none
	NotCovered string
	Rules      []string
}

// Formats are the names of the formats, in the order in which help lists them.
var Formats = []string{"table", "json", "sarif", "junit", "html", "csv", "github"}

// Write renders d in the given format.
func Write(w io.Writer, format string, d *Document) error {
	switch format {
	case "table":
		return writeTable(w, d)
	case "json":
		return writeJSON(w, d)
	case "sarif":
		return writeSARIF(w, d)
	case "junit":
		return writeJUnit(w, d)
	case "html":
		return writeHTML(w, d)
	case "csv":
		return writeCSV(w, d)
	case "github":
		return writeGitHub(w, d)
	}
	return fmt.Errorf("unknown format %q. allowed are %s", format, strings.Join(Formats, ", "))
}

// DefaultShow is what a report lists unless told otherwise: what needs attention.
func DefaultShow() map[string]bool {
	return map[string]bool{string(finding.Fail): true, string(finding.Error): true, string(finding.Unknown): true}
}

// StoredShow is what a report that is kept lists: what needs attention, and the
// exceptions that somebody answers for.
func StoredShow() map[string]bool {
	show := DefaultShow()
	show[finding.StatusSuppressed] = true
	return show
}

// listed calls yield for each finding that d shows, in the report's order.
func (d *Document) listed(yield func(*scan.Assessment, *finding.Finding) bool) {
	for i := range d.Report.Assessments {
		a := &d.Report.Assessments[i]
		for j := range a.Findings {
			f := &a.Findings[j]
			if d.Show != nil && !d.Show[f.Status()] || d.below(f) {
				continue
			}
			if d.Only != nil && !d.Only(*f) {
				continue
			}
			if !yield(a, f) {
				return
			}
		}
	}
}

// below reports whether a finding is a violation that the list leaves out for its severity.
func (d *Document) below(f *finding.Finding) bool {
	return d.Floor != "" && f.Status() == string(finding.Fail) && !f.Severity.AtLeast(d.Floor)
}

// Failing counts the findings that count towards the exit code: failures at
// floor or above that are neither suppressed nor left out by Only.
func (d *Document) Failing(floor finding.Severity) int {
	n := 0
	for _, a := range d.Report.Assessments {
		for _, f := range a.Findings {
			if f.Status() == string(finding.Fail) && f.Severity.AtLeast(floor) && (d.Only == nil || d.Only(f)) {
				n++
			}
		}
	}
	return n
}

// Unjudged reports whether something could not be judged: a template or a
// resource with verdict error, a domain whose branch failed, or a target whose
// scan did not come to its end.
func (d *Document) Unjudged() bool {
	for _, a := range d.Report.Assessments {
		if len(a.Partial) > 0 || len(a.Failures) > 0 || a.Counts[string(finding.Error)] > 0 {
			return true
		}
	}
	return false
}

// UnlistedErrors counts what could not be judged and is not in the report's list.
func (d *Document) UnlistedErrors() int {
	n := 0
	for _, a := range d.Report.Assessments {
		n += a.Counts[string(finding.Error)]
	}
	for _, f := range d.listed {
		if f.Verdict == finding.Error && f.Suppressed == nil {
			n--
		}
	}
	return max(n, 0)
}

// counts is all verdicts by status, of those findings that Only lets through
// where it is set. Passes and skips that were not kept as findings are counted
// as the scan counted them.
func (d *Document) counts() finding.Counts {
	n := finding.Counts{}
	if d.Only == nil {
		n.Add(d.Report.Counts)
		return n
	}
	kept := map[string]bool{}
	for _, a := range d.Report.Assessments {
		for _, f := range a.Findings {
			kept[f.Status()] = true
			if d.Only(f) {
				n[f.Status()]++
			}
		}
	}
	for _, s := range []string{string(finding.Pass), string(finding.Skip)} {
		if !kept[s] && d.Report.Counts[s] > 0 {
			n[s] = d.Report.Counts[s]
		}
	}
	return n
}

// rules is the number of rules that the report speaks of.
func (d *Document) rules() int {
	if d.InForce > 0 {
		return d.InForce
	}
	return d.Report.Provenance.Rules
}

// severityCounts counts the listed failures by severity.
func (d *Document) severityCounts() map[finding.Severity]int {
	n := map[finding.Severity]int{}
	for _, f := range d.listed {
		if f.Status() == string(finding.Fail) {
			n[f.Severity]++
		}
	}
	return n
}

// judgedTemplates counts the templates that were scanned.
func judgedTemplates(r *scan.Report) int {
	n := 0
	for i := range r.Assessments {
		if !r.Assessments[i].Gone {
			n++
		}
	}
	return n
}

// partial lists the lost domains over all targets, each once.
func partial(r *scan.Report) []string {
	var out []string
	for _, a := range r.Assessments {
		for _, d := range a.Partial {
			if !slices.Contains(out, string(d)) {
				out = append(out, string(d))
			}
		}
	}
	sort.Strings(out)
	return out
}

// plural is "1 finding", "2 findings".
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// title returns the rule's title, or its id where the rule is not known.
func (d *Document) title(id string) string {
	if r, ok := d.Rules[id]; ok && r.Title != "" {
		return r.Title
	}
	return id
}

// where says which resource a finding is about in a few words.
func where(f *finding.Finding) string {
	if f.Resource.LogicalID == "" {
		return f.Place.Path
	}
	return f.Resource.LogicalID
}
