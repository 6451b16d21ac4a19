package report

import (
	"strconv"
	"unicode/utf8"

	"plumbline/finding"
	"plumbline/scan"
)

// A scan of some hundred templates lists thousands of findings, and encoding
// them by reflection would take a good part of its time. They are appended by
// hand, byte for byte as encoding/json writes a jsonFinding; a test compares.

// appendFinding appends the JSON of one finding.
func (d *Document) appendFinding(b []byte, a *scan.Assessment, f *finding.Finding) []byte {
	template := f.Place.Path
	if template == "" {
		template = a.Target.Path
	}
	b = appendText(append(b, `{"rule":`...), f.Rule)
	b = appendText(append(b, `,"status":`...), f.Status())
	b = appendText(append(b, `,"severity":`...), string(f.Severity))
	b = appendField(b, "domain", string(f.Domain))
	b = appendText(append(b, `,"template":`...), template)
	b = appendNumber(b, "line", f.Place.Line)
	b = appendNumber(b, "column", f.Place.Column)
	if r := &f.Resource; r.LogicalID != "" {
		b = appendText(append(b, `,"resource":{"logicalId":`...), r.LogicalID)
		b = appendText(append(b, `,"type":`...), r.Type)
		b = appendField(b, "constructPath", r.ConstructPath)
		b = appendField(b, "stack", r.Stack)
		b = appendField(b, "account", r.Account)
		b = append(appendField(b, "region", r.Region), '}')
	}
	b = appendField(b, "message", f.Message)
	attention := f.Verdict != finding.Pass && f.Verdict != finding.Skip
	if attention {
		b = appendField(b, "remediation", f.Remediation)
		b = appendField(b, "fix", f.Fix)
	}
	if controls := d.Rules[f.Rule].Controls; len(controls) > 0 {
		b = append(b, `,"controls":[`...)
		for i, c := range controls {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendText(append(b, `{"framework":`...), c.Framework)
			b = appendText(append(b, `,"id":`...), c.ID)
			b = append(appendText(append(b, `,"fit":`...), c.Fit), '}')
		}
		b = append(b, ']')
	}
	b = appendTexts(b, "needs", f.Needs)
	b = appendTexts(b, "assuming", f.Assuming)
	b = appendField(b, "scope", f.Scope)
	if s := f.Suppressed; s != nil {
		b = appendText(append(b, `,"suppression":{"reason":`...), s.Reason)
		b = appendField(b, "approver", s.Approver)
		b = appendField(b, "until", s.Until)
		b = appendField(b, "compensatingControl", s.Control)
		b = append(appendField(b, "source", s.Source), '}')
	}
	if attention {
		b = appendField(b, "fingerprint", f.Fingerprint())
	}
	return append(b, '}')
}

// appendField appends a member that is left out where it is empty.
func appendField(b []byte, name, text string) []byte {
	if text == "" {
		return b
	}
	return appendText(appendName(b, name), text)
}

func appendNumber(b []byte, name string, n int) []byte {
	if n == 0 {
		return b
	}
	return strconv.AppendInt(appendName(b, name), int64(n), 10)
}

func appendTexts(b []byte, name string, texts []string) []byte {
	if len(texts) == 0 {
		return b
	}
	b = append(appendName(b, name), '[')
	for i, x := range texts {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, x)
	}
	return append(b, ']')
}

func appendName(b []byte, name string) []byte {
	return append(append(append(b, ',', '"'), name...), '"', ':')
}

// appendText appends a text in quotes, escaped as encoding/json escapes: what
// JSON asks for, and what HTML or JavaScript would take for its own.
func appendText(b []byte, text string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	done := 0
	for i := 0; i < len(text); {
		c := text[i]
		if c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&' {
				i++
				continue
			}
			b = append(b, text[done:i]...)
			switch c {
			case '"', '\\':
				b = append(b, '\\', c)
			case '\b':
				b = append(b, '\\', 'b')
			case '\f':
				b = append(b, '\\', 'f')
			case '\n':
				b = append(b, '\\', 'n')
			case '\r':
				b = append(b, '\\', 'r')
			case '\t':
				b = append(b, '\\', 't')
			default:
				b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
			}
			i++
			done = i
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			b = append(append(b, text[done:i]...), `\ufffd`...)
		case r == '\u2028', r == '\u2029':
			b = append(append(append(b, text[done:i]...), `\u202`...), hex[r&0xf])
		default:
			i += size
			continue
		}
		i += size
		done = i
	}
	return append(append(b, text[done:]...), '"')
}
