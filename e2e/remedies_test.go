//go:build e2e

package e2e_test

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudcontrol"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"plumbline/approval"
	"plumbline/blob"
	"plumbline/cfn"
	"plumbline/finding"
	"plumbline/internal/awsfake"
	"plumbline/internal/awsfake/mirror"
	cloud "plumbline/internal/cloudcontrol"
	"plumbline/internal/local"
	"plumbline/internal/memory"
	"plumbline/ledger"
	"plumbline/remedy/change"
	"plumbline/rules"
	"plumbline/ruleset"
)

// alone is where nothing is known of what stands around a resource.
type alone struct{}

func (alone) Around(context.Context, finding.Resource) (*cfn.Model, error) { return nil, nil }
func (alone) Updating(context.Context, finding.Resource) (string, error)   { return "", nil }

// remedies settles violations of the resources of an emulator, which it sees
// and changes by Cloud Control.
type remedies struct {
	url       string
	rules     *ruleset.Set
	resources *cloud.Resources
	changes   *local.Changes
	approvals *approval.Memory
}

func newRemedies(t *testing.T, url string) *remedies {
	t.Helper()
	policy, err := ruleset.ReadPolicy("plumbline.yaml", []byte(`
requiredTags: [{key: owner, default: cards}]
values: {kmsKey: alias/cards, logBucket: access-logs}
remediation: {modes: [{rule: "*", mode: live}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	set, err := ruleset.Open(rules.FS, policy)
	if err != nil {
		t.Fatal(err)
	}
	account := &awsfake.Account{ID: account, Region: regions[0], PageSize: 50, Source: mirror.New(regionConfig(url, regions[0]))}
	server := httptest.NewServer(account)
	t.Cleanup(server.Close)
	x := &remedies{url: url, rules: set, approvals: new(approval.Memory)}
	x.resources = cloud.New(cloudcontrol.NewFromConfig(regionConfig(server.URL, regions[0])))
	x.changes = &local.Changes{
		Rules: set, Resources: x.resources, Around: alone{}, Blobs: new(blob.Memory), Ledger: new(ledger.Memory),
		Approvals: x.approvals, Leases: new(memory.Leases),
	}
	return x
}

// verdict is what a rule says of a resource as it is reported now.
func (x *remedies) verdict(t *testing.T, rule, typ, id string) (finding.Verdict, map[string]any) {
	t.Helper()
	model, err := x.resources.Get(t.Context(), typ, id)
	if err != nil {
		t.Fatal(err)
	}
	resource, err := cfn.Live(typ, "Resource", model)
	if err != nil {
		t.Fatal(err)
	}
	f, err := x.rules.Verdict(t.Context(), rule, "Resource", []*cfn.Model{{Resources: []*cfn.Resource{resource}, Inputs: cfn.Inputs{Account: account, Region: regions[0]}}})
	if err != nil {
		t.Fatal(err)
	}
	var properties map[string]any
	if err := json.Unmarshal(model, &properties); err != nil {
		t.Fatal(err)
	}
	return f.Verdict, properties
}

// carry runs a change to its end; somebody else than the requester agrees where
// people have to.
func (x *remedies) carry(t *testing.T, r change.Request) (end local.Ending, asked bool) {
	t.Helper()
	for {
		end, err := x.changes.Carry(t.Context(), r, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !end.Waiting {
			return end, asked
		}
		if asked {
			t.Fatal("people agreed, and it waits all the same")
		}
		asked = true
		for q, err := range x.approvals.Open(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if q.State == approval.Waiting {
				if _, err := x.changes.Desk().DecideListed(t.Context(), q.ID, q.Plan, approval.Person{Name: "bob"}, true, "seen"); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// form calls the query protocol of EC2.
func (x *remedies) form(t *testing.T, action string, values url.Values) []byte {
	t.Helper()
	all := url.Values{"Action": {action}, "Version": {"2016-11-15"}}
	for k, v := range values {
		all[k] = v
	}
	return x.post(t, "ec2", "application/x-www-form-urlencoded", "", all.Encode())
}

func (x *remedies) post(t *testing.T, service, content, target, body string) []byte {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, x.url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", content)
	if target != "" {
		r.Header.Set("X-Amz-Target", target)
	}
	// The emulator reads of the signature for which service and region it is.
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/"+regions[0]+"/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s %s", service, target, answer.Status, b)
	}
	return b
}

// group makes a security group in the default network.
func (x *remedies) group(t *testing.T, name string) string {
	t.Helper()
	var made struct {
		ID string `xml:"groupId"`
	}
	if err := xml.Unmarshal(x.form(t, "CreateSecurityGroup", url.Values{"GroupName": {name}, "GroupDescription": {name}}), &made); err != nil {
		t.Fatal(err)
	}
	return made.ID
}

// open opens a port of a group to the world.
func (x *remedies) open(t *testing.T, group, port string) string {
	t.Helper()
	const p = "IpPermissions.1."
	x.form(t, "AuthorizeSecurityGroupIngress", url.Values{"GroupId": {group}, p + "IpProtocol": {"tcp"}, p + "FromPort": {port}, p + "ToPort": {port}, p + "IpRanges.1.CidrIp": {"0.0.0.0/0"}})
	return group
}

// defaultGroup is that of the default network, which lets everything out.
func (x *remedies) defaultGroup(t *testing.T) string {
	t.Helper()
	var out struct {
		Groups []struct {
			ID string `xml:"groupId"`
		} `xml:"securityGroupInfo>item"`
	}
	if err := xml.Unmarshal(x.form(t, "DescribeSecurityGroups", url.Values{"Filter.1.Name": {"group-name"}, "Filter.1.Value.1": {"default"}}), &out); err != nil || len(out.Groups) == 0 {
		t.Fatalf("no default group: %v", err)
	}
	return out.Groups[0].ID
}

// TestRemedies: a violation of a resource that exists in an emulator is found,
// planned, agreed to where people have to, and changed through Cloud Control;
// the same rule then passes on what the emulator reports; and taken back, the
// resource is as it was.
func TestRemedies(t *testing.T) {
	t.Parallel()
	x := newRemedies(t, moto(t))
	c := regionConfig(x.url, regions[0])
	buckets := s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true })
	tables, topics, queues := dynamodb.NewFromConfig(c), sns.NewFromConfig(c), sqs.NewFromConfig(c)
	bucket := func(name string) string {
		if _, err := buckets.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
			t.Fatal(err)
		}
		return name
	}
	table := func(name string) string {
		if _, err := tables.CreateTable(t.Context(), &dynamodb.CreateTableInput{
			TableName: &name, BillingMode: dynamotypes.BillingModePayPerRequest,
			AttributeDefinitions: []dynamotypes.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: dynamotypes.ScalarAttributeTypeS}},
			KeySchema:            []dynamotypes.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: dynamotypes.KeyTypeHash}},
		}); err != nil {
			t.Fatal(err)
		}
		return name
	}
	topic := func(name string) string {
		out, err := topics.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: &name})
		if err != nil {
			t.Fatal(err)
		}
		return aws.ToString(out.TopicArn)
	}
	queue := func(name string) string {
		out, err := queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: map[string]string{"SqsManagedSseEnabled": "false"}})
		if err != nil {
			t.Fatal(err)
		}
		return aws.ToString(out.QueueUrl)
	}
	logs := func(name, retention string) string {
		x.post(t, "logs", "application/x-amz-json-1.1", "Logs_20140328.CreateLogGroup", `{"logGroupName":"`+name+`"}`)
		if retention != "" {
			x.post(t, "logs", "application/x-amz-json-1.1", "Logs_20140328.PutRetentionPolicy", `{"logGroupName":"`+name+`","retentionInDays":`+retention+`}`)
		}
		return name
	}
	bucket("access-logs")
	for i, row := range []struct {
		rule, typ, id string
		agreed        bool // people have to agree
	}{
		{"s3-bucket-versioning", "AWS::S3::Bucket", bucket("versions"), false},
		{"s3-bucket-block-public-acls", "AWS::S3::Bucket", bucket("open-acls"), true},
		{"s3-bucket-restrict-public-access", "AWS::S3::Bucket", bucket("open-policies"), true},
		{"s3-bucket-encryption-kms", "AWS::S3::Bucket", bucket("plain"), true},
		{"tagging-required-tags", "AWS::S3::Bucket", bucket("ownerless"), false},
		{"ec2-security-group-open-ssh", "AWS::EC2::SecurityGroup", x.open(t, x.group(t, "ssh"), "22"), true},
		{"ec2-security-group-open-rdp", "AWS::EC2::SecurityGroup", x.open(t, x.open(t, x.group(t, "rdp"), "3389"), "443"), true},
		{"ec2-security-group-open-database-ports", "AWS::EC2::SecurityGroup", x.open(t, x.group(t, "database"), "5432"), true},
		{"vpc-default-security-group-open", "AWS::EC2::SecurityGroup", x.defaultGroup(t), true},
		{"tagging-required-tags", "AWS::EC2::SecurityGroup", x.group(t, "ownerless"), false},
		{"dynamodb-table-pitr", "AWS::DynamoDB::Table", table("unrestored"), false},
		{"dynamodb-table-deletion-protection", "AWS::DynamoDB::Table", table("unprotected"), false},
		{"tagging-required-tags", "AWS::DynamoDB::Table", table("ownerless"), false},
		{"sns-topic-encrypted", "AWS::SNS::Topic", topic("plain"), true},
		{"tagging-required-tags", "AWS::SNS::Topic", topic("ownerless"), false},
		{"sqs-queue-encrypted", "AWS::SQS::Queue", queue("plain"), false},
		{"tagging-required-tags", "AWS::SQS::Queue", queue("ownerless"), false},
		{"logs-group-retention-length", "AWS::Logs::LogGroup", logs("short", "30"), false},
		{"tagging-required-tags", "AWS::Logs::LogGroup", logs("ownerless", ""), false},
	} {
		t.Run(row.rule+" of "+row.typ, func(t *testing.T) {
			was, before := x.verdict(t, row.rule, row.typ, row.id)
			if was != finding.Fail {
				t.Fatalf("it is %s before anything is done: %v", was, before)
			}
			name := "change-" + string(rune('a'+i))
			request := change.Request{Change: name, Rule: row.rule, Identifier: row.id, Requester: "alice",
				Resource: finding.Resource{Account: account, Region: regions[0], Type: row.typ, LogicalID: "Resource"}}
			planned, err := x.changes.Plan(t.Context(), request)
			if err != nil {
				t.Fatal(err)
			}
			request.Plan = planned.Plan
			end, asked := x.carry(t, request)
			if end.State != "ChangeDone" || asked != row.agreed {
				t.Fatalf("it ended as %s (people asked: %t): %s", end.State, asked, end.Reason)
			}
			if now, model := x.verdict(t, row.rule, row.typ, row.id); now != finding.Pass {
				t.Errorf("the rule says %s of what is reported now: %v", now, model)
			}
			back, _ := x.carry(t, change.Request{Change: name + "-undo", Rule: row.rule, Identifier: row.id, Requester: "alice", Resource: request.Resource, Plan: request.Plan, Undo: true})
			if back.State != "UndoDone" {
				t.Fatalf("the undo ended as %s: %s", back.State, back.Reason)
			}
			after, model := x.verdict(t, row.rule, row.typ, row.id)
			if after != finding.Fail {
				t.Errorf("taken back, the rule says %s", after)
			}
			// Versioning that was on can be suspended, and never be as if it had not been.
			if v, ok := model["VersioningConfiguration"]; ok && before["VersioningConfiguration"] == nil && cmp.Equal(v, map[string]any{"Status": "Suspended"}) {
				delete(model, "VersioningConfiguration")
			}
			// The rules of a group have no order.
			for _, m := range []map[string]any{before, model} {
				if list, ok := m["SecurityGroupIngress"].([]any); ok {
					slices.SortFunc(list, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
				}
			}
			if diff := cmp.Diff(before, model); diff != "" {
				t.Errorf("taken back, it is not as it was (-before +after)\n%s", diff)
			}
		})
	}
}
