package mirror

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// logGroups are known by their names. CloudWatch Logs is called by its JSON.
// Source: CloudFormation, AWS::Logs::LogGroup; CloudWatch Logs API Reference.
func (m *Mirror) logGroups() kind {
	do := func(ctx context.Context, action string, in properties) error {
		return m.logs(ctx, action, in, nil)
	}
	return kind{
		list: func(ctx context.Context) ([]string, error) {
			found, err := m.describeLogGroups(ctx, "")
			var ids []string
			for _, g := range found {
				ids = append(ids, g.Name)
			}
			return ids, err
		},
		get: m.logGroup,
		set: map[string]func(context.Context, string, any) error{
			"RetentionInDays": func(ctx context.Context, id string, v any) error {
				if v == nil {
					return do(ctx, "DeleteRetentionPolicy", properties{"logGroupName": id})
				}
				return do(ctx, "PutRetentionPolicy", properties{"logGroupName": id, "retentionInDays": v})
			},
			"KmsKeyId": func(ctx context.Context, id string, v any) error {
				if v == nil {
					return do(ctx, "DisassociateKmsKey", properties{"logGroupName": id})
				}
				return do(ctx, "AssociateKmsKey", properties{"logGroupName": id, "kmsKeyId": v})
			},
			"Tags": func(ctx context.Context, id string, v any) error {
				had, err := m.logTags(ctx, id)
				if err != nil {
					return err
				}
				return retag(had, untag(v), func(want map[string]string) error {
					return do(ctx, "TagLogGroup", properties{"logGroupName": id, "tags": want})
				}, func(keys []string) error {
					return do(ctx, "UntagLogGroup", properties{"logGroupName": id, "tags": keys})
				})
			},
		},
	}
}

type logGroup struct {
	Name      string `json:"logGroupName"`
	ARN       string `json:"arn"`
	Retention int    `json:"retentionInDays"`
	Key       string `json:"kmsKeyId"`
}

func (m *Mirror) describeLogGroups(ctx context.Context, prefix string) ([]logGroup, error) {
	in := properties{}
	if prefix != "" {
		in["logGroupNamePrefix"] = prefix
	}
	var all []logGroup
	for {
		var out struct {
			Groups []logGroup `json:"logGroups"`
			Next   string     `json:"nextToken"`
		}
		if err := m.logs(ctx, "DescribeLogGroups", in, &out); err != nil {
			return nil, err
		}
		all = append(all, out.Groups...)
		if out.Next == "" {
			return all, nil
		}
		in["nextToken"] = out.Next
	}
}

func (m *Mirror) logGroup(ctx context.Context, id string) (properties, error) {
	found, err := m.describeLogGroups(ctx, id)
	if err != nil {
		return nil, err
	}
	for _, g := range found {
		if g.Name != id {
			continue
		}
		p := properties{"LogGroupName": g.Name, "Arn": g.ARN, "KmsKeyId": g.Key}
		if g.Retention > 0 {
			p["RetentionInDays"] = g.Retention
		}
		have, err := m.logTags(ctx, id)
		p["Tags"] = tags(have)
		return p, err
	}
	return nil, errGone
}

func (m *Mirror) logTags(ctx context.Context, id string) (map[string]string, error) {
	var out struct {
		Tags map[string]string `json:"tags"`
	}
	err := m.logs(ctx, "ListTagsLogGroup", properties{"logGroupName": id}, &out)
	return out.Tags, err
}

// logs calls CloudWatch Logs; out may be nil.
func (m *Mirror) logs(ctx context.Context, action string, in properties, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, *m.config.BaseEndpoint, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "Logs_20140328."+action)
	who, err := m.config.Credentials.Retrieve(ctx)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(ctx, who, r, hex.EncodeToString(sum[:]), "logs", m.config.Region, time.Now()); err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	switch {
	case err != nil:
		return err
	case answer.StatusCode != http.StatusOK:
		return fmt.Errorf("%s: %s: %s", action, answer.Status, strings.TrimSpace(string(b)))
	case out == nil:
		return nil
	}
	return json.Unmarshal(b, out)
}
