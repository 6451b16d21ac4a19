package main

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
)

// The format of schemas.bin is told in cfn/schema/decode.go, its only reader.
const (
	magic       = "plschm1\n"
	headerSize  = 24
	firstLocal  = 5 // type indexes below are the plain kinds
	flagMap     = 1
	flagState   = 2
	typFold     = 8
	typEnum     = 16
	typDefault  = 32
	propRequire = 1
)

// encoder writes twice: first to count the strings, then with their places known.
type encoder struct {
	count map[string]int // first round
	place map[string]int // second round, nil in the first
	buf   []byte
}

// encode returns the file, and the sizes of its parts for a person.
func encode(source string, resources []*resource) ([]byte, string) {
	e := &encoder{count: map[string]int{}}
	write := func() (bodies []int) {
		e.buf = nil
		for _, r := range resources {
			e.count[r.name] += 0 // in the heap, and not among its first
			bodies = append(bodies, len(e.buf))
			e.resource(r)
		}
		return bodies
	}
	e.count[source] += 0
	write()
	heap := e.layOut()
	bodies := write()

	out := []byte(magic)
	heapAt := headerSize + 8*len(resources)
	for _, n := range []int{len(resources), heapAt, heapAt + len(heap), e.place[source]} {
		out = binary.LittleEndian.AppendUint32(out, uint32(n))
	}
	for i, r := range resources {
		entry := uint32(bodies[i]) << 1
		if r.tagProperty != "" {
			entry |= 1
		}
		out = binary.LittleEndian.AppendUint32(out, uint32(e.place[r.name]))
		out = binary.LittleEndian.AppendUint32(out, entry)
	}
	out = append(append(out, heap...), e.buf...)
	return out, fmt.Sprintf("index %d, text %d, types %d", 8*len(resources), len(heap), len(e.buf))
}

// layOut gives each string its place: the empty one at 0, then the most used,
// whose places take fewest bytes.
func (e *encoder) layOut() []byte {
	delete(e.count, "")
	texts := slices.SortedFunc(maps.Keys(e.count), func(a, b string) int {
		return cmp.Or(cmp.Compare(e.count[b], e.count[a]), cmp.Compare(a, b))
	})
	var heap []byte
	e.place = map[string]int{}
	for _, s := range append([]string{""}, texts...) {
		e.place[s] = len(heap)
		heap = binary.AppendUvarint(heap, uint64(len(s)))
		heap = append(heap, s...)
	}
	return heap
}

func (e *encoder) uvarint(n int) { e.buf = binary.AppendUvarint(e.buf, uint64(n)) }

func (e *encoder) text(s string) {
	if e.place == nil {
		e.count[s]++
	}
	e.uvarint(e.place[s])
}

func (e *encoder) texts(list []string) {
	e.uvarint(len(list))
	for _, s := range list {
		e.text(s)
	}
}

func (e *encoder) resource(r *resource) {
	var flags byte
	if r.tagsAsMap {
		flags |= flagMap
	}
	if r.stateful {
		flags |= flagState
	}
	e.buf = append(e.buf, flags)
	e.text(r.tagProperty)
	total := 0
	for _, list := range r.paths {
		total += len(list)
	}
	e.uvarint(total)
	for _, list := range r.paths {
		e.texts(list)
	}
	e.uvarint(len(r.transforms))
	for _, t := range r.transforms {
		e.text(t.path)
		e.text(t.expression)
	}
	e.permissions(r)
	e.types(r)
}

// permissions writes the handlers in a part of known length, since few readers want it.
func (e *encoder) permissions(r *resource) {
	outer := e.buf
	e.buf = nil
	var mask byte
	for i, h := range r.handlers {
		if h != nil {
			mask |= 1 << i
		}
	}
	e.buf = append(e.buf, mask)
	for _, h := range r.handlers {
		if h != nil {
			e.texts(sorted(h.Permissions))
		}
	}
	e.texts(sorted(r.tagging))
	part := e.buf
	e.buf = outer
	e.uvarint(len(part))
	e.buf = append(e.buf, part...)
}

func sorted(list []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(list)))
}

func (e *encoder) types(r *resource) {
	index := map[*typ]int{}
	props, enums, nameBytes := 0, 0, 0
	for i, t := range r.types {
		index[t] = firstLocal + i
		props += len(t.props)
		enums += len(t.enum)
		if t.kind == kObject && t.name != "" {
			nameBytes += len(r.name) + len(".") + len(t.name)
		}
	}
	at := func(t *typ) int {
		if t.plain() {
			return int(t.kind)
		}
		return index[t]
	}
	e.uvarint(len(r.types))
	e.uvarint(props)
	e.uvarint(enums)
	e.uvarint(nameBytes)
	for _, t := range r.types {
		head := byte(t.kind)
		if t.fold {
			head |= typFold
		}
		if t.enum != nil {
			head |= typEnum
		}
		if t.def != "" {
			head |= typDefault
		}
		e.buf = append(e.buf, head)
		switch t.kind {
		case kObject:
			e.text(t.name)
			e.uvarint(len(t.props))
			for _, p := range t.props {
				e.text(p.name)
				n := at(p.typ) << 1
				if p.required {
					n |= propRequire
				}
				e.uvarint(n)
			}
		case kList, kMap:
			e.uvarint(at(t.elem))
		}
		if t.enum != nil {
			e.texts(t.enum)
		}
		if t.def != "" {
			e.text(t.def)
		}
	}
}
