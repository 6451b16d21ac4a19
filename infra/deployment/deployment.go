// Package deployment is the configuration of plumbline on AWS: which regions
// run the suite, and which of them is the primary that also holds roll-up,
// dashboard and SLA; whom it tells, when it scans, how long it
// keeps what, and in which network it runs. It holds no stack: stacks are made
// from it.
package deployment

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"plumbline/alert"
	"plumbline/finding"
	"plumbline/infra/permission"
)

// Deployment says where and how the suite runs. Each region scans its own
// stacks with its own tables, tokens and leases; the primary alone reports on all.
type Deployment struct {
	Account   string   `json:"account"`   // 12 digits
	Primary   string   `json:"primary"`   // default us-east-1
	Secondary []string `json:"secondary"` // default eu-west-1; may be empty, not null

	Security Audience `json:"security"` // who is woken; default severities: critical and high
	DevOps   Audience `json:"devops"`   // who mends; default severities: all but critical

	Schedules Schedules `json:"schedules"`
	Retention Retention `json:"retention"`
	Network   Network   `json:"network"`

	// Webhooks are the ticketing systems, chats and webhooks that are told.
	Webhooks []Webhook `json:"webhooks"`
	// Recorder is "existing" (default), where the account records with AWS Config
	// already, or "create". An account has one recorder a region: a second one
	// fails the deployment.
	Recorder Recorder `json:"recorder"`
	// ConfigTypes are the types of resources for which AWS Config asks plumbline
	// when one changes; default: those of DefaultConfigTypes where the recorder
	// records, [] for none. Each evaluation is priced by AWS Config.
	ConfigTypes []string `json:"configTypes"`
	// Hook says what becomes of a resource that breaks a critical or high rule when
	// CloudFormation or Cloud Control are about to make it: "off" (default), "warn"
	// or "fail".
	Hook string `json:"hook"`
	// Remediation is "off" (default) or "on". Where it is off the account is only
	// scanned: it has no function, state machine or role that could change anything.
	Remediation string `json:"remediation"`
	// RemediationTypes are the types of resources that may be changed where
	// remediation is on; default: permission.DefaultChanges. Each needs a rule with a
	// fix, and Cloud Control must be able to change it.
	RemediationTypes []string `json:"remediationTypes"`
	// OIDC is the issuer that signs people in to the page on which they decide on
	// changes; "" in both: there is no page, and people decide by command.
	OIDC OIDC `json:"oidc"`
	// Policy is a folder with the organisation's plumbline.yaml and rules, relative
	// to the deployment's file; "": the built-in rules and no policy.
	Policy string `json:"policy"`
	// Tags are on every resource, beside application: plumbline.
	Tags map[string]string `json:"tags"`
}

// Audience is who is told by mail, and of what.
type Audience struct {
	Mail []string `json:"mail"` // addresses; each has to confirm once. None: nobody is told
	// Severities that are told of. Messages without one, those of alarms, always are.
	Severities []finding.Severity `json:"severities"`
	// ResourceTypes narrow the violations to those of resources of these types,
	// AWS::S3::Bucket or, with a * at its end, AWS::IAM::*; none: all. What is not
	// about violations, such as a failed scan, is told all the same.
	ResourceTypes []string `json:"resourceTypes"`
}

// Schedules are when all stacks are scanned, and when it is told how long
// violations stay open, as EventBridge writes it: cron(…) in UTC or rate(…).
// "off" turns one off; "" is the default.
type Schedules struct {
	Daily  string `json:"daily"`  // default cron(0 3 * * ? *)
	Weekly string `json:"weekly"` // default cron(0 5 ? * SUN *)
	// Report is when the report of terms comes whatever it says, after a sweep;
	// default cron(0 7 ? * MON *).
	Report string `json:"report"`
	// Overdue is when terms are measured, and told where a violation is overdue;
	// default cron(0 7 ? * TUE-SUN *).
	Overdue string `json:"overdue"`
}

// Off turns a schedule, the hook or remediation off; On turns remediation on.
const (
	Off = "off"
	On  = "on"
)

// Retention is how long things are kept, in days. 0 is the default.
type Retention struct {
	ReportDays     int `json:"reportDays"`     // reports, summaries, failures; default 365, which is the least
	ArchiveDays    int `json:"archiveDays"`    // until reports are archived; default 90, at least 1, less than ReportDays
	WorkDays       int `json:"workDays"`       // what states hand on; default 14, at least 2: an execution lasts 12 hours
	NoncurrentDays int `json:"noncurrentDays"` // old versions of objects; default 30, at least 1
	LogDays        int `json:"logDays"`        // logs; default 365; one of those that CloudWatch Logs takes
}

// Network is where functions run. Each region gets a VPC of its own, unless
// Existing names one there.
type Network struct {
	CIDR  string `json:"cidr"`  // of new VPCs, /16 to /26; default 10.71.0.0/24
	Zones int    `json:"zones"` // of new VPCs, 2 (default) or 3: each has a subnet and endpoints
	// ZoneIDs name the zones of a region by the ids that are the same in every
	// account, such as use1-az1; default: the first ones that the account has.
	// Needed where one of those has no Lambda, as use1-az3.
	ZoneIDs  map[string][]string `json:"zoneIds"`
	Existing map[string]Existing `json:"existing"`
}

// Existing is a VPC of the account. Its subnets must reach CloudFormation, Cloud Control, AWS Config,
// DynamoDB, S3, SNS and Step Functions: docs/deploy.md says how.
type Existing struct {
	Subnets        []string `json:"subnets"`        // ids, private ones, of two zones or more
	SecurityGroups []string `json:"securityGroups"` // ids, for the functions
}

// Webhook is a ticketing system, chat or webhook. What it needs to be called lies
// in Secrets Manager, one secret each.
type Webhook struct {
	Name       string             `json:"name"`       // tells it from the others; default: its kind
	Kind       alert.Kind         `json:"kind"`       // slack, jira, servicenow or webhook
	Secret     string             `json:"secret"`     // name of the secret, which is in each region
	Severities []finding.Severity `json:"severities"` // that it is told of; none: all
}

// Recorder says whether the deployment makes AWS Config's recorder.
type Recorder string

// The values of Recorder.
const (
	RecorderExisting Recorder = "existing"
	RecorderCreate   Recorder = "create"
)

// OIDC is an issuer of identity tokens. The first two fields are given or none.
// The client is a public one, with PKCE and without a secret; after the first
// deployment it must know the redirect address that the stack puts out.
type OIDC struct {
	Issuer   string `json:"issuer"` // https://…, without a trailing slash
	ClientID string `json:"clientId"`
	// NameClaim has a person's name, which must be the one that changes are asked for
	// under; default: email, which must be verified.
	NameClaim   string `json:"nameClaim"`
	GroupsClaim string `json:"groupsClaim"` // default: groups, or cognito:groups
}

// Default regions of the suite.
const (
	DefaultPrimary   = "us-east-1"
	DefaultSecondary = "eu-west-1"
)

// DefaultConfigTypes are the types for which AWS Config asks by default.
var DefaultConfigTypes = []string{
	"AWS::DynamoDB::Table", "AWS::EC2::SecurityGroup", "AWS::IAM::Role", "AWS::KMS::Key", "AWS::Lambda::Function", "AWS::RDS::DBInstance", "AWS::S3::Bucket", "AWS::SNS::Topic", "AWS::SQS::Queue",
}

// Read decodes a deployment strictly, fills in the defaults, and reports all
// that is wrong with it together.
func Read(r io.Reader) (Deployment, error) {
	var d Deployment
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&d); err != nil {
		return Deployment{}, fmt.Errorf("deployment: %w. allowed are %s", err, strings.Join(keys(d), ", "))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Deployment{}, errors.New("deployment: more follows after the object's end. give one object")
	}
	d.fill()
	return d, d.validate()
}

func (d *Deployment) fill() {
	set(&d.Primary, DefaultPrimary)
	if d.Secondary == nil && d.Primary != DefaultSecondary {
		d.Secondary = []string{DefaultSecondary}
	}
	if d.Security.Severities == nil {
		d.Security.Severities = []finding.Severity{finding.Critical, finding.High}
	}
	if d.DevOps.Severities == nil {
		d.DevOps.Severities = []finding.Severity{finding.High, finding.Medium, finding.Low}
	}
	set(&d.Schedules.Daily, "cron(0 3 * * ? *)")
	set(&d.Schedules.Weekly, "cron(0 5 ? * SUN *)")
	set(&d.Schedules.Report, "cron(0 7 ? * MON *)")
	set(&d.Schedules.Overdue, "cron(0 7 ? * TUE-SUN *)")
	set(&d.Retention.ReportDays, 365)
	set(&d.Retention.ArchiveDays, 90)
	set(&d.Retention.WorkDays, 14)
	set(&d.Retention.NoncurrentDays, 30)
	set(&d.Retention.LogDays, 365)
	set(&d.Network.CIDR, "10.71.0.0/24")
	set(&d.Network.Zones, 2)
	set(&d.Recorder, RecorderExisting)
	set(&d.Hook, Off)
	set(&d.Remediation, Off)
	if d.RemediationTypes == nil {
		d.RemediationTypes = slices.Clone(permission.DefaultChanges)
	}
	for i := range d.Webhooks {
		set(&d.Webhooks[i].Name, string(d.Webhooks[i].Kind))
	}
	if d.ConfigTypes == nil {
		d.ConfigTypes = slices.Clone(DefaultConfigTypes)
	}
}

// set gives a value that is zero its default.
func set[T comparable](value *T, standard T) {
	var zero T
	if *value == zero {
		*value = standard
	}
}

// Regions lists the primary, then the secondaries in the order given.
func (d Deployment) Regions() []string { return append([]string{d.Primary}, d.Secondary...) }

// Changes lists the types of resources that may be changed; none where
// remediation is off.
func (d Deployment) Changes() []string {
	if d.Remediation != On {
		return nil
	}
	return d.RemediationTypes
}

// Channels returns the webhooks as functions read them: the channels, and by
// channel the name of its secret, both JSON; "" where there is none.
func (d Deployment) Channels() (channels, secrets string, err error) {
	if len(d.Webhooks) == 0 {
		return "", "", nil
	}
	list, names := []alert.Channel{}, map[string]string{}
	for _, w := range d.Webhooks {
		list, names[w.Name] = append(list, alert.Channel{Name: w.Name, Kind: w.Kind, Severities: w.Severities}), w.Secret
	}
	a, err := json.Marshal(list)
	if err != nil {
		return "", "", err
	}
	b, err := json.Marshal(names)
	return string(a), string(b), err
}

// Told reports whether the audience is told of a severity.
func (a Audience) Told(s finding.Severity) bool { return slices.Contains(a.Severities, s) }
