package cfn

import (
	"encoding/base64"
	"math/big"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// selectItem resolves Fn::Select. Of a list that is unknown, an item may still
// be known in part: one of the zones of a region, one piece of a split text.
func (r *resolver) selectItem(v *Value, f *Field) *Value {
	args := f.Value
	if !args.IsKind(List) || len(args.Items) != 2 {
		return r.refused(v, f)
	}
	index := r.value(args.Items[0])
	if index.IsKind(Unknown) {
		return r.selectUnknown(v, index, r.value(args.Items[1]))
	}
	n, err := strconv.Atoi(strings.TrimSpace(text(index)))
	if err != nil || n < 0 {
		return r.refused(v, f)
	}
	source := args.Items[1]
	if source.IsKind(Map) && len(source.Fields) == 1 && source.Fields[0].Key == "Fn::Split" {
		if out := r.selectPiece(v, n, source.Fields[0].Value); out != nil {
			return out
		}
	}
	list := r.value(source)
	switch {
	case list.IsKind(Unknown):
		out := derive(list, v.Pos)
		if source.IsKind(Map) && len(source.Fields) == 1 && source.Fields[0].Key == "Fn::GetAZs" {
			b := r.text()
			b.add(r.zonesRegion(source.Fields[0].Value, v.Pos))
			b.gap(Piece{Gap: true, NonEmpty: true})
			out.Unknown.Shape = b.pieces
		}
		return out
	case !list.IsKind(List):
		return r.refused(v, f)
	case n >= len(list.Items):
		return newUnknown(v.Pos, "an item "+strconv.Itoa(n)+" in a list of "+strconv.Itoa(len(list.Items)))
	}
	out := list.Items[n]
	if isScalar(out) {
		return withOrigin(out, Origin{Pos: v.Pos, Function: "Fn::Select"})
	}
	return out
}

// selectUnknown selects by an index that is not known: decided where all items are equal.
func (r *resolver) selectUnknown(v, index, list *Value) *Value {
	if list.IsKind(List) && len(list.Items) > 0 {
		same := true
		for _, item := range list.Items[1:] {
			same = same && equal(list.Items[0], item) == isTrue
		}
		if same {
			return withOrigin(list.Items[0], Origin{Pos: v.Pos, Function: "Fn::Select"})
		}
	}
	return derive(index, v.Pos)
}

// selectPiece selects from the split of a text that is known in part: the items
// before the first gap are exact, the one that the gap begins in keeps its
// beginning. It returns nil where the text is known or nothing of it is.
func (r *resolver) selectPiece(v *Value, n int, args *Value) *Value {
	delimiter, source, ok := r.splitArgs(args)
	if !ok || !source.IsKind(Unknown) || len(source.Unknown.Shape) == 0 || source.Unknown.Shape[0].Gap {
		return nil
	}
	shape := source.Unknown.Shape
	head := strings.Split(shape[0].Literal, delimiter)
	if n < len(head)-1 {
		return withOrigin(literalAt(head[n], v.Pos), Origin{Pos: v.Pos, Function: "Fn::Select"})
	}
	out := derive(source, v.Pos)
	if n == len(head)-1 && head[n] != "" {
		out.Unknown.Shape = []Piece{{Literal: head[n]}, {Gap: true}}
	} else {
		out.Unknown.Shape = []Piece{{Gap: true}}
	}
	return out
}

// text is the text of a scalar, "" of anything else.
func text(v *Value) string {
	if isScalar(v) {
		return v.Text
	}
	return ""
}

// getAZs is unknown even where the region is known: which zones an account
// gets, and in which order, is the account's own.
func (r *resolver) getAZs(v *Value, f *Field) *Value {
	region := r.zonesRegion(f.Value, v.Pos)
	need := "availability zones"
	if name := describe(region); isScalar(region) {
		need += " of " + name
	}
	out := newUnknown(v.Pos, need)
	out.Unknown.filled = true
	return out
}

// zonesRegion is the region of a Fn::GetAZs: that of the stack where the argument is "".
func (r *resolver) zonesRegion(arg *Value, pos Pos) *Value {
	region := r.value(arg)
	if region == nil || region.IsKind(Null) || isScalar(region) && region.Text == "" {
		region, _ = r.pseudo(pseudoRegion, pos)
	}
	return region
}

func (r *resolver) findInMap(v *Value, f *Field) *Value {
	args := f.Value
	if !args.IsKind(List) || len(args.Items) < 3 || len(args.Items) > 4 {
		return r.refused(v, f)
	}
	var keys [3]*Value
	for i := range keys {
		keys[i] = r.value(args.Items[i])
		if !isScalar(keys[i]) && !keys[i].IsKind(Unknown) {
			return r.refused(v, f)
		}
	}
	var fallback *Value
	if len(args.Items) == 4 {
		fallback = args.Items[3].Get("DefaultValue")
	}
	if keys[0].Kind == Unknown {
		return derive(keys[0], v.Pos)
	}
	name := keys[0].Text
	if !r.afford(len(r.t.Mappings.fields()) / 8) {
		return newUnknown(v.Pos, tooMuch)
	}
	table := r.t.Mappings.Get(name)
	origin := Origin{Pos: v.Pos, Function: "Fn::FindInMap"}
	if keys[1].Kind != Unknown && keys[2].Kind != Unknown {
		if !r.afford(len(table.fields()) / 8) {
			return newUnknown(v.Pos, tooMuch)
		}
		entry := table.Get(keys[1].Text).Get(keys[2].Text)
		if entry == nil {
			if fallback != nil {
				return r.value(fallback)
			}
			return newUnknown(v.Pos, "entry "+keys[1].Text+"."+keys[2].Text+" in mapping "+name)
		}
		origin.Source = entry.Pos
		return placed(r.value(entry), v.Pos, origin)
	}
	if !r.afford(len(table.fields()) * 16) {
		return newUnknown(v.Pos, tooMuch)
	}
	entries := r.candidates(table, keys[1], keys[2])
	if fallback != nil {
		entries = append(entries, r.value(fallback))
	}
	var b textBuilder
	for _, k := range keys[1:] {
		if k.Kind == Unknown {
			b.need(k.Unknown.Needs...)
		}
	}
	if len(entries) == 0 {
		b.need("an entry in mapping " + name)
		return unknownOf(v.Pos, b.needs, nil)
	}
	same, filled := true, true
	for _, e := range entries {
		same = same && equal(entries[0], e) == isTrue
		filled = filled && isScalar(e) && e.Text != ""
	}
	if same {
		origin.Source = entries[0].Pos
		return placed(entries[0], v.Pos, origin)
	}
	out := unknownOf(v.Pos, b.needs, nil)
	if filled {
		out.Unknown.Shape = []Piece{{Gap: true, NonEmpty: true}}
	}
	return out
}

// unknownOf makes an unknown value with several needs.
func unknownOf(pos Pos, needs []string, shape []Piece) *Value {
	return &Value{Kind: Unknown, Pos: pos, Unknown: &Unknowing{Needs: needs, Shape: shape}}
}

// placed is a copy of v at the place that reads it; where the text itself
// stands is in the origin.
func placed(v *Value, pos Pos, o Origin) *Value {
	if v == nil {
		return nil
	}
	c := &originated{value: *v, origin: o}
	c.value.Pos = pos
	c.value.Origin = &c.origin
	return &c.value
}

// candidates are the entries of a mapping that two keys may lead to, of which
// one at least is not known. Entries without the second key are left out: to
// choose one of them fails the deployment.
func (r *resolver) candidates(table, first, second *Value) []*Value {
	var out []*Value
	if !table.IsKind(Map) {
		return nil
	}
	for i := range table.Fields {
		row := &table.Fields[i]
		if !r.mayBe(first, row.Key) || !row.Value.IsKind(Map) {
			continue
		}
		for j := range row.Value.Fields {
			if r.mayBe(second, row.Value.Fields[j].Key) {
				out = append(out, row.Value.Fields[j].Value)
			}
		}
	}
	return out
}

// mayBe reports whether a mapping's key may be this one: a parameter's allowed
// values count.
func (r *resolver) mayBe(key *Value, name string) bool {
	if key.Kind != Unknown {
		return key.Text == name
	}
	if o := key.Origin; o != nil && o.Function == "Ref" {
		if p := r.params[o.Parameter]; p != nil && len(p.declared.AllowedValues) > 0 {
			return slices.Contains(p.declared.AllowedValues, name)
		}
	}
	return key.Unknown.CanEqual(name)
}

func (r *resolver) base64(v *Value, f *Field) *Value {
	plain := r.value(f.Value)
	var out *Value
	switch {
	case isScalar(plain) && !r.afford(2*len(plain.Text)):
		return newUnknown(v.Pos, tooMuch)
	case isScalar(plain):
		out = literalAt(base64.StdEncoding.EncodeToString([]byte(plain.Text)), v.Pos)
	case plain.IsKind(Unknown):
		out = derive(plain, v.Pos)
		if s := plain.Unknown.Shape; len(s) > 0 {
			head := s[0].Literal[:len(s[0].Literal)/3*3] // what is encoded alike whatever follows
			out.Unknown.Shape = []Piece{{Literal: base64.StdEncoding.EncodeToString([]byte(head))}, {Gap: true}}
			if head == "" {
				out.Unknown.Shape = out.Unknown.Shape[1:]
			}
		}
	default:
		return r.refused(v, f)
	}
	o := inherit(&Origin{Pos: v.Pos, Function: "Fn::Base64"}, plain)
	o.Plain = plain
	out.Origin = o
	return out
}

func (r *resolver) length(v *Value, f *Field) *Value {
	list := r.value(f.Value)
	switch {
	case list.IsKind(List):
		return withOrigin(&Value{Kind: Number, Pos: v.Pos, Text: strconv.Itoa(len(list.Items))}, Origin{Pos: v.Pos, Function: "Fn::Length"})
	case list.IsKind(Unknown):
		return derive(list, v.Pos)
	}
	return r.refused(v, f)
}

// maxCidrCount is CloudFormation's bound on the blocks of one Fn::Cidr.
const maxCidrCount = 256

// cidr resolves Fn::Cidr exactly: count blocks of size 2^cidrBits from the
// beginning of the block, 8 bits where none are given.
func (r *resolver) cidr(v *Value, f *Field) *Value {
	args := f.Value
	if !args.IsKind(List) || len(args.Items) < 2 || len(args.Items) > 3 {
		return r.refused(v, f)
	}
	block, count := r.value(args.Items[0]), r.value(args.Items[1])
	bits := &Value{Kind: Number, Text: "8"}
	if len(args.Items) == 3 {
		bits = r.value(args.Items[2])
	}
	for _, x := range []*Value{count, bits} {
		if x.IsKind(Unknown) {
			return derive(x, v.Pos)
		}
	}
	n, err := strconv.Atoi(text(count))
	if err != nil || n < 1 || n > maxCidrCount {
		return r.refused(v, f)
	}
	if !r.afford(n * valueBytes) {
		return newUnknown(v.Pos, tooMuch)
	}
	if block.IsKind(Unknown) {
		// How many blocks there are is known, so an index out of range is.
		out := &Value{Kind: List, Pos: v.Pos, Items: make([]*Value, n)}
		for i := range out.Items {
			out.Items[i] = derive(block, v.Pos)
			out.Items[i].Unknown.Shape = []Piece{{Gap: true, NonEmpty: true}}
		}
		return out
	}
	prefix, err := netip.ParsePrefix(text(block))
	if err != nil {
		return r.refused(v, f)
	}
	host, err := strconv.Atoi(text(bits))
	size := prefix.Addr().BitLen()
	if err != nil || host < 1 || host > size || size-host < prefix.Bits() {
		return r.refused(v, f)
	}
	if room := uint(size - host - prefix.Bits()); room < 9 && n > 1<<room {
		return r.refused(v, f)
	}
	return subnets(prefix, n, host, v.Pos)
}

// subnets lists the first n blocks of 2^host addresses.
func subnets(prefix netip.Prefix, n, host int, pos Pos) *Value {
	o := &originated{origin: Origin{Pos: pos, Function: "Fn::Cidr"}}
	o.value = Value{Kind: List, Pos: pos, Origin: &o.origin, Items: make([]*Value, n)}
	first := prefix.Masked().Addr()
	at := new(big.Int).SetBytes(first.AsSlice())
	step := new(big.Int).Lsh(big.NewInt(1), uint(host))
	buf := make([]byte, first.BitLen()/8)
	items := make([]Value, n)
	for i := range items {
		addr, _ := netip.AddrFromSlice(at.FillBytes(buf))
		items[i] = Value{Kind: String, Pos: pos, Origin: &o.origin,
			Text: netip.PrefixFrom(addr, first.BitLen()-host).String()}
		o.value.Items[i] = &items[i]
		at.Add(at, step)
	}
	return &o.value
}
