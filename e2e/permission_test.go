//go:build e2e

package e2e_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// TestPermissions scans with the roles of the functions enforced: each has what
// it needs, and one that loses its policy is refused. The roles of the state
// machines are not enforced by the emulator; the tests of infra/ hold them to
// the definitions.
func TestPermissions(t *testing.T) {
	const name = "ministack-roles"
	faults, err := newProxy()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(faults.Close)
	// CDK cannot deploy to an emulator that enforces roles: one deploys, and one
	// that enforces goes on with what the first has left.
	first, err := startMinistack(name, faults, "PERSIST_STATE=1", "S3_PERSIST=1")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	// One region alone: the emulator gives the roles of both the same names.
	if err := deploy(ctx, first, regions[0]); err != nil {
		first.stop()
		t.Fatal(err)
	}
	r := newRegion(first.url, regions[0])
	id := r.put(t, "Guarded", flawed)
	admitPlainHTTP(t, r)
	first.stop()

	second, err := resumeMinistack(name, faults, "PERSIST_STATE=1", "S3_PERSIST=1", "AUTH=true")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(second.stop)
	r = newRegion(second.url, regions[0])
	end := r.scan(t, "ScanStack", stackChanged(r, id, "CREATE_COMPLETE", time.Now()))
	if end.Status != sfntypes.ExecutionStatusSucceeded {
		t.Fatalf("with its roles enforced the scan ended as %s: %s %s", end.Status, aws.ToString(end.Error), aws.ToString(end.Cause))
	}
	checkDomains(t, r, aws.ToString(end.Name))
	if of(r.rows(t, "Guarded"), "ec2-security-group-open-ssh", "Bastion") == nil {
		t.Error("the open group has no row")
	}

	f, err := r.functions.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("PlumblinePersistFindings")})
	if err != nil {
		t.Fatal(err)
	}
	role := filepath.Base(aws.ToString(f.Role))
	listed, err := iam(ctx, second.url, url.Values{"Action": {"ListRolePolicies"}, "RoleName": {role}})
	if err != nil {
		t.Fatal(err)
	}
	_, policy, _ := strings.Cut(listed, "<member>")
	policy, _, found := strings.Cut(policy, "</member>")
	if !found {
		t.Fatalf("the role %s has no policy: %s", role, listed)
	}
	if _, err := iam(ctx, second.url, url.Values{"Action": {"DeleteRolePolicy"}, "RoleName": {role}, "PolicyName": {policy}}); err != nil {
		t.Fatal(err)
	}
	end = r.scan(t, "ScanStack", stackChanged(r, id, "UPDATE_COMPLETE", time.Now().Add(time.Minute)))
	if end.Status != sfntypes.ExecutionStatusFailed || aws.ToString(end.Error) != "StoreFailed" || !strings.Contains(aws.ToString(end.Cause), "AccessDenied") {
		t.Errorf("without its policy PersistFindings ended the scan as %s: %s %s", end.Status, aws.ToString(end.Error), aws.ToString(end.Cause))
	}
}

// admitPlainHTTP takes away the policies of bucket, topics and queues, which deny
// what emulators speak to everybody.
func admitPlainHTTP(t *testing.T, r *region) {
	t.Helper()
	if _, err := r.s3.DeleteBucketPolicy(t.Context(), &s3.DeleteBucketPolicyInput{Bucket: aws.String(r.bucket(t))}); err != nil {
		t.Error(err)
	}
	topics, err := r.sns.ListTopics(t.Context(), &sns.ListTopicsInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, topic := range topics.Topics {
		if _, err := r.sns.SetTopicAttributes(t.Context(), &sns.SetTopicAttributesInput{
			TopicArn: topic.TopicArn, AttributeName: aws.String("Policy"), AttributeValue: aws.String(`{"Version":"2012-10-17","Statement":[]}`),
		}); err != nil {
			t.Error(err)
		}
	}
	queues, err := r.sqs.ListQueues(t.Context(), &sqs.ListQueuesInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, url := range queues.QueueUrls {
		if _, err := r.sqs.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &url, Attributes: map[string]string{"Policy": ""}}); err != nil {
			t.Error(err)
		}
	}
}

// iam calls IAM, whose client would be the largest package of the tests.
func iam(ctx context.Context, endpoint string, form url.Values) (string, error) {
	form.Set("Version", "2010-05-08")
	return query(ctx, endpoint, "iam", regions[0], form)
}

// query calls a service that takes forms.
func query(ctx context.Context, endpoint, service, region string, form url.Values) (string, error) {
	body := form.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	sum := sha256.Sum256([]byte(body))
	if err := v4.NewSigner().SignHTTP(ctx, aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, request, hex.EncodeToString(sum[:]), service, region, time.Now()); err != nil {
		return "", err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s %s", form.Get("Action"), answer.Status, b)
	}
	return string(b), err
}
