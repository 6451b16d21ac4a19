package jsonpath_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/asl/jsonpath"
	"plumbline/asl/value"
)

func decode(t testing.TB, src string) any {
	t.Helper()
	v, err := value.DecodeString(src)
	if err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	return v
}

const store = `{
 "store": {
  "book": [
   {"category": "reference", "author": "Rees", "title": "Sayings", "price": 8.95},
   {"category": "fiction", "author": "Waugh", "title": "Sword", "price": 12.99},
   {"category": "fiction", "author": "Melville", "title": "Moby", "isbn": "0-553", "price": 8.99}
  ],
  "bicycle": {"color": "red", "price": 20}
 },
 "tags": ["a", "b", "c", "d"],
 "limit": 10,
 "odd key": {"x.y": 1, "it's": 2},
 "n": null,
 "empty": []
}`

func TestPath(t *testing.T) {
	tests := []struct{ path, want string }{
		{`$.limit`, `10`},
		{`$.n`, `null`},
		{`$['limit']`, `10`},
		{`$["limit"]`, `10`},
		{`$.['limit']`, `10`},
		{`$[ 'limit' ]`, `10`},
		{`$.store.bicycle.color`, `"red"`},
		{`$['odd key']['x.y']`, `1`},
		{`$['odd key']['it\'s']`, `2`},
		{`$.tags[0]`, `"a"`},
		{`$.tags[-1]`, `"d"`},
		{`$.tags[1,3]`, `["b","d"]`},
		{`$.tags[0, 9, -2]`, `["a","c"]`},
		{`$.tags[1:3]`, `["b","c"]`},
		{`$.tags[2:]`, `["c","d"]`},
		{`$.tags[:1]`, `["a"]`},
		{`$.tags[-2:]`, `["c","d"]`},
		{`$.tags[:-3]`, `["a"]`},
		{`$.tags[9:]`, `[]`},
		{`$.tags[*]`, `["a","b","c","d"]`},
		{`$.store.bicycle.*`, `["red",20]`},
		{`$.store.bicycle['color','price']`, `{"color":"red","price":20}`},
		{`$.store.book[*]['author','nothing']`, `[{"author":"Rees"},{"author":"Waugh"},{"author":"Melville"}]`},
		{`$.store.bicycle['color','price'].x`, `[]`},
		{`$.store.book[*].isbn`, `["0-553"]`},
		{`$..price`, `[8.95,12.99,8.99,20]`},
		{`$.store..color`, `["red"]`},
		{`$..book[0].author`, `["Rees"]`},
		{`$..['color']`, `["red"]`},
		{`$.store.bicycle..*`, `["red",20]`},
		{`$.missing[*].x`, `[]`},
		{`$.missing.more[0:1]`, `[]`},
		{`$.limit[*]`, `[]`},
		{`$.store.book[?(@.price < 10)].title`, `["Sayings","Moby"]`},
		{`$.store.book[?(@.price < $.limit)].title`, `["Sayings","Moby"]`},
		{`$.store.book[?(@.isbn)].title`, `["Moby"]`},
		{`$.store.book[?(!@.isbn)].title`, `["Sayings","Sword"]`},
		{`$.store.book[?(@.category == 'fiction' && @.price > 10)].title`, `["Sword"]`},
		{`$.store.book[?(@.category == 'reference' || (@.price >= 12.99))].title`, `["Sayings","Sword"]`},
		{`$.store.book[?(@.category != "fiction")].title`, `["Sayings"]`},
		{`$.store.book[?(@.isbn == null)].title`, `[]`},
		{`$.store.book[?(@.isbn != 'x')].title`, `["Sayings","Sword","Moby"]`},
		{`$.store.book[?(@.author =~ /.*ee.*/)].title`, `["Sayings"]`},
		{`$.store.book[?(@.author =~ /MELV\w+/i)].title`, `["Moby"]`},
		{`$.store.book[?(@.author in ['Rees','Waugh'])].title`, `["Sayings","Sword"]`},
		{`$.store.book[?(@.author nin ['Rees','Waugh'])].title`, `["Moby"]`},
		{`$.store.book[?(@.title contains 'or')].title`, `["Sword"]`},
		{`$.store.book[?(@.title size 4)].title`, `["Moby"]`},
		{`$.store.book[?(@.title empty false)].title`, `["Sayings","Sword","Moby"]`},
		{`$.store.book[?(@.author <= 'Rees')].author`, `["Rees","Melville"]`},
		{`$.store.bicycle[?(@.color == 'red')].price`, `[20]`},
		{`$[?(@.color)]`, `[]`},
		{`$.store.book[?(@..isbn)].title`, `["Moby"]`},
		{`$.tags.length()`, `4`},
		{`$.store.size()`, `2`},
		{`$.limit.length()`, `null`},
		{`$.store.bicycle.keys()`, `["color","price"]`},
		{`$.limit.keys()`, `null`},
		{`$.tags.first()`, `"a"`},
		{`$.tags.last()`, `"d"`},
		{`$..price.min()`, `8.95`},
		{`$..price.max()`, `20.0`},
		{`$.store.book[*].price.sum()`, `30.93`},
		{`$.store.book[0:1].price.avg()`, `8.95`},
		{`$.store.book[0:1].price.stddev()`, `0.0`},
	}
	data := decode(t, store)
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			p, err := jsonpath.Parse(tt.path)
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.Eval(data)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, value.Text(got)); d != "" {
				t.Error(d)
			}
			if p.String() != tt.path {
				t.Errorf("String is %q", p)
			}
		})
	}
}

func TestListOperators(t *testing.T) {
	data := decode(t, `[{"s":["a","b"]},{"s":["a","z"]},{"s":[]},{"s":"a"}]`)
	tests := []struct{ path, want string }{
		{`$[?(@.s subsetof ['a','b','c'])].s`, `[["a","b"],[]]`},
		{`$[?(@.s anyof ['b','z'])].s`, `[["a","b"],["a","z"]]`},
		{`$[?(@.s noneof ['b'])].s`, `[["a","z"],[]]`},
		{`$[?(@.s empty true)].s`, `[[]]`},
		{`$[?(@.s size 2)].s`, `[["a","b"],["a","z"]]`},
		{`$[?(@.s contains 'z')].s`, `[["a","z"]]`},
		{`$[?(@.s == ['a','b'])].s`, `[["a","b"]]`},
		{`$[?(@.s == [])].s`, `[[]]`},
		{`$[?(@.s in 'x')].s`, `[]`},
		{`$[?(1 == 1)].s`, `[["a","b"],["a","z"],[],"a"]`},
		{`$[?(@.s > 1)].s`, `[]`},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			p, err := jsonpath.Parse(tt.path)
			if err != nil {
				t.Fatal(err)
			}
			got, _ := p.Eval(data)
			if d := cmp.Diff(tt.want, value.Text(got)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestPathNotFound(t *testing.T) {
	tests := []struct{ path, want string }{
		{`$.no`, `No results for path: $['no']`},
		{`$.no.such`, `Missing property in path $['no']`},
		{`$.store.no`, `No results for path: $['store']['no']`},
		{`$.tags[9]`, `No results for path: $['tags'][9]`},
		{`$.tags[9].x`, `No results for path: $['tags'][9]['x']`},
		{`$.limit[0]`, `Filter: [0] can only be applied to arrays. Current context is: 10`},
		{`$.limit.x`, `Expected to find an object with property ['x'] in path $['limit'] but found 'com.fasterxml.jackson.databind.node.IntNode'`},
		{`$.tags.x`, `but found 'com.fasterxml.jackson.databind.node.ArrayNode'`},
		{`$.n.x`, `but found 'null'`},
		{`$.store.bicycle.color.x`, `but found 'com.fasterxml.jackson.databind.node.TextNode'`},
		{`$.store.book[0].price.x`, `but found 'com.fasterxml.jackson.databind.node.DoubleNode'`},
		{`$.empty.max()`, `Aggregation function`},
		{`$.empty.first()`, `Aggregation function`},
		{`$.no['a','b']`, `['a','b']`},
	}
	data := decode(t, store)
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			p, err := jsonpath.Parse(tt.path)
			if err != nil {
				t.Fatal(err)
			}
			_, err = p.Eval(data)
			if err == nil || !strings.HasPrefix(err.Error(), "Invalid path '"+tt.path+"' : ") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// A path may not take the time of the third power of its data.
func TestPathBounds(t *testing.T) {
	p, err := jsonpath.Parse(`$..*..*..*`)
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Eval(decode(t, strings.Repeat(`[0,`, 300)+`0`+strings.Repeat(`]`, 300)))
	if err == nil || !strings.Contains(err.Error(), "visits more than 1000000 places") {
		t.Errorf("got %v", err)
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct{ path, want string }{
		{``, "a path begins with $"},
		{`a.b`, "a path begins with $"},
		{`$.`, "a name must follow the dot"},
		{`$..`, "a name must follow the dot"},
		{`$.a b`, `" b" cannot stand in a path here`},
		{`$[`, "inside [ ] stands"},
		{`$[0`, "a ] is missing"},
		{`$[a]`, "inside [ ] stands"},
		{`$['a'`, "a ] is missing"},
		{`$['a`, "the quote ' is not closed"},
		{`$['a',]`, "a quoted name is wanted"},
		{`$[1,]`, "an index must follow the comma"},
		{`$[0:1:2]`, "a slice has no step"},
		{`$[99999999999]`, "is no index"},
		{`$[-]`, "is no index"},
		{`$[?]`, "a filter is written ?(…)"},
		{`$[?(@.a]`, "a ) is missing"},
		{`$[?(1)]`, "a comparison is wanted"},
		{`$[?(@.a == )]`, "is wanted"},
		{`$[?(@.a == [1 2])]`, "a comma or ] must follow an item"},
		{`$[?(@.a == [@.b])]`, "literals only"},
		{`$[?(@.a =~ x)]`, "a pattern is written /…/"},
		{`$[?(@.a =~ /x)]`, "the pattern is not closed"},
		{`$[?(@.a =~ /(/)]`, "missing closing )"},
		{`$[?((@.a)]`, "a ) is missing"},
		{`$.a.nope()`, "nope() is no function"},
		{`$.a.length(1)`, "takes no argument"},
		{`$[?(` + strings.Repeat("(", 200), "nested deeper"},
		{`$[?(` + strings.Repeat("!", 200), "nested deeper"},
		{strings.Repeat(`$[?(@`, 1) + strings.Repeat(`[?(@`, 200), "nested deeper"},
	}
	for _, tt := range tests {
		t.Run(tt.path[:min(len(tt.path), 30)], func(t *testing.T) {
			_, err := jsonpath.Parse(tt.path)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}

func TestPathProperties(t *testing.T) {
	tests := []struct {
		path                       string
		root                       jsonpath.Root
		variable                   string
		definite, whole, reference bool
		rooted                     string
	}{
		{`$`, jsonpath.Input, "", true, true, true, `$`},
		{`$$`, jsonpath.Context, "", true, true, false, `$`},
		{`$$.Execution.Id`, jsonpath.Context, "", true, false, false, `$.Execution.Id`},
		{`$x`, jsonpath.Variable, "x", true, true, false, `$`},
		{`$x_1.a[0]`, jsonpath.Variable, "x_1", true, false, false, `$.a[0]`},
		{`$.a[0]`, jsonpath.Input, "", true, false, true, `$.a[0]`},
		{`$.a[-1]`, jsonpath.Input, "", true, false, false, `$.a[-1]`},
		{`$.a[*]`, jsonpath.Input, "", false, false, false, `$.a[*]`},
		{`$..a`, jsonpath.Input, "", false, false, false, `$..a`},
		{`$.a.length()`, jsonpath.Input, "", true, false, false, `$.a.length()`},
	}
	for _, tt := range tests {
		p, err := jsonpath.Parse(tt.path)
		if err != nil {
			t.Fatal(err)
		}
		if p.Root() != tt.root || p.VariableName() != tt.variable || p.Definite() != tt.definite || p.Whole() != tt.whole ||
			p.Reference() != tt.reference || p.Rooted() != tt.rooted {
			t.Errorf("%s: root %v, variable %q, definite %v, whole %v, reference %v, rooted %q", tt.path,
				p.Root(), p.VariableName(), p.Definite(), p.Whole(), p.Reference(), p.Rooted())
		}
	}
}

func TestSet(t *testing.T) {
	tests := []struct{ path, data, want string }{
		{`$`, `{"a":1}`, `true`},
		{`$.b`, `{"a":1}`, `{"a":1,"b":true}`},
		{`$.a`, `{"a":1,"c":2}`, `{"a":true,"c":2}`},
		{`$.a.b.c`, `{}`, `{"a":{"b":{"c":true}}}`},
		{`$.a.b`, `{"a":null}`, `{"a":{"b":true}}`},
		{`$.a[1].b`, `{"a":[1,{}]}`, `{"a":[1,{"b":true}]}`},
		{`$.a`, `[1]`, `Unable to apply step "a" to input [1]`},
		{`$.a.b`, `{"a":5}`, `Unable to apply step "b" to input {"a":5}`},
		{`$.a[2]`, `{"a":[1]}`, `Unable to apply step "2" to input {"a":[1]}`},
		{`$.a[0].b`, `{"a":[1]}`, `Unable to apply step "b" to input {"a":[1]}`},
	}
	for _, tt := range tests {
		t.Run(tt.path+" "+tt.data, func(t *testing.T) {
			p, err := jsonpath.Parse(tt.path)
			if err != nil {
				t.Fatal(err)
			}
			data := decode(t, tt.data)
			before := value.Text(data)
			got, err := p.Set(data, true)
			text := value.Text(got)
			if err != nil {
				text = err.Error()
			}
			if d := cmp.Diff(tt.want, text); d != "" {
				t.Error(d)
			}
			if value.Text(data) != before {
				t.Error("the data were changed")
			}
		})
	}
}

func TestStep(t *testing.T) {
	scope := &jsonpath.Scope{Input: decode(t, `{"a":{"b":[1]}}`)}
	tests := []struct{ path, want string }{
		{`$.a.b`, `[1]`},
		{`$.a.c`, `Unable to apply step "c" to input {"a":{"b":[1]}}`},
		{`$.x.c`, `Unable to apply step "x" to input {"a":{"b":[1]}}`},
		{`$$.x`, `Invalid path '$$.x' : No results for path: $['x']`},
	}
	for _, tt := range tests {
		p, err := jsonpath.Parse(tt.path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Step(scope)
		text := value.Text(got)
		if err != nil {
			text = err.Error()
		}
		if d := cmp.Diff(tt.want, text); d != "" {
			t.Error(d)
		}
	}
}

// FuzzPath holds that no text and no data make the parser or a path panic, and
// that what parses prints as it was written.
func FuzzPath(f *testing.F) {
	for _, p := range []string{`$.a[0]..b[?(@.x == 'y' && !(@.z))].c`, `$$.Map.Item.Value`, `$v['a','b'][1:-1]`, `$.a.length()`, `$[?(@.a =~ /x/i)]`, `$[?(@ in [1,"a",null])]`} {
		f.Add(p, store)
	}
	f.Fuzz(func(t *testing.T, src, data string) {
		p, err := jsonpath.Parse(src)
		if err != nil {
			if _, ok := err.(*jsonpath.SyntaxError); !ok {
				t.Fatalf("error of type %T", err)
			}
			return
		}
		if p.String() != src {
			t.Fatalf("%q prints as %q", src, p)
		}
		v, err := value.DecodeString(data)
		if err != nil {
			return
		}
		got, err := p.Eval(v)
		if err == nil && !p.Definite() && !strings.HasSuffix(src, ")") {
			if _, ok := got.([]any); !ok {
				t.Fatalf("%q is indefinite and gave %s", src, value.Text(got))
			}
		}
		if p.Reference() {
			if out, err := p.Set(v, "new"); err == nil {
				if back, err := p.Eval(out); err != nil || back != "new" {
					t.Fatalf("%q of %s is %s", src, value.Text(out), value.Text(back))
				}
			}
		}
	})
}
