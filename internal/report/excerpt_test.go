package report

import "testing"

func TestMaskNamed(t *testing.T) {
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
		if got := maskNamed(line); got != want {
			t.Errorf("%s\nbecomes %s\nwant    %s", line, got, want)
		}
	}
}
