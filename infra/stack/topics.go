package stack

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"plumbline/finding"
	"plumbline/infra/deployment"
)

// topics are where people are told: of critical violations, and of all else.
type topics struct{ critical, warning awssns.Topic }

func (s *suite) newTopics(scope constructs.Construct) topics {
	t := topics{s.newTopic(scope, "Critical", "plumbline critical"), s.newTopic(scope, "Warning", "plumbline warning")}
	s.values["CriticalTopicArn"], s.values["WarningTopicArn"] = *t.critical.TopicArn(), *t.warning.TopicArn()
	for _, a := range []struct {
		name string
		deployment.Audience
	}{{"Security", s.d.Security}, {"DevOps", s.d.DevOps}} {
		for _, address := range a.Mail {
			sum := sha256.Sum256([]byte(address))
			id := a.name + hex.EncodeToString(sum[:4])
			subscribe(scope, "Critical"+id, t.critical, address, a.Audience, finding.Critical)
			subscribe(scope, "Warning"+id, t.warning, address, a.Audience, finding.High, finding.Medium, finding.Low)
		}
	}
	return t
}

// newTopic makes a topic to which functions publish by their roles, and
// CloudWatch and EventBridge by the topic's policy.
func (s *suite) newTopic(scope constructs.Construct, id, name string) awssns.Topic {
	t := awssns.NewTopic(scope, jsii.String(id), &awssns.TopicProps{DisplayName: jsii.String(name), MasterKey: s.key, EnforceSSL: jsii.Bool(true)})
	t.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid: jsii.String("Services"), Actions: jsii.Strings("sns:Publish"), Resources: &[]*string{t.TopicArn()},
		Principals: &[]awsiam.IPrincipal{
			awsiam.NewServicePrincipal(jsii.String("cloudwatch.amazonaws.com"), nil), awsiam.NewServicePrincipal(jsii.String("events.amazonaws.com"), nil),
		},
		Conditions: &map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": *s.stack.Account()}},
	}))
	suppress(resourceOf(t), [2]string{"sns-topic-delivery-logging", "people subscribe by mail, of which SNS logs no delivery; alarms tell of publications that fail"})
	return t
}

// subscribe adds a mail address to a topic for those of the severities that
// its audience is told of.
func subscribe(scope constructs.Construct, id string, t awssns.Topic, address string, a deployment.Audience, severities ...finding.Severity) {
	policy := filter(a, severities)
	if policy == nil {
		return
	}
	awssns.NewCfnSubscription(scope, jsii.String(id), &awssns.CfnSubscriptionProps{
		TopicArn: t.TopicArn(), Protocol: jsii.String("email"), Endpoint: jsii.String(address), FilterPolicy: policy,
	})
}

// filter is the filter policy of an audience on a topic of the severities; nil
// where it is told of none of them. The attributes are those of internal/sns.
// A message without the attribute goes through: an alarm has no severity, and
// a failed scan no type of resource.
func filter(a deployment.Audience, severities []finding.Severity) map[string]any {
	absent := map[string]any{"exists": false}
	told := []any{}
	for _, s := range severities {
		if a.Told(s) {
			told = append(told, string(s))
		}
	}
	if len(told) == 0 {
		return nil
	}
	policy := map[string]any{"severity": append(told, absent)}
	if len(a.ResourceTypes) > 0 {
		types := []any{}
		for _, t := range a.ResourceTypes {
			if prefix, ok := strings.CutSuffix(t, "*"); ok {
				types = append(types, map[string]any{"prefix": prefix})
				continue
			}
			types = append(types, t)
		}
		policy["resourceType"] = append(types, absent)
	}
	return policy
}
