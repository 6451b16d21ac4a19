package cfn

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestJSONValues(t *testing.T) {
	tests := []struct{ src, want string }{
		{`{}`, `{}`},
		{`{"a": [1, -2.50, 1e400, 0, 12345678901234567890], "b": {"c": true, "d": false, "e": null}}`, `{a:[n1 n-2.50 n1e400 n0 n12345678901234567890] b:{c:btrue d:bfalse e:null}}`},
		{"\t{\r\n\t\"a\"\t:\t\"b\"\t}\n", `{a:"b"}`},
		{`{"a": "no", "b": "1.10"}`, `{a:"no" b:"1.10"}`},
		{`{"a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00": ""}`, "{a\"\\/\b\f\n\r\té😀:\"\"}"},
		{`{"a": "\ud83dx", "b": "\ude00", "c": "\ud83d\u0041"}`, `{a:"�x" b:"�" c:"�A"}`},
		{`{"a": "é😀"}`, `{a:"é😀"}`},
		{`{"Ref": "A"}`, `*{Ref:"A"}`},
		{`{"a": {"Fn::Join": ["", ["x", {"Ref": "y"}]]}, "b": {"c": 1}}`, `*{a:*{Fn::Join:*["" *["x" *{Ref:"y"}]]} b:{c:n1}}`},
		{"\ufeff{\"a\": 1}", `{a:n1}`},
		{`{"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6, "g": 7, "h": 8, "i": 9, "j": 10, "k": 11, "l": 12, "m": 13}`,
			`{a:n1 b:n2 c:n3 d:n4 e:n5 f:n6 g:n7 h:n8 i:n9 j:n10 k:n11 l:n12 m:n13}`},
	}
	for _, test := range tests {
		v, problems := readValue(t, "t.json", test.src)
		if got := notation(v); got != test.want || problems != "" {
			t.Errorf("%s reads as\n     %s %s\nwant %s", test.src, got, problems, test.want)
		}
	}
}

func TestJSONPlaces(t *testing.T) {
	const src = "{\n\t\"a\": [1, \"é\", true],\r\n  \"é\": {\"\\u00e9\": null}, \"x\": \"y\"\r}"
	v, _ := readValue(t, "t.json", src)
	const want = "{@1:1 a@2:2 [@2:7 1@2:8 é@2:11 true@2:16 é@3:3 {@3:8 é@3:9 null@3:19 x@3:26 y@3:31"
	if diff := cmp.Diff(want, places(v)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestJSONRepeatedKeys(t *testing.T) {
	const text = "stands a second time, after line 1. CloudFormation takes the last and drops the others without a word; keep one"
	tests := []struct{ src, want, problems string }{
		{`{"a": 1, "b": 2, "a": 3}`, `{a:n3 b:n2}`, `t.json:1:18: key "a" ` + text},
		{`{"a": 1, "a": 2, "a": 3}`, `{a:n3}`, `t.json:1:10: key "a" ` + text + "\n" + `t.json:1:18: key "a" ` + text},
		{`{"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6, "g": 7, "h": 8, "i": 9, "j": 10, "k": 11, "l": 12, "m": 13, "b": {}}`,
			`{a:n1 b:{} c:n3 d:n4 e:n5 f:n6 g:n7 h:n8 i:n9 j:n10 k:n11 l:n12 m:n13}`, `t.json:1:110: key "b" ` + text},
	}
	for _, test := range tests {
		v, problems := readValue(t, "t.json", test.src)
		if diff := cmp.Diff(test.want+"\n"+test.problems, notation(v)+"\n"+problems); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.src, diff)
		}
	}
}

// What is wrong with JSON that is no YAML either.
func TestJSONErrors(t *testing.T) {
	tests := []struct{ src, want string }{
		{`{`, `1:2: the file ends inside the object that opens at 1:1. is it cut off?`},
		{`{"a`, `1:2: a string without its closing quote. is the file cut off?`},
		{`{"a\n`, `1:2: a string without its closing quote. is the file cut off?`},
		{`{"a\`, `1:2: a string without its closing quote. is the file cut off?`},
		{`{"a"`, `1:5: the file ends inside the object that opens at 1:1. is it cut off?`},
		{`{"a":`, `1:6: the file ends inside the object that opens at 1:1. is it cut off?`},
		{`{"a": 1`, `1:8: the file ends inside the object that opens at 1:1. is it cut off?`},
		{`{"a": 1,`, `1:9: the file ends inside the object that opens at 1:1. is it cut off?`},
		{`{"a": [`, `1:8: the file ends where a value is due`},
		{`{"a": [1`, `1:9: the file ends inside the list that opens at 1:7. is it cut off?`},
		{`{"a": [1,`, `1:10: the file ends where a value is due`},
		{"{\n \"a\": 1\n \"b\": 2}", `3:2: a double quote after the member of the object; a comma or '}' is due. is a comma missing before it?`},
		{"{\"a\": [1\n 2]\n \"b\": 2}", `2:2: '2' after the item of the list; a comma or ']' is due. is a comma missing before it?`},
		{`{"a" 1 "b"}`, `1:6: a colon is due between the key "a" and its value`},
		{"{\n // c\n \"a\": 1}", `2:2: a comment, which JSON has not. remove it, or write the template as YAML`},
		{"{\"a\": /* c */ \"b\": 1}", `1:7: a comment, which JSON has not. remove it, or write the template as YAML`},
		{"{\"a\": 1 // c\n, b: [}", `1:9: a comment, which JSON has not. remove it, or write the template as YAML`},
		{`{"a": 1} // c`, `1:10: a comment, which JSON has not. remove it, or write the template as YAML`},
		{`{"a": 1} {"b": 2}`, `1:10: '{' after the end of the template; nothing may follow its last brace`},
		{`{"a": }b`, `1:7: '}' where a value is due`},
		{`{,}}`, `1:2: ',' where a key is due`},
		{`{"a": 'b"}`, `1:7: a string in single quotes. JSON's strings stand in double quotes`},
		{`{'a": 1}`, `1:2: a key in single quotes. JSON's keys stand in double quotes`},
		{`{"a": @}`, `1:7: '@' begins no value of JSON. text stands in double quotes`},
		{"{\"a\": \"b\n}", `1:7: a string that goes over the end of its line. is the closing quote missing? a line break inside a string is written \n`},
		{`{"a": "\q"}`, `1:8: a backslash that begins no escape of JSON. allowed are \" \\ \/ \b \f \n \r \t and \u with four hexadecimal digits; a backslash itself is \\`},
		{`{"a": "\u12g4"}`, `1:8: a backslash that begins no escape of JSON. allowed are \" \\ \/ \b \f \n \r \t and \u with four hexadecimal digits; a backslash itself is \\`},
		{`{"a": "\u12`, `1:8: a backslash that begins no escape of JSON. allowed are \" \\ \/ \b \f \n \r \t and \u with four hexadecimal digits; a backslash itself is \\`},
		{"{\"a\": \"b\\tc\x01\"}", `1:12: control character 0x01 inside a string. write \u0001, or remove it`},
		{`[1`, `1:3: the file ends inside the list that opens at 1:1. is it cut off?`},
		{strings.Repeat("[", MaxDepth+1), `1:1001: more than 1000 levels of objects and lists inside each other`},
		{strings.Repeat(`{"a":`, MaxDepth+1), `1:5001: more than 1000 levels of objects and lists inside each other`},
	}
	for _, test := range tests {
		_, err := Parse("t.json", []byte(test.src))
		if err == nil {
			t.Errorf("%.60s is read, want %s", test.src, test.want)
			continue
		}
		if diff := cmp.Diff("t.json:"+test.want, err.Error()); diff != "" {
			t.Errorf("%.60s (-want +got):\n%s", test.src, diff)
		}
	}
}

// What JSON does not allow and YAML does is read, and told where JSON was meant.
func TestJSONThatIsYAML(t *testing.T) {
	const also = ". CloudFormation may still take the file, as YAML, and so it was read here; other tools will not"
	tests := []struct{ name, path, src, want, problem string }{
		{"trailing comma", "t.json", `{"a": 1,}`, `{a:n1}`, "t.json:1:8: a comma after the last member of the object, which JSON does not allow. remove the comma" + also},
		{"trailing comma in a list", "t.json", `{"a": [1,]}`, `{a:[n1]}`, "t.json:1:9: a comma after the last item of the list, which JSON does not allow. remove the comma" + also},
		{"bare key", "t.json", `{"a": 1, b: 2}`, `{a:n1 b:n2}`, "t.json:1:10: 'b' where a key is due. keys stand in double quotes" + also},
		{"single quotes", "t.json", `{'a': 'b'}`, `{a:"b"}`, "t.json:1:2: a key in single quotes. JSON's keys stand in double quotes" + also},
		{"not a number", "t.json", `{"a": NaN}`, `{a:"NaN"}`, "t.json:1:7: NaN is not a value of JSON. allowed are strings in double quotes, numbers, true, false, null, objects and lists" + also},
		{"leading zero", "t.json", `{"a": 012}`, `{a:n012}`, "t.json:1:7: a number with a leading zero, which JSON has not. put it in quotes where it is text, such as an account id" + also},
		{"a number cut short", "t.json", `{"a": 1.}`, `{a:n1.}`, "t.json:1:9: a digit is due after the decimal point" + also},
		{"an exponent cut short", "t.json", `{"a": 1e}`, `{a:"1e"}`, "t.json:1:9: a digit is due in the exponent" + also},
		{"a word that begins with a value", "t.json", `{"a": trueish}`, `{a:"trueish"}`, "t.json:1:7: 't' begins no value of JSON. text stands in double quotes" + also},
		{"a number with letters", "t.json", `{"a": 1x}`, `{a:"1x"}`, "t.json:1:7: '1' begins no value of JSON. text stands in double quotes" + also},
		{"a minus", "t.json", `{"a": -b}`, `{a:"-b"}`, "t.json:1:7: '-' begins no value of JSON. text stands in double quotes" + also},
		{"a tab in a string", "t.json", "{\"a\": \"b\tc\"}", `{a:"b\tc"}`, "t.json:1:9: a tab inside a string. write \\t" + also},
		{"meant as JSON by its first key", "t.template", `{"a": 1,}`, `{a:n1}`, "t.template:1:8: a comma after the last member of the object, which JSON does not allow. remove the comma" + also},
		{"meant as YAML by its first key", "t.template", `{a: 1,}`, `{a:n1}`, ""},
		{"meant as YAML by its name", "t.yaml", `{"a": 1,}`, `{a:n1}`, ""},
		{"a function in flow style", "t.yml", `{"a": !Ref b}`, `*{a:*{Ref:"b"}}`, ""},
		{"JSON under another name", "t.yaml", `{"a": "no"}`, `{a:"no"}`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v, problems := readValue(t, test.path, test.src)
			if diff := cmp.Diff(test.want+"\n"+test.problem, notation(v)+"\n"+problems); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestBrokenFlowYAML(t *testing.T) {
	_, err := Parse("t.yaml", []byte("{Resources: {\n a: [}\n"))
	const want = `t.yaml:2:2: a value is due here: is there a comma too many in the brackets, or a tag or an anchor without its value?`
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

// FuzzJSON holds the reader to the standard library's: what one takes, the
// other takes, with the same text in it.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"a": [1, -2.5e3, "x\u00e9\ud83d\ude00"], "b": {}}`, `[]`, `"x`, `{"a":1,}`, `[1 2]`, `01`, "\"\t\"", `tru`, `-`, `1.`, `{"a" 1}`, `"\ud83d"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		l := &loader{path: "t.json"}
		if problem := l.decode([]byte(src)); problem != nil {
			return
		}
		v, problem := l.readJSON()
		if valid := json.Valid(l.src); valid != (problem == nil) {
			if strings.Count(src, "[")+strings.Count(src, "{") < MaxDepth {
				t.Fatalf("the standard library says valid=%v, here %v", valid, problem)
			}
		}
		if problem != nil {
			return
		}
		var want any
		d := json.NewDecoder(strings.NewReader(string(l.src)))
		d.UseNumber()
		if err := d.Decode(&want); err != nil {
			return // beyond its own depth
		}
		if diff := cmp.Diff(want, plainJSON(v)); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

// plainJSON is a value as encoding/json decodes it.
func plainJSON(v *Value) any {
	switch v.Kind {
	case Map:
		m := make(map[string]any, len(v.Fields))
		for _, f := range v.Fields {
			m[f.Key] = plainJSON(f.Value)
		}
		return m
	case List:
		items := make([]any, 0, len(v.Items))
		for _, item := range v.Items {
			items = append(items, plainJSON(item))
		}
		return items
	case Number:
		return json.Number(v.Text)
	case Bool:
		return v.Text == "true"
	case String:
		return v.Text
	}
	return nil
}
