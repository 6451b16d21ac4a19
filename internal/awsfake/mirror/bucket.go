package mirror

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// buckets have those properties that an emulator keeps and our rules read.
// Source: CloudFormation, AWS::S3::Bucket; Amazon S3 API Reference.
func (m *Mirror) buckets() kind {
	return kind{
		list: func(ctx context.Context) ([]string, error) {
			out, err := m.s3.ListBuckets(ctx, &s3.ListBucketsInput{})
			if err != nil {
				return nil, err
			}
			var ids []string
			for _, b := range out.Buckets {
				ids = append(ids, aws.ToString(b.Name))
			}
			return ids, nil
		},
		get: m.bucket,
		set: map[string]func(context.Context, string, any) error{
			"VersioningConfiguration": func(ctx context.Context, id string, v any) error {
				status := types.BucketVersioningStatus(text(v, "Status"))
				if status == "" {
					status = types.BucketVersioningStatusSuspended
				}
				_, err := m.s3.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: &id, VersioningConfiguration: &types.VersioningConfiguration{Status: status}})
				return err
			},
			"PublicAccessBlockConfiguration": m.setBlock,
			"BucketEncryption":               m.setEncryption,
			"LoggingConfiguration":           m.setLogging,
			"Tags": func(ctx context.Context, id string, v any) (err error) {
				want := untag(v)
				if len(want) == 0 {
					_, err = m.s3.DeleteBucketTagging(ctx, &s3.DeleteBucketTaggingInput{Bucket: &id})
					return err
				}
				var set []types.Tag
				for _, t := range tags(want) {
					set = append(set, types.Tag{Key: aws.String(text(t, "Key")), Value: aws.String(text(t, "Value"))})
				}
				_, err = m.s3.PutBucketTagging(ctx, &s3.PutBucketTaggingInput{Bucket: &id, Tagging: &types.Tagging{TagSet: set}})
				return err
			},
		},
	}
}

// unset are the errors of S3 for a configuration that a bucket has not.
var unset = []string{
	"NoSuchPublicAccessBlockConfiguration", "ServerSideEncryptionConfigurationNotFoundError", "NoSuchTagSet", "NoSuchBucketPolicy", "NoSuchLifecycleConfiguration",
}

// opt passes the answer of a call on, unless it says that nothing is set.
func opt[T any](out *T, err error) (*T, error) {
	if err != nil && slices.Contains(unset, code(err)) {
		return nil, nil
	}
	return out, err
}

func (m *Mirror) bucket(ctx context.Context, id string) (properties, error) {
	if _, err := m.s3.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &id}); err != nil {
		if c := code(err); c == "NotFound" || c == "NoSuchBucket" {
			return nil, errGone
		}
		return nil, err
	}
	p := properties{"BucketName": id, "Arn": "arn:aws:s3:::" + id}
	v, err := m.s3.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: &id})
	if err != nil {
		return nil, err
	}
	if v.Status != "" {
		p["VersioningConfiguration"] = properties{"Status": string(v.Status)}
	}
	b, err := opt(m.s3.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: &id}))
	if err != nil {
		return nil, err
	}
	if b != nil {
		c := b.PublicAccessBlockConfiguration
		p["PublicAccessBlockConfiguration"] = properties{
			"BlockPublicAcls": aws.ToBool(c.BlockPublicAcls), "BlockPublicPolicy": aws.ToBool(c.BlockPublicPolicy),
			"IgnorePublicAcls": aws.ToBool(c.IgnorePublicAcls), "RestrictPublicBuckets": aws.ToBool(c.RestrictPublicBuckets),
		}
	}
	e, err := opt(m.s3.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: &id}))
	if err != nil {
		return nil, err
	}
	rule := properties{"ServerSideEncryptionByDefault": properties{"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": false}
	if e != nil && len(e.ServerSideEncryptionConfiguration.Rules) > 0 {
		r := e.ServerSideEncryptionConfiguration.Rules[0]
		by := properties{"SSEAlgorithm": string(r.ApplyServerSideEncryptionByDefault.SSEAlgorithm)}
		if k := aws.ToString(r.ApplyServerSideEncryptionByDefault.KMSMasterKeyID); k != "" {
			by["KMSMasterKeyID"] = k
		}
		rule = properties{"ServerSideEncryptionByDefault": by, "BucketKeyEnabled": aws.ToBool(r.BucketKeyEnabled)}
	}
	// Every bucket is encrypted, since January 2023.
	p["BucketEncryption"] = properties{"ServerSideEncryptionConfiguration": []properties{rule}}
	l, err := m.s3.GetBucketLogging(ctx, &s3.GetBucketLoggingInput{Bucket: &id})
	if err != nil {
		return nil, err
	}
	if l.LoggingEnabled != nil {
		p["LoggingConfiguration"] = properties{"DestinationBucketName": aws.ToString(l.LoggingEnabled.TargetBucket), "LogFilePrefix": aws.ToString(l.LoggingEnabled.TargetPrefix)}
	}
	t, err := opt(m.s3.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: &id}))
	if err != nil {
		return nil, err
	}
	if t != nil {
		have := map[string]string{}
		for _, tag := range t.TagSet {
			have[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
		}
		p["Tags"] = tags(have)
	}
	return p, nil
}

func (m *Mirror) setBlock(ctx context.Context, id string, v any) error {
	if v == nil {
		_, err := m.s3.DeletePublicAccessBlock(ctx, &s3.DeletePublicAccessBlockInput{Bucket: &id})
		return err
	}
	_, err := m.s3.PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{Bucket: &id, PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{
		BlockPublicAcls: aws.Bool(yes(v, "BlockPublicAcls")), BlockPublicPolicy: aws.Bool(yes(v, "BlockPublicPolicy")),
		IgnorePublicAcls: aws.Bool(yes(v, "IgnorePublicAcls")), RestrictPublicBuckets: aws.Bool(yes(v, "RestrictPublicBuckets")),
	}})
	return err
}

func (m *Mirror) setEncryption(ctx context.Context, id string, v any) error {
	list, _ := field(v, "ServerSideEncryptionConfiguration").([]any)
	if len(list) == 0 {
		_, err := m.s3.DeleteBucketEncryption(ctx, &s3.DeleteBucketEncryptionInput{Bucket: &id})
		return err
	}
	by := &types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryption(text(list[0], "ServerSideEncryptionByDefault", "SSEAlgorithm"))}
	if k := text(list[0], "ServerSideEncryptionByDefault", "KMSMasterKeyID"); k != "" {
		by.KMSMasterKeyID = &k
	}
	_, err := m.s3.PutBucketEncryption(ctx, &s3.PutBucketEncryptionInput{Bucket: &id, ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{
		Rules: []types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: by, BucketKeyEnabled: aws.Bool(yes(list[0], "BucketKeyEnabled"))}},
	}})
	return err
}

func (m *Mirror) setLogging(ctx context.Context, id string, v any) error {
	status := &types.BucketLoggingStatus{}
	if v != nil {
		status.LoggingEnabled = &types.LoggingEnabled{TargetBucket: aws.String(text(v, "DestinationBucketName")), TargetPrefix: aws.String(text(v, "LogFilePrefix"))}
	}
	_, err := m.s3.PutBucketLogging(ctx, &s3.PutBucketLoggingInput{Bucket: &id, BucketLoggingStatus: status})
	return err
}
