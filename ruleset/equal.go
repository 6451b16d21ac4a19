package ruleset

import (
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"plumbline/cfn"
)

// equal is CEL's equality over values of which a part may be unknown: True,
// False, or Unknown where the known parts do not decide.
func equal(a, b ref.Val) ref.Val {
	if u := strict(a, b); u != nil {
		return u
	}
	switch x := a.(type) {
	case types.String:
		switch y := b.(type) {
		case types.String:
			return types.Bool(x == y)
		case *symbolic:
			return y.answer(y.equals(string(x)))
		}
		return types.False
	case *symbolic:
		switch y := b.(type) {
		case types.String:
			return x.answer(x.equals(string(y)))
		case *symbolic:
			if t := x.same(y); t != maybe {
				return types.Bool(t == yes)
			}
			return unknownOf(mergeNeeds(x.needs, y.needs))
		}
		return types.False
	case types.Null, absent:
		switch b.(type) {
		case types.Null, absent:
			return types.True
		}
		return types.False
	case *types.Optional:
		y, ok := b.(*types.Optional)
		if !ok || x.HasValue() != y.HasValue() {
			return types.False
		}
		if !x.HasValue() {
			return types.True
		}
		return equal(x.GetValue(), y.GetValue())
	case *view:
		if y, ok := b.(*view); ok {
			return x.equals(y)
		}
		return types.False
	case traits.Lister:
		if y, ok := b.(traits.Lister); ok {
			return equalLists(x, y)
		}
		return types.False
	}
	if ka := keysOf(a); ka != nil {
		if kb := keysOf(b); kb != nil {
			return equalMaps(ka, kb)
		}
		return types.False
	}
	switch b.(type) {
	case absent, *view, *listView, *mapView, refList, *symbolic:
		return types.False
	}
	return types.Equal(a, b)
}

// strict is the Unknown or error among the operands, nil where there is none.
func strict(a, b ref.Val) ref.Val {
	ua, oka := a.(*types.Unknown)
	ub, okb := b.(*types.Unknown)
	switch {
	case oka && okb:
		return types.MergeUnknowns(ua, ub)
	case oka:
		return a
	case okb:
		return b
	}
	if types.IsError(a) {
		return a
	}
	if types.IsError(b) {
		return b
	}
	return nil
}

// answer is the CEL value of a decision about s.
func (s *symbolic) answer(t tri) ref.Val {
	if t == maybe {
		return s.unknown()
	}
	return types.Bool(t == yes)
}

// conjunction merges answers: False wins, then Unknown, then an error.
type conjunction struct {
	no      bool
	unknown *types.Unknown
	err     ref.Val
}

func (c *conjunction) add(v ref.Val) {
	switch v := v.(type) {
	case types.Bool:
		c.no = c.no || !bool(v)
	case *types.Unknown:
		c.unknown = types.MergeUnknowns(c.unknown, v)
	default:
		c.err = v
	}
}

func (c *conjunction) result() ref.Val {
	switch {
	case c.no:
		return types.False
	case c.unknown != nil:
		return c.unknown
	case c.err != nil:
		return c.err
	}
	return types.True
}

func equalLists(a, b traits.Lister) ref.Val {
	leastA, mostA := sizeBounds(a)
	leastB, mostB := sizeBounds(b)
	if leastA > mostB || leastB > mostA {
		return types.False
	}
	x, y := elements(a), elements(b)
	if leastA != mostA || leastB != mostB {
		return types.MergeUnknowns(unsureIn(x), unsureIn(y))
	}
	var all conjunction
	for i := range x {
		if all.add(equal(x[i], y[i])); all.no {
			break
		}
	}
	return all.result()
}

// contains is `x in list`.
func contains(l traits.Lister, x ref.Val) ref.Val {
	var unknown *types.Unknown
	n, _ := sizeOf(l)
	for i := range n {
		switch v := equal(elementAt(l, i), x).(type) {
		case types.Bool:
			if v {
				return types.True
			}
		case *types.Unknown:
			unknown = types.MergeUnknowns(unknown, v)
		}
	}
	if unknown != nil {
		return unknown
	}
	return types.False
}

// keyed is what mapView and CEL's own maps have in common.
type keyed struct {
	keys []ref.Val
	more *types.Unknown // not nil: there may be other keys
	get  func(ref.Val) ref.Val
	has  func(ref.Val) bool
}

func keysOf(v ref.Val) *keyed {
	switch m := v.(type) {
	case *mapView:
		k := &keyed{more: m.more, get: m.Get, has: func(k ref.Val) bool { return m.Contains(k) == types.True }}
		for _, f := range m.fields() {
			if !f.Value.IsKind(cfn.Null) {
				k.keys = append(k.keys, types.String(f.Key))
			}
		}
		return k
	case traits.Mapper:
		k := &keyed{get: m.Get, has: func(k ref.Val) bool { _, ok := m.Find(k); return ok }}
		for it := m.Iterator(); it.HasNext() == types.True; {
			k.keys = append(k.keys, it.Next())
		}
		return k
	}
	return nil
}

func equalMaps(a, b *keyed) ref.Val {
	if a.more != nil || b.more != nil {
		return types.MergeUnknowns(a.more, b.more)
	}
	if len(a.keys) != len(b.keys) {
		return types.False
	}
	var all conjunction
	for _, k := range a.keys {
		if !b.has(k) {
			return types.False
		}
		all.add(equal(a.get(k), b.get(k)))
	}
	return all.result()
}

// equals compares objects property by property; an unset one equals its zero value.
func (v *view) equals(w *view) ref.Val {
	if v.typ != w.typ && v.typ.Name != w.typ.Name {
		return types.False
	}
	if v.value == w.value {
		return types.True
	}
	var all conjunction
	for i := range v.typ.Properties {
		p := &v.typ.Properties[i]
		x, y := v.value.Get(p.Name), w.value.Get(p.Name)
		if x != y {
			all.add(equal(v.owner.read(v, p.Name, x), w.owner.read(w, p.Name, y)))
		}
		if all.no {
			break
		}
	}
	return all.result()
}

// inMap is `key in map`; a key of which only a part is known may be any of the keys it can equal.
func inMap(m ref.Val, key ref.Val) ref.Val {
	s, ok := key.(*symbolic)
	if !ok {
		if c, ok := m.(interface{ Contains(ref.Val) ref.Val }); ok {
			return c.Contains(key)
		}
		return types.MaybeNoSuchOverloadErr(m)
	}
	keys := keysOf(m)
	if keys == nil {
		return types.False
	}
	if keys.more != nil {
		return types.MergeUnknowns(keys.more, s.unknown())
	}
	for _, k := range keys.keys {
		if text, ok := k.(types.String); ok && s.equals(string(text)) == maybe {
			return s.unknown()
		}
	}
	return types.False
}
