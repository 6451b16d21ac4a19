// Package mirror shows the buckets, security groups, tables, topics, queues and log groups
// of an emulator in CloudFormation's shape, and changes them by it: what Cloud
// Control does on AWS and no emulator does for its own resources. It is the
// Source of an awsfake.Account in tests.
package mirror

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"
)

// limit is how long one resource may take to be read or changed.
const limit = 20 * time.Second

// Mirror reads and changes the resources of one account and region. Safe for
// concurrent use.
type Mirror struct {
	config aws.Config
	s3     *s3.Client
	sns    *sns.Client
	sqs    *sqs.Client
	tables *dynamodb.Client
	kinds  map[string]kind
}

// properties are those of a resource, as JSON decodes them.
type properties = map[string]any

// kind is how resources of one type are read and changed.
type kind struct {
	list func(context.Context) ([]string, error)
	get  func(ctx context.Context, id string) (properties, error) // errGone: there is none
	// set has a setter for each property that can be changed; v is nil where it is taken away.
	set map[string]func(ctx context.Context, id string, v any) error
}

// errGone says that there is no such resource.
var errGone = errors.New("there is no such resource")

// New returns the mirror of the account and region that the configuration is of.
func New(c aws.Config) *Mirror {
	m := &Mirror{
		config: c, sns: sns.NewFromConfig(c), sqs: sqs.NewFromConfig(c), tables: dynamodb.NewFromConfig(c),
		s3: s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true }),
	}
	m.kinds = map[string]kind{
		"AWS::S3::Bucket": m.buckets(), "AWS::EC2::SecurityGroup": m.groups(), "AWS::DynamoDB::Table": m.tableKind(),
		"AWS::SNS::Topic": m.topics(), "AWS::SQS::Queue": m.queues(), "AWS::Logs::LogGroup": m.logGroups(),
	}
	return m
}

// Has reports whether resources of the type are shown.
func (m *Mirror) Has(typ string) bool { _, ok := m.kinds[typ]; return ok }

// Get gives the properties of a resource; false: there is none.
func (m *Mirror) Get(typ, id string) (string, bool, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	p, err := m.kinds[typ].get(ctx, id)
	if errors.Is(err, errGone) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("%s %s: %w", typ, id, err)
	}
	for k, v := range p {
		if v == nil || v == "" || reflect.ValueOf(v).Kind() == reflect.Slice && reflect.ValueOf(v).Len() == 0 {
			delete(p, k)
		}
	}
	b, err := json.Marshal(p)
	return string(b), err == nil, err
}

// List gives the identifiers of all resources of a type, sorted.
func (m *Mirror) List(typ string) ([]string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	ids, err := m.kinds[typ].list(ctx)
	slices.Sort(ids)
	return ids, err
}

// Set changes a resource's properties from before to after, one after the
// other. A property that it cannot change is refused before anything is done.
func (m *Mirror) Set(typ, id, before, after string) error {
	var was, is properties
	if err := errors.Join(json.Unmarshal([]byte(before), &was), json.Unmarshal([]byte(after), &is)); err != nil {
		return err
	}
	all := maps.Clone(was)
	maps.Copy(all, is)
	var changed []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if reflect.DeepEqual(was[name], is[name]) {
			continue
		}
		if m.kinds[typ].set[name] == nil {
			return fmt.Errorf("property %s of %s cannot be changed here", name, typ)
		}
		changed = append(changed, name)
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	for _, name := range changed {
		if err := m.kinds[typ].set[name](ctx, id, is[name]); err != nil {
			return fmt.Errorf("%s of %s: %w", name, id, err)
		}
	}
	return nil
}

// code is that of an error of a service; "": it is none.
func code(err error) string {
	var e smithy.APIError
	if errors.As(err, &e) {
		return e.ErrorCode()
	}
	return ""
}

// tags are a list of Key and Value, sorted by key, as CloudFormation has them.
func tags(m map[string]string) []properties {
	var out []properties
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, properties{"Key": k, "Value": m[k]})
	}
	return out
}

// untag is what tags makes a list of; v is JSON as it was decoded.
func untag(v any) map[string]string {
	out := map[string]string{}
	list, _ := v.([]any)
	for _, e := range list {
		e, _ := e.(properties)
		k, _ := e["Key"].(string)
		out[k], _ = e["Value"].(string)
	}
	return out
}

// retag calls add with what is to be there, and remove with the keys that are not.
func retag(had, want map[string]string, add func(map[string]string) error, remove func([]string) error) error {
	var gone []string
	for k := range had {
		if _, ok := want[k]; !ok {
			gone = append(gone, k)
		}
	}
	slices.Sort(gone)
	if len(gone) > 0 {
		if err := remove(gone); err != nil {
			return err
		}
	}
	if len(want) == 0 {
		return nil
	}
	return add(want)
}

// field is a value somewhere below v; nil: there is none.
func field(v any, path ...string) any {
	for _, p := range path {
		m, _ := v.(properties)
		v = m[p]
	}
	return v
}

func text(v any, path ...string) string {
	s, _ := field(v, path...).(string)
	return s
}

func yes(v any, path ...string) bool {
	switch b := field(v, path...).(type) {
	case bool:
		return b
	case string:
		return b == "true"
	}
	return false
}
