package cfn

import (
	"slices"
	"strings"
)

// textBuilder joins values into one string, known or known in part.
type textBuilder struct {
	r      *resolver
	pieces []Piece // as they come: literals may follow each other
	needs  []string
	secret bool
	gaps   int
	origin *Origin // of the first part that came from a parameter
}

// text begins a string. Its storage goes back to the resolver when the string is made.
func (r *resolver) text() textBuilder {
	b := textBuilder{r: r}
	if n := len(r.buffers); n > 0 {
		b.pieces = r.buffers[n-1][:0]
		r.buffers = r.buffers[:n-1]
	}
	return b
}

func (b *textBuilder) literal(s string) {
	switch {
	case s == "":
	case b.r.afford(len(s)):
		b.pieces = append(b.pieces, Piece{Literal: s})
	default:
		b.cut()
	}
}

func (b *textBuilder) gap(p Piece) {
	if !b.r.afford(pieceBytes) {
		b.cut()
		return
	}
	b.gaps++
	b.pieces = append(b.pieces, p)
}

// cut stands for more text than the bounds allow: one gap.
func (b *textBuilder) cut() {
	b.need(tooMuch)
	if n := len(b.pieces); n > 0 && b.pieces[n-1] == (Piece{Gap: true}) {
		return
	}
	b.gaps++
	b.pieces = append(b.pieces, Piece{Gap: true})
}

// need notes what would settle the string; the list is shared with the value
// that it comes from as long as there is one.
func (b *textBuilder) need(needs ...string) {
	if b.needs == nil {
		b.needs = needs[:len(needs):len(needs)]
		return
	}
	for _, n := range needs {
		if len(b.needs) < maxNeeds && !slices.Contains(b.needs, n) {
			b.needs = append(b.needs, n)
		}
	}
}

// add appends a resolved value. A list or a map cannot stand in a string, which
// CloudFormation refuses; it reads as a gap.
func (b *textBuilder) add(v *Value) {
	if v == nil {
		return
	}
	if o := v.Origin; o != nil && o.Parameter != "" && (b.origin == nil || o.NoEcho && !b.origin.NoEcho) {
		b.origin = o
	}
	switch v.Kind {
	case Unknown:
		u := v.Unknown
		b.need(u.Needs...)
		b.secret = b.secret || u.Secret
		if u.Shape == nil {
			b.gap(Piece{Gap: true, Ref: u.Ref})
			return
		}
		for i := range u.Shape {
			if u.Shape[i].Gap {
				b.gap(u.Shape[i])
			} else {
				b.literal(u.Shape[i].Literal)
			}
		}
	case List, Map:
		b.need("a text where the template has a " + v.Kind.noun())
		b.gap(Piece{Gap: true})
	case Null:
	default:
		b.literal(v.Text)
	}
}

// value is the string that was built, at pos, made by function. The builder must
// not be used after it.
func (b *textBuilder) value(pos Pos, function string) *Value {
	shape := b.shape()
	b.r.buffers = append(b.r.buffers, b.pieces)
	v := b.r.store.value(String, pos)
	if b.gaps > 0 {
		v.Kind = Unknown
		v.Unknown = &Unknowing{Needs: b.needs, Shape: shape, Secret: b.secret}
		if len(shape) == 1 {
			v.Unknown.Ref = shape[0].Ref
		}
		if b.origin == nil {
			return v
		}
	} else if len(shape) == 1 {
		v.Text = shape[0].Literal
	}
	v.Origin = &Origin{Pos: pos, Function: function}
	if o := b.origin; o != nil {
		v.Origin.Parameter, v.Origin.NoEcho, v.Origin.Default, v.Origin.Source = o.Parameter, o.NoEcho, o.Default, o.Source
	}
	return v
}

// shape is the pieces with literals joined, dynamic references as gaps.
func (b *textBuilder) shape() []Piece {
	n := 0
	for i := range b.pieces {
		if i == 0 || b.pieces[i].Gap || b.pieces[i-1].Gap {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	var one [1]Piece
	out := one[:0]
	if n > 1 || b.gaps > 0 {
		out = make([]Piece, 0, n)
	}
	dynamic := false
	for i := 0; i < len(b.pieces); {
		if b.pieces[i].Gap {
			out = append(out, b.pieces[i])
			i++
			continue
		}
		end, size := i, 0
		for end < len(b.pieces) && !b.pieces[end].Gap {
			size += len(b.pieces[end].Literal)
			end++
		}
		text := b.pieces[i].Literal
		if end > i+1 {
			var join strings.Builder
			join.Grow(size)
			for ; i < end; i++ {
				join.WriteString(b.pieces[i].Literal)
			}
			text = join.String()
		}
		i = end
		dynamic = dynamic || strings.Contains(text, dynamicReference)
		out = append(out, Piece{Literal: text})
	}
	if dynamic {
		return b.dynamicReferences(out)
	}
	return out
}

// dynamicReferences turns each {{resolve:service:…}} in the pieces into a gap,
// also where the reference itself holds gaps. Whatever settles those does not
// settle the value, so the needs of such a gap are replaced with the
// reference's own text.
func (b *textBuilder) dynamicReferences(old []Piece) []Piece {
	var out []Piece
	var needs []string
	keep := false // a gap outside every reference keeps the old needs
	b.gaps = 0
	literal := func(s string) {
		if s != "" {
			out = append(out, Piece{Literal: s})
		}
	}
	for i := 0; i < len(old); i++ {
		if old[i].Gap {
			keep = true
			b.gaps++
			out = append(out, old[i])
			continue
		}
		text := old[i].Literal
		for {
			before, inner, found := strings.Cut(text, dynamicReference)
			literal(before)
			if !found {
				break
			}
			name, after, closed := strings.Cut(inner, "}}")
			for !closed && i+1 < len(old) {
				i++
				if old[i].Gap {
					name += "…"
					continue
				}
				var more string
				more, after, closed = strings.Cut(old[i].Literal, "}}")
				name += more
			}
			if !closed {
				literal(dynamicReference + name)
				break
			}
			if need := "dynamic reference " + name; !slices.Contains(needs, need) {
				needs = append(needs, need)
			}
			service, _, _ := strings.Cut(name, ":")
			b.secret = b.secret || service == "ssm-secure" || service == "secretsmanager"
			b.gaps++
			out = append(out, Piece{Gap: true, NonEmpty: true})
			text = after
		}
	}
	if keep {
		for _, n := range b.needs {
			if !slices.Contains(needs, n) {
				needs = append(needs, n)
			}
		}
	}
	b.needs = needs
	return out
}
