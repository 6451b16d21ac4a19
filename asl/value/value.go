// Package value is JSON as states pass it on: decoded once, immutable, with
// the order of an object's fields kept, since States.JsonToString, JSONata and
// histories show it.
//
// A value is one of: nil, bool, string, int64, float64, Big, []any, *Object.
// Whole numbers written without fraction or exponent are int64 and stay whole;
// all others are float64, so 1 stays 1 and 1.0 stays 1.0, as on AWS. Nothing
// may change a value once it is made: branches, executions and machines share
// them without copying.
package value

import "slices"

// Big is a whole number beyond the range of int64, as written.
type Big string

// Object is a JSON object. The zero value is the empty object; a nil *Object
// reads as empty. Objects are immutable: With and Without return new ones.
type Object struct {
	fields []Field
	index  map[string]int // nil for small objects, where a scan is faster
}

// Field is one entry of an Object.
type Field struct {
	Key   string
	Value any
}

// indexFrom is the number of fields from which an object keeps an index.
const indexFrom = 16

// NewObject makes an object of fields, in this order. It keeps the slice. Of
// two fields with one key the later value stands, in the earlier place.
func NewObject(fields ...Field) *Object {
	o := &Object{fields: fields}
	if len(fields) < indexFrom {
		for i := 1; i < len(o.fields); {
			if j := o.scan(o.fields[i].Key, i); j >= 0 {
				o.fields[j].Value = o.fields[i].Value
				o.fields = slices.Delete(o.fields, i, i+1)
				continue
			}
			i++
		}
		return o
	}
	o.index = make(map[string]int, len(fields))
	kept := fields[:0]
	for _, f := range fields {
		if j, ok := o.index[f.Key]; ok {
			kept[j].Value = f.Value
			continue
		}
		o.index[f.Key] = len(kept)
		kept = append(kept, f)
	}
	o.fields = kept
	return o
}

// Of makes an object of alternating keys and values. It is for literals in
// code: it panics where a key is not a string, as a wrong literal would.
func Of(pairs ...any) *Object {
	fields := make([]Field, 0, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		fields = append(fields, Field{pairs[i].(string), pairs[i+1]})
	}
	return NewObject(fields...)
}

func (o *Object) scan(key string, n int) int {
	for i := range o.fields[:n] {
		if o.fields[i].Key == key {
			return i
		}
	}
	return -1
}

func (o *Object) find(key string) int {
	if o == nil {
		return -1
	}
	if o.index == nil {
		return o.scan(key, len(o.fields))
	}
	if i, ok := o.index[key]; ok {
		return i
	}
	return -1
}

// Get returns the value of key and whether there is one.
func (o *Object) Get(key string) (any, bool) {
	if i := o.find(key); i >= 0 {
		return o.fields[i].Value, true
	}
	return nil, false
}

// String returns the value of key where it is a string, else "".
func (o *Object) String(key string) string {
	v, _ := o.Get(key)
	s, _ := v.(string)
	return s
}

// Len is the number of fields.
func (o *Object) Len() int {
	if o == nil {
		return 0
	}
	return len(o.fields)
}

// Fields returns the fields in order. The caller must not change the slice.
func (o *Object) Fields() []Field {
	if o == nil {
		return nil
	}
	return o.fields
}

// With returns an object in which key has the value v: in its old place, or last.
func (o *Object) With(key string, v any) *Object {
	i := o.find(key)
	old := o.Fields()
	if i >= 0 {
		n := &Object{fields: slices.Clone(old), index: o.index}
		n.fields[i].Value = v
		return n
	}
	fields := make([]Field, len(old), len(old)+1)
	copy(fields, old)
	n := &Object{fields: append(fields, Field{key, v})}
	if len(n.fields) >= indexFrom {
		n.index = make(map[string]int, len(n.fields))
		for i := range n.fields {
			n.index[n.fields[i].Key] = i
		}
	}
	return n
}

// Without returns an object that has no field of this key.
func (o *Object) Without(key string) *Object {
	i := o.find(key)
	if i < 0 {
		return o
	}
	return NewObject(slices.Delete(slices.Clone(o.fields), i, i+1)...)
}

// Merge returns o with each field of p set, p's values standing where both have a key.
func (o *Object) Merge(p *Object) *Object {
	fields := make([]Field, 0, o.Len()+p.Len())
	fields = append(fields, o.Fields()...)
	return NewObject(append(fields, p.Fields()...)...)
}

// Kind names the JSON type of v: null, boolean, number, string, array, object.
// It is "" where v is no value of this package.
func Kind(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case int64, float64, Big:
		return "number"
	case string:
		return "string"
	case []any:
		return "array"
	case *Object:
		return "object"
	}
	return ""
}
