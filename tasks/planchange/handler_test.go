package planchange_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"plumbline/blob"
	"plumbline/cfn"
	"plumbline/finding"
	"plumbline/internal/memory"
	"plumbline/remedy"
	"plumbline/remedy/change"
	"plumbline/rules"
	"plumbline/ruleset"
	"plumbline/tasks"
	"plumbline/tasks/catalog"
	"plumbline/tasks/planchange"
)

func TestMode(t *testing.T) {
	policy := func(mode ruleset.Mode) *ruleset.Policy {
		return &ruleset.Policy{Remediation: ruleset.RemediationPolicy{Modes: []ruleset.ModeEntry{{Mode: mode}}}}
	}
	excluded := &ruleset.Policy{Remediation: ruleset.RemediationPolicy{Exclude: []ruleset.ExcludeEntry{
		{Accounts: []string{"111122223333"}, Reason: "not ours"},
		{Tags: []ruleset.TagIs{{Key: "remediation", Value: "off"}}, Reason: "they said so"},
	}}}
	owned := finding.Resource{Stack: "s", Type: "AWS::SQS::Queue"}
	for _, row := range []struct {
		name   string
		policy *ruleset.Policy
		plan   remedy.Plan
		want   ruleset.Mode
		why    string
	}{
		{"shipped as live", nil, remedy.Plan{Rule: "sqs-queue-encrypted", Resource: owned}, ruleset.ModeLive, ""},
		{"destructive", nil, remedy.Plan{Rule: "sqs-queue-encrypted", Resource: owned, Destructive: []string{"it cuts"}}, ruleset.ModeApproval, "it cuts"},
		{"destructive, whatever the policy says", policy(ruleset.ModeLive), remedy.Plan{Rule: "x", Resource: owned, Destructive: []string{"it cuts"}}, ruleset.ModeApproval, "it cuts"},
		{"cannot be taken back", policy(ruleset.ModeLive), remedy.Plan{Rule: "x", Resource: owned, Irreversible: []string{"a secret"}}, ruleset.ModeApproval, "a secret"},
		{"cannot be made live", policy(ruleset.ModeLive), remedy.Plan{Rule: "x", Resource: owned, TemplateOnly: []string{"create-only"}, Destructive: []string{"it cuts"}}, ruleset.ModeTemplate, "create-only"},
		{"the policy is stricter", policy(ruleset.ModeNever), remedy.Plan{Rule: "x", Resource: owned, TemplateOnly: []string{"create-only"}}, ruleset.ModeNever, ""},
		{"nobody says, a stack owns it", nil, remedy.Plan{Rule: "lambda-function-tracing", Resource: owned}, ruleset.ModeTemplate, ""},
		{"many refer to it", nil, remedy.Plan{Rule: "sqs-queue-encrypted", Resource: owned, ReferredBy: make([]string, 11)}, ruleset.ModeApproval, "11 other resources refer to it, and the policy's limit is 10"},
		{"as many as may", nil, remedy.Plan{Rule: "sqs-queue-encrypted", Resource: owned, ReferredBy: make([]string, 10)}, ruleset.ModeLive, ""},
		{"excluded by its tag", excluded, remedy.Plan{Rule: "sqs-queue-encrypted", Resource: owned, Before: []byte(`{"Tags":[{"Key":"remediation","Value":"off"}]}`)}, ruleset.ModeNever, "they said so"},
		{"another tag", excluded, remedy.Plan{Rule: "sqs-queue-encrypted", Resource: owned, Before: []byte(`{"Tags":[{"Key":"remediation","Value":"on"}]}`)}, ruleset.ModeLive, ""},
		{"excluded by its account", excluded, remedy.Plan{Rule: "sqs-queue-encrypted", Resource: finding.Resource{Account: "111122223333", Stack: "s", Type: "AWS::SQS::Queue"}}, ruleset.ModeNever, "not ours"},
		{"nobody says, no stack owns it", nil, remedy.Plan{Rule: "lambda-function-tracing"}, ruleset.ModeApproval, "no stack owns"},
	} {
		t.Run(row.name, func(t *testing.T) {
			mode, why := planchange.Mode(row.policy, &row.plan)
			if text := strings.Join(why, "; "); mode != row.want || (row.why == "") != (text == "") || !strings.Contains(text, row.why) {
				t.Errorf("%s because %q, want %s because %q", mode, text, row.want, row.why)
			}
		})
	}
}

type alone struct{}

func (alone) Around(context.Context, finding.Resource) (*cfn.Model, error) { return nil, nil }
func (alone) Updating(context.Context, finding.Resource) (string, error)   { return "", nil }

// TestPlanIsOfOneChange: the same change has the same plan, another change of
// the same resource has another, and neither carries out the other's.
func TestPlanIsOfOneChange(t *testing.T) {
	set, err := ruleset.Open(rules.FS, nil)
	if err != nil {
		t.Fatal(err)
	}
	resources := new(memory.Resources)
	resources.Put("AWS::SQS::Queue", "jobs", []byte(`{"SqsManagedSseEnabled":false}`))
	h := planchange.New(set, resources, alone{}, new(blob.Memory))
	r := change.Request{Change: "one", Rule: "sqs-queue-encrypted", Identifier: "jobs", Resource: finding.Resource{LogicalID: "Jobs", Type: "AWS::SQS::Queue"}}
	first, err := h.Handle(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := h.Handle(t.Context(), r); err != nil || again != first {
		t.Errorf("%+v, then %+v %v", first, again, err)
	}
	r.Change = "two"
	other, err := h.Handle(t.Context(), r)
	if err != nil || other.Plan == first.Plan {
		t.Errorf("another change has the same plan: %v", err)
	}
	_, err = h.Handle(t.Context(), change.Request{Change: "two", Plan: first.Plan})
	var named *tasks.Error
	if !errors.As(err, &named) || named.Name != catalog.BadInput {
		t.Errorf("another change's plan: %v", err)
	}
	for _, bad := range []change.Request{{}, {Change: "a b"}, {Change: "x", Undo: true}, {Change: "x", Plan: "../../etc"}} {
		if _, err := h.Handle(t.Context(), bad); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
}
