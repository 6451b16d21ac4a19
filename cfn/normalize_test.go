package cfn

import (
	"testing"

	"plumbline/cfn/schema"
)

func TestNormalize(t *testing.T) {
	str := func(s string) *Value {
		return &Value{Kind: String, Text: s, Pos: Pos{3, 4}, Origin: &Origin{Function: "Ref"}}
	}
	num := func(s string) *Value { return &Value{Kind: Number, Text: s} }
	list := &schema.Type{Kind: schema.List, Elem: &schema.Type{Kind: schema.String}}
	object := &schema.Type{Kind: schema.Object, Name: "T"}
	dict := &Value{Kind: Map, Fields: []Field{{Key: "a", Value: str("b")}}}
	tests := []struct {
		name string
		v    *Value
		t    *schema.Type
		want string
		same bool
	}{
		{"nil value", nil, list, "absent", true},
		{"nil type", str("a"), nil, `"a"`, true},
		{"null", &Value{Kind: Null}, list, "null", true},
		{"any", num("1"), &schema.Type{Kind: schema.Any}, "1", true},

		{"true text", str("true"), &schema.Type{Kind: schema.Bool}, "true", false},
		{"True text", str("True"), &schema.Type{Kind: schema.Bool}, "true", false},
		{"FALSE text", str("FALSE"), &schema.Type{Kind: schema.Bool}, "false", false},
		{"other text for a boolean", str("yes"), &schema.Type{Kind: schema.Bool}, `"yes"`, true},
		{"boolean", &Value{Kind: Bool, Text: "true"}, &schema.Type{Kind: schema.Bool}, "true", true},

		{"number text", str("22"), &schema.Type{Kind: schema.Integer}, "22", false},
		{"number text with spaces", str(" 22 "), &schema.Type{Kind: schema.Integer}, "22", false},
		{"number", num("22"), &schema.Type{Kind: schema.Integer}, "22", true},
		{"zero", num("0"), &schema.Type{Kind: schema.Integer}, "0", true},
		{"negative", num("-1"), &schema.Type{Kind: schema.Integer}, "-1", true},
		{"octal", num("0644"), &schema.Type{Kind: schema.Integer}, "420", false},
		{"hexadecimal", num("0x16"), &schema.Type{Kind: schema.Integer}, "22", false},
		{"grouped", num("1_000"), &schema.Type{Kind: schema.Integer}, "1000", false},
		{"fraction of zeros", num("5.0"), &schema.Type{Kind: schema.Integer}, "5", false},
		{"fraction", num("5.5"), &schema.Type{Kind: schema.Integer}, "5.5", true},
		{"text that is no number", str("ten"), &schema.Type{Kind: schema.Integer}, `"ten"`, true},
		{"empty text", str(""), &schema.Type{Kind: schema.Integer}, `""`, true},

		{"double text", str("1.50"), &schema.Type{Kind: schema.Double}, "1.5", false},
		{"double", num("1.50"), &schema.Type{Kind: schema.Double}, "1.50", true},
		{"text for a double", str("NaN"), &schema.Type{Kind: schema.Double}, `"NaN"`, true},

		{"number for text", num("1.10"), &schema.Type{Kind: schema.String}, `"1.10"`, false},
		{"boolean for text", &Value{Kind: Bool, Text: "false"}, &schema.Type{Kind: schema.String}, `"false"`, false},
		{"text", str("a"), &schema.Type{Kind: schema.String}, `"a"`, true},
		{"map for text", dict, &schema.Type{Kind: schema.String}, `{a: "b"}`, true},

		{"scalar for a list", str("a"), list, `["a"]`, false},
		{"map for a list", dict, &schema.Type{Kind: schema.List, Elem: object}, `[{a: "b"}]`, false},
		{"list", &Value{Kind: List}, list, "[]", true},
		{"reference for a list", newResolver(&Template{}, Inputs{}).reference(Pos{}, "A", ""), list, "[<resource A | + @A>]", false},
		{"unknown that may be a list", newUnknown(Pos{}, "parameter P"), list, "<parameter P>", true},

		{"json for an object", str(` {"a": [1, "x"]} `), object, `{a: [1, "x"]}`, false},
		{"json for a map", str(`{"a": true}`), &schema.Type{Kind: schema.Map}, `{a: true}`, false},
		{"broken json", str(`{"a": `), object, `"{"a": "`, true},
		{"text for an object", str("a"), object, `"a"`, true},
		{"json list for an object", str(`[1]`), object, `"[1]"`, true},
		{"unknown", newUnknown(Pos{}, "parameter P"), object, "<parameter P>", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Normalize(tt.v, tt.t)
			if render(got) != tt.want {
				t.Errorf("got %s, want %s", render(got), tt.want)
			}
			if (got == tt.v) != tt.same {
				t.Errorf("same pointer: %v, want %v", got == tt.v, tt.same)
			}
			if got != nil && tt.v != nil && (got.Pos != tt.v.Pos || got.Origin != tt.v.Origin) {
				t.Error("place or origin is lost")
			}
		})
	}
	if got := Normalize(str(`{"a": {"b": [1]}}`), object).Lookup("a", "b", "0"); got.Pos != (Pos{3, 4}) {
		t.Errorf("a value within JSON text stands at %v", got.Pos)
	}
}

func TestLive(t *testing.T) {
	r, err := Live("AWS::S3::Bucket", "pay-vault", []byte(`{"BucketName": "pay-vault", "Arn": "arn:aws:s3:::pay-vault", "Tags": [{"Key": "a", "Value": "{{resolve:ssm:x}}"}], "N": 1, "B": true}`))
	if err != nil {
		t.Fatal(err)
	}
	want := `{BucketName: "pay-vault", Arn: "arn:aws:s3:::pay-vault", Tags: [{Key: "a", Value: "{{resolve:ssm:x}}"}], N: 1, B: true}`
	if r.LogicalID != "pay-vault" || r.Type != "AWS::S3::Bucket" || render(r.Properties) != want {
		t.Errorf("got %+v: %s", r, render(r.Properties))
	}
	if !r.Pos.IsZero() || !r.Properties.Get("Tags").Pos.IsZero() {
		t.Error("a live value has a place")
	}
	for _, tt := range []struct{ model, want string }{
		{`[1]`, `read the live model of T "i": it is a list; Cloud Control gives an object of properties`},
		{`"a"`, `read the live model of T "i": it is a string; Cloud Control gives an object of properties`},
		{`1`, `read the live model of T "i": it is a number; Cloud Control gives an object of properties`},
		{`true`, `read the live model of T "i": it is a boolean; Cloud Control gives an object of properties`},
		{`null`, `read the live model of T "i": it is a null; Cloud Control gives an object of properties`},
	} {
		if _, err := Live("T", "i", []byte(tt.model)); err == nil || err.Error() != tt.want {
			t.Errorf("%s: got %v", tt.model, err)
		}
	}
	for _, model := range []string{``, `{`, `{"a": 1,}`, `{} {}`} {
		if _, err := Live("T", "i", []byte(model)); err == nil {
			t.Errorf("%q was read", model)
		}
	}
}
