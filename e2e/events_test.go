//go:build e2e

package e2e_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	evtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

// rule is a deployed rule, as EventBridge tells of it.
func (r *region) rule(t *testing.T, description string) evtypes.Rule {
	t.Helper()
	out, err := r.events.ListRules(t.Context(), &eventbridge.ListRulesInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range out.Rules {
		if aws.ToString(rule.Description) == "plumbline: "+description {
			return rule
		}
	}
	t.Fatalf("no rule says of itself that %s", description)
	return evtypes.Rule{}
}

// TestEventPatterns asks EventBridge which events the deployed patterns let
// through. Nobody but AWS can send events of aws.cloudformation, on emulators
// neither: so the rule is asked, and the event handed to its target.
func TestEventPatterns(t *testing.T) {
	t.Parallel()
	r := in(regions[0])
	const id = "arn:aws:cloudformation:us-east-1:000000000000:stack/Payments/0a1b"
	stack := func(status string) event { return stackChanged(r, id, status, time.Now()) }
	config := func(message, compliance string) event {
		return newEvent(r, "aws.config", "Config Rules Compliance Change", time.Now(), map[string]any{
			"messageType": message, "newEvaluationResult": map[string]any{"complianceType": compliance},
		})
	}
	states := func(machine, status string) event {
		return newEvent(r, "aws.states", "Step Functions Execution Status Change", time.Now(), map[string]any{
			"status": status, "stateMachineArn": r.machine(machine),
		})
	}
	other := stack("UPDATE_COMPLETE")
	other["detail-type"] = "CloudFormation Resource Status Change"
	for _, tc := range []struct {
		name, rule string
		event      event
		want       bool
	}{
		{"created", "a change to a stack has ended", stack("CREATE_COMPLETE"), true},
		{"updated", "a change to a stack has ended", stack("UPDATE_COMPLETE"), true},
		{"rolled back", "a change to a stack has ended", stack("UPDATE_ROLLBACK_FAILED"), true},
		{"deleted", "a change to a stack has ended", stack("DELETE_COMPLETE"), true},
		{"under way", "a change to a stack has ended", stack("UPDATE_IN_PROGRESS"), false},
		{"cleaning up", "a change to a stack has ended", stack("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"), false},
		{"a resource of a stack", "a change to a stack has ended", other, false},
		{"Config judges", "AWS Config judges a resource otherwise", config("ComplianceChangeNotification", "NON_COMPLIANT"), true},
		{"Config takes back", "AWS Config judges a resource otherwise", config("ComplianceChangeNotification", "NOT_APPLICABLE"), false},
		{"another message of Config", "AWS Config judges a resource otherwise", config("ConfigurationItemChangeNotification", "NON_COMPLIANT"), false},
		{"an aborted scan", "an execution was ended before it could report", states("ScanStack", "ABORTED"), true},
		{"a scan that failed and told so", "an execution was ended before it could report", states("ScanStack", "FAILED"), false},
		{"an aborted report", "an execution was ended before it could report", states("ReportFailure", "ABORTED"), false},
	} {
		b, err := json.Marshal(tc.event)
		if err != nil {
			t.Fatal(err)
		}
		got, err := r.events.TestEventPattern(t.Context(), &eventbridge.TestEventPatternInput{EventPattern: r.rule(t, tc.rule).EventPattern, Event: aws.String(string(b))})
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
		} else if got.Result != tc.want {
			t.Errorf("%s: the pattern answers %v, want %v", tc.name, got.Result, tc.want)
		}
	}
}

// TestTargets: each rule that begins a scan is on, leads to Intake, and keeps
// what it cannot deliver.
func TestTargets(t *testing.T) {
	for _, name := range regions {
		r := in(name)
		for _, want := range []struct{ rule, schedule string }{
			{"a change to a stack has ended", ""},
			{"AWS Config judges a resource otherwise", ""},
			{"scan all stacks each day", "cron(0 3 * * ? *)"},
			{"scan all stacks each week", "cron(0 5 ? * SUN *)"},
		} {
			rule := r.rule(t, want.rule)
			if rule.State != evtypes.RuleStateEnabled || aws.ToString(rule.ScheduleExpression) != want.schedule {
				t.Errorf("%s, %s: is %s at %q, want it on at %q", name, want.rule, rule.State, aws.ToString(rule.ScheduleExpression), want.schedule)
			}
			out, err := r.events.ListTargetsByRule(t.Context(), &eventbridge.ListTargetsByRuleInput{Rule: rule.Name})
			if err != nil {
				t.Fatal(err)
			}
			if len(out.Targets) != 1 || !strings.HasSuffix(aws.ToString(out.Targets[0].Arn), ":"+name+":"+account+":function:PlumblineIntake") && !strings.HasSuffix(aws.ToString(out.Targets[0].Arn), ":function:PlumblineIntake") {
				t.Errorf("%s, %s leads to %+v, want Intake alone", name, want.rule, out.Targets)
			} else if out.Targets[0].DeadLetterConfig == nil {
				t.Errorf("%s, %s: what it cannot deliver is lost", name, want.rule)
			}
		}
	}
}
