package report

import (
	"strings"
)

// masked stands for what a report does not show.
const masked = "****"

// mask says how much of a line is masked because of the lines around it.
type mask byte

const (
	maskNamed  mask = iota // values of keys that name a secret, and what has the form of one
	maskValues             // every value that is written out
	maskAll                // all but the indentation
)

// apply masks a line.
func (m mask) apply(line string) string {
	switch m {
	case maskAll:
		return wholly(line)
	case maskValues:
		if begin, key := keyOf(line); key != "" {
			if value := strings.TrimSpace(line[begin:]); writtenOut(value) || strings.HasPrefix(value, "{") && !strings.HasPrefix(value, "{{resolve:") || strings.HasPrefix(value, "[") || strings.HasPrefix(value, "!") && !reference(value) {
				return line[:begin] + " " + masked
			}
			return maskForms(maskKeys(line))
		}
		if text := strings.Trim(strings.TrimLeft(strings.TrimSpace(line), "- "), "\"',"); !writtenOut(text) || strings.Trim(text, "{}[](),") == "" {
			return line
		}
		return wholly(line)
	}
	return maskForms(maskKeys(line))
}

// reference reports whether a tagged value names something else, and holds no text of its own.
func reference(value string) bool {
	return strings.HasPrefix(value, "!Ref ") || strings.HasPrefix(value, "!GetAtt ") || strings.HasPrefix(value, "!ImportValue ")
}

func wholly(line string) string {
	text := strings.TrimLeft(line, " \t")
	if text == "" {
		return line
	}
	return line[:len(line)-len(text)] + masked
}

// pairDistance is how many lines may lie between the name and the value of one
// entry of a list, and between a parameter's NoEcho and its Default.
const pairDistance = 6

// masksOf says of each line how it is masked. secret are the lines, 1-based, at
// which a rule found a secret: what is written below them, up to the indentation
// of the line, is not shown either. It goes through the lines once: a template
// is not to be trusted with more.
func masksOf(lines []string, secret []int) []mask {
	m := &masker{lines: lines, masks: make([]mask, len(lines))}
	for _, n := range secret {
		if n >= 1 && n <= len(lines) {
			m.masks[n-1] = maskValues
		}
	}
	for i := range lines {
		m.look(i)
	}
	return m.masks
}

type masker struct {
	lines   []string
	masks   []mask
	regions []region // that the line looked at lies in
	quote   byte     // of a secret text over several lines, 0 outside of one
	pem     int      // lines of a private key that may follow still, 0 outside of one
}

// region is what stands below a line: all that is indented deeper, and the
// items of its list.
type region struct {
	depth int
	item  bool // the line is an item of a list, so that the next item is not below it
	mask  mask
	// named is set below the key of a secret: texts without a key of their own
	// are masked, and those of Default and Value.
	named bool
}

// pemLines is more than the lines of any private key.
const pemLines = 100

// look masks a line by those above it, and says what it means for those around it.
func (m *masker) look(i int) {
	line := m.lines[i]
	if strings.TrimSpace(line) == "" {
		return
	}
	at := indent(line)
	m.leave(line, at)
	begin, key := keyOf(line)
	for _, r := range m.regions {
		switch {
		case !r.named:
			m.masks[i] = max(m.masks[i], r.mask)
		case key == "" || isOne(key, "Default", "Value", "AllowedValues"):
			m.masks[i] = max(m.masks[i], maskValues)
		}
	}
	m.inside(i)
	raw := strings.TrimSpace(line[begin:])
	value := strings.Trim(raw, "\"',")
	secret := key != "" && namesSecret(key)
	switch {
	case m.masks[i] == maskAll:
		return
	case (secret || m.masks[i] == maskValues) && blockScalar(line):
		m.enter(region{depth: at, mask: maskAll}, line)
		return
	case m.masks[i] == maskValues:
		m.enter(region{depth: at, mask: maskValues}, line)
	case secret && (value == "" || value == "{" || value == "["):
		m.enter(region{depth: at, named: true}, line)
	}
	switch {
	case key == "":
	case secret && opensQuote(raw):
		m.quote = raw[0]
	case isOne(key, "Name", "Key", "ParameterKey", "Variable") && namesSecret(value):
		m.pair(i, "Value", "ParameterValue")
	case strings.EqualFold(key, "NoEcho") && (strings.EqualFold(value, "true") || value == "yes"):
		m.pair(i, "Default", "AllowedValues")
	}
}

// leave leaves the regions that end above a line.
func (m *masker) leave(line string, at int) {
	for len(m.regions) > 0 {
		r := m.regions[len(m.regions)-1]
		if at > r.depth || at == r.depth && !r.item && (strings.HasPrefix(line[at:], "- ") || line[at] == ']') {
			return
		}
		m.regions = m.regions[:len(m.regions)-1]
	}
}

// mostRegions limits how deep regions lie in each other.
const mostRegions = 64

func (m *masker) enter(r region, line string) {
	r.item = line[r.depth] == '-'
	if len(m.regions) < mostRegions {
		m.regions = append(m.regions, r)
	}
}

// inside masks the lines of a text in quotes or of a private key in PEM.
func (m *masker) inside(i int) {
	line := m.lines[i]
	if m.quote != 0 {
		m.masks[i] = maskAll
		if strings.IndexByte(line, m.quote) >= 0 {
			m.quote = 0
		}
	}
	if strings.Contains(line, "PRIVATE KEY-----") && strings.Contains(line, "-----BEGIN") {
		m.pem = pemLines
	}
	if m.pem > 0 {
		m.masks[i] = maskAll
		if m.pem--; strings.Contains(line, "-----END") {
			m.pem = 0
		}
	}
}

// opensQuote reports whether a value begins a quoted text that ends on a later line.
func opensQuote(raw string) bool {
	if raw == "" || raw[0] != '"' && raw[0] != '\'' || endOfScalar(raw) < len(raw) {
		return false
	}
	return len(raw) == 1 || raw[len(raw)-1] != raw[0]
}

// pair masks the value of the entry that a line names, which stands near it at
// the same depth.
func (m *masker) pair(i int, keys ...string) {
	depth := entryIndent(m.lines[i])
	begins := func(j int) bool {
		return strings.HasPrefix(m.lines[j][indent(m.lines[j]):], "- ") && entryIndent(m.lines[j]) == depth
	}
	for j := i; j > 0 && i-j < pairDistance && !begins(j); {
		if j--; entryIndent(m.lines[j]) < depth && strings.TrimSpace(m.lines[j]) != "" {
			break
		}
		if m.isValue(j, depth, keys) {
			m.masks[j] = max(m.masks[j], maskValues)
			for k := j + 1; k < i && entryIndent(m.lines[k]) > depth; k++ {
				m.masks[k] = maskAll
			}
		}
	}
	for j := i + 1; j < len(m.lines) && j-i < pairDistance && !begins(j); j++ {
		if entryIndent(m.lines[j]) < depth && strings.TrimSpace(m.lines[j]) != "" {
			break
		}
		if m.isValue(j, depth, keys) {
			m.masks[j] = max(m.masks[j], maskValues)
		}
	}
}

func (m *masker) isValue(j, depth int, keys []string) bool {
	_, key := keyOf(m.lines[j])
	return key != "" && entryIndent(m.lines[j]) == depth && isOne(key, keys...)
}

// indent is how many blanks a line begins with.
func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " \t")) }

// entryIndent is where a line's text begins behind the dash of a list.
func entryIndent(line string) int {
	at := indent(line)
	for strings.HasPrefix(line[at:], "- ") {
		at += 2
		at += indent(line[at:])
	}
	return at
}

// blockScalar reports whether the lines below one are a text of their own: "Key: |".
func blockScalar(line string) bool {
	line = strings.TrimRight(line, " \t\r0123456789+-")
	return strings.HasSuffix(line, "|") || strings.HasSuffix(line, ": >")
}

// keyOf is the key that a line begins with, and where its value begins; "" for a line without.
func keyOf(line string) (value int, key string) {
	at := entryIndent(line)
	rest := strings.TrimLeft(line[at:], "{ ")
	at = len(line) - len(rest)
	if rest == "" {
		return 0, ""
	}
	end := 0
	if rest[0] == '"' || rest[0] == '\'' {
		close := strings.IndexByte(rest[1:], rest[0])
		if close < 0 {
			return 0, ""
		}
		key, end = rest[1:1+close], close+2
		for end < len(rest) && rest[end] == ' ' {
			end++
		}
		if end >= len(rest) || rest[end] != ':' {
			return 0, ""
		}
		return at + end + 1, key
	}
	for end < len(rest) {
		c := rest[end]
		if c == ':' && (end+1 == len(rest) || rest[end+1] == ' ' || rest[end+1] == '\r' || rest[end+1] == '\t') {
			return at + end + 1, rest[:end]
		}
		if c == ' ' || c == '"' || c == '\'' || c == '=' || c == '{' || c == '#' || c == '$' {
			return 0, ""
		}
		end++
	}
	return 0, ""
}

func isOne(key string, of ...string) bool {
	for _, x := range of {
		if strings.EqualFold(key, x) {
			return true
		}
	}
	return false
}
