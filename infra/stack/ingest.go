package stack

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"plumbline/infra/deployment"
	"plumbline/infra/permission"
	"plumbline/tasks/catalog"
)

// intakeName is the function that events go to.
const intakeName = "Intake"

// pattern is an event pattern of EventBridge.
type pattern = map[string]any

// stackChanges is the pattern of the ends of changes to stacks, nested ones
// and deletions included: the statuses that tasks/intake scans for.
func stackChanges() map[string]any {
	return pattern{
		"source": list("aws.cloudformation"), "detail-type": list("CloudFormation Stack Status Change"),
		"detail": pattern{"status-details": pattern{"status": list(pattern{"suffix": "_COMPLETE"}, pattern{"suffix": "_FAILED"})}},
	}
}

// complianceChanges is the pattern of resources that AWS Config has come to
// think otherwise of.
func complianceChanges() map[string]any {
	return pattern{
		"source": list("aws.config"), "detail-type": list("Config Rules Compliance Change"),
		"detail": pattern{"messageType": list("ComplianceChangeNotification"), "newEvaluationResult": pattern{"complianceType": list("COMPLIANT", "NON_COMPLIANT")}},
	}
}

// newIntake makes the function Intake and the rules that lead to it, and the
// rule that reports executions which could not report themselves.
//
// The custom rules of AWS Config, whose changes of compliance come in here as
// well, are made by newCompliance.
func (s *suite) newIntake(scope constructs.Construct) error {
	task, ok := catalog.Find(intakeName)
	if !ok {
		return fmt.Errorf("the catalogue has no task %s", intakeName)
	}
	if err := s.newFunction(group(scope, task.Name), task, s.newCode(scope, task.Folder)); err != nil {
		return err
	}
	rule := func(id, description string, props *awsevents.CfnRuleProps) {
		props.Description = jsii.String("plumbline: " + description)
		props.Targets = list(s.target(s.functions[intakeName].arn))
		r := awsevents.NewCfnRule(scope, jsii.String(id), props)
		awslambda.NewCfnPermission(scope, jsii.String(id+"Permission"), &awslambda.CfnPermissionProps{
			Action: jsii.String("lambda:InvokeFunction"), FunctionName: jsii.String(s.functions[intakeName].arn),
			Principal: jsii.String("events.amazonaws.com"), SourceArn: r.AttrArn(),
		})
		s.queues.admit(r.AttrArn())
	}
	rule("StackChanges", "a change to a stack has ended", &awsevents.CfnRuleProps{EventPattern: stackChanges()})
	rule("ComplianceChanges", "AWS Config judges a resource otherwise", &awsevents.CfnRuleProps{EventPattern: complianceChanges()})
	if at := s.d.Schedules.Daily; at != deployment.Off {
		rule("Daily", "scan all stacks each day", &awsevents.CfnRuleProps{ScheduleExpression: jsii.String(at)})
	}
	if at := s.d.Schedules.Weekly; at != deployment.Off {
		rule("Weekly", "scan all stacks each week", &awsevents.CfnRuleProps{ScheduleExpression: jsii.String(at)})
	}
	s.newReports(scope)
	s.newLostExecutions(scope)
	return nil
}

// target is a rule's target, with a day of attempts and then the queue.
func (s *suite) target(arn string) map[string]any {
	return map[string]any{
		"id": "Target", "arn": arn,
		"retryPolicy":      map[string]any{"maximumEventAgeInSeconds": 86400, "maximumRetryAttempts": 185},
		"deadLetterConfig": map[string]any{"arn": *s.queues.events.QueueArn()},
	}
}

// newReports starts SLAReport on its schedules, under the event's id and time,
// so that a repetition of the event writes the same report.
func (s *suite) newReports(scope constructs.Construct) {
	role := newRole(scope, "ReportsRole", "events.amazonaws.com", "plumbline: starts SLAReport")
	policy := attach(scope, "ReportsPolicy", role, []permission.Statement{{Actions: []string{"states:StartExecution"}, Resources: []string{"${SLAReportArn}"}}}, s.values)
	for _, x := range []struct{ id, at, always string }{{"ReportWeekly", s.d.Schedules.Report, "true"}, {"ReportDaily", s.d.Schedules.Overdue, "false"}} {
		if x.at == deployment.Off {
			continue
		}
		target := s.target(s.machines["SLAReport"].arn)
		target["roleArn"] = *role.AttrArn()
		target["inputTransformer"] = map[string]any{
			"inputPathsMap": map[string]any{"id": "$.id", "time": "$.time"},
			"inputTemplate": `{"scanId": "<id>", "started": "<time>", "always": ` + x.always + `}`,
		}
		r := awsevents.NewCfnRule(scope, jsii.String(x.id), &awsevents.CfnRuleProps{
			Description: jsii.String("plumbline: report how long violations stay open"), ScheduleExpression: jsii.String(x.at), Targets: list(target),
		})
		r.AddResourceDependency(policy, jsii.String(untilAllowed))
		s.queues.admit(r.AttrArn())
	}
}

// newLostExecutions starts ReportFailure for an execution that was timed out or
// aborted. Express machines send no such events: scan-estate sees how its
// children end.
func (s *suite) newLostExecutions(scope constructs.Construct) {
	report := s.machines["ReportFailure"].arn
	role := newRole(scope, "LostExecutionsRole", "events.amazonaws.com", "plumbline: starts ReportFailure")
	policy := attach(scope, "LostExecutionsPolicy", role, []permission.Statement{{Actions: []string{"states:StartExecution"}, Resources: []string{"${ReportFailureArn}"}}}, s.values)
	var ended []any
	for _, m := range s.scope.Machines() {
		if !m.Express && m.Name != "ReportFailure" { // which cannot report itself: an alarm does
			ended = append(ended, s.machines[m.Name].arn)
		}
	}
	target := s.target(report)
	target["roleArn"] = *role.AttrArn()
	r := awsevents.NewCfnRule(scope, jsii.String("LostExecutions"), &awsevents.CfnRuleProps{
		Description: jsii.String("plumbline: an execution was ended before it could report"),
		EventPattern: pattern{
			"source": list("aws.states"), "detail-type": list("Step Functions Execution Status Change"),
			"detail": pattern{"status": list("TIMED_OUT", "ABORTED"), "stateMachineArn": ended},
		},
		Targets: list(target),
	})
	r.AddResourceDependency(policy, jsii.String(untilAllowed))
	s.queues.admit(r.AttrArn())
}
