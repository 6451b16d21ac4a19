package ruleset

import (
	"strings"
	"testing"
)

// TestFunctionExamples evaluates every example that stands for itself; each is true.
func TestFunctionExamples(t *testing.T) {
	b := newBench(t, "Resources: {R: {Type: AWS::S3::Bucket}}", nil)
	free := []string{"resource", "s.", "policies", "(i)", "i,", "n.", "policy."}
	ran := 0
	for _, f := range Functions() {
		if len(f.Signature) == 0 || f.Doc == "" || f.Group == "" || len(f.Examples) == 0 {
			t.Errorf("%s lacks signature, doc, group or example", f.Name)
		}
	examples:
		for _, x := range f.Examples {
			for _, name := range free {
				if strings.Contains(x, name) {
					continue examples
				}
			}
			ran++
			if got := b.eval(t, x); got != "true" && got != "8" {
				t.Errorf("%s: %s is %s", f.Name, x, got)
			}
		}
	}
	if ran < 12 {
		t.Errorf("only %d examples ran", ran)
	}
}

func TestNetworkFunctions(t *testing.T) {
	expressions(t, `
Parameters: {P: {Type: String}, N: {Type: Number}}
Resources:
  V: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}
  Q: {Type: AWS::SQS::Queue}
  R:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: x
      SecurityGroupIngress:
        - {IpProtocol: tcp, FromPort: 20, ToPort: 25, CidrIp: 0.0.0.0/0}
        - {IpProtocol: "-1", CidrIpv6: "::/0"}
        - {IpProtocol: tcp, FromPort: !Ref N, ToPort: 443, CidrIp: 10.0.0.0/8}
        - {IpProtocol: icmp, FromPort: -1, ToPort: -1, CidrIp: !Ref P}
        - {IpProtocol: 6, FromPort: "22", CidrIp: !GetAtt V.CidrBlock}
        - {IpProtocol: !Ref P, FromPort: 1, ToPort: 2, CidrIp: !Sub "${P}/8"}
        - {IpProtocol: udp, FromPort: -1, ToPort: -1, CidrIp: !Sub "${P}/0"}
        - {FromPort: 1, ToPort: 2}
        - {IpProtocol: tcp, ToPort: 22, CidrIp: !Sub "${P}.0.0.0"}
`, nil, [][2]string{
		{`resource.SecurityGroupIngress.map(i, fromWorld(i)).filter(x, x)`, `list of 2 to 4`},
		{`fromWorld(resource.SecurityGroupIngress[0])`, `true`},
		{`fromWorld(resource.SecurityGroupIngress[1])`, `true`},
		{`fromWorld(resource.SecurityGroupIngress[2])`, `false`},
		{`fromWorld(resource.SecurityGroupIngress[3])`, `unknown: parameter P`},
		{`fromWorld(resource.SecurityGroupIngress[4])`, `false`},
		{`fromWorld(resource.SecurityGroupIngress[5])`, `false`},
		{`fromWorld(resource.SecurityGroupIngress[6])`, `unknown: parameter P`},
		{`fromWorld(resource.SecurityGroupIngress[7])`, `false`},
		{`fromWorld("x")`, `error: no such overload…`},
		{`opens(resource.SecurityGroupIngress[0], 22)`, `true`},
		{`opens(resource.SecurityGroupIngress[0], 26)`, `false`},
		{`opens(resource.SecurityGroupIngress[0], policy.ports.admin)`, `true`},
		{`opens(resource.SecurityGroupIngress[0], [80, 443])`, `false`},
		{`opens(resource.SecurityGroupIngress[1], 22)`, `true`},
		{`opens(resource.SecurityGroupIngress[2], 22)`, `unknown: parameter N`},
		{`opens(resource.SecurityGroupIngress[2], 444)`, `false`},
		{`opens(resource.SecurityGroupIngress[3], 22)`, `false`},
		{`opens(resource.SecurityGroupIngress[4], 22)`, `true`},
		{`opens(resource.SecurityGroupIngress[4], 23)`, `false`},
		{`opens(resource.SecurityGroupIngress[5], 1)`, `unknown: parameter P`},
		{`opens(resource.SecurityGroupIngress[5], 3)`, `unknown: parameter P`},
		{`opens(resource.SecurityGroupIngress[6], 3)`, `true`},
		{`opens(resource.SecurityGroupIngress[7], 3)`, `true`},
		{`opens(resource.SecurityGroupIngress[8], 22)`, `true`},
		{`opens(1, 22)`, `error: no such overload…`},
		{`portCount(resource.SecurityGroupIngress[0])`, `6`},
		{`portCount(resource.SecurityGroupIngress[1])`, `65536`},
		{`portCount(resource.SecurityGroupIngress[2])`, `unknown: parameter N`},
		{`portCount(resource.SecurityGroupIngress[3])`, `0`},
		{`portCount(resource.SecurityGroupIngress[5])`, `unknown: parameter P`},
		{`portCount(resource.SecurityGroupIngress[6])`, `65536`},
		{`opens({"Protocol": 6}, 3)`, `error…`},
		{`isWorld("0.0.0.0/00")`, `true`},
		{`isWorld("0:0:0:0:0:0:0:0/0")`, `true`},
		{`isWorld("1.2.3.4/0")`, `true`},
		{`isWorld("0.0.0.0")`, `false`},
		{`isWorld("")`, `false`},
		{`isWorld("0.0.0.0/33")`, `false`},
		{`isWorld("a/0")`, `false`},
		{`cidrPrefix("::1")`, `128`},
		{`cidrPrefix("x")`, `error: "x" is no CIDR block…`},
		{`isPrivate("100.64.1.0/24") && isPrivate("fd00::/8") && isPrivate("127.0.0.1")`, `true`},
		{`isPrivate("10.0.0.0/7") || isPrivate("x")`, `false`},
		{`covers(-1, 5, 22) && covers(20, 25, 22) && !covers(23, 25, 22)`, `true`},
	})
}

func TestAclEntries(t *testing.T) {
	expressions(t, `
Resources:
  R: {Type: AWS::EC2::NetworkAclEntry, Properties: {Protocol: 6, RuleAction: allow, RuleNumber: 1, NetworkAclId: x, CidrBlock: 0.0.0.0/0, PortRange: {From: 20, To: 30}}}
`, nil, [][2]string{
		{`fromWorld(resource) && opens(resource, 22)`, `true`},
		{`opens(resource, 31)`, `false`},
	})
}

func TestSources(t *testing.T) {
	expressions(t, `
Parameters:
  Given: {Type: String}
  Default: {Type: String, Default: hunter2}
  Hidden: {Type: String, NoEcho: true}
  HiddenDefault: {Type: String, NoEcho: true, Default: hunter2}
  Stored: {Type: "AWS::SSM::Parameter::Value<String>", Default: /app/key}
  StoredUnnamed: {Type: "AWS::SSM::Parameter::Value<String>", NoEcho: true}
Conditions: {C: !Equals [a, a]}
Mappings: {M: {A: {b: hunter2}}}
Resources:
  Q: {Type: AWS::SQS::Queue}
  R:
    Type: AWS::Lambda::Function
    Properties:
      Role: ""
      Environment:
        Variables:
          LITERAL: hunter2
          FORGOTTEN: Hidden
          FORGOTTENDEFAULT: Default
          BRACKETS: [!Ref Hidden]
          NUMBER: 1
          GIVEN: !Ref Given
          DEFAULT: !Ref Default
          HIDDEN: !Ref Hidden
          HIDDENDEFAULT: !Ref HiddenDefault
          DYNAMIC: "{{resolve:secretsmanager:db:SecretString:password}}"
          SSM: "{{resolve:ssm:/app/key}}"
          STORED: !Ref Stored
          STOREDUNNAMED: !Ref StoredUnnamed
          REF: !Ref Q
          ATT: !GetAtt Q.Arn
          IMPORT: !ImportValue x
          MAPPED: !FindInMap [M, A, b]
          IF: !If [C, hunter2, other]
          MIX: !Sub "${Given}-${Hidden}"
          MACRO: {"Fn::Transform": {Name: X, Parameters: {}}}
`, nil, [][2]string{
		{`source(resource.Code)`, `"absent"`},
		{`source(resource.Role)`, `"literal"`},
		{`plaintext(resource.Role)`, `false`},
		{`source(resource.Environment.Variables.LITERAL)`, `"literal"`},
		{`plaintext(resource.Environment.Variables.LITERAL)`, `true`},
		{`plaintext(resource.Environment.Variables.FORGOTTEN)`, `unknown: a Ref to parameter Hidden, whose name is written here`},
		{`plaintext(resource.Environment.Variables.FORGOTTENDEFAULT)`, `true`},
		{`plaintext(resource.Environment.Variables.BRACKETS)`, `false`},
		{`plaintext(resource.Environment.Variables["NUMBER"])`, `true`},
		{`source(resource.Environment.Variables.GIVEN)`, `"parameter"`},
		{`source(resource.Environment.Variables.DEFAULT)`, `"parameter-default"`},
		{`plaintext(resource.Environment.Variables.DEFAULT)`, `true`},
		{`source(resource.Environment.Variables.HIDDEN)`, `"noecho"`},
		{`plaintext(resource.Environment.Variables.HIDDEN)`, `false`},
		{`source(resource.Environment.Variables.HIDDENDEFAULT)`, `"noecho-default"`},
		{`plaintext(resource.Environment.Variables.HIDDENDEFAULT)`, `true`},
		{`source(resource.Environment.Variables.DYNAMIC)`, `"dynamic"`},
		{`source(resource.Environment.Variables.SSM)`, `"ssm"`},
		{`source(resource.Environment.Variables.STORED)`, `"ssm"`},
		{`plaintext(resource.Environment.Variables.STORED)`, `false`},
		{`source(resource.Environment.Variables.STOREDUNNAMED)`, `"ssm"`},
		{`source(resource.Environment.Variables.REF)`, `"reference"`},
		{`source(resource.Environment.Variables.ATT)`, `"reference"`},
		{`source(resource.Environment.Variables.IMPORT)`, `"import"`},
		{`plaintext(resource.Environment.Variables.IMPORT)`, `false`},
		{`source(resource.Environment.Variables.MAPPED)`, `"literal"`},
		{`source(resource.Environment.Variables.IF)`, `"literal"`},
		{`source(resource.Environment.Variables.MIX)`, `"noecho"`},
		{`source(resource.Environment.Variables.MACRO)`, `"unknown"`},
		{`plaintext(resource.Environment.Variables.MACRO)`, `unknown: transform X`},
		{`resource.Environment.Variables.exists(k, plaintext(resource.Environment.Variables[k]) && k == "DEFAULT")`, `true`},
		{`resource.Environment.Variables.filter(k, plaintext(resource.Environment.Variables[k]))`, `list of 7 to 9`},
		{`plaintext({"a": 1}.a)`, `error: the value was made by the rule, so it has no source…`},
		{`has({"a": 1}.a) && !has({"a": 1}.b)`, `true`},
		{`has(json('{"a": 1}').a)`, `true`},
		{`has(resource.?Environment.Variables)`, `true`},
		{`has(property(resource, "Role"))`, `true`},
		{`"LITERAL" in resource.Environment.Variables`, `true`},
		{`resource.Environment.Variables.NOTHING`, `""`},
		{`size(resource.Environment.Variables)`, `20`},
		{`resource.Environment.Variables == {"a": "b"}`, `false`},
		{`namesSecret("DB_PASSWORD") && namesSecret("apiKey") && namesSecret("MyTOKEN2") == false && namesSecret("SecretAccessKey")`, `true`},
		{`namesSecret("PASSWORD_FILE") || namesSecret("TOKENS_TABLE") || namesSecret("x")`, `false`},
		{`versionAtLeast("1.30", "1.4")`, `true`},
		{`versionAtLeast("", "1")`, `false`},
		{`json("") == null`, `true`},
		{`json("[1, 2.5, {\"a\": true}]")[2].a`, `true`},
		{`json("{")`, `error: the text is not valid JSON…`},
		{`meta(resource).LogicalId`, `"R"`},
		{`meta("x").LogicalId`, `error: meta is asked of a resource…`},
		{`hasProperty(resource, "Environment.Variables.LITERAL")`, `true`},
		{`hasProperty(resource, "Environment.Nothing")`, `false`},
		{`property(resource, "Environment.Variables.GIVEN") == "x"`, `unknown: parameter Given`},
		{`property(resource, "Environment.Variables.LITERAL") == "hunter2"`, `true`},
	})
}

func TestTagFunctions(t *testing.T) {
	policy := &Policy{
		RequiredTags: []RequiredTag{
			{Key: "owner"}, {Key: "class", Values: []string{"public", "internal"}}, {Key: "mail", Pattern: "@example[.]com$"},
			{Key: "queue-only", Only: []string{"AWS::SQS::*"}}, {Key: "not-buckets", Except: []string{"AWS::S3::*"}},
		},
		ExemptTags: []ExemptTag{{Key: "scratch"}, {Key: "env", Values: []string{"lab"}}},
	}
	template := func(tags string) string {
		return "Parameters: {P: {Type: String}}\nResources:\n  Q: {Type: AWS::SQS::Queue}\n  R: {Type: AWS::S3::Bucket, Properties: {Tags: " + tags + "}}\n"
	}
	for _, tt := range []struct {
		tags  string
		table [][2]string
	}{
		{`[{Key: owner, Value: me}, {Key: class, Value: public}, {Key: mail, Value: a@example.com}, {Key: env, Value: lab}]`, [][2]string{
			{`policy.missingTags(resource) == []`, `true`},
			{`tags(resource) == tags(resource.Tags)`, `true`},
			{`"owner" in tags(resource) && !("x" in tags(resource))`, `true`},
			{`tags(resource).owner`, `"me"`},
			{`tags(resource)["x"]`, `""`},
			{`size(tags(resource))`, `4`},
			{`tags(resource).exists(k, k == "env")`, `true`},
			{`policy.exempt(resource, "env")`, `true`},
			{`policy.exempt(resource.Tags, "scratch")`, `false`},
			{`policy.exempt(resource, "owner")`, `false`},
			{`tags(3)`, `error: tags are read from a resource…`},
			{`policy.missingTags(3)`, `error: missingTags is asked of the policy…`},
		}},
		{`[{Key: owner, Value: ""}, {Key: class, Value: secret}]`, [][2]string{
			{`policy.missingTags(resource) == ["owner", "class", "mail"]`, `true`},
		}},
		{`[{Key: owner, Value: !Ref P}, {Key: class, Value: !Ref P}, {Key: mail, Value: !Sub "${P}@example.com"}]`, [][2]string{
			{`policy.missingTags(resource)`, `unknown: parameter P`},
			{`"owner" in tags(resource)`, `true`},
			{`has(tags(resource).owner)`, `true`},
		}},
		{`[{Key: owner, Value: !Ref Q}, {Key: class, Value: internal}, {Key: mail, Value: !Sub "${P}@example.com"}]`, [][2]string{
			{`policy.missingTags(resource) == []`, `true`},
		}},
		{`[{Key: !Ref P, Value: x}, {Key: class, Value: internal}]`, [][2]string{
			{`"owner" in tags(resource)`, `unknown: parameter P`},
			{`has(tags(resource).owner)`, `unknown: parameter P`},
			{`tags(resource)["owner"]`, `unknown: parameter P`},
			{`"class" in tags(resource)`, `true`},
			{`size(tags(resource))`, `unknown: parameter P`},
			{`tags(resource).all(k, k == "class")`, `unknown: parameter P`},
			{`tags(resource) == {}`, `unknown: parameter P`},
			{`policy.missingTags(resource)`, `unknown: parameter P`},
			{`policy.exempt(resource, "scratch")`, `unknown: parameter P`},
		}},
		{`!ImportValue Tags`, [][2]string{
			{`"owner" in tags(resource)`, `unknown: import Tags`},
			{`policy.missingTags(resource)`, `unknown: import Tags`},
			{`policy.exempt(resource, "env")`, `unknown: import Tags`},
		}},
		{`!Ref AWS::NoValue`, [][2]string{
			{`policy.missingTags(resource) == ["owner", "class", "mail"]`, `true`},
			{`size(tags(resource)) == 0`, `true`},
		}},
	} {
		t.Run(tt.tags, func(t *testing.T) { expressions(t, template(tt.tags), policy, tt.table) })
	}
	expressions(t, "Resources: {R: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: x, Tags: {owner: me}}}}", policy, [][2]string{
		{`tags(resource).owner`, `"me"`},
		{`policy.missingTags(resource) == ["class", "mail", "not-buckets"]`, `true`},
	})
}
