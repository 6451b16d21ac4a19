package cfn

import (
	"slices"
	"strings"
)

// CanEqual reports whether a string that is known only in part may turn out to
// be text: false is certain, true means "perhaps". A nil u, or one without a
// Shape, may be anything.
func (u *Unknowing) CanEqual(text string) bool {
	if u == nil || u.Shape == nil {
		return true
	}
	return piecesMatch(u.Shape, text)
}

// piecesMatch matches text against pieces, a gap being any text. It backs up
// to the latest gap only, so it is linear in practice: literals between two
// gaps may stand at their first place, since a later one only leaves less.
func piecesMatch(pieces []Piece, text string) bool {
	open := false // a gap stands before, so the next literal may begin anywhere
	least := 0    // bytes the gap must take at least
	for i := range pieces {
		p := &pieces[i]
		if p.Gap {
			open = true
			if p.NonEmpty {
				least++
			}
			continue
		}
		if p.Literal == "" {
			continue
		}
		if !open {
			if !strings.HasPrefix(text, p.Literal) {
				return false
			}
			text = text[len(p.Literal):]
			continue
		}
		if len(text) < least {
			return false
		}
		if lastLiteral(pieces[i+1:]) {
			// The last literal must end the text.
			return len(text)-least >= len(p.Literal) && strings.HasSuffix(text, p.Literal)
		}
		at := strings.Index(text[least:], p.Literal)
		if at < 0 {
			return false
		}
		text = text[least+at+len(p.Literal):]
		open, least = false, 0
	}
	if open {
		return len(text) >= least
	}
	return text == ""
}

// lastLiteral reports whether nothing stands in rest.
func lastLiteral(rest []Piece) bool {
	for i := range rest {
		if rest[i].Gap || rest[i].Literal != "" {
			return false
		}
	}
	return true
}

// unknownBox holds an unknown value with all that commonly belongs to it, so
// that it costs one allocation.
type unknownBox struct {
	value  Value
	why    Unknowing
	piece  [1]Piece
	need   [1]string
	ref    Reference
	origin Origin
}

// newUnknown makes an unknown value of any kind, settled by need.
func newUnknown(pos Pos, need string) *Value {
	b := &unknownBox{need: [1]string{need}}
	b.why.Needs = b.need[:]
	b.value = Value{Kind: Unknown, Pos: pos, Unknown: &b.why}
	return &b.value
}

// newUnknownText makes an unknown string of one gap, settled by need.
func newUnknownText(pos Pos, need string, nonEmpty bool) *Value {
	b := &unknownBox{need: [1]string{need}, piece: [1]Piece{{Gap: true, NonEmpty: nonEmpty}}}
	b.why.Needs, b.why.Shape = b.need[:], b.piece[:]
	b.value = Value{Kind: Unknown, Pos: pos, Unknown: &b.why}
	return &b.value
}

// newReference makes the unknown value of a Ref (attribute "") or a GetAtt.
func newReference(pos Pos, id, attribute, need string) *Value {
	b := &unknownBox{need: [1]string{need}, ref: Reference{LogicalID: id, Attribute: attribute}}
	b.piece[0] = Piece{Gap: true, NonEmpty: true, Ref: &b.ref}
	b.why = Unknowing{Needs: b.need[:], Shape: b.piece[:], Ref: &b.ref}
	b.value = Value{Kind: Unknown, Pos: pos, Unknown: &b.why}
	return &b.value
}

// derive makes an unknown value that waits for the same as the unknown u.
func derive(u *Value, pos Pos) *Value {
	b := &unknownBox{}
	b.why = Unknowing{Needs: u.Unknown.Needs, Secret: u.Unknown.Secret}
	b.value = Value{Kind: Unknown, Pos: pos, Unknown: &b.why, Origin: u.Origin}
	return &b.value
}

// textBuilder joins values into one string, known or known in part.
type textBuilder struct {
	pieces []Piece
	needs  []string
	secret bool
	gaps   bool
	ref    *Reference // of the only piece so far
	origin *Origin    // of the first part that came from a parameter
	parts  int
}

func (b *textBuilder) literal(s string) {
	if s == "" {
		return
	}
	b.parts++
	if n := len(b.pieces); n > 0 && !b.pieces[n-1].Gap {
		b.pieces[n-1].Literal += s
		return
	}
	b.pieces = append(b.pieces, Piece{Literal: s})
}

func (b *textBuilder) gap(p Piece) {
	b.parts++
	b.gaps = true
	b.pieces = append(b.pieces, p)
}

func (b *textBuilder) need(needs ...string) {
	for _, n := range needs {
		if !slices.Contains(b.needs, n) {
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
	if o := v.Origin; o != nil && (o.Parameter != "" || o.NoEcho) && (b.origin == nil || o.NoEcho && !b.origin.NoEcho) {
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

// value is the string that was built, at pos, made by function.
func (b *textBuilder) value(pos Pos, function string) *Value {
	if hasDynamic(b.pieces) {
		b.dynamicReferences()
	}
	if !b.gaps {
		o := &originated{origin: Origin{Pos: pos, Function: function}}
		if b.origin != nil {
			o.origin.Parameter, o.origin.NoEcho, o.origin.Default = b.origin.Parameter, b.origin.NoEcho, b.origin.Default
			o.origin.Source = b.origin.Source
		}
		o.value = Value{Kind: String, Pos: pos, Origin: &o.origin}
		if len(b.pieces) == 1 {
			o.value.Text = b.pieces[0].Literal
		}
		return &o.value
	}
	box := &unknownBox{}
	box.why = Unknowing{Needs: b.needs, Shape: b.pieces, Secret: b.secret}
	if len(b.pieces) == 1 && b.pieces[0].Ref != nil {
		box.why.Ref = b.pieces[0].Ref
	}
	box.value = Value{Kind: Unknown, Pos: pos, Unknown: &box.why}
	if b.origin != nil {
		box.origin = Origin{Pos: pos, Function: function, Parameter: b.origin.Parameter, NoEcho: b.origin.NoEcho, Default: b.origin.Default, Source: b.origin.Source}
		box.value.Origin = &box.origin
	}
	return &box.value
}

// originated is a value with its origin, in one allocation.
type originated struct {
	value  Value
	origin Origin
}

// withOrigin returns a copy of v with an origin; the subtree is shared. A value
// that has one keeps it, since the inner origin says more.
func withOrigin(v *Value, o Origin) *Value {
	if v == nil || v.Origin != nil || v.Kind == Unknown && v.Unknown.Ref != nil {
		return v
	}
	c := &originated{value: *v, origin: o}
	c.value.Origin = &c.origin
	return &c.value
}

func hasDynamic(pieces []Piece) bool {
	for i := range pieces {
		if strings.Contains(pieces[i].Literal, dynamicReference) {
			return true
		}
	}
	return false
}

// dynamicReferences turns each {{resolve:service:…}} in the pieces into a gap,
// also where the reference itself holds gaps. Whatever settles those does not
// settle the value, so the needs of such a gap are replaced with the
// reference's own text.
func (b *textBuilder) dynamicReferences() {
	old := b.pieces
	out := textBuilder{origin: b.origin, secret: b.secret}
	keep := false // a gap outside every reference keeps the old needs
	for i := 0; i < len(old); i++ {
		p := old[i]
		if p.Gap {
			keep = true
			out.gap(p)
			continue
		}
		text := p.Literal
		for {
			before, inner, found := strings.Cut(text, dynamicReference)
			out.literal(before)
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
				out.literal(dynamicReference + name)
				break
			}
			out.need("dynamic reference " + name)
			service, _, _ := strings.Cut(name, ":")
			out.secret = out.secret || service == "ssm-secure" || service == "secretsmanager"
			out.gap(Piece{Gap: true, NonEmpty: true})
			text = after
		}
	}
	if keep {
		out.need(b.needs...)
	}
	*b = out
}

// describe writes a value for a message: gaps as "…".
func describe(v *Value) string {
	if v == nil {
		return ""
	}
	if v.Kind != Unknown {
		return v.Text
	}
	if v.Unknown.Shape == nil {
		return "…"
	}
	var sb strings.Builder
	for _, p := range v.Unknown.Shape {
		if p.Gap {
			sb.WriteString("…")
		} else {
			sb.WriteString(p.Literal)
		}
	}
	return sb.String()
}

// isScalar reports whether v is a known String, Number or Bool.
func isScalar(v *Value) bool {
	return v != nil && (v.Kind == String || v.Kind == Number || v.Kind == Bool)
}

// noun names a kind in a message.
func (k Kind) noun() string {
	switch k {
	case Absent:
		return "nothing"
	case Null:
		return "null"
	case String:
		return "string"
	case Number:
		return "number"
	case Bool:
		return "boolean"
	case List:
		return "list"
	case Map:
		return "map"
	}
	return "value that is not known"
}
