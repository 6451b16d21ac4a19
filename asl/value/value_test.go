package value_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"plumbline/asl/value"
)

func TestDecodeEncode(t *testing.T) {
	tests := []struct{ src, want string }{
		{`null`, `null`},
		{` true `, `true`},
		{`false`, `false`},
		{`1`, `1`},
		{`-0`, `0`},
		{`1.0`, `1.0`},
		{`1e3`, `1000.0`},
		{`12345678.5`, `1.23456785E7`},
		{`1E10`, `1.0E10`},
		{`0.00001`, `1.0E-5`},
		{`0.001`, `0.001`},
		{`9223372036854775807`, `9223372036854775807`},
		{`123456789012345678901234567890`, `123456789012345678901234567890`},
		{`"a\"\\\/\b\f\n\r\tA\u00e9\ud83d\ude00"`, `"a\"\\/\b\f\n\r\tAé😀"`},
		{`"\ud800x"`, `"�x"`},
		{`"\u0001"`, `"\u0001"`},
		{`[ ]`, `[]`},
		{`[1, [2], {}]`, `[1,[2],{}]`},
		{`{"b": 1, "a": {"c": []}}`, `{"b":1,"a":{"c":[]}}`},
		{`{"a":1,"b":2,"a":3}`, `{"a":3,"b":2}`},
	}
	for _, tt := range tests {
		t.Run(tt.src, func(t *testing.T) {
			v, err := value.Decode([]byte(tt.src))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, value.Text(v)); d != "" {
				t.Error(d)
			}
			if n := len(tt.want); value.Exceeds(v, n) || !value.Exceeds(v, n-1) {
				t.Errorf("Exceeds does not tell the length %d", n)
			}
		})
	}
}

func TestDecodeErrors(t *testing.T) {
	tests := []struct{ src, want string }{
		{``, "the text ends where a value is wanted"},
		{`tru`, `"true" is`},
		{`{"a" 1}`, `a colon must follow the key "a"`},
		{`{"a":1`, "a comma or } must follow a field"},
		{`{a:1}`, "an object's key must be a string"},
		{`[1 2]`, "a comma or ] must follow an item"},
		{`1 2`, "text after the value"},
		{`01`, "a number must not begin with 0"},
		{`-`, "a number wants a digit here"},
		{`1.`, "a number wants a digit here"},
		{`1e`, "a number wants a digit here"},
		{`1e999`, "out of range"},
		{`"a`, "the string has no end"},
		{`"\x"`, "is no escape"},
		{`"\u12"`, "four hexadecimal digits"},
		{"\"a\nb\"", "a control character"},
		{"\"\\\\\n\"", "a control character"},
		{`"\`, "the string has no end"},
		{`?`, "begins no value"},
		{strings.Repeat("[", 2000), "nested deeper than 1000"},
		{strings.Repeat(`{"a":`, 2000), "nested deeper than 1000"},
	}
	for _, tt := range tests {
		t.Run(tt.src[:min(len(tt.src), 20)], func(t *testing.T) {
			_, err := value.Decode([]byte(tt.src))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}

func TestObject(t *testing.T) {
	o := value.Of("a", int64(1), "b", "x")
	tests := []struct {
		name string
		got  *value.Object
		want string
	}{
		{"replaced in place", o.With("a", true), `{"a":true,"b":"x"}`},
		{"added last", o.With("c", nil), `{"a":1,"b":"x","c":null}`},
		{"without", o.Without("a"), `{"b":"x"}`},
		{"without what is not there", o.Without("z"), `{"a":1,"b":"x"}`},
		{"merged", o.Merge(value.Of("b", "y", "c", int64(2))), `{"a":1,"b":"y","c":2}`},
		{"nil merged", (*value.Object)(nil).Merge(o), `{"a":1,"b":"x"}`},
		{"the same", o, `{"a":1,"b":"x"}`},
	}
	for _, tt := range tests {
		if d := cmp.Diff(tt.want, value.Text(tt.got)); d != "" {
			t.Errorf("%s: %s", tt.name, d)
		}
	}
	if o.String("b") != "x" || o.String("a") != "" || o.String("z") != "" || (*value.Object)(nil).Len() != 0 {
		t.Error("String or Len is wrong")
	}
}

// Large objects keep an index; they must behave like small ones.
func TestLargeObject(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfN(rapid.StringMatching(`[a-f]{1,2}`), 0, 60).Draw(t, "keys")
		want := map[string]int64{}
		o := &value.Object{}
		var fields []value.Field
		for i, k := range keys {
			want[k] = int64(i)
			o = o.With(k, int64(i))
			fields = append(fields, value.Field{Key: k, Value: int64(i)})
		}
		made := value.NewObject(fields...)
		if o.Len() != len(want) || !value.Equal(o, made) {
			t.Fatalf("With made %s, NewObject %s", value.Text(o), value.Text(made))
		}
		for k, n := range want {
			if v, ok := made.Get(k); !ok || v != n {
				t.Fatalf("%s is %v, want %d", k, v, n)
			}
			if _, ok := made.Without(k).Get(k); ok {
				t.Fatalf("%s is still there", k)
			}
		}
	})
}

func TestEqualAndCompare(t *testing.T) {
	decode := func(s string) any {
		v, err := value.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	tests := []struct {
		a, b string
		want bool
	}{
		{`1`, `1.0`, true},
		{`1`, `"1"`, false},
		{`{"a":1,"b":2}`, `{"b":2,"a":1}`, true},
		{`{"a":1}`, `{"a":1,"b":2}`, false},
		{`{"a":1}`, `{"b":1}`, false},
		{`[1,2]`, `[2,1]`, false},
		{`[1]`, `[1,2]`, false},
		{`null`, `null`, true},
		{`null`, `false`, false},
		{`true`, `true`, true},
		{`123456789012345678901`, `123456789012345678901`, true},
		{`123456789012345678901`, `123456789012345678902`, false},
	}
	for _, tt := range tests {
		if got := value.Equal(decode(tt.a), decode(tt.b)); got != tt.want {
			t.Errorf("Equal(%s, %s) is %v", tt.a, tt.b, got)
		}
	}
	orders := []struct {
		a, b string
		want int
		ok   bool
	}{
		{`1`, `2`, -1, true}, {`2`, `1`, 1, true}, {`2.5`, `1`, 1, true}, {`1`, `2.5`, -1, true}, {`1`, `1.0`, 0, true},
		{`99999999999999999999`, `1`, 1, true}, {`1`, `"a"`, 0, false}, {`99999999999999999999`, `"a"`, 0, false},
	}
	for _, tt := range orders {
		got, ok := value.Compare(decode(tt.a), decode(tt.b))
		if got != tt.want || ok != tt.ok {
			t.Errorf("Compare(%s, %s) is %d, %v", tt.a, tt.b, got, ok)
		}
	}
}

func TestNumbers(t *testing.T) {
	for _, tt := range []struct {
		v    any
		want int64
		ok   bool
	}{{int64(3), 3, true}, {3.0, 3, true}, {3.5, 0, false}, {"3", 0, false}, {1e30, 0, false}} {
		if got, ok := value.Int(tt.v); got != tt.want || ok != tt.ok {
			t.Errorf("Int(%v) is %d, %v", tt.v, got, ok)
		}
	}
	if f, ok := value.Float(value.Big("1e2")); f != 100 || !ok {
		t.Error("Float of a Big")
	}
	kinds := map[string]any{"null": nil, "boolean": true, "number": 1.5, "string": "", "array": []any{}, "object": &value.Object{}, "": 5}
	for want, v := range kinds {
		if got := value.Kind(v); got != want {
			t.Errorf("Kind(%v) is %q", v, got)
		}
	}
}

// FuzzDecode holds the decoder to encoding/json: the same texts are JSON, and
// what is printed is JSON of the same meaning.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5,"x",null,true]}`, `"\ud83d\ude00"`, `1e5`, `[`, `{"a":1,"a":2}`, "\"\xff\""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		v, err := value.Decode(src)
		if (err == nil) != json.Valid(src) {
			if err != nil && (strings.Contains(err.Error(), "out of range") || strings.Contains(err.Error(), "deeper")) {
				return
			}
			t.Fatalf("Decode says %v", err)
		}
		if err != nil {
			return
		}
		text := value.Encode(v)
		if !json.Valid(text) {
			t.Fatalf("%q is printed as %q", src, text)
		}
		again, err := value.Decode(text)
		if err != nil || !value.Equal(v, again) {
			t.Fatalf("%q becomes %q", src, text)
		}
		if value.Exceeds(v, len(text)) || !value.Exceeds(v, len(text)-1) {
			t.Fatalf("Exceeds does not know the length of %q", text)
		}
	})
}
