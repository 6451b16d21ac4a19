package mirror

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// tableKind is how tables are read and changed. Source: CloudFormation, AWS::DynamoDB::Table.
func (m *Mirror) tableKind() kind {
	return kind{
		list: func(ctx context.Context) ([]string, error) {
			var ids []string
			pages := dynamodb.NewListTablesPaginator(m.tables, &dynamodb.ListTablesInput{})
			for pages.HasMorePages() {
				page, err := pages.NextPage(ctx)
				if err != nil {
					return nil, err
				}
				ids = append(ids, page.TableNames...)
			}
			return ids, nil
		},
		get: m.table,
		set: map[string]func(context.Context, string, any) error{
			"DeletionProtectionEnabled": func(ctx context.Context, id string, v any) error {
				_, err := m.tables.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: &id, DeletionProtectionEnabled: aws.Bool(yes(v))})
				return err
			},
			"SSESpecification": func(ctx context.Context, id string, v any) error {
				s := &types.SSESpecification{Enabled: aws.Bool(yes(v, "SSEEnabled"))}
				if yes(v, "SSEEnabled") {
					s.SSEType = types.SSETypeKms
				}
				if k := text(v, "KMSMasterKeyId"); k != "" {
					s.KMSMasterKeyId = &k
				}
				_, err := m.tables.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: &id, SSESpecification: s})
				return err
			},
			"PointInTimeRecoverySpecification": func(ctx context.Context, id string, v any) error {
				_, err := m.tables.UpdateContinuousBackups(ctx, &dynamodb.UpdateContinuousBackupsInput{TableName: &id, PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{
					PointInTimeRecoveryEnabled: aws.Bool(yes(v, "PointInTimeRecoveryEnabled")),
				}})
				return err
			},
			"Tags": func(ctx context.Context, id string, v any) error {
				arn, had, err := m.tableTags(ctx, id)
				if err != nil {
					return err
				}
				return retag(had, untag(v), func(want map[string]string) error {
					var list []types.Tag
					for _, t := range tags(want) {
						list = append(list, types.Tag{Key: aws.String(text(t, "Key")), Value: aws.String(text(t, "Value"))})
					}
					_, err := m.tables.TagResource(ctx, &dynamodb.TagResourceInput{ResourceArn: &arn, Tags: list})
					return err
				}, func(keys []string) error {
					_, err := m.tables.UntagResource(ctx, &dynamodb.UntagResourceInput{ResourceArn: &arn, TagKeys: keys})
					return err
				})
			},
		},
	}
}

func (m *Mirror) tableTags(ctx context.Context, id string) (arn string, have map[string]string, err error) {
	d, err := m.tables.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &id})
	if err != nil {
		return "", nil, err
	}
	out, err := m.tables.ListTagsOfResource(ctx, &dynamodb.ListTagsOfResourceInput{ResourceArn: d.Table.TableArn})
	if err != nil {
		return "", nil, err
	}
	have = map[string]string{}
	for _, t := range out.Tags {
		have[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return aws.ToString(d.Table.TableArn), have, nil
}

func (m *Mirror) table(ctx context.Context, id string) (properties, error) {
	d, err := m.tables.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &id})
	if errors.As(err, new(*types.ResourceNotFoundException)) {
		return nil, errGone
	} else if err != nil {
		return nil, err
	}
	t := d.Table
	p := properties{"TableName": id, "Arn": aws.ToString(t.TableArn), "KeySchema": keys(t.KeySchema), "DeletionProtectionEnabled": aws.ToBool(t.DeletionProtectionEnabled)}
	var attributes []properties
	for _, a := range t.AttributeDefinitions {
		attributes = append(attributes, properties{"AttributeName": aws.ToString(a.AttributeName), "AttributeType": string(a.AttributeType)})
	}
	p["AttributeDefinitions"] = attributes
	if b := t.BillingModeSummary; b != nil {
		p["BillingMode"] = string(b.BillingMode)
	}
	var indexes []properties
	for _, i := range t.GlobalSecondaryIndexes {
		projection := properties{"ProjectionType": string(i.Projection.ProjectionType)}
		if len(i.Projection.NonKeyAttributes) > 0 {
			projection["NonKeyAttributes"] = i.Projection.NonKeyAttributes
		}
		indexes = append(indexes, properties{"IndexName": aws.ToString(i.IndexName), "KeySchema": keys(i.KeySchema), "Projection": projection})
	}
	p["GlobalSecondaryIndexes"] = indexes
	p["SSESpecification"] = properties{"SSEEnabled": false}
	if s := t.SSEDescription; s != nil && s.Status == types.SSEStatusEnabled {
		p["SSESpecification"] = properties{"SSEEnabled": true, "SSEType": string(s.SSEType), "KMSMasterKeyId": aws.ToString(s.KMSMasterKeyArn)}
	}
	c, err := m.tables.DescribeContinuousBackups(ctx, &dynamodb.DescribeContinuousBackupsInput{TableName: &id})
	if err != nil {
		return nil, err
	}
	r := c.ContinuousBackupsDescription.PointInTimeRecoveryDescription
	p["PointInTimeRecoverySpecification"] = properties{"PointInTimeRecoveryEnabled": r != nil && r.PointInTimeRecoveryStatus == types.PointInTimeRecoveryStatusEnabled}
	l, err := m.tables.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &id})
	if err != nil {
		return nil, err
	}
	if e := l.TimeToLiveDescription; e != nil && e.TimeToLiveStatus == types.TimeToLiveStatusEnabled {
		p["TimeToLiveSpecification"] = properties{"AttributeName": aws.ToString(e.AttributeName), "Enabled": true}
	}
	_, have, err := m.tableTags(ctx, id)
	if err != nil {
		return nil, err
	}
	p["Tags"] = tags(have)
	return p, nil
}

func keys(schema []types.KeySchemaElement) []properties {
	var out []properties
	for _, k := range schema {
		out = append(out, properties{"AttributeName": aws.ToString(k.AttributeName), "KeyType": string(k.KeyType)})
	}
	return out
}
