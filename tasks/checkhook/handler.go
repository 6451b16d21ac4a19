// Package checkhook answers CloudFormation's Lambda hook: it judges a resource
// before CloudFormation or Cloud Control makes or changes it.
package checkhook

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"plumbline/cfn"
	"plumbline/finding"
	"plumbline/ruleset"
	"plumbline/tasks"
	"plumbline/tasks/catalog"
)

// Rules judge models; *ruleset.Set is one.
type Rules interface {
	Judge(ctx context.Context, domain finding.Domain, models []*cfn.Model, keep func(status string) bool) ([]finding.Finding, finding.Counts, error)
	Relations(typ string) ([][]ruleset.Relation, error)
}

// Suppress marks findings that do not count.
type Suppress func(models []*cfn.Model, findings []finding.Finding, now time.Time) (stale []finding.Finding, warnings []string)

// Config says what blocks, and what the function works with on AWS.
type Config struct {
	Bucket string // of the bundle
	Bundle string // key of the organisation's policy and rules; "": the built-in rules and no policy
	// Blocking are the severities for which a change is refused; nil: critical and high.
	Blocking []finding.Severity
	// Exempt are names of stacks that are never refused, as names or with a * at
	// the end: those of plumbline itself, which could not be mended otherwise.
	Exempt []string
}

// Exempt are the stacks of plumbline.
var Exempt = []string{"PlumblineData", "PlumblineSuite"}

// ConfigFromEnv reads the configuration from the environment.
func ConfigFromEnv(lookup func(string) (string, bool)) (Config, error) {
	c := Config{Exempt: Exempt}
	var blocking string
	err := tasks.Environment(lookup,
		tasks.Variable{Name: catalog.BucketVar, Value: &c.Bucket, Meaning: tasks.BucketMeaning},
		tasks.Variable{Name: catalog.BundleVar, Value: &c.Bundle, Meaning: tasks.BundleMeaning, Optional: true},
		tasks.Variable{Name: catalog.BlockingVar, Value: &blocking, Meaning: "the severities for which a change is refused, with commas between them", Optional: true},
	)
	for s := range strings.SplitSeq(blocking, ",") {
		switch severity := finding.Severity(strings.TrimSpace(s)); {
		case severity == "":
		case slices.Contains(finding.Severities, severity):
			c.Blocking = append(c.Blocking, severity)
		default:
			err = errors.Join(err, fmt.Errorf("environment variable %s names the severity %q. allowed are critical, high, medium, low", catalog.BlockingVar, severity))
		}
	}
	return c, err
}

// Handler is the task. It only reads.
type Handler struct {
	rules    Rules
	suppress Suppress // nil: nothing is suppressed
	config   Config
	now      func() time.Time
}

// New returns the task.
func New(r Rules, s Suppress, c Config, now func() time.Time) *Handler {
	if c.Blocking == nil {
		c.Blocking = []finding.Severity{finding.Critical, finding.High}
	}
	return &Handler{rules: r, suppress: s, config: c, now: now}
}

// In is the request of a hook on resources. Source: CloudFormation Hooks User
// Guide, "Evaluating resource operations with Lambda Hooks".
type In struct {
	ClientRequestToken string `json:"clientRequestToken"`
	AccountID          string `json:"awsAccountId"`
	StackID            string `json:"stackId"` // "" for a request of Cloud Control
	InvocationPoint    string `json:"actionInvocationPoint"`
	Request            struct {
		TargetName      string `json:"targetName"` // the resource's type
		TargetLogicalID string `json:"targetLogicalId"`
		Model           struct {
			Properties json.RawMessage `json:"resourceProperties"`
		} `json:"targetModel"`
	} `json:"requestData"`
}

// Out is the answer.
type Out struct {
	HookStatus         string       `json:"hookStatus"`          // SUCCESS or FAILED
	ErrorCode          string       `json:"errorCode,omitempty"` // NonCompliant or InternalFailure
	Message            string       `json:"message"`
	ClientRequestToken string       `json:"clientRequestToken"`
	Annotations        []Annotation `json:"annotations,omitempty"`
}

// Annotation is one rule's word. Source: CloudFormation API Reference, Annotation.
type Annotation struct {
	Name               string `json:"annotationName"`
	Status             string `json:"status"` // FAILED, or SKIPPED where it is not known
	StatusMessage      string `json:"statusMessage"`
	RemediationMessage string `json:"remediationMessage,omitempty"`
	SeverityLevel      string `json:"severityLevel"`
}

// Limits of an answer. Source: CloudFormation Hooks User Guide, "Response
// input", and API Reference, Annotation; the number of annotations is ours.
const (
	mostMessage     = 1024 // of a request of Cloud Control; 4096 for CloudFormation
	mostAnnotations = 50
)

// Handle judges the resource. A failure of our own is answered as one, so that
// the hook's failure mode decides: no resource passes because it was not judged.
func (h *Handler) Handle(ctx context.Context, in In) (Out, error) {
	out := Out{HookStatus: "SUCCESS", ClientRequestToken: in.ClientRequestToken}
	stack := stackName(in.StackID)
	switch {
	case h.exempt(stack):
		out.Message = "stack " + stack + " is plumbline's own"
		return out, nil
	case strings.HasPrefix(in.InvocationPoint, "DELETE"):
		out.Message = "deletions are not judged"
		return out, nil
	case in.Request.TargetName == "" || len(in.Request.Model.Properties) == 0:
		return failed(out, "the request has no type or no properties. plumbline's hook is for targets of type RESOURCE"), nil
	}
	found, err := h.judge(ctx, &in, stack)
	if err != nil {
		return failed(out, "plumbline could not judge the resource: "+err.Error()), nil
	}
	h.answer(&out, found)
	return out, nil
}

func failed(out Out, message string) Out {
	out.HookStatus, out.ErrorCode, out.Message = "FAILED", "InternalFailure", cut(message)
	return out
}

// stackName reads the name from a stack's id.
func stackName(id string) string {
	if parts := strings.Split(id, "/"); len(parts) == 3 {
		return parts[1]
	}
	return id
}

func (h *Handler) exempt(stack string) bool {
	return stack != "" && slices.ContainsFunc(h.config.Exempt, func(name string) bool {
		prefix, glob := strings.CutSuffix(name, "*")
		return stack == name || glob && strings.HasPrefix(stack, prefix)
	})
}

// judge judges the resource by all domains. Nothing is known of what stands
// around it, so a relation is an unknown one.
func (h *Handler) judge(ctx context.Context, in *In, stack string) ([]finding.Finding, error) {
	typ, id := in.Request.TargetName, cmp.Or(in.Request.TargetLogicalID, "Resource")
	res, err := cfn.Live(typ, id, in.Request.Model.Properties)
	if err != nil {
		return nil, err
	}
	m := &cfn.Model{Resources: []*cfn.Resource{res}, Determined: true, Inputs: cfn.Inputs{Account: in.AccountID, Region: region(in.StackID), Stack: stack}}
	rules, err := h.rules.Relations(typ)
	if err != nil {
		return nil, err
	}
	for _, relations := range rules {
		for i := range relations {
			if !slices.Contains(m.Unlisted, relations[i].Type) {
				m.Unlisted = append(m.Unlisted, relations[i].Type)
			}
		}
	}
	models := []*cfn.Model{m}
	var out []finding.Finding
	for _, d := range finding.Domains {
		found, _, err := h.rules.Judge(ctx, d, models, func(status string) bool { return status != string(finding.Pass) && status != string(finding.Skip) })
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			f.Resource.Account, f.Resource.Region, f.Resource.Stack = in.AccountID, m.Inputs.Region, stack
			out = append(out, f)
		}
	}
	if h.suppress != nil {
		h.suppress(models, out, h.now())
	}
	return slices.DeleteFunc(out, func(f finding.Finding) bool { return f.Suppressed != nil }), nil
}

func region(stackID string) string {
	if parts := strings.Split(stackID, ":"); len(parts) > 4 {
		return parts[3]
	}
	return ""
}

// answer refuses for what blocks, and tells of the rest. The most severe come first.
func (h *Handler) answer(out *Out, found []finding.Finding) {
	slices.SortStableFunc(found, func(a, b finding.Finding) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a.Rule, b.Rule))
	})
	var blocking, lesser []string
	for _, f := range found {
		a := Annotation{Name: f.Rule, Status: "FAILED", StatusMessage: f.Message, RemediationMessage: f.Remediation, SeverityLevel: strings.ToUpper(string(f.Severity))}
		switch {
		case f.Verdict != finding.Fail:
			a.Status, a.RemediationMessage = "SKIPPED", ""
		case slices.Contains(h.config.Blocking, f.Severity):
			blocking = append(blocking, f.Rule+" ("+string(f.Severity)+"): "+f.Message)
		default:
			lesser = append(lesser, f.Rule)
		}
		if len(out.Annotations) < mostAnnotations {
			out.Annotations = append(out.Annotations, a)
		}
	}
	switch {
	case len(blocking) > 0:
		out.HookStatus, out.ErrorCode = "FAILED", "NonCompliant"
		out.Message = cut(fmt.Sprintf("%d violations: %s", len(blocking), strings.Join(blocking, "; ")))
	case len(lesser) > 0:
		out.Message = cut(fmt.Sprintf("%d lesser violations: %s", len(lesser), strings.Join(lesser, ", ")))
	default:
		out.Message = "no violation was found"
	}
}

// rank orders violations before what is not known, and by severity.
func rank(f finding.Finding) int {
	if f.Verdict != finding.Fail {
		return 10
	}
	return f.Severity.Rank()
}

func cut(s string) string {
	if len(s) <= mostMessage {
		return s
	}
	return strings.ToValidUTF8(s[:mostMessage-len("…")], "") + "…"
}
