// Package metric lists the metrics that plumbline's functions write, and writes
// them in CloudWatch's embedded metric format: a line in a function's log
// becomes metrics. Dashboard and alarms are made from the same list.
package metric

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"
)

// Namespace is where CloudWatch keeps the metrics.
const Namespace = "Plumbline"

// Dimension is what a metric is divided by. "" is a metric that is not divided.
// CloudWatch bills each value of one, so the values are few, and the same from
// day to day: no resource, rule, stack or owner is one.
type Dimension string

// The dimensions.
const (
	Whole        Dimension = ""
	Severity     Dimension = "Severity"     // four
	ResourceType Dimension = "ResourceType" // those of Types, and Other
	Framework    Dimension = "Framework"    // at most MaxFrameworks
	Outcome      Dimension = "Outcome"      // of remedy/change, how a change ends
)

// MaxFrameworks is how many frameworks have metrics, by id; the report has all.
const MaxFrameworks = 20

// Unit is CloudWatch's word for what a value counts.
type Unit string

// The units.
const (
	Count   Unit = "Count"
	Percent Unit = "Percent"
	None    Unit = "None" // days
)

// Metric is one metric, by one dimension.
type Metric struct {
	Name    string
	By      Dimension
	Unit    Unit
	Task    string // of the catalogue, which writes it
	Flow    bool   // values are to be summed over time; else each is the state of all at its time
	Meaning string
}

// What a scan of a target writes.
var (
	ScannedTargets = Metric{"ScannedTargets", Whole, Count, "Assess", true, "targets that were judged, by events and by sweeps"}
	PartialTargets = Metric{"PartialTargets", Whole, Count, "Assess", true, "of those, with domains that could not be judged"}
	OpenChecks     = Metric{"UndecidedChecks", Whole, Count, "Assess", true, "verdicts that are unknown or error"}
	Found          = Metric{"NewViolations", Severity, Count, "PersistFindings", true, "violations that are new, or back again"}
	FoundByType    = Metric{"NewViolations", ResourceType, Count, "PersistFindings", true, "the same by type of resource"}
	Resolved       = Metric{"ResolvedViolations", Severity, Count, "PersistFindings", true, "violations that were mended"}
)

// What a sweep writes at its end.
var (
	SweptTargets = Metric{"SweptTargets", Whole, Count, "Summarize", true, "targets of a sweep"}
	LostTargets  = Metric{"LostTargets", Whole, Count, "Summarize", true, "of those, without a result"}
	SweptPartial = Metric{"SweptPartialTargets", Whole, Count, "Summarize", true, "of those, with domains that could not be judged"}
	Failing      = Metric{"FailingChecks", Severity, Count, "Summarize", false, "checks that fail and count, in all targets of the sweep"}
)

// What a report of terms writes.
var (
	Open       = Metric{"OpenViolations", Severity, Count, "MeasureSLA", false, "violations that are open"}
	OpenByType = Metric{"OpenViolations", ResourceType, Count, "MeasureSLA", false, "the same by type of resource"}
	Overdue    = Metric{"OverdueViolations", Severity, Count, "MeasureSLA", false, "of those, beyond their term"}
	Oldest     = Metric{"OldestViolationDays", Severity, None, "MeasureSLA", false, "age of the oldest that is open, in days"}
	Remediated = Metric{"RemediatedViolations", Severity, Count, "MeasureSLA", false, "violations that were mended in the last 90 days"}
	Mean       = Metric{"MeanDaysToRemediate", Severity, None, "MeasureSLA", false, "mean time to remediate of those, in days; absent where there are none"}
	Within     = Metric{"WithinTermPercent", Framework, Percent, "MeasureSLA", false, "violations within term, of those that are open or were mended"}
)

// Changes is what a remediation writes at its end.
var Changes = Metric{"EndedChanges", Outcome, Count, "RecordChange", true, "changes of live resources that have ended"}

// All lists the metrics.
var All = []Metric{
	ScannedTargets, PartialTargets, OpenChecks, Found, FoundByType, Resolved,
	SweptTargets, LostTargets, SweptPartial, Failing,
	Open, OpenByType, Overdue, Oldest, Remediated, Mean, Within,
	Changes,
}

// Types are the types of resources that have metrics of their own: those that
// are in most accounts and that most rules are about.
var Types = []string{
	"AWS::ApiGateway::Stage", "AWS::CloudFront::Distribution", "AWS::CloudTrail::Trail", "AWS::DynamoDB::Table", "AWS::EC2::Instance", "AWS::EC2::SecurityGroup",
	"AWS::ECS::TaskDefinition", "AWS::EKS::Cluster", "AWS::ElastiCache::ReplicationGroup", "AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::IAM::ManagedPolicy",
	"AWS::IAM::Policy", "AWS::IAM::Role", "AWS::IAM::User", "AWS::KMS::Key", "AWS::Lambda::Function", "AWS::OpenSearchService::Domain", "AWS::RDS::DBCluster",
	"AWS::RDS::DBInstance", "AWS::Redshift::Cluster", "AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::SNS::Topic", "AWS::SQS::Queue",
}

// Other stands for all types that Types does not list.
const Other = "Other"

// Type is under which type a resource's figures are kept.
func Type(t string) string {
	if _, ok := slices.BinarySearch(Types, t); ok {
		return t
	}
	return Other
}

// Sample is one value of a metric.
type Sample struct {
	Metric Metric
	Value  float64
}

// definition is a metric in a document.
type definition struct {
	Name string `json:"Name"`
	Unit Unit   `json:"Unit"`
}

// Write writes samples as one document on a line: they are of one dimension, of
// which value is the value; "" for metrics that are not divided. Nothing is
// written of no samples.
// Source: CloudWatch User Guide, "Embedded metric format specification".
func Write(w io.Writer, at time.Time, value string, samples ...Sample) error {
	if len(samples) == 0 {
		return nil
	}
	by := samples[0].Metric.By
	if (by == Whole) != (value == "") {
		return fmt.Errorf("metric %s is by %q, and the value of that is %q", samples[0].Metric.Name, by, value)
	}
	out, dimensions, metrics := map[string]any{}, []string{}, make([]definition, len(samples))
	if by != Whole {
		out[string(by)], dimensions = value, []string{string(by)}
	}
	for i, s := range samples {
		if s.Metric.By != by {
			return fmt.Errorf("metrics %s and %s are by different dimensions", samples[0].Metric.Name, s.Metric.Name)
		}
		out[s.Metric.Name], metrics[i] = s.Value, definition{s.Metric.Name, s.Metric.Unit}
	}
	out["_aws"] = map[string]any{
		"Timestamp":         at.UnixMilli(),
		"CloudWatchMetrics": []any{map[string]any{"Namespace": Namespace, "Dimensions": [][]string{dimensions}, "Metrics": metrics}},
	}
	b, err := json.Marshal(out)
	if err != nil {
		return fmt.Errorf("encode metric %s: %w", samples[0].Metric.Name, err)
	}
	_, err = w.Write(append(b, '\n'))
	return err
}

// WriteEach writes the counts of one metric, a document for each value of its
// dimension; a count of nothing is left out where the metric is a flow.
func WriteEach[K ~string](w io.Writer, at time.Time, m Metric, values []K, counts map[K]int) error {
	for _, v := range values {
		if n := counts[v]; n != 0 || !m.Flow {
			if err := Write(w, at, string(v), Sample{m, float64(n)}); err != nil {
				return err
			}
		}
	}
	return nil
}

// AllTypes lists Types and Other.
func AllTypes() []string { return append(slices.Clone(Types), Other) }
