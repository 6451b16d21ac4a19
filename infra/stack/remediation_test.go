package stack_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestOnlyScannedChangesNothing: where remediation is off, no role of the stack
// may change a resource, and no function or state machine of it is there.
func TestOnlyScannedChangesNothing(t *testing.T) {
	for name, s := range example() {
		for id, p := range s.of("AWS::IAM::Policy") {
			for _, action := range []string{"cloudformation:UpdateResource", "cloudformation:CreateResource", "states:SendTaskSuccess"} {
				if strings.Contains(text(p.Properties), `"`+action+`"`) {
					t.Errorf("%s %s allows %s", name, id, action)
				}
			}
		}
		for _, f := range s.of("AWS::Lambda::Function") {
			if strings.HasSuffix(fmt.Sprint(f.Properties["FunctionName"]), "Change") {
				t.Errorf("%s has %v", name, f.Properties["FunctionName"])
			}
		}
	}
	if v := at(functionNamed(t, example()[suiteStack], "Intake").Properties["Environment"], "Variables", "CHECK_WORKFLOW"); v != nil {
		t.Errorf("Intake starts %v", v)
	}
}

// TestChangesStartFromEvents: what AWS Config says has left the rules is checked.
func TestChangesStartFromEvents(t *testing.T) {
	s := everything()[suiteStack]
	var check string
	for id, m := range s.of("AWS::StepFunctions::StateMachine") {
		if m.Properties["StateMachineName"] == "PlumblineCheckResource" {
			check = text(map[string]any{"Ref": id})
		}
	}
	intake := functionNamed(t, s, "Intake")
	if got := text(at(intake.Properties["Environment"], "Variables", "CHECK_WORKFLOW")); got != check {
		t.Errorf("Intake starts %s, want %s", got, check)
	}
	if !allowed(s, roleOf(intake, "Role"))["states:StartExecution "+check] {
		t.Error("Intake may not start check-resource")
	}
}

// TestNoExecutionDataIsLogged: the input of a state that waits for people holds
// the token by which they are answered for.
func TestNoExecutionDataIsLogged(t *testing.T) {
	seen := 0
	for id, m := range everything()[suiteStack].of("AWS::StepFunctions::StateMachine") {
		seen++
		if at(m.Properties["LoggingConfiguration"], "IncludeExecutionData") != false {
			t.Errorf("%s logs what its states hold", id)
		}
	}
	if seen < 8 {
		t.Errorf("%d state machines only", seen)
	}
	for id, p := range everything()[suiteStack].of("AWS::IAM::Policy") {
		if strings.Contains(text(p.Properties), "states:GetExecutionHistory") || strings.Contains(text(p.Properties), "states:DescribeExecution") && !strings.Contains(id, "ScanEstate") {
			t.Errorf("%s may read histories", id)
		}
	}
}

// TestPoliciesFit: IAM takes 10,240 characters of inline policies of a role,
// white space not counted. Source: IAM User Guide, "IAM and AWS STS quotas".
func TestPoliciesFit(t *testing.T) {
	s := everything()[suiteStack]
	size := map[string]int{}
	for _, p := range s.of("AWS::IAM::Policy") {
		doc, err := json.Marshal(p.Properties["PolicyDocument"])
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range items(p.Properties["Roles"]) {
			role, _ := at(r, "Ref").(string)
			size[role] += len(doc)
		}
	}
	for role, n := range size {
		if n > 10240 {
			t.Errorf("policies of %s are %d characters", role, n)
		}
	}
	for _, name := range []string{"ApplyChange", "UndoChange"} {
		if n := size[roleOf(functionNamed(t, s, name), "Role")]; n < 4000 {
			t.Errorf("the policy of %s is %d characters: it cannot hold what a change takes", name, n)
		}
	}
}

// TestTooManyTypes: a role that IAM would refuse is refused at synthesis.
func TestTooManyTypes(t *testing.T) {
	_, err := synthesize(`{"account":"111122223333","secondary":[],"remediation":"on","remediationTypes":[
		"AWS::AutoScaling::AutoScalingGroup","AWS::Cognito::UserPool","AWS::DynamoDB::Table","AWS::EC2::Instance","AWS::ECS::Service","AWS::EFS::FileSystem","AWS::ElastiCache::ReplicationGroup",
		"AWS::Kinesis::Stream","AWS::KinesisFirehose::DeliveryStream","AWS::MSK::Cluster","AWS::OpenSearchService::Domain","AWS::RDS::DBCluster","AWS::RDS::DBInstance","AWS::Redshift::Cluster","AWS::S3::Bucket",
		"AWS::SageMaker::NotebookInstance","AWS::Transfer::Server","AWS::WorkSpaces::Workspace"]}`, "")
	if err == nil || !strings.Contains(err.Error(), "name fewer types in remediationTypes") {
		t.Errorf("error %v", err)
	}
}

// TestChangesAreNarrow: a deployment that names one type gets roles for that type.
func TestChangesAreNarrow(t *testing.T) {
	s := with(t, `"remediation":"on","remediationTypes":["AWS::SQS::Queue"]`)[suiteStack]
	var writes []string
	for _, p := range s.of("AWS::IAM::Policy") {
		if !slices.ContainsFunc(items(p.Properties["Roles"]), func(r any) bool { return at(r, "Ref") == roleOf(functionNamed(t, s, "ApplyChange"), "Role") }) {
			continue
		}
		for _, st := range items(at(p.Properties["PolicyDocument"], "Statement")) {
			if at(st, "Condition", "Bool", "aws:ViaAWSService") != "true" {
				continue
			}
			for _, a := range items(at(st, "Action")) {
				writes = append(writes, a.(string))
			}
		}
	}
	want := []string{"sqs:GetQueueAttributes", "sqs:ListQueueTags", "sqs:SetQueueAttributes", "sqs:TagQueue", "sqs:UntagQueue"}
	if !slices.Equal(writes, want) {
		t.Errorf("a change may %v, want %v", writes, want)
	}
}

// TestWarnings: what is configured and would have no effect is told at synthesis.
func TestWarnings(t *testing.T) {
	for keys, want := range map[string]string{
		`"remediation":"on"`: "what needs an approval expires",
		`"oidc":{"issuer":"https://id.example.com","clientId":"p"}`:                    "no approval page is made",
		`"remediation":"on","oidc":{"issuer":"https://id.example.com","clientId":"p"}`: "",
	} {
		told := strings.Join(with(t, keys)[suiteStack].warnings, "; ")
		if want == "" && told != "" || !strings.Contains(told, want) {
			t.Errorf("with %s: told %q, want %q", keys, told, want)
		}
	}
}
