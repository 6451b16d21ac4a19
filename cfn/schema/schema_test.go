package schema_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/cfn/schema"
)

// describe is a type in one line: "List of AWS::X::Y.Z".
func describe(t *schema.Type) string {
	s := t.Kind.String()
	if t.Kind == schema.Object {
		return t.Name
	}
	if t.Elem != nil {
		return s + " of " + describe(t.Elem)
	}
	if t.Enum != nil {
		s += " (" + strings.Join(t.Enum, ", ") + ")"
	}
	if t.Default != "" {
		s += " = " + t.Default
	}
	return s
}

func TestPropertyTypes(t *testing.T) {
	cases := []struct{ name, typ, path, want string }{
		{"an object by definition", "AWS::S3::Bucket", "VersioningConfiguration", "AWS::S3::Bucket.VersioningConfiguration"},
		{"an enum with default", "AWS::S3::Bucket", "VersioningConfiguration.Status", "String (Enabled, Suspended) = Suspended"},
		{"a boolean four levels down", "AWS::S3::Bucket", "PublicAccessBlockConfiguration.BlockPublicAcls", "Bool"},
		{"a list of objects", "AWS::EC2::SecurityGroup", "SecurityGroupIngress", "List of AWS::EC2::SecurityGroup.Ingress"},
		{"a number in a list", "AWS::EC2::SecurityGroup", "SecurityGroupIngress.FromPort", "Integer"},
		{"a plain boolean", "AWS::RDS::DBInstance", "StorageEncrypted", "Bool"},
		{"a number written as text", "AWS::RDS::DBInstance", "AllocatedStorage", "String"},
		{"a policy document", "AWS::IAM::Role", "AssumeRolePolicyDocument", "Any"},
		{"a policy document in a list", "AWS::IAM::Role", "Policies.PolicyDocument", "Any"},
		{"a default", "AWS::IAM::Role", "Path", "String = /"},
		{"tags as a list", "AWS::S3::Bucket", "Tags", "List of AWS::S3::Bucket.Tag"},
		{"tags as a map", "AWS::ApiGatewayV2::Api", "Tags", "Map of String"},
		{"tags as free JSON", "AWS::SSM::Parameter", "Tags", "Map of String"},
		{"a structure that may be JSON text", "AWS::SQS::Queue", "RedrivePolicy", "AWS::SQS::Queue.RedrivePolicy"},
		{"a list, or free JSON", "AWS::DynamoDB::Table", "KeySchema", "List of AWS::DynamoDB::Table.KeySchema"},
		{"a map", "AWS::Lambda::Function", "Environment.Variables", "Map of String"},
		{"a number", "AWS::CloudWatch::Alarm", "Threshold", "Double"},
		{"free JSON or text", "AWS::SNS::Subscription", "FilterPolicy", "Any"},
		{"an object of SAM", "AWS::Serverless::Function", "VpcConfig", "AWS::Serverless::Function.VpcConfig"},
		{"text that SAM takes as an intrinsic function", "AWS::Serverless::Function", "Role", "String"},
		{"event patterns of SAM", "AWS::Serverless::StateMachine", "Events.Properties.Pattern", "Any"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := schema.Lookup(c.typ)
			if r == nil {
				t.Fatalf("%s is unknown", c.typ)
			}
			typ := r.Type
			for name := range strings.SplitSeq(c.path, ".") {
				for typ.Elem != nil {
					typ = typ.Elem
				}
				p := typ.Property(name)
				if p == nil {
					t.Fatalf("%s has no %s", typ.Name, name)
				}
				typ = p.Type
			}
			if got := describe(typ); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestLookup(t *testing.T) {
	queue := schema.Lookup("AWS::SQS::Queue")
	want := schema.Resource{
		Type:              queue.Type,
		TagProperty:       "Tags",
		Stateful:          true,
		PrimaryIdentifier: []string{"QueueUrl"},
		CreateOnly:        []string{"FifoQueue", "QueueName"},
		ReadOnly:          []string{"QueueUrl", "Arn"},
		Handlers:          []string{"create", "read", "update", "delete", "list"},
	}
	if diff := cmp.Diff(want, *queue, cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Type" }, cmp.Ignore()), cmp.FilterPath(unexported, cmp.Ignore())); diff != "" {
		t.Error(diff)
	}
	if queue.Type.Name != "AWS::SQS::Queue" || queue.Type.Kind != schema.Object {
		t.Errorf("the type is a %s called %s", queue.Type.Kind, queue.Type.Name)
	}
	if schema.Lookup("AWS::SQS::Queue") != queue {
		t.Error("two calls give two pointers")
	}
}

func unexported(p cmp.Path) bool {
	f, ok := p.Last().(cmp.StructField)
	return ok && f.Name()[0] >= 'a'
}

func TestUnknownTypes(t *testing.T) {
	for _, typ := range []string{"", "AWS::", "AWS::S3::Buckett", "aws::s3::bucket", "AWS::S3::Bucket::MODULE", "Custom::Thing", "AWS::CloudFormation::CustomResource", "Private::Service::Hook", "zzz"} {
		if schema.Lookup(typ) != nil || schema.Known(typ) || schema.Find(typ) != nil {
			t.Errorf("%q is known", typ)
		}
	}
}

func TestResourceFacts(t *testing.T) {
	lookup := schema.Lookup
	db := lookup("AWS::RDS::DBInstance")
	for what, ok := range map[string]bool{
		"a replaced property":               slices.Contains(db.CreateOnly, "StorageEncrypted"),
		"a property replaced on condition":  slices.Contains(db.ConditionalCreateOnly, "Engine"),
		"a write-only property":             slices.Contains(db.WriteOnly, "MasterUserPassword"),
		"a nested read-only property":       slices.Contains(db.ReadOnly, "Endpoint/Address"),
		"a transformed property":            slices.ContainsFunc(db.Transforms, func(x schema.Transform) bool { return x.Path == "Engine" && x.Expression == "$lowercase(Engine)" }),
		"a stateful type":                   db.Stateful && !lookup("AWS::EC2::SecurityGroup").Stateful,
		"a primary identifier of two":       len(lookup("AWS::ApiGateway::Stage").PrimaryIdentifier) == 2,
		"tags under another name":           lookup("AWS::EFS::FileSystem").TagProperty == "FileSystemTags",
		"tags as a map":                     lookup("AWS::Cognito::UserPool").TagProperty == "UserPoolTags" && lookup("AWS::Cognito::UserPool").TagsAsMap,
		"tags of SAM's types":               lookup("AWS::Serverless::Function").TagsAsMap,
		"no tags":                           lookup("AWS::S3::BucketPolicy").TagProperty == "",
		"no tags as a list nor a map":       lookup("AWS::EC2::LaunchTemplate").TagProperty == "",
		"a type of other regions only":      schema.Known("AWS::DeviceFarm::Project"),
		"a type that is not Amazon's":       schema.Known("Alexa::ASK::Skill"),
		"a type without handlers":           lookup("AWS::CDK::Metadata").Handlers == nil,
		"a required property":               lookup("AWS::IAM::Role").Type.Property("AssumeRolePolicyDocument").Required,
		"a property that is not":            !lookup("AWS::IAM::Role").Type.Property("Policies").Required,
		"a property required by one of two": !lookup("AWS::EC2::Instance").Type.Property("ImageId").Required,
		"the source":                        strings.HasPrefix(schema.Source(), "cfn-lint 1."),
	} {
		if !ok {
			t.Errorf("%s: not so", what)
		}
	}
}

func TestPermissions(t *testing.T) {
	topic := schema.Lookup("AWS::SNS::Topic")
	if got := topic.Permissions("delete"); !slices.Contains(got, "sns:DeleteTopic") || !slices.IsSorted(got) {
		t.Errorf("delete needs %q", got)
	}
	if got := topic.Permissions("tag"); !slices.Contains(got, "sns:TagResource") {
		t.Errorf("tagging needs %q", got)
	}
	if got := topic.Permissions("destroy"); got != nil {
		t.Errorf("a handler that is not there needs %q", got)
	}
	if got := schema.Lookup("AWS::CDK::Metadata").Permissions("create"); got != nil {
		t.Errorf("a type without handlers needs %q", got)
	}
}

func TestFind(t *testing.T) {
	bucket := schema.Lookup("AWS::S3::Bucket")
	if got := schema.Find("AWS::S3::Bucket"); got != bucket.Type {
		t.Errorf("the resource itself is %v", got)
	}
	if got := schema.Find("AWS::S3::Bucket.VersioningConfiguration"); got == nil || got != bucket.Type.Property("VersioningConfiguration").Type {
		t.Errorf("a definition is %v", got)
	}
	if got := schema.Find("AWS::S3::Bucket.Nothing"); got != nil {
		t.Errorf("a definition that is not there is %v", got)
	}
}

func TestRecursionEnds(t *testing.T) {
	statement := schema.Find("AWS::WAFv2::WebACL.Statement")
	and := statement.Property("AndStatement").Type
	if and.Property("Statements").Type.Elem != statement {
		t.Error("a statement's statements are of another type")
	}
}

func TestNearest(t *testing.T) {
	for got, want := range map[string]string{
		"AWS::EC2::SecurtyGroup": "AWS::EC2::SecurityGroup",
		"aws::s3::bucket":        "AWS::S3::Bucket",
		"AWS::RDS::DbInstance":   "AWS::RDS::DBInstance",
		"Custom::Thing":          "",
	} {
		if near := schema.Nearest(got); near != want {
			t.Errorf("nearest to %s is %q, want %q", got, near, want)
		}
	}
	bucket := schema.Lookup("AWS::S3::Bucket").Type
	if got := bucket.Nearest("PublicAccesBlockConfiguration"); got != "PublicAccessBlockConfiguration" {
		t.Errorf("nearest property is %q", got)
	}
	if got := bucket.Nearest("Zebra"); got != "" {
		t.Errorf("nearest property to nonsense is %q", got)
	}
}

func TestTaggable(t *testing.T) {
	for typ := range schema.Taggable() {
		r := schema.Lookup(typ)
		p := r.Type.Property(r.TagProperty)
		if p == nil {
			t.Errorf("%s has no property %q", typ, r.TagProperty)
			continue
		}
		if r.TagsAsMap != (p.Type.Kind == schema.Map) {
			t.Errorf("%s: tags as map is %v, the property is %s", typ, r.TagsAsMap, describe(p.Type))
		}
		if !r.TagsAsMap && (p.Type.Elem.Property("Key") == nil || p.Type.Elem.Property("Value") == nil) {
			t.Errorf("%s: tags have no Key and Value", typ)
		}
	}
	if n := len(slices.Collect(schema.Taggable())); n < 1200 {
		t.Errorf("only %d types", n)
	}
}

func TestLookupAtOnce(t *testing.T) {
	var wg sync.WaitGroup
	got := make([]*schema.Resource, 8)
	for i := range got {
		wg.Go(func() { got[i] = schema.Lookup("AWS::QuickSight::Dashboard") })
	}
	wg.Wait()
	for _, r := range got {
		if r != got[0] || r == nil {
			t.Fatal("not the same resource for all")
		}
	}
}
