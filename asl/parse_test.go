package asl

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const nested = `{
  "Comment": "Scans buckets.",
  "StartAt": "ForEachBucket",
  "TimeoutSeconds": 3600,
  "States": {
    "ForEachBucket": {
      "Type": "Map",
      "ItemsPath": "$.buckets",
      "Iterator": {
        "StartAt": "Read",
        "States": {
          "Read": {"Type": "Task", "Resource": "${ReadArn}", "TimeoutSeconds": 30, "Next": "AllChecks",
            "Retry": [{"ErrorEquals": ["Throttled"], "IntervalSeconds": 2, "MaxDelaySeconds": 9}],
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": null, "Next": "AllChecks"}]},
          "AllChecks": {
            "Type": "Parallel", "End": true, "ResultPath": null,
            "Branches": [
              {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}},
              {"StartAt": "B", "States": {"B": {"Type": "Succeed"}}}
            ]
          }
        }
      },
      "Parameters": {"bucket.$": "$$.Map.Item.Value"},
      "Label": "",
      "Next": "IsGood"
    },
    "IsGood": {
      "Type": "Choice",
      "Choices": [{
        "Not": {"Variable": "$.n", "NumericLessThan": 1},
        "Next": "Good"
      }, {
        "And": [{"Variable": "$.a", "IsPresent": true}, {"Variable": "$.a", "StringEqualsPath": "$.b"}],
        "Next": "Good"
      }],
      "Default": "Good"
    },
    "Good": {"Type": "Succeed"}
  }
}`

func mustParse(t testing.TB, src string) *Definition {
	t.Helper()
	d, err := Parse([]byte(src))
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	return d
}

func TestParseModel(t *testing.T) {
	d := mustParse(t, nested)
	if d.StartAt != "ForEachBucket" || d.Comment != "Scans buckets." || *d.TimeoutSeconds != 3600 {
		t.Errorf("top: %+v", d)
	}
	each := d.State("ForEachBucket")
	if each.ItemProcessor == nil || string(each.ItemSelector) != `{"bucket.$": "$$.Map.Item.Value"}` || each.Parameters != nil {
		t.Errorf("older names of a Map are not read: %+v", each)
	}
	if !each.Has("Label") || each.Has("Comment") {
		t.Error("Has does not tell an empty field from none")
	}
	read := each.ItemProcessor.State("Read")
	if read.Resource != "${ReadArn}" {
		t.Errorf("resource %q: a placeholder must stay as it is", read.Resource)
	}
	if string(read.Catch[0].ResultPath) != "null" || read.ResultPath != nil {
		t.Error("null and absent paths are not told apart")
	}
	if r := read.Retry[0]; r.MaxAttempts != nil || *r.IntervalSeconds != 2 || *r.MaxDelaySeconds != 9 {
		t.Errorf("retrier: %+v", r)
	}
	choice := d.State("IsGood").Choices
	if choice[0].Not.Operator != "NumericLessThan" || string(choice[0].Not.Operand) != "1" || choice[1].And[1].Operator != "StringEqualsPath" {
		t.Errorf("choices: %+v %+v", choice[0].Not, choice[1].And[1])
	}
	if d.State("Nobody") != nil {
		t.Error("a state nobody wrote")
	}
}

func TestAllWalksOuterBeforeInner(t *testing.T) {
	d := mustParse(t, nested)
	var got []string
	for m, s := range d.All() {
		got = append(got, fmt.Sprintf("%s %s %s %v", s.Pos, s.Location(), m.Location(), s.Machine() == m))
	}
	want := []string{
		"6:5 /States/ForEachBucket  true",
		"12:11 /States/ForEachBucket/Iterator/States/Read /States/ForEachBucket/Iterator true",
		"15:11 /States/ForEachBucket/Iterator/States/AllChecks /States/ForEachBucket/Iterator true",
		"18:43 /States/ForEachBucket/Iterator/States/AllChecks/Branches[0]/States/A /States/ForEachBucket/Iterator/States/AllChecks/Branches[0] true",
		"19:43 /States/ForEachBucket/Iterator/States/AllChecks/Branches[1]/States/B /States/ForEachBucket/Iterator/States/AllChecks/Branches[1] true",
		"28:5 /States/IsGood  true",
		"39:5 /States/Good  true",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for range d.All() {
		break // stopping early is allowed
	}
	inner := d.State("ForEachBucket").ItemProcessor
	if inner.Owner() != d.State("ForEachBucket") || d.Owner() != nil {
		t.Error("owners")
	}
}

func TestFieldPos(t *testing.T) {
	d := mustParse(t, nested)
	s := d.State("ForEachBucket")
	for field, want := range map[string]Pos{"Label": {25, 7}, "Comment": {6, 5}} {
		if got := s.FieldPos(field); got != want {
			t.Errorf("%s: %v, want %v", field, got, want)
		}
	}
	if got := d.FieldPos("TimeoutSeconds"); got != (Pos{4, 3}) {
		t.Errorf("TimeoutSeconds at %v", got)
	}
	if got := d.FieldPos("Version"); got != (Pos{1, 1}) {
		t.Errorf("absent field at %v", got)
	}
}

func TestLanguage(t *testing.T) {
	d := mustParse(t, `{"QueryLanguage":"JSONata","StartAt":"M","States":{
	  "M":{"Type":"Map","ItemProcessor":{"StartAt":"P","States":{"P":{"Type":"Pass","End":true},"Q":{"Type":"Pass","QueryLanguage":"jsonpath"}}},"End":true}}}`)
	m := d.State("M")
	if m.Language() != JSONata || m.ItemProcessor.State("P").Language() != JSONata {
		t.Error("the language of the whole machine must reach all states")
	}
	if got := m.ItemProcessor.State("Q").Language(); got != JSONata {
		t.Errorf("only the exact word is JSONPath, got %s", got)
	}
	d = mustParse(t, `{"StartAt":"M","States":{
	  "M":{"Type":"Map","QueryLanguage":"JSONata","ItemProcessor":{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}},"End":true}}}`)
	if m := d.State("M"); m.Language() != JSONata || m.ItemProcessor.State("P").Language() != JSONPath {
		t.Error("a Map's language must not reach the states inside it")
	}
}

func TestParseProblems(t *testing.T) {
	tests := []struct {
		name, src string
		want      string // the whole error
	}{
		{"empty", " \n", "2:1: the text is empty. a definition is a JSON object with StartAt and States"},
		{"word", "not a definition", `1:1: "not" is no JSON value. strings stand in double quotes; the words are true, false and null`},
		{"byte order mark", "\uFEFF{}", "1:1: the text begins with a byte order mark. save it as UTF-8 without one"},
		{"trailing", "{} {}", "1:4: '{' follows the end of the JSON value. remove everything after it"},
		{"comma before brace", "{\"a\": 1,\n}", "2:1: a comma stands before the closing brace. remove it"},
		{"comma before bracket", `{"a": [1,]}`, "1:10: a comma stands before the closing bracket. remove it"},
		{"no colon", `{"a" 1}`, `1:6: '1' stands where a colon after the field name "a" is expected`},
		{"no comma", "{\"a\": 1\n \"b\": 2}", `2:2: '"' stands where a comma or a closing brace is expected, after the value of "a"`},
		{"no comma in array", `{"a": [1 2]}`, "1:10: '2' stands where a comma or a closing bracket is expected"},
		{"bare name", `{a: 1}`, "1:2: 'a' stands where a field name in double quotes is expected"},
		{"unclosed object", `{"a": {"b": 1`, "1:14: the text ends inside the object opened at 1:7. close it"},
		{"unclosed array", `{"a": [1`, "1:9: the text ends inside the array opened at 1:7. close it"},
		{"unclosed after name", `{"a"`, "1:5: the text ends inside the object opened at 1:1. close it"},
		{"unclosed after colon", `{"a":`, "1:6: the text ends inside the object opened at 1:1. close it"},
		{"unclosed string", `{"a": "b`, "1:9: the text ends inside the string opened at 1:7"},
		{"line end in string", "{\"a\": \"b\n\"}", "1:9: the line ends inside a string. close it with a double quote, or write \\n"},
		{"control character", "{\"a\": \"b\x01\"}", "1:9: a string holds the control character 0x01. write it as an escape"},
		{"bad escape", `{"a": "\q"}`, `1:8: \q is no escape. a backslash itself is written \\`},
		{"bad unicode", `{"a": "\u12x4"}`, `1:8: \u must be followed by four hexadecimal digits`},
		{"end in escape", `{"a": "\`, "1:9: the text ends inside an escape"},
		{"leading zero", `{"a": 012}`, "1:7: a number must not begin with 0. remove the leading zeroes"},
		{"minus", `{"a": -}`, "1:7: a minus sign without digits is no number"},
		{"point", `{"a": 1.}`, "1:7: a decimal point without digits is no number"},
		{"exponent", `{"a": 1e+}`, "1:7: an exponent without digits is no number"},
		{"stray", `{"a": ]}`, "1:7: ']' stands where a value is expected"},
		{"columns count characters", `{"ä": "ö", x}`, "1:12: 'x' stands where a field name in double quotes is expected"},
		{"not an object", "[]", "1:1: the state machine is an array. it must be an object"},
		{"too large", `{"TimeoutSeconds": 1e999}`, `1:20: field "TimeoutSeconds" of the state machine is 1e999, which is too large`},
		{
			"types, all of them at once",
			`{"StartAt": 1, "States": {
			  "A": {"Type": "Task", "End": "yes", "Retry": [{"ErrorEquals": ["a", 2], "MaxAttempts": "3"}, 4], "Catch": {}},
			  "B": [], "C": {"Type": "Choice", "Choices": [{"And": [true]}]},
			  "D": {"Type": "Map", "ItemProcessor": 1}}}`,
			strings.Join([]string{
				`1:13: field "StartAt" of the state machine is a number. it must be a string`,
				`2:35: field "End" of state "A" is a string. it must be a boolean`,
				`2:74: entry 1 of "ErrorEquals" of entry 0 of "Retry" of state "A" is a number. it must be a string`,
				`2:93: field "MaxAttempts" of entry 0 of "Retry" of state "A" is a string. it must be a number`,
				`2:99: entry 1 of "Retry" of state "A" is a number. it must be an object`,
				`2:112: field "Catch" of state "A" is an object. it must be an array`,
				`3:11: state "B" is an array. it must be an object`,
				`3:60: entry 0 of "And" of entry 0 of "Choices" of state "C" is a boolean. it must be an object`,
				`4:44: the machine inside state "D" is a number. it must be an object`,
			}, "\n"),
		},
		{
			"duplicates",
			`{"StartAt": "A", "StartAt": "B", "States": {
			  "A": {"Type": "Pass", "End": true},
			  "A": {"Type": "Pass", "End": true, "Result": [{"x": 1, "x": 2}]}}}`,
			strings.Join([]string{
				`1:18: field "StartAt" stands twice in the same object, first at 1:2. remove one of them`,
				`3:6: state "A" is defined twice, first at 2:6. rename one of them`,
				`3:61: field "x" stands twice in the same object, first at 3:53. remove one of them`,
			}, "\n"),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := Parse([]byte(tt.src))
			if d != nil || err == nil {
				t.Fatalf("Parse: %v, %v", d, err)
			}
			var pe *ParseError
			if !errors.As(err, &pe) {
				t.Fatalf("%T is no *ParseError", err)
			}
			if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseStrings(t *testing.T) {
	d := mustParse(t, `{"StartAt":"A","Comment":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00\ud83dx","States":{"A":{"Type":"Pass","End":true}}}`)
	if want := "\"\\/\b\f\n\r\té😀\uFFFDx"; d.Comment != want {
		t.Errorf("%q, want %q", d.Comment, want)
	}
}

func TestParseDepth(t *testing.T) {
	_, err := Parse([]byte(strings.Repeat(`{"a":`, 100000)))
	if err == nil || !strings.Contains(err.Error(), "nested more than") {
		t.Error(err)
	}
}

func TestParseKeepsNothingOfTheSource(t *testing.T) {
	src := []byte(nested)
	d, err := Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	clear(src)
	if string(d.State("ForEachBucket").ItemsPath) != `"$.buckets"` {
		t.Error("the definition shares memory with its source")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(nested))
	f.Add([]byte(`{"StartAt":"A","States":{"A":{"Type":"Wait","Seconds":1e400,"End":true}}}`))
	f.Add([]byte("{\"\\ud83d\\ude00\": [1, -0.5e+3, null, true, {}]}"))
	f.Add([]byte(`{"States":{"A":{"Type":"Map","Iterator":{"States":{"A":[]}},"Catch":[{"Next":"A"}]}}}`))
	f.Add([]byte(`{"StartAt":"A","QueryLanguage":"JSONata","States":{"A":{"Type":"Choice","Choices":[{"Condition":"{%","Not":{"And":[]}}]}}}`))
	f.Fuzz(func(t *testing.T, src []byte) {
		ds := Check(src, Standard)
		d, err := Parse(src)
		if err != nil {
			if len(ds) == 0 {
				t.Errorf("refused by Parse, not by Check: %v", err)
			}
			return
		}
		d.Lint()
		d.Mermaid()
		d.SVG()
		lines := strings.Count(string(src), "\n") + 1
		for _, s := range d.All() {
			if s.Pos.Line < 1 || s.Pos.Line > lines || s.Pos.Column < 1 {
				t.Errorf("state %q at %v of %d lines", s.Name, s.Pos, lines)
			}
		}
		again := d.Validate()
		if !slices.Equal(again, ds) {
			t.Errorf("Validate and Check differ: %v %v", again, ds)
		}
	})
}
