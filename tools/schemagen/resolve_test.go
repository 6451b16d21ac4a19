package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// describe is a type with its properties in one line; an object met again is its name.
func describe(t *typ, seen map[*typ]bool) string {
	s := [...]string{"Any", "String", "Integer", "Double", "Bool", "List", "Map", "Object"}[t.kind]
	switch {
	case t.kind == kObject && (seen[t] || t.props == nil):
		return t.name
	case t.kind == kObject:
		seen[t] = true
		var props []string
		for _, p := range t.props {
			name := p.name
			if p.required {
				name += "!"
			}
			props = append(props, name+": "+describe(p.typ, seen))
		}
		return t.name + "{" + strings.Join(props, ", ") + "}"
	case t.elem != nil:
		return s + " of " + describe(t.elem, seen)
	}
	if t.enum != nil {
		s += fmt.Sprint(t.enum)
	}
	if t.fold {
		s += " folded"
	}
	if t.def != "" {
		s += " = " + t.def
	}
	return s
}

func parse(t *testing.T, typeName, properties, rest string) (*resource, []string) {
	t.Helper()
	src := fmt.Sprintf(`{"typeName": %q, "properties": {%s}%s}`, typeName, properties, rest)
	n := new(node)
	if err := json.Unmarshal([]byte(src), n); err != nil {
		t.Fatalf("%v in %s", err, src)
	}
	r, notes, err := newResource(n, false)
	if err != nil {
		t.Fatal(err)
	}
	return r, notes
}

func TestPropertyTypes(t *testing.T) {
	definitions := `, "definitions": {
		"Code": {"type": "string", "enum": ["b", "a"]},
		"Rule": {"type": "object", "properties": {"Name": {"type": "string"}, "Size": {"type": "integer"}}, "required": ["Name"]},
		"Alias": {"$ref": "#/definitions/Rule"},
		"Tree": {"type": "object", "properties": {"Below": {"type": "array", "items": {"$ref": "#/definitions/Tree"}}}},
		"Nested": {"type": "array", "items": {"$ref": "#/definitions/Nested"}},
		"Loop": {"oneOf": [{"type": "string"}, {"$ref": "#/definitions/Loop"}]}
	}`
	cases := []struct{ name, schema, want string }{
		{"a scalar", `{"type": "number"}`, "Double"},
		{"nothing said", `{}`, "Any"},
		{"free JSON", `{"type": "object"}`, "Any"},
		{"free JSON or text", `{"type": ["object", "string"]}`, "Any"},
		{"an object that may be text", `{"type": ["object", "string"], "properties": {"A": {"type": "string"}}}`, "P{A: String}"},
		{"an empty object", `{"type": "object", "additionalProperties": false}`, "P"},
		{"a map by pattern", `{"type": "object", "patternProperties": {".*": {"type": "boolean"}}}`, "Map of Bool"},
		{"a map by two patterns", `{"type": "object", "patternProperties": {"a": {"type": "integer"}, "b": {"type": "number"}}}`, "Map of Double"},
		{"a map of what is additional", `{"type": "object", "additionalProperties": {"type": "string"}}`, "Map of String"},
		{"an array of anything", `{"type": "array"}`, "List of Any"},
		{"an array without its type", `{"items": {"type": "string"}}`, "List of String"},
		{"a definition", `{"$ref": "#/definitions/Rule"}`, "Rule{Name!: String, Size: Integer}"},
		{"a definition of a definition", `{"$ref": "#/definitions/Alias"}`, "Rule{Name!: String, Size: Integer}"},
		{"a scalar definition with a default beside it", `{"$ref": "#/definitions/Code", "default": "a"}`, "String[a b] = a"},
		{"a default that is no text", `{"type": "boolean", "default": true}`, "Bool = true"},
		{"an enum of numbers", `{"type": "integer", "enum": [7, 30]}`, "Integer[30 7]"},
		{"an enum that ignores case", `{"type": "string", "enumCaseInsensitive": ["a"]}`, "String[a] folded"},
		{"formats as alternatives", `{"type": "string", "anyOf": [{"format": "x"}, {"format": "y"}]}`, "String"},
		{"an enum as one alternative", `{"type": "string", "anyOf": [{"format": "x"}, {"enum": ["a"]}]}`, "String"},
		{"enums as all alternatives", `{"type": "string", "anyOf": [{"enum": ["b"]}, {"enum": ["a"]}]}`, "String[a b]"},
		{"alternatives of requirements", `{"type": "object", "properties": {"A": {"type": "string"}}, "oneOf": [{"required": ["A"]}, {}]}`, "P{A: String}"},
		{"alternatives of objects", `{"oneOf": [{"type": "object", "properties": {"A": {"type": "string"}}, "required": ["A"]}, {"type": "object", "properties": {"A": {"type": "string"}, "B": {"type": "integer"}}, "required": ["A", "B"]}]}`, "P{A!: String, B: Integer}"},
		{"alternatives beside properties", `{"type": "object", "properties": {"A": {"type": "string"}}, "oneOf": [{"properties": {"B": {"type": "string"}}}]}`, "P{A: String, B: String}"},
		{"an object or text", `{"oneOf": [{"$ref": "#/definitions/Rule"}, {"type": "string"}]}`, "Any"},
		{"a list or free JSON", `{"oneOf": [{"type": "array", "items": {"type": "string"}}, {"type": ["object", "string"]}]}`, "List of String"},
		{"lists", `{"oneOf": [{"type": "array", "items": {"type": "string"}}, {"type": "array", "items": {"type": "integer"}}]}`, "List of String"},
		{"a list or its item", `{"oneOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string"}]}`, "Any"},
		{"numbers or text", `{"type": ["integer", "string"]}`, "String"},
		{"anything that JSON can be", `{"type": ["string", "number", "object", "array"], "items": {"type": "string"}}`, "Any"},
		{"all of a definition and a default", `{"allOf": [{"$ref": "#/definitions/Code"}, {"default": "a"}]}`, "String[a b]"},
		{"a recursive object", `{"$ref": "#/definitions/Tree"}`, "Tree{Below: List of Tree}"},
		{"a recursive alternative", `{"$ref": "#/definitions/Loop"}`, "Any"},
		{"an object in an object", `{"type": "object", "properties": {"A": {"type": "object", "properties": {"B": {"type": "string"}}}}}`, "P{A: P.A{B: String}}"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r, _ := parse(t, "AWS::Test::Thing", `"P": `+c.schema, definitions)
			if got := describe(r.types[0].prop("P").typ, map[*typ]bool{}); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestRecursiveListEnds(t *testing.T) {
	r, _ := parse(t, "AWS::Test::Thing", `"P": {"$ref": "#/definitions/Nested"}`, `, "definitions": {"Nested": {"type": "array", "items": {"$ref": "#/definitions/Nested"}}}`)
	p := r.types[0].prop("P").typ
	if p.kind != kList || p.elem.kind != kList || p.elem.elem != p.elem {
		t.Errorf("got a %d of a %d", p.kind, p.elem.kind)
	}
}

func TestSAMTakesObjectsAsIntrinsicFunctions(t *testing.T) {
	schema := `"P": {"anyOf": [{"type": "object"}, {"type": "string"}]}`
	for name, want := range map[string]kind{"AWS::Serverless::Thing": kString, "AWS::Test::Thing": kAny} {
		r, _ := parse(t, name, schema, "")
		if got := r.types[0].prop("P").typ.kind; got != want {
			t.Errorf("%s: got kind %d, want %d", name, got, want)
		}
	}
}

func TestNamesAreUnique(t *testing.T) {
	r, _ := parse(t, "AWS::Test::Thing",
		`"Other": {"$ref": "#/definitions/Rule"}, "Rule": {"type": "object", "properties": {"X": {"type": "string"}}}`,
		`, "definitions": {"Rule": {"type": "object", "properties": {"Name": {"type": "string"}}}}`)
	var got []string
	for _, typ := range r.types {
		got = append(got, typ.name)
	}
	if want := []string{"", "Rule", "Rule2"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTags(t *testing.T) {
	list := `{"type": "array", "items": {"type": "object", "properties": {"Key": {"type": "string"}, "Value": {"type": "string"}}}}`
	cases := []struct {
		name, properties, rest, want string
		asMap                        bool
	}{
		{"a list", `"Tags": ` + list, ``, "Tags", false},
		{"by another name", `"FileTags": ` + list, `, "tagging": {"tagProperty": "/properties/FileTags"}`, "FileTags", false},
		{"a map", `"Tags": {"type": "object", "patternProperties": {".": {"type": "string"}}}`, ``, "Tags", true},
		{"free JSON", `"Tags": {"type": ["object", "string"]}`, ``, "Tags", true},
		{"none", `"Name": {"type": "string"}`, `, "tagging": {"taggable": true}`, "", false},
		{"read only", `"Tags": ` + list, `, "readOnlyProperties": ["/properties/Tags"]`, "", false},
		{"of another shape", `"Tags": {"type": "array", "items": {"type": "string"}}`, ``, "", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r, _ := parse(t, "AWS::Test::Thing", c.properties, c.rest)
			if r.tagProperty != c.want || r.tagsAsMap != c.asMap {
				t.Errorf("got %q as map %v, want %q as map %v", r.tagProperty, r.tagsAsMap, c.want, c.asMap)
			}
		})
	}
}

func TestErrorsNameThePlace(t *testing.T) {
	for schema, want := range map[string]string{
		`"P": {"$ref": "#/definitions/Missing"}`:                                `property P: no "#/definitions/Missing"`,
		`"P": {"type": "blob"}`:                                                 `property P: no type "blob" in JSON Schema`,
		`"P": {"type": "object", "properties": {"Q": {"type": "blob"}}}`:        `property P: property Q: no type "blob" in JSON Schema`,
		`"P": {"type": "object", "patternProperties": {"^x": {"type": "bob"}}}`: `property P: values of ^x: no type "bob" in JSON Schema`,
	} {
		n := new(node)
		if err := json.Unmarshal([]byte(`{"typeName": "A::B::C", "properties": {`+schema+`}}`), n); err != nil {
			t.Fatal(err)
		}
		if _, _, err := newResource(n, false); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", schema, err, want)
		}
	}
}
