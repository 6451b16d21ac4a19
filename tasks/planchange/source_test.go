package planchange_test

import (
	"context"
	"strings"
	"testing"

	"plumbline/blob"
	"plumbline/cfn"
	"plumbline/finding"
	"plumbline/internal/memory"
	"plumbline/remedy/change"
	"plumbline/rules"
	"plumbline/ruleset"
	"plumbline/tasks/planchange"
)

// written is a stack whose template is at hand.
type written struct {
	alone
	template string
}

func (w written) Template(_ context.Context, r finding.Resource) (*cfn.Template, cfn.Inputs, error) {
	if w.template == "" {
		return nil, cfn.Inputs{}, nil
	}
	t, err := cfn.Parse("shop.yaml", []byte(w.template))
	return t, cfn.Inputs{Stack: r.Stack}, err
}

// TestTheTemplateComesAlong: the plan for a resource of a stack says what its
// owners change in the template, or why that cannot be said; and what messages
// need is in the plan, so that who sends them needs no rules and no policy.
func TestTheTemplateComesAlong(t *testing.T) {
	policy, err := ruleset.ReadPolicy("p.yaml", []byte(`accounts: [{id: "111122223333", alias: payments-prod}]`))
	if err != nil {
		t.Fatal(err)
	}
	set, err := ruleset.Open(rules.FS, policy)
	if err != nil {
		t.Fatal(err)
	}
	const queue = "Resources:\n  Jobs:\n    Type: AWS::SQS::Queue\n    Properties:\n      SqsManagedSseEnabled: %s # until March\n"
	template := func(value string) string { return strings.ReplaceAll(queue, "%s", value) }
	for name, tc := range map[string]struct {
		stack  string
		around change.Surroundings
		diff   string
		why    string
	}{
		"at hand":          {"Shop", written{template: template("false")}, "+      SqsManagedSseEnabled: true # until March", ""},
		"it asks for it":   {"Shop", written{template: template("true")}, "", "the next deployment that touches the resource sets it"},
		"not at hand":      {"Shop", written{}, "", "not at hand"},
		"not known":        {"Shop", alone{}, "", "not at hand"},
		"by a function":    {"Shop", written{template: template("!Ref Encrypted") + "Parameters:\n  Encrypted: {Type: String, Default: 'false'}\n"}, "", "parameter Encrypted"},
		"another resource": {"Shop", written{template: "Resources:\n  Other:\n    Type: AWS::SQS::Queue\n"}, "", "not in the template"},
		"no stack owns it": {"", written{template: template("false")}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			resources, blobs := new(memory.Resources), new(blob.Memory)
			resources.Put("AWS::SQS::Queue", "jobs", []byte(`{"SqsManagedSseEnabled":false}`))
			h := planchange.New(set, resources, tc.around, blobs)
			out, err := h.Handle(t.Context(), change.Request{Change: "one", Rule: "sqs-queue-encrypted", Identifier: "jobs",
				Resource: finding.Resource{Account: "111122223333", Region: "eu-west-1", Stack: tc.stack, LogicalID: "Jobs", Type: "AWS::SQS::Queue"}})
			if err != nil || out.Outcome != change.PlanMade {
				t.Fatalf("%+v %v", out, err)
			}
			p, err := change.Load(t.Context(), blobs, out.Plan)
			if err != nil {
				t.Fatal(err)
			}
			message := p.Message()
			for _, want := range []string{"Rule sqs-queue-encrypted: ", "Requirement: pci-dss-4.0.1 ", "Resource: Jobs of AWS::SQS::Queue, jobs", "Account: payments-prod (111122223333), eu-west-1", "Found: ", "+ SqsManagedSseEnabled: true"} {
				if !strings.Contains(message, want) {
					t.Errorf("the message does not say %q:\n%s", want, message)
				}
			}
			if tc.stack == "" {
				if p.Template != nil {
					t.Errorf("a template without a stack: %+v", p.Template)
				}
				return
			}
			s := p.Template
			if s == nil || !strings.Contains(s.Diff, tc.diff) || (s.Diff == "") != (tc.diff == "") || !strings.Contains(s.Why, tc.why) || (s.Why == "") != (tc.why == "") {
				t.Fatalf("%+v", s)
			}
			if text := s.Message(); tc.diff != "" && !strings.Contains(text, tc.diff) || tc.diff == "" && !strings.Contains(text, "set SqsManagedSseEnabled to true") {
				t.Errorf("its owners are told\n%s", text)
			}
		})
	}
}
