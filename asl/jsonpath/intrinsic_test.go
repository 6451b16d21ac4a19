package jsonpath_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/asl/jsonpath"
	"plumbline/asl/value"
)

const input = `{"arr":[1,2,3,4,5],"s":"a,b;c","o":{"a":1,"b":2},"p":{"b":3},"n":7,"f":2.6,"dup":[1,1.0,"1",null,null,{"x":1},{"x":1}],"none":[],"tpl":"n={}","nul":null}`

func scope(t testing.TB) *jsonpath.Scope {
	n := uint64(0)
	return &jsonpath.Scope{
		Input:   decode(t, input),
		Context: func(string) any { return value.Of("Execution", value.Of("Name", "e")) },
		Variable: func(name string) (any, bool) {
			if name == "v" {
				return value.Of("k", "from a variable"), true
			}
			return nil, false
		},
		Random: func() uint64 { n += 0x123456789abcdef; return n },
	}
}

func TestIntrinsics(t *testing.T) {
	tests := []struct{ src, want string }{
		{`States.Array()`, `[]`},
		{`States.Array('a', 1, -2.5, true, null, $.n, $$.Execution.Name, $v.k)`, `["a",1,-2.5,true,null,7,"e","from a variable"]`},
		{`States.ArrayPartition($.arr, 2)`, `[[1,2],[3,4],[5]]`},
		{`States.ArrayPartition($.arr, $.f)`, `[[1,2],[3,4],[5]]`},
		{`States.ArrayPartition($.none, 4)`, `[]`},
		{`States.ArrayContains($.arr, 3)`, `true`},
		{`States.ArrayContains($.arr, '3')`, `false`},
		{`States.ArrayRange(1, 9, 2)`, `[1,3,5,7,9]`},
		{`States.ArrayRange(5, 1, -2)`, `[5,3,1]`},
		{`States.ArrayRange(5, 1, 1)`, `[]`},
		{`States.ArrayRange(1.6, 1.4, 1)`, `[1]`},
		{`States.ArrayRange(9223372036854775806, 9223372036854775807, 1)`, `[9223372036854775806,9223372036854775807]`},
		{`States.ArrayGetItem($.arr, 4)`, `5`},
		{`States.ArrayGetItem($.none, 4)`, `null`},
		{`States.ArrayLength($.arr)`, `5`},
		{`States.ArrayUnique($.dup)`, `[1,"1",null,{"x":1}]`},
		{`States.Base64Encode('Data to encode')`, `"RGF0YSB0byBlbmNvZGU="`},
		{`States.Base64Decode('RGF0YSB0byBlbmNvZGU=')`, `"Data to encode"`},
		{`States.Base64Decode('YWJj!')`, `"abc"`},
		{`States.Base64Decode('YWJjZ')`, `"abc"`},
		{`States.Hash('input data', 'MD5')`, `"812f45842bc6d66ee14572ce20db8e86"`},
		{`States.Hash($.o, 'SHA-1')`, `"4acc71e0547112eb432f0a36fb1924c4a738cb49"`},
		{`States.JsonMerge($.o, $.p, false)`, `{"a":1,"b":3}`},
		{`States.StringToJson('{"a": [1.0]}')`, `{"a":[1.0]}`},
		{`States.JsonToString($.o)`, `"{\"a\":1,\"b\":2}"`},
		{`States.JsonToString($)`, ``},
		{`States.MathAdd($.n, -1)`, `6`},
		{`States.MathAdd(-1.5, 2.5)`, `2`},
		{`States.MathRandom(5, 6)`, `5`},
		{`States.StringSplit($.s, ',;')`, `["a","b","c"]`},
		{`States.StringSplit('', ',')`, `[]`},
		{`States.Format('Hi {}, {}!', $.n, $.o)`, `"Hi 7, {\"a\":1,\"b\":2}!"`},
		{`States.Format($.tpl, 1)`, `"n=1"`},
		{`States.Format('{}', $.nul)`, `"null"`},
		{`States.Format('it\'s \{{}\} \\ {}', 1, 'x')`, `"it's {1} \\ x"`},
		{`States.Format('a\b')`, `"a\\b"`},
		{` States.ArrayLength( States.ArrayRange(1,3,1) ) `, `3`},
	}
	for _, tt := range tests {
		t.Run(tt.src, func(t *testing.T) {
			c, err := jsonpath.ParseIntrinsic(tt.src)
			if err != nil {
				t.Fatal(err)
			}
			got, err := c.Eval(scope(t))
			if err != nil {
				t.Fatal(err)
			}
			if tt.want == "" {
				return
			}
			if d := cmp.Diff(tt.want, value.Text(got)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestRandomIntrinsics(t *testing.T) {
	eval := func(src string) any {
		c, err := jsonpath.ParseIntrinsic(src)
		if err != nil {
			t.Fatal(err)
		}
		v, err := c.Eval(scope(t))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	if id := eval("States.UUID()").(string); !uuid.MatchString(id) {
		t.Errorf("UUID is %s", id)
	}
	for range 100 {
		if n := eval("States.MathRandom(-3, 4)").(int64); n < -3 || n >= 4 {
			t.Fatalf("MathRandom is %d", n)
		}
	}
	if a, b := eval("States.MathRandom(1, 1000, 42)"), eval("States.MathRandom(1, 1000, 42)"); a != b {
		t.Errorf("one seed gives %v and %v", a, b)
	}
	c, _ := jsonpath.ParseIntrinsic("States.UUID()")
	if v, err := c.Eval(&jsonpath.Scope{}); err != nil || v != "00000000-0000-4000-8000-000000000000" {
		t.Errorf("without Random: %v, %v", v, err)
	}
}

func TestIntrinsicErrors(t *testing.T) {
	long := "'" + strings.Repeat("x", 10_001) + "'"
	tests := []struct{ src, want string }{
		{`States.ArrayLength($.n)`, `Invalid arguments in States.ArrayLength: an array is expected, not number`},
		{`States.ArrayPartition($.arr, 0.6)`, `Invalid arguments in States.ArrayPartition: the chunk size must be a positive integer`},
		{`States.ArrayPartition('a', 1)`, `an array is expected`},
		{`States.ArrayPartition($.arr, '1')`, `a number is expected, not string`},
		{`States.ArrayContains('a', 1)`, `an array is expected`},
		{`States.ArrayRange(1, 10, 0.49)`, `the step must not be 0`},
		{`States.ArrayRange(1, 1001, 1)`, `more than 1000 items`},
		{`States.ArrayRange('a', 1, 1)`, `a number is expected`},
		{`States.ArrayGetItem($.arr, 5)`, `the index must be a whole number from 0 to 4`},
		{`States.ArrayGetItem($.arr, 1.5)`, `the index must be a whole number`},
		{`States.ArrayGetItem($.arr, '1')`, `the index must be a whole number`},
		{`States.ArrayGetItem('a', 1)`, `an array is expected`},
		{`States.ArrayUnique('a')`, `an array is expected`},
		{`States.Base64Encode($.n)`, `a string is expected, not number`},
		{`States.Base64Encode(` + long + `)`, `longer than 10000 characters`},
		{`States.Base64Decode(1)`, `a string is expected`},
		{`States.Hash('a', 'CRC')`, `the algorithm is one of MD5`},
		{`States.Hash(` + long + `, 'MD5')`, `longer than 10000 characters`},
		{`States.JsonMerge($.o, $.arr, false)`, `two objects are expected`},
		{`States.JsonMerge($.o, $.p, true)`, `the third argument must be false`},
		{`States.StringToJson('{')`, `the text is not JSON`},
		{`States.StringToJson($.n)`, `a string is expected`},
		{`States.MathAdd('a', 1)`, `a number is expected`},
		{`States.MathAdd(1, 'a')`, `a number is expected`},
		{`States.MathAdd(1e300, 1)`, `out of range`},
		{`States.MathRandom('a', 1)`, `a number is expected`},
		{`States.MathRandom(1, 'a')`, `a number is expected`},
		{`States.MathRandom(1, 2, 'a')`, `a number is expected`},
		{`States.MathRandom(1.4, 1.6)`, `the end must be greater than the start`},
		{`States.StringSplit($.n, ',')`, `a string is expected`},
		{`States.StringSplit('a', $.n)`, `a string is expected`},
		{`States.Format($.n)`, `a string is expected`},
		{`States.Format('{} {}', 1)`, `there are more {} than values`},
		{`States.Format('{}', 1, 2)`, `there are more values than {}`},
		{`States.Format('{x}', 1)`, `a brace that stands for itself must be escaped`},
		{`States.Format('{}', $.nope)`, `The JsonPath argument for the field '$.nope' could not be found in the input '{"arr"`},
		{`States.Format('{}', $$.Nope.Deep)`, `The JsonPath argument for the field '$.Nope.Deep' could not be found`},
		{`States.Format('{}', $nope)`, `The JsonPath argument for the field '$nope' could not be found`},
		{`States.Format('{}', $.arr[9])`, `The JsonPath argument for the field '$.arr[9]' could not be found`},
		{`States.Format('{}', $.n[0])`, `Filter: [0] can only be applied to arrays. Current context is: 7`},
		{`States.Format('{}', States.Format('{}', $.nope))`, `The JsonPath argument for the field '$.nope' could not be found`},
		{`States.Format('{}', States.MathAdd('x', 1))`, `Invalid arguments in States.MathAdd`},
	}
	for _, tt := range tests {
		t.Run(tt.src[:min(len(tt.src), 60)], func(t *testing.T) {
			c, err := jsonpath.ParseIntrinsic(tt.src)
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.Eval(scope(t))
			if err == nil || !strings.HasPrefix(err.Error(), "The function '"+tt.src+"' had the following error: ") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestIntrinsicSyntax(t *testing.T) {
	tests := []struct{ src, want string }{
		{``, "an intrinsic function is wanted: one of States.Array, "},
		{`States.Nope()`, "States.Nope is no intrinsic function"},
		{`States.UUID`, "a ( must follow"},
		{`States.UUID(1)`, "takes 0 arguments, not 1"},
		{`States.MathRandom(1)`, "takes 2 to 3 arguments, not 1"},
		{`States.Format()`, "takes 1 arguments or more, not 0"},
		{`States.Array(1`, "a comma or ) must follow"},
		{`States.Array(1,`, "an argument is"},
		{`States.Array(1,)`, "an argument is"},
		{`States.Array(x)`, "an argument is"},
		{`States.Array([1])`, "an argument is"},
		{`States.Array("a")`, "an argument is"},
		{`States.Array('a`, "the quote ' is not closed"},
		{`States.Array('a\`, "the quote ' is not closed"},
		{`States.Array($.)`, "a name must follow"},
		{`States.Array() x`, "cannot follow the call"},
		{strings.Repeat("States.Array(", 100), "nested deeper"},
	}
	for _, tt := range tests {
		t.Run(tt.src[:min(len(tt.src), 30)], func(t *testing.T) {
			_, err := jsonpath.ParseIntrinsic(tt.src)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestTemplate(t *testing.T) {
	tests := []struct{ src, want string }{
		{`{"a":1,"b":["$.n",{"c":null}]}`, `{"a":1,"b":["$.n",{"c":null}]}`},
		{`{"a.$":"$.n","b":{"c.$":"States.MathAdd($.n, 1)","d":[{"e.$":"$v.k"}]},"f":"x"}`, `{"a":7,"b":{"c":8,"d":[{"e":"from a variable"}]},"f":"x"}`},
		{`{"a.$":"$.arr[9]"}`, `{"a":null}`},
		{`{"a.$":"$.arr[9].x"}`, `{"a":null}`},
		{`{"a.$":"$.none[*].x"}`, `{"a":[]}`},
		{`"$.n"`, `"$.n"`},
		{`[1]`, `[1]`},
		{`{"a.$":"$.nope"}`, `field a.$: Invalid path '$.nope' : No results for path: $['nope']`},
		{`[{"a.$":"$nope"}]`, `field a.$: Invalid path '$nope' : no variable nope has been assigned`},
		{`{"a.$":"$$.nope"}`, `field a.$: Invalid path '$$.nope' : No results for path: $['nope']`},
		{`{"x":{"a.$":"States.ArrayLength(1)"}}`, `field a.$: The function 'States.ArrayLength(1)' had the following error: Invalid arguments in States.ArrayLength: an array is expected, not number`},
	}
	for _, tt := range tests {
		t.Run(tt.src, func(t *testing.T) {
			tpl, err := jsonpath.ParseTemplate(decode(t, tt.src))
			if err != nil {
				t.Fatal(err)
			}
			got, err := tpl.Eval(scope(t))
			text := value.Text(got)
			if err != nil {
				text = err.Error()
			}
			if d := cmp.Diff(tt.want, text); d != "" {
				t.Error(d)
			}
		})
	}
	for _, src := range []string{`{"a.$":1}`, `{"a.$":"x"}`, `[{"b":{"a.$":"$["}}]`, `{"b":[{"a.$":"States.Nope()"}]}`} {
		if _, err := jsonpath.ParseTemplate(decode(t, src)); err == nil {
			t.Errorf("%s is taken for a template", src)
		}
	}
}

func TestTemplateExprs(t *testing.T) {
	tpl, err := jsonpath.ParseTemplate(decode(t, `{"a.$":"$x.y","b":[{"c.$":"States.Array($y, States.Array($.n, $z), 1)"},{"d.$":"$$"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	var exprs, vars []string
	tpl.Exprs(func(e *jsonpath.Expr) {
		exprs = append(exprs, e.String())
		e.Variables(func(name string) { vars = append(vars, name) })
	})
	if d := cmp.Diff([]string{"$x.y", "States.Array($y, States.Array($.n, $z), 1)", "$$"}, exprs); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"x", "y", "z"}, vars); d != "" {
		t.Error(d)
	}
	c, _ := jsonpath.ParseIntrinsic("States.UUID()")
	if c.Name() != "States.UUID" || c.String() != "States.UUID()" {
		t.Error("Name or String is wrong")
	}
}

func FuzzIntrinsic(f *testing.F) {
	for _, s := range []string{`States.Format('{} \{\}', $.n)`, `States.ArrayRange(1, 5, -1)`, `States.Hash($.s, 'MD5')`, `States.StringToJson('[1]')`, `States.MathRandom(1,2,3)`} {
		f.Add(s, input)
	}
	f.Fuzz(func(t *testing.T, src, data string) {
		c, err := jsonpath.ParseIntrinsic(src)
		if err != nil {
			return
		}
		v, err := value.DecodeString(data)
		if err != nil {
			return
		}
		got, err := c.Eval(&jsonpath.Scope{Input: v})
		if err == nil && value.Kind(got) == "" {
			t.Fatalf("%s gave a %T", src, got)
		}
	})
}

func BenchmarkTemplate(b *testing.B) {
	tpl, err := jsonpath.ParseTemplate(decode(b, `{"FunctionName":"f","Payload":{"a.$":"$.o.a","b.$":"$.arr[2]","c.$":"States.Format('{}-{}', $.n, $.s)"}}`))
	if err != nil {
		b.Fatal(err)
	}
	s := scope(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tpl.Eval(s); err != nil {
			b.Fatal(err)
		}
	}
}

// What one value many times over would grow to is refused while it is built,
// before its text is.
func TestResultSize(t *testing.T) {
	doubled := func(of string, times int) string {
		for range times {
			of = "States.Array(" + of + "," + of + ")"
		}
		return of
	}
	million := strings.Repeat("x", 1<<20)
	var huge any = million
	for range 40 {
		huge = []any{huge, huge} // a terabyte, were it written out
	}
	tests := []struct {
		src   string
		input any
		large bool
	}{
		{"States.Array($,$)", million, false},
		{doubled("$", 4), million, true},
		{doubled("$", 4), "x", false},
		{"States.ArrayLength(" + doubled("$", 4) + ")", million, true},
		{"States.ArrayLength($)", huge, false},
		{"States.Array($)", huge, true},
		{"States.JsonToString($)", huge, true},
		{"States.Hash($,'MD5')", huge, true},
		{"States.Format('{}',$)", huge, true},
		{"States.Format('" + strings.Repeat("{}", 9) + "'" + strings.Repeat(",$", 9) + ")", million, false},
		{"States.Format('" + strings.Repeat("{}", 11) + "'" + strings.Repeat(",$", 11) + ")", million, true},
	}
	for _, tt := range tests {
		e, err := jsonpath.ParseExpr(tt.src)
		if err != nil {
			t.Fatal(err)
		}
		_, err = e.Eval(&jsonpath.Scope{Input: tt.input})
		var size *jsonpath.SizeError
		if large := errors.As(err, &size); large != tt.large || err != nil && !large {
			t.Errorf("%.60s: %v, want too large: %t", tt.src, err, tt.large)
		}
	}
}
