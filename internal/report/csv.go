package report

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
)

// csvHeader names the columns; a column that is added comes last.
var csvHeader = []string{
	"template", "line", "column", "account", "region", "stack", "logicalId", "type", "constructPath",
	"rule", "title", "domain", "severity", "status", "message", "remediation", "fix", "controls",
	"needs", "assuming", "owner", "scope", "reason", "approver", "until", "fingerprint",
}

// writeCSV writes one line a listed finding, for a spreadsheet (RFC 4180, with
// a heading). Several values of one field are separated by "; ".
func writeCSV(w io.Writer, d *Document) error {
	c := csv.NewWriter(w)
	c.UseCRLF = true // RFC 4180
	if err := c.Write(csvHeader); err != nil {
		return err
	}
	row := make([]string, len(csvHeader))
	for a, f := range d.listed {
		path := f.Place.Path
		if path == "" {
			path = a.Target.Path
		}
		var controls []string
		for _, x := range d.Rules[f.Rule].Controls {
			controls = append(controls, x.Framework+":"+x.ID)
		}
		r := &f.Resource
		row = append(row[:0],
			path, number(f.Place.Line), number(f.Place.Column), r.Account, r.Region, r.Stack, r.LogicalID, r.Type, r.ConstructPath,
			f.Rule, d.title(f.Rule), string(f.Domain), string(f.Severity), f.Status(), f.Message, f.Remediation, f.Fix, strings.Join(controls, "; "),
			strings.Join(f.Needs, "; "), strings.Join(f.Assuming, "; "), f.Owner, f.Scope)
		if s := f.Suppressed; s != nil {
			row = append(row, s.Reason, s.Approver, s.Until)
		} else {
			row = append(row, "", "", "")
		}
		row = append(row, f.Fingerprint())
		for i := range row {
			row[i] = Cell(row[i])
		}
		if err := c.Write(row); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// number is n in digits, or nothing for 0.
func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// Cell is a text that a spreadsheet does not take for a formula: names in a
// template are anybody's. An apostrophe before it is what spreadsheets themselves
// use for that, and OWASP recommends.
func Cell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r\n", rune(text[0])) {
		return "'" + text
	}
	return text
}
