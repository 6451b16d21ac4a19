// Package finding holds what a rule says about a resource: the verdict, where
// it was found, and the life of a finding over many scans. It imports the
// standard library only; every other package may import it.
package finding

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Verdict is the outcome of one rule on one resource.
type Verdict string

// The five verdicts. Unknown and Error are never folded into Pass or Fail.
const (
	Pass    Verdict = "pass"    // the rule holds in every world that was explored
	Fail    Verdict = "fail"    // the rule is broken; Message says by which value
	Unknown Verdict = "unknown" // a value is not known yet; Needs says what would settle it
	Error   Verdict = "error"   // the rule could not be judged: a fact was not readable, the template is broken
	Skip    Verdict = "skip"    // the rule does not apply to this resource
)

// Verdicts in the order in which reports list them.
var Verdicts = []Verdict{Fail, Error, Unknown, Pass, Skip}

// Severity orders findings by how soon a person should look at them.
type Severity string

// The four severities, highest first.
const (
	Critical Severity = "critical"
	High     Severity = "high"
	Medium   Severity = "medium"
	Low      Severity = "low"
)

// Severities lists the severities, highest first.
var Severities = []Severity{Critical, High, Medium, Low}

// Rank is 0 for Critical, 3 for Low, and 4 for a severity that does not exist.
func (s Severity) Rank() int {
	for i, x := range Severities {
		if s == x {
			return i
		}
	}
	return len(Severities)
}

// AtLeast reports whether s is as severe as floor or more. An unknown severity is never at least anything.
func (s Severity) AtLeast(floor Severity) bool {
	return s.Rank() <= floor.Rank() && s.Rank() < len(Severities)
}

// Domain is the rule set a rule belongs to; the scan workflow has one branch a domain.
type Domain string

// The seven domains.
const (
	Encryption    Domain = "encryption"
	Network       Domain = "network"
	Identity      Domain = "identity"
	Logging       Domain = "logging"
	Protection    Domain = "protection"
	Tagging       Domain = "tagging"
	Configuration Domain = "configuration"
)

// Domains lists the domains in the order of the workflow's branches.
var Domains = []Domain{Encryption, Network, Identity, Logging, Protection, Tagging, Configuration}

// TemplateReadable is the reserved rule that every template is held to: it
// fails with verdict Error and a place where a template, or a part of it,
// cannot be read.
const TemplateReadable = "template-readable"

// The reserved rules that each deployed resource of a live scan is held to.
const (
	// LiveReadable: it can be read. An error names the permission that is missing.
	LiveReadable = "live-readable"
	// LiveMatchesTemplate: it is as the template of its stack has it.
	LiveMatchesTemplate = "live-matches-template"
)

// SuppressionCurrent is the reserved rule that each suppression in a template
// is held to: it has not expired, and some finding is there that it suppresses.
const SuppressionCurrent = "suppression-current"

// Reserved lists the rules that are made by the program, not by a file, sorted.
var Reserved = []string{LiveMatchesTemplate, LiveReadable, SuppressionCurrent, TemplateReadable}

// Finding is one rule's verdict on one resource, worlds merged.
type Finding struct {
	Rule        string       // rule id, such as s3-bucket-versioning
	Severity    Severity     // after overrides of the policy file
	Domain      Domain       //
	Verdict     Verdict      //
	Resource    Resource     // zero for a finding about a whole template
	Place       Place        // where in the source; zero for a live resource
	Message     string       // what was found, with the value
	Remediation string       // what to do about it, in words
	Fix         string       // FixAvailable, FixNeedsValue or FixNone
	Needs       []string     // Unknown only: what would settle it, such as "parameter KmsKey"
	Assuming    []string     // the world it was judged in: "Environment=dev"
	Suppressed  *Suppression // nil: it counts
	Owner       string       `json:",omitempty"` // who answers for the resource by the policy; "" where it names nobody
	Deployed    Verdict      `json:",omitempty"` // of the live resource alone; "": it was not judged
	Scope       string       `json:",omitempty"` // of the resource in PCI DSS by the policy: cde, connected or out; "" where the policy says nothing of scope
}

// What a rule's fix data can do about a finding.
const (
	FixAvailable  = "available"   // the change is complete
	FixNeedsValue = "needs-value" // the organisation must supply a value in the policy file
	FixNone       = "none"        // no property change settles it
)

// Resource says which resource a finding is about. Empty parts are not known.
type Resource struct {
	Account       string // 12 digits
	Region        string // us-east-1
	Stack         string // stack name; for a template of a cdk.out the stack it deploys
	LogicalID     string
	Type          string // AWS::S3::Bucket
	ConstructPath string // CDK's aws:cdk:path
}

// Place is a position in a template. Line and Column are 1-based; 0 means live or not known.
type Place struct {
	Path   string // as given on the command line, or as found below it
	Name   string `json:",omitempty"` // of the template, the same however its path was typed; "" where that is Path
	Line   int
	Column int
}

// Suppression says why a finding does not count, and who answers for it.
type Suppression struct {
	Reason   string // never empty
	Approver string // may be empty where the source has no such field (cfn_nag, checkov, cdk-nag)
	Until    string // RFC 3339 date, empty: no end
	Control  string // compensating control, may be empty
	Source   string // where it was read: "plumbline.yaml:12", "template metadata", "cfn_nag metadata"
}

// StatusSuppressed is what reports print in the verdict's place for a suppressed finding.
const StatusSuppressed = "suppressed"

// Status is the verdict, or StatusSuppressed.
func (f Finding) Status() string {
	if f.Suppressed != nil {
		return StatusSuppressed
	}
	return string(f.Verdict)
}

// Fingerprint names a finding across scans: rule, account, region, stack (or
// template path where there is no stack) and logical id. Neither the line nor
// the time is part of it, so moving a resource in its file keeps its history.
func (f Finding) Fingerprint() string {
	sum := sha256.Sum256([]byte(strings.Join([]string{f.Rule, f.Resource.Account, f.Resource.Region, f.Where(), f.Resource.LogicalID}, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// Where is the stack, or the template's name where there is no stack.
func (f Finding) Where() string {
	if f.Resource.Stack != "" {
		return f.Resource.Stack
	}
	return f.Place.Template()
}

// Template names the template across scans: its Name, or Path where it has none.
func (p Place) Template() string {
	if p.Name != "" {
		return p.Name
	}
	return p.Path
}

// Counts is the number of verdicts of each status ("suppressed" included).
type Counts map[string]int

// Add adds other to c.
func (c Counts) Add(other Counts) {
	for k, n := range other {
		c[k] += n
	}
}
