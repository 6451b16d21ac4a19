//go:build e2e

package e2e_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"
)

// TestTable: the findings table has the key, the indexes and the protection
// that it is promised with, in each region. What the emulator's CloudFormation
// leaves out, expiry and restoring, is held to the template.
func TestTable(t *testing.T) {
	t.Parallel()
	for _, name := range regions {
		r := in(name)
		outputs, err := r.outputs(t.Context(), "PlumblineData")
		if err != nil {
			t.Fatal(err)
		}
		table := aws.String(outputs["FindingsTable"])
		d, err := r.dynamodb.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: table})
		if err != nil {
			t.Fatal(err)
		}
		shape := map[string]string{"": keys(d.Table.KeySchema)}
		for _, i := range d.Table.GlobalSecondaryIndexes {
			shape[aws.ToString(i.IndexName)] = keys(i.KeySchema)
		}
		want := map[string]string{"": "resourceId HASH, timestamp RANGE", "by-stack": "stack HASH, position RANGE", "open-by-severity": "openSeverity HASH, age RANGE"}
		if diff := cmp.Diff(want, shape); diff != "" {
			t.Errorf("%s: keys (-want +got):\n%s", name, diff)
		}
		if _, err := r.dynamodb.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: table}); err == nil {
			t.Errorf("%s: the table of findings can be deleted", name)
		}
		// A row without a part of the key is refused.
		if _, err := r.dynamodb.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: table, Item: map[string]ddbtypes.AttributeValue{
			"resourceId": &ddbtypes.AttributeValueMemberS{Value: "half a key"},
		}}); err == nil {
			t.Errorf("%s: a row without a timestamp is taken", name)
		}
		held(t, name, "AWS::DynamoDB::Table", "Findings", map[string]string{
			"TimeToLiveSpecification":          `{"AttributeName":"expiresAt","Enabled":true}`,
			"PointInTimeRecoverySpecification": `{"PointInTimeRecoveryEnabled":true}`,
			"DeletionProtectionEnabled":        `true`,
		})
	}
}

func keys(schema []ddbtypes.KeySchemaElement) string {
	var out []string
	for _, k := range schema {
		out = append(out, fmt.Sprintf("%s %s", aws.ToString(k.AttributeName), k.KeyType))
	}
	return strings.Join(out, ", ")
}

// held holds properties of a data stack's template to their JSON.
func held(t *testing.T, region, kind, id string, want map[string]string) {
	t.Helper()
	template, err := ofRegion("PlumblineData", region)
	if err != nil {
		t.Fatal(err)
	}
	r := template.Resources[id]
	if r == nil || r.Type != kind {
		t.Fatalf("the template has no %s of type %s", id, kind)
	}
	for property, value := range want {
		b, err := json.Marshal(r.Properties[property])
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(value, string(b)); diff != "" {
			t.Errorf("%s: %s of %s (-want +got):\n%s", region, property, id, diff)
		}
	}
}

// TestBucket: the bucket of reports keeps versions, encrypts, and is closed to
// the public by its block and to plain HTTP by its policy, in each region.
func TestBucket(t *testing.T) {
	t.Parallel()
	for _, name := range regions {
		r := in(name)
		bucket := aws.String(r.bucket(t))
		v, err := r.s3.GetBucketVersioning(t.Context(), &s3.GetBucketVersioningInput{Bucket: bucket})
		if err != nil || v.Status != s3types.BucketVersioningStatusEnabled {
			t.Errorf("%s: versioning is %v, %v", name, v, err)
		}
		b, err := r.s3.GetPublicAccessBlock(t.Context(), &s3.GetPublicAccessBlockInput{Bucket: bucket})
		if err != nil {
			t.Fatal(err)
		}
		if c := b.PublicAccessBlockConfiguration; !aws.ToBool(c.BlockPublicAcls) || !aws.ToBool(c.BlockPublicPolicy) || !aws.ToBool(c.IgnorePublicAcls) || !aws.ToBool(c.RestrictPublicBuckets) {
			t.Errorf("%s: the public access block is %+v, want all of it", name, c)
		}
		p, err := r.s3.GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: bucket})
		if err != nil {
			t.Fatal(err)
		}
		checkBucketPolicy(t, name, aws.ToString(p.Policy))

		// The emulator's CloudFormation leaves these out.
		held(t, name, "AWS::S3::Bucket", "Reports", map[string]string{
			"BucketEncryption": `{"ServerSideEncryptionConfiguration":[{"BucketKeyEnabled":true,"ServerSideEncryptionByDefault":{"SSEAlgorithm":"aws:kms"}}]}`,
		})
		template, err := ofRegion("PlumblineData", name)
		if err != nil {
			t.Fatal(err)
		}
		rules, err := json.Marshal(template.Resources["Reports"].Properties["LifecycleConfiguration"])
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{
			`{"ExpirationInDays":365,"Id":"reports","Prefix":"reports/","Status":"Enabled","Transitions":[{"StorageClass":"GLACIER","TransitionInDays":90}]}`,
			`"NoncurrentVersionExpiration":{"NoncurrentDays":30}`,
		} {
			if !strings.Contains(string(rules), want) {
				t.Errorf("%s: lifecycle is %s, want …%s…", name, rules, want)
			}
		}
	}
}

func checkBucketPolicy(t *testing.T, region, policy string) {
	t.Helper()
	var p struct {
		Statement []struct {
			Effect    string
			Condition map[string]map[string]any
		}
	}
	if err := json.Unmarshal([]byte(policy), &p); err != nil {
		t.Fatal(err)
	}
	tls, outside := false, false
	for _, s := range p.Statement {
		tls = tls || s.Effect == "Deny" && fmt.Sprint(s.Condition["Bool"]["aws:SecureTransport"]) == "false"
		outside = outside || s.Effect == "Deny" && s.Condition["StringNotEquals"]["aws:PrincipalAccount"] == account
	}
	if !tls || !outside {
		t.Errorf("%s: the bucket's policy denies plain HTTP: %v, other accounts: %v", region, tls, outside)
	}
}

// outside are the functions that lie in no VPC: whom they call is on the Internet.
var outside = []string{"PlumblineDeliver", "PlumblineSignIn"}

// TestFunctionsAreInTheVPC: each function but those two lies in subnets of our
// own, which no route leads out of to the Internet.
func TestFunctionsAreInTheVPC(t *testing.T) {
	t.Parallel()
	for _, name := range regions {
		template, err := ofRegion("PlumblineSuite", name)
		if err != nil {
			t.Fatal(err)
		}
		var without []string
		functions := 0
		for id, resource := range template.Resources {
			switch resource.Type {
			case "AWS::Lambda::Function":
				functions++
				config, _ := resource.Properties["VpcConfig"].(map[string]any)
				if subnets, _ := config["SubnetIds"].([]any); len(subnets) < 2 {
					without = append(without, fmt.Sprint(resource.Properties["FunctionName"]))
				}
			case "AWS::EC2::InternetGateway", "AWS::EC2::NatGateway", "AWS::EC2::Route":
				t.Errorf("%s: %s, a %s, leads out", name, id, resource.Type)
			}
		}
		slices.Sort(without)
		if diff := cmp.Diff(outside, without); functions == 0 || diff != "" {
			t.Errorf("%s: of %d functions, those outside of two subnets (-want +got):\n%s", name, functions, diff)
		}
	}
}

// TestStacksAreKept: the stack of what is kept has its termination protection,
// and what CDK deployed has ended well.
func TestStacksAreKept(t *testing.T) {
	t.Parallel()
	for _, name := range regions {
		for _, stack := range []string{"PlumblineData", "PlumblineSuite"} {
			d, err := in(name).cfn.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: &stack})
			if err != nil {
				t.Fatal(err)
			}
			if s := d.Stacks[0]; !strings.HasSuffix(string(s.StackStatus), "E_COMPLETE") || aws.ToBool(s.EnableTerminationProtection) != (stack == "PlumblineData") {
				t.Errorf("%s: %s is %s, protected: %v", name, stack, s.StackStatus, aws.ToBool(s.EnableTerminationProtection))
			}
		}
	}
}
