package stack_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/infra/permission"
	"plumbline/tasks/catalog"
)

func TestFunctions(t *testing.T) {
	for deployment, s := range both() {
		for id, f := range s.of("AWS::Lambda::Function") {
			p := f.Properties
			task, _ := catalog.Find(strings.TrimPrefix(p["FunctionName"].(string), "Plumbline"))
			got := []any{p["Runtime"], text(p["Architectures"]), p["Timeout"], p["MemorySize"], p["Handler"]}
			want := []any{"provided.al2023", `["arm64"]`, task.Timeout.Seconds(), float64(task.MemoryMB), "bootstrap"}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", id, diff)
			}
			variables, _ := at(p["Environment"], "Variables").(map[string]any)
			names := slices.Concat(task.Vars, slices.Collect(maps.Keys(task.Env)))
			if deployment == "everything" {
				for _, name := range task.MaySet {
					if name != catalog.BlockingVar { // which is left at its default
						names = append(names, name)
					}
				}
			}
			slices.Sort(names)
			if diff := cmp.Diff(names, slices.Sorted(maps.Keys(variables))); diff != "" {
				t.Errorf("%s: environment by the catalogue (-) and as it is (+):\n%s", id, diff)
			}
			subnets := 2
			if permission.Outside(task) { // those that call the Internet
				subnets = 0
			}
			if n := len(items(at(p["VpcConfig"], "SubnetIds"))); n != subnets {
				t.Errorf("%s is in %d subnets, want %d", id, n, subnets)
			}
			log, _ := at(p["LoggingConfig"], "LogGroup", "Ref").(string)
			if s.Resources[log].Properties["RetentionInDays"] != 365.0 || s.Resources[log].Properties["KmsKeyId"] == nil {
				t.Errorf("%s: log %q", id, log)
			}
			if at(p["DeadLetterConfig"], "TargetArn") == nil {
				t.Errorf("%s loses what it fails at", id)
			}
		}
	}
}

// TestStackChanges: a scan begins when a change has ended, whichever way, and
// not before.
func TestStackChanges(t *testing.T) {
	ended := []string{
		"CREATE_COMPLETE", "CREATE_FAILED", "DELETE_COMPLETE", "DELETE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "UPDATE_COMPLETE", "UPDATE_FAILED",
		"UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED", "IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_FAILED",
	}
	underWay := []string{
		"CREATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "REVIEW_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
		"UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", "IMPORT_IN_PROGRESS", "IMPORT_ROLLBACK_IN_PROGRESS",
	}
	var suffixes []string
	for _, r := range example()[suiteStack].of("AWS::Events::Rule") {
		for _, m := range items(at(r.Properties["EventPattern"], "detail", "status-details", "status")) {
			suffixes = append(suffixes, at(m, "suffix").(string))
		}
	}
	matches := func(status string) bool {
		return slices.ContainsFunc(suffixes, func(s string) bool { return strings.HasSuffix(status, s) })
	}
	for _, status := range ended {
		if !matches(status) {
			t.Errorf("%s starts no scan", status)
		}
	}
	for _, status := range underWay {
		if matches(status) {
			t.Errorf("%s starts a scan", status)
		}
	}
}

// TestEvents: each rule leads to its target, which it may call, and to the
// queue with what it could not deliver.
func TestEvents(t *testing.T) {
	for keys, want := range map[string][]string{
		"": {"aws.cloudformation", "aws.config", "aws.states", "cron(0 3 * * ? *)", "cron(0 5 ? * SUN *)", "cron(0 7 ? * MON *)", "cron(0 7 ? * TUE-SUN *)"},
		`"schedules":{"daily":"off","weekly":"rate(7 days)","report":"cron(0 9 1 * ? *)","overdue":"off"}`: {"aws.cloudformation", "aws.config", "aws.states", "cron(0 9 1 * ? *)", "rate(7 days)"},
	} {
		s := with(t, keys)[suiteStack]
		var got []string
		for id, r := range s.of("AWS::Events::Rule") {
			source := fmt.Sprint(r.Properties["ScheduleExpression"])
			if p := r.Properties["EventPattern"]; p != nil {
				source = fmt.Sprint(items(at(p, "source"))[0])
			}
			got = append(got, source)
			self := map[string]any{"Fn::GetAtt": []any{id, "Arn"}}
			target := items(r.Properties["Targets"])[0]
			if queue := text(at(target, "DeadLetterConfig", "Arn")); !strings.Contains(queue, "LostEvents") {
				t.Errorf("%s loses events: %s", id, queue)
			}
			may := at(target, "RoleArn") != nil
			for _, p := range s.of("AWS::Lambda::Permission") {
				may = may || text(p.Properties["SourceArn"]) == text(self) && text(p.Properties["FunctionName"]) == text(at(target, "Arn"))
			}
			if !may {
				t.Errorf("%s may not call its target", id)
			}
			admitted := false
			for _, p := range s.of("AWS::SQS::QueuePolicy") {
				admitted = admitted || strings.Contains(text(p.Properties), text(self))
			}
			if !admitted {
				t.Errorf("%s may not leave events in the queue", id)
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("with %s (-want +got):\n%s", keys, diff)
		}
	}
}

func TestSubscriptions(t *testing.T) {
	s := with(t, `"security":{"mail":["sec@example.com"],"severities":["critical"],"resourceTypes":["AWS::S3::Bucket","AWS::IAM::*"]},"devops":{"mail":["ops@example.com"],"severities":["high","low"]}`)[suiteStack]
	got := map[string]string{}
	for _, r := range s.of("AWS::SNS::Subscription") {
		topic, _ := at(r.Properties["TopicArn"], "Ref").(string)
		topic = strings.TrimRight(strings.TrimPrefix(topic, "Alerting"), "0123456789ABCDEF")
		got[fmt.Sprint(r.Properties["Endpoint"], " ", topic)] = text(r.Properties["FilterPolicy"])
	}
	want := map[string]string{
		"sec@example.com Critical": `{"resourceType":["AWS::S3::Bucket",{"prefix":"AWS::IAM::"},{"exists":false}],"severity":["critical",{"exists":false}]}`,
		"ops@example.com Warning":  `{"severity":["high","low",{"exists":false}]}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestKeyAdmitsServices: messages of an encrypted topic or queue that EventBridge
// or CloudWatch may not encrypt are lost in silence.
func TestKeyAdmitsServices(t *testing.T) {
	for _, k := range example()[suiteStack].of("AWS::KMS::Key") {
		policy := text(k.Properties["KeyPolicy"])
		for _, service := range []string{"events.amazonaws.com", "cloudwatch.amazonaws.com", "logs.us-east-1.amazonaws.com"} {
			if !strings.Contains(policy, `"Service":"`+service+`"`) {
				t.Errorf("the key does not admit %s: %s", service, policy)
			}
		}
	}
}

// TestNetwork: there is no way to the Internet, and one to each service that
// functions call.
func TestNetwork(t *testing.T) {
	s := example()[suiteStack]
	for id, r := range s.Resources {
		switch r.Type {
		case "AWS::EC2::InternetGateway", "AWS::EC2::NatGateway", "AWS::EC2::EIP", "AWS::EC2::Route", "AWS::EC2::VPCGatewayAttachment", "AWS::EC2::EgressOnlyInternetGateway":
			t.Errorf("%s is a %s", id, r.Type)
		}
	}
	endpoints := map[string]string{}
	for _, e := range s.of("AWS::EC2::VPCEndpoint") {
		endpoints[strings.TrimPrefix(e.Properties["ServiceName"].(string), "com.amazonaws.us-east-1.")] = e.Properties["VpcEndpointType"].(string)
		if strings.Contains(text(at(e.Properties["PolicyDocument"], "Statement")), `:*"`) {
			t.Errorf("an endpoint lets every action through: %s", text(e.Properties["PolicyDocument"]))
		}
	}
	want := map[string]string{"cloudcontrolapi": "Interface", "cloudformation": "Interface", "config": "Interface", "dynamodb": "Gateway", "s3": "Gateway", "sns": "Interface", "states": "Interface"}
	if diff := cmp.Diff(want, endpoints); diff != "" {
		t.Errorf("endpoints (-want +got):\n%s", diff)
	}

	own := with(t, `"network":{"existing":{"us-east-1":{"subnets":["subnet-1","subnet-2"],"securityGroups":["sg-1"]}}}`)[suiteStack]
	for id, r := range own.Resources {
		if strings.HasPrefix(r.Type, "AWS::EC2::") {
			t.Errorf("%s is made although there is a network", id)
		}
	}
	for _, f := range own.of("AWS::Lambda::Function") {
		if got := text(f.Properties["VpcConfig"]); got != `{"SecurityGroupIds":["sg-1"],"SubnetIds":["subnet-1","subnet-2"]}` {
			t.Errorf("a function is in %s", got)
		}
	}

	three := with(t, `"network":{"zones":3,"cidr":"10.1.0.0/20","zoneIds":{"us-east-1":["use1-az1","use1-az2","use1-az6"]}}`)[suiteStack]
	var ranges []string
	for _, r := range three.of("AWS::EC2::Subnet") {
		ranges = append(ranges, fmt.Sprint(r.Properties["CidrBlock"], " ", r.Properties["AvailabilityZoneId"]))
	}
	slices.Sort(ranges)
	if diff := cmp.Diff([]string{"10.1.0.0/22 use1-az1", "10.1.4.0/22 use1-az2", "10.1.8.0/22 use1-az6"}, ranges); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestNothingIsLeftOpen: every placeholder was filled.
func TestNothingIsLeftOpen(t *testing.T) {
	for name, s := range example() {
		for id, r := range s.Resources {
			for key, v := range r.Properties {
				if key != "DefinitionString" && strings.Contains(text(v), "${") {
					t.Errorf("%s %s.%s holds a placeholder: %s", name, id, key, text(v))
				}
			}
		}
	}
}
