package deployment_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/finding"
	"plumbline/infra/deployment"
	"plumbline/infra/permission"
)

func TestRead(t *testing.T) {
	for _, c := range []struct {
		name, in, regions, err string
	}{
		{"defaults", `{"account":"111122223333"}`, "us-east-1 eu-west-1", ""},
		{"one region", `{"account":"111122223333","primary":"eu-west-1"}`, "eu-west-1", ""},
		{"no secondary on purpose", `{"account":"111122223333","secondary":[]}`, "us-east-1", ""},
		{"more regions", `{"account":"111122223333","primary":"eu-central-1","secondary":["us-east-1","ap-southeast-2"]}`, "eu-central-1 us-east-1 ap-southeast-2", ""},
		{"misspelt key", `{"acount":"111122223333"}`, "", `unknown field "acount"`},
		{"no account", `{}`, "", `account "": 12 digits`},
		{"twice", `{"account":"111122223333","secondary":["us-east-1"]}`, "", `region "us-east-1" stands twice`},
		{"no region name", `{"account":"111122223333","primary":"Virginia"}`, "", `region "Virginia"`},
		{"all problems at once", `{"account":"1","primary":"Virginia"}`, "", `region "Virginia"`},
		{"two objects", `{"account":"111122223333"} {}`, "", "more follows"},
		{"no address", `{"account":"111122223333","security":{"mail":["Ann <ann@example.com>"]}}`, "", `security.mail: "Ann <ann@example.com>"`},
		{"an address twice", `{"account":"111122223333","devops":{"mail":["a@example.com","a@example.com"]}}`, "", `"a@example.com" stands twice`},
		{"no severity", `{"account":"111122223333","devops":{"severities":["urgent"]}}`, "", `devops.severities: "urgent"`},
		{"nobody is told", `{"account":"111122223333","devops":{"mail":["a@example.com"],"severities":[]}}`, "", "nobody of a@example.com is told"},
		{"no type", `{"account":"111122223333","devops":{"resourceTypes":["S3"]}}`, "", `devops.resourceTypes: "S3"`},
		{"no schedule", `{"account":"111122223333","schedules":{"daily":"03:00"}}`, "", `schedules.daily "03:00"`},
		{"a day is no days", `{"account":"111122223333","schedules":{"daily":"rate(1 days)"}}`, "", `schedules.daily "rate(1 days)"`},
		{"days are no day", `{"account":"111122223333","schedules":{"daily":"rate(5 minute)"}}`, "", `schedules.daily "rate(5 minute)"`},
		{"no such minute", `{"account":"111122223333","schedules":{"daily":"cron(99 3 ? * ? *)"}}`, "", `schedules.daily "cron(99`},
		{"another partition", `{"account":"111122223333","primary":"cn-north-1"}`, "", "partition aws"},
		{"a short cron", `{"account":"111122223333","schedules":{"weekly":"cron(0 3 * * ?)"}}`, "", "six fields"},
		{"half a year", `{"account":"111122223333","retention":{"reportDays":180}}`, "", "retention.reportDays 180: at least 365"},
		{"archived too late", `{"account":"111122223333","retention":{"archiveDays":365}}`, "", "retention.archiveDays 365"},
		{"gone too soon", `{"account":"111122223333","retention":{"workDays":1}}`, "", "retention.workDays 1"},
		{"no retention of logs", `{"account":"111122223333","retention":{"logDays":366}}`, "", "retention.logDays 366: CloudWatch Logs takes 1 3 5"},
		{"a range with host bits", `{"account":"111122223333","network":{"cidr":"10.0.0.1/24"}}`, "", `network.cidr "10.0.0.1/24"`},
		{"too small a range", `{"account":"111122223333","network":{"cidr":"10.0.0.0/28"}}`, "", `network.cidr "10.0.0.0/28"`},
		{"one zone", `{"account":"111122223333","network":{"zones":1}}`, "", "network.zones 1"},
		{"one zone twice", `{"account":"111122223333","network":{"zoneIds":{"us-east-1":["use1-az1","use1-az1"]}}}`, "", "network.zoneIds.us-east-1"},
		{"zones by their names", `{"account":"111122223333","network":{"zoneIds":{"us-east-1":["us-east-1a","us-east-1b"]}}}`, "", "2 different ids such as use1-az1"},
		{"zones elsewhere", `{"account":"111122223333","network":{"zoneIds":{"eu-west-3":["euw3-az1","euw3-az2"]}}}`, "", `network.zoneIds: "eu-west-3" is none`},
		{"zones", `{"account":"111122223333","network":{"zoneIds":{"us-east-1":["use1-az1","use1-az2"]}}}`, "us-east-1 eu-west-1", ""},
		{"a network elsewhere", `{"account":"111122223333","network":{"existing":{"eu-west-3":{"subnets":["subnet-1","subnet-2"],"securityGroups":["sg-1"]}}}}`, "", `"eu-west-3" is none of the regions us-east-1, eu-west-1`},
		{"a network without subnets", `{"account":"111122223333","network":{"existing":{"eu-west-1":{"securityGroups":["sg-1"]}}}}`, "", "network.existing.eu-west-1.subnets"},
		{"a network without groups", `{"account":"111122223333","network":{"existing":{"eu-west-1":{"subnets":["subnet-1","subnet-2"]}}}}`, "", "network.existing.eu-west-1.securityGroups"},
		{"no webhook", `{"account":"111122223333","webhooks":[{"kind":"mail","secret":"a b"}]}`, "", `webhooks[0].kind "mail"`},
		{"a secret that is none", `{"account":"111122223333","webhooks":[{"kind":"jira","secret":"a b"}]}`, "", `webhooks[0].secret "a b"`},
		{"two of a kind", `{"account":"111122223333","webhooks":[{"kind":"jira","secret":"a"},{"kind":"jira","secret":"b"}]}`, "", `webhooks[1].name "jira" stands twice`},
		{"a shared secret", `{"account":"111122223333","webhooks":[{"kind":"jira","secret":"a"},{"kind":"slack","secret":"a"}]}`, "", `webhooks[1].secret "a" stands twice`},
		{"a severity of a webhook", `{"account":"111122223333","webhooks":[{"kind":"jira","secret":"a","severities":["urgent"]}]}`, "", `webhooks[0].severities: "urgent"`},
		{"remediation of a kind", `{"account":"111122223333","remediation":"live"}`, "", `remediation "live": allowed are off and on`},
		{"remediation of nothing", `{"account":"111122223333","remediation":"on","remediationTypes":[]}`, "", "remediationTypes is empty"},
		{"remediation of a misspelt type", `{"account":"111122223333","remediationTypes":["AWS::S3::Buckets"]}`, "", `is "AWS::S3::Bucket" meant?`},
		{"remediation of a type twice", `{"account":"111122223333","remediationTypes":["AWS::S3::Bucket","AWS::S3::Bucket"]}`, "", "stands twice"},
		{"remediation", `{"account":"111122223333","remediation":"on","remediationTypes":["AWS::S3::Bucket"]}`, "us-east-1 eu-west-1", ""},
		{"no schedule of the report", `{"account":"111122223333","schedules":{"report":"Monday"}}`, "", `schedules.report "Monday"`},
		{"no recorder", `{"account":"111122223333","recorder":"none"}`, "", `recorder "none": allowed are existing and create`},
		{"an open issuer", `{"account":"111122223333","oidc":{"issuer":"http://id.example.com","clientId":"p"}}`, "", `oidc.issuer "http://id.example.com"`},
		{"no client", `{"account":"111122223333","oidc":{"issuer":"https://id.example.com"}}`, "", "oidc.clientId is missing"},
		{"a reserved tag", `{"account":"111122223333","tags":{"aws:x":"y"}}`, "", `tags: key "aws:x"`},
		{"an empty tag", `{"account":"111122223333","tags":{"owner":""}}`, "", `tags: value "" of "owner"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := deployment.Read(strings.NewReader(c.in))
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("error %v, want one that says %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(d.Regions(), " "); got != c.regions {
				t.Errorf("regions %q, want %q", got, c.regions)
			}
		})
	}
}

func TestDefaults(t *testing.T) {
	got, err := deployment.Read(strings.NewReader(`{"account":"111122223333"}`))
	if err != nil {
		t.Fatal(err)
	}
	want := deployment.Deployment{
		Account: "111122223333", Primary: "us-east-1", Secondary: []string{"eu-west-1"},
		Security:  deployment.Audience{Severities: []finding.Severity{"critical", "high"}},
		DevOps:    deployment.Audience{Severities: []finding.Severity{"high", "medium", "low"}},
		Schedules: deployment.Schedules{Daily: "cron(0 3 * * ? *)", Weekly: "cron(0 5 ? * SUN *)", Report: "cron(0 7 ? * MON *)", Overdue: "cron(0 7 ? * TUE-SUN *)"},
		Retention: deployment.Retention{ReportDays: 365, ArchiveDays: 90, WorkDays: 14, NoncurrentDays: 30, LogDays: 365},
		Network:   deployment.Network{CIDR: "10.71.0.0/24", Zones: 2}, ConfigTypes: deployment.DefaultConfigTypes, Hook: deployment.Off, Recorder: deployment.RecorderExisting,
		Remediation: deployment.Off, RemediationTypes: permission.DefaultChanges,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestExample: the file that people copy is one that can be read, and shows every key.
func TestExample(t *testing.T) {
	src, err := os.ReadFile("../deployment.example.json")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := deployment.Read(bytes.NewReader(src)); err != nil {
		t.Error(err)
	}
	var shown map[string]json.RawMessage
	if err := json.Unmarshal(src, &shown); err != nil {
		t.Fatal(err)
	}
	_, err = deployment.Read(strings.NewReader(`{"unheard of":1}`))
	_, list, _ := strings.Cut(err.Error(), "allowed are ")
	if diff := cmp.Diff(slices.Sorted(slices.Values(strings.Split(list, ", "))), slices.Sorted(maps.Keys(shown))); diff != "" {
		t.Errorf("keys that are allowed (-) and those of the example (+):\n%s", diff)
	}
}
