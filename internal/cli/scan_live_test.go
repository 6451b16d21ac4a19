package cli_test

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/internal/awsaccount"
	"plumbline/internal/awsfake"
	"plumbline/internal/cli"
)

// payments is an account with one stack: a bucket that somebody has changed by
// hand since, a queue as it was deployed, and a group to which a rule was added.
func payments() *awsfake.Account {
	a := &awsfake.Account{ID: "111122223333", Region: "eu-west-1"}
	a.Stacks = []*awsfake.Stack{
		{
			Name: "Payments", Parameters: map[string]string{"Versions": "Enabled", "Secret": "****"}, Tags: map[string]string{"team": "pay"},
			Template: `{"Parameters":{"Versions":{"Type":"String","Default":"Suspended"},"Secret":{"Type":"String","NoEcho":true,"Default":"x"}},"Resources":{
"Cards":{"Type":"AWS::S3::Bucket","Properties":{"VersioningConfiguration":{"Status":{"Ref":"Versions"}}}},
"CardsPolicy":{"Type":"AWS::S3::BucketPolicy","Properties":{"Bucket":{"Ref":"Cards"},"PolicyDocument":{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}}},
"Jobs":{"Type":"AWS::SQS::Queue","Properties":{"SqsManagedSseEnabled":true}},
"Door":{"Type":"AWS::EC2::SecurityGroup","Properties":{"GroupDescription":"door"}}}}`,
			Resources: []awsfake.StackResource{
				{LogicalID: "Cards", Type: "AWS::S3::Bucket", Physical: "payments-cards-1"},
				{LogicalID: "CardsPolicy", Type: "AWS::S3::BucketPolicy", Physical: "payments-cards-1"},
				{LogicalID: "Jobs", Type: "AWS::SQS::Queue", Physical: "https://sqs.eu-west-1.amazonaws.com/111122223333/jobs"},
				{LogicalID: "Door", Type: "AWS::EC2::SecurityGroup", Physical: "sg-1"},
			},
		},
		{Name: "Old", Status: "DELETE_COMPLETE", Template: `{}`},
	}
	a.Put("AWS::S3::Bucket", "payments-cards-1", `{"BucketName":"payments-cards-1","Arn":"arn:aws:s3:::payments-cards-1","VersioningConfiguration":{"Status":"Suspended"},"PublicAccessBlockConfiguration":{"BlockPublicAcls":true,"BlockPublicPolicy":true,"IgnorePublicAcls":true,"RestrictPublicBuckets":true},"Tags":[{"Key":"team","Value":"pay"},{"Key":"aws:cloudformation:stack-name","Value":"Payments"}]}`)
	a.Put("AWS::S3::BucketPolicy", "payments-cards-1", `{"Bucket":"payments-cards-1","PolicyDocument":{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}}`)
	a.Put("AWS::SQS::Queue", "https://sqs.eu-west-1.amazonaws.com/111122223333/jobs", `{"QueueUrl":"https://sqs.eu-west-1.amazonaws.com/111122223333/jobs","QueueName":"jobs","Arn":"arn:aws:sqs:eu-west-1:111122223333:jobs","SqsManagedSseEnabled":true}`)
	a.Put("AWS::EC2::SecurityGroup", "sg-1", `{"GroupId":"sg-1","Id":"sg-1","GroupDescription":"door","SecurityGroupIngress":[{"IpProtocol":"tcp","FromPort":22,"ToPort":22,"CidrIp":"0.0.0.0/0"}]}`)
	return a
}

// signIn points the SDK at an account.
func signIn(t *testing.T, a *awsfake.Account) {
	t.Helper()
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	none := filepath.Join(t.TempDir(), "none")
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": "AKIDFAKE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "",
		"AWS_REGION": a.Region, "AWS_CONFIG_FILE": none, "AWS_SHARED_CREDENTIALS_FILE": none, "AWS_PROFILE": "",
	} {
		t.Setenv(name, value)
	}
}

type jsonReport struct {
	Findings []struct {
		Rule, Status, Severity, Message string
		Line                            int
		Resource                        struct{ LogicalID string }
	}
	Summary json.RawMessage
}

// live runs plumbline and returns the findings as "resource rule status".
func live(t *testing.T, args ...string) (code int, report jsonReport, stderr string) {
	t.Helper()
	var out, said bytes.Buffer
	code = cli.Main(append([]string{"scan", "--format", "json"}, args...), cli.Streams{Accounts: awsaccount.Open, In: strings.NewReader(""), Out: &out, Err: &said, Env: func(string) string { return "" }})
	if out.Len() > 0 {
		if err := json.Unmarshal(out.Bytes(), &report); err != nil {
			t.Fatalf("%v: %s", err, out.String())
		}
	}
	return code, report, said.String()
}

func (r jsonReport) find(resource, rule string) (status, message string) {
	for _, f := range r.Findings {
		if f.Resource.LogicalID == resource && f.Rule == rule {
			return f.Status, f.Message
		}
	}
	return "", ""
}

func TestScanAStack(t *testing.T) {
	t.Chdir(t.TempDir())
	signIn(t, payments())
	code, report, stderr := live(t, "--stack", "Payments", "--show", "all")
	if code != cli.ExitFindings && code != cli.ExitUnjudged {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	for _, tc := range []struct{ resource, rule, status, message string }{
		{"Cards", "s3-bucket-versioning", "fail", "as deployed: "},
		{"Cards", "live-matches-template", "fail", "VersioningConfiguration.Status is Suspended, and the template has Enabled"},
		{"Cards", "live-readable", "pass", ""},
		{"CardsPolicy", "live-matches-template", "pass", ""},
		{"Jobs", "live-matches-template", "pass", ""},
		{"Door", "live-matches-template", "fail", "SecurityGroupIngress is "},
	} {
		status, message := report.find(tc.resource, tc.rule)
		if status != tc.status || !strings.Contains(message, tc.message) {
			t.Errorf("%s %s = %s: %q, want %s: %q", tc.resource, tc.rule, status, message, tc.status, tc.message)
		}
	}
}

// TestWhatCannotBeRead holds each obstacle to a clear end.
func TestWhatCannotBeRead(t *testing.T) {
	for _, tc := range []struct {
		name     string
		change   func(*awsfake.Account)
		args     []string
		code     int
		stderr   string // contains
		resource string
		rule     string
		status   string
		message  string
	}{
		{"a permission is missing", func(a *awsfake.Account) {
			a.Deny = func(action, typ string) string {
				if action == "cloudformation:GetResource" && typ == "AWS::S3::Bucket" {
					return "s3:GetBucketVersioning"
				}
				return ""
			}
		}, []string{"--stack", "Payments"}, cli.ExitUnjudged, "", "Cards", "live-readable", "error", "permission s3:GetBucketVersioning is missing"},
		{"the template's permission", func(a *awsfake.Account) {
			a.Deny = func(action, _ string) string {
				if action == "cloudformation:GetTemplate" {
					return action
				}
				return ""
			}
		}, []string{"--stack", "Payments"}, cli.ExitUnjudged, "", "", "live-readable", "error", "permission cloudformation:GetTemplate is missing"},
		{"a permission of a relation", func(a *awsfake.Account) {
			a.Deny = func(action, typ string) string {
				if action == "cloudformation:ListResources" && typ == "AWS::S3::BucketPolicy" {
					return "s3:ListAllMyBuckets"
				}
				return ""
			}
		}, []string{"--stack", "Payments"}, cli.ExitUnjudged, "", "Cards", "s3-bucket-tls-only", "error", "permission s3:ListAllMyBuckets is missing"},
		{"a resource was deleted", func(a *awsfake.Account) {
			delete(a.Resources["AWS::SQS::Queue"], "https://sqs.eu-west-1.amazonaws.com/111122223333/jobs")
		},
			[]string{"--stack", "Payments"}, cli.ExitFindings, "", "Jobs", "live-matches-template", "fail", "was deleted, not by CloudFormation"},
		{"slowed down for a while", func(a *awsfake.Account) { a.Throttle = 1 }, []string{"--stack", "Payments"}, cli.ExitFindings, "", "Cards", "live-matches-template", "fail", "Suspended"},
		{"no such stack", func(*awsfake.Account) {}, []string{"--stack", "Payment"}, cli.ExitUnjudged, `there is no stack "Payment" in eu-west-1. did you mean "Payments"?`, "", "", "", ""},
		{"denied altogether", func(a *awsfake.Account) { a.Deny = func(action, _ string) string { return action } }, []string{"--all-stacks"}, cli.ExitUnjudged, "permission cloudformation:ListStacks is missing", "", "", "", ""},
		{"paths and stacks", func(*awsfake.Account) {}, []string{"--all-stacks", "."}, cli.ExitUsage, "of templates or of deployed stacks", "", "", "", ""},
		{"all and one", func(*awsfake.Account) {}, []string{"--all-stacks", "--stack", "P"}, cli.ExitUsage, "one of the two", "", "", "", ""},
		{"a profile for templates", func(*awsfake.Account) {}, []string{"--profile", "p", "."}, cli.ExitUsage, "--stack or --all-stacks", "", "", "", ""},
		{"nothing there", func(a *awsfake.Account) { a.Stacks = nil }, []string{"--all-stacks"}, cli.ExitUsage, "there is no stack in eu-west-1", "", "", "", ""},
		{"a role", func(*awsfake.Account) {}, []string{"--stack", "Payments", "--role", "arn:aws:iam::444455556666:role/Audit"}, cli.ExitFindings, "", "Cards", "live-matches-template", "fail", "Suspended"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			a := payments()
			tc.change(a)
			signIn(t, a)
			code, report, stderr := live(t, tc.args...)
			if code != tc.code || !strings.Contains(stderr, tc.stderr) {
				t.Errorf("exit code %d, want %d: %s", code, tc.code, stderr)
			}
			status, message := report.find(tc.resource, tc.rule)
			if status != tc.status || !strings.Contains(message, tc.message) {
				t.Errorf("%s %s = %q: %q", tc.resource, tc.rule, status, message)
			}
			if slices.Contains(tc.args, "--role") && a.Role != "arn:aws:iam::444455556666:role/Audit" {
				t.Errorf("assumed %q", a.Role)
			}
		})
	}
}

// TestScanStacksTwice holds live scans to the same memory as those of templates.
func TestScanStacksTwice(t *testing.T) {
	t.Chdir(t.TempDir())
	a := payments()
	signIn(t, a)
	if code, _, stderr := live(t, "--all-stacks", "--data", "d"); code != cli.ExitFindings {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	a.Lock()
	a.Stacks[0].Status = "DELETE_COMPLETE"
	a.Unlock()
	code, report, stderr := live(t, "--stack", "Payments", "--data", "d")
	if code != cli.ExitClean {
		t.Errorf("exit code %d of a stack that is gone: %s", code, stderr)
	}
	if diff := cmp.Diff(0, len(report.Findings)); diff != "" {
		t.Errorf("findings of a stack that is gone: %s", diff)
	}
}
