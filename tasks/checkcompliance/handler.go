// Package checkcompliance answers AWS Config: it judges resources by the rules
// of their type, for a custom rule of Config that asks when one has changed or
// by a schedule. What is not known for certain is not answered, so that nothing
// is ever compliant because it could not be read.
package checkcompliance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"plumbline/cfn"
	"plumbline/finding"
	"plumbline/remedy/live"
	"plumbline/scan"
	"plumbline/scan/deployed"
	"plumbline/tasks"
	"plumbline/tasks/catalog"
)

// Resources reads live resources with what stands around them; *deployed.Reader is one.
type Resources interface {
	One(ctx context.Context, typ string, names ...string) (*cfn.Model, string, error)
	All(ctx context.Context, typ string) ([]string, error)
}

// Rules judge models; *ruleset.Set is one.
type Rules interface {
	Judge(ctx context.Context, domain finding.Domain, models []*cfn.Model, keep func(status string) bool) ([]finding.Finding, finding.Counts, error)
}

// Evaluations take the answers, of which a service takes MostAtOnce in a call.
type Evaluations interface {
	Put(ctx context.Context, token string, list []scan.Evaluation) error
}

// MostAtOnce is how many evaluations one call takes. Source: AWS Config API
// Reference, PutEvaluations.
const MostAtOnce = 100

// Config says what the function works with on AWS.
type Config struct {
	Bucket string // of the bundle
	Bundle string // key of the organisation's policy and rules; "": the built-in rules and no policy
}

// ConfigFromEnv reads the configuration from the environment.
func ConfigFromEnv(lookup func(string) (string, bool)) (Config, error) {
	var c Config
	err := tasks.Environment(lookup,
		tasks.Variable{Name: catalog.BucketVar, Value: &c.Bucket, Meaning: tasks.BucketMeaning},
		tasks.Variable{Name: catalog.BundleVar, Value: &c.Bundle, Meaning: tasks.BundleMeaning, Optional: true},
	)
	return c, err
}

// Handler is the task. It only answers; asked twice it answers twice.
type Handler struct {
	resources   Resources
	rules       Rules
	evaluations Evaluations
	now         func() time.Time
}

// New returns the task.
func New(r Resources, rules Rules, e Evaluations, now func() time.Time) *Handler {
	return &Handler{resources: r, rules: rules, evaluations: e, now: now}
}

// In is the event of a custom rule. Source: AWS Config Developer Guide, "Example
// events for AWS Config rules".
type In struct {
	InvokingEvent  string `json:"invokingEvent"`  // JSON
	RuleParameters string `json:"ruleParameters"` // JSON: {"type": …} for a rule that runs by a schedule
	ResultToken    string `json:"resultToken"`
	EventLeftScope bool   `json:"eventLeftScope"`
	ConfigRuleName string `json:"configRuleName"`
	AccountID      string `json:"accountId"`
}

// Out counts what was answered.
type Out struct {
	Evaluated int `json:"evaluated"` // resources that were answered for
	Open      int `json:"open"`      // resources that nothing was said of: not known, or not readable
}

// item is what a change event says of the resource.
type item struct {
	ResourceType string    `json:"resourceType"`
	ResourceID   string    `json:"resourceId"`
	ResourceName string    `json:"resourceName"`
	ARN          string    `json:"ARN"`
	Status       string    `json:"configurationItemStatus"`
	Captured     time.Time `json:"configurationItemCaptureTime"`
	AccountID    string    `json:"awsAccountId"`
	Region       string    `json:"awsRegion"`
}

// Handle judges what the event is about and answers.
func (h *Handler) Handle(ctx context.Context, in In) (Out, error) {
	var event struct {
		MessageType string    `json:"messageType"`
		Item        *item     `json:"configurationItem"`
		Summary     *item     `json:"configurationItemSummary"` // of an item that is too large for an event
		Created     time.Time `json:"notificationCreationTime"`
	}
	if in.ResultToken == "" {
		return Out{}, bad("the event has no resultToken")
	}
	if err := json.Unmarshal([]byte(in.InvokingEvent), &event); err != nil {
		return Out{}, bad("decode invokingEvent: %w", err)
	}
	switch event.MessageType {
	case "ConfigurationItemChangeNotification", "OversizedConfigurationItemChangeNotification":
		x := event.Item
		if x == nil {
			x = event.Summary
		}
		if x == nil || x.ResourceType == "" || x.ResourceID == "" {
			return Out{}, bad("the event names no resource")
		}
		return h.changed(ctx, in, x)
	case "ScheduledNotification":
		return h.scheduled(ctx, in, event.Created)
	}
	return Out{}, bad("messageType %q: allowed are ConfigurationItemChangeNotification, OversizedConfigurationItemChangeNotification and ScheduledNotification", event.MessageType)
}

// changed answers for one resource.
func (h *Handler) changed(ctx context.Context, in In, x *item) (Out, error) {
	e := scan.Evaluation{Type: x.ResourceType, ID: x.ResourceID, Compliance: scan.NotApplicable, At: x.Captured}
	if e.At.IsZero() {
		e.At = h.now()
	}
	answered := true
	if deleted := strings.HasPrefix(x.Status, "ResourceDeleted") || x.Status == "ResourceNotRecorded"; !deleted && !in.EventLeftScope {
		var err error
		if answered, err = h.judge(ctx, &e, x.Region, x.AccountID, x.ResourceID, x.ResourceName, x.ARN); err != nil {
			return Out{}, err
		}
	}
	if !answered {
		return Out{Open: 1}, nil
	}
	if err := h.put(ctx, in.ResultToken, []scan.Evaluation{e}); err != nil {
		return Out{}, err
	}
	return Out{Evaluated: 1}, nil
}

// scheduled answers for all resources of the type that the rule is for.
func (h *Handler) scheduled(ctx context.Context, in In, at time.Time) (Out, error) {
	var parameters struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal([]byte(in.RuleParameters), &parameters); err != nil || parameters.Type == "" {
		return Out{}, bad("a rule that runs by a schedule needs the parameter type, such as AWS::S3::Bucket")
	}
	if at.IsZero() {
		at = h.now()
	}
	ids, err := h.resources.All(ctx, parameters.Type)
	if err != nil {
		return Out{}, tasks.StoreError(err)
	}
	var out Out
	var list []scan.Evaluation
	for _, id := range ids {
		e := scan.Evaluation{Type: parameters.Type, ID: id, At: at}
		answered, err := h.judge(ctx, &e, "", in.AccountID, id)
		if err != nil {
			return Out{}, err
		}
		if !answered || e.Compliance == scan.NotApplicable {
			out.Open++
			continue
		}
		list = append(list, e)
	}
	out.Evaluated = len(list)
	return out, h.put(ctx, in.ResultToken, list)
}

// put answers in as few calls as are allowed.
func (h *Handler) put(ctx context.Context, token string, list []scan.Evaluation) error {
	for batch := range slices.Chunk(list, MostAtOnce) {
		if err := h.evaluations.Put(ctx, token, batch); err != nil {
			return fmt.Errorf("answer AWS Config for %d resources: %w", len(batch), tasks.StoreError(err))
		}
	}
	return nil
}

// judge reads and judges a resource; false where nothing certain can be said.
// One violation is enough for NON_COMPLIANT; COMPLIANT needs that all rules hold.
func (h *Handler) judge(ctx context.Context, e *scan.Evaluation, region, account string, names ...string) (bool, error) {
	m, _, err := h.resources.One(ctx, e.Type, names...)
	var refused *live.Refused
	switch {
	case errors.Is(err, live.ErrGone):
		// Not there, or known to Cloud Control by none of these names: no answer.
		return false, nil
	case errors.As(err, &refused):
		return false, nil
	case err != nil:
		return false, tasks.StoreError(err)
	}
	m.Inputs = cfn.Inputs{Account: account, Region: region}
	var broken []string
	passed, open := 0, 0
	for _, d := range finding.Domains {
		found, _, err := h.rules.Judge(ctx, d, []*cfn.Model{m}, func(string) bool { return true })
		if err != nil {
			return false, fmt.Errorf("judge %s %q: %w", e.Type, e.ID, tasks.Named(catalog.RulesBroken, err))
		}
		for _, f := range found {
			switch {
			case f.Resource.LogicalID != deployed.Subject:
			case f.Verdict == finding.Fail:
				broken = append(broken, f.Rule)
			case f.Verdict == finding.Pass:
				passed++
			case f.Verdict != finding.Skip:
				open++
			}
		}
	}
	switch {
	case len(broken) > 0:
		e.Compliance, e.Annotation = scan.NonCompliant, cut(fmt.Sprintf("%d rules broken: %s", len(broken), strings.Join(broken, ", ")))
		if len(broken) == 1 {
			e.Annotation = cut("rule broken: " + broken[0])
		}
	case open > 0:
		return false, nil
	case passed > 0:
		e.Compliance, e.Annotation = scan.Compliant, fmt.Sprintf("all %d rules hold", passed)
	default:
		e.Compliance = scan.NotApplicable
	}
	return true, nil
}

// cut shortens an annotation to what AWS Config takes.
func cut(s string) string {
	const most = 256
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most-len("…")], "") + "…"
}

func bad(format string, args ...any) error {
	return tasks.Named(catalog.BadInput, fmt.Errorf(format, args...))
}
