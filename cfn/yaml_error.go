package cfn

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// yamlProblem says in words and with a place what yaml.v3 found wrong. Its
// errors name a line at most, which is that of the enclosing map or list for
// many of them, so the place is found again here.
func (l *loader) yamlProblem(err error) *Problem {
	var second *errDocuments
	if errors.As(err, &second) {
		if !second.template {
			return l.notTemplate(l.documentMark(second.line), "no CloudFormation template: several YAML documents, none with a Resources section")
		}
		return l.problem(l.documentMark(second.line), "a second YAML document begins here; CloudFormation reads one template a file. move it into a file of its own")
	}
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 0
	if rest, ok := strings.CutPrefix(message, "line "); ok {
		number, text, _ := strings.Cut(rest, ": ")
		if n, err := strconv.Atoi(number); err == nil {
			line, message = n, text
		}
	}
	if name, ok := strings.CutPrefix(message, "unknown anchor '"); ok {
		name = strings.TrimSuffix(name, "' referenced")
		return l.problem(l.aliasPlace(name), "alias *%s names nothing: no anchor &%s stands before it", name, name)
	}
	if message == "control characters are not allowed" {
		i, c := l.controlCharacter()
		return l.problem(l.posOf(i), "control character U+%04X, which YAML does not allow. remove it", c)
	}
	at := l.stop()
	if strings.HasPrefix(message, "found unexpected end of stream") || strings.Contains(message, "quoted scalar") {
		// The mark is where the quoted text begins; it runs to the end of the file.
		if line > 0 {
			at = l.firstText(line)
		}
		return l.problem(at, "a quoted text that begins on this line has no closing quote before the end of the file")
	}
	if i := l.offsetOf(l.firstText(at.Line)); i >= 0 && bytes.IndexByte(l.src[l.lineStarts()[at.Line-1]:i], '\t') >= 0 || strings.Contains(message, "tab character") {
		return l.problem(Pos{at.Line, 1}, "a tab in the indentation of this line; YAML indents with spaces only")
	}
	return l.problem(at, "%s", explain(message, l.lineText(at.Line)))
}

// explain puts yaml.v3's message into words that say what to do.
func explain(message, line string) string {
	line = strings.TrimSpace(line)
	switch {
	case strings.HasPrefix(message, "mapping values are not allowed"):
		return "a colon where no value can begin: the line is indented wrongly, or its text holds \": \" and needs quotes"
	case strings.HasPrefix(message, "did not find expected key"):
		return "this line does not fit into the map around it: its indentation differs from that of the keys before it, or a quote or bracket before it is not closed"
	case strings.HasPrefix(message, "did not find expected '-' indicator"):
		return "this line does not fit into the list around it: a \"-\" as far in as those before it is due"
	case strings.HasPrefix(message, "could not find expected ':'"):
		return "a key without its colon: write \"key: value\", or indent the line so that it goes on the text above"
	case strings.HasPrefix(message, "did not find expected ',' or"):
		return "in a list or map in brackets, a comma or the closing bracket is due"
	case strings.HasPrefix(message, "found character that cannot start any token"):
		return "a character that no bare text can begin with (a tab, @, % or a backquote). put the text in quotes"
	case strings.HasPrefix(message, "found unknown escape character"):
		return "a backslash in a text in double quotes that begins no escape. write \\\\, or use single quotes"
	case strings.HasPrefix(message, "did not find expected node content"):
		return "a value is due here: is there a comma too many in the brackets, or a tag or an anchor without its value?"
	case strings.HasPrefix(message, "did not find expected alphabetic or numeric character"):
		return "a name is due after * or &. text that begins with one of them needs quotes"
	case strings.HasPrefix(message, "block sequence entries are not allowed"):
		return "a \"-\" where no list can begin: put the list on the next line"
	case strings.HasPrefix(message, "did not find expected <document start>"):
		return "this line stands outside of the template: its indentation is less than that of the first key"
	case strings.HasPrefix(message, "found incompatible YAML document"):
		return "a %YAML directive of a version that is not read. templates are YAML 1.1; remove the line"
	case strings.HasPrefix(message, "exceeded max depth"):
		return "more than " + strconv.Itoa(MaxDepth) + " levels of maps and lists inside each other"
	case strings.Contains(line, "{{") || strings.HasPrefix(line, "{%"):
		return message + ". is this a template of a template, such as Jinja? scan what it renders"
	}
	return message
}

// stop returns where yaml.v3 stops: it is fed byte by byte, so that what it has
// not asked for is behind the error.
func (l *loader) stop() Pos {
	f := &feed{src: l.src}
	func() {
		defer func() { _ = recover() }() // the panic was told by the first reading
		d := yaml.NewDecoder(f)
		for {
			if err := d.Decode(new(yaml.Node)); err != nil {
				return
			}
		}
	}()
	end := min(f.at, len(l.src))
	text := bytes.TrimRight(l.src[:end], " \t\r\n")
	if len(text) == 0 {
		return Pos{1, 1}
	}
	return l.firstText(l.posOf(len(text) - 1).Line)
}

// feed hands out its source one byte a time.
type feed struct {
	src []byte
	at  int
}

func (f *feed) Read(p []byte) (int, error) {
	if f.at >= len(f.src) {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	p[0] = f.src[f.at]
	f.at++
	return 1, nil
}

// lineText returns a line of the source without its end.
func (l *loader) lineText(line int) string {
	starts := l.lineStarts()
	if line < 1 || line > len(starts) {
		return ""
	}
	end := len(l.src)
	if line < len(starts) {
		end = starts[line]
	}
	return strings.TrimRight(string(l.src[starts[line-1]:end]), "\r\n")
}

// firstText returns the place of a line's first character that is no white space.
func (l *loader) firstText(line int) Pos {
	line = min(max(line, 1), len(l.lineStarts()))
	text := l.lineText(line)
	return Pos{line, len(text) - len(strings.TrimLeft(text, " \t")) + 1}
}

// documentMark returns the place of the last "---" at or before a line.
func (l *loader) documentMark(line int) Pos {
	for n := min(line, len(l.lineStarts())); n > 1; n-- {
		if strings.HasPrefix(l.lineText(n), "---") {
			return Pos{n, 1}
		}
	}
	return l.firstText(line)
}

// aliasPlace returns where an alias of this name stands first.
func (l *loader) aliasPlace(name string) Pos {
	for from := 0; ; {
		i := bytes.Index(l.src[from:], []byte("*"+name))
		if i < 0 {
			return Pos{1, 1}
		}
		i += from
		from = i + 1
		end := i + 1 + len(name)
		before := i == 0 || bytes.IndexByte([]byte(" \t\r\n[{,:-"), l.src[i-1]) >= 0
		if before && (end == len(l.src) || bytes.IndexByte([]byte(" \t\r\n]},:"), l.src[end]) >= 0) {
			return l.posOf(i)
		}
	}
}

// controlCharacter returns the first character that YAML does not allow.
func (l *loader) controlCharacter() (int, rune) {
	for i := 0; i < len(l.src); {
		r, n := utf8.DecodeRune(l.src[i:])
		switch {
		case r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0x7e:
		case r == 0x85 || r >= 0xa0 && r <= 0xd7ff || r >= 0xe000 && r <= 0xfffd && r != 0xfeff || r >= 0x10000:
		default:
			return i, r
		}
		i += n
	}
	return 0, 0
}
