package cfn

import "strings"

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

// newUnknown makes an unknown value of any kind, settled by need.
func newUnknown(pos Pos, need string) *Value {
	b := &struct {
		value Value
		why   Unknowing
		need  [1]string
	}{need: [1]string{need}}
	b.why.Needs = b.need[:]
	b.value = Value{Kind: Unknown, Pos: pos, Unknown: &b.why}
	return &b.value
}

// unknownText is what is known of a string that is one gap, settled by need.
func unknownText(need string, nonEmpty bool) *Unknowing {
	b := &struct {
		why   Unknowing
		need  [1]string
		piece [1]Piece
	}{need: [1]string{need}, piece: [1]Piece{{Gap: true, NonEmpty: nonEmpty}}}
	b.why.Needs, b.why.Shape = b.need[:], b.piece[:]
	return &b.why
}

// reference makes the unknown value of a Ref (attribute "") or a GetAtt. Values
// that refer to the same share what is known of them.
func (r *resolver) reference(pos Pos, id, attribute string) *Value {
	key := Reference{id, attribute}
	why := r.references[key]
	if why == nil {
		b := &struct {
			why   Unknowing
			need  [1]string
			piece [1]Piece
			ref   Reference
		}{ref: key}
		if attribute == "" {
			b.need[0] = "resource " + id
		} else {
			b.need[0] = "attribute " + id + "." + attribute
		}
		b.piece[0] = Piece{Gap: true, NonEmpty: true, Ref: &b.ref}
		b.why = Unknowing{Needs: b.need[:], Shape: b.piece[:], Ref: &b.ref}
		why = &b.why
		r.references[key] = why
	}
	v := r.store.value(Unknown, pos)
	v.Unknown = why
	return v
}

// derive makes an unknown value that waits for the same as the unknown u.
func derive(u *Value, pos Pos) *Value {
	b := &struct {
		value Value
		why   Unknowing
	}{why: Unknowing{Needs: u.Unknown.Needs, Secret: u.Unknown.Secret}}
	b.value = Value{Kind: Unknown, Pos: pos, Unknown: &b.why, Origin: u.Origin}
	return &b.value
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
