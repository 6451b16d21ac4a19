package ruleset

import "plumbline/finding"

// Policy is the organisation's own file, plumbline.yaml: what it asks beyond
// the rules, which values rules and fixes use, and what it has decided not to
// count. A nil *Policy and the zero Policy are usable: every unset field reads
// as in DefaultPolicy once WithDefaults has filled it. A nil list is unset; an
// empty list that was written ("allowedRegions: []") means none. Immutable
// after ReadPolicy, so safe for concurrent use.
//
// Struct tags: yaml is the key in the file; cel the field's name in rules'
// variable `policy` ("" or "-": not visible there); check names the validation
// of a text (see policy_decode.go); doc is the description that the JSON
// Schema and docs/policy.md show; need:"true" says the key must be there.
type Policy struct {
	Version         int             `yaml:"version" doc:"format of this file; 1"`
	RequiredTags    []RequiredTag   `yaml:"requiredTags" cel:"requiredTags" doc:"tags that every taggable resource carries"`
	ExemptTags      []ExemptTag     `yaml:"exemptTags" cel:"exemptTags" doc:"tags that exempt a resource from the rules that ask for them by policy.exempt; no built-in rule reads them: they are for rules of your own"`
	AllowedRegions  []string        `yaml:"allowedRegions" cel:"allowedRegions" check:"region" doc:"regions in which resources may stand; empty: any"`
	InstanceClasses InstanceClasses `yaml:"instanceClasses" cel:"instanceClasses" doc:"instance classes that may be used, as globs; empty: any"`
	Naming          []Naming        `yaml:"naming" cel:"naming" doc:"what names that are written in templates look like"`
	Rules           RuleSettings    `yaml:"rules" doc:"by rule id or glob: another severity, or off with the reason"`
	Suppressions    []Suppression   `yaml:"suppressions" doc:"findings that do not count, each with a reason"`
	Scope           ScopePolicy     `yaml:"scope" doc:"what is cardholder data environment, connected to it, or out of scope; reports say it of each stack"`
	Values          Values          `yaml:"values" doc:"what the organisation supplies to fixes, such as kmsKey or logBucket"`
	Ports           Ports           `yaml:"ports" cel:"ports" doc:"ports by what rules ask of them"`
	Retention       Retention       `yaml:"retention" cel:"retention" doc:"minimums and maximums in days"`
	Passwords       Passwords       `yaml:"passwords" cel:"passwords" doc:"what password policies ask at least; no built-in rule reads them: they are for rules of your own"`
	TrustedAccounts []string        `yaml:"trustedAccounts" cel:"trustedAccounts" check:"account" doc:"accounts other than the own that may be granted access; no built-in rule reads them: they are for rules of your own"`
	TLSPolicies     TLSPolicies     `yaml:"tlsPolicies" cel:"tlsPolicies" doc:"accepted TLS policy names by service, as globs"`

	Accounts []AccountName `yaml:"accounts" doc:"what people call accounts; messages name them so"`

	Remediation RemediationPolicy `yaml:"remediation" doc:"which violations may be settled by a machine, and who decides"`

	RulePages string `yaml:"rulePages" check:"web" doc:"where the pages of docs/rules are served, such as https://git.example.com/plumbline/docs/rules; reports link to them. unset: their path in plumbline's repository"`

	SLA   SLA   `yaml:"sla" doc:"in how many days a violation is due, counted from when it was first seen"`
	Owner Owner `yaml:"owner" doc:"who answers for a resource: by its tags, else by default"`

	Path string `yaml:"-"` // of the file, "" for defaults
}

// RequiredTag is one tag that every taggable resource carries. With neither
// Values nor Pattern any value that is not empty will do.
type RequiredTag struct {
	Key     string   `yaml:"key" cel:"key" need:"true" doc:"the tag's key, matched exactly"`
	Values  []string `yaml:"values" cel:"values" doc:"allowed values; empty: any"`
	Pattern string   `yaml:"pattern" cel:"pattern" check:"regexp" doc:"RE2 expression that the whole value or a part of it matches; use ^ and $ for the whole"`
	Default string   `yaml:"default" cel:"default" doc:"value that a fix gives the tag where it is missing or not allowed; empty: the only one of values, else none"`
	Only    []string `yaml:"only" cel:"only" check:"type" doc:"resource types that it is asked of, as globs; empty: every taggable type"`
	Except  []string `yaml:"except" cel:"except" check:"type" doc:"resource types that it is not asked of, as globs"`
}

// ExemptTag is a tag by which a team may exempt a resource from rules that
// call policy.exempt(tags, key). Nothing is exempt by default.
type ExemptTag struct {
	Key    string   `yaml:"key" cel:"key" need:"true" doc:"the tag's key"`
	Values []string `yaml:"values" cel:"values" doc:"values that exempt; empty: any value"`
	Reason string   `yaml:"reason" check:"reason" need:"true" doc:"why such resources are exempt"`
}

// InstanceClasses lists allowed instance classes by service, as globs
// ("t3.*"). An empty list allows any.
type InstanceClasses struct {
	EC2         []string `yaml:"ec2" cel:"ec2" doc:"EC2 instance types, such as t3.*, of instances and of what starts them: launch templates and configurations, Auto Scaling groups, Spot Fleets, EKS node groups"`
	RDS         []string `yaml:"rds" cel:"rds" doc:"RDS, DocumentDB and Neptune classes, such as db.t4g.*"`
	ElastiCache []string `yaml:"elasticache" cel:"elasticache" doc:"ElastiCache node types, such as cache.t4g.*"`
	OpenSearch  []string `yaml:"opensearch" cel:"opensearch" doc:"OpenSearch instance types, such as r6g.*.search"`
}

// Naming is what a written name looks like. A resource without the property
// passes: CloudFormation makes a unique name then.
type Naming struct {
	Types    []string `yaml:"types" cel:"types" check:"type" need:"true" doc:"resource types, as globs"`
	Property string   `yaml:"property" cel:"property" need:"true" doc:"the property that holds the name, such as BucketName"`
	Pattern  string   `yaml:"pattern" cel:"pattern" check:"regexp" need:"true" doc:"RE2 expression that the name matches"`
}

// RuleSettings is a mapping of rule id or glob to its setting, in the order
// of the file.
type RuleSettings []RuleSetting

// RuleSetting changes one rule, or those whose id matches a glob. An exact id
// wins over a glob, an earlier glob over a later one.
type RuleSetting struct {
	Rule     string           `yaml:"-"` // the key: rule id or glob
	Severity finding.Severity `yaml:"severity" check:"severity" doc:"severity instead of the rule's own"`
	Off      string           `yaml:"off" check:"reason" doc:"turns the rule off; the text is the reason, and reports show it"`
	Line     int              `yaml:"-" hash:"-"`
}

// Suppression says that findings do not count, why, until when, and who
// answers for it. Each selector that is set must match; within a selector one
// of the listed globs must. At least one of Resource, Path, Stack, Template,
// Account, Region must be set: a rule that is not wanted at all is turned off
// under `rules`.
type Suppression struct {
	Rule     []string `yaml:"rule" need:"true" doc:"rule ids, or globs of them"`
	Resource []string `yaml:"resource" doc:"logical ids, as globs"`
	Path     []string `yaml:"path" doc:"CDK construct paths, as globs; * does not stop at /"`
	Stack    []string `yaml:"stack" doc:"stack names, as globs"`
	Template []string `yaml:"template" doc:"template paths as reports show them, as globs; * does not stop at /"`
	Account  []string `yaml:"account" doc:"account ids"`
	Region   []string `yaml:"region" doc:"regions, as globs"`

	Reason              string `yaml:"reason" check:"reason" need:"true" doc:"why it does not count; reports show it"`
	Until               string `yaml:"until" check:"date" doc:"last day on which it applies, YYYY-MM-DD; without it there is no end"`
	Approver            string `yaml:"approver" doc:"who answers for it"`
	CompensatingControl string `yaml:"compensatingControl" doc:"what protects instead"`
	Line                int    `yaml:"-" hash:"-"`
}

// ScopePolicy sorts accounts, stacks and tags into cardholder data environment,
// connected, and out of scope. Of several that match the strictest wins.
// Unset, everything is in the cardholder data environment: PCI DSS takes a
// system as in scope until it is shown to be outside.
type ScopePolicy struct {
	Default   Scope        `yaml:"default" check:"scope" doc:"scope of what no entry names: cde, connected or out"`
	CDE       []ScopeMatch `yaml:"cde" doc:"stores, processes or transmits cardholder data"`
	Connected []ScopeMatch `yaml:"connected" doc:"connected to it, or able to affect its security"`
	Out       []ScopeMatch `yaml:"out" doc:"neither"`
}

// ScopeMatch selects resources. Each part that is set must match.
type ScopeMatch struct {
	Accounts []string `yaml:"accounts" check:"account" doc:"account ids"`
	Stacks   []string `yaml:"stacks" doc:"stack names, as globs"`
	Tags     []TagIs  `yaml:"tags" doc:"tags of which one must be there"`
}

// TagIs matches a tag by key and, unless it is empty, by value.
type TagIs struct {
	Key   string `yaml:"key" need:"true" doc:"the tag's key"`
	Value string `yaml:"value" doc:"the tag's value, as a glob; empty: any"`
}

// Scope is a resource's place in PCI DSS scope.
type Scope string

// The scopes, strictest first.
const (
	ScopeCDE       Scope = "cde"
	ScopeConnected Scope = "connected"
	ScopeOut       Scope = "out"
)

// Scopes lists the scopes, strictest first.
var Scopes = []Scope{ScopeCDE, ScopeConnected, ScopeOut}

// Values is a mapping of name to a text, or to a mapping of region to text.
type Values []Value

// Value is one thing the organisation supplies to fixes.
type Value struct {
	Name     string            `yaml:"-"` // the key: kmsKey, logBucket, …
	Text     string            `yaml:"-"` // for every region that ByRegion does not name
	ByRegion map[string]string `yaml:"-"`
	Line     int               `yaml:"-" hash:"-"`
}

// SLA is in how many days a violation of each severity is due.
type SLA struct {
	Critical int `yaml:"critical" check:"days" doc:"days for a critical violation"`
	High     int `yaml:"high" check:"days" doc:"days for a high one"`
	Medium   int `yaml:"medium" check:"days" doc:"days for a medium one"`
	Low      int `yaml:"low" check:"days" doc:"days for a low one"`
}

// Owner says who answers for a resource. Each owner is told apart from the
// others; resources without one are Default's, and with no Default they are of
// the one audience without a name.
type Owner struct {
	Tags    []string `yaml:"tags" doc:"keys of tags that name the owner, the first that a resource carries; none: no tag does"`
	Default string   `yaml:"default" doc:"owner of resources that carry none of the tags"`
}

// Ports lists ports by what rules ask of them.
type Ports struct {
	Admin     []int `yaml:"admin" cel:"admin" check:"port" doc:"remote administration: never open to the world"`
	Database  []int `yaml:"database" cel:"database" check:"port" doc:"data stores and caches: never open to the world"`
	Cleartext []int `yaml:"cleartext" cel:"cleartext" check:"port" doc:"protocols that carry credentials or data in clear: not open to anyone"`
	Public    []int `yaml:"public" cel:"public" check:"port" doc:"the only ports that may be open to the world"`
}

// Retention is how long things are kept, in days.
type Retention struct {
	LogDays            int `yaml:"logDays" cel:"logDays" check:"days" doc:"at least so long logs are kept"`
	BackupDays         int `yaml:"backupDays" cel:"backupDays" check:"days" doc:"at least so long automatic backups are kept"`
	SecretRotationDays int `yaml:"secretRotationDays" cel:"secretRotationDays" check:"days" doc:"at most so long a secret stays the same; no built-in rule reads it: it is for rules of your own"`
	KeyDeletionDays    int `yaml:"keyDeletionDays" cel:"keyDeletionDays" check:"days" doc:"at least so long a KMS key waits for its deletion; no built-in rule reads it: it is for rules of your own"`
}

// Passwords is what password policies ask at least.
type Passwords struct {
	MinLength  int `yaml:"minLength" cel:"minLength" check:"count" doc:"characters"`
	MaxAgeDays int `yaml:"maxAgeDays" cel:"maxAgeDays" check:"days" doc:"at most so long a password stays valid"`
	History    int `yaml:"history" cel:"history" check:"count" doc:"so many former passwords may not be used again"`
}

// TLSPolicies lists accepted TLS policy names by service, as globs.
type TLSPolicies struct {
	ELB        []string `yaml:"elb" cel:"elb" doc:"of load balancer listeners, both generations"`
	CloudFront []string `yaml:"cloudfront" cel:"cloudfront" doc:"MinimumProtocolVersion of viewer certificates"`
	APIGateway []string `yaml:"apigateway" cel:"apigateway" doc:"SecurityPolicy of domain names; no built-in rule reads it: it is for rules of your own"`
	OpenSearch []string `yaml:"opensearch" cel:"opensearch" doc:"TLSSecurityPolicy of domains"`
	Transfer   []string `yaml:"transfer" cel:"transfer" doc:"SecurityPolicyName of Transfer Family servers"`
}
