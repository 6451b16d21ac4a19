package alert

import (
	"strings"
	"unicode"
)

// Text makes one harmless line of a foreign text, of at most max characters.
func Text(s string, max int) string { return text(s, max) }

// text makes one line of a foreign text, of at most max characters: no control
// character, no mark that turns the direction of writing, and no address that a
// mail program or a chat would make a link of. A template must not be able to
// send its readers anywhere.
func text(s string, max int) string {
	var b strings.Builder
	n, space := 0, false
	for _, r := range s {
		switch {
		case unicode.IsSpace(r):
			space = n > 0
			continue
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == unicode.ReplacementChar, r == '\u2028', r == '\u2029':
			r = '\u00b7'
		}
		if space {
			b.WriteByte(' ')
			n, space = n+1, false
		}
		b.WriteRune(r)
		if n++; n > 4*max { // what is cut below is not worth more work
			break
		}
	}
	return cut(unlinked(b.String()), max)
}

// multiline is text for words of several lines, which stay apart.
func multiline(s string) string {
	var b strings.Builder
	for l := range strings.Lines(s) {
		b.WriteString(text(l, 1000))
		if strings.HasSuffix(l, "\n") {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// schemes begin what is made a link of.
var schemes = []string{"://", "mailto:", "tel:", "javascript:", "www."}

// unlinked breaks addresses, so that they can be read but not clicked.
func unlinked(s string) string {
	for _, scheme := range schemes {
		for from := 0; ; {
			at := indexFold(s[from:], scheme)
			if at < 0 {
				break
			}
			at += from + len(scheme) - 1
			if scheme == "://" {
				at -= 2
			}
			s = s[:at] + "[" + s[at:at+1] + "]" + s[at+1:]
			from = at + 3
		}
	}
	return s
}

// indexFold is strings.Index for an ASCII word, whatever its case.
func indexFold(s, word string) int {
	for i := 0; i+len(word) <= len(s); i++ {
		if strings.EqualFold(s[i:i+len(word)], word) {
			return i
		}
	}
	return -1
}

// cut shortens a text to max characters, the last of which then is an ellipsis.
func cut(s string, max int) string {
	n := 0
	last := 0
	for i := range s {
		if n == max-1 {
			last = i
		}
		if n++; n > max {
			return s[:last] + "…"
		}
	}
	return s
}
