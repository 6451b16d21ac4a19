package checkcompliance_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/cfn"
	"plumbline/finding"
	"plumbline/remedy/live"
	"plumbline/scan"
	"plumbline/scan/deployed"
	"plumbline/tasks"
	"plumbline/tasks/catalog"
	"plumbline/tasks/checkcompliance"
)

// resources are those that there are, by identifier.
type resources map[string]error

func (r resources) One(_ context.Context, typ string, names ...string) (*cfn.Model, string, error) {
	for _, n := range names {
		if err, ok := r[n]; ok {
			if err != nil {
				return nil, "", err
			}
			res, err := cfn.Live(typ, deployed.Subject, []byte(`{}`))
			return &cfn.Model{Resources: []*cfn.Resource{res}, Determined: true}, n, err
		}
	}
	return nil, "", live.ErrGone
}

func (r resources) All(context.Context, string) ([]string, error) {
	var out []string
	for i := range len(r) {
		out = append(out, fmt.Sprintf("b%d", i))
	}
	return out, nil
}

// rules say a verdict each, in domain network; a second resource stands around.
type rules []finding.Verdict

func (r rules) Judge(_ context.Context, d finding.Domain, _ []*cfn.Model, _ func(string) bool) ([]finding.Finding, finding.Counts, error) {
	if d != finding.Network {
		return nil, nil, nil
	}
	out := []finding.Finding{{Rule: "other", Verdict: finding.Fail, Resource: finding.Resource{LogicalID: "AWS::KMS::Key k"}}}
	for i, v := range r {
		out = append(out, finding.Finding{Rule: fmt.Sprintf("rule-%d", i), Verdict: v, Resource: finding.Resource{LogicalID: deployed.Subject}})
	}
	return out, nil, nil
}

// answers keeps the batches that it is given.
type answers struct {
	batches [][]scan.Evaluation
	err     error
}

func (a *answers) Put(_ context.Context, token string, list []scan.Evaluation) error {
	if token != "t" {
		return errors.New("another token")
	}
	a.batches = append(a.batches, list)
	return a.err
}

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func event(status string) checkcompliance.In {
	return checkcompliance.In{ResultToken: "t", InvokingEvent: `{"messageType":"ConfigurationItemChangeNotification","configurationItem":{"resourceType":"AWS::S3::Bucket","resourceId":"cards","resourceName":"name","configurationItemStatus":"` + status + `","configurationItemCaptureTime":"2026-01-02T12:00:00Z"}}`}
}

func TestAChangedResource(t *testing.T) {
	denied := fmt.Errorf("denied: %w", &live.Refused{Code: "AccessDenied", Message: "no"})
	for _, tc := range []struct {
		name  string
		in    checkcompliance.In
		there resources
		rules rules
		want  string // compliance and annotation; "": nothing is told
	}{
		{"all hold", event("OK"), resources{"cards": nil}, rules{finding.Pass, finding.Pass, finding.Skip}, "COMPLIANT all 2 rules hold"},
		{"one is broken", event("OK"), resources{"cards": nil}, rules{finding.Pass, finding.Fail}, "NON_COMPLIANT rule broken: rule-1"},
		{"two are broken, one is not known", event("OK"), resources{"cards": nil}, rules{finding.Fail, finding.Unknown, finding.Fail}, "NON_COMPLIANT 2 rules broken: rule-0, rule-2"},
		{"one is not known", event("OK"), resources{"cards": nil}, rules{finding.Pass, finding.Unknown}, ""},
		{"one could not be judged", event("OK"), resources{"cards": nil}, rules{finding.Pass, finding.Error}, ""},
		{"no rule applies", event("OK"), resources{"cards": nil}, rules{finding.Skip}, "NOT_APPLICABLE "},
		{"known by its name", event("OK"), resources{"name": nil}, rules{finding.Pass}, "COMPLIANT all 1 rules hold"},
		{"not to be read", event("OK"), resources{"cards": denied}, rules{finding.Pass}, ""},
		{"not there", event("OK"), resources{}, rules{finding.Pass}, ""},
		{"deleted", event("ResourceDeleted"), resources{}, rules{finding.Pass}, "NOT_APPLICABLE "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := &answers{}
			out, err := checkcompliance.New(tc.there, tc.rules, a, time.Now).Handle(t.Context(), tc.in)
			if err != nil {
				t.Fatal(err)
			}
			var got string
			for _, b := range a.batches {
				for _, e := range b {
					got += e.Compliance + " " + e.Annotation
					if e.Type != "AWS::S3::Bucket" || e.ID != "cards" || !e.At.Equal(noon) {
						t.Errorf("answered for %+v", e)
					}
				}
			}
			if got != tc.want || out.Evaluated+out.Open != 1 || (out.Open == 1) != (tc.want == "") {
				t.Errorf("told %q, want %q; %+v", got, tc.want, out)
			}
		})
	}
}

func TestScheduled(t *testing.T) {
	there := resources{}
	for i := range 230 {
		there[fmt.Sprintf("b%d", i)] = nil
	}
	there["b7"] = &live.Refused{Code: "AccessDenied"}
	a := &answers{}
	in := checkcompliance.In{ResultToken: "t", RuleParameters: `{"type":"AWS::S3::Bucket"}`, InvokingEvent: `{"messageType":"ScheduledNotification","notificationCreationTime":"2026-01-02T12:00:00Z"}`}
	out, err := checkcompliance.New(there, rules{finding.Pass}, a, time.Now).Handle(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	var sizes []int
	for _, b := range a.batches {
		sizes = append(sizes, len(b))
	}
	if diff := cmp.Diff([]int{100, 100, 29}, sizes); diff != "" {
		t.Errorf("batches (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(checkcompliance.Out{Evaluated: 229, Open: 1}, out); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestErrors(t *testing.T) {
	change := event("OK")
	noToken := change
	noToken.ResultToken = ""
	for _, tc := range []struct {
		in    checkcompliance.In
		there resources
		put   error
		want  string
		text  string
	}{
		{noToken, nil, nil, catalog.BadInput, "resultToken"},
		{checkcompliance.In{ResultToken: "t", InvokingEvent: "{"}, nil, nil, catalog.BadInput, "decode invokingEvent"},
		{checkcompliance.In{ResultToken: "t", InvokingEvent: `{"messageType":"Other"}`}, nil, nil, catalog.BadInput, "allowed are"},
		{checkcompliance.In{ResultToken: "t", InvokingEvent: `{"messageType":"ConfigurationItemChangeNotification"}`}, nil, nil, catalog.BadInput, "names no resource"},
		{checkcompliance.In{ResultToken: "t", InvokingEvent: `{"messageType":"ScheduledNotification"}`}, nil, nil, catalog.BadInput, "parameter type"},
		{change, resources{"cards": live.ErrThrottled}, nil, catalog.Throttled, ""},
		{change, resources{"cards": nil}, scan.ErrThrottled, catalog.Throttled, "answer AWS Config"},
	} {
		_, err := checkcompliance.New(tc.there, rules{finding.Pass}, &answers{err: tc.put}, time.Now).Handle(t.Context(), tc.in)
		var named *tasks.Error
		if !errors.As(err, &named) || named.Name != tc.want || !strings.Contains(err.Error(), tc.text) {
			t.Errorf("%+v: %v, want %s: …%s…", tc.in, err, tc.want, tc.text)
		}
	}
}
