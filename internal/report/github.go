package report

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"plumbline/finding"
)

// writeGitHub prints workflow commands, which GitHub Actions shows beside the
// changed lines. Source: GitHub docs, "Workflow commands for GitHub Actions".
func writeGitHub(w io.Writer, d *Document) error {
	b := bufio.NewWriter(w)
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	prop := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	for _, f := range d.listed {
		command := "notice"
		switch {
		case f.Status() == string(finding.Error), f.Status() == string(finding.Fail) && f.Severity.AtLeast(finding.High):
			command = "error"
		case f.Status() == string(finding.Fail) && f.Severity == finding.Medium:
			command = "warning"
		}
		fmt.Fprintf(b, "::%s file=%s", command, prop.Replace(filepath.ToSlash(f.Place.Path)))
		if f.Place.Line > 0 {
			fmt.Fprintf(b, ",line=%d,col=%d", f.Place.Line, f.Place.Column)
		}
		text := Plain(where(f) + ": " + sarifMessage(d, f))
		if f.Remediation != "" {
			text += "\n" + Plain(f.Remediation)
		}
		fmt.Fprintf(b, ",title=%s::%s\n", prop.Replace(f.Rule+" ("+f.Status()+", "+string(f.Severity)+")"), data.Replace(text))
	}
	return b.Flush()
}
