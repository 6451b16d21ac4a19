package edit

import (
	"bytes"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"plumbline/cfn"
)

// sortedKeys are the keys in the order they are written: Type, which says what
// the rest is, then by name.
func sortedKeys(m map[string]any) []string {
	return slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		if (a == "Type") != (b == "Type") {
			if a == "Type" {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
}

// unit is how far the source indents: 2 where it does not show.
func (d *document) unit() int {
	for _, f := range d.Root.Fields {
		if f.Key != "Resources" || f.Value.Kind != cfn.Map || len(f.Value.Fields) == 0 {
			continue
		}
		if n := f.Value.Fields[0].Pos.Column - f.Pos.Column; n > 0 && n <= 8 && f.Value.Fields[0].Pos.Line > f.Pos.Line {
			return n
		}
	}
	return 2
}

// onLines reports whether JSON is written with one member a line.
func (d *document) onLines() bool {
	return len(d.Root.Fields) > 0 && d.Root.Fields[0].Pos.Line > d.Root.Pos.Line
}

// indentOf is the white space before what an offset's line begins with.
func (d *document) indentOf(at int) string {
	line := d.Source[d.lineStart(at):]
	return string(line[:len(line)-len(bytes.TrimLeft(line, " \t"))])
}

// blockText is a value in YAML's block notation: on the line of its key, or,
// beginning with a line break, on lines of its own at an indent.
func (d *document) blockText(v any, indent int) string {
	lead := "\n" + strings.Repeat(" ", indent)
	var out strings.Builder
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 0 {
			return "{}"
		}
		if text, ok := d.shortForm(v); ok {
			return text
		}
		for _, key := range sortedKeys(v) {
			out.WriteString(lead + keyText(key, cfn.YAML) + ":")
			below := d.blockText(v[key], indent+d.unit())
			if !strings.HasPrefix(below, "\n") {
				out.WriteByte(' ')
			}
			out.WriteString(below)
		}
		return out.String()
	case []any:
		if len(v) == 0 {
			return "[]"
		}
		for _, item := range v {
			below := d.blockText(item, indent+2)
			out.WriteString(lead + "- " + strings.TrimPrefix(below, lead+"  "))
		}
		return out.String()
	}
	return scalarText(v)
}

// flowText is a value on one line, as YAML or JSON takes it; in JSON that has a
// member a line, with lines of its own.
func (d *document) flowText(v any, at int) string {
	if d.Format == cfn.JSON {
		if d.onLines() {
			return d.jsonText(v, d.indentOf(at))
		}
		return compactJSON(v)
	}
	switch v := v.(type) {
	case map[string]any:
		if text, ok := d.shortForm(v); ok {
			return text
		}
		parts := make([]string, 0, len(v))
		for _, key := range sortedKeys(v) {
			parts = append(parts, keyText(key, cfn.YAML)+": "+d.flowText(v[key], at))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case []any:
		parts := make([]string, 0, len(v))
		for _, item := range v {
			parts = append(parts, d.flowText(item, at))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return scalarText(v)
}

// shortForm is a function of one text as a tag, where the source uses tags.
func (d *document) shortForm(v map[string]any) (string, bool) {
	if len(v) != 1 || !bytes.Contains(d.Source, []byte(" !")) {
		return "", false
	}
	for key, arg := range v {
		text, ok := arg.(string)
		name := strings.TrimPrefix(key, "Fn::")
		if ok && (key == "Ref" || name == "Sub" || name == "ImportValue") {
			return "!" + name + " " + scalarText(text), true
		}
	}
	return "", false
}

func (d *document) jsonText(v any, indent string) string {
	var out bytes.Buffer
	if json.Indent(&out, []byte(compactJSON(v)), indent, strings.Repeat(" ", d.unit())) != nil {
		return compactJSON(v)
	}
	return out.String()
}

// compactJSON is v as JSON without the escapes that HTML would need.
func compactJSON(v any) string {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "null"
	}
	return strings.TrimSuffix(out.String(), "\n")
}

// colonText is what stands between a key and its value in braces.
func (d *document) colonText() string {
	if d.Format == cfn.JSON && !bytes.Contains(d.Source, []byte("\": ")) {
		return ":"
	}
	return ": "
}

func keyText(key string, format cfn.Format) string {
	if format == cfn.JSON {
		return compactJSON(key)
	}
	return scalarText(key)
}

// plainText are the texts that read as themselves without quotes in any YAML;
// the words that YAML 1.1 takes for something else are told apart.
var plainText = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[A-Za-z/_][A-Za-z0-9/_.+-]*(:{1,2}[A-Za-z0-9/_.*+-]+)*( [A-Za-z0-9/_.+-]+)*$`)
})

var otherThanText = []string{"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"}

func scalarText(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		if plainText().MatchString(v) && !slices.Contains(otherThanText, strings.ToLower(v)) {
			return v
		}
		return compactJSON(v)
	}
	return cfn.FromPlain(v).Text
}
