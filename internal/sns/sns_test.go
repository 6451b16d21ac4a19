package sns_test

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/google/go-cmp/cmp"

	"plumbline/finding"
	own "plumbline/internal/sns"
	"plumbline/scan"
)

const (
	critical = "arn:aws:sns:eu-west-1:111122223333:critical"
	warning  = "arn:aws:sns:eu-west-1:111122223333:warning"
)

// publish stands in for the service.
type publish func(*sns.PublishInput) error

func (f publish) Publish(_ context.Context, in *sns.PublishInput, _ ...func(*sns.Options)) (*sns.PublishOutput, error) {
	if err := f(in); err != nil {
		return nil, err
	}
	return &sns.PublishOutput{}, nil
}

func TestSend(t *testing.T) {
	notice := scan.Notice{
		ID: "s1/t1/findings/critical", Kind: scan.NoticeFindings, ScanID: "s1", Target: scan.Target{Stack: "Payments"},
		Severity: finding.Critical, Count: 2, Subject: "critical: 2 new violations in stack Payments", Body: "Scan s1 found two.",
	}
	for _, tc := range []struct {
		name   string
		change func(*scan.Notice)
		topic  string
		want   map[string]string // type and value
	}{
		{"violations", func(n *scan.Notice) { n.ResourceTypes = []string{"AWS::RDS::DBInstance", "AWS::S3::Bucket"} }, critical, map[string]string{
			"id": "String s1/t1/findings/critical", "kind": "String findings", "severity": "String critical", "stack": "String Payments",
			"resourceType": `String.Array ["AWS::RDS::DBInstance","AWS::S3::Bucket"]`,
		}},
		{"all that is known", func(n *scan.Notice) {
			n.Target.Account, n.Target.Region, n.Audience, n.Frameworks = "111122223333", "eu-west-1", "cards", []string{"pci"}
		}, critical, map[string]string{
			"id": "String s1/t1/findings/critical", "kind": "String findings", "severity": "String critical", "stack": "String Payments",
			"account": "String 111122223333", "region": "String eu-west-1", "audience": "String cards", "framework": `String.Array ["pci"]`,
		}},
		{"the whole estate", func(n *scan.Notice) { n.Target, n.Severity = scan.Target{}, finding.High }, warning, map[string]string{
			"id": "String s1/t1/findings/critical", "kind": "String findings", "severity": "String high",
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n := notice
			tc.change(&n)
			var got *sns.PublishInput
			if err := own.New(publish(func(in *sns.PublishInput) error { got = in; return nil }), critical, warning).Send(t.Context(), n); err != nil {
				t.Fatal(err)
			}
			if *got.TopicArn != tc.topic || *got.Subject != n.Subject || *got.Message != n.Body {
				t.Errorf("published %q, %q to %q", *got.Subject, *got.Message, *got.TopicArn)
			}
			attributes := map[string]string{}
			for name, v := range got.MessageAttributes {
				attributes[name] = *v.DataType + " " + *v.StringValue
			}
			if diff := cmp.Diff(tc.want, attributes); diff != "" {
				t.Errorf("attributes (-want +got):\n%s", diff)
			}
		})
	}
}

// TestQuiet: what people are not told of is not published.
func TestQuiet(t *testing.T) {
	for _, n := range []scan.Notice{{Kind: scan.NoticeUpdate}, {Kind: scan.NoticeFindings, Digested: true}} {
		err := own.New(publish(func(*sns.PublishInput) error { return errors.New("published") }), critical, warning).Send(t.Context(), n)
		if err != nil {
			t.Errorf("%+v: %v", n, err)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, tc := range []struct {
		err       error
		throttled bool
	}{
		{&types.ThrottledException{}, true}, {&types.NotFoundException{}, false}, {&types.AuthorizationErrorException{}, false},
	} {
		err := own.New(publish(func(*sns.PublishInput) error { return tc.err }), critical, warning).Send(t.Context(), scan.Notice{})
		if !errors.Is(err, tc.err) || errors.Is(err, scan.ErrThrottled) != tc.throttled {
			t.Errorf("%T: %v", tc.err, err)
		}
	}
}
