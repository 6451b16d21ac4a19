package ruleset

import (
	"fmt"
	"reflect"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"plumbline/cfn"
	"plumbline/cfn/schema"
)

// listView is a list of the template, read item by item as its element type.
// An item that is not known yet is an unknown element, not an unknown list.
type listView struct {
	items []*cfn.Value
	typ   *schema.Type // Kind List
	owner *owner
}

var _ traits.Lister = (*listView)(nil)
var _ traits.Foldable = (*listView)(nil)

func (l *listView) at(i int) ref.Val {
	if l.owner.trace != nil {
		l.owner.trace.item(l.owner, l.items[i])
	}
	return l.owner.convert(l.items[i], l.typ.Elem, "")
}

// GetInt64Index is the fast path of list[3].
func (l *listView) GetInt64Index(i int64) (any, bool) {
	if i < 0 || i >= int64(len(l.items)) {
		return nil, false
	}
	return l.at(int(i)), true
}

func (l *listView) Get(index ref.Val) ref.Val {
	i, err := types.GetOrError(index)
	if err != nil {
		return types.WrapErr(err)
	}
	if i < 0 || i >= len(l.items) {
		return types.NewErr("index out of bounds: %d", i)
	}
	return l.at(i)
}

func (l *listView) Fold(f traits.Folder) {
	for i := range l.items {
		if !f.FoldEntry(types.Int(i), l.at(i)) {
			return
		}
	}
}

func (l *listView) Size() ref.Val { return types.Int(len(l.items)) }

func (l *listView) Iterator() traits.Iterator {
	return &iterator{n: len(l.items), at: l.at}
}

func (l *listView) Add(other ref.Val) ref.Val {
	o, ok := other.(traits.Lister)
	if !ok {
		return types.MaybeNoSuchOverloadErr(other)
	}
	return concat(l, o)
}

func (l *listView) Contains(x ref.Val) ref.Val { return contains(l, x) }
func (l *listView) Equal(other ref.Val) ref.Val {
	return equal(l, other)
}
func (l *listView) Type() ref.Type    { return types.ListType }
func (l *listView) Value() any        { return l }
func (l *listView) IsZeroValue() bool { return len(l.items) == 0 }

func (l *listView) ConvertToType(t ref.Type) ref.Val { return convertCollection(l, types.ListType, t) }
func (l *listView) ConvertToNative(t reflect.Type) (any, error) {
	return types.NewRefValList(types.DefaultTypeAdapter, elements(l)).ConvertToNative(t)
}

// elements are the elements of any list, unsure ones included.
func elements(l traits.Lister) refList {
	if r, ok := l.(refList); ok {
		return r
	}
	n, _ := sizeOf(l)
	out := make(refList, n)
	for i := range out {
		out[i] = elementAt(l, i)
	}
	return out
}

// sizeOf is the number of elements, unsure ones included.
func sizeOf(l traits.Lister) (int, bool) {
	if r, ok := l.(refList); ok {
		return len(r), true
	}
	n, ok := l.Size().(types.Int)
	return int(n), ok
}

func elementAt(l traits.Lister, i int) ref.Val {
	switch l := l.(type) {
	case refList:
		return l[i]
	case *listView:
		return l.at(i)
	}
	return l.Get(types.Int(i))
}

func concat(a, b traits.Lister) refList {
	x, y := elements(a), elements(b)
	out := make(refList, 0, len(x)+len(y))
	return append(append(out, x...), y...)
}

// refList is a list of CEL values; unlike CEL's own it may hold unknown elements.
type refList []ref.Val

var _ traits.Lister = refList(nil)

func (l refList) GetInt64Index(i int64) (any, bool) {
	if u := unsureIn(l); u != nil {
		return u, true
	}
	if i < 0 || i >= int64(len(l)) {
		return nil, false
	}
	return l[i], true
}

func (l refList) Get(index ref.Val) ref.Val {
	i, err := types.GetOrError(index)
	if err != nil {
		return types.WrapErr(err)
	}
	if u := unsureIn(l); u != nil {
		return u
	}
	if i < 0 || i >= len(l) {
		return types.NewErr("index out of bounds: %d", i)
	}
	return l[i]
}

func (l refList) Fold(f traits.Folder) {
	for i, x := range l {
		if !f.FoldEntry(types.Int(i), x) {
			return
		}
	}
}

func (l refList) Size() ref.Val { return types.Int(len(l)) }
func (l refList) Iterator() traits.Iterator {
	return &iterator{n: len(l), at: func(i int) ref.Val { return l[i] }}
}
func (l refList) Add(other ref.Val) ref.Val {
	o, ok := other.(traits.Lister)
	if !ok {
		return types.MaybeNoSuchOverloadErr(other)
	}
	return concat(l, o)
}
func (l refList) Contains(x ref.Val) ref.Val       { return contains(l, x) }
func (l refList) Equal(other ref.Val) ref.Val      { return equal(l, other) }
func (l refList) Type() ref.Type                   { return types.ListType }
func (l refList) Value() any                       { return []ref.Val(l) }
func (l refList) IsZeroValue() bool                { return len(l) == 0 }
func (l refList) ConvertToType(t ref.Type) ref.Val { return convertCollection(l, types.ListType, t) }
func (l refList) ConvertToNative(t reflect.Type) (any, error) {
	return types.NewRefValList(types.DefaultTypeAdapter, l).ConvertToNative(t)
}

// mapView is a mapping with keys of the user's choice. A key that is not there
// reads as the zero value of the element type, so that a rule needs has() or
// `in` only where the difference matters.
type mapView struct {
	value *cfn.Value   // Map, or nil
	typ   *schema.Type // Kind Map
	owner *owner
	more  *types.Unknown // not nil: the map may have other keys, which this would settle
}

// unsure is the answer for a key that is not there where there may be more keys
// than are known; nil where the map is sure.
func (m *mapView) unsure(key ref.Val) ref.Val {
	if name, ok := key.(types.String); m.more != nil && (!ok || m.value.Get(string(name)) == nil) {
		return m.more
	}
	return nil
}

var _ traits.Indexer = (*mapView)(nil)
var _ traits.FieldTester = (*mapView)(nil)
var _ traits.Foldable = (*mapView)(nil)

func (m *mapView) fields() []cfn.Field {
	if m.value == nil {
		return nil
	}
	return m.value.Fields
}

func (m *mapView) key(name string) ref.Val {
	child := m.value.Get(name)
	if m.owner.trace != nil {
		m.owner.trace.read(m.owner, m.value, name, child)
	}
	if m.owner.render && child.IsKind(cfn.String) && confidential(name, child) {
		return types.String(masked)
	}
	return m.owner.convert(child, m.typ.Elem, name)
}

// FindStringKey is the fast path of map.key.
func (m *mapView) FindStringKey(name string) (any, bool) {
	if child := m.value.Get(name); child == nil || child.Kind == cfn.Null {
		return nil, false
	}
	return m.key(name), true
}

// Get reads a key that may be missing. mapView is no traits.Mapper on purpose:
// for a Mapper CEL makes a missing key an error.
func (m *mapView) Get(key ref.Val) ref.Val {
	name, ok := key.(types.String)
	if !ok {
		return types.NewErr("no such key: %v", key)
	}
	if u := m.unsure(key); u != nil {
		return u
	}
	return m.key(string(name))
}

func (m *mapView) IsSet(key ref.Val) ref.Val { return m.Contains(key) }

func (m *mapView) Contains(key ref.Val) ref.Val {
	if u := m.unsure(key); u != nil {
		return u
	}
	name, _ := key.(types.String)
	child := m.value.Get(string(name))
	return types.Bool(child != nil && child.Kind != cfn.Null)
}

func (m *mapView) Fold(f traits.Folder) {
	for _, field := range m.fields() {
		if !f.FoldEntry(types.String(field.Key), m.key(field.Key)) {
			return
		}
	}
	if m.more != nil {
		f.FoldEntry(m.more, m.more)
	}
}

func (m *mapView) Size() ref.Val {
	if m.more != nil {
		return m.more
	}
	return types.Int(len(m.fields()))
}

func (m *mapView) Iterator() traits.Iterator {
	fields := m.fields()
	return &iterator{n: len(fields), at: func(i int) ref.Val { return types.String(fields[i].Key) }}
}

func (m *mapView) Equal(other ref.Val) ref.Val { return equal(m, other) }
func (m *mapView) Type() ref.Type              { return types.MapType }
func (m *mapView) Value() any                  { return m }
func (m *mapView) IsZeroValue() bool           { return len(m.fields()) == 0 }

func (m *mapView) ConvertToType(t ref.Type) ref.Val { return convertCollection(m, types.MapType, t) }
func (m *mapView) ConvertToNative(t reflect.Type) (any, error) {
	out := make(map[ref.Val]ref.Val, len(m.fields()))
	for _, f := range m.fields() {
		out[types.String(f.Key)] = m.key(f.Key)
	}
	return types.NewRefValMap(types.DefaultTypeAdapter, out).ConvertToNative(t)
}

func convertCollection(v ref.Val, own *types.Type, t ref.Type) ref.Val {
	switch t {
	case own:
		return v
	case types.TypeType:
		return own
	}
	return types.NewErr("type conversion error from %s to %s", own.TypeName(), t.TypeName())
}

// absent is what an unset property of open type reads as: null, and everything
// below it as well, so that a path through an absent document needs no guards.
type absent struct{}

var _ traits.Indexer = absent{}
var _ traits.FieldTester = absent{}

func (absent) FindStringKey(string) (any, bool) { return nil, false }
func (absent) Get(ref.Val) ref.Val              { return absent{} }
func (absent) IsSet(ref.Val) ref.Val            { return types.False }
func (absent) Contains(ref.Val) ref.Val         { return types.False }
func (absent) Size() ref.Val                    { return types.IntZero }
func (absent) Iterator() traits.Iterator        { return &iterator{} }
func (absent) Fold(traits.Folder)               {}
func (absent) Equal(other ref.Val) ref.Val      { return equal(absent{}, other) }
func (absent) Type() ref.Type                   { return types.NullType }
func (absent) Value() any                       { return absent{} }
func (absent) IsZeroValue() bool                { return true }
func (absent) ConvertToNative(reflect.Type) (any, error) {
	return nil, fmt.Errorf("null has no native form")
}
func (absent) ConvertToType(t ref.Type) ref.Val {
	switch t {
	case types.NullType:
		return types.NullValue
	case types.TypeType:
		return types.NullType
	case types.StringType:
		return types.String("null")
	}
	return types.NewErr("type conversion error from null to %s", t.TypeName())
}

// iterator walks anything that has a length.
type iterator struct {
	next, n int
	at      func(int) ref.Val
}

func (it *iterator) HasNext() ref.Val { return types.Bool(it.next < it.n) }
func (it *iterator) Next() ref.Val {
	if it.next >= it.n {
		return nil
	}
	it.next++
	return it.at(it.next - 1)
}
func (it *iterator) ConvertToNative(reflect.Type) (any, error) {
	return nil, fmt.Errorf("an iterator has no native form")
}
func (it *iterator) ConvertToType(ref.Type) ref.Val { return types.NoSuchOverloadErr() }
func (it *iterator) Equal(ref.Val) ref.Val          { return types.NoSuchOverloadErr() }
func (it *iterator) Type() ref.Type                 { return types.IteratorType }
func (it *iterator) Value() any                     { return it }
