package drift_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/cfn"
	"plumbline/cfn/drift"
)

// resource is the one resource R of a template, by JSON.
func resource(t *testing.T, typ, properties string) *cfn.Resource {
	t.Helper()
	src := `{"Parameters":{"Given":{"Type":"String"}},"Resources":{"R":{"Type":"` + typ + `","Properties":` + properties + `},"Key":{"Type":"AWS::KMS::Key"}}}`
	tpl, err := cfn.Parse("t.json", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return tpl.Worlds(cfn.Inputs{Account: "111122223333", Region: "eu-west-1"})[0].Resource("R")
}

func TestCompare(t *testing.T) {
	const bucket, group, role, key = "AWS::S3::Bucket", "AWS::EC2::SecurityGroup", "AWS::IAM::Role", "AWS::RDS::DBInstance"
	for _, tc := range []struct {
		name, typ, template, live string
		want                      []string // name: wanted / had, with ! in front where the template leaves it
	}{
		{"as the template says", bucket, `{"VersioningConfiguration":{"Status":"Enabled"}}`, `{"BucketName":"b","Arn":"arn:aws:s3:::b","VersioningConfiguration":{"Status":"Enabled"}}`, nil},
		{"switched off by hand", bucket, `{"VersioningConfiguration":{"Status":"Enabled"}}`, `{"VersioningConfiguration":{"Status":"Suspended"}}`, []string{"VersioningConfiguration.Status: Enabled / Suspended"}},
		{"taken away by hand", bucket, `{"VersioningConfiguration":{"Status":"Enabled"}}`, `{}`, []string{"VersioningConfiguration.Status: Enabled / nothing"}},
		{"a default that is known was changed", bucket, `{}`, `{"PublicAccessBlockConfiguration":{"BlockPublicAcls":true,"BlockPublicPolicy":"x"}}`, []string{"!PublicAccessBlockConfiguration.BlockPublicPolicy: true / x"}},
		{"a default that the service decides", bucket, `{}`, `{"BucketEncryption":{"ServerSideEncryptionConfiguration":[{"ServerSideEncryptionByDefault":{"SSEAlgorithm":"AES256"}}]}}`, nil},
		{"a list that the template leaves empty", group, `{"GroupDescription":"g"}`, `{"GroupDescription":"g","SecurityGroupIngress":[{"IpProtocol":"tcp","FromPort":22,"ToPort":22,"CidrIp":"0.0.0.0/0"}]}`,
			[]string{`!SecurityGroupIngress: nothing / [{"CidrIp":"0.0.0.0/0","FromPort":22,"IpProtocol":"tcp","ToPort":22}]`}},
		{"the order of rules", group, `{"GroupDescription":"g","SecurityGroupIngress":[{"IpProtocol":"tcp","FromPort":"1","ToPort":1,"CidrIp":"10.0.0.0/8"},{"IpProtocol":"tcp","FromPort":2,"ToPort":2,"CidrIp":"10.0.0.0/8"}]}`,
			`{"GroupDescription":"g","SecurityGroupIngress":[{"IpProtocol":"tcp","FromPort":2,"ToPort":2,"CidrIp":"10.0.0.0/8"},{"IpProtocol":"tcp","FromPort":1,"ToPort":1,"CidrIp":"10.0.0.0/8"}]}`, nil},
		{"unknown values", bucket, `{"BucketName":{"Ref":"Given"},"VersioningConfiguration":{"Status":{"Ref":"Given"}}}`, `{"BucketName":"b","VersioningConfiguration":{"Status":"Suspended"}}`, nil},
		{"a reference to a resource of the stack", bucket, `{"BucketEncryption":{"ServerSideEncryptionConfiguration":[{"ServerSideEncryptionByDefault":{"SSEAlgorithm":"aws:kms","KMSMasterKeyID":{"Ref":"Key"}}}]}}`,
			`{"BucketEncryption":{"ServerSideEncryptionConfiguration":[{"ServerSideEncryptionByDefault":{"SSEAlgorithm":"aws:kms","KMSMasterKeyID":"key-1"}}]}}`, nil},
		{"another than the one referred to", bucket, `{"BucketEncryption":{"ServerSideEncryptionConfiguration":[{"ServerSideEncryptionByDefault":{"SSEAlgorithm":"aws:kms","KMSMasterKeyID":{"Ref":"Key"}}}]}}`,
			`{"BucketEncryption":{"ServerSideEncryptionConfiguration":[{"ServerSideEncryptionByDefault":{"SSEAlgorithm":"aws:kms","KMSMasterKeyID":"key-2"}}]}}`,
			[]string{`BucketEncryption.ServerSideEncryptionConfiguration: [{"ServerSideEncryptionByDefault":{"KMSMasterKeyID":"(resource Key)","SSEAlgorithm":"aws:kms"}}] / [{"ServerSideEncryptionByDefault":{"KMSMasterKeyID":"key-2","SSEAlgorithm":"aws:kms"}}]`}},
		{"tags of the stack and of AWS", bucket, `{"Tags":[{"Key":"a","Value":"1"}]}`, `{"Tags":[{"Key":"aws:cloudformation:stack-name","Value":"S"},{"Key":"team","Value":"pay"},{"Key":"a","Value":"1"}]}`, nil},
		{"a tag set by hand", bucket, `{}`, `{"Tags":[{"Key":"by","Value":"hand"}]}`, []string{`!Tags: nothing / [{"Key":"by","Value":"hand"}]`}},
		{"a policy in another form", role, `{"AssumeRolePolicyDocument":{"Statement":[{"Effect":"Allow","Action":["sts:AssumeRole"],"Principal":{"Service":"lambda.amazonaws.com"}}]}}`,
			`{"AssumeRolePolicyDocument":"{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"sts:AssumeRole\",\"Principal\":{\"Service\":[\"lambda.amazonaws.com\"]}}]}"}`, nil},
		{"a policy made wider", role, `{"AssumeRolePolicyDocument":{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"lambda.amazonaws.com"}}]}}`,
			`{"AssumeRolePolicyDocument":{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*"}]}}`,
			[]string{`AssumeRolePolicyDocument: {"Statement":[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"}}]} / {"Statement":[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":"*"}]}`}},
		{"a form that the service makes: lower case", key, `{"DBInstanceIdentifier":"Cards"}`, `{"DBInstanceIdentifier":"cards"}`, nil},
		{"no such form", key, `{"DBInstanceIdentifier":"Cards"}`, `{"DBInstanceIdentifier":"other"}`, []string{"DBInstanceIdentifier: Cards / other"}},
		{"what a read does not return", key, `{"MasterUserPassword":"x"}`, `{}`, nil},
		{"a number as text", key, `{"AllocatedStorage":20,"MultiAZ":"true"}`, `{"AllocatedStorage":"20","MultiAZ":true}`, nil},
		{"no schema", "Custom::Thing", `{"A":1}`, `{"A":2}`, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			have, err := cfn.Live(tc.typ, "R", []byte(tc.live))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, d := range drift.Compare(resource(t, tc.typ, tc.template), have, map[string]string{"team": "pay"}, func(id string) string { return map[string]string{"Key": "key-1"}[id] }) {
				s := d.Name() + ": " + drift.Text(d.Want) + " / " + drift.Text(d.Have)
				if d.Unset {
					s = "!" + s
				}
				got = append(got, s)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzCompare: whatever the models are, a resource does not differ from itself
// as far as its template is known, and comparing ends.
func FuzzCompare(f *testing.F) {
	f.Add("AWS::S3::Bucket", `{"VersioningConfiguration":{"Status":"Enabled"},"Tags":[{"Key":"a","Value":"b"}]}`)
	f.Add("AWS::RDS::DBInstance", `{"DBInstanceIdentifier":"Cards","KmsKeyId":"arn:aws:kms:eu-west-1:111122223333:key/1"}`)
	f.Add("AWS::EC2::SecurityGroup", `{"SecurityGroupIngress":[{"FromPort":"1","IpProtocol":6},[],null,{}]}`)
	f.Add("AWS::IAM::Role", `{"AssumeRolePolicyDocument":"{\"Statement\":[]}"}`)
	f.Fuzz(func(t *testing.T, typ, model string) {
		have, err := cfn.Live(typ, "R", []byte(model))
		if err != nil {
			return
		}
		for _, d := range drift.Compare(have, have, nil, nil) {
			if !d.Unset {
				t.Errorf("%s differs from itself: %s is %s and %s", model, d.Name(), drift.Text(d.Want), drift.Text(d.Have))
			}
		}
	})
}
