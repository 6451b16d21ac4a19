package ruleset

import (
	"crypto/sha256"
	"strings"

	"cel.dev/cel-go/common/ast"

	"plumbline/finding"
)

// Rule is one rule file, decoded but not compiled. Immutable once read, so
// safe for concurrent use.
//
// A rule judges one resource at a time: `when` says whether it applies, `pass`
// whether the resource is right, `message` what was found. All three are CEL,
// typed from CloudFormation's schema of the resource's type (see docs/rules.md).
type Rule struct {
	ID          string              // lower-case words joined by "-", such as s3-bucket-versioning; never reused
	Title       string              // what is right, in present tense: "Bucket keeps old object versions"
	Severity    finding.Severity    // before overrides of the policy file
	Domain      finding.Domain      //
	Types       []string            // CloudFormation types; empty where Scope is not ScopeTypes
	Match       Match               // which resources the rule is for
	Relations   []Relation          // related resources, in source order
	Let         []Let               // named sub-expressions, in source order; each may use those before it
	When        Expression          // bool; empty: the rule applies to each resource of its types
	Pass        Expression          // bool
	Message     Expression          // string; empty: the title
	At          string              // property path whose place a failure has, such as VersioningConfiguration.Status; "" finds it
	Remediation string              // what to do, in words
	Fix         []FixStep           // what to change; empty: no property change settles it
	Breaks      string              // what the fix may break, in words
	CutsOff     bool                // what Breaks says ends access, traffic or permissions that somebody has
	Permanent   string              // why what the fix does can never be taken back, in words; empty: it can
	Equivalents map[string][]string // the same check elsewhere: config, securityhub, guard, checkov, cfn_nag, trivy, kics, regula
	References  []string            // URLs or ids a reader may look up
	Deprecated  bool                // kept so that its id is never reused; it judges nothing
	Reserved    bool                // made by the program, not by a file: template-readable

	checked *checkedTexts                                // of the set it belongs to; nil: none
	source  [sha256.Size]byte                            // hash of its file, where checked is used or made
	keep    func(key string, tree *ast.AST, nested bool) // gets what is checked, where checked is made

	File string // path inside the rules' file system, "" for a reserved rule
	Line int    // of the id
}

// Match says which resources a rule is for.
type Match uint8

// The ways of matching.
const (
	MatchTypes    Match = iota // the types listed
	MatchTaggable              // `types: taggable`: every type with a tag property
	MatchAny                   // `types: any`: every type of the schema
	MatchUnknown               // `types: unknown`: every type of AWS's that the schema does not have
)

// Expression is CEL text with its place in the rule file.
type Expression struct {
	Text   string // "" where the rule has none
	Line   int    // of the text's first line in the file, 1-based
	Column int    // where that line's text begins, 1-based

	block  bool // a literal block: every line begins at Column
	folded bool // lines of the text are not lines of the file
}

// Let is one named sub-expression.
type Let struct {
	Name string
	Expression
}

// Relation names resources of the same template that a rule looks at beside
// its own. It reads in CEL as a list of the related type.
type Relation struct {
	Name string // the CEL variable
	Type string // type of the related resources
	// By is the related resource's property that refers to this one
	// ("Bucket", or "Rules[].TargetId"). Exactly one of By, From and Any is set.
	By string
	// From is this resource's property that refers to the related one.
	From string
	// Any takes every resource of the type in the template.
	Any bool
	// Of makes it a hop: the references run from or to the resources of this
	// earlier relation instead of the rule's own resource.
	Of string
	// Live says in words where a live scan would read the relation, such as
	// "ec2:DescribeRouteTables"; "" : a live scan cannot, and the verdict is error.
	Live string
	Line int
}

// FixStep is one step of a rule's fix: an operation on the resource's
// properties, or a companion resource to add.
type FixStep struct {
	Do   string   // "set", "add", "remove", "companion", "tags" or "delete"
	Path []string // property path, "Rules[]" for each item of a list; for "companion" the one type name; for "tags" and "delete" nil
	On   string   // the relation whose resources are changed; "": the finding's own
	// Where says of which items of the path's last [] the step is made; the
	// item is the variable `item`. Without [] it says whether the step is made. Empty: all, and yes.
	Where Expression
	// Exactly one of the three gives the value; none of them for remove, tags and delete.
	// With CEL and Policy, item is the policy's value in the expression.
	Value  any        // plain: string, bool, int, float64, []any, map[string]any; nil: none
	CEL    Expression // evaluated for the finding's resource; "" : none
	Policy string     // the policy file's values.<name>; "" : none
	Line   int
}

// EquivalentTools are the keys that `equivalents` may have.
var EquivalentTools = []string{"config", "securityhub", "guard", "checkov", "cfn_nag", "trivy", "kics", "regula"}

// TemplateReadable is the reserved rule: each template, and each part of it,
// can be read.
var TemplateReadable = &Rule{
	ID:          finding.TemplateReadable,
	Title:       "Template can be read",
	Severity:    finding.High,
	Domain:      finding.Configuration,
	Remediation: "Correct the template at the place that the message names; CloudFormation would refuse it as well.",
	Reserved:    true,
}

// LiveReadable and LiveMatchesTemplate are the reserved rules of live scans,
// SuppressionCurrent that of suppressions.
var (
	LiveReadable = &Rule{
		ID:          finding.LiveReadable,
		Title:       "Deployed resource can be read",
		Severity:    finding.High,
		Domain:      finding.Configuration,
		Remediation: "Give the role that scans the permission that the message names.",
		Reserved:    true,
	}
	// SuppressionCurrent is the reserved rule of suppressions in templates.
	SuppressionCurrent = &Rule{
		ID:          finding.SuppressionCurrent,
		Title:       "Suppression is current",
		Severity:    finding.Low,
		Domain:      finding.Configuration,
		Remediation: "Take the suppression out of the template; where it expired and the finding still counts, settle it or renew the reason and the date.",
		Reserved:    true,
	}
	LiveMatchesTemplate = &Rule{
		ID:          finding.LiveMatchesTemplate,
		Title:       "Deployed resource is as its template has it",
		Severity:    finding.Medium,
		Domain:      finding.Configuration,
		Remediation: "Take the change over into the template, or undo it by a deployment that touches these properties.",
		Reserved:    true,
	}
)

// reserved are the rules that no file makes, by id.
func reserved(id string) *Rule {
	switch id {
	case finding.TemplateReadable:
		return TemplateReadable
	case finding.LiveReadable:
		return LiveReadable
	case finding.SuppressionCurrent:
		return SuppressionCurrent
	case finding.LiveMatchesTemplate:
		return LiveMatchesTemplate
	}
	return nil
}

// FixStatus says without a finding what the fix can do for resources of a type:
// FixNone without steps, FixNeedsValue where the policy file lacks a value of
// it, else FixAvailable.
func (r *Rule) FixStatus(p *Policy, region, typ string) string {
	if len(r.Fix) == 0 {
		return finding.FixNone
	}
	for i := range r.Fix {
		if (r.Fix[i].Do == doTags || strings.Contains(r.Fix[i].CEL.Text, "policy.givenTags(")) && !p.givesTags(typ) {
			return finding.FixNeedsValue
		}
		if name := r.Fix[i].Policy; name != "" {
			if _, ok := p.Value(name, region); !ok {
				return finding.FixNeedsValue
			}
		}
	}
	return finding.FixAvailable
}
