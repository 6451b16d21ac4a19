package stack_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/google/go-cmp/cmp"

	"plumbline/tasks/catalog"
)

// assert hands a template to CDK's assertions.
func assert(t template) assertions.Template {
	resources := map[string]any{}
	for id, r := range t.Resources {
		resources[id] = map[string]any{"Type": r.Type, "Properties": r.Properties, "DeletionPolicy": r.DeletionPolicy}
	}
	return assertions.Template_FromJSON(&map[string]any{"Resources": resources}, nil)
}

// has reports what CDK says where the template lacks a resource like this.
func has(t *testing.T, s template, typ string, properties map[string]any) {
	t.Helper()
	defer func() {
		if p := recover(); p != nil {
			t.Error(p)
		}
	}()
	assert(s).HasResourceProperties(&typ, properties)
}

// TestDataIsKept: under another logical id CloudFormation would make a new,
// empty resource; without the policy it would delete one with its stack.
func TestDataIsKept(t *testing.T) {
	want := []string{
		"Changes AWS::DynamoDB::Table", "DataKey AWS::KMS::Key", "Events AWS::DynamoDB::Table", "Findings AWS::DynamoDB::Table", "Ledger AWS::DynamoDB::Table",
		"LedgerAnchor AWS::S3::Bucket", "ReportRequests AWS::S3::Bucket", "Reports AWS::S3::Bucket",
	}
	var got []string
	for id, r := range example()[dataStack].Resources {
		if r.Type == "AWS::S3::BucketPolicy" {
			continue
		}
		got = append(got, id+" "+r.Type)
		if r.DeletionPolicy != "Retain" {
			t.Errorf("%s is deleted with its stack", id)
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTables(t *testing.T) {
	s := example()[dataStack]
	index := func(name, hash, sort string) map[string]any {
		return map[string]any{
			"IndexName": name, "Projection": map[string]any{"ProjectionType": "ALL"},
			"KeySchema": []any{map[string]any{"AttributeName": hash, "KeyType": "HASH"}, map[string]any{"AttributeName": sort, "KeyType": "RANGE"}},
		}
	}
	has(t, s, "AWS::DynamoDB::Table", map[string]any{
		"KeySchema":                        []any{map[string]any{"AttributeName": "resourceId", "KeyType": "HASH"}, map[string]any{"AttributeName": "timestamp", "KeyType": "RANGE"}},
		"GlobalSecondaryIndexes":           []any{index("by-stack", "stack", "position"), index("open-by-severity", "openSeverity", "age")},
		"TimeToLiveSpecification":          map[string]any{"AttributeName": "expiresAt", "Enabled": true},
		"PointInTimeRecoverySpecification": map[string]any{"PointInTimeRecoveryEnabled": true},
		"DeletionProtectionEnabled":        true, "BillingMode": "PAY_PER_REQUEST",
	})
	has(t, s, "AWS::DynamoDB::Table", map[string]any{
		"KeySchema":               []any{map[string]any{"AttributeName": "id", "KeyType": "HASH"}},
		"TimeToLiveSpecification": map[string]any{"AttributeName": "expiresAt", "Enabled": true},
	})
	for _, st := range items(at(s.Resources["Ledger"].Properties["ResourcePolicy"], "PolicyDocument", "Statement")) {
		if at(st, "Effect") != "Deny" || text(at(st, "Principal")) != `{"AWS":"*"}` || !slices.Contains(items(at(st, "Action")), any("dynamodb:DeleteItem")) || !slices.Contains(items(at(st, "Action")), any("dynamodb:UpdateItem")) {
			t.Errorf("the ledger's policy is %s", text(st))
		}
	}
}

func TestReports(t *testing.T) {
	s := with(t, `"retention":{"reportDays":730,"archiveDays":60,"workDays":7}`)[dataStack]
	has(t, s, "AWS::S3::Bucket", map[string]any{
		"VersioningConfiguration":        map[string]any{"Status": "Enabled"},
		"PublicAccessBlockConfiguration": map[string]any{"BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": true},
		"BucketEncryption":               map[string]any{"ServerSideEncryptionConfiguration": []any{map[string]any{"BucketKeyEnabled": true, "ServerSideEncryptionByDefault": map[string]any{"SSEAlgorithm": "aws:kms"}}}},
	})
	life := map[string]string{}
	for _, r := range items(at(s.Resources["Reports"].Properties["LifecycleConfiguration"], "Rules")) {
		prefix, _ := at(r, "Prefix").(string)
		life[prefix] = fmt.Sprintf("%v %v %v", at(r, "ExpirationInDays"), at(r, "Transitions"), at(r, "NoncurrentVersionExpiration"))
	}
	archived := "730 [map[StorageClass:GLACIER TransitionInDays:60]] <nil>"
	want := map[string]string{
		"": "<nil> <nil> map[NoncurrentDays:30]", "work/": "7 <nil> <nil>", "reports/": archived, "scans/": archived, "failures/": archived, "sla/": archived, "changes/": "730 <nil> <nil>",
	}
	if diff := cmp.Diff(want, life); diff != "" { // bundles/ is not there: a bundle in use never expires
		t.Errorf("lifecycle (-want +got):\n%s", diff)
	}
	for id, p := range s.of("AWS::S3::BucketPolicy") {
		denied := map[string]bool{}
		for _, st := range items(at(p.Properties["PolicyDocument"], "Statement")) {
			if at(st, "Effect") == "Deny" && text(at(st, "Principal")) == `{"AWS":"*"}` && at(st, "Action") == "s3:*" {
				denied[text(at(st, "Condition"))] = true
			}
		}
		for _, condition := range []string{`{"Bool":{"aws:SecureTransport":"false"}}`, `{"Bool":{"aws:PrincipalIsAWSService":"false"},"StringNotEquals":{"aws:PrincipalAccount":"111122223333"}}`} {
			if !denied[condition] {
				t.Errorf("%s does not deny where %s", id, condition)
			}
		}
	}
}

func TestRecorder(t *testing.T) {
	if n := len(example()[dataStack].of("AWS::Config::ConfigurationRecorder")); n != 0 {
		t.Errorf("%d recorders although the account has one", n)
	}
	stacks, err := synthesize(`{"account":"111122223333","recorder":"create"}`, "")
	if err != nil {
		t.Fatal(err)
	}
	for name, global := range map[string]bool{dataStack: true, "PlumblineData-eu-west-1": false} {
		has(t, stacks[name], "AWS::Config::ConfigurationRecorder", map[string]any{"RecordingGroup": map[string]any{"AllSupported": true, "IncludeGlobalResourceTypes": global}})
		has(t, stacks[name], "AWS::Config::DeliveryChannel", map[string]any{"S3BucketName": map[string]any{"Ref": "Reports"}})
	}
}

// TestEveryObjectEnds: what functions write into the bucket is deleted some day.
func TestEveryObjectEnds(t *testing.T) {
	ends := map[string]bool{}
	for _, r := range items(at(everything()[dataStack].Resources["Reports"].Properties["LifecycleConfiguration"], "Rules")) {
		if prefix, _ := at(r, "Prefix").(string); at(r, "ExpirationInDays") != nil {
			ends[prefix] = true
		}
	}
	for _, task := range catalog.All() {
		if slices.Contains(task.Vars, catalog.AnchorVar) { // one small object a day, in a bucket of its own
			continue
		}
		for _, prefix := range task.Writes {
			if !ends[prefix] {
				t.Errorf("%s writes below %s, where nothing is ever deleted", task.Name, prefix)
			}
		}
	}
}
