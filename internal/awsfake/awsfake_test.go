package awsfake_test

import (
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awscloudcontrol "github.com/aws/aws-sdk-go-v2/service/cloudcontrol"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/google/go-cmp/cmp"

	"plumbline/internal/awsfake"
	"plumbline/internal/cloudcontrol"
	"plumbline/internal/configrules"
	"plumbline/remedy/live"
	"plumbline/remedy/live/livetest"
	"plumbline/scan"
)

// config points the SDK at an account; it makes each call once.
func config(t *testing.T, a *awsfake.Account) aws.Config {
	t.Helper()
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	return aws.Config{
		Region: "eu-west-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
		Retryer: func() aws.Retryer { return aws.NopRetryer{} },
	}
}

// TestChanges: the fake, the SDK and the adapter together keep what remediation
// relies on, with updates that are done at once and ones that go on.
func TestChanges(t *testing.T) {
	for _, delay := range []int{0, 2} {
		livetest.Resources(t, func(t *testing.T) live.Resources {
			a := &awsfake.Account{ID: "111122223333", Region: "eu-west-1", Delay: delay}
			a.Put(livetest.Type, livetest.Identifier, livetest.Model)
			return cloudcontrol.New(awscloudcontrol.NewFromConfig(config(t, a)))
		})
	}
}

func TestReader(t *testing.T) {
	a := &awsfake.Account{ID: "111122223333", Region: "eu-west-1", Parents: map[string]string{"AWS::ApiGateway::Resource": "RestApiId"}}
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		a.Put("AWS::SQS::Queue", id, `{"QueueUrl":"`+id+`"}`)
	}
	a.Put("AWS::ApiGateway::Resource", "api|r", `{"RestApiId":"api"}`)
	a.Put("AWS::ApiGateway::Resource", "other|r", `{"RestApiId":"other"}`)
	r := cloudcontrol.NewReader(awscloudcontrol.NewFromConfig(config(t, a)), 500)

	a.Throttle = 3
	ids, err := r.List(t.Context(), "AWS::SQS::Queue", nil)
	if diff := cmp.Diff([]string{"a", "b", "c", "d", "e"}, ids); err != nil || diff != "" {
		t.Errorf("all pages in spite of throttling: %v (-want +got):\n%s", err, diff)
	}
	a.Throttle = 100
	if _, err := r.Get(t.Context(), "AWS::SQS::Queue", "a"); !errors.Is(err, live.ErrThrottled) || a.Throttle != 94 {
		t.Errorf("throttled to the end: %v after %d attempts", err, 100-a.Throttle)
	}
	a.Throttle = 0
	if _, err := r.Get(t.Context(), "AWS::SQS::Queue", "z"); !errors.Is(err, live.ErrGone) {
		t.Errorf("not there: %v", err)
	}
	for typ, code := range map[string]string{"AWS::No::Thing": "TypeNotFound", "AWS::ApiGateway::Resource": "InvalidRequest"} {
		var refused *live.Refused
		if _, err := r.List(t.Context(), typ, nil); !errors.As(err, &refused) || refused.Code != code {
			t.Errorf("list %s: %v, want %s", typ, err, code)
		}
	}
	ids, err = r.List(t.Context(), "AWS::ApiGateway::Resource", map[string]string{"RestApiId": "api"})
	if diff := cmp.Diff([]string{"api|r"}, ids); err != nil || diff != "" {
		t.Errorf("below a parent: %v (-want +got):\n%s", err, diff)
	}
}

func TestEvaluations(t *testing.T) {
	a := &awsfake.Account{ID: "111122223333", Region: "eu-west-1"}
	e := configrules.New(configservice.NewFromConfig(config(t, a)))
	one := scan.Evaluation{Type: "AWS::S3::Bucket", ID: "cards", Compliance: scan.NonCompliant, Annotation: "rule broken: r", At: time.Now()}
	if err := e.Put(t.Context(), "token", []scan.Evaluation{one}); err != nil {
		t.Fatal(err)
	}
	want := map[string][]awsfake.Evaluation{"token": {{ComplianceResourceType: one.Type, ComplianceResourceID: "cards", ComplianceType: "NON_COMPLIANT", Annotation: one.Annotation}}}
	if diff := cmp.Diff(want, a.Evaluations); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := e.Put(t.Context(), "token", make([]scan.Evaluation, 101)); err == nil {
		t.Error("more than AWS Config takes at once were taken")
	}
	a.Throttle = 1
	if err := e.Put(t.Context(), "token", []scan.Evaluation{one}); !errors.Is(err, scan.ErrThrottled) {
		t.Errorf("throttled: %v", err)
	}
}
