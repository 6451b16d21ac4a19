package permission

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"plumbline/cfn/schema"
	"plumbline/rules"
	"plumbline/ruleset"
)

// Change is what changing resources of a type takes, by the handlers of AWS's
// schema of the type.
type Change struct {
	Reads  []string // actions that read settings
	Writes []string // actions that change settings
	// Withheld are actions of the handlers that no role of ours gets: a change that
	// needs one of them is refused, and is for the template.
	Withheld []string
}

// DefaultChanges are the types of which resources may be changed unless a
// deployment names others: those of which the shipped policy has settings
// changed live, without those whose changes interrupt what they serve.
var DefaultChanges = []string{
	"AWS::DynamoDB::Table", "AWS::EC2::SecurityGroup", "AWS::EC2::Subnet", "AWS::KMS::Key", "AWS::Kinesis::Stream", "AWS::KinesisFirehose::DeliveryStream",
	"AWS::S3::Bucket", "AWS::SNS::Topic", "AWS::SQS::Queue", "AWS::SecretsManager::Secret",
}

// fixable lists the types of which some rule has a fix.
var fixable = sync.OnceValues(func() ([]string, error) {
	set, err := ruleset.Open(rules.FS, nil)
	if err != nil {
		return nil, err
	}
	var out []string
	entries := set.Index().Entries
	for i := range entries {
		d, err := entries[i].Details()
		if err != nil {
			return nil, err
		}
		if !d.Fix {
			continue
		}
		if entries[i].Match != ruleset.MatchTypes {
			out = append(out, slices.Collect(schema.Taggable())...)
			continue
		}
		out = append(out, entries[i].Types...)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
})

// OfChange says what changing resources of a type takes. The error says why no
// resource of the type can be changed.
func OfChange(typ string) (Change, error) {
	types, err := fixable()
	if err != nil {
		return Change{}, err
	}
	r := schema.Lookup(typ)
	switch {
	case r == nil:
		return Change{}, fmt.Errorf("type %q is not known. is %q meant?", typ, schema.Nearest(typ))
	case !slices.Contains(types, typ):
		return Change{}, fmt.Errorf("type %q: no rule can mend a resource of it", typ)
	case !slices.Contains(r.Handlers, "update"):
		return Change{}, fmt.Errorf("type %q: Cloud Control cannot change a resource of it", typ)
	}
	var c Change
	for _, handler := range []string{"read", "update"} {
		for _, action := range r.Permissions(handler) {
			service, verb, _ := strings.Cut(action, ":")
			action = strings.ToLower(service) + ":" + verb // some schemas write the service in capitals
			switch {
			case setsSettings(action):
				c.Writes = append(c.Writes, action)
			case readsSettings(action):
				c.Reads = append(c.Reads, action)
			default:
				c.Withheld = append(c.Withheld, action)
			}
		}
	}
	for _, list := range []*[]string{&c.Reads, &c.Writes, &c.Withheld} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return c, nil
}

// Verbs of actions that read or change settings. A handler's other actions make
// or delete resources, start or stop them, or pass data.
var (
	readVerb   = regexp.MustCompile(`^[a-z0-9-]+:(Describe|Get|List)[A-Za-z]+$`)
	changeVerb = regexp.MustCompile(`^[a-z0-9-]+:(Authorize|Disable|Enable|Modify|Put|Revoke|Set|Tag|UnTag|Untag|Update)[A-Za-z0-9]+$`)
)

// Actions that the verbs alone do not tell.
var (
	// settings change settings under other verbs: tags and encryption.
	settings = regexp.MustCompile(`:((Add|Create|Delete|Remove)Tags[A-Za-z]*|(Start|Stop)[A-Za-z]*Encryption|CreateGrant|RevokeGrant)$`)
	// data read or write what a resource holds.
	data = regexp.MustCompile(`^(s3:(GetObject.*|PutObject|ListBucket.*|ListMultipart.*)|dynamodb:(GetItem|PutItem|UpdateItem)|kinesis:PutRecords?|firehose:PutRecord.*|logs:PutLogEvents|cloudwatch:PutMetricData|secretsmanager:Get(SecretValue|RandomPassword)|lambda:(UpdateFunctionCode|GetFunction)|iam:GetCredentialReport)$`)
	// access gives somebody permissions, or code a role, or turns off what data
	// cannot be read without. Whoever may do that on any resource may do anything.
	access = regexp.MustCompile(`^(iam|organizations|ram|sts):(Put|Update|Tag|Untag|Set|Enable|Disable).*$|^kms:(PutKeyPolicy|DisableKey|UpdatePrimaryRegion)$|:Put(Resource|DataProtection)Policy$|^(lambda|apigateway):(Pass|PATCH|PUT).*$|^lambda:Put(Function|Runtime).*$`)
	// others are of services that a handler works with beside the resource.
	others = regexp.MustCompile(`^(s3tables|application-autoscaling|vpc-lattice|route53):`)
	// unknown are names of API calls that some schemas list and IAM does not know:
	// another action stands for them, such as s3:PutEncryptionConfiguration for
	// DeleteBucketEncryption. Source: Service Authorization Reference, by way of cfn-lint's W3037.
	unknown = regexp.MustCompile(`^s3:(PutObjectLockConfiguration|PutBucketReplication)$`)
)

func setsSettings(action string) bool {
	if data.MatchString(action) || access.MatchString(action) || others.MatchString(action) || unknown.MatchString(action) {
		return false
	}
	return changeVerb.MatchString(action) || settings.MatchString(action)
}

func readsSettings(action string) bool {
	return readVerb.MatchString(action) && !data.MatchString(action)
}

// own are plumbline's own resources that no change may touch.
var own = []string{
	bucket, "${LedgerAnchorArn}", findings, events, ledger, requests, dataKey, suiteKey, critical, warning, deadLetters,
}

var firstWord = regexp.MustCompile(`^[A-Z][a-z]+`)

// ofChanges returns the statements of a function that changes resources of the
// types: through Cloud Control only, in this account only, and none of our own.
// Cloud Control works in its caller's name by forward access sessions, in which
// aws:ViaAWSService is true, as CloudFormation does. Source: AWS CloudFormation
// User Guide, "FAS requests and permission evaluation"; Cloud Control API User
// Guide, "Security", which refers to it.
func ofChanges(types []string) ([]Statement, error) {
	var read, write []string
	for _, typ := range types {
		c, err := OfChange(typ)
		if err != nil {
			return nil, err
		}
		read, write = append(read, c.Reads...), append(write, c.Writes...)
	}
	slices.Sort(read)
	slices.Sort(write)
	read, write = slices.Compact(read), slices.Compact(write)
	var grants, guarded []string
	write = slices.DeleteFunc(write, func(a string) bool {
		if strings.HasSuffix(a, "Grant") {
			grants = append(grants, a)
			return true
		}
		if service, verb, _ := strings.Cut(a, ":"); slices.Contains([]string{"dynamodb", "kms", "s3", "sns", "sqs"}, service) {
			guarded = append(guarded, service+":"+firstWord.FindString(verb)+"*")
		}
		return false
	})
	through := map[string]map[string]string{
		"Bool":                 {"aws:ViaAWSService": "true"},
		"StringEqualsIfExists": {"aws:ResourceAccount": "${AWS::AccountId}"},
	}
	out := []Statement{
		{Actions: read, Resources: []string{"*"}, Condition: through, Why: "a resource of the types may have any name; settings only, and only what Cloud Control asks for"},
		{Actions: write, Resources: []string{"*"}, Condition: through, Why: "a resource of the types may have any name; settings only, only what Cloud Control does with a plan, and only in this account"},
	}
	if len(grants) > 0 {
		out = append(out, Statement{Actions: grants, Resources: []string{"*"}, Condition: map[string]map[string]string{
			"Bool": {"aws:ViaAWSService": "true", "kms:GrantIsForAWSResource": "true"},
		}, Why: "a resource may be encrypted with any key of the account; grants to services for their resources only"})
	}
	if len(guarded) > 0 {
		out = append(out, Statement{Actions: slices.Compact(guarded), Resources: own, Deny: true, Why: "plumbline changes nothing of its own, whatever a plan says"})
	}
	return out, nil
}
