package stack_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/metric"
	"plumbline/tasks/catalog"
)

// shown is a metric in a widget or an alarm, and in which region.
type shown struct {
	namespace, name, by, value, region string
}

// picture is a widget of the dashboard's body.
type picture struct {
	Type                string
	X, Y, Width, Height int
	Properties          struct {
		Title, Region, View, Stat, Markdown string
		Period                              int
		Metrics                             [][]any
	}
}

// flat is a text that CloudFormation puts together; what it fills in stands in
// angle brackets.
func flat(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case map[string]any:
		if join, ok := v["Fn::Join"].([]any); ok {
			var parts []string
			for _, p := range join[1].([]any) {
				parts = append(parts, flat(p))
			}
			return strings.Join(parts, join[0].(string))
		}
	}
	b, _ := json.Marshal(v)
	return "<" + strings.NewReplacer(`"`, "", `\`, "").Replace(string(b)) + ">"
}

// pictures reads the dashboard of a template.
func pictures(t *testing.T, s template) []picture {
	t.Helper()
	for _, d := range s.of("AWS::CloudWatch::Dashboard") {
		var body struct{ Widgets []picture }
		if err := json.Unmarshal([]byte(flat(d.Properties["DashboardBody"])), &body); err != nil {
			t.Fatal(err)
		}
		return body.Widgets
	}
	return nil
}

var search = regexp.MustCompile(`^SEARCH\('\{([^,}]+),([^,}]+)\} MetricName="([A-Za-z]+)"', '(Sum|Maximum)', [0-9]+\)$`)

// metrics are what a widget shows.
func (p picture) metrics(t *testing.T) []shown {
	t.Helper()
	var out []shown
	for _, line := range p.Properties.Metrics {
		options := line[len(line)-1].(map[string]any)
		x := shown{region: options["region"].(string)}
		if len(line) == 1 {
			m := search.FindStringSubmatch(options["expression"].(string))
			if m == nil {
				t.Fatalf("%s: an expression that is no search: %v", p.Properties.Title, options)
			}
			x.namespace, x.by, x.name, x.value = m[1], m[2], m[3], "*"
		} else {
			x.namespace, x.name = line[0].(string), line[1].(string)
			if len(line) == 5 {
				x.by, x.value = line[2].(string), line[3].(string)
			}
		}
		out = append(out, x)
	}
	return out
}

// alarmed is what an alarm looks at.
func alarmed(r resource, region string) shown {
	x := shown{namespace: r.Properties["Namespace"].(string), name: r.Properties["MetricName"].(string), region: region}
	for _, d := range items(r.Properties["Dimensions"]) {
		x.by, x.value = at(d, "Name").(string), flat(at(d, "Value"))
	}
	return x
}

// ofAWS are metrics that AWS writes of resources of a type, and the dimension
// that names the resource. Sources: "Step Functions metrics", "Types of metrics
// for Lambda functions", "Amazon SQS metrics", "DynamoDB metrics and dimensions",
// "Monitor CloudWatch metrics for HTTP APIs" in the services' guides.
var ofAWS = map[string]struct {
	by, kind string
	names    []string
}{
	"AWS/States":     {"StateMachineArn", "AWS::StepFunctions::StateMachine", []string{"ExecutionTime", "ExecutionThrottled", "ExecutionsAborted", "ExecutionsFailed", "ExecutionsStarted", "ExecutionsSucceeded", "ExecutionsTimedOut"}},
	"AWS/Lambda":     {"FunctionName", "AWS::Lambda::Function", []string{"Duration", "Errors", "Invocations", "Throttles"}},
	"AWS/SQS":        {"QueueName", "AWS::SQS::Queue", []string{"ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"}},
	"AWS/ApiGateway": {"ApiId", "AWS::ApiGatewayV2::Api", []string{"4xx", "5xx", "Count", "DataProcessed", "IntegrationLatency", "Latency"}},
	"AWS/DynamoDB":   {"TableName", "AWS::DynamoDB::Table", []string{"ReadThrottleEvents", "WriteThrottleEvents"}},
}

// written says why nothing writes a metric; "" where something does.
func written(stacks map[string]template, x shown) string {
	suite, data := stacks["PlumblineSuite-"+x.region], stacks["PlumblineData-"+x.region]
	if suite.Resources == nil {
		return "there is no stack in " + x.region
	}
	if x.namespace == metric.Namespace {
		i := slices.IndexFunc(metric.All, func(m metric.Metric) bool { return m.Name == x.name && string(m.By) == x.by })
		if i < 0 {
			return "package metric lists none such"
		}
		for _, f := range suite.of("AWS::Lambda::Function") {
			if f.Properties["FunctionName"] == "Plumbline"+metric.All[i].Task {
				return ""
			}
		}
		return "function " + metric.All[i].Task + " is not deployed"
	}
	known, ok := ofAWS[x.namespace]
	if !ok || !slices.Contains(known.names, x.name) || x.by != known.by {
		return "AWS documents none such"
	}
	for _, s := range []template{suite, data} {
		for id, r := range s.of(known.kind) {
			switch {
			case known.by == "FunctionName" && r.Properties["FunctionName"] == x.value,
				known.by == "StateMachineArn" && strings.HasSuffix(x.value, ":states:"+x.region+":111122223333:stateMachine:"+fmt.Sprint(r.Properties["StateMachineName"])),
				strings.HasPrefix(x.value, "<") && slices.ContainsFunc(strings.FieldsFunc(x.value, func(c rune) bool { return strings.ContainsRune("<>{}[]:, ", c) }), func(word string) bool { return word == id || strings.Contains(word, "Ref"+id) }):
				return ""
			}
		}
	}
	return "no " + known.kind + " of the stacks has that name"
}

// TestDashboard: each widget and each alarm looks at a metric that something
// writes; each metric that a deployed task writes is looked at.
func TestDashboard(t *testing.T) {
	t.Run("scans alone", func(t *testing.T) { dashboard(t, example()) })
	t.Run("with remediation and tickets", func(t *testing.T) {
		stacks := everything()
		dashboard(t, stacks)
		if !slices.ContainsFunc(pictures(t, stacks[suiteStack]), func(p picture) bool { return strings.Contains(p.Properties.Markdown, "Remediation") }) {
			t.Error("nothing shows remediations")
		}
	})
}

func dashboard(t *testing.T, stacks map[string]template) {
	t.Helper()
	seen := map[shown]bool{}
	check := func(where string, x shown) {
		if why := written(stacks, x); why != "" {
			t.Errorf("%s looks at %+v: %s", where, x, why)
		}
		x.value = ""
		seen[x] = true
	}
	widgets := pictures(t, stacks[suiteStack])
	for _, p := range widgets {
		for _, x := range p.metrics(t) {
			check(p.Properties.Title, x)
		}
	}
	if len(widgets) < 20 {
		t.Fatalf("%d widgets", len(widgets))
	}
	for name, suite := range stacks {
		region, ok := strings.CutPrefix(name, "PlumblineSuite-")
		if !ok {
			continue
		}
		for id, a := range suite.of("AWS::CloudWatch::Alarm") {
			check(id, alarmed(a, region))
		}
		for _, m := range metric.All {
			x := shown{metric.Namespace, m.Name, string(m.By), "", region}
			deployed := written(stacks, x) == ""
			if deployed != seen[x] {
				t.Errorf("%s by %q of %s in %s: written %v, looked at %v", m.Name, m.By, m.Task, region, deployed, seen[x])
			}
		}
	}
	if pictures(t, stacks["PlumblineSuite-eu-west-1"]) != nil {
		t.Error("the secondary region has a dashboard of its own")
	}
}

// TestWrittenSaysNo: the check above can fail.
func TestWrittenSaysNo(t *testing.T) {
	stacks := example()
	arn := "arn:aws:states:us-east-1:111122223333:stateMachine:Plumbline"
	for _, x := range []shown{
		{metric.Namespace, "OpenViolation", "Severity", "high", "us-east-1"},
		{metric.Namespace, "OpenViolations", "Framework", "pci", "us-east-1"},
		{metric.Namespace, "OpenViolations", "Severity", "high", "eu-central-1"},
		{"AWS/States", "ExecutionsLost", "StateMachineArn", arn + "ScanStack", "us-east-1"},
		{"AWS/States", "ExecutionTime", "StateMachineName", arn + "ScanStack", "us-east-1"},
		{"AWS/States", "ExecutionTime", "StateMachineArn", arn + "ScanStacks", "us-east-1"},
		{"AWS/States", "ExecutionTime", "StateMachineArn", arn + "ScanStack", "eu-west-1"},
		{"AWS/Lambda", "Errors", "FunctionName", "PlumblineNobody", "us-east-1"},
		{"AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", "<{Fn::GetAtt:[Nobody,QueueName]}>", "us-east-1"},
		{"AWS/EC2", "CPUUtilization", "InstanceId", "i-1", "us-east-1"},
	} {
		if written(stacks, x) == "" {
			t.Errorf("%+v is taken for written", x)
		}
	}
}

// TestDashboardLayout: nothing lies on anything else, and nothing is left empty.
func TestDashboardLayout(t *testing.T) {
	taken := map[[2]int]string{}
	for _, p := range pictures(t, example()[suiteStack]) {
		name := p.Properties.Title + p.Properties.Markdown
		if p.X+p.Width > 24 || p.Width < 1 || p.Height < 1 || name == "" || p.Type == "metric" && len(p.Properties.Metrics) == 0 {
			t.Errorf("widget %q: %+v", name, p)
		}
		if n := len(p.Properties.Metrics); n > 500 {
			t.Errorf("widget %q has %d metrics; CloudWatch takes 500", name, n)
		}
		for x := p.X; x < p.X+p.Width; x++ {
			for y := p.Y; y < p.Y+p.Height; y++ {
				if other, ok := taken[[2]int{x, y}]; ok {
					t.Fatalf("%q lies on %q", name, other)
				}
				taken[[2]int{x, y}] = name
			}
		}
	}
}

// TestAlarms: each alarm tells those who can end it.
func TestAlarms(t *testing.T) {
	got := map[string]string{}
	for id, a := range example()[suiteStack].of("AWS::CloudWatch::Alarm") {
		actions := items(a.Properties["AlarmActions"])
		if len(actions) != 1 || text(actions) != text(a.Properties["OKActions"]) {
			t.Errorf("%s tells %s, and of its end %s", id, text(actions), text(a.Properties["OKActions"]))
		}
		topic := "warning"
		if strings.Contains(text(actions), "AlertingCritical") {
			topic = "critical"
		}
		missing, _ := a.Properties["TreatMissingData"].(string)
		name := strings.TrimRight(strings.TrimPrefix(id, "Monitoring"), "0123456789ABCDEF")
		got[name] = fmt.Sprint(a.Properties["MetricName"], " ", missing, " ", topic)
	}
	want := map[string]string{
		"LostCalls": "ApproximateNumberOfMessagesVisible notBreaching warning", "LostEvents": "ApproximateNumberOfMessagesVisible notBreaching warning",
		"NoSweep": "ExecutionsSucceeded breaching warning", "NoReport": "ExecutionsSucceeded breaching warning",
		"UntoldFailed": "ExecutionsFailed notBreaching critical", "UntoldTimedOut": "ExecutionsTimedOut notBreaching critical",
		"PartialScan": "PartialTargets notBreaching warning", "LostTargets": "LostTargets notBreaching warning",
		"OverdueCritical": "OverdueViolations ignore critical", "OverdueHigh": "OverdueViolations ignore warning",
		"OverdueMedium": "OverdueViolations ignore warning", "OverdueLow": "OverdueViolations ignore warning",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestMetricsNameTasks: a metric's task is one of the catalogue.
func TestMetricsNameTasks(t *testing.T) {
	for _, m := range metric.All {
		if _, ok := catalog.Find(m.Task); !ok {
			t.Errorf("%s is written by %q, which is no task", m.Name, m.Task)
		}
	}
}
