package ruleset

import "testing"

func TestWritten(t *testing.T) {
	const template = `Parameters:
  Given: {Type: String}
  Default: {Type: String, Default: main}
Resources:
  R:
    Type: AWS::EC2::Instance
    Properties:
      UserData: !Base64 {"Fn::Sub": "name=${Given}; branch=${Default}; id=1"}
      ImageId: !Ref Given
      InstanceType: t3.micro
      KeyName: !Sub "${Given}-key"
      Monitoring: true
      PrivateIpAddress: {"Fn::Transform": {Name: X}}
      SecurityGroupIds: [a, b]
`
	expressions(t, template, nil, [][2]string{
		{`written(resource.UserData)`, `"name=…; branch=main; id=1"`},
		{`written(resource.UserData).matches("id=[0-9]")`, `true`},
		{`written(resource.UserData).contains("secret")`, `false`},
		{`written(resource.ImageId)`, `…`},
		{`written(resource.InstanceType)`, `"t3.micro"`},
		{`written(resource.KeyName)`, `"…-key"`},
		{`written(resource.Monitoring)`, `"true"`},
		{`written(resource.SubnetId)`, `""`},
		{`written(resource.PrivateIpAddress)`, `unknown: transform X`},
		{`written(resource.SecurityGroupIds)`, `error: written takes a text, not …`},
	})
}
