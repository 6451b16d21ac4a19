package stack

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"plumbline/infra/deployment"
)

// newAlarms makes the alarms on what no message tells of. The dashboard and the
// alarms on the SLA belong here too, in the primary region.
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
	executions := func(metric, machine string, period float64) awscloudwatch.CfnAlarmProps {
		return awscloudwatch.CfnAlarmProps{
			Namespace: jsii.String("AWS/States"), MetricName: jsii.String(metric), Statistic: jsii.String("Sum"), Period: jsii.Number(period),
			Dimensions: list(dimension("StateMachineArn", s.machines[machine].arn)),
		}
	}
	for _, metric := range []string{"ExecutionsFailed", "ExecutionsTimedOut"} {
		alarm("Untold"+strings.TrimPrefix(metric, "Executions"), "a scan failed and nobody could be told of it, or it could not be recorded", s.topics.critical, executions(metric, "ReportFailure", 300))
	}
	if s.d.Schedules.Daily != deployment.Off {
		p := executions("ExecutionsSucceeded", "ScanEstate", 86400)
		p.Threshold, p.ComparisonOperator, p.TreatMissingData = jsii.Number(1), jsii.String("LessThanThreshold"), jsii.String("breaching")
		alarm("NoSweep", "no scan of all stacks has ended well for a day", s.topics.warning, p)
	}
}

func dimension(name, value string) map[string]any {
	return map[string]any{"name": name, "value": value}
}
