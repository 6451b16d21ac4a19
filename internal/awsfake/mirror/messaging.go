package mirror

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// topics are known by their ARN. Source: CloudFormation, AWS::SNS::Topic.
func (m *Mirror) topics() kind {
	attribute := func(name string) func(context.Context, string, any) error {
		return func(ctx context.Context, id string, v any) error {
			_, err := m.sns.SetTopicAttributes(ctx, &sns.SetTopicAttributesInput{TopicArn: &id, AttributeName: &name, AttributeValue: aws.String(text(v))})
			return err
		}
	}
	return kind{
		list: func(ctx context.Context) ([]string, error) {
			var ids []string
			pages := sns.NewListTopicsPaginator(m.sns, &sns.ListTopicsInput{})
			for pages.HasMorePages() {
				page, err := pages.NextPage(ctx)
				if err != nil {
					return nil, err
				}
				for _, t := range page.Topics {
					ids = append(ids, aws.ToString(t.TopicArn))
				}
			}
			return ids, nil
		},
		get: func(ctx context.Context, id string) (properties, error) {
			out, err := m.sns.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: &id})
			if c := code(err); c == "NotFound" || c == "NotFoundException" {
				return nil, errGone
			} else if err != nil {
				return nil, err
			}
			have, err := m.topicTags(ctx, id)
			if err != nil {
				return nil, err
			}
			p := properties{
				"TopicArn": id, "TopicName": id[strings.LastIndex(id, ":")+1:], "DisplayName": out.Attributes["DisplayName"],
				"KmsMasterKeyId": out.Attributes["KmsMasterKeyId"], "Tags": tags(have),
			}
			if out.Attributes["FifoTopic"] == "true" {
				p["FifoTopic"] = true
			}
			return p, nil
		},
		set: map[string]func(context.Context, string, any) error{
			"DisplayName": attribute("DisplayName"), "KmsMasterKeyId": attribute("KmsMasterKeyId"),
			"Tags": func(ctx context.Context, id string, v any) error {
				had, err := m.topicTags(ctx, id)
				if err != nil {
					return err
				}
				return retag(had, untag(v), func(want map[string]string) error {
					var list []snstypes.Tag
					for _, t := range tags(want) {
						list = append(list, snstypes.Tag{Key: aws.String(text(t, "Key")), Value: aws.String(text(t, "Value"))})
					}
					_, err := m.sns.TagResource(ctx, &sns.TagResourceInput{ResourceArn: &id, Tags: list})
					return err
				}, func(keys []string) error {
					_, err := m.sns.UntagResource(ctx, &sns.UntagResourceInput{ResourceArn: &id, TagKeys: keys})
					return err
				})
			},
		},
	}
}

func (m *Mirror) topicTags(ctx context.Context, id string) (map[string]string, error) {
	out, err := m.sns.ListTagsForResource(ctx, &sns.ListTagsForResourceInput{ResourceArn: &id})
	if err != nil {
		return nil, err
	}
	have := map[string]string{}
	for _, t := range out.Tags {
		have[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return have, nil
}

// Attributes of queues by how CloudFormation has them. Source: CloudFormation,
// AWS::SQS::Queue.
var (
	queueTexts   = []string{"KmsMasterKeyId"}
	queueFlags   = []string{"SqsManagedSseEnabled", "FifoQueue", "ContentBasedDeduplication"}
	queueNumbers = []string{"DelaySeconds", "KmsDataKeyReusePeriodSeconds", "MaximumMessageSize", "MessageRetentionPeriod", "ReceiveMessageWaitTimeSeconds", "VisibilityTimeout"}
)

// queues are known by their URL.
func (m *Mirror) queues() kind {
	set := map[string]func(context.Context, string, any) error{
		"Tags": func(ctx context.Context, id string, v any) error {
			had, err := m.sqs.ListQueueTags(ctx, &sqs.ListQueueTagsInput{QueueUrl: &id})
			if err != nil {
				return err
			}
			return retag(had.Tags, untag(v), func(want map[string]string) error {
				_, err := m.sqs.TagQueue(ctx, &sqs.TagQueueInput{QueueUrl: &id, Tags: want})
				return err
			}, func(keys []string) error {
				_, err := m.sqs.UntagQueue(ctx, &sqs.UntagQueueInput{QueueUrl: &id, TagKeys: keys})
				return err
			})
		},
	}
	for _, name := range append(append(append([]string{}, queueTexts...), queueFlags...), queueNumbers...) {
		set[name] = func(ctx context.Context, id string, v any) error {
			value := ""
			if v != nil {
				value = fmt.Sprint(v)
			}
			if f, ok := v.(float64); ok {
				value = strconv.FormatFloat(f, 'f', -1, 64)
			}
			_, err := m.sqs.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: &id, Attributes: map[string]string{name: value}})
			return err
		}
	}
	return kind{list: m.listQueues, get: m.queue, set: set}
}

func (m *Mirror) listQueues(ctx context.Context) ([]string, error) {
	var ids []string
	pages := sqs.NewListQueuesPaginator(m.sqs, &sqs.ListQueuesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		ids = append(ids, page.QueueUrls...)
	}
	return ids, nil
}

func (m *Mirror) queue(ctx context.Context, id string) (properties, error) {
	out, err := m.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &id, AttributeNames: []sqstypes.QueueAttributeName{"All"}})
	if c := code(err); strings.Contains(c, "QueueDoesNotExist") || strings.Contains(c, "NonExistentQueue") {
		return nil, errGone
	} else if err != nil {
		return nil, err
	}
	t, err := m.sqs.ListQueueTags(ctx, &sqs.ListQueueTagsInput{QueueUrl: &id})
	if err != nil {
		return nil, err
	}
	p := properties{"QueueUrl": id, "QueueName": id[strings.LastIndex(id, "/")+1:], "Arn": out.Attributes["QueueArn"], "Tags": tags(t.Tags)}
	for _, name := range queueTexts {
		p[name] = out.Attributes[name]
	}
	for _, name := range queueFlags {
		if v, ok := out.Attributes[name]; ok {
			p[name] = v == "true"
		}
	}
	for _, name := range queueNumbers {
		if n, err := strconv.Atoi(out.Attributes[name]); err == nil {
			p[name] = n
		}
	}
	if r := out.Attributes["RedrivePolicy"]; r != "" {
		p["RedrivePolicy"] = json.RawMessage(r)
	}
	return p, nil
}
