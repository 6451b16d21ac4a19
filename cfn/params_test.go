package cfn

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadParams(t *testing.T) {
	want := map[string]string{"Env": "prod", "Count": "02", "Zones": "a,b", "On": "true", "Empty": ""}
	tests := []struct{ name, path, src string }{
		{"the CLI's list", "p.json", `[{"ParameterKey": "Env", "ParameterValue": "prod"}, {"ParameterKey": "Count", "ParameterValue": "02"}, {"ParameterKey": "Zones", "ParameterValue": "a,b"},
			{"ParameterKey": "On", "ParameterValue": true}, {"ParameterKey": "Empty", "ParameterValue": ""}, {"ParameterKey": "Kept", "UsePreviousValue": true}]`},
		{"a list of assignments", "p.json", `["Env=prod", "Count=02", "Zones=a,b", "On=true", "Empty="]`},
		{"CodePipeline's", "p.json", `{"Parameters": {"Env": "prod", "Count": "02", "Zones": ["a", "b"], "On": true, "Empty": ""}, "Tags": {"a": "b"}}`},
		{"plain JSON", "p.json", `{"Env": "prod", "Count": "02", "Zones": ["a", "b"], "On": true, "Empty": ""}`},
		{"plain YAML", "p.yaml", "Env: prod\nCount: 02\nZones: [a, b]\nOn: yes\nEmpty: ''\n"},
		{"the list in YAML", "p.yml", "- {ParameterKey: Env, ParameterValue: prod}\n- {ParameterKey: Count, ParameterValue: 02}\n- {ParameterKey: Zones, ParameterValue: [a, b]}\n- On=true\n- Empty=\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := ReadParams(test.path, []byte(test.src))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadParamsOfNothing(t *testing.T) {
	for _, src := range []string{"{}", "[]", "Parameters: {}"} {
		if got, err := ReadParams("p.yaml", []byte(src)); err != nil || len(got) != 0 {
			t.Errorf("%s gives %v, %v", src, got, err)
		}
	}
}

func TestReadParamsErrors(t *testing.T) {
	tests := []struct{ src, want string }{
		{"", "1:1: the parameter file is empty; write {} for no values"},
		{"{", "1:1: a value is due here: is there a comma too many in the brackets, or a tag or an anchor without its value?"},
		{"just text", `1:1: a parameter file is a map of names to values or a list of {ParameterKey, ParameterValue}, not the text "just text"`},
		{"A: 1\nA: 2", `2:1: key "A" stands a second time, after line 1. CloudFormation takes the last and drops the others without a word; keep one`},
		{"A:\n", `1:1: the value of parameter "A" is empty (null); text, a number, true, false or a list of these is allowed`},
		{"A: {b: c}\n", `1:1: the value of parameter "A" is a map; text, a number, true, false or a list of these is allowed`},
		{"A: !GetParam [b, c]\n", `1:4: tag !GetParam is none of CloudFormation's functions. allowed are !Ref, !Condition and the functions whose long form begins with Fn::`},
		{"A: !Ref b\n", `1:1: the value of parameter "A" is the function Ref; text, a number, true, false or a list of these is allowed`},
		{"A: [b, [c]]\n", `1:8: parameter "A" has a list in its list; a list of texts is allowed`},
		{"- 5\n", `1:3: an entry without a ParameterKey; each entry is {ParameterKey: name, ParameterValue: text} or "name=value"`},
		{"- {ParameterValue: a}\n", `1:3: an entry without a ParameterKey; each entry is {ParameterKey: name, ParameterValue: text} or "name=value"`},
		{"- {ParameterKey: A}\n", `1:3: parameter "A" has no ParameterValue`},
		{"- {ParameterKey: A, ParameterValue: {}}\n", `1:37: the value of parameter "A" is a map; text, a number, true, false or a list of these is allowed`},
		{"- A=1\n- {ParameterKey: A, ParameterValue: 1}\n", `2:3: parameter "A" has a value already, on line 1. keep one`},
		{"- A\n", `1:3: parameter "A" has no value. write Name=Value`},
	}
	for _, test := range tests {
		_, err := ReadParams("p.yaml", []byte(test.src))
		if err == nil {
			t.Errorf("%q is read", test.src)
			continue
		}
		if diff := cmp.Diff("p.yaml:"+test.want, err.Error()); diff != "" {
			t.Errorf("%q (-want +got):\n%s", test.src, diff)
		}
	}
}

func TestParseParam(t *testing.T) {
	tests := []struct{ in, name, value, err string }{
		{"A=b", "A", "b", ""},
		{"A=", "A", "", ""},
		{"A=b=c", "A", "b=c", ""},
		{`A="b"`, "A", `"b"`, ""},
		{"A", "", "", `parameter "A" has no value. write Name=Value`},
		{"=b", "", "", `a parameter without a name. write Name=Value`},
		{"A b=c", "", "", `parameter name "A b" holds ' '; names are letters and digits. write Name=Value`},
	}
	for _, test := range tests {
		name, value, err := ParseParam(test.in)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if name != test.name || value != test.value || text != test.err {
			t.Errorf("%s gives %q, %q, %q", test.in, name, value, text)
		}
	}
}

func TestCheckParams(t *testing.T) {
	const src = `Parameters:
  Env: {Type: String, AllowedValues: [dev, prod]}
  Port: {Type: Number, MinValue: 1, MaxValue: 0xffff}
  Ports: {Type: List<Number>, AllowedValues: [80, 443]}
  Name: {Type: String, MinLength: 2, MaxLength: 4, AllowedPattern: '[a-zé]+', ConstraintDescription: small letters}
  Odd: {Type: String, AllowedPattern: '(?<!x)y'}
  Secret: {Type: String, NoEcho: true, AllowedPattern: 'a'}
  Zones: {Type: CommaDelimitedList, AllowedValues: [a, b]}
  Path: {Type: 'AWS::SSM::Parameter::Value<Number>'}
  Vpc: {Type: 'AWS::EC2::VPC::Id'}
Resources: {A: {Type: AWS::SNS::Topic}}
`
	tests := []struct{ given, want string }{
		{"Env=dev Port=80 Ports=80,443 Name=abé Odd=y Secret=a Zones=a,b Path=/a/b Vpc=anything", ""},
		{"Env=test", `2:38: parameter "Env" cannot be "test". allowed are dev, prod`},
		{"Port=x", `3:3: parameter "Port" has type Number and cannot be "x"`},
		{"Port=NaN", `3:3: parameter "Port" has type Number and cannot be "NaN"`},
		{"Port=", `3:3: parameter "Port" has type Number and cannot be ""`},
		{"Port=0", `3:34: parameter "Port" cannot be "0": the least allowed is 1`},
		{"Port=65536", `3:47: parameter "Port" cannot be "65536": the most allowed is 0xffff`},
		{"Ports=80,22", `4:46: parameter "Ports" cannot be "80,22". allowed are 80, 443`},
		{"Name=a", `5:35: parameter "Name" has 1 characters: the least allowed is 2`},
		{"Name=abcde", `5:49: parameter "Name" has 5 characters: the most allowed is 4`},
		{"Name=aB", `5:68: parameter "Name" cannot be "aB": it must match [a-zé]+ (small letters)`},
		{"Secret=hush", `7:56: parameter "Secret" cannot be ****: it must match a`},
		{"Zones=a,c", `8:52: parameter "Zones" cannot be "a,c". allowed are a, b`},
		{"Prt=1 Env=x", "2:38: parameter \"Env\" cannot be \"x\". allowed are dev, prod\nt.yaml: parameter \"Prt\" is not declared. did you mean \"Port\"?"},
		{"Unheard=1", ` parameter "Unheard" is not declared. declared are Env, Port, Ports, Name, Odd, Secret, Zones, Path, Vpc`},
	}
	tmpl, err := Parse("t.yaml", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range tests {
		given := map[string]string{}
		for s := range strings.FieldsSeq(test.given) {
			name, value, _ := strings.Cut(s, "=")
			given[name] = value
		}
		got := strings.TrimPrefix(messages(tmpl.CheckParams(given)), "t.yaml:")
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.given, diff)
		}
	}
}

func TestCheckParamsOfTemplateWithoutAny(t *testing.T) {
	tmpl, err := Parse("t.yaml", []byte("Resources: {A: {Type: AWS::SNS::Topic}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	const want = `t.yaml: parameter "A" is not declared: the template has no parameters`
	if diff := cmp.Diff(want, messages(tmpl.CheckParams(map[string]string{"A": "b"}))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
