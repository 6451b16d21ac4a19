package checkhook_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"plumbline/cfn"
	"plumbline/finding"
	"plumbline/rules"
	"plumbline/ruleset"
	"plumbline/tasks/checkhook"
)

func request(stack, point, typ, properties string) checkhook.In {
	var in checkhook.In
	in.ClientRequestToken, in.AccountID, in.InvocationPoint = "token", "111122223333", point
	if stack != "" {
		in.StackID = "arn:aws:cloudformation:eu-west-1:111122223333:stack/" + stack + "/0a1b"
	}
	in.Request.TargetName, in.Request.TargetLogicalID = typ, "Thing"
	in.Request.Model.Properties = json.RawMessage(properties)
	return in
}

// TestHandle runs the built-in rules.
func TestHandle(t *testing.T) {
	set, err := ruleset.Open(rules.FS, nil)
	if err != nil {
		t.Fatal(err)
	}
	const queue, group = "AWS::SQS::Queue", "AWS::EC2::SecurityGroup"
	const open = `{"GroupDescription":"g","VpcId":"vpc-1","SecurityGroupIngress":[{"IpProtocol":"tcp","FromPort":22,"ToPort":22,"CidrIp":"0.0.0.0/0","Description":"d"}]}`
	for _, tc := range []struct {
		name     string
		in       checkhook.In
		blocking []finding.Severity
		suppress checkhook.Suppress
		status   string
		code     string
		message  string
		annotate string // name and status of an annotation; "": none is looked for
	}{
		{"an open port", request("Shop", "CREATE_PRE_PROVISION", group, open), nil, nil, "FAILED", "NonCompliant", "ec2-security-group-open-ssh", "ec2-security-group-open-ssh FAILED"},
		{"the same by Cloud Control", request("", "UPDATE_PRE_PROVISION", group, open), nil, nil, "FAILED", "NonCompliant", "ec2-security-group-open-ssh", ""},
		{"lesser", request("Shop", "CREATE_PRE_PROVISION", group, open), []finding.Severity{}, nil, "SUCCESS", "", "lesser violations", "ec2-security-group-open-ssh FAILED"},
		{"suppressed", request("Shop", "CREATE_PRE_PROVISION", group, open), nil, func(_ []*cfn.Model, fs []finding.Finding, _ time.Time) ([]finding.Finding, []string) {
			for i := range fs {
				fs[i].Suppressed = &finding.Suppression{Reason: "r"}
			}
			return nil, nil
		}, "SUCCESS", "", "no violation", ""},
		{"what stands around is not known", request("Shop", "CREATE_PRE_PROVISION", "AWS::S3::Bucket", `{}`), []finding.Severity{}, nil, "SUCCESS", "", "lesser", "s3-bucket-tls-only SKIPPED"},
		{"our own stack", request("PlumblineSuite", "UPDATE_PRE_PROVISION", group, open), nil, nil, "SUCCESS", "", "plumbline's own", ""},
		{"a stack with a name like ours", request("PlumblineSuite2", "UPDATE_PRE_PROVISION", group, open), nil, nil, "FAILED", "NonCompliant", "", ""},
		{"a deletion", request("Shop", "DELETE_PRE_PROVISION", group, open), nil, nil, "SUCCESS", "", "deletions", ""},
		{"no properties", request("Shop", "CREATE_PRE_PROVISION", queue, ``), nil, nil, "FAILED", "InternalFailure", "no properties", ""},
		{"no object", request("Shop", "CREATE_PRE_PROVISION", queue, `[1]`), nil, nil, "FAILED", "InternalFailure", "could not judge", ""},
		{"a type without rules", request("Shop", "CREATE_PRE_PROVISION", "Acme::Own::Thing", `{}`), nil, nil, "SUCCESS", "", "no violation", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := checkhook.Config{Blocking: tc.blocking, Exempt: checkhook.Exempt}
			out, err := checkhook.New(set, tc.suppress, c, time.Now).Handle(t.Context(), tc.in)
			if err != nil {
				t.Fatal(err)
			}
			if out.HookStatus != tc.status || out.ErrorCode != tc.code || !strings.Contains(out.Message, tc.message) || out.ClientRequestToken != "token" || len(out.Message) > 1024 {
				t.Errorf("answered %+v", out)
			}
			var names []string
			for _, a := range out.Annotations {
				names = append(names, a.Name+" "+a.Status)
			}
			if !strings.Contains(strings.Join(names, ","), tc.annotate) {
				t.Errorf("annotations %v", names)
			}
		})
	}
}

// broken are rules that cannot be loaded.
type broken struct{ checkhook.Rules }

func (broken) Relations(string) ([][]ruleset.Relation, error) { return nil, errors.New("no rules") }

func TestNothingPassesUnjudged(t *testing.T) {
	out, err := checkhook.New(broken{}, nil, checkhook.Config{}, time.Now).Handle(t.Context(), request("Shop", "CREATE_PRE_PROVISION", "AWS::SQS::Queue", `{}`))
	if err != nil || out.HookStatus != "FAILED" || out.ErrorCode != "InternalFailure" {
		t.Errorf("%+v, %v", out, err)
	}
}
