package stack

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"plumbline/finding"
	"plumbline/metric"
	"plumbline/tasks/catalog"
)

// dashboardName is what CloudWatch lists the dashboard under.
const dashboardName = "Plumbline"

// Periods of widgets, in seconds.
const (
	daily  = 86400 // of figures of the whole, which a report gives once a day
	hourly = 3600  // of what happens
)

// series is one line of a widget: a metric of one region, or a search that
// finds all values of a dimension.
type series struct {
	namespace, name string
	dimensions      []string // name, value, …; of a search names alone
	search          bool
	region          string
	label           string
}

// widget is one picture. Sizes are CloudWatch's: 24 columns are a row.
type widget struct {
	title, view, stat string
	stacked           bool
	period            int
	width             int
	series            []series
}

// section is a headline and the widgets below it.
type section struct {
	title   string
	widgets []widget
}

// newDashboard makes the dashboard, in the primary region: it shows all of them.
func (s *suite) newDashboard(scope constructs.Construct) error {
	if s.region != s.d.Primary {
		return nil
	}
	body, err := json.Marshal(map[string]any{"widgets": layout(s.sections())})
	if err != nil {
		return fmt.Errorf("dashboard: %w", err)
	}
	awscloudwatch.NewCfnDashboard(scope, jsii.String("Dashboard"), &awscloudwatch.CfnDashboardProps{
		DashboardName: jsii.String(dashboardName), DashboardBody: jsii.String(string(body)),
	})
	return nil
}

// sections are what the dashboard shows, from what a person is asked for first
// to what only its operator wants to know.
func (s *suite) sections() []section {
	ours := func(title string, width int, ms ...metric.Metric) widget {
		return widget{title: title, view: "timeSeries", stat: statistic(ms[0]), period: daily, width: width, series: s.ours(ms...)}
	}
	stacked := func(w widget) widget { w.stacked = true; return w }
	of := func(view string, w widget) widget { w.view = view; return w }
	out := []section{
		{"Violations", []widget{
			of("singleValue", ours("Open now", 24, metric.Open)),
			stacked(ours("Open violations by severity", 12, metric.Open)),
			stacked(ours("Open violations by type of resource", 12, metric.OpenByType)),
			ours("New violations by severity", 8, metric.Found),
			ours("Resolved violations by severity", 8, metric.Resolved),
			stacked(ours("New violations by type of resource", 8, metric.FoundByType)),
			ours("Failing checks of each sweep", 24, metric.Failing),
		}},
		{"Terms", []widget{
			ours("Overdue violations", 8, metric.Overdue),
			ours("Age of the oldest, in days", 8, metric.Oldest),
			ours("Within term by framework, in percent", 8, metric.Within),
			ours("Mean days to remediate, of 90 days", 12, metric.Mean),
			ours("Remediated in 90 days", 12, metric.Remediated),
		}},
		{"Scans", []widget{
			ours("Targets scanned, partial ones, and checks that are undecided", 12, metric.ScannedTargets, metric.PartialTargets, metric.OpenChecks),
			ours("Targets of sweeps, lost and partial ones", 12, metric.SweptTargets, metric.LostTargets, metric.SweptPartial),
			s.machinesWidget("Scans started", 8, "Sum", s.scans(), "ExecutionsStarted"),
			s.machinesWidget("Longest scan, in milliseconds", 8, "Maximum", s.scans(), "ExecutionTime"),
			s.machinesWidget("Starts that had to wait", 8, "Sum", s.scans(), "ExecutionThrottled"),
		}},
		{"Workflows", []widget{
			s.machinesWidget("Executions that succeeded", 12, "Sum", s.everyMachine(), "ExecutionsSucceeded"),
			s.machinesWidget("Executions that did not", 12, "Sum", s.everyMachine(), "ExecutionsFailed", "ExecutionsTimedOut"),
			{title: "Errors of functions", view: "timeSeries", stat: "Sum", period: hourly, width: 8, series: s.lambdas("Errors")},
			{title: "Calls of functions that were throttled", view: "timeSeries", stat: "Sum", period: hourly, width: 8, series: s.lambdas("Throttles")},
			{title: "Findings table: reads and writes that were throttled", view: "timeSeries", stat: "Sum", period: hourly, width: 8, series: s.table("ReadThrottleEvents", "WriteThrottleEvents")},
			{title: "What was lost, or waits", view: "timeSeries", stat: "Maximum", period: hourly, width: 24, series: s.lost()},
		}},
	}
	if machines := s.remediation(); len(machines) > 0 {
		out = append(out, section{"Remediation", []widget{
			stacked(ours("Changes by how they ended", 12, metric.Changes)),
			s.machinesWidget("Remediations", 12, "Sum", machines, "ExecutionsStarted", "ExecutionsSucceeded", "ExecutionsFailed"),
		}})
	}
	return out
}

// ours are the series of our own metrics, in every region. Severities are
// listed, in their order; what other dimensions have is searched for.
func (s *suite) ours(ms ...metric.Metric) []series {
	var out []series
	for _, region := range s.d.Regions() {
		for _, m := range ms {
			x := series{namespace: metric.Namespace, name: m.Name, region: region}
			switch m.By {
			case metric.Whole:
				x.label = m.Name
				out = append(out, x)
			case metric.Severity:
				for _, severity := range finding.Severities {
					x.dimensions, x.label = []string{string(m.By), string(severity)}, string(severity)
					out = append(out, x)
				}
			default:
				x.search, x.dimensions = true, []string{string(m.By)}
				out = append(out, x)
			}
		}
	}
	return s.labelled(out)
}

// labelled adds the region to the labels where there are several.
func (s *suite) labelled(list []series) []series {
	if len(s.d.Regions()) > 1 {
		for i := range list {
			list[i].label = strings.TrimSpace(list[i].label + " " + list[i].region)
		}
	}
	return list
}

// scans are the machines that scan; everyMachine all that this stack has, and
// remediation those that change resources, if there are any.
func (s *suite) scans() []string { return []string{"ScanStack", "ScanStackSweep", "ScanEstate"} }

func (s *suite) everyMachine() []string { return slices.Sorted(maps.Keys(s.machines)) }

func (s *suite) remediation() []string {
	var out []string
	for _, name := range s.everyMachine() {
		if name == "RemediateFinding" {
			out = append(out, name)
		}
	}
	return out
}

// machinesWidget shows metrics of state machines, which have the same names in
// each region.
func (s *suite) machinesWidget(title string, width int, stat string, machines []string, metrics ...string) widget {
	w := widget{title: title, view: "timeSeries", stat: stat, period: hourly, width: width}
	for _, region := range s.d.Regions() {
		for _, name := range machines {
			arn := s.values.fill("arn:${AWS::Partition}:states:") + region + ":" + s.d.Account + ":stateMachine:Plumbline" + name
			for _, m := range metrics {
				label := name
				if len(metrics) > 1 {
					label += " " + strings.TrimPrefix(m, "Executions")
				}
				w.series = append(w.series, series{namespace: "AWS/States", name: m, dimensions: []string{"StateMachineArn", arn}, region: region, label: label})
			}
		}
	}
	w.series = s.labelled(w.series)
	return w
}

// lambdas are a metric of each function.
func (s *suite) lambdas(name string) []series {
	var out []series
	for _, region := range s.d.Regions() {
		for _, t := range catalog.All() {
			if _, ok := s.functions[t.Name]; ok {
				out = append(out, series{namespace: "AWS/Lambda", name: name, dimensions: []string{"FunctionName", "Plumbline" + t.Name}, region: region, label: t.Name})
			}
		}
	}
	return s.labelled(out)
}

// table are metrics of the findings table of this region: CloudFormation names it.
func (s *suite) table(names ...string) []series {
	var out []series
	for _, name := range names {
		out = append(out, series{namespace: "AWS/DynamoDB", name: name, dimensions: []string{"TableName", *s.data.findings.TableName()}, region: s.region, label: name})
	}
	return out
}

// lost is what lies in the queues of this region, for good or until it is taken: CloudFormation names them.
func (s *suite) lost() []series {
	queue := func(label string, name *string) series {
		return series{namespace: "AWS/SQS", name: "ApproximateNumberOfMessagesVisible", dimensions: []string{"QueueName", *name}, region: s.region, label: label}
	}
	out := []series{queue("events", s.queues.events.QueueName()), queue("calls", s.queues.calls.QueueName())}
	if s.deliveries.letters != nil {
		out = append(out, queue("messages", s.deliveries.letters.QueueName()), queue("messages that wait", s.deliveries.queue.QueueName()))
	}
	return out
}
