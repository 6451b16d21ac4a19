package cfn

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestYAMLScalars(t *testing.T) {
	tests := []struct{ kind, scalars string }{
		{"b", "true True TRUE yes Yes YES on On ON"},
		{"b", "false False FALSE no No NO off Off OFF"},
		{"n", "0 7 -7 +7 42 1_000 022 0644 0o17 0x16 0xFF 0b101 1.10 -0.5 .5 5. 1e3 1.5e-3 6.02E+23 012345670123 1_0.5"},
		{`"`, "y Y n N yEs tRue Null1 nullx oN of o 2010-09-09 2024-01-01T10:00:00Z 22:22 12:30:45 1.2.3 10.0.0.0/16 0x 0o 0b 0xg 0o9 0b2 09 08 012345678901 1e 1e+ - + . -a +a .inf .nan .e3 1__a _1 _ 3ab 1,5 ami-1 eu-west-1 ~x"},
		{"null", "~ null Null NULL"},
	}
	for _, test := range tests {
		for s := range strings.FieldsSeq(test.scalars) {
			if s == "-" { // begins a list where it stands alone
				continue
			}
			v, problems := readValue(t, "t.yaml", "v: "+s+"\n")
			got := notation(v.Get("v"))
			want := test.kind
			switch test.kind {
			case "b":
				want += fmt.Sprint(strings.Contains("true yes on", strings.ToLower(s)))
			case "n":
				want += s
			case `"`:
				want = fmt.Sprintf("%q", s)
			}
			if got != want || problems != "" {
				t.Errorf("%s reads as %s %s, want %s", s, got, problems, want)
			}
		}
	}
}

func TestYAMLQuotedScalarsAreText(t *testing.T) {
	const src = `
a: "no"
b: '022'
c: "null"
d: |
  yes
e: >-
  1.10
g: !!str 5
h: ""
i:
`
	v, problems := readValue(t, "t.yaml", src)
	want := `{a:"no" b:"022" c:"null" d:"yes\n" e:"1.10" g:"5" h:"" i:null}`
	if diff := cmp.Diff(want, notation(v)); diff != "" || problems != "" {
		t.Errorf("problems %q (-want +got):\n%s", problems, diff)
	}
}

func TestYAMLStructure(t *testing.T) {
	tests := []struct{ name, src, want, problems string }{
		{"keys are text as written", "1: a\ntrue: b\n2024-01-01: c\n012345678901: d\n'no': e\n", `{1:"a" true:"b" 2024-01-01:"c" 012345678901:"d" no:"e"}`, ""},
		{"flow", "{a: [1, {b: c}], 'd': e}", `{a:[n1 {b:"c"}] d:"e"}`, ""},
		{"flow over lines that begin with a brace", "{\n  a: 1,\n}", `{a:n1}`, ""},
		{"empty collections", "a: {}\nb: []\n", `{a:{} b:[]}`, ""},
		{"aliases share", "a: &x {b: 1}\nc: *x\nd: [*x, *x]\n", `{a:{b:n1} c:{b:n1} d:[{b:n1} {b:n1}]}`, ""},
		{"alias of a scalar as a key", "a: &x b\n*x : c\n", `{a:"b" b:"c"}`, ""},
		{"anchored function", "a: &x !Ref B\nc: *x\n", `*{a:*{Ref:"B"} c:*{Ref:"B"}}`, ""},
		{"merge", "a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  c: 3\n", `{a:{b:n1 c:n2} d:{c:n3 b:n1}}`, ""},
		{"merge of a list", "a: &x {b: 1}\nc: &y {b: 2, d: 4}\ne: {<<: [*x, *y], f: 5}\n", `{a:{b:n1} c:{b:n2 d:n4} e:{f:n5 b:n1 d:n4}}`, ""},
		{"two merges", "a: &x {b: 1}\nc: &y {d: [1, 2]}\ne: {<<: *x, <<: *y}\n", `{a:{b:n1} c:{d:[n1 n2]} e:{b:n1 d:[n1 n2]}}`, ""},
		{"merge written out", "a: {<<: {b: {c: 1}}, <<: {d: {e: 2}}}\n", `{a:{b:{c:n1} d:{e:n2}}}`, ""},
		{"a quoted << is a key", "a: {'<<': 1}\n", `{a:{<<:n1}}`, ""},
		{"merge of a scalar", "a: {<<: 1, b: 2}\n", `{a:{b:n2}}`, "t.yaml:1:9: << takes a map or a list of maps, here it has the number 1"},
		{"a key twice", "a: 1\nb: 2\na: 3\n", `{a:n3 b:n2}`, `t.yaml:3:1: key "a" stands a second time, after line 1. CloudFormation takes the last and drops the others without a word; keep one`},
		{"a list as key", "? [a, b]\n: 1\nc: 2\n", `{c:n2}`, "t.yaml:1:3: a list as a key. keys are text"},
		{"a map as key", "{{a: b}: 1, c: 2}\n", `{c:n2}`, "t.yaml:1:2: a map as a key. keys are text"},
		{"no key", "?\n: 1\nc: 2\n", `{c:n2}`, "t.yaml:1:2: an empty key. is a name missing before the colon?"},
		{"a function as key", "!Ref a: 1\nc: 2\n", `{c:n2}`, "t.yaml:1:1: tag !Ref on a key. keys are text; functions stand in values"},
		{"YAML's own tags", "a: !!int 5\nb: !!bool yes\nc: !!float 1.5\nd: !!null ~\ne: !!map {f: 1}\ng: !!seq [1]\n", `{a:n5 b:btrue c:n1.5 d:null e:{f:n1} g:[n1]}`, ""},
		{"a value that is not of its tag", "a: !!int five\n", `{a:"five"}`, `t.yaml:1:4: "five" is no value of tag !!int`},
		{"a tag of another language", "a: !!python/object/apply:os.getcwd []\n", `{a:[]}`, "t.yaml:1:4: tag !!python/object/apply:os.getcwd, which CloudFormation does not take. write the value without it"},
		{"binary", "a: !!binary aGk=\n", `{a:"aGk="}`, "t.yaml:1:4: tag !!binary, which CloudFormation does not take. write the value without it"},
		{"a scalar tag on a map", "a: !!int {b: 1}\n", `{a:{b:n1}}`, ""},
		{"a document mark before", "---\na: 1\n", `{a:n1}`, ""},
		{"document marks around", "%YAML 1.1\n---\na: 1\n...\n", `{a:n1}`, ""},
		{"a document mark after", "a: 1\n---\n", `{a:n1}`, ""},
		{"a document mark inside text", "a: |\n  x\n  ---\n  y\n", `{a:"x\n---\ny\n"}`, ""},
		{"windows lines", "a: 1\r\nb: |\r\n  x\r\n  y\r\n", `{a:n1 b:"x\ny\n"}`, ""},
		{"old mac lines", "a: 1\rb: 2\r", `{a:n1 b:n2}`, ""},
		{"byte order mark", "\ufeffa: 1\n", `{a:n1}`, ""},
		{"comments after the end mark", "a: 1\n...\n# b\n", `{a:n1}`, ""},
		{"dynamic reference", "a: x{{resolve:ssm:/b}}\nc: '{{resolve'\n", `*{a:*"x{{resolve:ssm:/b}}" c:"{{resolve"}`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v, problems := readValue(t, "t.yaml", test.src)
			if diff := cmp.Diff(test.want, notation(v)); diff != "" {
				t.Errorf("value (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.problems, problems); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestYAMLAliasesShareOneValue(t *testing.T) {
	v, _ := readValue(t, "t.yaml", "a: &x {b: 1}\nc: *x\n")
	if v.Get("a") != v.Get("c") {
		t.Error("an alias has a value of its own")
	}
}

func TestYAMLFunctions(t *testing.T) {
	tests := []struct{ src, want string }{
		{"!Ref A", `*{Ref:"A"}`},
		{"!Ref 5", `*{Ref:"5"}`},
		{"!Condition A", `*{Condition:"A"}`},
		{"!Sub 'a-${B}'", `*{Fn::Sub:"a-${B}"}`},
		{"!Sub [x, {y: !Ref z}]", `*{Fn::Sub:*["x" *{y:*{Ref:"z"}}]}`},
		{"!GetAtt A.B", `*{Fn::GetAtt:["A" "B"]}`},
		{"!GetAtt A.Outputs.C", `*{Fn::GetAtt:["A" "Outputs.C"]}`},
		{"!GetAtt [A, B]", `*{Fn::GetAtt:["A" "B"]}`},
		{"!GetAtt [A, !Ref B]", `*{Fn::GetAtt:*["A" *{Ref:"B"}]}`},
		{"!GetAtt A", `*{Fn::GetAtt:"A"}`},
		{"!If [C, 1, no]", `*{Fn::If:["C" n1 bfalse]}`},
		{"!Join ['', [a, !Ref b]]", `*{Fn::Join:*["" *["a" *{Ref:"b"}]]}`},
		{"!GetAZs ''", `*{Fn::GetAZs:""}`},
		{"!GetAZs", `*{Fn::GetAZs:""}`},
		{"!Base64 yes", `*{Fn::Base64:"yes"}`},
		{"!Cidr [a, 2, 8]", `*{Fn::Cidr:["a" n2 n8]}`},
		{"!Length [a]", `*{Fn::Length:["a"]}`},
		{"!ToJsonString {a: 1}", `*{Fn::ToJsonString:{a:n1}}`},
		{"!ForEach [i, [a], {}]", `*{Fn::ForEach:["i" ["a"] {}]}`},
		{"!Transform {Name: AWS::Include, Parameters: {Location: x}}", `*{Fn::Transform:{Name:"AWS::Include" Parameters:{Location:"x"}}}`},
		{"!Select [0, !Split [',', !ImportValue x]]", `*{Fn::Select:*[n0 *{Fn::Split:*["," *{Fn::ImportValue:"x"}]}]}`},
		{"!And [!Equals [a, b], !Not [!Or [!Condition c, !FindInMap [d, e, f]]]]", `*{Fn::And:*[*{Fn::Equals:["a" "b"]} *{Fn::Not:*[*{Fn::Or:*[*{Condition:"c"} *{Fn::FindInMap:["d" "e" "f"]}]}]}]}`},
		{"{Ref: A}", `*{Ref:"A"}`},
		{"{Fn::GetAtt: [A, B]}", `*{Fn::GetAtt:["A" "B"]}`},
		{"{Condition: A}", `*{Condition:"A"}`},
		{"{Condition: {StringEquals: {a: b}}}", `{Condition:{StringEquals:{a:"b"}}}`},
		{"{Ref: A, Other: b}", `{Ref:"A" Other:"b"}`},
		{"{Fn::Transform: {Name: X}, Other: b}", `*{Fn::Transform:{Name:"X"} Other:"b"}`},
	}
	for _, test := range tests {
		v, problems := readValue(t, "t.yaml", "v: "+test.src+"\n")
		if got := notation(v.Get("v")); got != test.want || problems != "" {
			t.Errorf("%s reads as\n     %s %s\nwant %s", test.src, got, problems, test.want)
		}
	}
}

func TestYAMLUnknownTags(t *testing.T) {
	tests := []struct{ src, want, problem string }{
		{"!Nope b", `*{Fn::Nope:"b"}`, `t.yaml:1:4: tag !Nope is none of CloudFormation's functions. did you mean !Not?`},
		{"!getatt b", `*{Fn::getatt:"b"}`, `t.yaml:1:4: tag !getatt is none of CloudFormation's functions. did you mean !GetAtt?`},
		{"!Rain::Module x", `*{Fn::Rain::Module:"x"}`, ""},
		{"!vault |\n  secret\n", `*{Fn::vault:"secret\n"}`, "t.yaml:1:4: tag !vault is none of CloudFormation's functions. allowed are !Ref, !Condition and the functions whose long form begins with Fn::"},
	}
	for _, test := range tests {
		v, problems := readValue(t, "t.yaml", "v: "+test.src)
		if diff := cmp.Diff(test.want+"\n"+test.problem, notation(v.Get("v"))+"\n"+problems); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.src, diff)
		}
	}
}

func TestYAMLPlaces(t *testing.T) {
	tests := []struct{ name, src, want string }{
		{"block", "a:\n  b: 1\n  c:\n    - x\n    - y: z\n", "{@1:1 a@1:1 {@2:3 b@2:3 1@2:6 c@3:3 [@4:5 x@4:7 {@5:7 y@5:7 z@5:10"},
		{"flow", "a: {b: [1, 'x']}", "{@1:1 a@1:1 {@1:4 b@1:5 [@1:8 1@1:9 x@1:12"},
		{"characters, not bytes", "é: 'ü' # x\nüü: {é: ö, x: y}", "{@1:1 é@1:1 ü@1:4 üü@2:1 {@2:5 é@2:6 ö@2:9 x@2:12 y@2:15"},
		{"a function's argument", "a: !Sub   'x'\nb: !GetAtt Q.Arn\nc: !If [C, 1, 2]\nd: !If\n  - C\n  - 1\n  - 2\n",
			"{@1:1 a@1:1 {@1:4 Fn::Sub@1:4 x@1:11 b@2:1 {@2:4 Fn::GetAtt@2:4 [@2:12 Q@2:12 Arn@2:14 c@3:1 {@3:4 Fn::If@3:4 [@3:8 C@3:9 1@3:12 2@3:15 d@4:1 {@4:4 Fn::If@4:4 [@5:5 C@5:5 1@6:5 2@7:5"},
		{"behind an anchor", "a: &e x\nb: &y {c: 1}\nd: &z\n  e: 1\nf: *y\n", "{@1:1 a@1:1 x@1:7 b@2:1 {@2:7 c@2:8 1@2:11 d@3:1 {@4:3 e@4:3 1@4:6 f@5:1 {@2:7 c@2:8 1@2:11"},
		{"a function behind an anchor", "a: &x !Ref b\n", "{@1:1 a@1:1 {@1:4 Ref@1:4 b@1:12"},
		{"a text on later lines", "a: !Sub |\n  x\n", "{@1:1 a@1:1 {@1:4 Fn::Sub@1:4 x\n@1:9"},
		{"a tagged text on the next line", "a: !Sub\n  x\n", "{@1:1 a@1:1 {@1:4 Fn::Sub@1:4 x@1:4"},
		{"null", "a:\nb: ~\n", "{@1:1 a@1:1 null@1:3 b@2:1 null@2:4"},
		{"unicode line breaks", "a: 1\u2028b: 2\u0085c: 3\n", "{@1:1 a@1:1 1@1:4 b@2:1 2@2:4 c@3:1 3@3:4"},
		{"byte order mark", "\ufeffa: 1", "{@1:1 a@1:1 1@1:4"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v, _ := readValue(t, "t.yaml", test.src)
			if diff := cmp.Diff(test.want, places(v)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestYAMLTabs(t *testing.T) {
	const text = ": a tab outside of quotes; parsers of YAML 1.1, as behind CloudFormation, may refuse the file for it. put spaces in its place, or remove it"
	tests := []struct{ name, src, place string }{
		{"at the end of a line", "a: b\t\nc: d\n", "1:5"},
		{"after a quoted text", "a: 'b'\t\n", "1:7"},
		{"after a colon", "a:\tb\n", "1:3"},
		{"before a comment", "a: b\t# c\n", "1:5"},
		{"inside bare text", "a: b\tc\n", "1:5"},
		{"in brackets", "a: [b,\tc]\n", "1:7"},
		{"after a block", "a: |\n  b\nc: e\t\n", "3:5"},
		{"after a folded block with a tag", "a: !Sub >-\n  b ü\n  c\nd: e\t\n", "4:5"},
		{"after quotes over lines", "a: \"b \\\" \n  c\"\nd: 'e''f\n  g'\nh:\ti\n", "5:3"},

		{"in quotes", "a: \"b\tc\"\nd: 'e\tf'\n", ""},
		{"in quoted keys", "\"a\tb\": c\n'd''\t': e\n", ""},
		{"in a block of text", "a: |\n  b\tc\n  \td\n", ""},
		{"at the end of a block", "a: |\n  b\t\n  \t\nc: d\n", ""},
		{"in a folded block", "a: >\n  b\n    \tc\n  d\n\ne: f\n", ""},
		{"in a comment", "a: b # c\td\n#\te\nf: g#h\n", ""},
		{"in a text behind a tag and an anchor", "a: &x !Sub\n  'b\tc'\nd: !Sub # e\tf\n  \"g\th\"\n", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := &loader{path: "t.yaml"}
			_, problem := l.read([]byte(test.src))
			if problem != nil {
				t.Fatal(problem)
			}
			want := ""
			if test.place != "" {
				want = "t.yaml:" + test.place + text
			}
			if diff := cmp.Diff(want, messages(l.problems)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestInt(t *testing.T) {
	number := func(s string) *Value { return &Value{Kind: Number, Text: s} }
	text := func(s string) *Value { return &Value{Kind: String, Text: s} }
	tests := []struct {
		v     *Value
		whole string // of Int, "" for none
		float string // of Float, "" for none
	}{
		{number("22"), "22", "22"}, {number("022"), "18", "18"}, {number("-022"), "-18", "-18"}, {number("0o22"), "18", "18"}, {number("0x16"), "22", "22"},
		{number("0b101"), "5", "5"}, {number("1_000"), "1000", "1000"}, {number("+7"), "7", "7"}, {number("0"), "0", "0"}, {number("5.0"), "5", "5"},
		{number("1.10"), "", "1.1"}, {number("1e3"), "1000", "1000"}, {number("9223372036854775807"), "9223372036854775807", "9.223372036854776e+18"},
		{number("9223372036854775808"), "", "9.223372036854776e+18"}, {number("1e400"), "", ""}, {number("1_0.5"), "", "10.5"},
		{text("22"), "22", "22"}, {text("022"), "22", "22"}, {text(" 5 "), "5", "5"}, {text("5.0"), "5", "5"}, {text("0x16"), "", ""}, {text("NaN"), "", ""},
		{text("Inf"), "", ""}, {text(""), "", ""}, {text("five"), "", ""}, {nil, "", ""}, {&Value{Kind: Bool, Text: "true"}, "", ""},
	}
	for _, test := range tests {
		whole, float := "", ""
		if n, ok := test.v.Int(); ok {
			whole = fmt.Sprint(n)
		}
		if n, ok := test.v.Float(); ok {
			float = fmt.Sprint(n)
		}
		if whole != test.whole || float != test.float {
			t.Errorf("%s: Int %q, Float %q; want %q, %q", notation(test.v), whole, float, test.whole, test.float)
		}
	}
}
