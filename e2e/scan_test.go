//go:build e2e

package e2e_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/google/go-cmp/cmp"
)

// flawed has violations of each severity: a group that anybody may log in
// through, a bucket and a topic as CloudFormation makes them by default.
const flawed = `{"Resources": {
  "Bastion": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": "log in", "VpcId": "vpc-1",
    "SecurityGroupIngress": [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"}]}},
  "Cards": {"Type": "AWS::S3::Bucket"},
  "Orders": {"Type": "AWS::SNS::Topic"}}}`

// closed is flawed with the group closed and a bucket that keeps versions.
const closed = `{"Resources": {
  "Bastion": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": "log in", "VpcId": "vpc-1",
    "SecurityGroupIngress": [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "10.1.0.0/16"}]}},
  "Cards": {"Type": "AWS::S3::Bucket", "Properties": {"VersioningConfiguration": {"Status": "Enabled"}}},
  "Orders": {"Type": "AWS::SNS::Topic"}}}`

// event is an event as EventBridge delivers it.
type event map[string]any

var eventNumber atomic.Int64

func newEvent(r *region, source, kind string, at time.Time, detail any, resources ...string) event {
	return event{
		"version": "0", "id": fmt.Sprintf("6a7e8feb-b491-4cf7-a9f1-%012d", eventNumber.Add(1)), "source": source, "detail-type": kind,
		"account": account, "region": r.name, "time": at.UTC().Format(time.RFC3339), "resources": append([]string{}, resources...), "detail": detail,
	}
}

// stackChanged is the event of a stack's change. Source: CloudFormation User
// Guide, "Stack Status Change event detail".
func stackChanged(r *region, id, status string, at time.Time) event {
	return newEvent(r, "aws.cloudformation", "CloudFormation Stack Status Change", at, map[string]any{
		"stack-id": id, "status-details": map[string]any{"status": status, "status-reason": ""}, "client-request-token": "",
	}, id)
}

// scheduled is what a rule with a schedule sends.
func scheduled(r *region, at time.Time) event {
	return newEvent(r, "aws.events", "Scheduled Event", at, map[string]any{}, "arn:aws:events:"+r.name+":"+account+":rule/Daily")
}

// TestScan follows the change of a stack, in each region, from its event to
// the rows, the report and the people who are told.
func TestScan(t *testing.T) {
	for _, name := range regions {
		t.Run(name, func(t *testing.T) {
			r := in(name)
			boxes := subscribe(t, r)
			id := r.put(t, "Payments", flawed)
			at := time.Now().Truncate(time.Second)

			// A change that has not ended is not scanned.
			a, err := r.invoke(t.Context(), "Intake", stackChanged(r, id, "UPDATE_IN_PROGRESS", at))
			if err != nil || a.Started || !strings.Contains(a.Reason, "its change has not ended") {
				t.Errorf("a change under way was answered by %+v, %v", a, err)
			}
			if rows := r.rows(t, "Payments"); len(rows) > 0 {
				t.Errorf("%d rows before any scan", len(rows))
			}

			end := r.scan(t, "ScanStack", stackChanged(r, id, "CREATE_COMPLETE", at))
			if end.Status != sfntypes.ExecutionStatusSucceeded {
				t.Fatalf("the execution ended as %s: %s", end.Status, aws.ToString(end.Cause))
			}
			checkRows(t, r, at)
			checkReport(t, r)
			checkLetters(t, boxes)
			checkDomains(t, r, aws.ToString(end.Name))
		})
	}
}

// checkRows holds the rows of a violation of each severity to the attributes
// that the table promises.
func checkRows(t *testing.T, r *region, at time.Time) {
	t.Helper()
	rows := r.rows(t, "Payments")
	seen := at.UTC().Format("2006-01-02T15:04:05.000000000Z")
	for _, want := range []struct{ id, rule, severity, steps string }{
		{"Bastion", "ec2-security-group-open-ssh", "critical", "Session Manager"},
		{"Cards", "s3-bucket-block-public-policy", "high", "Set BlockPublicPolicy to true"},
		{"Cards", "s3-bucket-versioning", "medium", "Turn versioning on"},
		{"Cards", "tagging-required-tags", "low", "Add the tags"},       // the organisation's policy file
		{"Orders", "e2e-topic-display-name", "low", "Set DisplayName."}, // a rule of the organisation's own
	} {
		got := of(rows, want.rule, want.id)
		if got == nil {
			t.Errorf("no row of %s for %s", want.rule, want.id)
			continue
		}
		attributes := map[string]string{}
		for _, name := range []string{"resourceId", "timestamp", "violationType", "severity", "status"} {
			attributes[name] = got.text(name)
		}
		if diff := cmp.Diff(map[string]string{
			"resourceId": account + "/" + r.name + "/Payments/" + want.id, "timestamp": seen + "#" + want.rule,
			"violationType": want.rule, "severity": want.severity, "status": "new",
		}, attributes); diff != "" {
			t.Errorf("row of %s (-want +got):\n%s", want.rule, diff)
		}
		if !strings.Contains(got.text("remediationSteps"), want.steps) {
			t.Errorf("%s: remediation steps are %q, want …%s…", want.rule, got.text("remediationSteps"), want.steps)
		}
		if n := got.number("expiresAt"); n != "" {
			t.Errorf("%s: an open violation expires at %s", want.rule, n)
		}
	}
	// What is kept has no row: a bucket has server-side encryption by default.
	for _, rule := range []string{"s3-bucket-encryption", "ec2-security-group-open-rdp"} {
		for _, id := range []string{"Bastion", "Cards"} {
			if got := of(rows, rule, id); got != nil {
				t.Errorf("%s has a row of %s, which it keeps: %v", id, rule, got)
			}
		}
	}
}

// checkReport holds the report in the bucket to the violations, and to be kept as a version.
func checkReport(t *testing.T, r *region) {
	t.Helper()
	keys := r.objects(t, "reports/Payments/")
	if len(keys) != 2 || !strings.HasSuffix(keys[0], "/report.html") || !strings.HasSuffix(keys[1], "/report.json") {
		t.Fatalf("reports = %q, want report.html and report.json", keys)
	}
	var report struct {
		Findings []struct {
			Rule     string `json:"rule"`
			Severity string `json:"severity"`
			Resource struct {
				LogicalID string `json:"logicalId"`
			} `json:"resource"`
		} `json:"findings"`
	}
	b := r.read(t, keys[1])
	if err := json.Unmarshal(b, &report); err != nil {
		t.Fatal(err)
	}
	found := false
	for _, f := range report.Findings {
		found = found || f.Rule == "ec2-security-group-open-ssh" && f.Severity == "critical" && f.Resource.LogicalID == "Bastion"
	}
	if !found {
		t.Errorf("the report does not tell of the open group: %.600s", b)
	}
	h, err := r.s3.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String(r.bucket(t)), Key: &keys[1]})
	if err != nil {
		t.Fatal(err)
	}
	if v := aws.ToString(h.VersionId); v == "" || v == "null" {
		t.Errorf("the report has version %q: the bucket keeps none", v)
	}
}

// checkLetters holds each address to what its subscriptions choose. Medium and
// low are not for the security team, critical is not for those who mend.
func checkLetters(t *testing.T, boxes *mailboxes) {
	t.Helper()
	var got []string
	for _, l := range boxes.letters(t, "Payments") {
		got = append(got, l.To+": "+l.attributes["severity"])
		if !strings.HasPrefix(l.Subject, l.attributes["severity"]+": ") || !strings.Contains(l.Body, "Payments") {
			t.Errorf("a message that does not tell what it is about: %q\n%s", l.Subject, l.Body)
		}
		kind := map[string]string{"critical": "AWS::EC2::SecurityGroup", "high": "AWS::S3::Bucket", "medium": "AWS::SNS::Topic", "low": "AWS::SNS::Topic"}[l.attributes["severity"]]
		if !strings.Contains(l.attributes["resourceType"], strconv.Quote(kind)) {
			t.Errorf("%q is about %s, want %s among them", l.Subject, l.attributes["resourceType"], kind)
		}
	}
	want := []string{
		"devops@example.com of plumbline warning: high",
		"devops@example.com of plumbline warning: low",
		"devops@example.com of plumbline warning: medium",
		"security@example.com of plumbline critical: critical",
		"security@example.com of plumbline warning: high",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("who was told what (-want +got):\n%s", diff)
	}
}

// checkDomains holds a scan to have judged each domain by itself: each function
// leaves its verdicts for the states that follow.
func checkDomains(t *testing.T, r *region, execution string, lost ...string) {
	t.Helper()
	var want, got []string
	for _, domain := range []string{"configuration", "encryption", "identity", "logging", "network", "protection", "tagging"} {
		if !slices.Contains(lost, domain) {
			want = append(want, domain)
		}
	}
	for _, key := range r.objects(t, "work/"+execution+"/") {
		if _, domain, ok := strings.Cut(key, "/verdicts-"); ok {
			got = append(got, domain)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("domains with verdicts (-want +got):\n%s", diff)
	}
}

// TestFilterByType: a critical violation of a type that the security team did
// not ask for wakes nobody, and has its row all the same.
func TestFilterByType(t *testing.T) {
	t.Parallel()
	r := in(regions[0])
	boxes := subscribe(t, r)
	id := r.put(t, "Publishing", `{"Resources": {
	  "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "news", "KmsMasterKeyId": "alias/aws/sns", "Tags": [{"Key": "owner", "Value": "news"}]}},
	  "Policy": {"Type": "AWS::SNS::TopicPolicy", "Properties": {"Topics": [{"Ref": "Topic"}], "PolicyDocument": {"Version": "2012-10-17",
	    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sns:Publish", "Resource": {"Ref": "Topic"}}]}}}}}`)
	if end := r.scan(t, "ScanStack", stackChanged(r, id, "CREATE_COMPLETE", time.Now())); end.Status != sfntypes.ExecutionStatusSucceeded {
		t.Fatalf("the execution ended as %s: %s", end.Status, aws.ToString(end.Cause))
	}
	if got := of(r.rows(t, "Publishing"), "sns-topic-policy-public", "Policy"); got == nil || got.text("severity") != "critical" {
		t.Errorf("row of the public topic = %v, want a critical one", got)
	}
	for _, l := range boxes.letters(t, "Publishing") {
		if l.attributes["severity"] == "critical" {
			t.Errorf("%s was told: %s", l.To, l.Subject)
		}
	}
}

// TestLife follows a violation through its life: open at the second scan,
// resolved once it is mended, with a date on which the table drops it; and a
// deleted stack has no open ones.
func TestLife(t *testing.T) {
	t.Parallel()
	r := in(regions[0])
	at := time.Now().Truncate(time.Second)
	id := r.put(t, "Mended", flawed)
	scan := func(status string) {
		t.Helper()
		at = at.Add(time.Minute)
		if end := r.scan(t, "ScanStack", stackChanged(r, id, status, at)); end.Status != sfntypes.ExecutionStatusSucceeded {
			t.Fatalf("the execution ended as %s: %s", end.Status, aws.ToString(end.Cause))
		}
	}
	// status is the state of the open group and of the bucket's logging, which nobody mends.
	status := func() [2]string {
		rows := r.rows(t, "Mended")
		return [2]string{of(rows, "ec2-security-group-open-ssh", "Bastion").text("status"), of(rows, "s3-bucket-logging", "Cards").text("status")}
	}
	scan("CREATE_COMPLETE")
	if got := status(); got != [2]string{"new", "new"} {
		t.Errorf("after the first scan: %q", got)
	}
	boxes := subscribe(t, r)
	scan("UPDATE_COMPLETE")
	if got := status(); got != [2]string{"open", "open"} {
		t.Errorf("after the second scan: %q", got)
	}
	if told := boxes.letters(t, "Mended"); len(told) > 0 {
		t.Errorf("people were told again: %+v", told)
	}
	r.put(t, "Mended", closed)
	scan("UPDATE_COMPLETE")
	if got := status(); got != [2]string{"resolved", "open"} {
		t.Errorf("once it is mended: %q", got)
	}
	rows := r.rows(t, "Mended")
	expiry, err := strconv.ParseInt(of(rows, "ec2-security-group-open-ssh", "Bastion").number("expiresAt"), 10, 64)
	if days := time.Unix(expiry, 0).Sub(at).Hours() / 24; err != nil || days < 364 || days > 366 {
		t.Errorf("a resolved violation expires after %.0f days, want a year: %v", days, err)
	}
	if n := of(rows, "s3-bucket-logging", "Cards").number("expiresAt"); n != "" {
		t.Errorf("an open violation expires at %s", n)
	}

	if _, err := r.cfn.DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: aws.String("Mended")}); err != nil {
		t.Fatal(err)
	}
	until(t, 10*time.Second, func() error {
		_, err := r.cfn.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String("Mended")})
		if err == nil {
			return errors.New("the stack is still there")
		}
		return nil
	})
	scan("DELETE_COMPLETE")
	for _, row := range r.rows(t, "Mended") {
		if row.text("status") != "resolved" {
			t.Errorf("the stack is deleted, and %s of %s is %s", row.text("violationType"), row.text("resourceId"), row.text("status"))
		}
	}
}

// TestConfig: what AWS Config thinks of a stack has it scanned; what it takes
// back starts nothing.
func TestConfig(t *testing.T) {
	t.Parallel()
	r := in(regions[0])
	id := r.put(t, "Judged", closed)
	compliance := func(kind, of, is string) event {
		return newEvent(r, "aws.config", "Config Rules Compliance Change", time.Now(), map[string]any{
			"messageType": "ComplianceChangeNotification", "configRuleName": "s3-versioning", "resourceType": kind, "resourceId": of,
			"awsAccountId": account, "awsRegion": r.name, "newEvaluationResult": map[string]any{"complianceType": is},
		})
	}
	if end := r.scan(t, "ScanStack", compliance("AWS::CloudFormation::Stack", id, "NON_COMPLIANT")); end.Status != sfntypes.ExecutionStatusSucceeded {
		t.Errorf("the execution ended as %s: %s", end.Status, aws.ToString(end.Cause))
	}
	a, err := r.invoke(t.Context(), "Intake", compliance("AWS::CloudFormation::Stack", id, "NOT_APPLICABLE"))
	if err != nil || a.Started {
		t.Errorf("a result that was taken back was answered by %+v, %v", a, err)
	}
}
