package ruleset

import (
	"cmp"
	"slices"
	"time"

	"plumbline/finding"
)

// RemediationPolicy says which violations may be settled by a machine, and who
// decides. Entries that the organisation writes go before the shipped ones.
type RemediationPolicy struct {
	Modes       []ModeEntry     `yaml:"modes" doc:"how violations may be settled; the first entry that matches counts, and the shipped ones follow those written here"`
	Approvers   []ApproverEntry `yaml:"approvers" doc:"who may approve a change; every entry that matches adds its groups. Where none matches, anyone but the requester may"`
	ExpiryHours int             `yaml:"expiryHours" check:"hours" doc:"so long an approval is waited for; after that the answer is no"`

	Exclude []ExcludeEntry    `yaml:"exclude" doc:"what is left alone whatever the modes say: accounts, stacks, types and tags of resources"`
	Limits  RemediationLimits `yaml:"limits" doc:"how much may be changed, and how fast"`

	FollowWithinDays int `yaml:"followWithinDays" check:"days" doc:"in so many days the template of a stack follows a change that was made of its live resource; after that the finding is opened again"`
}

// ExcludeEntry leaves resources alone. Each part that is set must match.
type ExcludeEntry struct {
	Accounts []string `yaml:"accounts" check:"account" doc:"account ids"`
	Stacks   []string `yaml:"stacks" doc:"stack names, as globs"`
	Types    []string `yaml:"types" check:"type" doc:"resource types, as globs"`
	Tags     []TagIs  `yaml:"tags" doc:"tags of the resource, of which one must be there"`
	Reason   string   `yaml:"reason" check:"reason" need:"true" doc:"why they are left alone; people are told"`
}

// RemediationLimits bound what a machine does in one go. Zero: the default.
type RemediationLimits struct {
	ChangesPerHour    int `yaml:"changesPerHour" check:"count" doc:"so many changes begin in an hour, in an account and region; the others wait"`
	PerResourcePerDay int `yaml:"perResourcePerDay" check:"count" doc:"so many changes of one resource begin in a day; the others wait"`
	References        int `yaml:"references" check:"count" doc:"a change of a resource to which more others refer needs approval"`
	PerScan           int `yaml:"perScan" check:"count" doc:"so many reviews one scan of a target starts, the most severe first"`
}

// The limits where the policy says nothing. They are our own choice: few enough
// for people to follow what happens, enough for a day's ordinary violations.
const (
	DefaultChangesPerHour    = 20
	DefaultPerResourcePerDay = 3
	DefaultReferences        = 10
	DefaultPerScan           = 10
	DefaultFollowWithin      = 14 // days
)

// ModeEntry gives a mode to the violations that it matches. Each selector that
// is set must match.
type ModeEntry struct {
	Rule     []string `yaml:"rule" doc:"rule ids, or globs of them; empty: any"`
	Severity []string `yaml:"severity" check:"severity" doc:"severities; empty: any"`
	Type     []string `yaml:"type" check:"type" doc:"resource types, as globs; empty: any"`
	Mode     Mode     `yaml:"mode" check:"mode" need:"true" doc:"live (at once), approval (when people agree), template (in the source only) or never"`
	Line     int      `yaml:"-" hash:"-"`
}

// ApproverEntry names groups of people who may approve.
type ApproverEntry struct {
	Severity []string `yaml:"severity" check:"severity" doc:"severities of the violation; empty: any"`
	Type     []string `yaml:"type" check:"type" doc:"resource types, as globs; empty: any"`
	Groups   []string `yaml:"groups" need:"true" doc:"groups of the identity provider, of which one is enough"`
}

// AccountName is what people call an account.
type AccountName struct {
	ID    string `yaml:"id" check:"account" need:"true" doc:"the account's id, 12 digits"`
	Alias string `yaml:"alias" need:"true" doc:"its alias or another short name, such as payments-prod"`
}

// AccountAlias is what people call an account; "" where the policy does not say.
func (p *Policy) AccountAlias(id string) string {
	if p != nil && id != "" {
		for _, a := range p.Accounts {
			if a.ID == id {
				return a.Alias
			}
		}
	}
	return ""
}

// Mode is how a violation may be settled.
type Mode string

// The modes, the freest first.
const (
	ModeLive     Mode = "live"     // on the live resource, at once
	ModeApproval Mode = "approval" // on the live resource, when people agree
	ModeTemplate Mode = "template" // in the source it is deployed from, by its owners
	ModeNever    Mode = "never"    // not by plumbline
)

// Modes lists the modes, the freest first.
var Modes = []Mode{ModeLive, ModeApproval, ModeTemplate, ModeNever}

// Stricter is the less free of two modes.
func (m Mode) Stricter(than Mode) Mode {
	if slices.Index(Modes, m) > slices.Index(Modes, than) {
		return m
	}
	return than
}

func modeProblem(text string) string {
	names := make([]string, len(Modes))
	for i, m := range Modes {
		names[i] = string(m)
	}
	return notIn(text, names)
}

// shippedLive are the rules whose fixes may be made on a live resource, though
// a stack owns it: tags, rules of security groups that open forbidden ports,
// public access, and encryption settings that can be taken back. What a change
// of them cuts off or cannot restore makes it one that people approve.
var shippedLive = []string{
	"tagging-required-tags",
	"ec2-security-group-open-*", "rds-security-group-open", "rds-db-security-group-open",
	"*-public-access", "*-public-ip", "*-public-endpoint", "s3-bucket-block-public-*", "s3-bucket-ignore-public-acls", "s3-bucket-restrict-public-access", "s3-bucket-acl-*",
	"kms-key-rotation", "s3-bucket-encryption-kms", "sns-topic-encrypted", "sns-topic-customer-key", "sqs-queue-encrypted", "sqs-queue-encryption-kms", "sqs-queue-customer-key",
	"kinesis-stream-encrypted", "firehose-stream-encrypted", "dynamodb-table-kms", "dynamodb-table-cmk", "secretsmanager-secret-cmk",
}

// DefaultExpiry is how long an approval is waited for, in hours, where the
// policy says nothing: three days, which a weekend fits into.
const DefaultExpiry = 72

// Remediate is how a violation may be settled by the policy alone; what the
// change does can only make it stricter. said is false where neither the
// organisation nor the shipped entries name it, and template is meant.
func (p *Policy) Remediate(rule string, severity finding.Severity, typ string) (mode Mode, said bool) {
	if p != nil {
		for _, e := range p.Remediation.Modes {
			if (len(e.Rule) == 0 || GlobAny(e.Rule, rule)) && (len(e.Severity) == 0 || slices.Contains(e.Severity, string(severity))) && (len(e.Type) == 0 || GlobAny(e.Type, typ)) {
				return e.Mode, true
			}
		}
	}
	if GlobAny(shippedLive, rule) {
		return ModeLive, true
	}
	return ModeTemplate, false
}

// Approvers are the groups of which one may approve a change, sorted; none
// where the policy names none.
func (p *Policy) Approvers(severity finding.Severity, typ string) []string {
	if p == nil {
		return nil
	}
	var out []string
	for _, e := range p.Remediation.Approvers {
		if (len(e.Severity) == 0 || slices.Contains(e.Severity, string(severity))) && (len(e.Type) == 0 || GlobAny(e.Type, typ)) {
			out = append(out, e.Groups...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// ApprovalTime is how long an approval is waited for.
func (p *Policy) ApprovalTime() time.Duration {
	if p == nil || p.Remediation.ExpiryHours == 0 {
		return DefaultExpiry * time.Hour
	}
	return time.Duration(p.Remediation.ExpiryHours) * time.Hour
}

// Excluded says why a resource is left alone, and whether it is.
func (p *Policy) Excluded(r finding.Resource, tags map[string]string) (reason string, excluded bool) {
	if p == nil {
		return "", false
	}
	for i := range p.Remediation.Exclude {
		e := &p.Remediation.Exclude[i]
		if len(e.Types) > 0 && !GlobAny(e.Types, r.Type) {
			continue
		}
		m := ScopeMatch{Accounts: e.Accounts, Stacks: e.Stacks, Tags: e.Tags}
		if m.match(r.Account, r.Stack, tags) || len(e.Types) > 0 && len(e.Accounts)+len(e.Stacks)+len(e.Tags) == 0 {
			return e.Reason, true
		}
	}
	return "", false
}

// Limits are the policy's, defaults filled in.
func (p *Policy) Limits() RemediationLimits {
	var l RemediationLimits
	if p != nil {
		l = p.Remediation.Limits
	}
	l.ChangesPerHour = cmp.Or(l.ChangesPerHour, DefaultChangesPerHour)
	l.PerResourcePerDay = cmp.Or(l.PerResourcePerDay, DefaultPerResourcePerDay)
	l.References = cmp.Or(l.References, DefaultReferences)
	l.PerScan = cmp.Or(l.PerScan, DefaultPerScan)
	return l
}

// FollowWithin is how long the template has to follow a live change.
func (p *Policy) FollowWithin() time.Duration {
	days := DefaultFollowWithin
	if p != nil {
		days = cmp.Or(p.Remediation.FollowWithinDays, days)
	}
	return time.Duration(days) * 24 * time.Hour
}
