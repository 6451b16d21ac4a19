package report

import (
	"encoding/xml"
	"io"
	"strings"

	"plumbline/finding"
)

type junitSuites struct {
	XMLName xml.Name     `xml:"testsuites"`
	Name    string       `xml:"name,attr"`
	Suites  []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string    `xml:"name,attr"`
	Class   string    `xml:"classname,attr"`
	File    string    `xml:"file,attr,omitempty"`
	Line    int       `xml:"line,attr,omitempty"`
	Failure *junitOut `xml:"failure,omitempty"`
	Error   *junitOut `xml:"error,omitempty"`
	Skipped *junitOut `xml:"skipped,omitempty"`
}

type junitOut struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// writeJUnit makes one suite a template and one case a finding that is listed.
// Unknown and suppressed are skipped cases: they neither fail nor pass a build.
func writeJUnit(w io.Writer, d *Document) error {
	all := junitSuites{Name: "plumbline"}
	at := map[string]int{}
	for a, f := range d.listed {
		i, ok := at[a.Target.Path]
		if !ok {
			i = len(all.Suites)
			at[a.Target.Path] = i
			all.Suites = append(all.Suites, junitSuite{Name: a.Target.Path})
		}
		s := &all.Suites[i]
		c := junitCase{Name: strings.TrimSpace(f.Rule + " " + f.Resource.LogicalID), Class: f.Rule, File: f.Place.Path, Line: f.Place.Line}
		out := &junitOut{Message: sarifMessage(d, f), Type: string(f.Severity), Text: f.Remediation}
		s.Tests++
		switch f.Status() {
		case string(finding.Fail):
			c.Failure = out
			s.Failures++
		case string(finding.Error):
			c.Error = out
			s.Errors++
		case string(finding.Pass):
		default:
			c.Skipped = &junitOut{Message: f.Status() + ": " + out.Message}
			if f.Suppressed != nil {
				c.Skipped.Text = suppressionText(f.Suppressed)
			}
			s.Skipped++
		}
		s.Cases = append(s.Cases, c)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", " ")
	if err := enc.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
