package permission_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/infra/permission"
	"plumbline/tasks/catalog"
	"plumbline/workflows"
)

// TestAnAccountThatIsOnlyScanned: no role may change anything but what plumbline
// keeps, and nothing waits for people.
func TestAnAccountThatIsOnlyScanned(t *testing.T) {
	var scanned permission.Scope
	for _, task := range scanned.Tasks() {
		statements, err := permission.OfTask(task, scanned)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range statements {
			for _, a := range s.Actions {
				if _, verb, _ := strings.Cut(a, ":"); verb == "UpdateResource" || verb == "CreateResource" || verb == "DeleteResource" || verb == "SendTaskSuccess" {
					t.Errorf("%s may %s", task.Name, a)
				}
			}
			if slices.Contains(s.Resources, "${CheckResourceArn}") {
				t.Errorf("%s starts what is not there", task.Name)
			}
		}
	}
	if diff := cmp.Diff(workflows.Machines, scanned.Machines()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestOfChange: what a change may do beside reading settings is to change them.
func TestOfChange(t *testing.T) {
	bucket, err := permission.OfChange("AWS::S3::Bucket")
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []string{"s3:PutBucketPublicAccessBlock", "s3:PutEncryptionConfiguration", "s3:PutBucketTagging"} {
		if !slices.Contains(bucket.Writes, a) {
			t.Errorf("a bucket cannot be changed by %s", a)
		}
	}
	may := func(typ string) string {
		c, err := permission.OfChange(typ)
		if err != nil {
			t.Fatalf("%s: %v", typ, err)
		}
		return " " + strings.Join(slices.Concat(c.Reads, c.Writes), " ") + " "
	}
	for typ, never := range map[string][]string{
		"AWS::DynamoDB::Table":        {"dynamodb:Scan", "dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:CreateTable", "iam:CreateServiceLinkedRole", "dynamodb:PutResourcePolicy"},
		"AWS::KMS::Key":               {"kms:PutKeyPolicy", "kms:DisableKey"},
		"AWS::Lambda::Function":       {"lambda:UpdateFunctionCode", "iam:PassRole", "s3:GetObject", "kms:Decrypt"},
		"AWS::MSK::Cluster":           {"iam:AttachRolePolicy", "iam:PutRolePolicy"},
		"AWS::RDS::DBInstance":        {"rds:RebootDBInstance", "rds:PromoteReadReplica", "secretsmanager:CreateSecret", "iam:PassRole"},
		"AWS::S3::Bucket":             {"s3:GetObject", "s3:PutObject", "s3tables:CreateTable", "iam:PassRole"},
		"AWS::SecretsManager::Secret": {"secretsmanager:GetSecretValue"},
		"AWS::IAM::Role":              {"iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:UpdateAssumeRolePolicy", "iam:PassRole", "iam:PutRolePermissionsBoundary"},
	} {
		for _, a := range never {
			if strings.Contains(may(typ), " "+a+" ") {
				t.Errorf("a change of %s may %s", typ, a)
			}
		}
	}
	for typ, want := range map[string]string{
		"AWS::S3::Buket":                           `is "AWS::S3::Bucket" meant?`,
		"AWS::RDS::DBSecurityGroup":                "Cloud Control cannot change",
		"AWS::CloudFormation::WaitConditionHandle": "no rule can mend",
	} {
		if _, err := permission.OfChange(typ); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one that says %q", typ, err, want)
		}
	}
}

// TestChangesGoThroughCloudControl: what the functions may change, they may not
// change by themselves, nor of what is plumbline's own, and it fits into a role.
func TestChangesGoThroughCloudControl(t *testing.T) {
	for _, name := range []string{"ApplyChange", "UndoChange"} {
		task, ok := catalog.Find(name)
		if !ok || !task.ChangesLive {
			t.Fatalf("%s: %+v", name, task)
		}
		statements, err := permission.OfTask(task, everything)
		if err != nil {
			t.Fatal(err)
		}
		denied := map[string][]string{}
		for _, s := range statements {
			for _, a := range s.Actions {
				if s.Deny {
					denied[a] = s.Resources
				}
			}
		}
		for _, s := range statements {
			for _, a := range s.Actions {
				service, verb, _ := strings.Cut(a, ":")
				if s.Deny || !s.Open() || slices.Contains(task.Actions, a) || service == "ec2" && s.Condition == nil || service == "xray" {
					continue
				}
				if s.Condition["Bool"]["aws:ViaAWSService"] != "true" {
					t.Errorf("%s may %s by itself", name, a)
				}
				if !strings.HasPrefix(verb, "Put") || service != "s3" && service != "dynamodb" {
					continue
				}
				if !slices.Contains(denied[service+":Put*"], "${LedgerTableArn}") {
					t.Errorf("%s may %s plumbline's own", name, a)
				}
			}
		}
		src, err := json.Marshal(statements)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d characters", name, len(src))
	}
}
