package stack

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"plumbline/finding"
	"plumbline/metric"
)

// newAlarms makes the alarms on what no message tells of, and on what must not
// be missed though one does. Each goes to those who can end it: what is overdue
// and critical, and what nobody could be told of, to the critical topic; all
// else to the other.
func (s *suite) newAlarms(scope constructs.Construct) {
	alarm := func(id, description string, topic awssns.Topic, props awscloudwatch.CfnAlarmProps) {
		props.AlarmDescription = jsii.String("plumbline: " + description)
		props.EvaluationPeriods = jsii.Number(1)
		if props.Threshold == nil {
			props.Threshold, props.ComparisonOperator, props.TreatMissingData = jsii.Number(1), jsii.String("GreaterThanOrEqualToThreshold"), jsii.String("notBreaching")
		}
		props.AlarmActions, props.OkActions = &[]any{*topic.TopicArn()}, &[]any{*topic.TopicArn()}
		awscloudwatch.NewCfnAlarm(scope, jsii.String(id), &props)
	}
	queue := func(id, description, name string) {
		alarm(id, description, s.topics.warning, awscloudwatch.CfnAlarmProps{
			Namespace: jsii.String("AWS/SQS"), MetricName: jsii.String("ApproximateNumberOfMessagesVisible"), Statistic: jsii.String("Maximum"), Period: jsii.Number(300),
			Dimensions: list(dimension("QueueName", name)),
		})
	}
	queue("LostEvents", "events could not be delivered; they lie in the queue for two weeks", *s.queues.events.QueueName())
	queue("LostCalls", "a function failed at an event three times; it lies in the queue for two weeks", *s.queues.calls.QueueName())
	if s.deliveries.letters != nil {
		queue("LostMessages", "a ticketing system, chat or webhook did not take a message; it lies in the queue for two weeks", *s.deliveries.letters.QueueName())
	}
	executions := func(metric, machine string, period float64) awscloudwatch.CfnAlarmProps {
		return awscloudwatch.CfnAlarmProps{
			Namespace: jsii.String("AWS/States"), MetricName: jsii.String(metric), Statistic: jsii.String("Sum"), Period: jsii.Number(period),
			Dimensions: list(dimension("StateMachineArn", s.machines[machine].arn)),
		}
	}
	for _, metric := range []string{"ExecutionsFailed", "ExecutionsTimedOut"} {
		alarm("Untold"+strings.TrimPrefix(metric, "Executions"), "a scan failed and nobody could be told of it, or it could not be recorded", s.topics.critical, executions(metric, "ReportFailure", 300))
	}
	if everyDay(s.d.Schedules.Daily) {
		p := executions("ExecutionsSucceeded", "ScanEstate", 86400)
		p.Threshold, p.ComparisonOperator, p.TreatMissingData = jsii.Number(1), jsii.String("LessThanThreshold"), jsii.String("breaching")
		alarm("NoSweep", "no scan of all stacks has ended well for a day", s.topics.warning, p)
	}
	if everyDay(s.d.Schedules.Report, s.d.Schedules.Overdue) {
		report := executions("ExecutionsSucceeded", "SLAReport", 86400)
		report.Threshold, report.ComparisonOperator, report.TreatMissingData = jsii.Number(1), jsii.String("LessThanThreshold"), jsii.String("breaching")
		alarm("NoReport", "how long violations stay open was not measured for a day", s.topics.warning, report)
	}

	if len(s.scope.Changes) > 0 {
		alarm("FailedChange", "a change was refused, taken back or half done, or failed; a message says which, unless that was lost as well", s.topics.critical, executions("ExecutionsFailed", "RemediateFinding", 300))
		alarm("FailedReview", "nobody was asked about a violation, or what was decided was not kept; a message says why, unless that was lost as well", s.topics.warning, executions("ExecutionsFailed", "ReviewViolation", 300))
		alarm("FailedCheck", "what AWS Config reported was not looked at; a message says why, unless that was lost as well", s.topics.warning, executions("ExecutionsFailed", "CheckResource", 300))
		alarm("NoAnchor", "the ledger of changes was not verified and anchored for a day", s.topics.critical, awscloudwatch.CfnAlarmProps{
			Namespace: jsii.String("AWS/Lambda"), MetricName: jsii.String("Invocations"), Statistic: jsii.String("Sum"), Period: jsii.Number(86400),
			Dimensions: list(dimension("FunctionName", *s.functions["AnchorLedger"].resource.Ref())),
			Threshold:  jsii.Number(1), ComparisonOperator: jsii.String("LessThanThreshold"), TreatMissingData: jsii.String("breaching"),
		})
	}
	if s.page != nil {
		alarm("PageErrors", "the page on which people decide on changes did not answer", s.topics.warning, awscloudwatch.CfnAlarmProps{
			Namespace: jsii.String("AWS/ApiGateway"), MetricName: jsii.String("5xx"), Statistic: jsii.String("Sum"), Period: jsii.Number(300),
			Dimensions: list(dimension("ApiId", *s.page.api.Ref())),
		})
	}

	ours := func(m metric.Metric, period float64, values ...string) awscloudwatch.CfnAlarmProps {
		return awscloudwatch.CfnAlarmProps{
			Namespace: jsii.String(metric.Namespace), MetricName: jsii.String(m.Name), Statistic: jsii.String(statistic(m)), Period: jsii.Number(period), Dimensions: dimensions(m, values...),
		}
	}
	alarm("PartialScan", "a scan could not judge some domains: what it does not say is not clean", s.topics.warning, ours(metric.PartialTargets, 3600))
	alarm("LostTargets", "a scan of all stacks has no result of some", s.topics.warning, ours(metric.LostTargets, 3600))
	// A report comes once a day: until the next one, what it said holds.
	for _, severity := range finding.Severities {
		topic := s.topics.warning
		if severity == finding.Critical {
			topic = s.topics.critical
		}
		p := ours(metric.Overdue, 86400, string(severity))
		p.Threshold, p.ComparisonOperator, p.TreatMissingData = jsii.Number(1), jsii.String("GreaterThanOrEqualToThreshold"), jsii.String("ignore")
		alarm("Overdue"+strings.ToUpper(string(severity[:1]))+string(severity[1:]), string(severity)+" violations are open beyond their term", topic, p)
	}
}

// statistic is how values of a metric of ours are put together over a period.
func statistic(m metric.Metric) string {
	if m.Flow {
		return "Sum"
	}
	return "Maximum"
}

// dimensions is the dimension of a metric of ours; nil of one that has none.
func dimensions(m metric.Metric, values ...string) any {
	if m.By == metric.Whole {
		return nil
	}
	return list(dimension(string(m.By), values[0]))
}

func dimension(name, value string) map[string]any {
	return map[string]any{"name": name, "value": value}
}
