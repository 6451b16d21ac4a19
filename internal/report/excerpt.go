package report

import (
	"strings"

	"plumbline/finding"
	"plumbline/scan"
)

// excerpts cuts the lines around a place out of one template. A report goes
// where the template may not, so what looks like a secret is masked.
type excerpts struct {
	lines  []string
	secret map[int]int // line → column from which a rule found a secret
}

// credentials is the requirement whose rules look for secrets in the text:
// PCI DSS 8.6.2, passwords are not in scripts, files or code.
const credentials = "8.6.2"

func newExcerpts(d *Document, a *scan.Assessment) *excerpts {
	e := &excerpts{secret: map[int]int{}}
	if d.Source == nil || a.Target.Path == "" {
		return e
	}
	src := d.Source(a.Target.Path)
	if len(src) == 0 {
		return e
	}
	e.lines = strings.Split(string(src), "\n")
	for i := range a.Findings {
		f := &a.Findings[i]
		if f.Verdict != finding.Pass && f.Verdict != finding.Skip && d.findsSecrets(f.Rule) {
			if at, twice := e.secret[f.Place.Line]; !twice || f.Place.Column < at {
				e.secret[f.Place.Line] = f.Place.Column
			}
		}
	}
	return e
}

// findsSecrets reports whether a rule looks for secrets that stand in a template.
func (d *Document) findsSecrets(rule string) bool {
	for _, c := range d.Rules[rule].Controls {
		if c.ID == credentials && c.Fit == "direct" {
			return true
		}
	}
	return false
}

// Lines of context before and after the line of a finding, and the longest line shown.
const (
	linesBefore   = 2
	linesAfter    = 4
	longestLine   = 160
	longestRemark = "…"
	masked        = "****"
)

func (e *excerpts) around(p finding.Place) []htmlLine {
	if p.Line < 1 || p.Line > len(e.lines) {
		return nil
	}
	var out []htmlLine
	for n := max(1, p.Line-linesBefore); n <= min(len(e.lines), p.Line+linesAfter); n++ {
		text := []rune(strings.ToValidUTF8(strings.TrimRight(e.lines[n-1], "\r"), "\uFFFD"))
		if at := e.secret[n]; at > 0 && at <= len(text) {
			text = append(text[:at-1:at-1], []rune(masked)...)
		} else {
			text = []rune(maskNamed(string(text)))
		}
		if len(text) > longestLine {
			text = append(text[:longestLine:longestLine], []rune(longestRemark)...)
		}
		out = append(out, htmlLine{n, string(text), n == p.Line})
	}
	return out
}

// secretNames are what a key holds, in lower case and without "-" and "_",
// whose value nobody should read in a report.
var secretNames = []string{"password", "passwd", "passphrase", "secret", "token", "credential", "privatekey", "apikey", "accesskey"}

// maskNamed masks the value of a line "Key: value" or of an entry of a map in
// one line, where the key names a secret and the value is written out.
func maskNamed(line string) string {
	var b strings.Builder
	rest := line
	for {
		i := strings.IndexByte(rest, ':')
		if i < 0 {
			return b.String() + rest
		}
		key := rest[:i]
		b.WriteString(rest[:i+1])
		rest = rest[i+1:]
		value := strings.TrimLeft(rest, " \t")
		if strings.HasPrefix(value, "{") && !strings.HasPrefix(value, "{{") {
			continue // a map in one line: its keys are looked at
		}
		b.WriteString(rest[:len(rest)-len(value)])
		end := endOfScalar(value)
		if namesSecret(key[strings.LastIndexAny(key, "{,")+1:]) && writtenOut(value[:end]) {
			b.WriteString(masked)
		} else {
			b.WriteString(value[:end])
		}
		rest = value[end:]
	}
}

func namesSecret(key string) bool {
	key = strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(key))
	for _, name := range secretNames {
		if strings.Contains(key, name) {
			return true
		}
	}
	return false
}

// endOfScalar is the length of the scalar that a text begins with: a quoted one
// with its quotes, else up to a comma or brace, or to the end.
func endOfScalar(text string) int {
	if text != "" && (text[0] == '"' || text[0] == '\'') {
		for i := 1; i < len(text); i++ {
			switch {
			case text[i] == '\\' && text[0] == '"':
				i++
			case text[i] == text[0]:
				return i + 1
			}
		}
		return len(text)
	}
	for i := range len(text) {
		if (text[i] == ',' || text[i] == '}') && !strings.HasPrefix(text, "{{") {
			return i
		}
	}
	return len(text)
}

// writtenOut reports whether a value is the secret itself, and no reference,
// name of a resource, number or switch.
func writtenOut(value string) bool {
	value = strings.Trim(value, "\"' \t")
	switch {
	case value == "", strings.ContainsRune("!{[|>&*#", rune(value[0])), strings.HasPrefix(value, "arn:"),
		strings.Trim(value, "0123456789.") == "", value == "true", value == "false":
		return false
	}
	return true
}
