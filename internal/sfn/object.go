package sfn

import (
	"strconv"
	"time"

	"plumbline/asl/value"
)

// object writes a JSON object, field by field: answers are written often and
// their shape is known, so that no reflection is needed.
type object struct {
	b    []byte
	more bool // there is a field already
}

func newObject() *object { return &object{b: append(make([]byte, 0, 512), '{')} }

// open begins an object at the end of b.
func open(b []byte) object { return object{b: append(b, '{')} }

func (o *object) close() []byte { return append(o.b, '}') }

func (o *object) key(k string) {
	if o.more {
		o.b = append(o.b, ',')
	}
	o.more = true
	o.b = append(o.b, '"')
	o.b = append(o.b, k...)
	o.b = append(o.b, '"', ':')
}

func (o *object) text(k, v string) {
	o.key(k)
	o.b = value.AppendString(o.b, v)
}

// optional leaves out what is "".
func (o *object) optional(k, v string) {
	if v != "" {
		o.text(k, v)
	}
}

func (o *object) raw(k string, v []byte) {
	o.key(k)
	o.b = append(o.b, v...)
}

func (o *object) int(k string, n int) {
	o.key(k)
	o.b = strconv.AppendInt(o.b, int64(n), 10)
}

func (o *object) bool(k string, v bool) {
	o.key(k)
	o.b = strconv.AppendBool(o.b, v)
}

// time writes seconds since 1970 to the millisecond, and leaves out the zero time.
func (o *object) time(k string, t time.Time) {
	if t.IsZero() {
		return
	}
	o.key(k)
	o.b = strconv.AppendFloat(o.b, float64(t.UnixMilli())/1000, 'f', -1, 64)
}

func (o *object) texts(k string, list []string) {
	o.b = append(o.comma(), value.Text(k)...)
	o.b = append(o.b, ':', '[')
	for i, v := range list {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		o.b = value.AppendString(o.b, v)
	}
	o.b = append(o.b, ']')
}

func (o *object) comma() []byte {
	if o.more {
		o.b = append(o.b, ',')
	}
	o.more = true
	return o.b
}

// payload writes data as text, with the details that say nothing was left out.
func (o *object) payload(k string, data []byte) {
	o.text(k, string(data))
	o.raw(k+"Details", []byte(`{"included":true}`))
}
