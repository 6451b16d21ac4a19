package cfn

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// render writes a resolved value in one line: texts as they are, what is
// unknown as <needs>, with its shape where it has one: gaps as * (or + where
// they are not empty), secrets with an exclamation mark.
func render(v *Value) string {
	var b strings.Builder
	renderTo(&b, v)
	return b.String()
}

func renderTo(b *strings.Builder, v *Value) {
	if v == nil {
		b.WriteString("absent")
		return
	}
	switch v.Kind {
	case Null:
		b.WriteString("null")
	case String:
		b.WriteString(`"` + v.Text + `"`)
	case Number, Bool:
		b.WriteString(v.Text)
	case List:
		b.WriteString("[")
		for i, item := range v.Items {
			if i > 0 {
				b.WriteString(", ")
			}
			renderTo(b, item)
		}
		b.WriteString("]")
	case Map:
		b.WriteString("{")
		for i, f := range v.Fields {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(f.Key + ": ")
			renderTo(b, f.Value)
		}
		b.WriteString("}")
	case Unknown:
		u := v.Unknown
		b.WriteString("<" + strings.Join(u.Needs, "; "))
		if u.Shape != nil {
			b.WriteString(" | ")
			for _, p := range u.Shape {
				switch {
				case !p.Gap:
					b.WriteString(p.Literal)
				case p.NonEmpty:
					b.WriteString("+")
				default:
					b.WriteString("*")
				}
			}
		}
		if u.Ref != nil {
			b.WriteString(" @" + u.Ref.LogicalID)
			if u.Ref.Attribute != "" {
				b.WriteString("." + u.Ref.Attribute)
			}
		}
		if u.Secret {
			b.WriteString(" !")
		}
		b.WriteString(">")
	}
}

// parse reads a template of a test.
func parse(t testing.TB, src string) *Template {
	t.Helper()
	tpl, err := Parse("test.yaml", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return tpl
}

// base resolves a template in its base world.
func base(t testing.TB, src string, in Inputs) *Model {
	t.Helper()
	return parse(t, src).Worlds(in)[0]
}

// frame is a template around one value, which stands as the property Value.
const frame = `
Transform: AWS::LanguageExtensions
Parameters:
  Name: {Type: String}
  Env: {Type: String, Default: prod}
  Port: {Type: Number, Default: 443}
  Subnets: {Type: "List<AWS::EC2::Subnet::Id>"}
  Zones: {Type: CommaDelimitedList, Default: "a, b ,c"}
  Nothing: {Type: CommaDelimitedList, Default: ""}
  Key: {Type: String, AllowedValues: [one, two]}
  Vpc: {Type: "AWS::EC2::VPC::Id"}
  Count: {Type: Number}
  Image: {Type: "AWS::SSM::Parameter::Value<String>", Default: /app/image}
  Images: {Type: "AWS::SSM::Parameter::Value<List<String>>"}
  Password: {Type: String, NoEcho: true}
  Weak: {Type: String, NoEcho: true, Default: changeme}
  Masked: {Type: String, NoEcho: true, Default: "****"}
  Stored: {Type: String, Default: "{{resolve:ssm:/stored}}"}
  Given: {Type: String, Default: no}
  GivenList: {Type: CommaDelimitedList}
Mappings:
  ByRegion:
    us-east-1: {Ami: ami-1, Arch: x86, Size: 1}
    eu-west-1: {Ami: ami-2, Arch: x86, Size: 2}
  ByKey:
    one: {Same: s, Differs: d1}
    two: {Same: s, Differs: d2}
    three: {Same: other, Differs: d3, Only: here}
Conditions:
  IsProd: !Equals [!Ref Env, prod]
  IsOne: !Equals [!Ref Port, 1]
Resources:
  Bucket: {Type: AWS::S3::Bucket, Properties: {BucketName: fixed}}
  Queue: {Type: AWS::SQS::Queue}
  Broken: {Properties: {A: 1}}
  R:
    Type: AWS::X::Y
    Properties:
      Value: VALUE
`

func TestIntrinsics(t *testing.T) {
	tests := []struct{ name, value, want string }{
		{"plain", `text`, `"text"`},
		{"number", `1.10`, `1.10`},

		{"ref of a resource", `!Ref Bucket`, `<resource Bucket | + @Bucket>`},
		{"ref of a resource with a problem", `!Ref Broken`, `<resource Broken | + @Broken>`},
		{"ref of a default", `!Ref Env`, `"prod"`},
		{"ref of a number's default", `!Ref Port`, `"443"`},
		{"ref of a parameter without a value", `!Ref Name`, `<parameter Name | *>`},
		{"ref of an AWS type", `!Ref Vpc`, `<parameter Vpc | +>`},
		{"ref of a number without a value", `!Ref Count`, `<parameter Count | +>`},
		{"ref of a parameter with allowed values", `!Ref Key`, `<parameter Key | +>`},
		{"ref of a list", `!Ref Zones`, `["a", "b", "c"]`},
		{"ref of an empty list", `!Ref Nothing`, `[]`},
		{"ref of a list without a value", `!Ref Subnets`, `<parameter Subnets>`},
		{"ref of a value of the parameter store", `!Ref Image`, `<SSM parameter /app/image | +>`},
		{"ref of a list of the parameter store", `!Ref Images`, `<parameter Images>`},
		{"ref of a secret", `!Ref Password`, `<parameter Password | * !>`},
		{"ref of a secret's default", `!Ref Weak`, `"changeme"`},
		{"ref of asterisks", `!Ref Masked`, `<parameter Masked | * !>`},
		{"ref of a default that is stored elsewhere", `!Ref Stored`, `<dynamic reference ssm:/stored | +>`},
		{"ref of a given value", `!Ref Given`, `"yes"`},
		{"ref of a given list", `!Ref GivenList`, `["x", "y"]`},
		{"ref of what is not there", `!Ref Nowhere`, `<Nowhere, which the template does not declare>`},
		{"ref of a list, refused", `{Ref: [a]}`, `<Ref with the arguments it takes>`},

		{"region", `!Ref AWS::Region`, `<AWS::Region | +>`},
		{"account", `!Ref AWS::AccountId`, `<AWS::AccountId | +>`},
		{"partition", `!Ref AWS::Partition`, `"aws"`},
		{"suffix", `!Ref AWS::URLSuffix`, `"amazonaws.com"`},
		{"stack name", `!Ref AWS::StackName`, `<AWS::StackName | +>`},
		{"stack id", `!Ref AWS::StackId`, `<AWS::StackId | arn:aws:cloudformation:+:+:stack/+/+>`},
		{"notifications", `!Ref AWS::NotificationARNs`, `<AWS::NotificationARNs>`},
		{"no value", `{A: !Ref AWS::NoValue, B: 1}`, `{B: 1}`},
		{"no value in a list", `[!Ref AWS::NoValue, 1]`, `[1]`},
		{"no value at all", `!Ref AWS::NoValue`, `absent`},
		{"pseudo parameter that is none", `!Ref AWS::Nope`, `<AWS::Nope, which the template does not declare>`},

		{"attribute", `!GetAtt Bucket.Arn`, `<attribute Bucket.Arn | + @Bucket.Arn>`},
		{"attribute as a list", `{"Fn::GetAtt": [Bucket, Arn]}`, `<attribute Bucket.Arn | + @Bucket.Arn>`},
		{"attribute of a nested stack", `!GetAtt Bucket.Outputs.Id`, `<attribute Bucket.Outputs.Id | + @Bucket.Outputs.Id>`},
		{"attribute by a known name", `{"Fn::GetAtt": [Bucket, !Ref Env]}`, `<attribute Bucket.prod | + @Bucket.prod>`},
		{"attribute by an unknown name", `{"Fn::GetAtt": [Bucket, !Ref Name]}`, `<parameter Name>`},
		{"attribute of what is not there", `!GetAtt Nope.Arn`, `<Nope, which the template does not declare>`},
		{"attribute, refused", `{"Fn::GetAtt": Bucket}`, `<Fn::GetAtt with the arguments it takes>`},
		{"attribute of a map, refused", `{"Fn::GetAtt": [Bucket, {a: b}]}`, `<Fn::GetAtt with the arguments it takes>`},

		{"sub without names", `!Sub plain`, `"plain"`},
		{"sub of a default", `!Sub "x-${Env}-${Port}"`, `"x-prod-443"`},
		{"sub of one name", `!Sub "${Bucket}"`, `<resource Bucket | + @Bucket>`},
		{"sub of one attribute", `!Sub "${Bucket.Arn}"`, `<attribute Bucket.Arn | + @Bucket.Arn>`},
		{"sub of an attribute", `!Sub "${Bucket.Arn}/*"`, `<attribute Bucket.Arn | +/*>`},
		{"sub of an unknown", `!Sub "a${Name}b${AWS::Region}"`, `<parameter Name; AWS::Region | a*b+>`},
		{"sub of a literal", `!Sub "${!Env}-${Env}"`, `"${Env}-prod"`},
		{"sub with variables", `!Sub ["${A}-${Env}-${B}", {A: 1, B: !Ref Queue}]`, `<resource Queue | 1-prod-+>`},
		{"sub of one number", `!Sub ["${A}", {A: 22}]`, `"22"`},
		{"sub with spaces", `!Sub "${ Env }"`, `"prod"`},
		{"sub that does not end", `!Sub "${Env"`, `"${Env"`},
		{"sub of a list", `!Sub "x${Zones}"`, `<a text where the template has a list | x*>`},
		{"sub, refused", `{"Fn::Sub": {a: b}}`, `<Fn::Sub with the arguments it takes>`},
		{"sub of a name that is not there", `!Sub "x${Nope}"`, `<Nope, which the template does not declare | x*>`},

		{"join", `!Join ["-", [a, !Ref Env, 1]]`, `"a-prod-1"`},
		{"join of an unknown", `!Join ["", ["arn:", !Ref AWS::Partition, ":s3:::", !Ref Bucket, /x]]`, `<resource Bucket | arn:aws:s3:::+/x>`},
		{"join without a missing item", `!Join [",", [a, !Ref AWS::NoValue, b]]`, `"a,b"`},
		{"join of a list parameter", `!Join [",", !Ref Zones]`, `"a,b,c"`},
		{"join of an unknown list", `!Join [",", !Ref Subnets]`, `<parameter Subnets | *>`},
		{"join of nothing", `!Join [",", !Ref Nothing]`, `""`},
		{"join by an unknown", `!Join [!Ref Name, [a, b]]`, `<parameter Name>`},
		{"join of one text", `!Join ["-", a]`, `"a"`},
		{"join of one reference", `!Join ["", [!Ref Bucket]]`, `<resource Bucket | + @Bucket>`},
		{"join, refused", `!Join [a]`, `<Fn::Join with the arguments it takes>`},
		{"join of a map, refused", `!Join ["", {a: b}]`, `<Fn::Join with the arguments it takes>`},
		{"join by a list, refused", `!Join [[a], [b]]`, `<Fn::Join with the arguments it takes>`},

		{"split", `!Split [",", "a,b"]`, `["a", "b"]`},
		{"split of an unknown", `!Split [",", !Ref Name]`, `<parameter Name>`},
		{"split, refused", `!Split [",", [a]]`, `<Fn::Split with the arguments it takes>`},
		{"split by nothing, refused", `!Split ["", a]`, `<Fn::Split with the arguments it takes>`},
		{"split of one argument, refused", `!Split [","]`, `<Fn::Split with the arguments it takes>`},

		{"select", `!Select [1, [a, b]]`, `"b"`},
		{"select by text", `!Select ["0", !Ref Zones]`, `"a"`},
		{"select of an unknown list", `!Select [0, !Ref Subnets]`, `<parameter Subnets>`},
		{"select of a partly known list", `!Select [1, [a, !Ref Bucket]]`, `<resource Bucket | + @Bucket>`},
		{"select by an unknown", `!Select [!Ref Count, [a, b]]`, `<parameter Count>`},
		{"select by an unknown among equals", `!Select [!Ref Count, [a, a]]`, `"a"`},
		{"select out of range", `!Select [3, [a]]`, `<an item 3 in a list of 1>`},
		{"select of a split", `!Select [0, !Split ["/", "10.0.0.0/16"]]`, `"10.0.0.0"`},
		{"select before a gap", `!Select [1, !Split [":", !Sub "arn:aws:s3:::${Bucket}"]]`, `"aws"`},
		{"select at a gap", `!Select [1, !Split ["/", !Sub "a/b${Bucket}"]]`, `<resource Bucket | b*>`},
		{"select after a gap", `!Select [2, !Split ["/", !Sub "a/b${Bucket}/c"]]`, `<resource Bucket | *>`},
		{"select of a zone", `!Select [0, !GetAZs ""]`, `<availability zones | ++>`},
		{"select of a zone of a region", `!Select [0, !GetAZs eu-west-1]`, `<availability zones of eu-west-1 | eu-west-1+>`},
		{"select, refused", `!Select [x, [a]]`, `<Fn::Select with the arguments it takes>`},
		{"select of a text, refused", `!Select [0, a]`, `<Fn::Select with the arguments it takes>`},
		{"select of one argument, refused", `!Select [0]`, `<Fn::Select with the arguments it takes>`},

		{"map", `!FindInMap [ByRegion, us-east-1, Ami]`, `"ami-1"`},
		{"map by an unknown", `!FindInMap [ByRegion, !Ref AWS::Region, Ami]`, `<AWS::Region | +>`},
		{"map by an unknown among equals", `!FindInMap [ByRegion, !Ref AWS::Region, Arch]`, `"x86"`},
		{"map by allowed values", `!FindInMap [ByKey, !Ref Key, Same]`, `"s"`},
		{"map by allowed values that differ", `!FindInMap [ByKey, !Ref Key, Differs]`, `<parameter Key | +>`},
		{"map with one row that fits", `!FindInMap [ByKey, !Ref Name, Only]`, `"here"`},
		{"map by a second unknown", `!FindInMap [ByKey, one, !Ref Name]`, `<parameter Name | +>`},
		{"map without the entry", `!FindInMap [ByKey, one, Nope]`, `<entry one.Nope in mapping ByKey>`},
		{"map without any entry", `!FindInMap [ByKey, !Ref Name, Nope]`, `<parameter Name; an entry in mapping ByKey>`},
		{"map that is not there", `!FindInMap [Nope, !Ref Name, A]`, `<parameter Name; an entry in mapping Nope>`},
		{"map with a default value", `!FindInMap [ByKey, four, Same, {DefaultValue: !Ref Env}]`, `"prod"`},
		{"map by an unknown with a default value", `!FindInMap [ByKey, !Ref Key, Same, {DefaultValue: s}]`, `"s"`},
		{"map by an unknown with another default value", `!FindInMap [ByKey, !Ref Key, Same, {DefaultValue: z}]`, `<parameter Key | +>`},
		{"map of an unknown name", `!FindInMap [!Ref Name, a, b]`, `<parameter Name>`},
		{"map, refused", `!FindInMap [a, b]`, `<Fn::FindInMap with the arguments it takes>`},
		{"map by a list, refused", `!FindInMap [ByKey, [a], b]`, `<Fn::FindInMap with the arguments it takes>`},

		{"if true", `!If [IsProd, yes-branch, no-branch]`, `"yes-branch"`},
		{"if false", `!If [IsOne, yes-branch, !Ref Bucket]`, `<resource Bucket | + @Bucket>`},
		{"if without a value", `{A: !If [IsOne, 1, !Ref AWS::NoValue]}`, `{}`},
		{"if of a map", `!If [IsProd, {a: [1]}, {}]`, `{a: [1]}`},
		{"if of no condition", `!If [Nope, 1, 2]`, `<condition Nope, which the template does not declare>`},
		{"if, refused", `!If [IsProd, 1]`, `<Fn::If with the arguments it takes>`},

		{"base64", `!Base64 abc`, `"YWJj"`},
		{"base64 of an unknown", `!Base64 {"Fn::Sub": "abcd${Name}"}`, `<parameter Name | YWJj*>`},
		{"base64 of an unknown from its beginning", `!Base64 {"Fn::Sub": "${Name}x"}`, `<parameter Name | *>`},
		{"base64, refused", `!Base64 [a]`, `<Fn::Base64 with the arguments it takes>`},

		{"zones", `!GetAZs ""`, `<availability zones>`},
		{"zones of the region", `!GetAZs {Ref: AWS::Region}`, `<availability zones>`},

		{"cidr", `!Cidr [10.0.0.0/16, 3, 8]`, `["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"]`},
		{"cidr of its default bits", `!Cidr [10.0.0.0/24, "1"]`, `["10.0.0.0/24"]`},
		{"cidr of text bits", `!Cidr ["10.1.2.3/16", 2, "4"]`, `["10.1.0.0/28", "10.1.0.16/28"]`},
		{"cidr of version 6", `!Cidr ["2001:db8::/56", 2, 64]`, `["2001:db8::/64", "2001:db8:0:1::/64"]`},
		{"cidr of an attribute", `!Cidr [!GetAtt Bucket.CidrBlock, 2, 8]`, `[<attribute Bucket.CidrBlock | +>, <attribute Bucket.CidrBlock | +>]`},
		{"cidr of an unknown count", `!Cidr [10.0.0.0/16, !Ref Count, 8]`, `<parameter Count>`},
		{"cidr of too many", `!Cidr [10.0.0.0/24, 3, 7]`, `<Fn::Cidr with the arguments it takes>`},
		{"cidr larger than its block", `!Cidr [10.0.0.0/24, 1, 9]`, `<Fn::Cidr with the arguments it takes>`},
		{"cidr of no block", `!Cidr [x, 1, 8]`, `<Fn::Cidr with the arguments it takes>`},
		{"cidr of no number", `!Cidr [10.0.0.0/16, x, 8]`, `<Fn::Cidr with the arguments it takes>`},
		{"cidr of one argument", `!Cidr [10.0.0.0/16]`, `<Fn::Cidr with the arguments it takes>`},
		{"select of cidr", `!Select [1, !Cidr [10.0.0.0/16, 2, 8]]`, `"10.0.1.0/24"`},

		{"import", `!ImportValue net-VpcId`, `<import net-VpcId | +>`},
		{"import of a name", `!ImportValue {"Fn::Sub": "${Env}-${Name}-Id"}`, `<import prod-…-Id | +>`},
		{"transform", `!Transform {Name: AWS::Include, Parameters: {Location: s3://x}}`, `<transform AWS::Include>`},
		{"transform among others", `{A: 1, "Fn::Transform": {Name: M}}`, `<transform M>`},
		{"function that we do not know", `{"Fn::Contains": [a, b]}`, `<function Fn::Contains>`},

		{"length", `!Length [a, b]`, `2`},
		{"length of a parameter", `{"Fn::Length": !Ref Zones}`, `3`},
		{"length of an unknown", `{"Fn::Length": !Ref Subnets}`, `<parameter Subnets>`},
		{"length, refused", `{"Fn::Length": a}`, `<Fn::Length with the arguments it takes>`},

		{"json", `!ToJsonString {a: [1, "two", true, null], "b\"": <&>}`, `"{"a":[1,"two",true,null],"b\"":"<&>"}"`},
		{"json of an unknown", `!ToJsonString {a: !Sub 'x"${Name}', b: !Ref Subnets}`, `<parameter Name; parameter Subnets | {"a":"x\"*","b":+}>`},
		{"json of an unknown alone", `!ToJsonString {"Ref": Subnets}`, `<parameter Subnets | +>`},
		{"json, refused", `!ToJsonString a`, `<Fn::ToJsonString with the arguments it takes>`},

		{"equals", `!Equals [a, !Ref Env]`, `false`},
		{"equals of an unknown", `!Equals [a, !Ref Name]`, `<Fn::Equals with the arguments it takes>`},
		{"not", `!Not [!Condition IsOne]`, `true`},

		{"dynamic reference", `"{{resolve:ssm:/app/key}}"`, `<dynamic reference ssm:/app/key | +>`},
		{"secret", `"{{resolve:secretsmanager:db:SecretString:password}}"`, `<dynamic reference secretsmanager:db:SecretString:password | + !>`},
		{"secure", `"{{resolve:ssm-secure:/p:1}}"`, `<dynamic reference ssm-secure:/p:1 | + !>`},
		{"secret within", `"a{{resolve:ssm:/x}}b{{resolve:ssm:/y}}"`, `<dynamic reference ssm:/x; dynamic reference ssm:/y | a+b+>`},
		{"secret of a resource", `!Sub "{{resolve:secretsmanager:${Bucket}:SecretString:p}}"`, `<dynamic reference secretsmanager:…:SecretString:p | + !>`},
		{"secret beside an unknown", `!Sub "${Name}/{{resolve:ssm:${Env}}}"`, `<dynamic reference ssm:prod; parameter Name | */+>`},
		{"secret by join", `!Join ["", ["{{resolve:secretsmanager:", !Ref Queue, "::p}}"]]`, `<dynamic reference secretsmanager:…::p | + !>`},
		{"reference that does not end", `"{{resolve:ssm:/x"`, `"{{resolve:ssm:/x"`},

		{"key that looks like a function", `{Ref: Env, B: 1}`, `{Ref: "Env", B: 1}`},
		{"condition of a policy", `{Condition: {Bool: {"aws:SecureTransport": !Ref Env}}}`, `{Condition: {Bool: {aws:SecureTransport: "prod"}}}`},
		{"condition of a name", `{Condition: IsProd}`, `{Condition: "IsProd"}`},
		{"for each", `{"Fn::ForEach::L": [X, [a, b], {"${X}Key": !Sub "${X}-${Env}", "&{X}2": {Ref: X}}], Z: 1}`, `{aKey: "a-prod", a2: "a", bKey: "b-prod", b2: "b", Z: 1}`},
		{"for each alone", `{"Fn::ForEach::L": [X, !Ref Zones, {"K${X}": "${X}"}]}`, `{Ka: "a", Kb: "b", Kc: "c"}`},
		{"for each within", `{"Fn::ForEach::L": [X, [a], {"Fn::ForEach::M": [Y, [c, d], {"${X}${Y}": 1}]}]}`, `{ac: 1, ad: 1}`},
		{"for each of an unknown", `{"Fn::ForEach::L": [X, !Ref Subnets, {"${X}Key": "${X}-a", B: {Ref: X}}]}`, `{${X}Key: <parameter Subnets | +-a>, B: <parameter Subnets | +>}`},
		{"for each, refused", `{"Fn::ForEach::L": [X, [a]], Z: 1}`, `{Z: 1}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := base(t, strings.ReplaceAll(frame, "VALUE", tt.value), Inputs{Parameters: map[string]string{"Given": "yes", "GivenList": "x,y"}})
			got := render(m.Resource("R").Properties.Get("Value"))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPseudoParametersGiven(t *testing.T) {
	tests := []struct{ value, want string }{
		{`!Ref AWS::Region`, `"cn-north-1"`},
		{`!Ref AWS::AccountId`, `"111122223333"`},
		{`!Ref AWS::StackName`, `"pay"`},
		{`!Ref AWS::Partition`, `"aws-cn"`},
		{`!Ref AWS::URLSuffix`, `"amazonaws.com.cn"`},
		{`!Ref AWS::StackId`, `<AWS::StackId | arn:aws-cn:cloudformation:cn-north-1:111122223333:stack/pay/+>`},
		{`!GetAZs ""`, `<availability zones of cn-north-1>`},
		{`!FindInMap [ByRegion, !Ref AWS::Region, Ami]`, `<entry cn-north-1.Ami in mapping ByRegion>`},
	}
	for _, tt := range tests {
		m := base(t, strings.ReplaceAll(frame, "VALUE", tt.value), Inputs{Region: "cn-north-1", Account: "111122223333", Stack: "pay"})
		if got := render(m.Resource("R").Properties.Get("Value")); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.value, got, tt.want)
		}
	}
	m := base(t, strings.ReplaceAll(frame, "VALUE", "!Ref AWS::Partition"), Inputs{Region: "us-gov-west-1"})
	if got := render(m.Resource("R").Properties.Get("Value")); got != `"aws-us-gov"` {
		t.Errorf("partition of us-gov-west-1: got %s", got)
	}
}

func TestOrigin(t *testing.T) {
	tests := []struct {
		value string
		want  *Origin
	}{
		{`text`, nil},
		{`[1, 2]`, nil},
		{`!Ref Bucket`, nil},
		{`!Ref Env`, &Origin{Function: "Ref", Parameter: "Env", Default: true}},
		{`!Ref Name`, &Origin{Function: "Ref", Parameter: "Name"}},
		{`!Ref Password`, &Origin{Function: "Ref", Parameter: "Password", NoEcho: true}},
		{`!Ref Weak`, &Origin{Function: "Ref", Parameter: "Weak", NoEcho: true, Default: true}},
		{`!Ref Given`, &Origin{Function: "Ref", Parameter: "Given"}},
		{`!Sub "${Weak}"`, &Origin{Function: "Ref", Parameter: "Weak", NoEcho: true, Default: true}},
		{`!Sub "x${Env}${Weak}"`, &Origin{Function: "Fn::Sub", Parameter: "Weak", NoEcho: true, Default: true}},
		{`!Join ["", [a, !Ref Given]]`, &Origin{Function: "Fn::Join", Parameter: "Given"}},
		{`!If [IsProd, 1, 2]`, &Origin{Function: "Fn::If"}},
		{`!If [IsProd, !Ref Env, 2]`, &Origin{Function: "Ref", Parameter: "Env", Default: true}},
		{`!FindInMap [ByKey, one, Same]`, &Origin{Function: "Fn::FindInMap"}},
		{`!Select [0, [a]]`, &Origin{Function: "Fn::Select"}},
		{`!Select [0, !Split [",", !Ref Weak]]`, &Origin{Function: "Fn::Split", Parameter: "Weak", NoEcho: true, Default: true}},
	}
	for _, tt := range tests {
		m := base(t, strings.ReplaceAll(frame, "VALUE", tt.value), Inputs{Parameters: map[string]string{"Given": "yes"}})
		got := m.Resource("R").Properties.Get("Value").Origin
		if got != nil {
			c := *got
			if c.Pos.IsZero() {
				t.Errorf("%s: origin without a place", tt.value)
			}
			if c.Default && c.Source.IsZero() {
				t.Errorf("%s: default without a place", tt.value)
			}
			c.Pos, c.Source = Pos{}, Pos{}
			got = &c
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.value, diff)
		}
	}
}

func TestPlaces(t *testing.T) {
	m := base(t, `
Parameters:
  P:
    Type: String
    Default: d
Mappings:
  M: {a: {b: c}}
Conditions:
  C: !Equals [a, a]
Resources:
  R:
    Type: AWS::X::Y
    Properties:
      FromParameter: !Ref P
      FromMap: !FindInMap [M, a, b]
      FromIf: !If
        - C
        - literal
        - other
`, Inputs{})
	tests := []struct {
		property            string
		value, from, source Pos
	}{
		{"FromParameter", Pos{14, 22}, Pos{14, 22}, Pos{5, 14}},
		{"FromMap", Pos{15, 16}, Pos{15, 16}, Pos{7, 14}},
		{"FromIf", Pos{18, 11}, Pos{16, 15}, Pos{}},
	}
	for _, tt := range tests {
		v := m.Resource("R").Properties.Get(tt.property)
		if v.Pos != tt.value || v.Origin.Pos != tt.from || v.Origin.Source != tt.source {
			t.Errorf("%s: stands at %v, from %v, text at %v; want %v, %v, %v", tt.property, v.Pos, v.Origin.Pos, v.Origin.Source, tt.value, tt.from, tt.source)
		}
	}
}

func TestBase64KeepsThePlainText(t *testing.T) {
	m := base(t, strings.ReplaceAll(frame, "VALUE", `!Base64 {"Fn::Sub": "key=${Name}"}`), Inputs{})
	v := m.Resource("R").Properties.Get("Value")
	if got := render(v.Origin.Plain); got != `<parameter Name | key=*>` {
		t.Errorf("got %s", got)
	}
}

func TestResource(t *testing.T) {
	m := base(t, `
Parameters:
  Keep: {Type: String, Default: Retain}
Resources:
  Vault:
    Type: AWS::S3::Bucket
    DeletionPolicy: !Ref Keep
    DependsOn: [Other]
    Metadata:
      aws:cdk:path: Pay/Vault/Resource
      note: !Sub "${Keep}!"
    Properties:
      Tags: [{Key: a, Value: b}]
  Other:
    Type: AWS::SQS::Queue
  Empty:
    Type: AWS::SQS::Queue
    Properties:
`, Inputs{})
	r := m.Resource("Vault")
	got := []string{
		r.Type, r.ConstructPath, render(r.Attributes), render(r.Metadata), render(r.Properties),
		render(m.Resource("Other").Properties), render(m.Resource("Other").Attributes), render(m.Resource("Empty").Properties),
	}
	want := []string{
		"AWS::S3::Bucket", "Pay/Vault/Resource", `{DeletionPolicy: "Retain", DependsOn: ["Other"]}`,
		`{aws:cdk:path: "Pay/Vault/Resource", note: "Retain!"}`, `{Tags: [{Key: "a", Value: "b"}]}`,
		"absent", "absent", "absent",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if r.Pos != (Pos{5, 3}) || r.TypePos != (Pos{6, 11}) {
		t.Errorf("stands at %v, type at %v", r.Pos, r.TypePos)
	}
	if m.Resource("Nope") != nil {
		t.Error("a resource that is not there")
	}
}

func TestSubtreesWithoutFunctionsAreShared(t *testing.T) {
	tpl := parse(t, `
Parameters: {P: {Type: String}}
Resources:
  R:
    Type: AWS::X::Y
    Properties:
      Static: {a: [1, 2]}
      Dynamic: !Ref P
  S:
    Type: AWS::X::Y
    Properties: {A: 1}
`)
	m := tpl.Worlds(Inputs{})[0]
	source := tpl.Root.Lookup("Resources", "R", "Properties", "Static")
	if m.Resource("R").Properties.Get("Static") != source {
		t.Error("a subtree without functions was copied")
	}
	if m.Resource("S").Properties != tpl.Root.Lookup("Resources", "S", "Properties") {
		t.Error("properties without functions were copied")
	}
}
