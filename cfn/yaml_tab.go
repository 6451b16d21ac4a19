package cfn

import (
	"bytes"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// tabs notes the first tab that stands between values and not inside a quoted
// text, a block of text or a comment. yaml.v3 takes many of these, such as one at
// the end of a line; the parsers of YAML 1.1 that CloudFormation and its tools
// are built on refuse them.
func (l *loader) tabs(doc *yaml.Node) {
	if bytes.IndexByte(l.src, '\t') < 0 {
		return
	}
	src, i := l.src, 0
	var walk func(n *yaml.Node) bool // false: a tab was found
	walk = func(n *yaml.Node) bool {
		if n.Kind == yaml.ScalarNode && n.Style&quoted != 0 {
			from := l.skipProperties(l.offsetOf(Pos{n.Line, n.Column}))
			if from >= i { // not where the place is not known
				if !l.noTab(i, from) {
					return false
				}
				i = scalarEnd(src, from, n)
			}
		}
		for _, c := range n.Content {
			if !walk(c) {
				return false
			}
		}
		return true
	}
	if walk(doc) {
		l.noTab(i, len(src))
	}
}

// noTab notes a tab outside of comments between two offsets, between which
// there is no quoted text. It reports whether there was none.
func (l *loader) noTab(from, to int) bool {
	for i := from; i < to; i++ {
		switch c := l.src[i]; {
		case c == '\t':
			l.note(l.posOf(i), "a tab outside of quotes; parsers of YAML 1.1, as behind CloudFormation, may refuse the file for it. put spaces in its place, or remove it")
			return false
		case c == '#' && (i == 0 || bytes.IndexByte([]byte(" \t\r\n"), l.src[i-1]) >= 0):
			for i+1 < to && l.src[i+1] != '\n' && l.src[i+1] != '\r' {
				i++
			}
		}
	}
	return true
}

// skipProperties returns the offset of what follows the tags and anchors at an
// offset, with the white space and comments between.
func (l *loader) skipProperties(i int) int {
	for i >= 0 && i < len(l.src) {
		switch l.src[i] {
		case '!', '&':
			for i < len(l.src) && l.src[i] > ' ' {
				i++
			}
		case ' ', '\t', '\r', '\n':
			i++
		case '#':
			for i < len(l.src) && l.src[i] != '\n' && l.src[i] != '\r' {
				i++
			}
		default:
			return i
		}
	}
	return i
}

// scalarEnd returns the offset after a quoted scalar or a block of text that
// begins at i.
func scalarEnd(src []byte, i int, n *yaml.Node) int {
	switch {
	case i >= len(src):
		return i
	case src[i] == '"':
		if end := closingQuote(src, i+1); end >= 0 {
			return end + 1
		}
		return len(src)
	case src[i] == '\'':
		for i++; i < len(src); i++ {
			if src[i] == '\'' {
				if i+1 < len(src) && src[i+1] == '\'' {
					i++
					continue
				}
				return i + 1
			}
		}
		return i
	}
	// A block: its header's line, then lines with the value's characters, which
	// only white space is added to, then blank lines.
	i = lineEnd(src, i)
	for _, r := range n.Value {
		if r <= ' ' || isBreak(r) {
			continue
		}
		for i < len(src) {
			c, size := utf8.DecodeRune(src[i:])
			i += size
			if c == r {
				break
			}
		}
	}
	for i < len(src) {
		switch src[i] {
		case ' ', '\t', '\r', '\n':
			i++
		default:
			return lineStart(src, i)
		}
	}
	return i
}

// isBreak reports whether YAML takes r for the end of a line, beside CR and LF.
func isBreak(r rune) bool { return r == 0x85 || r == 0x2028 || r == 0x2029 }

// lineEnd returns the offset of the line break at or after i.
func lineEnd(src []byte, i int) int {
	for i < len(src) && src[i] != '\n' && src[i] != '\r' {
		i++
	}
	return i
}

// lineStart returns the offset of the first byte of the line that i is on.
func lineStart(src []byte, i int) int {
	for i > 0 && src[i-1] != '\n' && src[i-1] != '\r' {
		i--
	}
	return i
}
