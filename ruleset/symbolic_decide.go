package ruleset

import (
	"strings"
)

// tri is a three-valued answer.
type tri uint8

const (
	maybe tri = iota // some texts say yes, some no, or it is not worked out
	yes
	no
)

func triOf(b bool) tri {
	if b {
		return yes
	}
	return no
}

// token is one step of a pattern over bytes: a byte, or a class that repeats.
type token struct {
	b     byte
	class uint8 // literal, anyByte, identByte
	star  bool  // zero or more of the class
}

const (
	literal uint8 = iota
	anyByte
	identByte
)

// identifier reports whether b may be in an identifier or ARN that AWS makes.
// Control characters, space, quotes, *, ?, <, > and the like never are; bytes
// beyond ASCII are allowed, since names may be given by users.
func identifier(b byte) bool {
	switch b {
	case '*', '?', '"', '\'', '<', '>', '{', '}', '[', ']', '`', '\\', ' ', '^', 0x7f:
		return false
	}
	return b > ' '
}

func (t token) matches(b byte) bool {
	switch t.class {
	case literal:
		return t.b == b
	case identByte:
		return identifier(b)
	}
	return true
}

// meets reports whether some byte is in both tokens' classes.
func (t token) meets(u token) bool {
	switch {
	case t.class == literal:
		return u.matches(t.b)
	case u.class == literal:
		return t.matches(u.b)
	}
	return true
}

// tokens is the pattern of a symbolic string; over-wide where pieces are
// related (two gaps of one reference), which can only turn an answer to maybe.
func (s *symbolic) tokens() []token {
	var out []token
	for _, p := range s.pieces {
		if !p.gap {
			out = appendText(out, p.text)
			continue
		}
		class := anyByte
		if p.ident {
			class = identByte
		}
		if p.some || p.ident {
			out = append(out, token{class: class})
		}
		out = append(out, token{class: class, star: true})
	}
	return out
}

func appendText(out []token, text string) []token {
	for i := range len(text) {
		out = append(out, token{b: text[i]})
	}
	return out
}

var anything = token{class: anyByte, star: true}

// overlap reports whether a text exists that both patterns match.
func overlap(a, b []token) bool {
	// seen[i*(len(b)+1)+j]: the tails a[i:], b[j:] were tried.
	seen := make([]bool, (len(a)+1)*(len(b)+1))
	type pair struct{ i, j int }
	todo := []pair{{0, 0}}
	push := func(i, j int) {
		if k := i*(len(b)+1) + j; !seen[k] {
			seen[k] = true
			todo = append(todo, pair{i, j})
		}
	}
	for len(todo) > 0 {
		p := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		i, j := p.i, p.j
		if i == len(a) && j == len(b) {
			return true
		}
		if i < len(a) && a[i].star {
			push(i+1, j)
		}
		if j < len(b) && b[j].star {
			push(i, j+1)
		}
		if i < len(a) && j < len(b) && a[i].meets(b[j]) {
			ni, nj := i+1, j+1
			if a[i].star {
				ni = i
			}
			if b[j].star {
				nj = j
			}
			push(ni, nj)
		}
	}
	return false
}

// equals compares with a plain text.
func (s *symbolic) equals(text string) tri {
	// The cheap refusals first: most comparisons end here.
	first, last := &s.pieces[0], &s.pieces[len(s.pieces)-1]
	if !first.gap && (len(text) < len(first.text) || text[:len(first.text)] != first.text) {
		return no
	}
	if !last.gap && (len(text) < len(last.text) || text[len(text)-len(last.text):] != last.text) {
		return no
	}
	if !overlap(s.tokens(), appendText(nil, text)) {
		return no
	}
	return maybe
}

// same compares two symbolic strings. Equal pieces whose gaps are the same
// references are equal texts.
func (s *symbolic) same(t *symbolic) tri {
	if s == t {
		return yes
	}
	if len(s.pieces) == len(t.pieces) {
		equal := true
		for i := range s.pieces {
			p, q := &s.pieces[i], &t.pieces[i]
			if p.gap != q.gap || p.text != q.text || p.gap && (p.ref == nil || q.ref == nil || *p.ref != *q.ref) {
				equal = false
				break
			}
		}
		if equal {
			return yes
		}
	}
	if !overlap(s.tokens(), t.tokens()) {
		return no
	}
	return maybe
}

// startsWith decides s.startsWith(prefix) for a plain prefix.
func (s *symbolic) startsWith(prefix string) tri {
	if prefix == "" {
		return yes
	}
	if first := &s.pieces[0]; !first.gap && len(first.text) >= len(prefix) {
		return triOf(first.text[:len(prefix)] == prefix)
	}
	if !overlap(s.tokens(), append(appendText(nil, prefix), anything)) {
		return no
	}
	return maybe
}

// endsWith decides s.endsWith(suffix) for a plain suffix.
func (s *symbolic) endsWith(suffix string) tri {
	if suffix == "" {
		return yes
	}
	if last := &s.pieces[len(s.pieces)-1]; !last.gap && len(last.text) >= len(suffix) {
		return triOf(last.text[len(last.text)-len(suffix):] == suffix)
	}
	if !overlap(s.tokens(), appendText([]token{anything}, suffix)) {
		return no
	}
	return maybe
}

// contains decides s.contains(part) for a plain part.
func (s *symbolic) contains(part string) tri {
	if part == "" {
		return yes
	}
	for i := range s.pieces {
		if p := &s.pieces[i]; !p.gap && strings.Contains(p.text, part) {
			return yes
		}
	}
	if !overlap(s.tokens(), append(appendText([]token{anything}, part), anything)) {
		return no
	}
	return maybe
}

// within decides text.contains(s) and the like: s is the part.
func (s *symbolic) within(text string, before, after bool) tri {
	var pattern []token
	if before {
		pattern = append(pattern, anything)
	}
	pattern = append(pattern, s.tokens()...)
	if after {
		pattern = append(pattern, anything)
	}
	if !overlap(pattern, appendText(nil, text)) {
		return no
	}
	return maybe
}
