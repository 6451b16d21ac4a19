package ruleset

import "testing"

func TestRefersTo(t *testing.T) {
	const template = `Parameters:
  Given: {Type: String}
Resources:
  Other: {Type: AWS::S3::Bucket}
  R:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: cards
      LoggingConfiguration: {DestinationBucketName: !Ref R, LogFilePrefix: !Sub "arn:aws:s3:::${Other}/"}
      WebsiteConfiguration: {IndexDocument: !Sub "${R.Arn}/", ErrorDocument: !Ref Given}
      AccessControl: !Sub "${Given}-${R}"
`
	expressions(t, template, nil, [][2]string{
		{`refersTo(resource.LoggingConfiguration.DestinationBucketName, resource)`, `true`},
		{`refersTo(resource.LoggingConfiguration.LogFilePrefix, resource)`, `false`},
		{`refersTo(resource.WebsiteConfiguration.IndexDocument, resource)`, `true`},
		{`refersTo(resource.WebsiteConfiguration.ErrorDocument, resource)`, `unknown: parameter Given`},
		{`refersTo(resource.AccessControl, resource)`, `true`},
		{`refersTo(resource.BucketName, resource)`, `false`},
		{`refersTo(resource.BucketName, "x")`, `error: refersTo is asked of a text and a resource`},
	})
}
