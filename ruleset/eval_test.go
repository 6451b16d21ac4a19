package ruleset

import (
	"context"
	"strings"
	"testing"

	"plumbline/cfn"
)

// bench is a resource in a template, to evaluate expressions on.
type bench struct {
	j    *judgement
	c    *compiled
	r    *cfn.Resource
	own  *owner
	rule *Rule
}

// newBench resolves a template and takes its resource R.
func newBench(t testing.TB, template string, p *Policy) *bench {
	t.Helper()
	s := open(t, p)
	m := models(t, cfn.Inputs{}, template)
	r := m[0].Resource("R")
	if r == nil {
		t.Fatal("the template has no resource R")
	}
	rule := &Rule{ID: "x", Types: []string{r.Type}, Pass: Expression{Text: "true", Line: 1, Column: 1}, File: "x.yaml"}
	c, err := rule.compile(r.Type)
	if err != nil {
		t.Fatal(err)
	}
	return &bench{s.judgement(context.Background(), m), c, r, &owner{model: m[0], resource: r}, rule}
}

// eval is what an expression comes to, as explain words it.
func (b *bench) eval(t testing.TB, expression string) string {
	t.Helper()
	e, err := sharedEnvironment()
	if err != nil {
		t.Fatal(err)
	}
	env, err := b.c.environment()
	if err != nil {
		t.Fatal(err)
	}
	x := Expression{Text: expression, Line: 1, Column: 1}
	tree, err := e.check(env, b.rule, "x", x, nil)
	if err != nil {
		return "refused: " + err.Error()
	}
	p, err := e.plan(b.rule, "x", x, tree.NativeRep(), nestedComprehension(tree))
	if err != nil {
		return "refused: " + err.Error()
	}
	return describeResult(p.run(context.Background(), b.j.prepare(b.c, 0, b.own, nil, 0)), nil)
}

// expressions runs a table of expression and result on one resource.
func expressions(t *testing.T, template string, p *Policy, table [][2]string) {
	t.Helper()
	b := newBench(t, template, p)
	for _, row := range table {
		t.Run(row[0], func(t *testing.T) {
			got := b.eval(t, row[0])
			if got != row[1] && !(strings.HasSuffix(row[1], "…") && strings.HasPrefix(got, strings.TrimSuffix(row[1], "…"))) {
				t.Errorf("%s\n got  %s\n want %s", row[0], got, row[1])
			}
		})
	}
}

func TestUnsetAndTyped(t *testing.T) {
	expressions(t, `
Parameters:
  P: {Type: String}
  N: {Type: Number, Default: 12}
Resources:
  R:
    Type: AWS::RDS::DBInstance
    Properties:
      DBInstanceClass: db.t3.micro
      AllocatedStorage: 20
      BackupRetentionPeriod: "7"
      StorageEncrypted: "true"
      MultiAZ: !Ref P
      Port: !Ref N
      EnableCloudwatchLogsExports: audit
      Iops: many
      Tags: [{Key: a, Value: 1}]
      ProcessorFeatures: {Name: coreCount}
`, nil, [][2]string{
		{`resource.DBInstanceClass`, `"db.t3.micro"`},
		{`resource.AllocatedStorage`, `"20"`},
		{`resource.BackupRetentionPeriod`, `7`},
		{`resource.BackupRetentionPeriod >= 7`, `true`},
		{`resource.StorageEncrypted`, `true`},
		{`resource.MultiAZ`, `unknown: parameter P`},
		{`has(resource.MultiAZ)`, `true`},
		{`resource.MultiAZ || resource.StorageEncrypted`, `true`},
		{`resource.MultiAZ && resource.StorageEncrypted`, `unknown: parameter P`},
		{`resource.MultiAZ && resource.DeletionProtection`, `false`},
		{`resource.DeletionProtection`, `false`},
		{`has(resource.DeletionProtection)`, `false`},
		{`resource.KmsKeyId`, `""`},
		{`resource.MaxAllocatedStorage`, `0`},
		{`resource.AssociatedRoles`, `list of 0`},
		{`resource.AssociatedRoles.all(r, r.RoleArn == "x")`, `true`},
		{`resource.EnableCloudwatchLogsExports`, `list of 1`},
		{`"audit" in resource.EnableCloudwatchLogsExports`, `true`},
		{`resource.Iops`, `error: property Iops is a text, and its type asks for a whole number`},
		{`has(resource.Iops)`, `true`},
		{`resource.Iops > 3 || resource.StorageEncrypted`, `true`},
		{`resource.Port == "12"`, `true`},
		{`resource.Tags[0].Value`, `"1"`},
		{`resource.Tags[0].Key == "a"`, `true`},
		{`resource.Tags[1].Key == "a"`, `error: index out of bounds: 1…`},
		{`resource.ProcessorFeatures[0].Name`, `"coreCount"`},
		{`resource.?KmsKeyId.orValue("none")`, `"none"`},
		{`resource.?DBInstanceClass.orValue("none")`, `"db.t3.micro"`},
		{`resource.MasterUserSecret.SecretArn`, `""`},
		{`has(resource.MasterUserSecret.SecretArn)`, `false`},
		{`resource.StorageEncryptd`, `refused: x.yaml:1:9: x: 1:9: undefined field "StorageEncryptd" of AWS::RDS::DBInstance. did you mean StorageEncrypted?`},
		{`resource.StorageEncrypted == "true"`, `refused: x.yaml:1:27: x: 1:27: found no matching overload for '_==_' applied to '(bool, string)'`},
		{`self.LogicalId + " " + self.Type`, `"R AWS::RDS::DBInstance"`},
		{`self.DeletionPolicy == ""`, `true`},
		{`template.Path`, `"t.yaml"`},
		{`template.Region == ""`, `true`},
		{`22 in policy.ports.admin`, `true`},
		{`policy.retention.logDays`, `365`},
		{`size(policy.requiredTags)`, `0`},
		{`policy.retention.logDay`, `refused: x.yaml:1:17: x: 1:17: undefined field "logDay" of Policy.retention. did you mean logDays?`},
	})
}

const policyTemplate = `
Parameters:
  P: {Type: String}
  Quiet: {Type: String, NoEcho: true}
  Loud: {Type: String, NoEcho: true, Default: hunter2}
  Plain: {Type: String, Default: pass}
Resources:
  Bucket: {Type: AWS::S3::Bucket}
  Maker: {Type: "Custom::Maker", Properties: {ServiceToken: x}}
  R:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: !Sub "${Bucket}-policy"
      Roles: [!Ref P, !Ref Bucket, admin]
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Action: s3:Get*
            Resource: !Sub "arn:aws:s3:::${Bucket}/*"
            Principal: {AWS: ["*", "arn:aws:iam::123456789012:root"], Service: lambda.amazonaws.com}
          - Effect: Deny
            NotAction: [iam:*, "sts:AssumeRole"]
            Resource: [!GetAtt Bucket.Arn, "*"]
            Principal: "*"
            Condition:
              StringEquals: {"aws:SourceAccount": !Ref AWS::AccountId}
              Bool: {"aws:SecureTransport": "false"}
          - Effect: Allow
            Action: [!Ref P]
            Resource: !GetAtt Maker.Arn
            Condition: {StringLike: {"aws:PrincipalOrgID": "*"}}
`

func TestSymbolicTexts(t *testing.T) {
	expressions(t, policyTemplate, nil, [][2]string{
		{`resource.PolicyName`, `"${Bucket}-policy"`},
		{`resource.PolicyName == ""`, `false`},
		{`resource.PolicyName != ""`, `true`},
		{`resource.PolicyName == "x-policy"`, `unknown: resource Bucket`},
		{`resource.PolicyName == "x-polic"`, `false`},
		{`resource.PolicyName == "x y-policy"`, `false`},
		{`resource.PolicyName.endsWith("-policy")`, `true`},
		{`resource.PolicyName.endsWith("-role")`, `false`},
		{`resource.PolicyName.startsWith("x")`, `unknown…`},
		{`resource.PolicyName.startsWith("*")`, `false`},
		{`resource.PolicyName.contains("poli")`, `true`},
		{`resource.PolicyName.contains("*")`, `false`},
		{`resource.PolicyName.contains("xx")`, `unknown…`},
		{`resource.PolicyName.matches("^.+-policy$")`, `unknown…`},
		{`resource.PolicyName.matches("-policy$")`, `true`},
		{`resource.PolicyName.matches("-role$")`, `false`},
		{`resource.PolicyName.matches("policy")`, `true`},
		{`resource.PolicyName + "/x"`, `"${Bucket}-policy/x"`},
		{`("x/" + resource.PolicyName).startsWith("x/")`, `true`},
		{`resource.PolicyName.lowerAscii().endsWith("-policy")`, `true`},
		{`resource.PolicyName.replace("a", "b")`, `unknown…`},
		{`size(resource.PolicyName) > 3`, `true`},
		{`size(resource.PolicyName) < 8`, `false`},
		{`8 > size(resource.PolicyName)`, `false`},
		{`size(resource.PolicyName) > 100`, `unknown…`},
		{`size(resource.PolicyName) == 3`, `false`},
		{`resource.PolicyName == resource.PolicyName`, `true`},
		{`resource.PolicyName in ["a", "b"]`, `false`},
		{`resource.PolicyName in ["a-policy", "b"]`, `unknown…`},
		{`resource.PolicyName in {"a": 1}`, `false`},
		{`"a-policy-b".contains(resource.PolicyName)`, `unknown…`},
		{`"nothing".contains(resource.PolicyName)`, `false`},
		{`"x-policy".startsWith(resource.PolicyName)`, `unknown…`},
		{`glob("*-policy", resource.PolicyName)`, `unknown…`},
		{`glob("x-role", resource.PolicyName)`, `false`},
		{`type(resource.PolicyName) == string`, `true`},
		{`string(resource.PolicyName).endsWith("y")`, `true`},
		{`int(resource.PolicyName) == 3`, `unknown…`},
		{`{resource.PolicyName: 1}`, `unknown…`},
		{`[resource.PolicyName] == ["x"]`, `false`},
		{`[resource.PolicyName, "b"] == ["x-policy", "b"]`, `unknown…`},
		{`{"a": resource.PolicyName} == {"a": "x"}`, `false`},
		{`[resource.PolicyName, "b"].join(",")`, `unknown…`},
		{`sets.contains(["a", resource.PolicyName], ["a"])`, `true`},
		{`sets.contains(["a", resource.PolicyName], ["b"])`, `false`},
		{`sets.intersects(["a", resource.PolicyName], ["x-policy"])`, `unknown…`},
		{`sets.equivalent(["a"], ["a", "a"])`, `true`},
		{`optional.of(resource.PolicyName) == optional.of("x")`, `false`},
		{`resource.?PolicyName.hasValue()`, `true`},
	})
}

func TestUnknownElements(t *testing.T) {
	expressions(t, policyTemplate, nil, [][2]string{
		{`size(resource.Roles)`, `3`},
		{`"admin" in resource.Roles`, `true`},
		{`"user" in resource.Roles`, `unknown: parameter P and resource Bucket`},
		{`"" in resource.Roles`, `unknown: parameter P`},
		{`resource.Roles.exists(r, r == "admin")`, `true`},
		{`resource.Roles.all(r, r == "other")`, `false`},
		{`resource.Roles.exists(r, r == "a b")`, `unknown: parameter P`},
		{`resource.Roles.filter(r, r == "admin")`, `list of 1 to 3`},
		{`size(resource.Roles.filter(r, r == "admin")) == 0`, `false`},
		{`size(resource.Roles.filter(r, r == "admin")) >= 1`, `true`},
		{`size(resource.Roles.filter(r, r == "admin")) == 1`, `unknown…`},
		{`size(resource.Roles.filter(r, r == "admin")) > 3`, `false`},
		{`resource.Roles.filter(r, r == "admin") == []`, `false`},
		{`resource.Roles.filter(r, r == "admin").exists(r, r == "admin")`, `true`},
		{`resource.Roles.filter(r, r == "admin").map(r, 1)`, `list of 1 to 3`},
		{`size(resource.Roles.filter(r, r == "admin") + ["x"]) > 1`, `true`},
		{`resource.Roles.filter(r, r == "admin")[0] == "admin"`, `unknown…`},
		{`resource.Roles.filter(r, r == "admin").first().hasValue()`, `unknown…`},
		{`resource.Roles.filter(r, r != "").size() == 3`, `unknown…`},
		{`resource.Roles.map(r, r + "!")[2]`, `"admin!"`},
		{`resource.Roles.map(r, r != "", r + "!").exists(x, x == "admin!")`, `true`},
		{`resource.Roles.map(r, size(r))[2] == 5`, `true`},
		{`resource.Roles.exists_one(r, r == "admin")`, `unknown…`},
		{`resource.Roles == resource.Roles`, `unknown: parameter P`},
		{`resource.Roles.join(",")`, `unknown…`},
		{`(resource.Roles + ["z"]).exists(x, x == "z")`, `true`},
		{`[1, 2, 3].filter(x, x > 1).map(x, x * 2) == [4, 6]`, `true`},
		{`[1, 2, 3].filter(x, x > 5) == []`, `true`},
		{`[1, 2].filter(1, true)`, `refused: x.yaml:1:15: x: 1:15: the first argument is the name of the loop's variable, such as x`},
	})
}

func TestStatements(t *testing.T) {
	doc := "statements(resource.PolicyDocument)"
	expressions(t, policyTemplate, nil, [][2]string{
		{`size(` + doc + `)`, `3`},
		{doc + `[0].Actions == ["s3:Get*"]`, `true`},
		{doc + `[0].Principals == ["*", "AWS:arn:aws:iam::123456789012:root", "Service:lambda.amazonaws.com"]`, `true`},
		{doc + `[0].allows("s3:GetObject")`, `true`},
		{doc + `[0].allows("S3:getobject")`, `true`},
		{doc + `[0].allows("s3:PutObject")`, `false`},
		{doc + `[0].allows("s3:*")`, `false`},
		{doc + `[0].denies("s3:GetObject")`, `false`},
		{doc + `[0].onResource("*")`, `false`},
		{doc + `[0].anyPrincipal()`, `true`},
		{doc + `[0].restricted()`, `false`},
		{doc + `[1].denies("s3:GetObject")`, `true`},
		{doc + `[1].denies("iam:PassRole")`, `false`},
		{doc + `[1].denies("sts:AssumeRole")`, `false`},
		{doc + `[1].onResource("*")`, `true`},
		{doc + `[1].restricted()`, `true`},
		{doc + `[1].condition("bool", "AWS:SecureTransport") == ["false"]`, `true`},
		{doc + `[1].condition("Null", "aws:x") == []`, `true`},
		{doc + `[1].Conditions.map(c, c.Key) == ["aws:SourceAccount", "aws:SecureTransport"]`, `true`},
		{doc + `[2].allows("s3:GetObject")`, `unknown: parameter P`},
		{doc + `[2].restricted()`, `false`},
		{doc + `[2].anyPrincipal()`, `false`},
		{doc + `[2].onResource("*")`, `unknown…`},
		{doc + `.exists(s, s.Effect == "Allow" && s.Resources.exists(r, r == "*"))`, `unknown: attribute Maker.Arn`},
		{doc + `.exists(s, s.Effect == "Deny" && "*" in s.Resources)`, `true`},
		{doc + `.all(s, s.Sid == "")`, `true`},
		{`statements('{"Statement": {"Effect": "Allow", "Action": "*"}}')[0].allows("a:b")`, `true`},
		{`statements("")`, `list of 0`},
		{`statements("no json")`, `error: policy document: the text is not valid JSON…`},
		{`statements({})`, `error…`},
		{`has(resource.PolicyDocument.Nothing)`, `false`},
		{`resource.PolicyDocument.Nothing.Below == "x"`, `false`},
		{`resource.PolicyDocument.Nothing == null`, `true`},
		{`size(resource.PolicyDocument.Nothing)`, `0`},
		{`resource.PolicyDocument.Version == "2012-10-17"`, `true`},
		{`resource.PolicyDocument.Statement[0].Effect == "Allow"`, `true`},
		{`account("AWS:arn:aws:iam::123456789012:root")`, `"123456789012"`},
		{`account("123456789012")`, `"123456789012"`},
		{`account("Service:x")`, `""`},
	})
}
