package edit

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"plumbline/cfn"
)

// lineStarts returns the offset of each line's first byte.
func lineStarts(src []byte) []int {
	out := []int{0}
	for i, c := range src {
		if c == '\n' || c == '\r' && (i+1 == len(src) || src[i+1] != '\n') {
			out = append(out, i+1)
		}
	}
	return out
}

// offset of a place. Columns count characters.
func (d *document) offset(at cfn.Pos) int {
	if at.Line < 1 || at.Line > len(d.offsets) {
		return len(d.Source)
	}
	i := d.offsets[at.Line-1]
	for n := 1; n < at.Column && i < len(d.Source); n++ {
		_, size := utf8.DecodeRune(d.Source[i:])
		i += size
	}
	return i
}

// lineStart is the offset of the first byte of the line that i is on.
func (d *document) lineStart(i int) int {
	return bytes.LastIndexByte(d.Source[:i], '\n') + 1
}

// lineEnd is the offset of the line break at or after i, or the text's end.
func (d *document) lineEnd(i int) int {
	if n := bytes.IndexByte(d.Source[i:], '\n'); n >= 0 {
		return i + n
	}
	return len(d.Source)
}

// newline is how the source ends its lines.
func (d *document) newline() string {
	if bytes.Contains(d.Source, []byte("\r\n")) {
		return "\r\n"
	}
	return "\n"
}

// walk is a way through the source tree, root first: each step's container and
// the number of the field or item taken.
type walk struct {
	root  *cfn.Value
	steps []step
}

type step struct {
	in *cfn.Value
	n  int
}

func (w walk) value() *cfn.Value {
	if len(w.steps) == 0 {
		return w.root
	}
	return w.steps[len(w.steps)-1].value()
}

func (s step) value() *cfn.Value {
	if s.in.Kind == cfn.Map {
		return s.in.Fields[s.n].Value
	}
	return s.in.Items[s.n]
}

func (w walk) last() step { return w.steps[len(w.steps)-1] }

// parent is the way to the container.
func (w walk) parent() walk { return walk{w.root, w.steps[:len(w.steps)-1]} }

// child is the way to the nth field or item of w's value.
func (w walk) child(n int) walk {
	return walk{w.root, append(w.steps[:len(w.steps):len(w.steps)], step{w.value(), n})}
}

// walk follows a path as far as it is written, and returns the rest of it. The
// error is that of a path through what is computed or shared.
func (d *document) walk(at []string) (walk, []string, error) {
	w := walk{root: d.Root}
	for i, key := range at {
		v := w.value()
		if function := intrinsic(v); function != "" {
			return w, nil, d.computed(v, function)
		}
		n := -1
		switch v.Kind {
		case cfn.Map:
			for k := range v.Fields {
				if v.Fields[k].Key == key {
					n = k
				}
			}
		case cfn.List:
			if k, err := strconv.Atoi(key); err == nil && k >= 0 && k < len(v.Items) {
				n = k
			}
		}
		if n < 0 {
			return w, at[i:], nil
		}
		w = w.child(n)
		if d.Format == cfn.YAML {
			if err := d.notShared(w); err != nil {
				return w, nil, err
			}
		}
	}
	return w, nil, nil
}

// notShared refuses a value that stands elsewhere too.
func (d *document) notShared(w walk) error {
	s, v := w.last(), w.value()
	from := 0
	if s.in.Kind == cfn.Map {
		key := s.in.Fields[s.n].Pos
		if d.offset(key) < d.offset(s.in.Pos) {
			return d.fail(key, "%s is merged in from an anchor: change it there, or write it out", s.in.Fields[s.n].Key)
		}
		from = d.colon(s) + 1
	} else {
		from = d.dash(s)
	}
	to := d.offset(v.Pos)
	switch {
	case to < from:
		return d.fail(v.Pos, "the value is that of an anchor which others may use: change it there, or write it out")
	case bytes.ContainsAny(d.Source[from:to], "*&") && !bytes.ContainsAny(d.Source[from:to], "#"):
		return d.fail(v.Pos, "the value is that of an anchor which others may use: change it there, or write it out")
	}
	return nil
}

// colon is the offset of the colon after a field's key.
func (d *document) colon(s step) int {
	i := d.offset(s.in.Fields[s.n].Pos)
	if i < len(d.Source) && (d.Source[i] == '"' || d.Source[i] == '\'') {
		i = d.quoteEnd(i)
	}
	for i < len(d.Source) {
		if d.Source[i] == ':' && (i+1 == len(d.Source) || bytes.IndexByte([]byte(" \t\r\n\"'[{"), d.Source[i+1]) >= 0 || d.Format == cfn.JSON) {
			return i
		}
		i++
	}
	return i
}

// dash is the offset of what begins an item: its dash in a block list, else itself.
func (d *document) dash(s step) int {
	at := d.offset(s.in.Items[s.n].Pos)
	if d.isFlow(s.in) {
		return at
	}
	if i := bytes.LastIndexByte(d.Source[:at], '-'); i >= 0 {
		return i
	}
	return at
}

// isFlow reports whether a map or list is written in braces or brackets.
func (d *document) isFlow(v *cfn.Value) bool {
	if i := d.offset(v.Pos); i < len(d.Source) {
		switch d.Source[i] {
		case '{':
			return v.Kind == cfn.Map
		case '[':
			return v.Kind == cfn.List
		}
	}
	return false
}

// inFlow reports whether a value stands inside braces or brackets.
func (d *document) inFlow(w walk) bool {
	for _, s := range w.steps {
		if d.isFlow(s.in) {
			return true
		}
	}
	return false
}

// start of a step: its key, or its dash.
func (d *document) start(s step) int {
	if s.in.Kind == cfn.Map {
		return d.offset(s.in.Fields[s.n].Pos)
	}
	return d.dash(s)
}

// limit is the offset of what follows a value in block notation: the next
// field or item of it or of one around it.
func (d *document) limit(w walk) int {
	for i := len(w.steps) - 1; i >= 0; i-- {
		s := w.steps[i]
		if s.n+1 < len(s.in.Fields) || s.n+1 < len(s.in.Items) {
			return d.start(step{s.in, s.n + 1})
		}
	}
	from := d.offset(w.value().Pos)
	for _, mark := range []string{"\n...", "\n---"} {
		if i := bytes.Index(d.Source[from:], []byte(mark)); i >= 0 {
			return from + i + 1
		}
	}
	return len(d.Source)
}

// end is the offset after the last byte of a value. Of one in block notation
// it is the end of its last line, comments there included.
func (d *document) end(w walk) int {
	v := w.value()
	at := d.offset(v.Pos)
	if d.isFlow(v) {
		return d.closing(at) + 1
	}
	if v.Kind != cfn.Map && v.Kind != cfn.List {
		if at < len(d.Source) && (d.Source[at] == '"' || d.Source[at] == '\'') {
			return d.quoteEnd(at)
		}
		if d.inFlow(w) || d.Format == cfn.JSON {
			return d.plainEnd(at)
		}
	} else if intrinsic(v) != "" && d.inFlow(w) {
		return d.end(w.child(0)) // !Ref x in brackets
	}
	// A comment before what follows belongs to that, unless it stands deeper
	// than the key of this.
	indent := 0
	if len(w.steps) > 0 {
		start := d.start(w.last())
		indent = start - d.lineStart(start)
	}
	limit := d.limit(w)
	end := at
	for from := d.lineStart(at); from < limit; {
		to := min(d.lineEnd(from), limit)
		line := bytes.TrimRight(d.Source[from:to], " \t\r")
		text := bytes.TrimLeft(line, " \t")
		if len(text) > 0 && (text[0] != '#' || len(line)-len(text) > indent) && (to < limit || limit == len(d.Source)) {
			end = from + len(line)
		}
		from = to + 1
	}
	return max(end, at)
}

// scalarEnd is the end of a plain text's last line without the comment after it.
func (d *document) scalarEnd(at, end int) int {
	from := max(d.lineStart(end), at)
	if i := bytes.Index(d.Source[from:end], []byte(" #")); i >= 0 {
		end = from + i
	}
	return at + len(bytes.TrimRight(d.Source[at:end], " \t\r"))
}

// quoteEnd is the offset after the quoted text at i.
func (d *document) quoteEnd(i int) int {
	quote := d.Source[i]
	for i++; i < len(d.Source); i++ {
		switch {
		case d.Source[i] == '\\' && quote == '"':
			i++
		case d.Source[i] == quote:
			if quote == '\'' && i+1 < len(d.Source) && d.Source[i+1] == '\'' {
				i++
				continue
			}
			return i + 1
		}
	}
	return len(d.Source)
}

// plainEnd is the end of an unquoted text in braces or brackets.
func (d *document) plainEnd(i int) int {
	start := i
	for ; i < len(d.Source); i++ {
		switch c := d.Source[i]; {
		case c == ',' || c == ']' || c == '}' || c == '\n',
			c == ':' && i+1 < len(d.Source) && d.Source[i+1] == ' ',
			c == '#' && i > start && d.Source[i-1] == ' ':
			return start + len(bytes.TrimRight(d.Source[start:i], " \t\r"))
		}
	}
	return i
}

// closing is the offset of the brace or bracket that ends the one at i.
func (d *document) closing(i int) int {
	depth := 0
	for ; i < len(d.Source); i++ {
		switch c := d.Source[i]; c {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i
			}
		case '"', '\'':
			// A quote inside a plain text is part of it.
			if before := d.Source[i-1]; d.Format == cfn.JSON || bytes.IndexByte([]byte(" \t\n,[{:"), before) >= 0 {
				i = d.quoteEnd(i) - 1
			}
		case '#':
			if d.Format == cfn.YAML && (d.Source[i-1] == ' ' || d.Source[i-1] == '\n') {
				i = d.lineEnd(i)
			}
		}
	}
	return len(d.Source) - 1
}
