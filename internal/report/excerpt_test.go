package report

import (
	"strings"
	"testing"
)

func TestMaskKeys(t *testing.T) {
	for line, want := range map[string]string{
		`      MasterUserPassword: hunter2`:                      `      MasterUserPassword: ****`,
		`  "MasterUserPassword": "hun,t\"er:2",`:                 `  "MasterUserPassword": ****,`,
		`  A: {B: {Token: hunter2}, C: "x: y"}, Secret: z`:       `  A: {B: {Token: ****}, C: "x: y"}, Secret: ****`,
		`  DB_PASSWORD: 'hunter2' # old`:                         `  DB_PASSWORD: **** # old`,
		`  - {Name: a, api-key: hunter2, Secret_Token: "x y"}`:   `  - {Name: a, api-key: ****, Secret_Token: ****}`,
		`  Password: !Ref Password`:                              `  Password: !Ref Password`,
		`  Password: {"Ref": "Password"}`:                        `  Password: {"Ref": "Password"}`,
		`  Password: "{{resolve:secretsmanager:db}}"`:            `  Password: "{{resolve:secretsmanager:db}}"`,
		`  PasswordLength: 32`:                                   `  PasswordLength: 32`,
		`  ManageMasterUserPassword: true`:                       `  ManageMasterUserPassword: true`,
		`  SecretArn: arn:aws:secretsmanager:eu-west-1:1:secret`: `  SecretArn: arn:aws:secretsmanager:eu-west-1:1:secret`,
		`  Type: AWS::SecretsManager::Secret`:                    `  Type: AWS::SecretsManager::Secret`,
		`  GenerateSecretString:`:                                `  GenerateSecretString:`,
		`  BucketName: cards`:                                    `  BucketName: cards`,
		`  Password: "unfinished`:                                `  Password: ****`,
		``:                                                       ``,
	} {
		if got := maskKeys(line); got != want {
			t.Errorf("%s\nbecomes %s\nwant    %s", line, got, want)
		}
	}
}

func TestMaskForms(t *testing.T) {
	for line, want := range map[string]string{
		`aws_key = AKIAIOSFODNN7EXAMPLE, AKIAI44QH8DHBEXAMPLE`:             `aws_key = ****, ****`,
		`  Url: postgres://app:hunter2@db.example.com/cards`:               `  Url: postgres://app:****@db.example.com/cards`,
		`    export DB_PASSWORD=hunter2; mysql --password=hunter3 -u root`: `    export DB_PASSWORD=****; mysql --password=**** -u root`,
		`    run --token "hunter 2" --name x`:                              `    run --token "****" --name x`,
		`    curl -H "Authorization: Bearer abcdefghijklmnop"`:             `    curl -H "Authorization: Bearer ****"`,
		`  X: wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY`:                    `  X: ****`,
		`  Y: "ghp_0123456789abcdefghijABCDEFGHIJ0123"`:                    `  Y: "****"`,
		`  S: "Server=db;User Id=x;Password=hunter2;Port=1"`:               `  S: "Server=db;User Id=x;Password=****;Port=1"`,
		`    export DB_PASSWORD=$(get secret) PASSWORD=${Password}`:        `    export DB_PASSWORD=$(get secret) PASSWORD=${Password}`,
		`  Key: arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd`: `  Key: arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd`,
		`  Fn: CardVaultServiceRoleDefaultPolicyA1B2C3D4`:                  `  Fn: CardVaultServiceRoleDefaultPolicyA1B2C3D4`,
		`  S3Key: 5f2b1d8f0d7f4a3c9e5b6a7c8d9e0f1a2b3c4d5e.zip`:            `  S3Key: 5f2b1d8f0d7f4a3c9e5b6a7c8d9e0f1a2b3c4d5e.zip`,
		`  Site: https://example.com/a@b`:                                  `  Site: https://example.com/a@b`,
	} {
		if got := maskForms(line); got != want {
			t.Errorf("%s\nbecomes %s\nwant    %s", line, got, want)
		}
	}
}

func TestMasksReachBeyondTheLine(t *testing.T) {
	for name, tc := range map[string]struct {
		source string
		secret []int
		shown  []string // what must stay
	}{
		"two on one line, the rule names the second": {"  Variables: {API_KEY: hunter2, DB_PASSWORD: hunter2}", []int{1}, []string{"Variables: ****"}},
		"values below the line that a rule names":    {"Environment:\n  Variables:\n    HOST: hunter2\n    LEVEL: hunter2\nType: AWS::Lambda::Function\n", []int{2}, []string{"    HOST: ****", "Type: AWS::Lambda::Function"}},
		"a script below it":                          {"UserData: !Base64 |\n  echo x: y hunter2\n  hunter2\nType: x\n", []int{1}, []string{"Type: x"}},
		"JSON of one line":                           {`  "UserData": {"Fn::Base64": "a hunter2"}` + "\n", []int{1}, []string{`  "UserData": ****`}},
		"a block scalar":                             {"Password: |\n  hunter2\n  hunter2\nPlain: text", nil, []string{"Plain: text"}},
		"a quoted text over lines":                   {"Secret: \"a\n  hunter2\n  hunter2\"\nPlain: text", nil, []string{"Plain: text"}},
		"a value on the next line":                   {"Password:\n  hunter2\nPlain: text", nil, []string{"Plain: text"}},
		"a list":                                     {"Tokens:\n- hunter2\n- \"hunter2\"\nPlain: text", nil, []string{"Plain: text"}},
		"a parameter's default":                      {"DbPassword:\n  Type: String\n  Default: hunter2\n", nil, []string{"  Type: String"}},
		"a parameter that is not echoed":             {"Pin:\n  Default: hunter2\n  Type: String\n  NoEcho: true\nOther:\n  Default: text\n", nil, []string{"  Type: String", "  Default: text"}},
		"name and value":                             {"- Name: HOST\n  Value: text\n- Name: DB_PASSWORD\n  Value: hunter2\n- Name: PORT\n  Value: text2", nil, []string{"  Value: text", "  Value: text2"}},
		"value and name":                             {"- Value: hunter2\n  Name: DB_PASSWORD\n- Value: text\n  Name: HOST", nil, []string{"- Value: text"}},
		"name and value in JSON":                     {"{\n  \"Name\": \"DB_PASSWORD\",\n  \"Value\": \"hunter2\"\n}", nil, []string{`  "Name": "DB_PASSWORD",`}},
		"name and value on one line":                 {`  - {Value: hunter2, Name: DB_PASSWORD, Order: 1}`, nil, []string{"Name: DB_PASSWORD, Order: 1"}},
		"a key in PEM":                               {"Key: |\n  -----BEGIN RSA PRIVATE KEY-----\n  hunter2\n  hunter2\n  -----END RSA PRIVATE KEY-----\nPlain: text", nil, []string{"Plain: text"}},
		"references stay":                            {"Password:\n  Ref: Password\nMasterUserPassword: !Sub '{{resolve:x}}'\n", []int{1}, []string{"  Ref: ****"}},
	} {
		t.Run(name, func(t *testing.T) {
			lines := strings.Split(tc.source, "\n")
			var shown []string
			for i, m := range masksOf(lines, tc.secret) {
				shown = append(shown, m.apply(lines[i]))
			}
			text := strings.Join(shown, "\n")
			if strings.Contains(text, "hunter2") {
				t.Errorf("a secret is shown:\n%s", text)
			}
			for _, want := range tc.shown {
				if !strings.Contains(text, want) {
					t.Errorf("%q is missing in\n%s", want, text)
				}
			}
		})
	}
}

func FuzzMasks(f *testing.F) {
	f.Add("a: |\n  b\n- c: {d: \"e\n", 1)
	f.Add("\"Name\": \"TOKEN\",\n'Value': x\n-----BEGIN PRIVATE KEY-----", 2)
	f.Fuzz(func(t *testing.T, source string, secret int) {
		lines := strings.Split(source, "\n")
		for i, m := range masksOf(lines, []int{secret}) {
			m.apply(lines[i])
		}
	})
}
