package cfn

import (
	"bytes"
	"errors"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Sniff reports whether a file that was found, not named by a person, is meant
// to be a template, and if not, why it is left out. It looks at the top-level
// keys of the text without parsing it; only where that settles nothing and the
// text speaks of templates is it parsed. A broken file that shows signs of a
// template is one, so that Parse can say what is wrong with it.
func Sniff(path string, src []byte) (ok bool, reason string) {
	l := &loader{path: path}
	if problem := l.decode(src); problem != nil {
		return !problem.notTemplate && speaksOfTemplates(src), "not text in UTF-8"
	}
	text := bytes.TrimLeft(l.src, " \t\r\n")
	if len(text) == 0 {
		return false, "empty"
	}
	if isEmptyMap(text) && !strings.HasSuffix(path, ".json") { // in JSON it is far more often some tool's settings
		return true, ""
	}
	if !speaksOfTemplates(text) {
		return false, "no Resources section"
	}
	if text[0] == '{' {
		switch topKeys(text) {
		case yes:
			return true, ""
		case no:
			return false, "no Resources section"
		}
	} else if templateLine(text) {
		return true, ""
	}
	_, err := Parse(path, src)
	var p *Problem
	if errors.As(err, &p) && p.notTemplate {
		if strings.HasPrefix(p.Message, resourcesIs) {
			return false, p.Message
		}
		return false, "no Resources section"
	}
	return true, ""
}

// isEmptyMap reports whether a text is {} and nothing else.
func isEmptyMap(text []byte) bool {
	rest, ok := bytes.CutPrefix(text, []byte("{"))
	if !ok {
		return false
	}
	rest, ok = bytes.CutPrefix(bytes.TrimLeft(rest, " \t\r\n"), []byte("}"))
	return ok && len(bytes.TrimSpace(rest)) == 0
}

// speaksOfTemplates reports whether a text holds a word that a template cannot do without.
func speaksOfTemplates(text []byte) bool {
	return bytes.Contains(text, []byte("Resources")) || bytes.Contains(text, []byte("AWSTemplateFormatVersion")) || bytes.Contains(text, []byte("AWS::"))
}

// templateLine reports whether a line of YAML that is not indented has a key
// which only templates have: AWSTemplateFormatVersion, or Resources where the
// text holds the double colon of a resource type.
func templateLine(text []byte) bool {
	typed := bytes.Contains(text, []byte("::"))
	for len(text) > 0 {
		line := text
		if i := bytes.IndexByte(text, '\n'); i >= 0 {
			line, text = text[:i], text[i+1:]
		} else {
			text = nil
		}
		if len(line) > 0 && (line[0] == '"' || line[0] == '\'') {
			line = line[1:]
		}
		if len(line) == 0 || line[0] != 'A' && line[0] != 'R' {
			continue
		}
		if isKeyLine(line, "AWSTemplateFormatVersion") || typed && isKeyLine(line, "Resources") {
			return true
		}
	}
	return false
}

// isKeyLine reports whether a line begins with this key and a colon.
func isKeyLine(line []byte, key string) bool {
	rest, ok := bytes.CutPrefix(line, []byte(key))
	if !ok {
		return false
	}
	rest = bytes.TrimLeft(bytes.TrimLeft(rest, `"'`), " \t")
	return len(rest) > 0 && rest[0] == ':'
}

// answer is what a look at a text finds.
type answer uint8

const (
	unclear answer = iota
	yes
	no
)

// topKeys looks for the top-level keys of a JSON object that make it a
// template. It is unclear about what is not JSON.
func topKeys(text []byte) answer {
	depth, key := 0, []byte(nil)
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '"':
			end := closingQuote(text, i+1)
			if end < 0 {
				return unclear
			}
			if depth == 1 {
				key = text[i+1 : end]
			}
			i = end
		case ':':
			switch {
			case depth != 1:
			case string(key) == "AWSTemplateFormatVersion":
				return yes
			case string(key) == "Resources":
				if value := bytes.TrimLeft(text[i+1:], " \t\r\n"); bytes.HasPrefix(value, []byte("{")) || bytes.Contains(text, []byte("::")) {
					return yes
				}
				return unclear
			}
		case '{', '[':
			if depth++; depth == 1 && !keyFollows(text[i+1:]) {
				return unclear
			}
		case ',':
			if depth == 1 && !keyFollows(text[i+1:]) {
				return unclear
			}
		case '}', ']':
			if depth--; depth == 0 {
				if len(bytes.TrimSpace(text[i+1:])) > 0 {
					return unclear
				}
				return no
			}
		case '\'', '#':
			return unclear
		}
	}
	return unclear
}

// keyFollows reports whether a key of JSON, or the end of an object, comes next.
func keyFollows(text []byte) bool {
	text = bytes.TrimLeft(text, " \t\r\n")
	return len(text) > 0 && (text[0] == '"' || text[0] == '}')
}

// closingQuote returns the offset of the quote that ends the string which
// begins at i, -1 for none.
func closingQuote(text []byte, i int) int {
	for ; i < len(text); i++ {
		switch text[i] {
		case '"':
			return i
		case '\\':
			i++
		}
	}
	return -1
}

// showsTemplate reports whether a YAML document's root has a key that only templates have.
func showsTemplate(doc *yaml.Node) bool {
	if len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode {
		return false
	}
	root := doc.Content[0]
	for i := 0; i+1 < len(root.Content); i += 2 {
		switch root.Content[i].Value {
		case "AWSTemplateFormatVersion":
			return true
		case "Resources":
			if root.Content[i+1].Kind == yaml.MappingNode {
				return true
			}
		}
	}
	return false
}
