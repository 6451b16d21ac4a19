package edit

import (
	"bytes"
	"slices"
	"strings"

	"plumbline/cfn"
)

// splice is the source with a part replaced.
func (d *document) splice(from, to int, text string) []byte {
	if nl := d.newline(); nl != "\n" {
		text = strings.ReplaceAll(text, "\n", nl)
	}
	return slices.Concat(d.Source[:from], []byte(text), d.Source[to:])
}

// replace writes another value in the place of w's.
func (d *document) replace(w walk, value any) ([]byte, error) {
	v := w.value()
	at, end := d.offset(v.Pos), d.end(w)
	if d.Format == cfn.JSON || d.inFlow(w) {
		if v.Kind == cfn.Null && d.Format == cfn.YAML {
			return nil, d.fail(v.Pos, "an empty value in braces cannot be replaced. write it out")
		}
		return d.splice(at, end, d.flowText(value, at)), nil
	}
	s := w.last()
	start := d.start(s)
	after := start + 1 // of a dash
	if s.in.Kind == cfn.Map {
		after = d.colon(s) + 1
	}
	indent := start - d.lineStart(start)
	line := d.lineEnd(after)
	unwritten := v.Kind == cfn.Null && !writtenNull(d.Source[at:])
	own := at >= after && at <= line && !unwritten // the value begins on the key's line
	switch {
	case unwritten:
		// The value goes behind the key, before a comment.
		end = after
	case own && v.Kind != cfn.Map && v.Kind != cfn.List && d.Source[at] != '|' && d.Source[at] != '>':
		end = d.scalarEnd(at, end)
	case own && d.isFlow(v):
	case !own:
		// The value has lines of its own; a comment on the key's line stays.
		text := d.blockText(value, indent+d.unit())
		if !strings.HasPrefix(text, "\n") {
			return d.splice(after, end, " "+text), nil
		}
		return d.splice(line, end, text), nil
	}
	text := d.blockText(value, indent+d.unit())
	if strings.HasPrefix(text, "\n") && s.in.Kind == cfn.List {
		return nil, d.fail(v.Pos, "an item cannot be replaced by a mapping or a list here. change it by hand")
	}
	if strings.HasPrefix(text, "\n") {
		// Lines of its own: what stood on the key's line goes, a comment stays.
		if unwritten {
			return d.splice(line, line, text), nil
		}
		if end <= line {
			return d.splice(after, line, string(bytes.TrimRight(d.Source[end:line], " \t\r"))+text), nil
		}
		return d.splice(after, end, text), nil
	}
	if unwritten {
		return d.splice(after, end, " "+text), nil
	}
	return d.splice(at, end, text), nil
}

// writtenNull reports whether a null is there in the text, not just no value.
func writtenNull(at []byte) bool {
	return len(at) > 0 && at[0] == '~' || len(at) >= 4 && bytes.EqualFold(at[:4], []byte("null"))
}

// appendField writes another field after a mapping's last.
func (d *document) appendField(w walk, key string, value any) ([]byte, error) {
	v := w.value()
	at := d.offset(v.Pos)
	if d.Format == cfn.JSON || d.isFlow(v) {
		return d.appendFlow(w, keyText(key, d.Format)+d.colonText(), value), nil
	}
	if len(v.Fields) == 0 {
		return nil, d.fail(v.Pos, "nothing can be added here. write the mapping out")
	}
	first := d.offset(v.Fields[0].Pos)
	if first < at {
		return nil, d.fail(v.Pos, "nothing can be added to a mapping that is merged from an anchor. write it out")
	}
	indent := first - d.lineStart(first)
	text := keyText(key, d.Format) + ":"
	if below := d.blockText(value, indent+d.unit()); strings.HasPrefix(below, "\n") {
		text += below
	} else {
		text += " " + below
	}
	return d.insertLine(d.end(w.child(len(v.Fields)-1)), strings.Repeat(" ", indent)+text), nil
}

// appendItem writes another item after a list's last.
func (d *document) appendItem(w walk, value any) ([]byte, error) {
	v := w.value()
	if d.Format == cfn.JSON || d.isFlow(v) {
		return d.appendFlow(w, "", value), nil
	}
	dash := d.dash(step{v, 0})
	indent := dash - d.lineStart(dash)
	text := d.blockText(value, indent+2)
	// The first line of the item's own goes behind the dash.
	text = strings.TrimPrefix(text, "\n"+strings.Repeat(" ", indent+2))
	return d.insertLine(d.end(w.child(len(v.Items)-1)), strings.Repeat(" ", indent)+"- "+text), nil
}

// insertLine writes lines after the one that ends at an offset.
func (d *document) insertLine(end int, text string) []byte {
	at := d.lineEnd(end)
	if at > end && d.Source[at-1] == '\r' {
		at--
	}
	return d.splice(at, at, "\n"+text)
}

// appendFlow writes another element before a closing brace or bracket.
func (d *document) appendFlow(w walk, key string, value any) []byte {
	v := w.value()
	at := d.offset(v.Pos)
	n := max(len(v.Fields), len(v.Items))
	if n == 0 {
		closing := d.closing(at)
		if d.Format == cfn.JSON && d.onLines() {
			outer := d.indentOf(at)
			inner := outer + strings.Repeat(" ", d.unit())
			return d.splice(at+1, closing, "\n"+inner+key+d.jsonText(value, inner)+"\n"+outer)
		}
		return d.splice(at+1, closing, key+d.flowText(value, at))
	}
	last := w.child(n - 1)
	begin, end := d.start(last.last()), d.end(last)
	lead := d.Source[d.lineStart(begin):begin]
	if len(bytes.TrimLeft(lead, " \t")) == 0 {
		if d.Format == cfn.JSON {
			return d.splice(end, end, ",\n"+string(lead)+key+d.jsonText(value, string(lead)))
		}
		return d.splice(end, end, ",\n"+string(lead)+key+d.flowText(value, begin))
	}
	comma := ", "
	if d.Format == cfn.JSON && !d.onLines() && !bytes.Contains(d.Source, []byte(", ")) {
		comma = ","
	}
	return d.splice(end, end, comma+key+d.flowText(value, begin))
}

// remove takes a field or an item out.
func (d *document) remove(w walk) ([]byte, error) {
	s := w.last()
	n := max(len(s.in.Fields), len(s.in.Items))
	if n == 1 {
		var empty any = map[string]any{}
		if s.in.Kind == cfn.List {
			empty = []any{}
		}
		return d.replace(w.parent(), empty)
	}
	start := d.start(s)
	if d.Format == cfn.JSON || d.isFlow(s.in) {
		if s.n+1 < n {
			return d.splice(start, d.start(step{s.in, s.n + 1}), ""), nil
		}
		return d.splice(d.end(w.parent().child(s.n-1)), d.end(w), ""), nil
	}
	line := d.lineStart(start)
	if len(bytes.TrimLeft(d.Source[line:start], " ")) > 0 {
		// It stands behind a dash: the next one takes its place.
		if s.n+1 == n {
			return nil, d.fail(w.value().Pos, "it stands on a line with something else. remove it by hand")
		}
		return d.splice(start, d.start(step{s.in, s.n + 1}), ""), nil
	}
	end := d.lineEnd(d.end(w))
	if end < len(d.Source) {
		return d.splice(line, end+1, ""), nil
	}
	return d.splice(max(line-1, 0), end, ""), nil
}
