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
		{`refersTo(resource.BucketName, resource)`, `true`},
		{`refersTo("arn:aws:s3:::cards/", resource)`, `true`},
		{`refersTo("arn:aws:s3:::cards", resource)`, `true`},
		{`refersTo("arn:aws:s3:::cards-old/", resource)`, `false`},
		{`refersTo("arn:aws:s3:::logs/cards", resource)`, `false`},
		{`refersTo("arn:aws:lambda:eu-west-1:111122223333:function:cards", resource)`, `true`},
		{`refersTo("", resource)`, `false`},
		{`refersTo(resource.BucketName, "x")`, `error: refersTo is asked of a text and a resource`},
	})
	expressions(t, `Parameters: {Given: {Type: String}}
Resources:
  R: {Type: AWS::S3::Bucket, Properties: {AccessControl: !Ref Given}}
`, nil, [][2]string{
		{`refersTo(resource.AccessControl, resource)`, `false`}, // no parameter holds a name that is yet to be made
		{`refersTo("cards", resource)`, `false`},
	})
	expressions(t, `Parameters: {Given: {Type: String}}
Resources:
  R: {Type: AWS::S3::Bucket, Properties: {BucketName: !Ref Given}}
`, nil, [][2]string{
		{`refersTo("cards", resource)`, `unknown: parameter Given`},
	})
}
