package judgeresource_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"plumbline/cfn"
	"plumbline/finding"
	"plumbline/internal/memory"
	"plumbline/remedy/change"
	"plumbline/rules"
	"plumbline/ruleset"
	"plumbline/tasks/judgeresource"
)

var now = time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)

// stack is the template of the stack that owns the resource.
type stack string

func (s stack) Around(context.Context, finding.Resource) (*cfn.Model, error) {
	if s == "" {
		return nil, nil
	}
	t, err := cfn.Parse("shop.yaml", []byte(s))
	if err != nil {
		return nil, err
	}
	return t.Worlds(cfn.Inputs{})[0], nil
}

func (stack) Updating(context.Context, finding.Resource) (string, error) { return "", nil }

// TestWhatIsHandedOn: a machine is asked to settle what counts, what the policy
// lets be settled live, and no more than it allows at once.
func TestWhatIsHandedOn(t *testing.T) {
	const encrypted, key = "sqs-queue-encrypted", "sqs-queue-encryption-kms"
	owned := finding.Resource{Account: "111122223333", Region: "eu-west-1", Stack: "Shop", LogicalID: "Jobs", Type: "AWS::SQS::Queue"}
	free := finding.Resource{Account: "111122223333", Region: "eu-west-1", Type: "AWS::SQS::Queue"}
	accept := func(r finding.Resource, id, until string) finding.Record {
		where, logical := change.Remembered(r, id)
		row := finding.Record{Finding: finding.Finding{Rule: encrypted, Resource: r, Verdict: finding.Fail, Suppressed: &finding.Suppression{Reason: "x", Until: until, Source: finding.SourceAcceptance}},
			State: finding.Suppressed, FirstSeen: now.AddDate(0, 0, -9), LastSeen: now.AddDate(0, 0, -9)}
		row.Resource.LogicalID = logical
		if r.Stack == "" {
			row.Place.Name = where
		}
		return row
	}
	for name, tc := range map[string]struct {
		policy     string
		template   stack
		resource   finding.Resource
		model      string
		known      []finding.Record
		all        bool
		want, gone []string // rules that are handed on, and that are not
		suppressed bool
	}{
		"live by the policy":           {"{}", "", owned, `{}`, nil, false, []string{encrypted}, []string{key}, false},
		"a person wants to see all":    {"{}", "", owned, `{}`, nil, true, []string{encrypted, key}, nil, false},
		"of no stack":                  {"{}", "", free, `{}`, nil, false, []string{encrypted}, []string{key}, false},
		"excluded by its tag":          {`remediation: {exclude: [{tags: [{key: hands, value: "off"}], reason: theirs}]}`, "", owned, `{"Tags":[{"Key":"hands","Value":"off"}]}`, nil, false, nil, []string{encrypted}, false},
		"no more than at once":         {"remediation: {limits: {perScan: 1}}", "", free, `{}`, nil, false, nil, nil, false},
		"suppressed by the policy":     {"suppressions: [{rule: sqs-queue-encrypted, stack: Shop, reason: an empty queue}]", "", owned, `{}`, nil, true, []string{key}, []string{encrypted}, true},
		"suppressed in the template":   {"{}", "Resources:\n  Jobs:\n    Type: AWS::SQS::Queue\n    Metadata: {plumbline: {suppress: [{rule: sqs-queue-encrypted, reason: an empty queue}]}}\n", owned, `{}`, nil, true, []string{key}, []string{encrypted}, true},
		"accepted":                     {"{}", "", owned, `{}`, []finding.Record{accept(owned, "jobs", "2026-03-01")}, true, []string{key}, []string{encrypted}, true},
		"accepted until yesterday":     {"{}", "", owned, `{}`, []finding.Record{accept(owned, "jobs", "2026-02-28")}, true, []string{encrypted}, nil, false},
		"accepted of no stack":         {"{}", "", free, `{}`, []finding.Record{accept(free, "jobs", "2026-03-01")}, true, nil, []string{encrypted}, true},
		"another of no stack accepted": {"{}", "", free, `{}`, []finding.Record{accept(free, "others", "2026-03-01")}, true, []string{encrypted}, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			text := tc.policy
			if text == "{}" { // one rule is for the template
				text = "remediation: {modes: [{rule: sqs-queue-encryption-kms, mode: template}]}"
			}
			policy, err := ruleset.ReadPolicy("p.yaml", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			set, err := ruleset.Open(rules.FS, policy)
			if err != nil {
				t.Fatal(err)
			}
			resources, table := new(memory.Resources), new(memory.Findings)
			model := strings.Replace(tc.model, "{", `{"SqsManagedSseEnabled":false,`, 1)
			resources.Put("AWS::SQS::Queue", "jobs", []byte(strings.Replace(model, ",}", "}", 1)))
			if err := table.Put(t.Context(), tc.known); err != nil {
				t.Fatal(err)
			}
			out, err := judgeresource.New(set, resources, tc.template, table, func() time.Time { return now }).Handle(t.Context(),
				judgeresource.In{CheckID: "event-1", Resource: tc.resource, Identifier: "jobs", All: tc.all})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, v := range out.Violations {
				got = append(got, v.Rule)
				if err := v.Check(); err != nil {
					t.Error(err)
				}
			}
			for _, rule := range tc.want {
				if !slices.Contains(got, rule) {
					t.Errorf("%s is not handed on: %v", rule, got)
				}
			}
			for _, rule := range tc.gone {
				if slices.Contains(got, rule) {
					t.Errorf("%s is handed on", rule)
				}
			}
			if (out.Suppressed > 0) != tc.suppressed || out.Count != len(got) {
				t.Errorf("%d are suppressed, %d counted, %d handed on", out.Suppressed, out.Count, len(got))
			}
			if name == "no more than at once" && (out.Count != 1 || out.Left == 0) {
				t.Errorf("%+v", out)
			}
		})
	}
}
