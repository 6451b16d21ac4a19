package cfn

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// pieces makes a shape of a text in which * is any text and + is one that is not empty.
func pieces(s string) []Piece {
	out := []Piece{}
	for s != "" {
		i := strings.IndexAny(s, "*+")
		switch {
		case i < 0:
			return append(out, Piece{Literal: s})
		case i > 0:
			out = append(out, Piece{Literal: s[:i]})
		}
		out = append(out, Piece{Gap: true, NonEmpty: s[i] == '+'})
		s = s[i+1:]
	}
	return out
}

func TestCanEqual(t *testing.T) {
	tests := []struct {
		shape, text string
		want        bool
	}{
		{"*", "", true},
		{"+", "", false},
		{"+", "a", true},
		{"arn:*", "arn:x", true},
		{"arn:*", "*", false},
		{"arn:+", "arn:", false},
		{"*/x", "/x", true},
		{"+/x", "/x", false},
		{"+/x", "a/x", true},
		{"a*b*c", "abc", true},
		{"a*b*c", "a-b-b-c", true},
		{"a*b*c", "a-c", false},
		{"a+a", "aa", false},
		{"a+a", "aaa", true},
		{"++", "a", false},
		{"++", "ab", true},
		{"+b+", "abb", true},
		{"", "", true},
		{"", "a", false},
		{"a", "ab", false},
	}
	for _, tt := range tests {
		if got := (&Unknowing{Shape: pieces(tt.shape)}).CanEqual(tt.text); got != tt.want {
			t.Errorf("%q, %q: got %v", tt.shape, tt.text, got)
		}
	}
	if !(*Unknowing)(nil).CanEqual("a") || !(&Unknowing{}).CanEqual("a") {
		t.Error("a value without a shape may be anything")
	}
}

// A shape matches just what the regular expression of the same meaning does.
func TestCanEqualAgreesWithRegexp(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		shape := rapid.StringMatching(`[ab*+]{0,8}`).Draw(rt, "shape")
		text := rapid.StringMatching(`[ab]{0,8}`).Draw(rt, "text")
		want := regexp.MustCompile("^" + strings.NewReplacer("*", ".*", "+", ".+").Replace(shape) + "$").MatchString(text)
		if got := (&Unknowing{Shape: pieces(shape)}).CanEqual(text); got != want {
			rt.Fatalf("%q, %q: got %v", shape, text, got)
		}
	})
}

func TestEqual(t *testing.T) {
	unknown := func(shape string) *Value {
		return &Value{Kind: Unknown, Unknown: &Unknowing{Needs: []string{"x"}, Shape: pieces(shape)}}
	}
	text := func(s string) *Value { return &Value{Kind: String, Text: s} }
	list := func(items ...*Value) *Value { return &Value{Kind: List, Items: items} }
	dict := func(v *Value) *Value { return &Value{Kind: Map, Fields: []Field{{Key: "a", Value: v}}} }
	r := newResolver(&Template{}, Inputs{})
	tests := []struct {
		name string
		a, b *Value
		want truth
	}{
		{"texts", text("a"), text("a"), isTrue},
		{"number and text", &Value{Kind: Number, Text: "1"}, text("1"), isTrue},
		{"different", text("a"), text("A"), isFalse},
		{"nothing", nil, nil, isTrue},
		{"nothing and text", nil, text(""), isFalse},
		{"text and list", text("a"), list(text("a")), isFalse},
		{"unknown that fits", unknown("a*"), text("ab"), unsure},
		{"unknown that does not fit", text("b"), unknown("a*"), isFalse},
		{"unknowns", unknown("*"), unknown("*"), unsure},
		{"unknowns that begin apart", unknown("a*"), unknown("b*"), isFalse},
		{"unknowns that end apart", unknown("*a"), unknown("*b"), isFalse},
		{"unknowns of which one has no shape", newUnknown(Pos{}, "x"), unknown("*b"), unsure},
		{"references", r.reference(Pos{}, "A", ""), r.reference(Pos{}, "A", ""), isTrue},
		{"references to others", r.reference(Pos{}, "A", ""), r.reference(Pos{}, "B", ""), unsure},
		{"lists", list(text("a"), text("b")), list(text("a"), text("b")), isTrue},
		{"lists of other lengths", list(text("a")), list(), isFalse},
		{"lists with a difference", list(text("a"), unknown("*")), list(text("b"), text("x")), isFalse},
		{"lists with an unknown", list(text("a"), unknown("*")), list(text("a"), text("x")), unsure},
		{"unknown list and none", newUnknown(Pos{}, "x"), list(), unsure},
		{"filled list and none", &Value{Kind: Unknown, Unknown: &Unknowing{filled: true}}, list(), isFalse},
		{"maps", dict(text("a")), dict(text("a")), isTrue},
		{"maps with a difference", dict(text("a")), dict(text("b")), isFalse},
		{"maps with an unknown", dict(text("a")), dict(unknown("*")), unsure},
		{"maps of other sizes", dict(text("a")), &Value{Kind: Map}, isFalse},
	}
	for _, tt := range tests {
		if got := equal(tt.a, tt.b); got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
		}
		if got := equal(tt.b, tt.a); got != tt.want {
			t.Errorf("%s, turned: got %d, want %d", tt.name, got, tt.want)
		}
	}
}

// What is resolved with unknowns must hold for every value that they can have:
// the text that a given parameter makes always fits the shape without it.
func TestShapesAreSound(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		part := rapid.SampledFrom([]string{"a", "/", ":", "${P}", "${Q}", "${AWS::Region}", "-b", "${!X}"})
		source := strings.Join(rapid.SliceOfN(part, 1, 6).Draw(rt, "parts"), "")
		expr := rapid.SampledFrom([]string{
			`!Sub "%"`, `!Join ["/", [x, !Sub "%", y]]`, `!Select [0, !Split ["/", !Sub "%"]]`, `!Select [1, !Split [":", !Sub "%:z"]]`,
			`!Base64 {"Fn::Sub": "%"}`, `!ToJsonString {k: !Sub "%"}`, `!Sub ["${V}.${P}", {V: !Sub "%"}]`,
		}).Draw(rt, "function")
		src := "Parameters: {P: {Type: String}, Q: {Type: String, AllowedValues: [q1, q2]}}\n" +
			"Resources: {R: {Type: T, Properties: {V: " + strings.ReplaceAll(expr, "%", source) + "}}}\n"
		tpl := parse(t, src)
		unknown := tpl.Worlds(Inputs{})[0].Resource("R").Properties.Get("V")
		known := tpl.Worlds(Inputs{Region: rapid.SampledFrom([]string{"us-east-1", "eu-west-1"}).Draw(rt, "region"), Parameters: map[string]string{
			"P": rapid.StringMatching(`[a/:"]{0,5}`).Draw(rt, "P"), "Q": rapid.SampledFrom([]string{"q1", "q2"}).Draw(rt, "Q"),
		}})[0].Resource("R").Properties.Get("V")
		if unknown.Kind == String {
			if known.Text != unknown.Text {
				rt.Fatalf("%s gave %q without parameters and %q with them", expr, unknown.Text, known.Text)
			}
			return
		}
		if known.Kind != String {
			return // an index out of range
		}
		if !unknown.Unknown.CanEqual(known.Text) {
			rt.Fatalf("%s gave the shape %s and the text %q", src, render(unknown), known.Text)
		}
	})
}
