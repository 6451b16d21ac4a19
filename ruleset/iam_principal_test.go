package ruleset

import "testing"

// A principal under AWS loses its prefix where it is "*", so one that is not
// known yet may be everybody unless a part of it says otherwise.
func TestPrincipalsNotKnown(t *testing.T) {
	const template = `Parameters:
  Who: {Type: String}
Resources:
  R:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: cards
      PolicyDocument:
        Statement:
          - {Effect: Allow, Principal: {AWS: !Ref Who}, Action: "s3:GetObject", Resource: "*"}
          - {Effect: Allow, Principal: {AWS: !Sub "arn:aws:iam::${Who}:root"}, Action: "s3:GetObject", Resource: "*"}
          - {Effect: Allow, Principal: {AWS: !GetAtt Role.Arn}, Action: "s3:GetObject", Resource: "*"}
          - {Effect: Allow, Principal: {AWS: !Sub "${Who}*"}, Action: "s3:GetObject", Resource: "*"}
          - {Effect: Allow, Principal: {AWS: ["*", !Ref Who]}, Action: "s3:GetObject", Resource: "*"}
          - {Effect: Allow, Principal: {AWS: !Ref "AWS::AccountId"}, Action: "s3:GetObject", Resource: "*"}
          - {Effect: Allow, Principal: !Ref Who, Action: "s3:GetObject", Resource: "*"}
  Role: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {Statement: []}}}
`
	doc := "statements(resource.PolicyDocument)"
	expressions(t, template, nil, [][2]string{
		{`"*" in ` + doc + `[0].Principals`, `unknown: parameter Who`},
		{doc + `[0].anyPrincipal()`, `unknown: parameter Who`},
		{`"*" in ` + doc + `[1].Principals`, `false`},
		{`"*" in ` + doc + `[2].Principals`, `false`},
		{doc + `[3].anyPrincipal()`, `unknown: parameter Who`},
		{doc + `[4].anyPrincipal()`, `true`},
		{doc + `[5].anyPrincipal()`, `false`},
		{doc + `[6].anyPrincipal()`, `unknown: parameter Who`},
		{doc + `[2].Principals.exists(p, p.startsWith("AWS:"))`, `true`},
	})
}
