//go:build e2e

package e2e_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/google/go-cmp/cmp"

	"plumbline/internal/awsfake"
)

// physical is the name that a stack's resource was given.
func (r *region) physical(t *testing.T, stack, id string) string {
	t.Helper()
	out, err := r.cfn.DescribeStackResource(t.Context(), &cloudformation.DescribeStackResourceInput{StackName: &stack, LogicalResourceId: &id})
	if err != nil {
		t.Fatal(err)
	}
	return aws.ToString(out.StackResourceDetail.PhysicalResourceId)
}

// logical is the id of the one resource of a stack that has a type, and a text in its id.
func (r *region) logical(t *testing.T, stack, kind, part string) string {
	t.Helper()
	out, err := r.cfn.ListStackResources(t.Context(), &cloudformation.ListStackResourcesInput{StackName: &stack})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range out.StackResourceSummaries {
		if aws.ToString(x.ResourceType) == kind && strings.Contains(aws.ToString(x.LogicalResourceId), part) {
			return aws.ToString(x.LogicalResourceId)
		}
	}
	t.Fatalf("%s has no %s named …%s…", stack, kind, part)
	return ""
}

// TestLiveResources: a bucket that was changed past CloudFormation is judged as
// it is, and told to differ from its template; one that was not is left alone.
func TestLiveResources(t *testing.T) {
	t.Parallel()
	r := in(regions[0])
	id := r.put(t, "Drifted", `{"Resources": {
	  "Changed": {"Type": "AWS::S3::Bucket", "Properties": {"VersioningConfiguration": {"Status": "Enabled"}}},
	  "Left": {"Type": "AWS::S3::Bucket", "Properties": {"VersioningConfiguration": {"Status": "Enabled"}}}}}`)
	at := time.Now().Truncate(time.Second)
	r.scan(t, "ScanStack", stackChanged(r, id, "CREATE_COMPLETE", at))
	for _, rule := range []string{"live-matches-template", "s3-bucket-versioning", "live-readable"} {
		for _, bucket := range []string{"Changed", "Left"} {
			if got := of(r.rows(t, "Drifted"), rule, bucket); got != nil {
				t.Errorf("before any change %s has a row of %s: %s", bucket, rule, got.text("message"))
			}
		}
	}
	if _, err := r.s3.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket: aws.String(r.physical(t, "Drifted", "Changed")), VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusSuspended},
	}); err != nil {
		t.Fatal(err)
	}
	r.scan(t, "ScanStack", stackChanged(r, id, "UPDATE_COMPLETE", at.Add(time.Minute)))
	rows := r.rows(t, "Drifted")
	for _, rule := range []string{"live-matches-template", "s3-bucket-versioning"} {
		if of(rows, rule, "Changed") == nil {
			t.Errorf("the changed bucket has no row of %s", rule)
		}
		if got := of(rows, rule, "Left"); got != nil {
			t.Errorf("the bucket that nobody changed has a row of %s: %s", rule, got.text("message"))
		}
	}
}

// TestMissingPermission: what a scan may not read is told as an error that names
// the permission, and the template is judged all the same.
func TestMissingPermission(t *testing.T) {
	t.Parallel()
	r := in(regions[0])
	id := r.put(t, "Hidden", `{"Resources": {"Secret": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "e2e-hidden-bucket"}}, "Plain": {"Type": "AWS::SNS::Topic"}}}`)
	suite.faults.inject(t, &fault{
		about: func(c call) bool {
			return c.action == "CloudApiService.GetResource" && strings.Contains(c.body, "e2e-hidden-bucket")
		},
		status: 400, body: `{"__type":"com.amazon.cloudapiservice#AccessDeniedException","message":"User: arn:aws:sts::000000000000:assumed-role/FetchStack/x is not authorized to perform: s3:GetEncryptionConfiguration on resource: arn:aws:s3:::e2e-hidden-bucket"}`,
	})
	end := r.scan(t, "ScanStack", stackChanged(r, id, "CREATE_COMPLETE", time.Now()))
	if end.Status != sfntypes.ExecutionStatusSucceeded {
		t.Fatalf("the execution ended as %s: %s", end.Status, aws.ToString(end.Cause))
	}
	report := r.report(t, "Hidden")
	for _, f := range report {
		if f.Rule == "live-readable" && f.Resource.LogicalID == "Plain" {
			t.Errorf("the topic could be read, and is told of: %+v", f)
		}
	}
	if got, ok := report.find("live-readable", "Secret"); !ok || got.Status != "error" || !strings.Contains(got.Message, "s3:GetEncryptionConfiguration") {
		t.Errorf("the report says %+v of the bucket that may not be read, want an error that names s3:GetEncryptionConfiguration", got)
	}
	if _, ok := report.find("s3-bucket-versioning", "Secret"); !ok {
		t.Error("the bucket's template was not judged")
	}
}

// reported is a finding as the report has it.
type reported struct {
	Rule, Status, Severity, Message string
	Resource                        struct{ LogicalID string }
}

type report []reported

func (list report) find(rule, id string) (reported, bool) {
	for _, f := range list {
		if f.Rule == rule && f.Resource.LogicalID == id {
			return f, true
		}
	}
	return reported{}, false
}

// report is what the newest report of a stack tells.
func (r *region) report(t *testing.T, stack string) report {
	t.Helper()
	keys := r.objects(t, "reports/"+stack+"/")
	for i := len(keys) - 1; i >= 0; i-- {
		if strings.HasSuffix(keys[i], ".json") {
			var out struct{ Findings report }
			if err := json.Unmarshal(r.read(t, keys[i]), &out); err != nil {
				t.Fatal(err)
			}
			return out.Findings
		}
	}
	t.Fatalf("%s has no report among %q", stack, keys)
	return nil
}

// call invokes a function and decodes its answer.
func (r *region) call(t *testing.T, function string, payload, into any) {
	t.Helper()
	b, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	out, err := r.functions.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("Plumbline" + function), Payload: b})
	if err != nil {
		t.Fatal(err)
	}
	if out.FunctionError != nil {
		t.Fatalf("%s ended with %s: %s", function, aws.ToString(out.FunctionError), out.Payload)
	}
	if err := json.Unmarshal(out.Payload, into); err != nil {
		t.Fatalf("%s answered %s: %v", function, out.Payload, err)
	}
}

// TestComplianceRule: AWS Config is answered by what a resource is: a group that
// anybody may log in through is NON_COMPLIANT, a resource that is gone NOT_APPLICABLE,
// and of one that may not be read nothing is said, COMPLIANT least of all.
func TestComplianceRule(t *testing.T) {
	t.Parallel()
	r := in(regions[0])
	r.put(t, "Recorded", flawed)
	group := r.physical(t, "Recorded", "Bastion")
	cloud := suite.faults.in(r.name)
	ask := func(token, id string) map[string]any {
		item := map[string]any{
			"resourceType": "AWS::EC2::SecurityGroup", "resourceId": id, "configurationItemStatus": "OK",
			"configurationItemCaptureTime": time.Now().UTC().Format(time.RFC3339), "awsAccountId": account, "awsRegion": r.name,
		}
		event, err := json.Marshal(map[string]any{"messageType": "ConfigurationItemChangeNotification", "configurationItem": item, "notificationCreationTime": time.Now().UTC().Format(time.RFC3339)})
		if err != nil {
			t.Fatal(err)
		}
		var out map[string]any
		r.call(t, "CheckCompliance", map[string]any{"invokingEvent": string(event), "resultToken": token, "configRuleName": "plumbline", "accountId": account}, &out)
		return out
	}
	told := func(token string) []awsfake.Evaluation {
		cloud.Lock()
		defer cloud.Unlock()
		return cloud.Evaluations[token]
	}
	ask("open", group)
	if got := told("open"); len(got) != 1 || got[0].ComplianceType != "NON_COMPLIANT" || got[0].ComplianceResourceID != group || got[0].Annotation == "" {
		t.Errorf("of the open group Config was told %+v, want NON_COMPLIANT with an annotation", got)
	}
	suite.faults.inject(t, &fault{
		about: func(c call) bool {
			return c.action == "CloudApiService.GetResource" && strings.Contains(c.body, "sg-hidden")
		},
		status: 400, body: `{"__type":"AccessDeniedException","message":"not authorized to perform: ec2:DescribeSecurityGroups"}`,
	})
	out := ask("hidden", "sg-hidden")
	if got := told("hidden"); len(got) != 0 {
		t.Errorf("of a group that may not be read Config was told %+v, want nothing (%v)", got, out)
	}
}

// TestHook: a resource with a critical violation is refused before it is made,
// one with lesser ones is annotated, and our own stacks are let through.
func TestHook(t *testing.T) {
	t.Parallel()
	r := in(regions[0])
	type answer struct {
		HookStatus, ErrorCode, Message, ClientRequestToken string
		Annotations                                        []struct{ AnnotationName, Status string }
	}
	ask := func(stack, typ, properties string) answer {
		var out answer
		r.call(t, "CheckHook", map[string]any{
			"clientRequestToken": "token-1", "awsAccountId": account, "stackId": "arn:aws:cloudformation:us-east-1:000000000000:stack/" + stack + "/1",
			"actionInvocationPoint": "CREATE_PRE_PROVISION", "requestData": map[string]any{
				"targetName": typ, "targetType": "RESOURCE", "targetLogicalId": "It", "targetModel": map[string]any{"resourceProperties": json.RawMessage(properties)},
			},
		}, &out)
		return out
	}
	const open = `{"GroupDescription": "x", "SecurityGroupIngress": [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"}]}`
	if got := ask("Shop", "AWS::EC2::SecurityGroup", open); got.HookStatus != "FAILED" || got.ErrorCode != "NonCompliant" || got.ClientRequestToken != "token-1" || len(got.Annotations) == 0 {
		t.Errorf("a group open to everybody: %+v, want FAILED as NonCompliant", got)
	}
	if got := ask("PlumblineSuite", "AWS::EC2::SecurityGroup", open); got.HookStatus != "SUCCESS" {
		t.Errorf("a resource of our own stack: %+v, want SUCCESS", got)
	}
	const lesser = `{"DisplayName": "orders"}`
	if got := ask("Shop", "AWS::SNS::Topic", lesser); got.HookStatus != "SUCCESS" || len(got.Annotations) == 0 {
		t.Errorf("a topic with lesser violations: %+v, want SUCCESS with annotations", got)
	}
}

// TestTerms: the report of how long violations stay open is written on its
// schedule's word, once however often that comes, and told to people.
func TestTerms(t *testing.T) {
	t.Parallel()
	r := in(regions[0])
	id := r.put(t, "Overdue", flawed)
	r.scan(t, "ScanStack", stackChanged(r, id, "CREATE_COMPLETE", time.Now().AddDate(0, -2, 0)))
	boxes := subscribe(t, r)
	var keys [2][]string
	for i := range keys {
		name := fmt.Sprintf("terms-%d", i)
		if _, err := r.sfn.StartExecution(t.Context(), &sfn.StartExecutionInput{
			StateMachineArn: aws.String(r.machine("SLAReport")), Name: &name, Input: aws.String(`{"scanId": "terms", "started": "2026-11-24T07:00:00Z", "always": true}`),
		}); err != nil {
			t.Fatal(err)
		}
		if end := r.await(t, "SLAReport", name); end.Status != sfntypes.ExecutionStatusSucceeded {
			t.Fatalf("the execution ended as %s: %s", end.Status, aws.ToString(end.Cause))
		}
		keys[i] = r.objects(t, "sla/")
	}
	if len(keys[0]) == 0 || !cmp.Equal(keys[0], keys[1]) {
		t.Errorf("reports after the first run: %q, after the second: %q, want the same", keys[0], keys[1])
	}
	told := 0
	for _, l := range boxes.letters(t, "") {
		if l.attributes["kind"] == "sla" {
			told++
		}
	}
	if told == 0 {
		t.Errorf("nobody was told: %+v", boxes.read)
	}
}
