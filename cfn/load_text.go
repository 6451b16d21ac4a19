package cfn

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// Encoding is how a template's file encodes its text, for who writes it back.
type Encoding uint8

// The encodings that are read. CloudFormation takes UTF-8; the others are what
// editors and shells on Windows write.
const (
	UTF8 Encoding = iota
	UTF8BOM
	UTF16LE // with a byte order mark
	UTF16BE // with a byte order mark
)

// decode sets l.src to the text of src, and refuses what is not text.
func (l *loader) decode(src []byte) *Problem {
	switch {
	case bytes.HasPrefix(src, []byte("\xef\xbb\xbf")):
		l.encoding, src = UTF8BOM, src[3:]
	case bytes.HasPrefix(src, []byte("\xff\xfe")):
		l.encoding, src = UTF16LE, fromUTF16(src[2:], func(b []byte) uint16 { return uint16(b[0]) | uint16(b[1])<<8 })
	case bytes.HasPrefix(src, []byte("\xfe\xff")):
		l.encoding, src = UTF16BE, fromUTF16(src[2:], func(b []byte) uint16 { return uint16(b[1]) | uint16(b[0])<<8 })
	}
	l.src = src
	if i := bytes.IndexByte(src, 0); i >= 0 {
		return l.notTemplate(l.posOf(i), "a NUL byte: this is a binary file or a damaged one. templates are text in UTF-8")
	}
	if !utf8.Valid(src) {
		i := invalidUTF8(src)
		return l.problem(l.posOf(i), "byte 0x%02x is not UTF-8, the only encoding of templates. save the file as UTF-8", src[i])
	}
	return nil
}

func fromUTF16(b []byte, unit func([]byte) uint16) []byte {
	units := make([]uint16, 0, len(b)/2)
	for ; len(b) >= 2; b = b[2:] {
		units = append(units, unit(b))
	}
	out := make([]byte, 0, len(units)+len(units)/8)
	for _, r := range utf16.Decode(units) {
		out = utf8.AppendRune(out, r)
	}
	return out
}

func invalidUTF8(b []byte) int {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n <= 1 {
			return i
		}
		i += n
	}
	return 0
}

// lineBreak returns the length of the line break that b begins with, 0 for
// none: CR, LF, CRLF, and in YAML also NEL, LS and PS, as its parser counts.
func (l *loader) lineBreak(b []byte) int {
	switch b[0] {
	case '\n':
		return 1
	case '\r':
		if len(b) > 1 && b[1] == '\n' {
			return 2
		}
		return 1
	case 0xc2:
		if l.format == YAML && len(b) > 1 && b[1] == 0x85 {
			return 2
		}
	case 0xe2:
		if l.format == YAML && len(b) > 2 && b[1] == 0x80 && (b[2] == 0xa8 || b[2] == 0xa9) {
			return 3
		}
	}
	return 0
}

// lineStarts returns the offset of each line's first byte.
func (l *loader) lineStarts() []int {
	if l.lines == nil {
		l.lines = append(make([]int, 0, 1+bytes.Count(l.src, []byte("\n"))), 0)
		for i := 0; i < len(l.src); {
			if n := l.lineBreak(l.src[i:]); n > 0 {
				i += n
				l.lines = append(l.lines, i)
				continue
			}
			i++
		}
	}
	return l.lines
}

// posOf returns the place of a byte of the source; columns count characters.
func (l *loader) posOf(offset int) Pos {
	starts := l.lineStarts()
	line, end := 0, len(starts)
	for line+1 < end { // the last line that starts at or before offset
		mid := (line + end) / 2
		if starts[mid] <= offset {
			line = mid
		} else {
			end = mid
		}
	}
	return Pos{line + 1, utf8.RuneCount(l.src[starts[line]:offset]) + 1}
}

// offsetOf is the inverse of posOf, -1 for a place that is not in the source.
// Places are asked for in their order mostly, so that it goes on from the last
// one: a template may be one long line.
func (l *loader) offsetOf(at Pos) int {
	starts := l.lineStarts()
	if at.Line < 1 || at.Line > len(starts) {
		return -1
	}
	i, column := starts[at.Line-1], 1
	if l.last.Line == at.Line && l.last.Column <= at.Column {
		i, column = l.lastOffset, l.last.Column
	}
	for ; column < at.Column; column++ {
		if i >= len(l.src) {
			return -1
		}
		if l.src[i] < utf8.RuneSelf {
			i++
			continue
		}
		_, n := utf8.DecodeRune(l.src[i:])
		i += n
	}
	l.last, l.lastOffset = at, i
	return i
}
