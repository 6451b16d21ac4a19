package schema

import (
	_ "embed"
	"iter"
	"strings"
	"sync"
	"sync/atomic"
)

// The embedded file, written by tools/schemagen. Numbers are unsigned varints
// unless said otherwise; a text is its place in the heap; a list is its length
// and its items. It is:
//
//	header  magic; four 32-bit little-endian numbers: resource types, place of
//	        the heap, place of the bodies, text of the source
//	index   for each resource type, sorted: 32 bits text of its name; 32 bits
//	        place of its body among the bodies, times 2, plus 1 where it is taggable
//	heap    texts, each its length and bytes; the empty one at 0
//	bodies  byte of flags; text tag property; number of paths and six lists of
//	        them; list of transforms, two texts each; length and bytes of the
//	        permissions; types
//
// Permissions are a byte with a bit for each handler, a list of texts for each
// that there is, and the list for tagging. Types are their number, the total
// numbers of properties, enum values and bytes of names, and each type: a byte
// of kind and bits; for an Object the text of its name within the resource, the
// properties (text, and the type's index times 2 plus 1 where required); for a
// List or Map the index of its Elem; the list of enum texts and the text of the
// default where the bits say so. Type indexes below firstLocal are the kinds
// themselves, firstLocal is the resource.
//
//go:embed schemas.bin
var data string

const (
	headerSize = 24
	entrySize  = 8
	firstLocal = 5

	flagTagsAsMap = 1
	flagStateful  = 2

	bitKind    = 7
	bitFold    = 8
	bitEnum    = 16
	bitDefault = 32
)

var embedded = file{data: &data}

// plain are the types that are their kind and nothing else, shared by all resources.
var plain = [firstLocal]Type{{Kind: Any}, {Kind: String}, {Kind: Integer}, {Kind: Double}, {Kind: Bool}}

var handlerNames = [...]string{"create", "read", "update", "delete", "list"}

// file reads schemas and keeps what it has decoded.
type file struct {
	data    *string
	once    sync.Once
	decoded []atomic.Pointer[Resource] // by place in the index
}

func (f *file) number(at int) int {
	d := *f.data
	return int(uint32(d[at]) | uint32(d[at+1])<<8 | uint32(d[at+2])<<16 | uint32(d[at+3])<<24)
}

func (f *file) count() int { return f.number(8) }

// text returns the text at a place of the heap; it shares the file's memory.
func (f *file) text(place int) string {
	c := cursor{data: (*f.data)[f.number(12)+place:]}
	n := c.uvarint()
	return c.data[c.at : c.at+n]
}

func (f *file) name(i int) string { return f.text(f.number(headerSize + i*entrySize)) }

func (f *file) source() string { return f.text(f.number(20)) }

// find returns the type's place in the index.
func (f *file) find(typ string) (int, bool) {
	lo, hi := 0, f.count()
	for lo < hi {
		mid := (lo + hi) / 2
		if f.name(mid) < typ {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < f.count() && f.name(lo) == typ
}

func (f *file) types(taggable bool) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range f.count() {
			if taggable && f.number(headerSize+i*entrySize+4)&1 == 0 {
				continue
			}
			if !yield(f.name(i)) {
				return
			}
		}
	}
}

func (f *file) lookup(typ string) *Resource {
	i, ok := f.find(typ)
	if !ok {
		return nil
	}
	f.once.Do(func() { f.decoded = make([]atomic.Pointer[Resource], f.count()) })
	slot := &f.decoded[i]
	if r := slot.Load(); r != nil {
		return r
	}
	slot.CompareAndSwap(nil, f.decode(i)) // who comes second takes the first one's: the same pointer for all
	return slot.Load()
}

// cursor reads a part of the file from its start.
type cursor struct {
	data string
	at   int
}

func (c *cursor) uvarint() int {
	n, shift := 0, 0
	for {
		b := c.data[c.at]
		c.at++
		n |= int(b&0x7f) << shift
		if b < 0x80 {
			return n
		}
		shift += 7
	}
}

func (c *cursor) byte() byte {
	b := c.data[c.at]
	c.at++
	return b
}

func (f *file) decode(i int) *Resource {
	name := f.name(i)
	c := cursor{data: (*f.data)[f.number(16)+f.number(headerSize+i*entrySize+4)>>1:]}
	flags := c.byte()
	r := &Resource{TagsAsMap: flags&flagTagsAsMap != 0, Stateful: flags&flagStateful != 0}
	r.TagProperty = f.text(c.uvarint())
	paths := make([]string, 0, c.uvarint())
	for _, list := range [...]*[]string{&r.PrimaryIdentifier, &r.CreateOnly, &r.ConditionalCreateOnly, &r.ReadOnly, &r.WriteOnly, &r.Deprecated} {
		*list, paths = f.texts(&c, paths)
	}
	if n := c.uvarint(); n > 0 {
		r.Transforms = make([]Transform, n)
		for j := range r.Transforms {
			r.Transforms[j] = Transform{Path: f.text(c.uvarint()), Expression: f.text(c.uvarint())}
		}
	}
	n := c.uvarint()
	r.permissions = c.data[c.at : c.at+n]
	c.at += n
	for h, handler := range handlerNames {
		if r.permissions[0]&(1<<h) != 0 {
			if r.Handlers == nil {
				r.Handlers = make([]string, 0, len(handlerNames))
			}
			r.Handlers = append(r.Handlers, handler)
		}
	}
	f.decodeTypes(&c, name, r)
	return r
}

// texts reads a list of texts into the space after all, and returns the list
// and all that is used; nil for an empty list.
func (f *file) texts(c *cursor, all []string) (list, used []string) {
	n := c.uvarint()
	if n == 0 {
		return nil, all
	}
	start := len(all)
	for range n {
		all = append(all, f.text(c.uvarint()))
	}
	return all[start:len(all):len(all)], all
}

// decodeTypes makes all types of a resource in four pieces of memory.
func (f *file) decodeTypes(c *cursor, name string, r *Resource) {
	types := make([]Type, c.uvarint())
	properties := make([]Property, c.uvarint())
	enums := make([]string, 0, c.uvarint())
	var names strings.Builder
	names.Grow(c.uvarint())
	at := func(i int) *Type {
		if i < firstLocal {
			return &plain[i]
		}
		return &types[i-firstLocal]
	}
	objects := 0
	for i := range types {
		t := &types[i]
		bits := c.byte()
		t.Kind, t.EnumFold = Kind(bits&bitKind), bits&bitFold != 0
		switch t.Kind {
		case Object:
			t.Name = name
			if within := f.text(c.uvarint()); within != "" {
				start := names.Len()
				names.WriteString(name)
				names.WriteByte('.')
				names.WriteString(within)
				t.Name = names.String()[start:]
				objects++
			}
			n := c.uvarint()
			t.Properties, properties = properties[:n:n], properties[n:]
			for j := range t.Properties {
				text, ref := c.uvarint(), c.uvarint()
				t.Properties[j] = Property{Name: f.text(text), Type: at(ref >> 1), Required: ref&1 != 0}
			}
		case List, Map:
			t.Elem = at(c.uvarint())
		}
		if bits&bitEnum != 0 {
			t.Enum, enums = f.texts(c, enums)
		}
		if bits&bitDefault != 0 {
			t.Default = f.text(c.uvarint())
		}
	}
	r.Type = &types[0]
	r.definitions = make([]*Type, 0, objects)
	for i := range types[1:] {
		if types[i+1].Kind == Object {
			r.definitions = append(r.definitions, &types[i+1])
		}
	}
}

func (f *file) permissions(r *Resource, handler string) []string {
	c := cursor{data: r.permissions}
	mask := c.byte()
	for h, name := range handlerNames {
		if mask&(1<<h) == 0 {
			continue
		}
		list, _ := f.texts(&c, nil)
		if name == handler {
			return list
		}
	}
	if handler != "tag" {
		return nil
	}
	list, _ := f.texts(&c, nil)
	return list
}
